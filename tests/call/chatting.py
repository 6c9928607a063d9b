"""People who chat: rooms, and the messages between them in a test's hands."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

import pytest

from e2ee.call.chat.configuration import ChatConfiguration
from e2ee.call.chat.content import ChatMessage
from e2ee.call.chat.errors import ChatReason, ChatRefused
from e2ee.call.chat.member import Position
from e2ee.call.chat.room import ChatRoom
from e2ee.call.events import CallEvent
from e2ee.signalling.messages import CALL
from e2ee.signalling.wire import decode, encode
from e2ee.testing.mls_members import snapshot

CALL_ID = bytes(range(16))
ALICE, BOB, CAROL, NOBODY = 0, 1, 2, 7
START = 1_700_000_000_000


@dataclass
class Chatter:
    """A member: its room, and where its next message stands among its messages."""

    leaf: int
    room: ChatRoom
    epoch: int = 2
    generation: count[int] = field(default_factory=count)

    def sent(self) -> list[tuple[Position, ChatMessage]]:
        """What the room has to send, each at its place and as it comes off the wire."""
        outgoing = self.room.messages_to_send()
        return [(self.place(), decode(CALL, encode(each))) for each in outgoing]  # type: ignore[misc]

    def place(self) -> Position:
        return Position(self.epoch, next(self.generation))

    def heard(self) -> list[CallEvent]:
        events = []
        while (event := self.room.next_event()) is not None:
            events.append(event)
        return events


class Chatting:
    """Members of one call, and the time."""

    def __init__(self, *leaves: int, configuration: ChatConfiguration | None = None) -> None:
        self.now = START
        self.chatters = {
            leaf: Chatter(leaf, ChatRoom(CALL_ID, leaf, set(leaves) - {leaf}, configuration))
            for leaf in leaves
        }

    def enters(self, epoch: int, newcomer: int, *, in_place_of: int | None = None) -> None:
        """Everybody applies a commit that lets somebody in, perhaps at the leaf of somebody who goes."""
        removed = set() if in_place_of is None else {in_place_of}
        for leaf in removed:
            del self.chatters[leaf]
        leaves = {*self.chatters, newcomer}
        for each in self.chatters.values():
            others = leaves - {each.leaf}
            each.room.change_members(others, removed=removed, epoch=epoch, now=self.now)
            each.epoch, each.generation = epoch, count()
        room = ChatRoom(CALL_ID, newcomer, leaves - {newcomer}, came_late_with=epoch)
        self.chatters[newcomer] = Chatter(newcomer, room, epoch)

    def __getitem__(self, leaf: int) -> Chatter:
        return self.chatters[leaf]

    def give(
        self, to: int, sender: int, message: ChatMessage, place: Position | None = None
    ) -> None:
        place = place or self[sender].place()
        self[to].room.receive(sender, message, place, self.now)

    def exchange(self) -> None:
        """All that was said reaches all others."""
        for sender in self.chatters.values():
            for place, message in sender.sent():
                for to in self.chatters.values():
                    if to is not sender:
                        self.give(to.leaf, sender.leaf, message, place)

    def wait(self, milliseconds: int) -> None:
        """Time passes, with every timer at its time."""
        until = self.now + milliseconds
        while True:
            timers = [chatter.room.get_timer() for chatter in self.chatters.values()]
            due = min((timer for timer in timers if timer is not None), default=until + 1)
            if due > until:
                break
            self.now = max(self.now, due)
            for chatter in self.chatters.values():
                chatter.room.handle_timer(self.now)
        self.now = until

    def refuses(
        self, to: int, sender: int, message: ChatMessage, place: Position | None = None
    ) -> ChatReason:
        """The reason why ``to`` refuses a message, which changes nothing."""
        before = snapshot(self[to].room)
        with pytest.raises(ChatRefused) as refused:
            self.give(to, sender, message, place)
        assert snapshot(self[to].room) == before
        assert isinstance(refused.value.reason, ChatReason)
        return refused.value.reason
