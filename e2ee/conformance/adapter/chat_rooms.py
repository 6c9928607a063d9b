"""The chapter Chat: a device in a room, message by message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from e2ee.call.chat import events
from e2ee.call.chat.content import ChatMessage
from e2ee.call.chat.member import Position
from e2ee.call.chat.room import ChatRoom
from e2ee.call.events import CallEvent
from e2ee.conformance.adapter.operations import Answer, Given, operation
from e2ee.conformance.adapter.step_by_step import Outcome, step_by_step
from e2ee.signalling.messages import Caption, Chat, Reaction, Receipt, Typing


class _Device:
    def __init__(self, given: Given) -> None:
        members, came_with = given["members"], given["came_with"]
        self._room = ChatRoom(bytes(16), given["own_leaf"], members, came_late_with=came_with)

    def act(self, step: Given) -> Outcome:
        """What the step makes it send and tell."""
        room, now = self._room, step["at"]
        while (due := room.get_timer()) is not None and due <= now:
            room.handle_timer(due)
        _STEPS[step["step"]](self, step, now)
        told = []
        while (event := room.next_event()) is not None:
            told.append(_event(event))
        return {"sent": [_sent(each) for each in room.messages_to_send()], "told": told}

    def say(self, _step: Given, _now: int) -> None:
        """A text."""
        self._room.say("x")

    def read(self, step: Given, now: int) -> None:
        """Texts were seen."""
        self._room.read(step["leaf"], step["number"], now)

    def type(self, step: Given, now: int) -> None:
        """A key."""
        self._room.typing(step["writes"], now)

    def members(self, step: Given, now: int) -> None:
        """An epoch."""
        self._room.change_members(step["leaves"], step["removed"], step["epoch"], now)

    def receive(self, step: Given, now: int) -> None:
        """A message."""
        said = step["message"]
        position = Position(step["epoch"], step["generation"])
        self._room.receive(step["leaf"], _MESSAGES[said["message"]](said), position, now)

    def wait(self, _step: Given, _now: int) -> None:
        """Nothing."""


_STEPS: Mapping[str, Callable[[_Device, Given, int], None]] = {
    "say": _Device.say,
    "read": _Device.read,
    "type": _Device.type,
    "members": _Device.members,
    "receive": _Device.receive,
    "wait": _Device.wait,
}

_MESSAGES: Mapping[str, Callable[[Given], ChatMessage]] = {
    "chat": lambda said: Chat(said["number"], "x" * said["length"]),
    "receipt": lambda said: Receipt(said["leaf"], said["number"], read=said["read"]),
    "reaction": lambda said: Reaction(said["leaf"], said["number"], said["reaction"]),
    "typing": lambda said: Typing(said["typing"]),
    "caption": lambda said: Caption(said["number"], said["text"], "", final=said["final"]),
}


def _sent(message: ChatMessage) -> dict[str, Any]:
    match message:
        case Chat():
            return {"message": "chat", "number": message.number, "length": len(message.text)}
        case Receipt():
            about = {"leaf": message.leaf, "number": message.number}
            return {"message": "receipt", **about, "read": message.read}
        case Typing():
            return {"message": "typing", "typing": message.typing}
    raise TypeError(message.name)


def _event(event: CallEvent) -> dict[str, Any]:
    match event:
        case events.TextReceived():
            return {"event": "text", "leaf": event.leaf, "number": event.number}
        case events.TextsMissing():
            return {
                "event": "missing",
                "leaf": event.leaf,
                "first": event.first,
                "last": event.last,
            }
        case events.Reacted():
            about = {"author": event.author, "number": event.number}
            return {"event": "reaction", "leaf": event.leaf, **about}
        case events.TypingChanged():
            return {"event": "typing", "leaf": event.leaf, "typing": event.typing}
        case events.Delivered():
            return {"event": "delivered", "leaf": event.leaf, "number": event.number}
        case events.Read():
            return {"event": "read", "leaf": event.leaf, "number": event.number}
        case events.CaptionReceived():
            said = {"number": event.number, "final": event.final}
            return {"event": "caption", "leaf": event.leaf, **said}
    raise TypeError(type(event).__name__)


@operation("chat/room")
def room(given: Given) -> Answer:
    """CHAT-1 to CHAT-12 but for CHAT-10."""
    return step_by_step(given["steps"], _Device(given).act)
