"""The chapter Chat: leaf 0 has a room, and leaf 1 speaks to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from e2ee.call.chat.content import ChatMessage
from e2ee.call.chat.errors import ChatRefused
from e2ee.call.chat.events import LiveTextReceived, TextReceived, TextsMissing
from e2ee.call.chat.member import Position
from e2ee.call.chat.room import ChatRoom
from e2ee.conformance.adapter.judging import expect, refusing
from e2ee.conformance.adapter.operations import Accepted, Answer, Given, operation
from e2ee.signalling.messages import Caption, Chat, LiveText, Reaction, Receipt

MESSAGES: Mapping[str, Callable[[Given], ChatMessage]] = {
    "chat": lambda said: Chat(1, said["text"]),
    "reaction": lambda said: Reaction(0, 1, said["text"]),
    "live_text": lambda said: LiveText(1, said["text"]),
    "caption": lambda said: Caption(1, said["text"], said["language"], final=True),
}


def _room(came_late_with: int | None = None) -> ChatRoom:
    return ChatRoom(bytes(16), 0, {1}, came_late_with=came_late_with)


@operation("chat/content")
@refusing
def content(given: Given) -> Answer:
    """CHAT-4 and after it: what a message may hold."""
    room = _room()
    room.say("a text to react to")
    room.receive(1, MESSAGES[given["message"]](given), Position(2, 0), 0)
    return Accepted()


@operation("chat/order")
def order(given: Given) -> Answer:
    """What is shown of texts that come out of order or not at all."""
    return _shown_in_order(_room(), given)


@operation("chat/newcomer")
def newcomer(given: Given) -> Answer:
    """The same at who was not there for the first ones."""
    room = _room(came_late_with=2)
    if given["sent_before"] is not None:
        room.receive(1, Receipt(1, given["sent_before"], read=False), Position(2, 0), 0)
    return _shown_in_order(room, given)


def _shown_in_order(room: ChatRoom, given: Given) -> Answer:
    shown: list[dict[str, Any]] = []
    outcomes: list[str] = []
    for place, text in enumerate(given["texts"]):
        for timer in _wait(room, text["at"] - 1):
            shown += _texts(room, timer)
        try:
            room.receive(1, Chat(text["number"], "x"), Position(2, place + 1), text["at"])
        except ChatRefused as refused:
            outcomes.append(refused.reason.value)
        else:
            outcomes.append("taken")
        shown += _texts(room, text["at"])
    for timer in _wait(room, given["until"]):
        shown += _texts(room, timer)
    receipts = [each for each in room.messages_to_send() if isinstance(each, Receipt)]
    delivered = max((receipt.number for receipt in receipts), default=0)
    return Accepted({"outcomes": outcomes, "shown": shown, "delivered": delivered})


def _wait(room: ChatRoom, until: int) -> Iterator[int]:
    """Every timer at its time, up to and with ``until``."""
    while (timer := room.get_timer()) is not None and timer <= until:
        room.handle_timer(timer)
        yield timer


def _texts(room: ChatRoom, at: int) -> Iterator[dict[str, Any]]:
    """What the room told of texts at this time."""
    while (event := room.next_event()) is not None:
        match event:
            case TextReceived():
                yield {"at": at, "first": event.number, "last": event.number, "missing": False}
            case TextsMissing():
                yield {"at": at, "first": event.first, "last": event.last, "missing": True}


@operation("chat/live-text")
def live_text(given: Given) -> Answer:
    """The lines of a real-time text, of which only the last may go on."""
    room = _room()
    for message in given["messages"]:
        sent = LiveText(message["number"], message["text"])
        room.receive(1, sent, Position(2, message["number"]), message["at"])
    for _ in _wait(room, given["until"]):
        pass
    lines: dict[int, LiveTextReceived] = {}
    while (event := room.next_event()) is not None:
        if isinstance(event, LiveTextReceived):
            lines[event.line] = event
    in_order = [lines[number] for number in sorted(lines)]
    ended = [line.ended for line in in_order]
    expect(ended, [True] * (len(ended) - 1) + [False], "which lines have ended")
    return Accepted({"lines": [line.text for line in in_order]})
