"""Vectors of the chapter Frame format, "The binding `sframe-rtp`": a frame in payloads, and payloads as a frame."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

from e2ee.vectorgen.models import SUITES, Protected, compose_kid, protect
from e2ee.vectorgen.registry import Case, Group
from e2ee.vectorgen.scenes import CAMERA, MICROPHONE, Refusal, Scene, encoded, flipped

__all__ = ["receiving", "sending"]

sending = Group(
    "sframe-rtp-sending",
    "frame -> the payloads of its RTP packets, of `largest_payload` bytes each but for the last, which may be shorter.",
)
receiving = Group(
    "sframe-rtp-receiving",
    "What becomes of the last of `packets`, received on one stream at the time `at` after `events`, in the order of their"
    " sequence numbers, without padding: a frame is whole with it and opened, or it is refused, by FRAME-19 or by FRAME-3.",
)

BINDING = "sframe-rtp"
FIRST, LAST = 0x80, 0x40


class PayloadRefusal(StrEnum):
    """Why a payload is refused."""

    BAD_DESCRIPTOR = "BAD_DESCRIPTOR"
    INCOMPLETE = "INCOMPLETE"


def payloads(frame: bytes, largest: int) -> list[bytes]:
    """FRAME-18."""
    size = largest - 1
    pieces = [frame[at : at + size] for at in range(0, len(frame), size)]
    last = len(pieces) - 1
    return [
        bytes([FIRST * (number == 0) + LAST * (number == last)]) + piece
        for number, piece in enumerate(pieces)
    ]


class Sent(NamedTuple):
    """A frame that is sent. ``largest`` None: as large as the protected frame and its descriptor."""

    kind: int
    codec: str
    length: int
    largest: int | None
    key_frame: bool = False


SENT = {
    "opus-in-one-payload": Sent(MICROPHONE, "opus", 40, 1_200),
    "vp8-key-frame-in-three": Sent(CAMERA, "VP8", 60, 40, key_frame=True),
    "vp8-delta-frame-in-one": Sent(CAMERA, "VP8", 20, 1_200),
    "vp9-in-two": Sent(CAMERA, "VP9", 60, 50),
    "h264-key-frame-in-two": Sent(CAMERA, "H264", 40, 60, key_frame=True),
    "h264-delta-frame-in-one": Sent(CAMERA, "H264", 40, 1_200),
    "in-one-that-is-full": Sent(CAMERA, "VP8", 30, None),
    "in-payloads-of-a-byte-of-the-frame": Sent(MICROPHONE, "opus", 3, 2),
}


@sending.vector("FRAME-17", "FRAME-18", each=SENT)
def sframe_rtp(case: Case, sent: Sent) -> None:
    """The whole frame is encrypted, whatever the codec: no clear bytes, no metadata, no bytes of H.264's own."""
    base_key = case.entropy.random(SUITES[0x0004][1].Nk)
    frame = encoded(case, sent.codec, sent.length, key_frame=sent.key_frame)
    kid = compose_kid(sent.kind, 0, 0, 2)
    protected = protect(0x0004, base_key, kid, 9, b"", frame)
    largest = sent.largest or len(protected.frame) + 1
    case.input |= {
        "binding": BINDING,
        "sframe_suite": 0x0004,
        "base_key": base_key,
        "kind": sent.kind,
        "instance": 0,
        "leaf_index": 0,
        "epoch": 2,
        "ctr": 9,
        "codec": sent.codec,
        "frame": frame,
        "largest_payload": largest,
    }
    case.intermediate |= protected.steps()
    case.output["payloads"] = payloads(protected.frame, largest)


