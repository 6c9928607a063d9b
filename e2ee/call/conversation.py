"""What is said in a call beside media: what media each side sends, chat, codes, and new connections for lost ones.

Nothing of it moves the call; it comes and goes in every state from epoch 2 on (``Input.SAY`` and ``Input.SAID``). A
handler looks first and raises before it changes anything; it gives what the application is to be told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.events import Event, MediaChanged, ReconnectReceived
from e2ee.call.policy import Said
from e2ee.call.roster import Member
from e2ee.call.sent_media import SentMedia
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage

__all__ = ["Conversation"]


class Conversation:
    """One call's; see the module."""

    def __init__(self, call_id: bytes) -> None:
        self._call_id = call_id
        self.connection = 0
        """CALL-28: the number of the newest connection, 0 for the first."""
        self.sent_media = SentMedia()
        self.received_media = SentMedia()

    def hear(self, said: Said, member: Member, now: int) -> list[Event]:
        """What a member said. Raises RemoteProtocolError; then nothing has changed."""
        return _HEARD[type(said.message)](self, said.message, member, now)

    # CALL-26

    def media(self, sent: SentMedia) -> CallMessage:
        """What this side sends from now on."""
        self.sent_media = sent
        return messages.Media(sent.microphone, sent.camera, sent.screen, sent.on_hold)

    def _hear_media(self, media: messages.Media, member: Member, _now: int) -> list[Event]:
        sent = SentMedia(media.microphone, media.camera, media.screen, media.on_hold)
        self.received_media = sent
        return [MediaChanged(self._call_id, member, sent)]

    # CALL-28

    def reconnect(self, description: str) -> CallMessage:
        """At the caller: the description of a new connection."""
        self.connection += 1
        return messages.Reconnect(self.connection, description)

    def _hear_reconnect(self, offer: messages.Reconnect, _member: Member, _now: int) -> list[Event]:
        # CALL-28: "MUST refuse a number that is not above that of every earlier one"
        if offer.number <= self.connection:
            raise CallRefused(CallReason.STALE_CONNECTION, f"{offer.number}")
        self.connection = offer.number
        return [ReconnectReceived(self._call_id, offer.number, offer.description)]

    def _hear_reconnected(
        self, answer: messages.Reconnected, _member: Member, _now: int
    ) -> list[Event]:
        # CALL-28: "an answer to another one than its newest"
        if answer.number != self.connection or answer.number == 0:
            raise CallRefused(CallReason.STALE_CONNECTION, f"{answer.number}")
        return [ReconnectReceived(self._call_id, answer.number, answer.description)]


_HEARD: Mapping[type[CallMessage], Callable[[Conversation, Any, Member, int], list[Event]]] = {
    messages.Media: Conversation._hear_media,
    messages.Reconnect: Conversation._hear_reconnect,
    messages.Reconnected: Conversation._hear_reconnected,
}
