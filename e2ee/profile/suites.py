"""The suites of calls: which MLS suite goes with which SFrame suite, from lower to higher (KEYS-1, KEYS-2)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from e2ee.profile.errors import ProfileError, ProfileReason

__all__ = [
    "HYBRID",
    "SUITES",
    "X25519",
    "CallSuite",
    "check_group_suite",
    "choose_suite",
    "sframe_suite",
]


@dataclass(frozen=True, slots=True)
class CallSuite:
    """A row of the chapter's table, by code points."""

    mls: int
    sframe: int


X25519 = CallSuite(mls=0x0001, sframe=0x0004)
"""DHKEM(X25519), AES-128-GCM, SHA-256, Ed25519; AES_128_GCM_SHA256_128."""

HYBRID = CallSuite(mls=0xF0E2, sframe=0x0005)
"""ML-KEM-768 with X25519, AES-256-GCM, SHA-384, Ed25519; AES_256_GCM_SHA512_128."""

SUITES = (X25519, HYBRID)
"""All rows, from lower to higher."""

_RANK = {suite.mls: rank for rank, suite in enumerate(SUITES)}


def sframe_suite(mls_suite: int) -> int:
    """The SFrame suite that goes with this MLS suite; there is no other (KEYS-1). Raises ProfileError."""
    return SUITES[_rank(mls_suite)].sframe


def choose_suite(own: Collection[int], certificates: Iterable[Collection[int]]) -> int:
    """KEYS-2: "the highest suite that every added device's certificate lists and that it has itself".

    ``own`` and each of ``certificates`` are MLS suites. Raises ProfileError (NO_COMMON_SUITE).
    """
    listed = [own, *certificates]
    for suite in reversed(SUITES):
        if all(suite.mls in suites for suites in listed):
            return suite.mls
    raise ProfileError(ProfileReason.NO_COMMON_SUITE, "no suite that every device has")


def check_group_suite(
    suite: int, own: Collection[int], certificates: Iterable[Collection[int]], minimum: int
) -> None:
    """KEYS-2: refuse a group whose suite is lower than it could be, or than this device's ``minimum``.

    ``certificates`` are the suites that the certificates of all members list. Raises ProfileError.
    """
    if _rank(suite) < _rank(minimum):
        raise ProfileError(ProfileReason.SUITE_TOO_LOW, "below this device's minimum")
    if _rank(suite) < _rank(choose_suite(own, certificates)):
        raise ProfileError(ProfileReason.SUITE_TOO_LOW, "every member has a higher suite")


def _rank(mls_suite: int) -> int:
    rank = _RANK.get(mls_suite)
    if rank is None:
        raise ProfileError(ProfileReason.UNPAIRED_SUITE, f"MLS suite {mls_suite:#06x}")
    return rank
