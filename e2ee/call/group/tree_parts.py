"""The ratchet tree of a large group, as the service gives it: part by part, and believed in nothing (GROUP-11).

Parts come in their order, of one epoch and one size, or are refused. Whether the whole is the tree of the group says MLS:
its hash is in the GroupInfo that a member signed. What comes of the call until then waits here, as far as there is room.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from e2ee.call.errors import CallRefused
from e2ee.call.group.configuration import MAX_BYTES_FOR_LATER, MAX_KEPT_FOR_LATER, MAX_TREE
from e2ee.call.group.errors import GroupReason
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.welcome import Welcome
from e2ee.signalling import messages

__all__ = ["Meanwhile", "TreeParts"]

Meanwhile = messages.Committed | messages.Sent | messages.Voided


@dataclass(slots=True)
class TreeParts:
    """What has come so far of the tree of the group that ``welcome`` leads to."""

    call_id: bytes
    epoch: int
    welcome: Welcome = field(repr=False)
    bundle: KeyPackageBundle = field(repr=False)
    meanwhile: list[Meanwhile] = field(default_factory=list, repr=False)
    """What came of the call, to be looked at when the tree is there."""
    _meanwhile_size: int = 0
    _size: int | None = None
    _data: bytes = field(default=b"", repr=False)

    def next_request(self) -> messages.AskTree:
        """What to ask for next."""
        return messages.AskTree(self.call_id, self.epoch, len(self._data))

    def check(self, part: messages.Tree) -> None:
        """Raises CallRefused unless this is the part that was asked for."""
        end = len(self._data) + len(part.data)
        if part.epoch != self.epoch:
            raise _bad(f"of epoch {part.epoch}, not {self.epoch}")
        if part.offset != len(self._data) or not part.data:
            raise _bad(f"{len(part.data)} bytes from {part.offset} on, not from {len(self._data)}")
        if part.size != (self._size or part.size) or part.size > MAX_TREE:
            raise _bad(f"{part.size} bytes in all")
        if end > part.size:
            raise _bad(f"{end} bytes of {part.size}")

    def with_part(self, part: messages.Tree) -> bytes | None:
        """The whole tree if this is its last part, which was checked; else None."""
        whole = self._data + part.data
        return whole if len(whole) == part.size else None

    def take(self, part: messages.Tree) -> None:
        """Keep a part that was checked."""
        self._size = part.size
        self._data += part.data

    def has_room_for(self, message: Meanwhile) -> bool:
        """Whether a message can wait for the tree."""
        size = self._meanwhile_size + _size(message)
        return len(self.meanwhile) < MAX_KEPT_FOR_LATER and size <= MAX_BYTES_FOR_LATER

    def keep(self, message: Meanwhile) -> None:
        """It waits."""
        self.meanwhile.append(message)
        self._meanwhile_size += _size(message)


def _size(message: Meanwhile) -> int:
    match message:
        case messages.Committed():
            return len(message.commit)
        case messages.Sent():
            return len(message.message)
        case messages.Voided():
            return 0


def _bad(detail: str) -> CallRefused:
    return CallRefused(GroupReason.BAD_TREE_PART, detail)
