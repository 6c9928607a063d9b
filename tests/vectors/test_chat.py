"""``vectors/chat.json`` against the implementation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from e2ee.call.chat.content import ChatMessage
from e2ee.call.chat.errors import ChatRefused
from e2ee.call.chat.events import LiveTextReceived, TextReceived, TextsMissing
from e2ee.call.chat.member import Position
from e2ee.call.chat.room import ChatRoom
from e2ee.signalling.messages import Caption, Chat, LiveText, Reaction, Receipt

Vector = dict[str, Any]

MAKERS: dict[str, Callable[[Vector], ChatMessage]] = {
    "chat": lambda said: Chat(1, said["text"]),
    "reaction": lambda said: Reaction(0, 1, said["text"]),
    "live_text": lambda said: LiveText(1, said["text"]),
    "caption": lambda said: Caption(1, said["text"], said["language"], final=True),
}


@pytest.fixture
def room() -> ChatRoom:
    """At leaf 0; leaf 1 speaks to it."""
    return ChatRoom(bytes(16), 0, {1})


@pytest.mark.vectors("chat", "content")
def test_content(room: ChatRoom, vector: Vector) -> None:
    room.say("a text to react to")
    message = MAKERS[vector["input"]["message"]](vector["input"])
    if vector["result"] == "valid":
        room.receive(1, message, Position(2, 0), 0)
        return
    with pytest.raises(ChatRefused) as refused:
        room.receive(1, message, Position(2, 0), 0)
    assert refused.value.reason == vector["reason"]


def wait(room: ChatRoom, until: int) -> Iterator[int]:
    """Every timer at its time, up to and with ``until``."""
    while (timer := room.get_timer()) is not None and timer <= until:
        room.handle_timer(timer)
        yield timer


def shown(room: ChatRoom, at: int) -> Iterator[Vector]:
    """What the room told of texts at this time."""
    while (event := room.next_event()) is not None:
        match event:
            case TextReceived():
                yield {"at": at, "first": event.number, "last": event.number, "missing": False}
            case TextsMissing():
                yield {"at": at, "first": event.first, "last": event.last, "missing": True}


@pytest.mark.vectors("chat", "newcomer")
def test_newcomer(vector: Vector) -> None:
    room = ChatRoom(bytes(16), 0, {1}, came_late_with=2)
    if (sent_before := vector["input"]["sent_before"]) is not None:
        room.receive(1, Receipt(1, sent_before, read=False), Position(2, 0), 0)
    check_order(room, vector)


@pytest.mark.vectors("chat", "order")
def test_order(room: ChatRoom, vector: Vector) -> None:
    check_order(room, vector)


def check_order(room: ChatRoom, vector: Vector) -> None:
    seen: list[Vector] = []
    outcomes: list[str] = []
    for place, text in enumerate(vector["input"]["texts"]):
        for timer in wait(room, text["at"] - 1):
            seen += shown(room, timer)
        try:
            room.receive(1, Chat(text["number"], "x"), Position(2, place + 1), text["at"])
        except ChatRefused as refused:
            outcomes.append(refused.reason.value)
        else:
            outcomes.append("taken")
        seen += shown(room, text["at"])
    for timer in wait(room, vector["input"]["until"]):
        seen += shown(room, timer)
    receipts = [each for each in room.messages_to_send() if isinstance(each, Receipt)]
    delivered = max((receipt.number for receipt in receipts), default=0)
    assert {"outcomes": outcomes, "shown": seen, "delivered": delivered} == vector["output"]


@pytest.mark.vectors("chat", "live-text")
def test_live_text(room: ChatRoom, vector: Vector) -> None:
    for message in vector["input"]["messages"]:
        sent = LiveText(message["number"], message["text"])
        room.receive(1, sent, Position(2, message["number"]), message["at"])
    for _ in wait(room, vector["input"]["until"]):
        pass
    lines: dict[int, LiveTextReceived] = {}
    while (event := room.next_event()) is not None:
        assert isinstance(event, LiveTextReceived)
        lines[event.line] = event
    *ended, last = [lines[number] for number in sorted(lines)]
    assert [line.text for line in (*ended, last)] == vector["output"]["lines"]
    assert [line.ended for line in ended] == [True] * len(ended)
    assert not last.ended
