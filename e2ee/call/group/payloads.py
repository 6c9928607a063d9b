"""What inputs of the state table come with, judged: what their actions work on."""

from __future__ import annotations

from typing import NamedTuple

from e2ee.call.roster import Member
from e2ee.mls.group import Group
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.profile.gone import GoneStatement
from e2ee.profile.roster import Roster

__all__ = ["Anew", "Entry", "Gone", "Invalid"]


class Entry(NamedTuple):
    """A group to come into, found to be the one that was asked for, its members, and the KeyPackage that was added to it."""

    group: Group
    members: Roster
    bundle: KeyPackageBundle


class Anew(NamedTuple):
    """Why this device has to ask again, and whether what it asked with before may have been answered."""

    detail: str
    may_be_answered: bool = False


class Gone(NamedTuple):
    """A statement that was found to be the service's, and when this member commits it."""

    statement: GoneStatement
    due_at: int


class Invalid(NamedTuple):
    """A commit that a member signed and that cannot be followed: whose it is, what is wrong with it, and whether it counts."""

    committer: Member | None
    detail: str
    counts: bool
    commit: bytes = b""
