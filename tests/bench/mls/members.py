"""What every implementation does in the MLS benchmark: members of groups of suite 0x0001, from bytes to bytes.

An implementation is measured by its own ``clock``, read before and after each operation. Ours and mls-rs run in this
process, whose clock is the machine's; that of ts-mls stands still while a message is on its way to node and back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Commit", "Implementation", "Member"]


@dataclass(frozen=True)
class Commit:
    """An encoded commit, and the encoded Welcome for those whom it adds."""

    message: bytes
    welcome: bytes | None


class Member(Protocol):
    """A client, and from ``create`` or ``join`` on a member of one group. Each method is one measured operation.

    A commit is in force for its committer when the method returns.
    """

    def key_package(self) -> bytes: ...

    def create(self) -> None: ...

    def join(self, welcome: bytes) -> None: ...

    def add(self, key_packages: Sequence[bytes]) -> Commit:
        """A commit of Adds without a path."""
        ...

    def update(self) -> Commit:
        """A commit of nothing but a path."""
        ...

    def remove(self, leaf_index: int, member: Member) -> Commit:
        """A commit with a path that removes this member, who is at this leaf: each library names it its own way."""
        ...

    def process(self, message: bytes) -> None: ...

    def encrypt(self, data: bytes) -> bytes: ...

    def decrypt(self, message: bytes) -> bytes: ...

    def export(self) -> bytes:
        """Equal for all members of an epoch."""
        ...


class Implementation(Protocol):
    """Makes members."""

    name: str

    def clock(self) -> float:
        """Seconds."""
        ...

    def member(self, name: str) -> Member: ...