class PayloadScene(Scene):
    """A receiver of payloads. Sequence numbers begin shortly before they wrap."""

    FIRST_NUMBER, PAYLOAD_TYPE, TIMESTAMP = 65_534, 98, 90_000

    def __init__(self, case: Case, kind: int = CAMERA, codec: str | None = None) -> None:
        super().__init__(case, kind, codec=codec)
        case.input = {"binding": BINDING, **case.input}
        self.applied(0, 2)

    def whole(self, ctr: int = 0, *, key_frame: bool = True, length: int = 60) -> Protected:
        """A frame of which nothing is clear."""
        frame = encoded(self.case, self.codec, length, key_frame=key_frame)
        kid = compose_kid(self.kind, 0, 0, 2)
        return protect(self.suite, self.base_key(2), kid, ctr, b"", frame)

    def packets(self, *of: list[bytes], first: int = FIRST_NUMBER) -> list[dict[str, Any]]:
        """A packet for each payload; each list is a frame with a timestamp of its own."""
        placed = [(number, payload) for number, frame in enumerate(of) for payload in frame]
        return [
            {
                "sequence_number": (first + at) % 65_536,
                "timestamp": self.TIMESTAMP + 3_000 * frame,
                "payload_type": self.PAYLOAD_TYPE,
                "payload": payload,
            }
            for at, (frame, payload) in enumerate(placed)
        ]

    def end(self, packets: list[dict[str, Any]], protected: Protected | None = None) -> None:
        """These packets come, and with the last of them the frame that is ``protected``."""
        if protected is not None:
            self.judged(1, protected, epoch=2)
            del self.case.input["frame"]
        self.case.input |= {"at": 1, "packets": packets}


@receiving.vector("FRAME-17", "FRAME-19", each={"one": 1_200, "three": 40, "many": 3})
def frame_in_payloads(case: Case, largest: int) -> None:
    """From S to E. Sequence numbers wrap on the way."""
    scene = PayloadScene(case)
    protected = scene.whole()
    scene.end(scene.packets(payloads(protected.frame, largest)), protected)


@receiving.vector("FRAME-17", each={"opus": "opus", "vp9": "VP9", "h264": "H264"})
def frame_of(case: Case, codec: str) -> None:
    """Of no codec anything is clear. (H.264's frame comes back byte for byte.)"""
    scene = PayloadScene(case, MICROPHONE if codec == "opus" else CAMERA, codec)
    protected = scene.whole()
    scene.end(scene.packets(payloads(protected.frame, 50)), protected)


@receiving.vector("FRAME-19")
def frame_after_one_that_was_not_finished(case: Case) -> None:
    """The first frame's last payload was lost: the second one begins anew."""
    scene = PayloadScene(case)
    lost, protected = scene.whole(0), scene.whole(1)
    packets = scene.packets(payloads(lost.frame, 40), payloads(protected.frame, 40))
    del packets[2]
    scene.end(packets, protected)


@receiving.vector("FRAME-19")
def frame_after_a_payload_that_was_dropped(case: Case) -> None:
    """What is refused takes no frame with it but its own."""
    scene = PayloadScene(case)
    protected = scene.whole()
    packets = scene.packets([b"\x20\x01"], payloads(protected.frame, 40))
    scene.end(packets, protected)


@receiving.vector(
    "FRAME-19",
    reason=PayloadRefusal.BAD_DESCRIPTOR,
    each={
        "nothing": b"",
        "a-descriptor-only": b"\xc0",
        "per-packet-encryption": b"\xe0" + bytes(20),
        "reserved-bit-10": b"\xd0" + bytes(20),
        "reserved-bit-01": b"\xc1" + bytes(20),
    },
)
def payload_of(case: Case, payload: bytes) -> None:
    """Another bit than S and E, or no byte of a frame."""
    scene = PayloadScene(case)
    scene.end(scene.packets([payload]))


def _three(case: Case) -> tuple[PayloadScene, list[dict[str, Any]]]:
    scene = PayloadScene(case)
    packets = scene.packets(payloads(scene.whole().frame, 40))
    if len(packets) != 3:
        raise ValueError("not in three payloads")
    return scene, packets


