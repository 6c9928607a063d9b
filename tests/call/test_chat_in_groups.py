"""Chat among many, of whom some come late and some go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.call.chat.errors import ChatReason, ChatRefused, ChatUsageError
from e2ee.call.chat.events import (
    Delivered,
    LiveTextReceived,
    Reacted,
    Read,
    TextReceived,
    TextsMissing,
    TypingChanged,
)
from e2ee.call.chat.member import Position
from e2ee.call.chat.room import MAX_WAITING_OF_ALL, ChatRoom
from e2ee.signalling.messages import Caption, Chat, LiveText, Reaction, Receipt, Typing
from tests.call.chatting import ALICE, BOB, CALL_ID, CAROL, START, Chatting

DAVE = 3


@pytest.fixture
def two() -> Chatting:
    """Alice and Bob, in a group call that others may join."""
    return Chatting(ALICE, BOB)


def text(author: int, number: int, words: str) -> TextReceived:
    return TextReceived(CALL_ID, author, number, words)


# ----------------------------------------------------------------------------------------------------- who comes late


@pytest.mark.requirement("CHAT-11")
def test_who_comes_late_has_missed_nothing_of_what_was_said_before(two: Chatting) -> None:
    for words in ("one", "two"):
        two[ALICE].room.say(words)
    two.exchange()
    two.enters(3, CAROL)
    two[ALICE].room.say("three")
    two[BOB].room.say("his first")
    two.exchange()
    assert two[CAROL].heard() == [text(ALICE, 3, "three"), text(BOB, 1, "his first")]
    two.wait(60_000)
    assert two[CAROL].heard() == []


@pytest.mark.requirement("CHAT-11")
def test_each_says_to_newcomers_how_many_texts_it_had_sent_before(two: Chatting) -> None:
    for words in ("one", "two"):
        two[ALICE].room.say(words)
    two.exchange()
    two[ALICE].room.say("three, which goes out with the new epoch")
    two.enters(3, CAROL)
    sent = [message for _, message in two[ALICE].sent()]
    assert sent == [
        Receipt(ALICE, 2, read=False),
        Chat(3, "three, which goes out with the new epoch"),
    ]
    assert two[BOB].sent() == []  # who has said nothing
    two.enters(4, DAVE)
    assert [message for _, message in two[ALICE].sent()] == [Receipt(ALICE, 3, read=False)]


@pytest.mark.requirement("CHAT-11")
def test_when_nobody_comes_nobody_counts(two: Chatting) -> None:
    two[ALICE].room.say("one")
    two.exchange()
    two[ALICE].room.change_members({BOB}, removed=(), epoch=3, now=two.now)
    two[ALICE].room.change_members((), removed={BOB}, epoch=4, now=two.now)
    assert two[ALICE].sent() == []


@pytest.mark.requirement("CHAT-5", "CHAT-11")
def test_what_is_withheld_from_a_newcomer_is_missing_and_never_called_delivered(
    two: Chatting,
) -> None:
    """Alice has said two texts before; the service keeps the third, her first that Carol could read."""
    for words in ("one", "two", "three", "four"):
        two[ALICE].room.say(words)
    two[ALICE].sent()
    two.enters(3, CAROL)
    room = two[CAROL].room
    room.receive(ALICE, Receipt(ALICE, 2, read=False), Position(3, 0), two.now)
    room.receive(ALICE, Chat(4, "four"), Position(3, 2), two.now)
    assert two[CAROL].heard() == []
    two.wait(5_500)
    assert two[CAROL].heard() == [TextsMissing(CALL_ID, ALICE, 3, 3), text(ALICE, 4, "four")]
    assert [message for _, message in two[CAROL].sent()] == [Receipt(ALICE, 2, read=False)]


@pytest.mark.requirement("CHAT-5", "CHAT-11")
def test_without_the_number_from_before_nothing_is_missing_and_nothing_called_delivered(
    two: Chatting,
) -> None:
    """The service keeps that, too: it could as well have let Carol in a moment later."""
    two.enters(3, CAROL)
    room = two[CAROL].room
    room.receive(ALICE, Chat(4, "four"), Position(3, 2), two.now)
    room.receive(ALICE, Chat(5, "five"), Position(3, 3), two.now)
    room.receive(ALICE, Receipt(ALICE, 2, read=False), Position(3, 4), two.now)  # too late
    room.read(ALICE, 5, two.now)
    two.wait(60_000)
    assert two[CAROL].heard() == [text(ALICE, 4, "four"), text(ALICE, 5, "five")]
    assert two[CAROL].sent() == []
    with pytest.raises(ChatRefused) as refused:
        room.receive(ALICE, Chat(3, "three"), Position(3, 1), two.now)
    assert refused.value.reason is ChatReason.NUMBER_PASSED


@pytest.mark.requirement("CHAT-11")
def test_the_number_is_for_those_who_came_with_that_epoch(two: Chatting) -> None:
    """Carol came with epoch 3. What Alice says to Dave, who came with epoch 4, would hide what she said to Carol between."""
    two.enters(3, CAROL)
    two.enters(4, DAVE)
    room = two[CAROL].room
    room.receive(ALICE, Receipt(ALICE, 7, read=False), Position(4, 0), two.now)
    room.receive(ALICE, Chat(7, "seven"), Position(3, 9), two.now)
    assert two[CAROL].heard() == [text(ALICE, 7, "seven")]


@pytest.mark.requirement("CHAT-11")
def test_those_who_were_there_count_for_themselves(two: Chatting) -> None:
    """Alice cannot have Bob believe that her texts were before his time."""
    two.give(BOB, ALICE, Receipt(ALICE, 5, read=False))
    two.give(BOB, ALICE, Chat(6, "six"))
    two.wait(5_000)
    assert two[BOB].heard() == [TextsMissing(CALL_ID, ALICE, 1, 5), text(ALICE, 6, "six")]


@pytest.mark.requirement("CHAT-11")
def test_of_who_comes_later_still_everything_is_awaited(two: Chatting) -> None:
    two.enters(3, CAROL)
    two.enters(4, DAVE)
    room = two[CAROL].room
    room.receive(DAVE, Receipt(DAVE, 1, read=False), Position(4, 0), two.now)
    room.receive(DAVE, Chat(2, "two"), Position(4, 1), two.now)
    two.wait(5_000)
    assert two[CAROL].heard() == [TextsMissing(CALL_ID, DAVE, 1, 1), text(DAVE, 2, "two")]


@pytest.mark.requirement("CHAT-6", "CHAT-7", "CHAT-11")
def test_live_text_and_captions_begin_with_the_first_that_comes(two: Chatting) -> None:
    two.enters(3, CAROL)
    room = two[CAROL].room
    room.receive(ALICE, LiveText(41, "llo"), Position(3, 0), two.now)
    room.receive(ALICE, LiveText(43, "!"), Position(3, 2), two.now)
    room.receive(ALICE, Caption(17, "Hello", "en", final=True), Position(3, 1), two.now)
    two.wait(1_000)
    lines = [each.text for each in two[CAROL].heard() if isinstance(each, LiveTextReceived)]
    assert lines == ["llo", "llo\ufffd!"]


@pytest.mark.requirement("CHAT-5", "CHAT-11")
def test_receipts_of_a_newcomer_are_about_what_was_said_since(two: Chatting) -> None:
    two[ALICE].room.say("one")
    two.exchange()
    two.wait(500)
    two.exchange()
    two[ALICE].heard()
    two.enters(3, CAROL)
    two[ALICE].room.say("two")
    two.exchange()
    two[CAROL].room.read(ALICE, 2, two.now)
    two.wait(500)
    two.exchange()
    assert two[ALICE].heard() == [Delivered(CALL_ID, BOB, 2), Read(CALL_ID, CAROL, 2)]


@given(joins=st.lists(st.integers(0, 3), max_size=6))
def test_whenever_somebody_comes_all_texts_since_then_are_shown_to_it(joins: list[int]) -> None:
    """Alice says some texts, somebody comes, she says some more, and so on."""
    chat, said, came = Chatting(ALICE), 0, {}
    for number, texts in enumerate(joins):
        for _ in range(texts):
            said += 1
            chat[ALICE].room.say(f"text {said}")
        chat.exchange()
        newcomer = number + 1
        chat.enters(number + 1, newcomer)
        chat.exchange()
        came[newcomer] = said
    chat[ALICE].room.say("the last")
    chat.exchange()
    chat.wait(10_000)
    for newcomer, before in came.items():
        shown = [each for each in chat[newcomer].heard() if isinstance(each, TextReceived)]
        assert [each.number for each in shown] == list(range(before + 1, said + 2))


# ------------------------------------------------------------------------------------------ who has whose leaf


@pytest.fixture
def reused(two: Chatting) -> Chatting:
    """Dave got the leaf of Bob, who had said two texts, was writing, and had read a text of Alice's."""
    two[ALICE].room.say("welcome")
    for words in ("one", "two"):
        two[BOB].room.say(words)
    two.exchange()
    two.give(ALICE, BOB, Receipt(ALICE, 1, read=True))
    two.give(ALICE, BOB, Typing(typing=True))
    two.give(ALICE, BOB, Caption(9, "bye", "en", final=True))
    two.give(ALICE, BOB, LiveText(1, "by"))
    two.enters(3, CAROL)
    two[ALICE].heard()
    two.enters(4, BOB, in_place_of=BOB)
    return two


