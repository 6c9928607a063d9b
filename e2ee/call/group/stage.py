"""Who asks to speak and who was asked to: raised hands, and invitations to the stage (GROUP-13).

Neither lets anybody speak: that does the profile, which a host changes. All of it belongs to leaves that stay; who comes in at
a leaf that was another's has raised no hand.
"""

from __future__ import annotations

from collections.abc import Collection

from e2ee.call.errors import CallRefused
from e2ee.call.group.errors import GroupReason

__all__ = ["Stage"]


class Stage:
    """Of one call; members by leaf index."""

    def __init__(self) -> None:
        self._hands: set[int] = set()
        self._invited: set[int] = set()
        self.own_hand = False
        """Whether the person here raises a hand."""

    @property
    def hands(self) -> frozenset[int]:
        """Whose hands are up."""
        return frozenset(self._hands)

    def raise_hand(self, leaf: int, *, raised: bool) -> bool:
        """A member raises a hand, or takes it down; gives whether that is new."""
        if raised == (leaf in self._hands):
            return False
        self._hands ^= {leaf}
        return True

    def invite(self, leaf: int) -> None:
        """A host asks a member to speak."""
        self._invited.add(leaf)

    def is_invited(self, leaf: int) -> bool:
        """Whether it was asked, and has not answered."""
        return leaf in self._invited

    def reply(self, leaf: int) -> None:
        """A member answers. Raises CallRefused."""
        # GROUP-13: "MUST be refused ... `stage_reply` from one that was not invited"
        if leaf not in self._invited:
            raise CallRefused(GroupReason.NOT_INVITED, f"leaf {leaf}")
        self._invited.discard(leaf)

    def keep_only(self, leaves: Collection[int]) -> None:
        """An epoch began: these members were there before."""
        self._hands.intersection_update(leaves)
        self._invited.intersection_update(leaves)
