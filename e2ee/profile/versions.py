"""The version of the protocol that a call is made in (KEYS-18): like its suite, the highest that everybody has."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from e2ee.profile.errors import ProfileError, ProfileReason

__all__ = ["check_group_version", "choose_group_version"]


def choose_group_version(own: Collection[int], certificates: Iterable[Collection[int]]) -> int:
    """KEYS-18: "the highest version of the protocol that every added device's certificate lists and that it speaks itself".

    ``own`` and each of ``certificates`` are versions on the wire. Raises ProfileError (NO_COMMON_VERSION).
    """
    common = set(own).intersection(*certificates)
    if not common:
        raise ProfileError(ProfileReason.NO_COMMON_VERSION, "no version that every device speaks")
    return max(common)


def check_group_version(
    version: int, own: Collection[int], certificates: Iterable[Collection[int]], minimum: int
) -> None:
    """KEYS-18: refuse a group of a version that is not the highest possible, or below ``minimum``.

    ``certificates`` are the versions that the certificates of all members list. Raises ProfileError.
    """
    if version < minimum:
        raise ProfileError(ProfileReason.VERSION_TOO_LOW, "below this device's minimum")
    if version != choose_group_version(own, certificates):
        raise ProfileError(ProfileReason.VERSION_TOO_LOW, "not the highest that every member has")
