"""ChatRoom: the chat of one call at one device (chapter Chat).

    say, react, typing, read, write, caption   what the person does; refused with ChatUsageError
    receive(leaf, message, position, now)      what another member says; refused with ChatRefused
    next_event()                               what the application is told
    messages_to_send()                         call messages, to be sealed in the order in which they come
    get_timer(), handle_timer(now)             time, in Unix milliseconds

It knows leaves, not people, and no keys: who may speak at all is found out before (CALL-12, CHAT-10). All that it keeps of
another member, and of all together, is bounded: the texts that wait, one line of real-time text, the last caption, some
numbers. Nothing is kept of what was shown. Among many, receipts and ``typing`` are not said (CHAT-12).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping
from typing import Any

from e2ee.call.chat import events
from e2ee.call.chat.configuration import ChatConfiguration
from e2ee.call.chat.content import ChatMessage, fault
from e2ee.call.chat.errors import ChatReason, ChatRefused, ChatUsageError
from e2ee.call.chat.in_order import Gap, Item
from e2ee.call.chat.live_text import LiveLine, LiveTextBuffer
from e2ee.call.chat.member import ChatMember, Position
from e2ee.call.chat.members import ChatMembers
from e2ee.call.chat.typing import TypingWriter
from e2ee.call.configuration import MANY_MEMBERS
from e2ee.call.events import CallEvent
from e2ee.signalling.messages import Caption, Chat, LiveText, Reaction, Receipt, Typing

__all__ = ["ChatRoom"]

MAX_WAITING_OF_ALL = 4 << 20
"""CHAT-2: how much of all members together waits, in characters."""


class ChatRoom:
    """See the module. ``members`` are the leaf indexes of the others.

    ``came_late_with`` is the epoch that this device came with if they were there before it (CHAT-11), else None.
    """

    def __init__(
        self,
        call_id: bytes,
        own_leaf: int,
        members: Collection[int],
        configuration: ChatConfiguration | None = None,
        *,
        came_late_with: int | None = None,
    ) -> None:
        self._call_id = call_id
        self._own_leaf = own_leaf
        self._configuration = configuration or ChatConfiguration()
        self._came_late_with = came_late_with
        self._members = ChatMembers(members, late=came_late_with is not None)
        self._texts = self._live_texts = self._caption = 0
        """How many of each this device sent; of captions, the number of what is being said."""
        self._caption_open = False
        self._typing = TypingWriter()
        self._written = LiveTextBuffer()
        self._events: deque[CallEvent] = deque()
        self._outbox: deque[ChatMessage] = deque()

    # What the person does. Raises ChatUsageError; then nothing has changed and nothing is sent.

    def say(self, text: str) -> int:
        """Send a text to everybody; gives its number (CHAT-1)."""
        self._send(Chat(self._texts + 1, text))
        self._texts += 1
        self._typing.sent_text()
        return self._texts

    def react(self, author: int, number: int, reaction: str) -> None:
        """React to the text ``number`` of the member at ``author``, this device's own leaf included; empty: take it back."""
        message = Reaction(author, number, reaction)
        if (reason := self._fault_of_reaction(message)) is not None:
            raise ChatUsageError(reason, f"text {number} of leaf {author}")
        self._send(message)

    def typing(self, writes: bool, now: int) -> None:
        """The person writes, to be said again with each key pressed, or ceased to (CHAT-9)."""
        if self._configuration.tell_typing and self._among_few:
            self._typing.set(writes, now)
            self._send_typing(now)

    def read(self, leaf: int, number: int, now: int) -> None:
        """The person has seen the texts of a member up to ``number``."""
        if leaf not in self._members:
            raise ChatUsageError(ChatReason.UNKNOWN_MEMBER, f"leaf {leaf}")
        member = self._members.at(leaf)
        if not 1 <= number <= member.texts.last:
            raise ChatUsageError(ChatReason.NO_SUCH_TEXT, f"text {number} of leaf {leaf}")
        if self._configuration.tell_read and self._among_few:
            # CHAT-5: "A receipt MUST NOT name a number above one of the same member that was shown as missing"
            member.receipts.owe(min(number, member.texts.complete), now, read=True)
            self._members.settle(member)

    def write(self, characters: str, now: int) -> None:
        """The person wrote real-time text: characters, U+0008 to take back the last one, U+000A to end the line."""
        self._check(LiveText(0, characters))
        text = self._written.with_written(characters)
        if text:
            self._check(LiveText(0, text))
        self._written.set(text, now)

    def caption(self, text: str, language: str = "", *, final: bool = True) -> int:
        """What is being said, as text; a better one may follow until one is ``final``. Gives its number (CHAT-7)."""
        number = self._caption + (not self._caption_open)
        self._send(Caption(number, text, language, final))
        self._caption, self._caption_open = number, not final
        return number

    def _send(self, message: ChatMessage) -> None:
        self._check(message)
        self._outbox.append(message)

    def _check(self, message: ChatMessage) -> None:
        if (reason := fault(message)) is not None:
            raise ChatUsageError(reason, message.name)

    # What other members say

    def receive(self, leaf: int, message: ChatMessage, position: Position, now: int) -> None:
        """A message of another member, at its place among that member's messages. Raises ChatRefused."""
        member = self._members.at(leaf)
        if (reason := fault(message)) is not None:
            raise ChatRefused(reason, message.name)
        member.check_latest(message, position)
        # CHAT-2: "MUST be shown before what comes in that millisecond is looked at"
        if (due := member.get_timer()) is not None and due <= now:
            self._release_due(member, now)
            self._members.settle(member)
        _RECEIVE[type(message)](self, member, message, position, now)
        member.note(message, position)
        self._members.settle(member)

    def _has_room_for(self, text: str) -> bool:
        # CHAT-2: "and at most 4,194,304 characters of all members together"
        return self._members.waiting + len(text) <= MAX_WAITING_OF_ALL

    def _receive_text(
        self, member: ChatMember, message: Chat, _position: Position, now: int
    ) -> None:
        room = self._has_room_for(message.text)
        self._show(member, member.texts.take(message.number, message.text, now, room=room), now)
        self._show_typing(member, member.typing.end())  # CHAT-9

    def _receive_reaction(
        self, member: ChatMember, message: Reaction, position: Position, _now: int
    ) -> None:
        # CHAT-4: "and one that was sent before that member had the leaf"
        overtaken = message.leaf in self._members and position.epoch < self._members.since(
            message.leaf
        )
        reason = ChatReason.NO_SUCH_TEXT if overtaken else self._fault_of_reaction(message)
        if reason is not None:
            raise ChatRefused(reason, f"text {message.number} of leaf {message.leaf}")
        self._tell(events.Reacted, member, message.leaf, message.number, message.reaction)

    def _fault_of_reaction(self, reaction: Reaction) -> ChatReason | None:
        """CHAT-4."""
        last = self._last_text(reaction.leaf)
        if last is None:
            return ChatReason.UNKNOWN_MEMBER
        return None if 1 <= reaction.number <= last else ChatReason.NO_SUCH_TEXT

    def _last_text(self, leaf: int) -> int | None:
        """The number of the last text of a leaf that was sent or shown; None if the leaf is no member's."""
        if leaf == self._own_leaf:
            return self._texts
        return self._members.at(leaf).texts.last if leaf in self._members else None

    def _receive_typing(
        self, member: ChatMember, message: Typing, _position: Position, now: int
    ) -> None:
        news = member.typing.begin(now) if message.typing else member.typing.end()
        self._show_typing(member, news, typing=message.typing)

    def _receive_receipt(
        self, member: ChatMember, message: Receipt, position: Position, _now: int
    ) -> None:
        """CHAT-5, CHAT-11."""
        if message.leaf == member.leaf:
            self._receive_tally(member, message, position)
            return
        if message.leaf in self._members:
            return  # "a receipt about the texts of a third member says nothing to a receiver"
        if message.leaf != self._own_leaf:
            raise ChatRefused(ChatReason.UNKNOWN_MEMBER, f"leaf {message.leaf}")
        if message.number > self._texts:
            raise ChatRefused(ChatReason.NO_SUCH_TEXT, f"{message.number} of {self._texts}")
        member.receipts.take(message)
        self._tell(events.Read if message.read else events.Delivered, member, message.number)

    def _receive_tally(self, member: ChatMember, message: Receipt, position: Position) -> None:
        """CHAT-11: "A member that has sent texts MUST say how many"."""
        if message.read:
            raise ChatRefused(ChatReason.OWN_TEXT, f"of leaf {member.leaf}")
        if position.epoch == self._came_late_with:  # else it is for others
            member.texts.begin_after(message.number)

    def _receive_live_text(
        self, member: ChatMember, message: LiveText, _position: Position, now: int
    ) -> None:
        room = self._has_room_for(message.text)
        lines = member.live_text.take(message.number, message.text, now, room=room)
        self._show_lines(member, lines)

    def _receive_caption(
        self, member: ChatMember, message: Caption, _position: Position, _now: int
    ) -> None:
        member.take_caption(message)
        said = (message.number, message.text, message.language, message.final)
        self._tell(events.CaptionReceived, member, *said)

    # Who is there

    @property
    def _among_few(self) -> bool:
        # CHAT-12: "In a group of more than 32 members"
        return len(self._members) + 1 <= MANY_MEMBERS

    def change_members(
        self, members: Collection[int], removed: Collection[int], epoch: int, now: int
    ) -> None:
        """``epoch`` began: the other leaves now, and those that were removed, one of which may be somebody else's now."""
        gone, somebody_came = self._members.change(members, removed, epoch)
        for member in gone:
            self._release_all(member, now)
        if somebody_came:
            self._send_tally()

    def _send_tally(self) -> None:
        """CHAT-11: "MUST say how many", but for those that were not sent before this epoch began."""
        sent = self._texts - sum(isinstance(each, Chat) for each in self._outbox)
        if sent and self._among_few:
            self._outbox.appendleft(Receipt(self._own_leaf, sent, read=False))

    def close(self, now: int) -> None:
        """The call is over: what still waits is shown, and nothing is sent any more."""
        for member in self._members.change((), (), 0)[0]:
            self._release_all(member, now)
        self._outbox.clear()
        self._typing, self._written = TypingWriter(), LiveTextBuffer()

    def _release_all(self, member: ChatMember, now: int) -> None:
        self._show(member, member.texts.release_all(), now)
        self._show_lines(member, member.live_text.release_all())
        self._show_typing(member, member.typing.end())

    # Time

    def get_timer(self) -> int | None:
        """When ``handle_timer`` is due, or None."""
        parts = (self._typing, self._written, self._members)
        timers = [part.get_timer() for part in parts]
        return min((timer for timer in timers if timer is not None), default=None)

    def handle_timer(self, now: int) -> None:
        """Do what is due at ``now``."""
        self._send_typing(now)
        if text := self._written.take_due(now):
            self._live_texts += 1
            self._send(LiveText(self._live_texts, text))
        for member in self._members.waking():
            self._release_due(member, now)
            self._show_typing(member, member.typing.handle_timer(now))
            self._outbox.extend(member.receipts.take_due(now))
            self._members.settle(member)

    def _release_due(self, member: ChatMember, now: int) -> None:
        """Show what has waited long enough for what did not come."""
        self._show(member, member.texts.handle_timer(now), now)
        self._show_lines(member, member.live_text.handle_timer(now))

    def _send_typing(self, now: int) -> None:
        if (writes := self._typing.take_due(now)) is not None:
            self._send(Typing(writes))

    # What comes of it

    def next_event(self) -> CallEvent | None:
        """The next thing to tell the application, or None."""
        return self._events.popleft() if self._events else None

    def messages_to_send(self) -> list[ChatMessage]:
        """What goes to the other members, in this order; given once."""
        outgoing = list(self._outbox)
        self._outbox.clear()
        return outgoing

    def _tell(self, event: Callable[..., CallEvent], member: ChatMember, *what: object) -> None:
        self._events.append(event(self._call_id, member.leaf, *what))

    def _show(self, member: ChatMember, released: list[Item[str] | Gap], now: int) -> None:
        for each in released:
            if isinstance(each, Gap):  # CHAT-2: "MUST be shown as missing, in its place"
                self._tell(events.TextsMissing, member, each.first, each.last)
            else:
                self._tell(events.TextReceived, member, each.number, each.content)
        if self._among_few:
            member.receipts.owe(member.texts.complete, now, read=False)

    def _show_lines(self, member: ChatMember, lines: list[LiveLine]) -> None:
        for line in lines:
            self._tell(events.LiveTextReceived, member, line.number, line.text, line.ended)

    def _show_typing(self, member: ChatMember, news: bool, *, typing: bool = False) -> None:
        if news:
            self._tell(events.TypingChanged, member, typing)


_RECEIVE: Mapping[type[ChatMessage], Callable[[ChatRoom, ChatMember, Any, Position, int], None]] = {
    Chat: ChatRoom._receive_text,
    Reaction: ChatRoom._receive_reaction,
    Typing: ChatRoom._receive_typing,
    Receipt: ChatRoom._receive_receipt,
    LiveText: ChatRoom._receive_live_text,
    Caption: ChatRoom._receive_caption,
}
"""What is done about each kind of message: all of it, or it raises and has done nothing."""
