"""Real-time text: what is written is seen while it is written, and taken back where it is taken back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.call.chat.errors import ChatReason, ChatRefused, ChatUsageError
from e2ee.call.chat.events import LiveTextReceived
from e2ee.call.chat.member import Position
from e2ee.call.chat.room import ChatRoom
from e2ee.signalling.messages import LiveText
from e2ee.testing.mls_members import snapshot

CALL_ID = bytes(16)
ALICE, BOB = 0, 1
START = 1_700_000_000_000


def sent(room: ChatRoom) -> list[LiveText]:
    return [message for message in room.messages_to_send() if isinstance(message, LiveText)]


def lines(room: ChatRoom) -> list[tuple[int, str, bool]]:
    heard = []
    while (event := room.next_event()) is not None:
        assert isinstance(event, LiveTextReceived)
        heard.append((event.line, event.text, event.ended))
    return heard


def give(room: ChatRoom, number: int, text: str, now: int = START) -> None:
    room.receive(ALICE, LiveText(number, text), Position(2, number), now)


@pytest.fixture
def writer() -> ChatRoom:
    """Alice's."""
    return ChatRoom(CALL_ID, ALICE, {BOB})


@pytest.fixture
def reader() -> ChatRoom:
    """Bob's."""
    return ChatRoom(CALL_ID, BOB, {ALICE})


# --------------------------------------------------------------------------------------------------- at the writer


@pytest.mark.requirement("CHAT-6")
def test_characters_are_collected_for_300_ms(writer: ChatRoom) -> None:
    for at, character in ((0, "h"), (120, "e"), (299, "y")):
        writer.write(character, START + at)
    writer.handle_timer(START + 299)
    assert sent(writer) == []
    assert writer.get_timer() == START + 300
    writer.handle_timer(START + 300)
    writer.write("!", START + 310)
    writer.handle_timer(START + 610)
    assert sent(writer) == [LiveText(1, "hey"), LiveText(2, "!")]
    assert writer.get_timer() is None


@pytest.mark.requirement("CHAT-6")
def test_what_was_taken_back_in_time_is_never_sent(writer: ChatRoom) -> None:
    writer.write("dran", START)
    writer.write("\b\bum\b\b\b\bx", START + 10)
    writer.handle_timer(START + 300)
    writer.write("y", START + 400)
    writer.write("\b", START + 410)
    assert writer.get_timer() is None
    writer.write("\b\b", START + 420)
    writer.handle_timer(START + 720)
    assert sent(writer) == [LiveText(1, "x"), LiveText(2, "\b\b")]


@pytest.mark.requirement("CHAT-6")
@pytest.mark.parametrize(
    ("characters", "reason"),
    [
        ("x" * 1_025, ChatReason.TOO_LONG),
        ("\x1b", ChatReason.CONTROL_CHARACTER),
        ("\r\n", ChatReason.CONTROL_CHARACTER),
        ("\ud800", ChatReason.NOT_UNICODE),
    ],
)
def test_what_cannot_be_sent_is_not_written(
    writer: ChatRoom, characters: str, reason: ChatReason
) -> None:
    writer.write("before", START)
    before = snapshot(writer)
    with pytest.raises(ChatUsageError) as refused:
        writer.write(characters, START)
    assert refused.value.reason is reason
    assert snapshot(writer) == before


def test_more_than_goes_out_in_300_ms_is_not_written(writer: ChatRoom) -> None:
    writer.write("x" * 1_024, START)
    with pytest.raises(ChatUsageError):
        writer.write("y", START)
    writer.handle_timer(START + 300)
    writer.write("y", START + 301)


# --------------------------------------------------------------------------------------------------- at the reader


