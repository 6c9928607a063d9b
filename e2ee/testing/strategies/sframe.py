"""KIDs, counters and headers of SFrame (RFC 9605 Section 4.3, frame format and frame keys of the specification)."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

from e2ee.sframe.errors import SFrameReason
from e2ee.sframe.header import encode_header
from e2ee.sframe.mls import MAX_INSTANCE, MAX_LEAF_INDEX, KeyId, Kind
from e2ee.testing.strategies.faults import Refusable
from e2ee.testing.strategies.octets import unsigned

__all__ = [
    "Header",
    "headers",
    "key_ids",
    "kids",
    "numbers",
    "overlong_headers",
    "replay_histories",
    "unusable_kids",
]


class Header(NamedTuple):
    """A header and what it says."""

    KID: int
    CTR: int
    encoded: bytes


def numbers() -> st.SearchStrategy[int]:
    """KIDs and counters as SFrame has them: 64 bits, of every length in bytes alike.

    ``numbers()`` draws 0, 7 (in the config byte), 8 (in a byte of its own), 2^64 - 1.
    """
    return unsigned(64)


def key_ids() -> st.SearchStrategy[KeyId]:
    """The parts of a call's KID (FKEY-2).

    ``key_ids()`` draws ``KeyId(Kind.CAMERA, instance=1, leaf_index=2, epoch_bits=5)``.
    """
    return st.builds(
        KeyId,
        st.sampled_from(Kind),
        st.integers(0, MAX_INSTANCE),
        st.integers(0, MAX_LEAF_INDEX),
        st.integers(0, 15),
    )


def kids() -> st.SearchStrategy[int]:
    """KIDs that a call has: ``KeyId.decode`` takes them.

    ``kids().map(KeyId.decode)`` is ``key_ids()``.
    """
    return key_ids().map(KeyId.encode)


@st.composite
def unusable_kids(draw: st.DrawFn) -> tuple[int, SFrameReason]:
    """KIDs that no call has, and why ``KeyId.decode`` refuses each (FKEY-2).

    ``unusable_kids()`` draws ``(1 << 22, SFrameReason.UNUSED_BITS)``.
    """
    KID = draw(kids())
    match draw(
        st.sampled_from([SFrameReason.UNKNOWN_KIND, SFrameReason.LIVE, SFrameReason.UNUSED_BITS])
    ):
        case SFrameReason.UNKNOWN_KIND:
            kind = draw(st.integers(max(Kind) + 1, 7))
            return (KID & ~(7 << 14)) | kind << 14, SFrameReason.UNKNOWN_KIND
        case SFrameReason.LIVE:
            return KID | 1 << 17, SFrameReason.LIVE
        case _:
            return KID | 1 << draw(st.integers(22, 63)), SFrameReason.UNUSED_BITS


def headers(
    KIDs: st.SearchStrategy[int] | None = None,  # noqa: N803 - as everywhere
    CTRs: st.SearchStrategy[int] | None = None,  # noqa: N803
) -> st.SearchStrategy[Header]:
    """SFrame headers: of any KID and CTR, or of those that you say.

    ``headers(kids())`` draws headers as calls send them.
    """
    return st.builds(
        _header, numbers() if KIDs is None else KIDs, numbers() if CTRs is None else CTRs
    )


def _header(KID: int, CTR: int) -> Header:
    return Header(KID, CTR, encode_header(KID, CTR))


@st.composite
def overlong_headers(draw: st.DrawFn) -> Refusable:
    """Headers in which KID or CTR has more bytes than it needs (FRAME-4).

    ``overlong_headers()`` draws ``Refusable(b"\\x80\\x00", SFrameReason.NON_MINIMAL_KID, ...)``.
    """
    bits = st.integers(0, 7).flatmap(lambda length: unsigned(8 * length))
    values = {"KID": draw(bits), "CTR": draw(bits)}
    spoilt = draw(st.sampled_from(["KID", "CTR"]))
    nibbles, tail = [], b""
    for name, value in values.items():
        needed = 0 if value < 8 else (value.bit_length() + 7) // 8
        length = draw(st.integers(needed + 1, 8)) if name == spoilt else needed
        nibbles.append(7 + length if length else value)
        tail += value.to_bytes(length, "big") if length else b""
    reason = {"KID": SFrameReason.NON_MINIMAL_KID, "CTR": SFrameReason.NON_MINIMAL_CTR}[spoilt]
    return Refusable(bytes([nibbles[0] << 4 | nibbles[1]]) + tail, reason, f"{spoilt} is too long")


@st.composite
def replay_histories(draw: st.DrawFn, *, most: int = 80) -> list[int]:
    """Counters in the order in which frames come: mostly rising, some late, some again, some far ahead (FRAME-9).

    ``replay_histories()`` draws ``[0, 1, 3, 2, 3, 1048579, 4]``.
    """
    steps = st.integers(-40, 40) | st.sampled_from([-(1 << 20), 1 << 20, 1 << 62])
    CTR, history = 0, []
    for step in draw(st.lists(steps, max_size=most)):
        CTR = max(0, min(CTR + step, (1 << 64) - 1))
        history.append(CTR)
    return history
