"""The protocol's version on the wire, and how two sides agree on one."""

from __future__ import annotations

from collections.abc import Iterable

from e2ee.signalling.errors import VersionError, WireReason

__all__ = ["SUPPORTED_VERSIONS", "VERSION_1_0", "choose_version"]

VERSION_1_0 = 0x0100
"""Version 1.0 (spec, Versions)."""

SUPPORTED_VERSIONS = (VERSION_1_0,)
"""What this implementation speaks, from lower to higher."""


def choose_version(offered: Iterable[int]) -> int:
    """The highest version that both sides speak. Raises VersionError if there is none."""
    common = set(offered) & set(SUPPORTED_VERSIONS)
    if not common:
        raise VersionError(WireReason.NO_COMMON_VERSION, "no version of this service was offered")
    return max(common)