@pytest.mark.requirement("CHAT-6")
def test_a_line_is_seen_as_it_grows_and_shrinks(reader: ChatRoom) -> None:
    give(reader, 1, "helo")
    give(reader, 2, "\blo\tyou")
    give(reader, 3, "\nand")
    give(reader, 4, "\b\b\b\b")
    assert lines(reader) == [
        (1, "helo", False),
        (1, "hello\tyou", False),
        (1, "hello\tyou", True),
        (2, "and", False),
        (2, "", False),
    ]


@pytest.mark.requirement("CHAT-6")
def test_an_ended_line_is_never_opened_again(reader: ChatRoom) -> None:
    give(reader, 1, "done\n")
    give(reader, 2, "\b\b\bmore")
    assert lines(reader) == [(1, "done", True), (2, "more", False)]


@pytest.mark.requirement("CHAT-6")
def test_a_line_ends_with_its_1024th_character(reader: ChatRoom) -> None:
    give(reader, 1, "x" * 1_023)
    give(reader, 2, "yz")
    assert lines(reader)[1:] == [(1, "x" * 1_023 + "y", True), (2, "z", False)]


@pytest.mark.requirement("CHAT-6")
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", ChatReason.EMPTY),
        ("x" * 1_025, ChatReason.TOO_LONG),
        ("\x07", ChatReason.CONTROL_CHARACTER),
        ("\x0b", ChatReason.CONTROL_CHARACTER),
        ("\x85", ChatReason.CONTROL_CHARACTER),
    ],
)
def test_other_messages_are_refused(reader: ChatRoom, text: str, reason: ChatReason) -> None:
    before = snapshot(reader)
    with pytest.raises(ChatRefused) as refused:
        give(reader, 1, text)
    assert refused.value.reason is reason
    assert snapshot(reader) == before


@pytest.mark.requirement("CHAT-6")
def test_what_does_not_come_for_a_second_is_marked_as_lost(reader: ChatRoom) -> None:
    give(reader, 1, "I ")
    give(reader, 4, "hate you")
    reader.handle_timer(START + 999)
    assert lines(reader) == [(1, "I ", False)]
    reader.handle_timer(START + 1_000)
    assert lines(reader) == [(1, "I \N{REPLACEMENT CHARACTER}hate you", False)]


@pytest.mark.requirement("CHAT-6")
@pytest.mark.parametrize(
    ("number", "reason"),
    [(0, ChatReason.NUMBER_PASSED), (1, ChatReason.NUMBER_PASSED), (3, ChatReason.NUMBER_TAKEN)],
)
def test_a_number_counts_once(reader: ChatRoom, number: int, reason: ChatReason) -> None:
    give(reader, 1, "a")
    give(reader, 3, "c")
    before = snapshot(reader)
    with pytest.raises(ChatRefused) as refused:
        give(reader, number, "again")
    assert refused.value.reason is reason
    assert snapshot(reader) == before


@pytest.mark.requirement("CHAT-6")
@given(
    written=st.lists(st.text("ab\b\n", min_size=1, max_size=6), min_size=1, max_size=12),
    order=st.randoms(use_true_random=False),
)
def test_in_whatever_order_it_comes_it_reads_as_it_was_written(
    written: list[str], order: object
) -> None:
    """The reader's lines are those of somebody who has looked at the writer's screen all the time."""
    writer, reader = ChatRoom(CALL_ID, ALICE, {BOB}), ChatRoom(CALL_ID, BOB, {ALICE})
    now, screen = START, [""]
    for characters in written:
        writer.write(characters, now)
        now += 150
        writer.handle_timer(now)
        for character in characters:
            if character == "\n":
                screen.append("")
            else:
                screen[-1] = screen[-1][:-1] if character == "\b" else screen[-1] + character
    writer.handle_timer(now + 300)
    messages = sent(writer)
    order.shuffle(messages)  # type: ignore[attr-defined]
    for message in messages:
        give(reader, message.number, message.text)
    seen = {line: text for line, text, _ in lines(reader)}
    assert [seen.get(number, "") for number in range(1, len(screen) + 1)] == screen
