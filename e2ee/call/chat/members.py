"""The other members of a chat: known from when they first say something, and looked at only while something of them is due.

Most members of a large call never say a word, so nothing is kept of them but since when they are there.
"""

from __future__ import annotations

from collections.abc import Collection

from e2ee.call.chat.errors import ChatReason, ChatRefused
from e2ee.call.chat.member import ChatMember

__all__ = ["ChatMembers"]


class ChatMembers:
    """See the module. ``late`` tells that those of the beginning were there, and may have spoken, before this device was."""

    def __init__(self, leaves: Collection[int], *, late: bool) -> None:
        self._since = dict.fromkeys(leaves, 0)
        """Leaf -> the epoch that its member came with, 0 for those of the beginning."""
        self._late = late
        self._known: dict[int, ChatMember] = {}
        self._waking: set[int] = set()
        """Those of whom something is due."""
        self.waiting = 0
        """How much of all of them waits for what was before it, in characters."""

    def __contains__(self, leaf: int) -> bool:
        return leaf in self._since

    def __len__(self) -> int:
        return len(self._since)

    def at(self, leaf: int) -> ChatMember:
        """The member at a leaf, known from the next ``settle`` on. Raises ChatRefused (UNKNOWN_MEMBER)."""
        if leaf not in self._since:
            raise ChatRefused(ChatReason.UNKNOWN_MEMBER, f"leaf {leaf}")
        from_first = not self._late or self._since[leaf] > 0
        return self._known.get(leaf) or ChatMember(leaf, from_first=from_first)

    def since(self, leaf: int) -> int:
        """The epoch that the member at a leaf came with."""
        return self._since[leaf]

    def settle(self, member: ChatMember) -> None:
        """Something happened to this member: note what of it waits, and whether something is due."""
        self._known[member.leaf] = member
        self.waiting += member.waits_anew()
        if member.get_timer() is None:
            self._waking.discard(member.leaf)
        else:
            self._waking.add(member.leaf)

    def change(
        self, leaves: Collection[int], removed: Collection[int], epoch: int
    ) -> tuple[list[ChatMember], bool]:
        """These leaves are there in ``epoch``. Gives those who are gone, as far as they are known, and whether somebody came."""
        gone = self._since.keys() - (set(leaves) - set(removed))
        for leaf in gone:
            del self._since[leaf]
        came = set(leaves) - self._since.keys()
        self._since |= dict.fromkeys(came, epoch)
        self._waking -= gone
        known = [self._known.pop(leaf) for leaf in sorted(gone & self._known.keys())]
        self.waiting -= sum(member.waiting for member in known)
        return known, bool(came)

    def get_timer(self) -> int | None:
        """When something of a member is due."""
        timers = [self._known[leaf].get_timer() for leaf in self._waking]
        return min((timer for timer in timers if timer is not None), default=None)

    def waking(self) -> list[ChatMember]:
        """Those of whom something is or will be due, in the order of their leaves."""
        return [self._known[leaf] for leaf in sorted(self._waking)]
