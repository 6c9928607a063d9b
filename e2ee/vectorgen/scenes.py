"""Scenes of one receiver, for the chapters Frame keys and Frame format.

A ``Scene`` is what one device sees on one stream: epochs applied and frames received, at times in milliseconds after
an arbitrary start, and last the frame that the case is about.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Any

from e2ee.vectorgen.h264_model import byte_stream
from e2ee.vectorgen.models import SUITES, Protected, compose_kid, protect, split
from e2ee.vectorgen.registry import Case

__all__ = [
    "CAMERA",
    "CODEC",
    "CONTROL",
    "MICROPHONE",
    "SCREEN_AUDIO",
    "SCREEN_VIDEO",
    "Refusal",
    "Scene",
    "encoded",
    "flipped",
]

MICROPHONE, CAMERA, SCREEN_VIDEO, SCREEN_AUDIO, CONTROL = range(5)

CODEC = {MICROPHONE: "opus", CAMERA: "VP8", SCREEN_VIDEO: "VP8", SCREEN_AUDIO: "opus"}

VP8_KEY_FRAME = bytes.fromhex("d04200 9d012a 8002 e001")
"""Frame tag with bit 0 clear, start code, 640 x 480: the first ten bytes of a key frame."""


H264_KEY_FRAME = byte_stream(
    bytes.fromhex("6742c01e8c8d40"), bytes.fromhex("68ce3c80"), bytes.fromhex("658880")
)
"""Parameter sets, and the beginning of a slice, behind start codes as they stand in a clear part: all of it is clear."""

H264_DELTA_FRAME = byte_stream(bytes.fromhex("419a02"))


class Refusal(StrEnum):
    """The reasons of FRAME-3's table, by name."""

    TOO_SHORT = "TOO_SHORT"
    NO_SLICE = "NO_SLICE"
    BAD_ENDING = "BAD_ENDING"
    BAD_HEADER = "BAD_HEADER"
    BAD_KID = "BAD_KID"
    WRONG_KIND = "WRONG_KIND"
    WRONG_SENDER = "WRONG_SENDER"
    REMOVED = "REMOVED"
    UNKNOWN_KEY = "UNKNOWN_KEY"
    EXPIRED = "EXPIRED"
    NOT_A_SPEAKER = "NOT_A_SPEAKER"
    REPLAYED = "REPLAYED"
    NOT_AUTHENTIC = "NOT_AUTHENTIC"


def encoded(case: Case, codec: str, length: int = 12, *, key_frame: bool = False) -> bytes:
    """Bytes in the place of an encoder's frame: only what the protocol reads of it is an encoder's."""
    content = case.entropy.random(length)
    if codec in ("opus", "VP9"):
        return content
    if codec == "H264":
        return (H264_KEY_FRAME if key_frame else H264_DELTA_FRAME) + content
    return VP8_KEY_FRAME + content if key_frame else bytes([content[0] | 1]) + content[1:]


def flipped(frame: bytes, position: int) -> bytes:
    """``frame`` with the lowest bit of one byte flipped."""
    changed = bytearray(frame)
    changed[position] ^= 1
    return bytes(changed)


class Scene:
    """Leaf 1 of a call between leaves 0, 1 and 2 receives on one stream of ``kind``.

    ``sender`` is the leaf that the server announced for the stream, if any. ``codec`` is the kind's unless it is given.
    """

    def __init__(
        self,
        case: Case,
        kind: int = MICROPHONE,
        *,
        suite: int = 0x0004,
        sender: int | None = None,
        codec: str | None = None,
    ) -> None:
        self.case = case
        self.kind = kind
        self.codec = codec or CODEC[kind]
        self.suite = suite
        self._sender_keys = case.entropy.fork(b"base keys")
        case.input |= {
            "sframe_suite": suite,
            "own_leaf": 1,
            "stream": {"kind": kind, "codec": self.codec, "announced_sender": sender},
            "events": [],
        }

    def base_key(self, epoch: int) -> bytes:
        """The base_key of ``epoch`` in this scene."""
        return self._sender_keys.fork(b"%d" % epoch).random(SUITES[self.suite][1].Nk)

    def applied(
        self,
        at: int,
        epoch: int,
        *,
        roster: Collection[int] = (0, 1, 2),
        speakers: Collection[int] = (),
        hosts: Collection[int] = (),
        added: Collection[int] = (),
        removed: Collection[int] = (),
        later: bool = False,
    ) -> None:
        """The device applies ``epoch``; ``later`` than the frame that the case is about."""
        event = {
            "at": at,
            "event": "applied",
            "epoch": epoch,
            "base_key": self.base_key(epoch),
            "roster": list(roster),
            "speakers": list(speakers),
            "hosts": list(hosts),
            "added": list(added),
            "removed": list(removed),
        }
        self.case.input["later" if later else "events"].append(event)

    def until(self, at: int) -> None:
        """The frame that the case is about waits, at most until then."""
        self.case.input |= {"later": [], "until": at}

    def protected(
        self,
        epoch: int,
        ctr: int,
        *,
        leaf: int = 0,
        kind: int | None = None,
        instance: int = 0,
        live: int = 0,
        base_key: bytes | None = None,
        key_frame: bool = False,
    ) -> Protected:
        """A frame that the member at ``leaf`` protects in ``epoch``."""
        kind = self.kind if kind is None else kind
        frame = encoded(self.case, self.codec, key_frame=key_frame)
        clear, rest = split(self.codec, frame)
        kid = compose_kid(kind, instance, leaf, epoch, live)
        key = self.base_key(epoch) if base_key is None else base_key
        return protect(self.suite, key, kid, ctr, clear, rest)

    def sent(self, protected: Protected) -> bytes:
        """What comes of it, unless it is changed on the way."""
        return protected.sent(self.codec)

    def earlier(self, at: int, frame: bytes, outcome: StrEnum | str = "opened") -> None:
        """A frame that comes before the one that the case is about, and what must become of it."""
        event: dict[str, Any] = {"at": at, "event": "frame", "frame": frame, "outcome": outcome}
        self.case.input["events"].append(event)

    def judged(
        self, at: int, protected: Protected, *, epoch: int, changed: bytes | None = None
    ) -> None:
        """The frame that the case is about: as it was protected in ``epoch``, or as it was ``changed`` on the way."""
        self.case.input |= {"at": at, "frame": self.sent(protected) if changed is None else changed}
        self.case.intermediate |= protected.steps()
        if self.case.reason is None:
            self.case.output |= {
                "frame": protected.clear + protected.rest,
                "leaf_index": protected.kid >> 4 & 0x3FF,
                "kind": protected.kid >> 14 & 7,
                "instance": protected.kid >> 18,
                "epoch": epoch,
                "ctr": protected.ctr,
            }

    def raw(self, at: int, frame: bytes) -> None:
        """Bytes that nobody protected are the frame that the case is about."""
        self.case.input |= {"at": at, "frame": frame}
