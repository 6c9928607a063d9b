"""Vectors of the chapter Codecs: which bytes of a frame stay clear, and which streams carry which codec."""

from __future__ import annotations

from enum import StrEnum

from e2ee.vectorgen import descriptions, h264
from e2ee.vectorgen.encoder_output import RECORDINGS
from e2ee.vectorgen.h264_model import byte_stream
from e2ee.vectorgen.models import split
from e2ee.vectorgen.registry import Case, Chapter, Group
from e2ee.vectorgen.scenes import CAMERA, MICROPHONE, SCREEN_AUDIO, SCREEN_VIDEO, encoded

__all__ = ["CHAPTER"]

clear_bytes = Group(
    "clear-bytes",
    "An encoder's frame -> its clear bytes, how many they are, and the rest, which is encrypted. Of H.264 `clear` has its start"
    " codes rewritten. The frames of real encoders are stored as they came; the comment says from where.",
)
streams = Group("stream", "May a stream of this kind carry this codec?")


class CodecRefusal(StrEnum):
    """Why a sender refuses."""

    TOO_SHORT = "TOO_SHORT"
    NO_SLICE = "NO_SLICE"
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
    clear, rest = split(codec, frame)
    case.output |= {"clear_length": len(clear), "clear": clear, "rest": rest}


@clear_bytes.vector("CODEC-15", each={"key-frame": b"\x82", "delta-frame": b"\x86", "any": b"\0"})
def vp9(case: Case, first: bytes) -> None:
    """Not even the first byte of a VP9 frame is clear."""
    _clear(case, "VP9", first + case.entropy.random(20))


SPS, PPS, SEI, DELIMITER = h264.SPS, h264.PPS, h264.SEI, h264.DELIMITER
IDR = h264.IDR_SLICE + bytes.fromhex("0401020304")
SLICE = h264.SLICE + bytes.fromhex("05060708")

H264_FRAMES = {
    "delta-frame": byte_stream(SLICE),
    "key-frame": byte_stream(SPS, PPS, IDR),
    "three-byte-start-code": byte_stream(SLICE, start_code=b"\0\0\1"),
    "start-codes-of-different-length": b"\0\0\0\1" + SPS + b"\0\0\1" + PPS + b"\0\0\1" + IDR,
    "zeros-before-start-codes": b"\0\0\0\0\1" + SPS + b"\0\0\0\0\0\1" + IDR,
    "delimiter-and-sei": byte_stream(DELIMITER, SPS, PPS, SEI, IDR),
    "several-slices": byte_stream(SLICE, SLICE) + b"\0\0\1" + SLICE,
    "parameter-sets-after-the-slice": byte_stream(SLICE, SPS, PPS),
    "slice-of-clear-bytes": byte_stream(h264.SLICE),
    "slice-with-zeros-at-the-border": h264.ENDS_IN_0000 + bytes.fromhex("0301"),
    "emulation-prevention-of-the-encoder": byte_stream(b"\x67\x42\0\0\3\1", SLICE),
    "nal-ref-idc": byte_stream(b"\x07" + SPS[1:], b"\x01" + SLICE[1:]),
    "start-code-within-the-clear-bytes": b"\0\0\1\x41\0\0\1\x65\x88\x80",
}


@clear_bytes.vector("CODEC-10", "CODEC-11", each=H264_FRAMES)
def h264_(case: Case, frame: bytes) -> None:
    """Up to two bytes after the header byte of the first slice (type 1 or 5), behind start codes of four bytes; the rest as it is."""
    _clear(case, "H264", frame)


REAL = {
    f"{recording}-{frame}": (recording, frame)
    for recording, recorded in RECORDINGS.items()
    for frame in list(recorded.frames)[:2]
}


@clear_bytes.vector("CODEC-1", "CODEC-2", "CODEC-10", "CODEC-11", "CODEC-15", each=REAL)
def real(case: Case, which: tuple[str, str]) -> None:
    """As it came from"""
    recording = RECORDINGS[which[0]]
    case.comment += f" {recording.origin}."
    _clear(case, recording.codec, recording.frames[which[1]])


@clear_bytes.vector(
    "CODEC-3",
    reason=CodecRefusal.TOO_SHORT,
    each={"opus": "opus", "vp8": "VP8", "vp9": "VP9", "h264": "H264"},
)
def empty(case: Case, codec: str) -> None:
    """An encoder's empty output is no frame: nothing is sent."""
    case.input |= {"codec": codec, "frame": b""}


@clear_bytes.vector("CODEC-3", reason=CodecRefusal.TOO_SHORT, each={"one-byte": 1, "nine-bytes": 9})
def vp8_key_frame_of(case: Case, length: int) -> None:
    """A key frame has ten bytes at least."""
    case.input |= {"codec": "VP8", "frame": VP8_FRAMES["key-frame"][:length]}


@clear_bytes.vector("CODEC-3", reason=CodecRefusal.TOO_SHORT, each={"two-bytes": 2, "one-byte": 1})
def h264_slice_of(case: Case, length: int) -> None:
    """A slice has three bytes at least."""
    case.input |= {"codec": "H264", "frame": byte_stream(SPS, PPS, IDR[:length])}


@clear_bytes.vector(
    "CODEC-12",
    reason=CodecRefusal.NO_SLICE,
    each={
        "parameter-sets-only": byte_stream(SPS, PPS),
        "start-code-only": b"\0\0\1",
        "no-start-code": SLICE,
        "length-prefix": len(IDR).to_bytes(4, "big") + IDR,
        "data-partition": byte_stream(b"\x42" + SLICE[1:]),
        "byte-before-the-first-start-code": b"\x80" + byte_stream(SLICE),
    },
)
def h264_frame_of(case: Case, frame: bytes) -> None:
    """Nothing in it says what would be clear."""
    case.input |= {"codec": "H264", "frame": frame}


@streams.vector(
    "CODEC-4",
    each={
        "microphone-opus": (MICROPHONE, "opus"),
        "screen-audio-opus": (SCREEN_AUDIO, "opus"),
        "camera-vp8": (CAMERA, "VP8"),
        "screen-video-vp8": (SCREEN_VIDEO, "VP8"),
        "camera-vp9": (CAMERA, "VP9"),
        "camera-h264": (CAMERA, "H264"),
        "screen-video-h264": (SCREEN_VIDEO, "H264"),
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
        "microphone-vp9": (MICROPHONE, "VP9"),
        "microphone-h264": (MICROPHONE, "H264"),
        "camera-opus": (CAMERA, "opus"),
    },
)
def not_carried(case: Case, stream: tuple[int, str]) -> None:
    """Video under kind 0 would have short KIDs, and its SFrame header would begin where codec bits are looked for."""
    case.input["kind"], case.input["codec"] = stream


CHAPTER = Chapter(
    "codecs",
    "L1",
    "Which bytes of an encoded frame stay clear in the binding codec-compat, and the codecs of a call's streams.",
    (clear_bytes, streams, h264.sending, h264.receiving, *descriptions.GROUPS),
)
