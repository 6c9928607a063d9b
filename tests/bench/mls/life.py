"""The life of a group that is measured, the same for every implementation.

    set-up     a member adds all others by one commit without a path (bulk-added), so that the tree has no keys but the
               leaves'; where it is to be filled, some or all members then commit, one after the other
    a round    the creator adds somebody, who joins, and removes it again, and another member follows; that member then
               commits a path alone, and the creator follows; a message is sent and read

After a round the group has the members that it had before, so that rounds can be repeated. No operation is ever
repeated on a state on which it was measured before: each is measured as a member of a living group meets it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tests.bench.mls.members import Implementation, Member

__all__ = ["ROWS", "Life", "Shape"]

T = TypeVar("T")

ROWS = (
    "KeyPackage",
    "add and commit",
    "process it",
    "join",
    "self-update",
    "process the update",
    "remove",
    "process the removal",
    "encrypt 100 bytes",
    "decrypt them",
)

DATA = bytes(100)


@dataclass(frozen=True)
class Shape:
    """A group of ``size`` members, ``committers`` of which, evenly spread, have committed a path; with 0: bulk-added."""

    size: int
    committers: int = 0

    def __str__(self) -> str:
        if not self.committers:
            return f"{self.size:,} members, bulk-added"
        every = "filled" if self.committers == self.size else f"{self.committers} have committed"
        return f"{self.size:,} members, {every}"

    @property
    def living(self) -> list[int]:
        """The leaves of those who do anything, in order; the creator's, 0, and another's in the other half among them."""
        committers = {self.size * k // self.committers for k in range(self.committers)}
        return sorted(committers | {0, self.size // 2})


class Life:
    """One group, and what its rounds took."""

    def __init__(self, implementation: Implementation, shape: Shape) -> None:
        self.implementation = implementation
        self.shape = shape
        self.times: dict[str, list[float]] = defaultdict(list)
        self._creator = implementation.member("creator")
        self._creator.create()
        living = self._populate(shape)
        self._other = living[shape.size // 2]
        if shape.committers:
            self._fill(living)
        self._agree()

    def _populate(self, shape: Shape) -> dict[int, Member]:
        """The living, by leaf."""
        members = {leaf: self.implementation.member(f"member {leaf}") for leaf in shape.living[1:]}
        silent = (self.implementation.member(f"silent {leaf}") for leaf in range(1, shape.size))
        added = self._creator.add(
            [members.get(leaf, mute).key_package() for leaf, mute in enumerate(silent, 1)]
        )
        for member in members.values():
            member.join(added.welcome or b"")
        return {0: self._creator} | members

    def _fill(self, living: dict[int, Member]) -> None:
        """The two who are measured commit last. Who has committed and is not one of them has no more to do."""
        staying = [self._other, self._creator]
        waiting = [member for member in living.values() if member not in staying] + staying
        while waiting:
            committer = waiting.pop(0)
            update = committer.update()
            following = waiting + [member for member in staying if member not in waiting]
            for member in following:
                if member is not committer:
                    member.process(update.message)

    def _agree(self) -> None:
        if self._creator.export() != self._other.export():
            raise SystemExit(f"members of {self.implementation.name} disagree")

    def round(self, number: int) -> None:
        creator, other, timed = self._creator, self._other, self._timed
        newcomer = self.implementation.member(f"newcomer {number}")
        key_package = timed("KeyPackage", newcomer.key_package)
        added = timed("add and commit", lambda: creator.add([key_package]))
        timed("process it", lambda: other.process(added.message))
        timed("join", lambda: newcomer.join(added.welcome or b""))
        # the leftmost blank leaf was theirs: the one behind all others
        removed = timed("remove", lambda: creator.remove(self.shape.size, newcomer))
        timed("process the removal", lambda: other.process(removed.message))
        updated = timed("self-update", other.update)
        timed("process the update", lambda: creator.process(updated.message))
        sealed = timed("encrypt 100 bytes", lambda: creator.encrypt(DATA))
        if timed("decrypt them", lambda: other.decrypt(sealed)) != DATA:
            raise SystemExit(f"{self.implementation.name} decrypts something else")
        self._agree()

    def _timed(self, row: str, operation: Callable[[], T]) -> T:
        clock = self.implementation.clock
        start = clock()
        result = operation()
        self.times[row].append(clock() - start)
        return result
