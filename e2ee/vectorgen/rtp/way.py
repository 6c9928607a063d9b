"""The way of a sender's frames to one receiver: protected, put into RTP packets, and on their way.

way = Way(case, CAMERA)
frame = way.frame(0, length=60)                 protected, with CTR 0
first, second = way.vp8(frame, [20])            in two packets
way.arrive(second, first)
way.opened(frame)
way.end()
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from e2ee.vectorgen.models import SUITES, compose_kid, protect, split
from e2ee.vectorgen.registry import Case
from e2ee.vectorgen.rtp.packets import Descriptor, Packet, Vp9Descriptor, fu_a
from e2ee.vectorgen.rtp.srtp import SrtpKeys
from e2ee.vectorgen.scenes import CODEC, MICROPHONE, Refusal, encoded

__all__ = ["EXTENSIONS", "RTX_SSRC", "SSRC", "Sent", "Way"]

EPOCH = 2
SENDER, RECEIVER = 0, 1
SSRC, RTX_SSRC = 0x5EED0001, 0x5EED0002
OPUS, VP8, VP9, H264, RTX = 111, 96, 98, 102, 97
"""Payload types; that of the retransmissions is for the video codec."""

EXTENSIONS = {
    1: "urn:ietf:params:rtp-hdrext:sdes:mid",
    3: "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    4: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
}
"""What was negotiated, by identifier."""

PAYLOADS: dict[str, list[dict[str, Any]]] = {
    "opus": [{"payload_type": OPUS, "codec": "opus", "clock_rate": 48_000}],
    "VP8": [{"payload_type": VP8, "codec": "VP8", "clock_rate": 90_000}],
    "VP9": [{"payload_type": VP9, "codec": "VP9", "clock_rate": 90_000}],
    "H264": [{"payload_type": H264, "codec": "H264", "clock_rate": 90_000}],
}
STEP = {"opus": 960, "VP8": 3_000, "VP9": 3_000, "H264": 3_000}
"""From one frame's timestamp to the next: 20 ms, 33 ms."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A frame on its way: ``content`` is the encoder's, ``data`` what is put into packets."""

    content: bytes
    data: bytes
    ctr: int
    timestamp: int


class Way:
    """From leaf 0 of a call between two to leaf 1, on one stream of ``kind``."""

    def __init__(
        self,
        case: Case,
        kind: int = MICROPHONE,
        *,
        codec: str | None = None,
        suite: int = 0x0004,
        srtp: SrtpKeys | None = None,
        sequence_number: int = 1_000,
        timestamp: int = 90_000,
    ) -> None:
        self.case = case
        self.kind = kind
        self.codec = codec or CODEC[kind]
        self.suite = suite
        self.srtp = srtp
        self.base_key = case.entropy.random(SUITES[suite][1].Nk)
        self.sequence_number = sequence_number
        self.timestamp = timestamp
        self._retransmissions = 500
        self._last = timestamp
        case.input |= {
            "sframe_suite": suite,
            "own_leaf": RECEIVER,
            "stream": {"kind": kind, "codec": self.codec, "announced_sender": None},
            "events": [_applied(self.base_key)],
            "rtp": self._negotiated(),
            "packets": [],
        }
        case.intermediate["reassembled"] = []
        case.output["frames"] = []

    def _negotiated(self) -> dict[str, Any]:
        payloads = PAYLOADS[self.codec]
        apt = payloads[0]["payload_type"]
        rtx = {"payload_type": RTX, "codec": "rtx", "clock_rate": 90_000, "apt": apt}
        is_video = self.codec != "opus"
        return {
            "ssrc": SSRC,
            "rtx_ssrc": RTX_SSRC if is_video else None,
            "payload_types": [*payloads, rtx] if is_video else payloads,
            "header_extensions": [{"id": n, "uri": uri} for n, uri in EXTENSIONS.items()],
            "srtp": None
            if self.srtp is None
            else {
                "profile": "SRTP_AES128_CM_HMAC_SHA1_80",
                "master_key": self.srtp.master_key,
                "master_salt": self.srtp.master_salt,
            },
        }

    def frame(self, ctr: int, *, length: int = 6, key_frame: bool = False) -> Sent:
        """The next frame of the encoder, protected."""
        content = encoded(self.case, self.codec, length, key_frame=key_frame)
        return self.protected(ctr, content)

    def protected(self, ctr: int, content: bytes) -> Sent:
        """An encoder's frame, protected."""
        kid = compose_kid(self.kind, 0, SENDER, EPOCH)
        sealed = protect(self.suite, self.base_key, kid, ctr, *split(self.codec, content))
        return self.next_frame(content, sealed.sent(self.codec), ctr)

    def copy(self, sent: Sent, data: bytes | None = None) -> Sent:
        """The same once more, or what somebody made of it, as a frame with a timestamp of its own."""
        return self.next_frame(sent.content, sent.data if data is None else data, sent.ctr)

    def next_frame(self, content: bytes, data: bytes, ctr: int) -> Sent:
        """A frame of which ``data`` is sent."""
        sent = Sent(content, data, ctr, self.timestamp)
        self.timestamp = (self.timestamp + STEP[self.codec]) % 2**32
        return sent

    def opus(self, sent: Sent, *, marker: bool = False) -> Packet:
        """RFC 7587, Section 4.2: a packet holds one Opus packet, and nothing else."""
        return self.packet(sent, sent.data, marker=marker)

    def opus_frames(self, count: int, first: int = 0) -> tuple[list[Sent], list[Packet]]:
        """Some frames with CTRs from ``first`` on, and their packets."""
        frames = [self.frame(first + n) for n in range(count)]
        return frames, [self.opus(sent, marker=n == 0) for n, sent in enumerate(frames)]

    def vp8(
        self, sent: Sent, cuts: Sequence[int] = (), descriptor: Descriptor | None = None
    ) -> list[Packet]:
        """RFC 7741: a descriptor before each part, S in the first one only, the marker on the last packet."""
        parts = [sent.data[a:b] for a, b in zip((0, *cuts), (*cuts, len(sent.data)), strict=True)]
        first = descriptor or Descriptor()
        return [
            self.packet(
                sent,
                replace(first, start=n == 0).data + part,
                marker=n == len(parts) - 1,
            )
            for n, part in enumerate(parts)
        ]

    def vp9(
        self, sent: Sent, cuts: Sequence[int] = (), descriptor: Vp9Descriptor | None = None
    ) -> list[Packet]:
        """RFC 9628: a descriptor before each part, B in the first one, E in the last, with the marker. A structure is in the first only."""
        parts = [sent.data[a:b] for a, b in zip((0, *cuts), (*cuts, len(sent.data)), strict=True)]
        model, last = descriptor or Vp9Descriptor(), len(parts) - 1
        return [
            self.packet(
                sent,
                replace(
                    model, start=n == 0, end=n == last, structure=b"" if n else model.structure
                ).data
                + part,
                marker=n == last,
            )
            for n, part in enumerate(parts)
        ]

    def h264(self, sent: Sent, *payloads: bytes) -> list[Packet]:
        """RFC 6184: these payloads, the marker on the last packet."""
        last = len(payloads) - 1
        return [self.packet(sent, each, marker=n == last) for n, each in enumerate(payloads)]

    def packet(self, sent: Sent, payload: bytes, *, marker: bool = False) -> Packet:
        """The next packet of the stream. Raises ValueError for a frame before that of the last one."""
        if (sent.timestamp - self._last) % 2**32 > 2**31:
            raise ValueError(f"{self.case.id}: packets are made in the order of their frames")
        self._last = sent.timestamp
        payload_type = PAYLOADS[self.codec][0]["payload_type"]
        number, self.sequence_number = self.sequence_number, (self.sequence_number + 1) % 2**16
        return Packet(payload_type, number, sent.timestamp, SSRC, payload, marker=marker)

    def again(self, packet: Packet) -> Packet:
        """The retransmission of a packet."""
        self._retransmissions += 1
        return packet.again(payload_type=RTX, ssrc=RTX_SSRC, sequence_number=self._retransmissions)

    def arrive(self, *packets: Packet | bytes) -> None:
        """They come, in this order."""
        for packet in packets:
            data = packet
            if isinstance(packet, Packet):
                data = packet.data if self.srtp is None else self.srtp.protected(packet)
            self.case.input["packets"].append(data)

    def opened(self, *frames: Sent) -> None:
        """These open."""
        for sent in frames:
            outcome = {
                "timestamp": sent.timestamp,
                "fate": "opened",
                "leaf_index": SENDER,
                "kind": self.kind,
                "instance": 0,
                "epoch": EPOCH,
                "ctr": sent.ctr,
                "frame": sent.content,
            }
            self._judged(sent.data, outcome)

    def refused(self, sent: Sent, reason: Refusal, data: bytes | None = None) -> None:
        """This is whole, and does not open. ``data``: what became of it on the way."""
        outcome = {"timestamp": sent.timestamp, "fate": "refused", "reason": reason}
        self._judged(sent.data if data is None else data, outcome)

    def _judged(self, data: bytes, outcome: dict[str, Any]) -> None:
        self.case.intermediate["reassembled"].append(data)
        self.case.output["frames"].append(outcome)

    def end(self) -> None:
        """A frame begins that stays incomplete: who waits for another timestamp knows that the one before is complete."""
        if self.codec == "H264":
            sent = self.next_frame(b"", b"", 0)
            self.arrive(self.packet(sent, fu_a(b"\x41" + bytes(9), [5])[0]))
            return
        sent = self.frame(2**20, length=20)
        packetised = self.vp9 if self.codec == "VP9" else self.vp8
        self.arrive(packetised(sent, [10])[0])


def _applied(base_key: bytes) -> dict[str, Any]:
    return {
        "at": 0,
        "event": "applied",
        "epoch": EPOCH,
        "base_key": base_key,
        "roster": [SENDER, RECEIVER],
        "speakers": [],
        "hosts": [],
        "added": [],
        "removed": [],
    }
