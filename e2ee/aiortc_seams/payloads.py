"""What payload formats say of a payload: whether a receiver may take it, and whether a frame may begin with it (FRAME-22, FRAME-23).

VP8 is RFC 7741, VP9 RFC 9628, H.264 RFC 6184 with packetization-mode 1. aiortc reads the first and the last one, takes a few that
they do not allow, and knows no VP9. What a descriptor says of pictures and layers is read past: nobody vouches for it (FRAME-24).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiortc.codecs.h264 import NAL_TYPE_FU_A, NAL_TYPE_STAP_A
from aiortc.codecs.vpx import VpxPayloadDescriptor

__all__ = ["ANY", "FORMATS", "PayloadFormat"]


def _taken(_: bytes, data: bytes) -> bytes:
    return data


@dataclass(frozen=True, slots=True)
class PayloadFormat:
    """How the payloads of a codec are read; they are not empty."""

    begins: Callable[[bytes], bool] = bool
    """Whether a frame may begin with this payload."""
    tells: bool = True
    """Whether ``begins`` is certain. If not, what precedes must have come, too."""
    part: Callable[[bytes, bytes], bytes] = _taken
    """The part of a frame in a payload, given what aiortc made of it. Raises ValueError: to be dropped."""


def _begins_vp8(payload: bytes) -> bool:
    """RFC 7741 Section 4.2: S is set, and PID is 0, in the first packet of a frame only.

    aiortc takes a reserved bit, which "MUST be ignored by the receiver", for a fourth one of PID.
    """
    descriptor, _ = VpxPayloadDescriptor.parse(payload)
    return bool(descriptor.partition_start) and descriptor.partition_id & 0b111 == 0


START, END = 0x80, 0x40
"""Of the second byte of a fragment (RFC 6184 Section 5.8)."""


def _begins_h264(payload: bytes) -> bool:
    """RFC 6184 Section 5.8: only a fragment (FU-A) other than the first one begins within a NAL unit.

    That it is the frame's first NAL unit no packet says.
    """
    return payload[0] & 0x1F != NAL_TYPE_FU_A or (len(payload) > 1 and bool(payload[1] & START))


def _part_of_h264(payload: bytes, data: bytes) -> bytes:
    """An aggregate has units, which have bytes (Section 5.7.1); no fragment is first and last (Section 5.8)."""
    type_ = payload[0] & 0x1F
    if type_ == NAL_TYPE_FU_A and payload[1] & START and payload[1] & END:
        raise ValueError("a fragment that is the whole NAL unit")
    if type_ == NAL_TYPE_STAP_A and not all(_sizes(payload)):
        raise ValueError("an aggregate with an empty NAL unit")
    return data


def _sizes(aggregate: bytes) -> list[int]:
    """Of the NAL units of a STAP-A, which aiortc found whole."""
    sizes, at = [], 1
    while at < len(aggregate):
        sizes.append(int.from_bytes(aggregate[at : at + 2], "big"))
        at += 2 + sizes[-1]
    return sizes


I, P, L, F, B, V = 0x80, 0x40, 0x20, 0x10, 0x08, 0x02  # noqa: E741 - the names of RFC 9628
"""Of the first byte of a VP9 payload descriptor (RFC 9628 Section 4.2)."""


def _part_of_vp9(payload: bytes, _: bytes) -> bytes:
    try:
        return payload[_vp9_descriptor_length(payload) :]
    except IndexError:
        raise ValueError("a VP9 descriptor is cut off") from None


def _vp9_descriptor_length(payload: bytes) -> int:
    """Raises IndexError, or ValueError for more references than there may be."""
    first, at = payload[0], 1
    if first & I:
        at += 1 + (payload[at] >> 7)
    if first & L:
        at += 1 if first & F else 2
    if first & F and first & P:
        at += _references(payload[at : at + 3])
    if first & V:
        at += _structure_length(payload[at:])
    if at > len(payload):
        raise IndexError
    return at


def _references(indices: bytes) -> int:
    """Up to three, each of which says whether another one follows."""
    for count in (1, 2, 3):
        if not indices[count - 1] & 1:
            return count
    raise ValueError("more than three references")


def _structure_length(structure: bytes) -> int:
    """N_S, Y, G; a size for each layer; a group of pictures with up to three references each."""
    first, at = structure[0], 1
    if first & 0x10:
        at += 4 * ((first >> 5) + 1)
    if first & 0x08:
        pictures, at = structure[at], at + 1
        for _ in range(pictures):
            at += 1 + (structure[at] >> 2 & 3)
    return at


ANY = PayloadFormat()
"""Of a codec without a format of its own: a payload is a frame."""

FORMATS: Mapping[str, PayloadFormat] = {
    "vp8": PayloadFormat(_begins_vp8),
    "vp9": PayloadFormat(lambda payload: bool(payload[0] & B), part=_part_of_vp9),
    "h264": PayloadFormat(_begins_h264, tells=False, part=_part_of_h264),
}
"""By codec, as ``CodecOf`` names it."""