@pytest.mark.requirement("CHAT-1", "CHAT-5", "CHAT-7", "CHAT-9")
def test_who_gets_anothers_leaf_inherits_nothing(reused: Chatting) -> None:
    alice = reused[ALICE]
    assert alice.heard() == [TypingChanged(CALL_ID, BOB, typing=False)]
    alice.sent()
    with pytest.raises(ChatUsageError) as refused:
        alice.room.read(BOB, 1, reused.now)
    assert refused.value.reason is ChatReason.NO_SUCH_TEXT
    reused.give(ALICE, BOB, Chat(1, "hello"))
    reused.give(ALICE, BOB, LiveText(1, "h"))
    reused.give(ALICE, BOB, Caption(1, "hello", "en", final=True))
    reused.give(ALICE, BOB, Receipt(ALICE, 1, read=True))
    shown = [type(each).__name__ for each in alice.heard()]
    assert shown == ["TextReceived", "LiveTextReceived", "CaptionReceived", "Read"]
    reused.wait(500)
    assert [message for _, message in alice.sent()] == [Receipt(BOB, 1, read=False)]


@pytest.mark.requirement("CHAT-4")
def test_a_late_reaction_to_who_had_the_leaf_before_is_not_one_to_who_has_it_now(
    reused: Chatting,
) -> None:
    reused.give(ALICE, BOB, Chat(1, "hello"))
    late = Reaction(BOB, 1, "👎")  # to what Bob said
    assert reused.refuses(ALICE, CAROL, late, Position(3, 0)) is ChatReason.NO_SUCH_TEXT
    reused[ALICE].heard()
    reused.give(ALICE, CAROL, Reaction(BOB, 1, "👍"), Position(4, 0))
    assert reused[ALICE].heard() == [Reacted(CALL_ID, CAROL, BOB, 1, "👍")]


