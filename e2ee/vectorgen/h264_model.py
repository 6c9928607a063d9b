"""H.264's split as the chapter Codecs writes it, a NAL unit and a byte at a time.

What the code under test does with searches and replacements is done here with loops.
"""

from __future__ import annotations

__all__ = ["START_CODE", "byte_stream", "emulation_prevented", "nal_units", "sent", "split"]

START_CODE = bytes.fromhex("00000001")
ENDING = b"\x80"


def nal_units(frame: bytes) -> list[tuple[int, int]]:
    """Where each NAL unit begins and ends: after a start code, and before the zeros of the next one."""
    units, zeros, begins = [], 0, None
    for at, byte in enumerate(frame):
        if byte == 1 and zeros >= 2:
            if begins is not None:
                units.append((begins, at - zeros))
            begins = at + 1
        zeros = zeros + 1 if byte == 0 else 0
    return units if begins is None else [*units, (begins, len(frame))]


def split(frame: bytes) -> tuple[bytes, bytes]:
    """(clear, rest): CODEC-10, CODEC-11."""
    clear = b""
    for begins, ends in nal_units(frame):
        if frame[begins] & 0x1F in (1, 5):
            return clear + START_CODE + frame[begins : begins + 3], frame[begins + 3 :]
        clear += START_CODE + frame[begins:ends]
    raise ValueError("no slice")


def emulation_prevented(before: bytes, payload: bytes) -> bytes:
    """EP: CODEC-13."""
    n = 2 if before.endswith(b"\0\0") else int(before.endswith(b"\0"))
    written = bytearray()
    for byte in payload:
        if n == 2 and byte <= 3:
            written.append(3)
            n = 0
        written.append(byte)
        n = min(n + 1, 2) if byte == 0 else 0
    return bytes(written)


def sent(clear: bytes, sframe: bytes) -> bytes:
    """The protected frame."""
    return clear + emulation_prevented(clear, sframe + ENDING)


def byte_stream(*units: bytes, start_code: bytes = START_CODE) -> bytes:
    """NAL units as an encoder writes them."""
    return b"".join(start_code + unit for unit in units)
