"""Vectors of the chapter Codecs, "H.264": how a protected frame is put together and taken apart, without a key.

What SFrame makes is given here as any bytes: so the cases show what real ones rarely have.
"""

from __future__ import annotations

from enum import StrEnum

from e2ee.vectorgen.h264_model import byte_stream, sent
from e2ee.vectorgen.registry import Case, Group

__all__ = ["H264Refusal", "receiving", "sending"]

sending = Group(
    "h264-sending",
    "`clear` and `sframe` (any bytes in the place of SFrame header, ciphertext and tag) -> the protected frame.",
)
receiving = Group(
    "h264-receiving",
    "A frame as a depacketiser gives it -> `clear`, which is the metadata, and `sframe`, which begins with the SFrame header."
    " Nothing is decrypted: a receiver that does all at once would find in `valid` cases that nothing authenticates.",
)


class H264Refusal(StrEnum):
    """Why a frame is refused."""

    TOO_SHORT = "TOO_SHORT"
    NO_SLICE = "NO_SLICE"
    BAD_ENDING = "BAD_ENDING"


SPS, PPS = bytes.fromhex("6742c01e8c8d40"), bytes.fromhex("68ce3c80")
SEI, DELIMITER = bytes.fromhex("0605ff020380"), bytes.fromhex("09f0")
SLICE, IDR_SLICE = bytes.fromhex("419a02"), bytes.fromhex("658880")

DELTA = byte_stream(SLICE)
KEY = byte_stream(SPS, PPS, IDR_SLICE)
ENDS_IN_00 = byte_stream(bytes.fromhex("419a00"))
ENDS_IN_0000 = byte_stream(bytes.fromhex("410000"))

TAG = bytes.fromhex("9a4e21c37fd0885b6602f1aa47cc1e39")

JOINED: dict[str, tuple[bytes, str]] = {
    "nothing-to-prevent": (DELTA, "a0 40 00 05"),
    "of-a-key-frame": (KEY, "a0 40 00 05"),
    "000000": (DELTA, "a0 00 00 00 77"),
    "000001": (DELTA, "a0 00 00 01 77"),
    "000002": (DELTA, "a0 00 00 02 77"),
    "000003": (DELTA, "a0 00 00 03 77"),
    "000004": (DELTA, "a0 00 00 04 77"),
    "0000-then-80": (DELTA, "a0 77 00 00"),
    "six-zeros": (DELTA, "a0 00 00 00 00 00 00"),
    "start-code-of-four-bytes": (DELTA, "a0 00 00 00 01 65"),
    "00-once": (DELTA, "a0 00 01 00 02 00 03"),
    "prevention-that-is-there-already": (DELTA, "a0 00 00 03 01 00 00 03 03"),
    "after-a-clear-part-that-ends-in-00": (ENDS_IN_00, "00 01 77"),
    "after-one-that-ends-in-00-and-none-needed": (ENDS_IN_00, "01 77"),
    "after-one-that-ends-in-0000": (ENDS_IN_0000, "01 77"),
    "after-one-that-ends-in-0000-and-none-needed": (ENDS_IN_0000, "a0 00 01"),
    "zeros-after-one-that-ends-in-0000": (ENDS_IN_0000, "00 00 00"),
    "that-is-empty-after-one-that-ends-in-0000": (ENDS_IN_0000, ""),
}


@sending.vector("CODEC-13", each=JOINED)
def joined(case: Case, parts: tuple[bytes, str]) -> None:
    """A byte 03 goes before each byte up to 03 that would follow two bytes 00, counted from the clear part's end; 80 ends it."""
    clear, bytes_ = parts
    case.input |= {"codec": "H264", "clear": clear, "sframe": bytes.fromhex(bytes_)}
    case.output["protected"] = sent(clear, bytes.fromhex(bytes_))


def _apart(case: Case, frame: bytes, clear: bytes, sframe: bytes) -> None:
    case.input |= {"codec": "H264", "frame": frame}
    case.output |= {"clear": clear, "sframe": sframe}


@receiving.vector("CODEC-14", each=JOINED)
def taken_apart(case: Case, parts: tuple[bytes, str]) -> None:
    """The same frames, taken apart."""
    clear, sframe = parts[0], bytes.fromhex(parts[1])
    _apart(case, sent(clear, sframe), clear, sframe)