# ------------------------------------------------------------------------------------------------------- among many


@pytest.mark.requirement("CHAT-12")
@pytest.mark.parametrize(("members", "tells"), [(32, True), (33, False)])
def test_among_many_there_are_no_receipts_and_nobody_is_seen_to_write(
    members: int, tells: bool
) -> None:
    chat = Chatting(*range(members))
    bob = chat[BOB]
    chat.give(BOB, ALICE, Chat(1, "hello, all"))
    bob.room.read(ALICE, 1, chat.now)
    bob.room.typing(writes=True, now=chat.now)
    chat.wait(1_000)
    kinds = {type(message) for _, message in bob.sent()}
    assert kinds == ({Receipt, Typing} if tells else set())


@pytest.mark.requirement("CHAT-11", "CHAT-12")
@pytest.mark.parametrize(("members", "tells"), [(31, True), (32, False)])
def test_among_many_nobody_counts_for_newcomers(members: int, tells: bool) -> None:
    chat = Chatting(*range(members))
    chat[ALICE].room.say("one")
    chat[ALICE].sent()
    chat.enters(3, members)
    assert bool(chat[ALICE].sent()) == tells


def test_of_who_says_nothing_nothing_is_kept_and_nothing_is_due() -> None:
    room = ChatRoom(CALL_ID, 0, range(1, 1_024))
    room.change_members(range(1, 1_024), removed=(), epoch=3, now=START)
    assert len(room._members._known) == 0
    room.receive(7, Chat(2, "x"), Position(3, 0), START)
    assert [member.leaf for member in room._members.waking()] == [7]
    assert room.get_timer() == START + 5_000
    room.handle_timer(START + 5_000)
    assert room._members.waking() == []


@pytest.mark.requirement("CHAT-2")
def test_what_waits_of_all_members_together_is_bounded() -> None:
    """A thousand hostile members each leave out their first text, and fill what may wait."""
    room, waited = ChatRoom(CALL_ID, 0, range(1, 1_001)), 0
    for leaf in range(1, 1_001):
        for number in range(2, 6):
            room.receive(leaf, Chat(number, "x" * 16_384), Position(2, number), START)
            waited = max(waited, room._members.waiting)
        room.receive(leaf, LiveText(2, "x" * 1_024), Position(2, 9), START)
    assert room._members.waiting <= waited <= MAX_WAITING_OF_ALL == 1 << 22
    room.change_members((), removed=range(1, 1_001), epoch=3, now=START)
    assert room._members.waiting == 0


@pytest.mark.requirement("CHAT-2")
def test_who_finds_no_room_to_wait_is_shown_at_once_with_its_gap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("e2ee.call.chat.room.MAX_WAITING_OF_ALL", 10)
    chat = Chatting(ALICE, BOB)
    chat.give(BOB, ALICE, Chat(2, "ten letter"))
    chat.give(BOB, ALICE, Chat(5, "!"))
    assert chat[BOB].heard() == [
        TextsMissing(CALL_ID, ALICE, 1, 1),
        text(ALICE, 2, "ten letter"),
        TextsMissing(CALL_ID, ALICE, 3, 4),
        text(ALICE, 5, "!"),
    ]
