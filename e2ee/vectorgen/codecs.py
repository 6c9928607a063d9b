"""Vectors of the chapter Codecs: which bytes of a frame stay clear, and which streams carry which codec."""

from __future__ import annotations

from enum import StrEnum

from e2ee.vectorgen.models import clear_length
from e2ee.vectorgen.registry import Case, Chapter, Group
from e2ee.vectorgen.scenes import CAMERA, MICROPHONE, SCREEN_AUDIO, SCREEN_VIDEO, encoded

__all__ = ["CHAPTER"]

clear_bytes = Group(
    "clear-bytes", "An encoder's frame -> how many of its bytes are clear, and which."
)
streams = Group("stream", "May a stream of this kind carry this codec?")


class CodecRefusal(StrEnum):
    """Why a sender refuses."""

    TOO_SHORT = "TOO_SHORT"
    KIND_WITHOUT_CODEC = "KIND_WITHOUT_CODEC"


@clear_bytes.vector("CODEC-1", each={"one-byte": 1, "dtx": 3, "speech": 80, "largest": 1_275})
def opus(case: Case, length: int) -> None:
    """Nothing on the way reads an Opus frame, not even its first byte."""
    _clear(case, "opus", encoded(case, "opus", length))


VP8_FRAMES = {
    "key-frame": bytes.fromhex("d04200 9d012a 8002 e001 0047"),
    "key-frame-of-ten-bytes": bytes.fromhex("d04200 9d012a 8002 e001"),
    "delta-frame": bytes.fromhex("b10900 0007"),
    "delta-frame-of-one-byte": bytes.fromhex("b1"),
    "key-frame-not-shown": bytes.fromhex("c04200 9d012a 8002 e001 0047"),
    "first-byte-00": bytes(12),
    "first-byte-01": b"\x01" + bytes(11),
    "first-byte-fe": b"\xfe" + bytes(11),
    "first-byte-ff": b"\xff" + bytes(11),
}


@clear_bytes.vector("CODEC-2", each=VP8_FRAMES)
def vp8(case: Case, frame: bytes) -> None:
    """Bit 0 of the first byte alone decides: 10 if it is 0, else 1."""
    _clear(case, "VP8", frame)


def _clear(case: Case, codec: str, frame: bytes) -> None:
    case.input |= {"codec": codec, "frame": frame}
    length = clear_length(codec, frame)
    case.output |= {"clear_length": length, "clear": frame[:length], "rest": frame[length:]}


@clear_bytes.vector("CODEC-3", reason=CodecRefusal.TOO_SHORT, each={"opus": "opus", "vp8": "VP8"})
def empty(case: Case, codec: str) -> None:
    """An encoder's empty output is no frame: nothing is sent."""
    case.input |= {"codec": codec, "frame": b""}


@clear_bytes.vector("CODEC-3", reason=CodecRefusal.TOO_SHORT, each={"one-byte": 1, "nine-bytes": 9})
def vp8_key_frame_of(case: Case, length: int) -> None:
    """A key frame has ten bytes at least."""
    case.input |= {"codec": "VP8", "frame": VP8_FRAMES["key-frame"][:length]}


@streams.vector(
    "CODEC-4",
    each={
        "microphone-opus": (MICROPHONE, "opus"),
        "screen-audio-opus": (SCREEN_AUDIO, "opus"),
        "camera-vp8": (CAMERA, "VP8"),
        "screen-video-vp8": (SCREEN_VIDEO, "VP8"),
    },
)
def carried(case: Case, stream: tuple[int, str]) -> None:
    """The pairs that calls use."""
    case.input["kind"], case.input["codec"] = stream


@streams.vector(
    "CODEC-4",
    reason=CodecRefusal.KIND_WITHOUT_CODEC,
    each={
        "microphone-vp8": (MICROPHONE, "VP8"),
        "screen-audio-vp8": (SCREEN_AUDIO, "VP8"),
        "camera-opus": (CAMERA, "opus"),
    },
)
def not_carried(case: Case, stream: tuple[int, str]) -> None:
    """Video under kind 0 would have short KIDs, and its SFrame header would begin where codec bits are looked for."""
    case.input["kind"], case.input["codec"] = stream


CHAPTER = Chapter(
    "codecs",
    "L1",
    "Which bytes of an encoded frame stay clear in the binding codec-compat.",
    (clear_bytes, streams),
)
