"""RTP packets for vectors: made by the letter of RFC 3550, 8285, 4588, 7741, 9628 and 6184, and shared with no implementation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from e2ee.vectorgen.models import u16, u32

__all__ = [
    "Descriptor",
    "Packet",
    "Vp9Descriptor",
    "fu_a",
    "one_byte_elements",
    "padded_to_words",
    "scalability_structure",
    "stap_a",
    "two_byte_elements",
]

VERSION_2 = 0x80
ONE_BYTE, TWO_BYTE = 0xBEDE, 0x1000
"""What a header extension begins with (RFC 8285, Sections 4.2 and 4.3); the last four bits of the second are free."""


@dataclass(frozen=True, slots=True)
class Packet:
    """An RTP packet (RFC 3550, Section 5.1). ``extension`` is (profile, whole words)."""

    payload_type: int
    sequence_number: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False
    csrcs: Sequence[int] = ()
    extension: tuple[int, bytes] | None = None
    padding: bytes = b""
    """All of it: the last byte says how many."""

    @property
    def data(self) -> bytes:
        """The packet's bytes."""
        flags = bool(self.padding) << 5 | (self.extension is not None) << 4 | len(self.csrcs)
        return b"".join(
            (
                bytes([VERSION_2 | flags, self.marker << 7 | self.payload_type]),
                u16(self.sequence_number % 2**16),
                u32(self.timestamp % 2**32),
                u32(self.ssrc),
                *map(u32, self.csrcs),
                self._extension(),
                self.payload,
                self.padding,
            )
        )

    def _extension(self) -> bytes:
        """Section 5.3.1: 16 bits of a profile, the number of words that follow, and these."""
        if self.extension is None:
            return b""
        profile, content = self.extension
        return u16(profile) + u16(len(content) // 4) + content

    def padded(self, count: int, filling: int = 0) -> Packet:
        """The packet with ``count`` bytes of padding, the last of which is ``count``."""
        return replace(self, padding=bytes([filling]) * (count - 1) + bytes([count]))

    def again(self, *, payload_type: int, ssrc: int, sequence_number: int) -> Packet:
        """Its retransmission (RFC 4588, Section 4): the original's sequence number, and then its payload."""
        return replace(
            self,
            payload_type=payload_type,
            ssrc=ssrc,
            sequence_number=sequence_number,
            payload=u16(self.sequence_number % 2**16) + self.payload,
            padding=b"",
        )


Element = tuple[int, bytes]
"""A header extension's local identifier, and its content."""


def one_byte_elements(*elements: Element) -> bytes:
    """RFC 8285, Section 4.2: four bits of identifier, four bits of the length less one."""
    return b"".join(
        bytes([identifier << 4 | len(content) - 1]) + content for identifier, content in elements
    )


def two_byte_elements(*elements: Element) -> bytes:
    """RFC 8285, Section 4.3: a byte of identifier, a byte of length, which may be 0."""
    return b"".join(bytes([identifier, len(content)]) + content for identifier, content in elements)


def padded_to_words(elements: bytes) -> bytes:
    """With as many zero bytes as make 32-bit words of it."""
    return elements + bytes(-len(elements) % 4)


def _picture_id(said: tuple[int, int] | None) -> bytes:
    """M, and 7 bits or 15: the same for VP8 and VP9."""
    if said is None:
        return b""
    value, bits = said
    return u16(0x8000 | value) if bits == 15 else bytes([value])


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A VP8 payload descriptor (RFC 7741, Section 4.2).

    ``start`` is S, ``partition`` PID, ``non_reference`` N. ``picture_id`` is (value, its bits: 7 or 15). ``layer`` is (TID, Y).
    ``reserved`` sets the bits that "MUST be ignored by the receiver".
    """

    start: bool = True
    partition: int = 0
    non_reference: bool = False
    picture_id: tuple[int, int] | None = None
    tl0picidx: int | None = None
    layer: tuple[int, int] | None = None
    keyidx: int | None = None
    reserved: bool = False

    @property
    def data(self) -> bytes:
        """The descriptor's bytes."""
        fields = _picture_id(self.picture_id) + self._tl0picidx() + self._layer_and_keyidx()
        present = (
            (self.picture_id is not None) << 7
            | (self.tl0picidx is not None) << 6
            | (self.layer is not None) << 5
            | (self.keyidx is not None) << 4
        )
        extended = bool(present) or self.reserved
        first = (
            extended << 7
            | self.reserved << 6
            | self.non_reference << 5
            | self.start << 4
            | self.reserved << 3
            | self.partition
        )
        return (
            bytes([first]) + (bytes([present | 0x0F * self.reserved]) if extended else b"") + fields
        )

    def _tl0picidx(self) -> bytes:
        return b"" if self.tl0picidx is None else bytes([self.tl0picidx])

    def _layer_and_keyidx(self) -> bytes:
        """TID, Y and KEYIDX share a byte, which is there if either is."""
        if self.layer is None and self.keyidx is None:
            return b""
        tid, y = self.layer or (0, 0)
        return bytes([tid << 6 | y << 5 | (self.keyidx or 0)])


@dataclass(frozen=True, slots=True)
class Vp9Descriptor:
    """A VP9 payload descriptor (RFC 9628, Section 4.2).

    ``start`` is B, ``end`` E, ``inter`` P, ``flexible`` F, ``not_referenced`` Z. ``picture_id`` is (value, its bits: 7 or 15). ``layer`` is
    (TID, U, SID, D), followed by ``tl0picidx`` where F is 0. ``references`` are P_DIFFs, where F and P are 1. ``structure`` is
    made by ``scalability_structure``.
    """

    start: bool = True
    end: bool = True
    inter: bool = True
    flexible: bool = False
    not_referenced: bool = False
    picture_id: tuple[int, int] | None = (0x1234, 15)
    layer: tuple[int, int, int, int] | None = None
    tl0picidx: int = 0
    references: Sequence[int] = ()
    structure: bytes = b""

    @property
    def data(self) -> bytes:
        """The descriptor's bytes."""
        flags = (
            self.picture_id is not None,
            self.inter,
            self.layer is not None,
            self.flexible,
            self.start,
            self.end,
            bool(self.structure),
            self.not_referenced,
        )
        first = sum(flag << 7 - n for n, flag in enumerate(flags))
        return (
            bytes([first])
            + _picture_id(self.picture_id)
            + self._layer()
            + self._references()
            + self.structure
        )

    def _layer(self) -> bytes:
        if self.layer is None:
            return b""
        tid, u, sid, d = self.layer
        indices = bytes([tid << 5 | u << 4 | sid << 1 | d])
        return indices if self.flexible else indices + bytes([self.tl0picidx])

    def _references(self) -> bytes:
        """Each but the last says that another one follows."""
        last = len(self.references) - 1
        return bytes([diff << 1 | (n < last) for n, diff in enumerate(self.references)])


def scalability_structure(
    sizes: Sequence[tuple[int, int]] = (), pictures: Sequence[Sequence[int]] = (), layers: int = 1
) -> bytes:
    """The scalability structure: N_S, Y, G; (width, height) of each layer; of each picture of the group its P_DIFFs."""
    first = layers - 1 << 5 | bool(sizes) << 4 | bool(pictures) << 3
    group = b"".join(bytes([len(diffs) << 2, *diffs]) for diffs in pictures)
    return (
        bytes([first])
        + b"".join(u16(width) + u16(height) for width, height in sizes)
        + (bytes([len(pictures)]) + group if pictures else b"")
    )


STAP_A, FU_A = 24, 28
"""Types of payloads that are not one NAL unit (RFC 6184, Table 1)."""


def stap_a(units: Sequence[bytes]) -> bytes:
    """RFC 6184, Section 5.7.1: several NAL units, each behind its length. NRI is the largest of theirs."""
    nri = max(unit[0] & 0x60 for unit in units)
    return bytes([nri | STAP_A]) + b"".join(u16(len(unit)) + unit for unit in units)


def fu_a(unit: bytes, cuts: Sequence[int]) -> list[bytes]:
    """RFC 6184, Section 5.8: one NAL unit, cut at these places, its header byte in two. S in the first part, E in the last."""
    indicator, type_ = unit[0] & 0xE0 | FU_A, unit[0] & 0x1F
    parts = [unit[a:b] for a, b in zip((1, *cuts), (*cuts, len(unit)), strict=True)]
    last = len(parts) - 1
    return [
        bytes([indicator, (n == 0) << 7 | (n == last) << 6 | type_]) + part
        for n, part in enumerate(parts)
    ]