@receiving.vector("CODEC-14")
def tag_that_ends_in_00(case: Case) -> None:
    """One tag in 256. Splitters of byte streams drop zeros before a start code; here the last byte is 80."""
    sframe = bytes.fromhex("a04005") + TAG[:-1] + b"\0"
    _apart(case, sent(DELTA, sframe), DELTA, sframe)


@receiving.vector("CODEC-14")
def sframe_that_ends_in_80(case: Case) -> None:
    """Only one byte 80 is dropped."""
    sframe = bytes.fromhex("a04005") + TAG[:-2] + b"\x80\x80"
    _apart(case, sent(DELTA, sframe), DELTA, sframe)


@receiving.vector("CODEC-11", each={"three-bytes": b"\0\0\1", "five-bytes": b"\0\0\0\0\1"})
def start_codes_of(case: Case, start_code: bytes) -> None:
    """A depacketiser that writes other start codes: in the metadata each has four bytes, as the sender had them."""
    sframe = bytes.fromhex("a04005") + TAG
    frame = byte_stream(SPS, PPS, IDR_SLICE, start_code=start_code) + sframe + b"\x80"
    _apart(case, frame, KEY, sframe)


@receiving.vector("CODEC-10")
def units_of_other_types_first(case: Case) -> None:
    """Delimiter, parameter sets and SEI before the slice: all clear. The next slice's start code, in the ciphertext, is no start code."""
    clear = byte_stream(DELIMITER, SPS, PPS, SEI, IDR_SLICE)
    sframe = bytes.fromhex("a0400500000165") + TAG
    _apart(case, sent(clear, sframe), clear, sframe)


@receiving.vector("CODEC-14")
def byte_03_that_no_sender_puts(case: Case) -> None:
    """A byte 03 after two bytes 00 is dropped, whatever follows it: it is not for this layer to doubt."""
    _apart(case, DELTA + bytes.fromhex("a0 000003 77 80"), DELTA, bytes.fromhex("a0 0000 77"))


@receiving.vector("CODEC-14")
def two_bytes_03_after_zeros(case: Case) -> None:
    """Only the first of them is dropped: it ends the count."""
    _apart(case, DELTA + bytes.fromhex("a0 00000303 77 80"), DELTA, bytes.fromhex("a0 000003 77"))


@receiving.vector(
    "CODEC-14",
    reason=H264Refusal.BAD_ENDING,
    each={
        "the-80": DELTA + bytes.fromhex("a04005") + TAG,
        "the-80-of-a-tag-that-ends-in-00": DELTA + bytes.fromhex("a04005") + TAG[:-1] + b"\0",
        "all-but-the-clear-part": DELTA,
        "all-but-a-clear-part-that-ends-in-80": KEY,
    },
)
def without(case: Case, frame: bytes) -> None:
    """The end is cut off."""
    case.input |= {"codec": "H264", "frame": frame}


@receiving.vector(
    "CODEC-14", reason=H264Refusal.BAD_ENDING, each={"00": b"\0", "03": b"\3", "81": b"\x81"}
)
def last_byte(case: Case, ending: bytes) -> None:
    """Behind the 80 there is something else: padding that was not stripped, or a changed byte."""
    case.input |= {"codec": "H264", "frame": sent(DELTA, bytes.fromhex("a04005") + TAG) + ending}


@receiving.vector(
    "CODEC-12",
    reason=H264Refusal.NO_SLICE,
    each={
        "without-a-start-code": SLICE + TAG + b"\x80",
        "of-a-start-code": b"\0\0\0\1",
        "of-parameter-sets": byte_stream(SPS, PPS),
        "of-a-data-partition": byte_stream(bytes.fromhex("429a02")) + TAG + b"\x80",
        "with-a-byte-before-it": b"\x80" + sent(DELTA, TAG),
        "of-vp8": bytes.fromhex("d04200 9d012a 8002 e001") + TAG,
    },
)
def frame(case: Case, frame: bytes) -> None:
    """Nothing in it says what is clear."""
    case.input |= {"codec": "H264", "frame": frame}


@receiving.vector(
    "CODEC-3",
    reason=H264Refusal.TOO_SHORT,
    each={
        "nothing": b"",
        "the-header-byte-of-its-slice": KEY[:-2],
        "one-byte-of-its-slice": KEY[:-1],
    },
)
def cut_after(case: Case, frame: bytes) -> None:
    """The clear bytes are not all there."""
    case.input |= {"codec": "H264", "frame": frame}