@receiving.vector("FRAME-19", reason=PayloadRefusal.INCOMPLETE, each={"first": 0, "middle": 1})
def payload_after_a_lost_one_the(case: Case, lost: int) -> None:
    """A payload of the frame did not come; with its last one nothing is whole."""
    scene, packets = _three(case)
    del packets[lost]
    scene.end(packets)


@receiving.vector(
    "FRAME-19",
    reason=PayloadRefusal.INCOMPLETE,
    each={"timestamp": ("timestamp", 93_000), "payload-type": ("payload_type", 99)},
)
def payload_with_another(case: Case, change: tuple[str, int]) -> None:
    """It does not belong to the frame that has begun."""
    scene, packets = _three(case)
    packets[2][change[0]] = change[1]
    scene.end(packets)


@receiving.vector("FRAME-19", reason=PayloadRefusal.INCOMPLETE)
def payload_after_the_last_one(case: Case) -> None:
    """E was set before."""
    scene, packets = _three(case)
    scene.end([*packets, {**packets[2], "sequence_number": 1}])


@receiving.vector("FRAME-19", reason=PayloadRefusal.INCOMPLETE)
def payload_after_a_dropped_one(case: Case) -> None:
    """The middle one had a reserved bit set, and was dropped, and with it the frame."""
    scene, packets = _three(case)
    packets[1]["payload"] = b"\x01" + packets[1]["payload"][1:]
    scene.end(packets)


@receiving.vector("FRAME-19")
def frame_of_512_payloads(case: Case) -> None:
    """As many as a frame may have."""
    scene = PayloadScene(case)
    overhead = len(scene.whole(length=1, key_frame=False).frame) - 1
    protected = scene.whole(length=2 * 512 - overhead, key_frame=False)
    pieces = payloads(protected.frame, 3)
    if len(pieces) != 512:
        raise ValueError(f"{len(pieces)} payloads")
    scene.end(scene.packets(pieces), protected)


@receiving.vector("FRAME-19", reason=PayloadRefusal.INCOMPLETE)
def payload_number_513(case: Case) -> None:
    """A frame has at most 512 payloads: with the next one it is dropped, though it ends here."""
    scene = PayloadScene(case)
    pieces = payloads(scene.whole(length=600).frame, 2)
    pieces[512:] = [bytes([LAST]) + pieces[512][1:]]
    scene.end(scene.packets(pieces))


@receiving.vector("FRAME-3", "FRAME-17", reason=Refusal.BAD_KID)
def frame_in_codec_compat(case: Case) -> None:
    """A VP8 key frame with its clear bytes: read as an SFrame header, they name nobody. No other binding is tried."""
    scene = PayloadScene(case)
    protected = scene.protected(2, 0, key_frame=True)
    scene.end(scene.packets(payloads(protected.frame, 1_200)), protected)


@receiving.vector("FRAME-3", "FRAME-17", reason=Refusal.NOT_AUTHENTIC)
def frame_with_metadata(case: Case) -> None:
    """Protected as a VP9 frame with a byte of metadata: here there is none."""
    scene = PayloadScene(case, codec="VP9")
    drawn = scene.whole()
    protected = protect(scene.suite, scene.base_key(2), drawn.kid, 0, b"\x82", drawn.rest)
    scene.end(scene.packets(payloads(protected.sframe, 1_200)), protected)


@receiving.vector("FRAME-3", "FRAME-11", reason=Refusal.NOT_AUTHENTIC)
def frame_with_a_flipped_bit(case: Case) -> None:
    """What is joined is judged like any frame."""
    scene = PayloadScene(case)
    protected = scene.whole()
    scene.end(scene.packets(payloads(flipped(protected.frame, -1), 40)), protected)


@receiving.vector("FRAME-9", "FRAME-19", reason=Refusal.REPLAYED)
def frame_whose_payloads_come_again(case: Case) -> None:
    """The same frame under other sequence numbers and in other payloads."""
    scene = PayloadScene(case)
    protected = scene.whole()
    once, again = payloads(protected.frame, 40), payloads(protected.frame, 1_200)
    scene.end(scene.packets(once, again), protected)
