"""H.264: packetisers, depacketisers and forwarding units read NAL units up to the header of the first slice.

    frame            start code || NAL unit || start code || NAL unit ...        (Annex B of ITU-T H.264)
    clear            parameter sets and the like, then the first slice's header byte and 2 more (CODEC-10)
    protected frame  clear || EP(SFrame header || ciphertext || tag || 80)       (CODEC-13)

Between two start codes a packetiser takes everything for one NAL unit, and a splitter drops zeros at its end: so the
encrypted part is one NAL unit with the first slice's beginning, without a start code in it (EP: emulation prevention), and
ends in 80. No cryptography here. Each function looks at each byte a fixed number of times, whatever the bytes are.
"""

from __future__ import annotations

import re

from e2ee.media.errors import BadFrame, MediaReason

__all__ = ["CLEAR_LENGTH", "START_CODE", "is_key_frame", "joined", "parted", "split"]

CLEAR_LENGTH: tuple[int, ...] = ()
"""The first byte of a frame says nothing."""

START_CODE = b"\0\0\0\1"
"""As depacketisers write it. Encoders write it with two zeros, too, or more than three."""

SLICES = frozenset({1, 5})
"""Types of NAL units that hold a slice: of a picture, and of one that refers to none (H.264 Table 7-1)."""

_TYPE = 0x1F
_SHORT_START_CODE = b"\0\0\1"
_HEADERS = bytes(header for header in range(256) if header & _TYPE in SLICES)
_FIRST_SLICE = re.compile(_SHORT_START_CODE + b"[" + re.escape(_HEADERS) + b"]")
_MORE_OF_A_SLICE = 2
"""Clear bytes after its header byte: depacketisers read the parameter set's number there."""

_EMULATION = re.compile(rb"\x00\x00(?=[\x00-\x03])")
_PREVENTED = re.compile(rb"\x00\x00\x03")
"""(Searching for a pattern takes half the time that ``bytes.replace`` takes for it.)"""
_ENDING = b"\x80"
"""Without it a splitter would take the zeros at the end of one tag in 256 for part of the next start code."""


def split(frame: bytes) -> tuple[bytes, bytes]:
    """(clear, rest) of an encoder's frame (CODEC-10 to CODEC-12). Raises BadFrame (TOO_SHORT, NO_SLICE)."""
    clear, end = _clear_part(frame)
    return clear, frame[end:]


def joined(clear: bytes, sframe: bytes) -> bytes:
    """The protected frame (CODEC-13). ``sframe`` is what SFrame made of the rest, with ``clear`` as metadata."""
    zeros = _zeros_at_the_end(clear)
    payload = _EMULATION.sub(b"\0\0\3", zeros + sframe + _ENDING)
    return clear + payload[len(zeros) :]


def parted(protected: bytes) -> tuple[bytes, bytes]:
    """(clear, sframe) of what came (CODEC-14). Raises BadFrame (TOO_SHORT, NO_SLICE, BAD_ENDING)."""
    clear, end = _clear_part(protected)
    if not protected.endswith(_ENDING) or len(protected) == end:
        raise BadFrame("the last byte is not 80", MediaReason.BAD_ENDING)
    zeros = _zeros_at_the_end(clear)
    payload = _PREVENTED.sub(b"\0\0", zeros + protected[end:-1])
    return clear, payload[len(zeros) :]


def is_key_frame(frame: bytes) -> bool:
    """Whether a decoder can begin with it: its first slice is one of an IDR picture."""
    slice_ = _FIRST_SLICE.search(frame)
    return slice_ is not None and frame[slice_.end() - 1] & _TYPE == 5


def _clear_part(frame: bytes) -> tuple[bytes, int]:
    """What is clear, with its start codes rewritten (CODEC-11), and where in ``frame`` it ends."""
    slice_ = _FIRST_SLICE.search(frame)
    if slice_ is None:
        reason = MediaReason.NO_SLICE if frame else MediaReason.TOO_SHORT
        raise BadFrame(f"no slice in {len(frame)} bytes", reason)
    end = slice_.end() + _MORE_OF_A_SLICE
    if end > len(frame):
        raise BadFrame("a slice that is cut off")  # CODEC-3
    before, *units = frame[: slice_.start()].split(_SHORT_START_CODE)
    if before.strip(b"\0"):
        raise BadFrame("bytes before the first start code", MediaReason.NO_SLICE)
    units = [unit.rstrip(b"\0") for unit in units]
    return START_CODE + START_CODE.join([*units, frame[slice_.end() - 1 : end]]), end


def _zeros_at_the_end(clear: bytes) -> bytes:
    """Look-back: the zeros that count for emulation in what follows."""
    return clear[-2:] if clear.endswith(b"\0\0") else clear[-1:] if clear.endswith(b"\0") else b""
