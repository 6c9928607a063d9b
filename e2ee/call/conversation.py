"""What is said in a call beside media: what media each side sends, new connections for lost ones, chat, and the spoken code.

Nothing of it moves the call; it comes and goes in every state from epoch 2 on (``Input.SAY`` and ``Input.SAID``). Chat and
the spoken code are machines of their own, which this one feeds with the call's epochs, messages and time, and empties.
Whoever hears something looks first and raises before anything changes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from e2ee.call.chat.configuration import ChatConfiguration
from e2ee.call.chat.room import ChatRoom
from e2ee.call.epochs import Epochs
from e2ee.call.errors import CallReason, CallRefused, CallUsageError
from e2ee.call.events import Event, MediaChanged, ReconnectReceived
from e2ee.call.policy import Said
from e2ee.call.roster import Member
from e2ee.call.sent_media import SentMedia
from e2ee.call.spoken_code import Attempts, CodeReady, SpokenCode
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage

__all__ = ["Conversation"]


class Connections:
    """CALL-28: the numbers of a call's connections for media: the first is 0, and was offered and answered with the call."""

    def __init__(self) -> None:
        self.newest = 0
        self._answered = 0

    def offered(self, number: int) -> None:
        """The caller offered this one."""
        self.newest = number

    def answered(self, number: int) -> None:
        """The answering device answered this one."""
        self._answered = number

    def awaits_answer(self, number: int) -> bool:
        """Whether this is the newest one, and not answered yet."""
        return number == self.newest != self._answered


class Conversation:
    """One call's; see the module. ``now`` is Unix time in milliseconds."""

    def __init__(self, call_id: bytes, attempts: Attempts, chat: ChatConfiguration) -> None:
        self._call_id = call_id
        self._chat_configuration = chat
        self._chat: ChatRoom | None = None
        self.code = SpokenCode(attempts)
        self.code_ready = False
        """Whether a spoken code was shown in this call."""
        self.connections = Connections()
        self.received_media = SentMedia()
        self._events: deque[Event] = deque()

    @property
    def chat(self) -> ChatRoom:
        """The call's chat. Raises CallUsageError before epoch 2."""
        if self._chat is None:
            raise CallUsageError(CallReason.NO_GROUP, "there is no chat before the call")
        return self._chat

    def enter_epoch(self, epochs: Epochs, now: int) -> None:
        """The call is in a new epoch, from 2 on."""
        removal = epochs.removal
        newly = removal is not None and removal.epoch == epochs.number
        removed = removal.leaves if removal is not None and newly else frozenset[int]()
        if self._chat is None:
            self._chat = ChatRoom(
                self._call_id,
                epochs.own_leaf,
                epochs.others,
                self._chat_configuration,
                came_late_with=epochs.came_late_with,
            )
        else:
            self._chat.change_members(epochs.others, removed, epochs.number, now)
        self.code.enter_epoch(epochs.code_epoch())

    def hear(self, said: Said, member: Member, now: int) -> None:
        """What a member said. Raises RemoteProtocolError; then nothing has changed."""
        _HEARD[type(said.message)](self, said, member, now)

    def end(self, now: int, *, by_others: bool) -> None:
        """The call is over: what still waits is shown, and nothing is said any more."""
        self.code.call_ended(by_others=by_others)
        if self._chat is not None:
            self._chat.close(now)

    def _hear_chat(self, said: Said, _member: Member, now: int) -> None:
        message: Any = said.message
        self.chat.receive(said.sender, message, said.position, now)

    def _hear_code(self, said: Said, _member: Member, now: int) -> None:
        message: Any = said.message
        self.code.receive(said.sender, said.epoch, message, now)

    def _hear_media(self, said: Said, member: Member, _now: int) -> None:
        """CALL-26."""
        media: Any = said.message
        sent = SentMedia(media.microphone, media.camera, media.screen, media.on_hold)
        self.received_media = sent
        self._events.append(MediaChanged(self._call_id, member, sent))

    # CALL-28

    def _hear_reconnect(self, said: Said, _member: Member, _now: int) -> None:
        offer: Any = said.message
        # CALL-28: "MUST refuse a number that is not above that of every earlier one"
        if offer.number <= self.connections.newest:
            raise CallRefused(CallReason.STALE_CONNECTION, f"{offer.number}")
        self.connections.offered(offer.number)
        self._events.append(ReconnectReceived(self._call_id, offer.number, offer.description))

    def _hear_reconnected(self, said: Said, _member: Member, _now: int) -> None:
        answer: Any = said.message
        # CALL-28: "an answer to another one than its newest, and a second answer"
        if not self.connections.awaits_answer(answer.number):
            raise CallRefused(CallReason.STALE_CONNECTION, f"{answer.number}")
        self.connections.answered(answer.number)
        self._events.append(ReconnectReceived(self._call_id, answer.number, answer.description))

    # Time, and what comes of it

    def get_timer(self) -> int | None:
        """When ``handle_timer`` is due, or None."""
        chat = None if self._chat is None else self._chat.get_timer()
        timers = [chat, self.code.get_timer()]
        return min((timer for timer in timers if timer is not None), default=None)

    def handle_timer(self, now: int) -> None:
        """Do what is due at ``now``."""
        if self._chat is not None:
            self._chat.handle_timer(now)
        self.code.handle_timer(now)

    def next_event(self) -> Event | None:
        """The next thing to tell the application, or None."""
        event = self._events.popleft() if self._events else self.code.next_event()
        if event is None and self._chat is not None:
            event = self._chat.next_event()
        self.code_ready |= isinstance(event, CodeReady)
        return event

    def messages_to_send(self) -> list[CallMessage]:
        """What is to be said to the other members, in this order and in this epoch; given once."""
        chat = [] if self._chat is None else self._chat.messages_to_send()
        return [*self.code.messages_to_send(), *chat]


_HEARD: Mapping[type[CallMessage], Callable[[Conversation, Said, Member, int], None]] = {
    messages.Media: Conversation._hear_media,
    messages.Reconnect: Conversation._hear_reconnect,
    messages.Reconnected: Conversation._hear_reconnected,
    messages.Chat: Conversation._hear_chat,
    messages.Reaction: Conversation._hear_chat,
    messages.Typing: Conversation._hear_chat,
    messages.Receipt: Conversation._hear_chat,
    messages.LiveText: Conversation._hear_chat,
    messages.Caption: Conversation._hear_chat,
    messages.CodeCommit: Conversation._hear_code,
    messages.CodeReveal: Conversation._hear_code,
}
