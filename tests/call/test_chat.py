"""Chat as members of a call have it, and as a hostile service would like it to be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.call.chat.configuration import ChatConfiguration
from e2ee.call.chat.content import ChatMessage
from e2ee.call.chat.errors import ChatReason, ChatRefused, ChatUsageError
from e2ee.call.chat.events import (
    CaptionReceived,
    Delivered,
    Reacted,
    Read,
    TextReceived,
    TextsMissing,
    TypingChanged,
)
from e2ee.call.chat.in_order import Item
from e2ee.call.chat.live_text import LiveLine
from e2ee.call.chat.member import Position
from e2ee.signalling.messages import Caption, Chat, LiveText, Reaction, Receipt, Typing
from tests.call.chatting import ALICE, BOB, CALL_ID, CAROL, NOBODY, Chatting


@pytest.fixture
def chat() -> Chatting:
    """Alice and Bob in a call."""
    return Chatting(ALICE, BOB)


@pytest.fixture
def three() -> Chatting:
    """Alice, Bob and Carol in a group call."""
    return Chatting(ALICE, BOB, CAROL)


def text(number: int, words: str = "") -> TextReceived:
    return TextReceived(CALL_ID, ALICE, number, words or f"text {number}")


def missing(first: int, last: int) -> TextsMissing:
    return TextsMissing(CALL_ID, ALICE, first, last)


def say(chat: Chatting, *numbers: int) -> None:
    """Alice's texts of these numbers reach Bob in this order."""
    for number in numbers:
        chat.give(BOB, ALICE, Chat(number, f"text {number}"))


# ---------------------------------------------------------------------------------------------- texts, in order


@pytest.mark.requirement("CHAT-1")
def test_texts_are_numbered_from_one_and_come_in_order(chat: Chatting) -> None:
    assert [chat[ALICE].room.say(words) for words in ("hello", "are you there?")] == [1, 2]
    assert [message for _, message in chat[ALICE].sent()] == [
        Chat(1, "hello"),
        Chat(2, "are you there?"),
    ]
    say(chat, 1, 2)
    assert chat[BOB].heard() == [text(1), text(2)]


@pytest.mark.requirement("CHAT-1")
@given(order=st.permutations(range(1, 13)))
def test_however_a_service_reorders_texts_they_are_shown_in_their_order(order: list[int]) -> None:
    chat = Chatting(ALICE, BOB)
    say(chat, *order)
    assert chat[BOB].heard() == [text(number) for number in range(1, 13)]


@pytest.mark.requirement("CHAT-1")
@pytest.mark.parametrize(
    ("came", "number", "reason"),
    [
        ((), 0, ChatReason.NUMBER_PASSED),
        ((1,), 1, ChatReason.NUMBER_PASSED),
        ((3,), 3, ChatReason.NUMBER_TAKEN),
    ],
)
def test_the_first_text_of_a_number_is_the_one_that_counts(
    chat: Chatting, came: tuple[int, ...], number: int, reason: ChatReason
) -> None:
    say(chat, *came)
    assert chat.refuses(BOB, ALICE, Chat(number, "I never said that")) is reason


@pytest.mark.requirement("CHAT-1")
def test_each_member_has_numbers_of_its_own(three: Chatting) -> None:
    three[ALICE].room.say("one")
    three[BOB].room.say("eins")
    three.exchange()
    assert three[CAROL].heard() == [
        TextReceived(CALL_ID, ALICE, 1, "one"),
        TextReceived(CALL_ID, BOB, 1, "eins"),
    ]


@pytest.mark.requirement("CHAT-2")
def test_a_text_that_is_withheld_is_shown_as_missing_after_five_seconds(chat: Chatting) -> None:
    say(chat, 1, 4, 5)
    assert chat[BOB].heard() == [text(1)]
    chat.wait(4_999)
    assert chat[BOB].heard() == []
    chat.wait(1)
    assert chat[BOB].heard() == [missing(2, 3), text(4), text(5)]


@pytest.mark.requirement("CHAT-1", "CHAT-2")
def test_what_was_shown_as_missing_stays_missing(chat: Chatting) -> None:
    say(chat, 2)
    chat.wait(5_000)
    assert chat[BOB].heard() == [missing(1, 1), text(2)]
    assert chat.refuses(BOB, ALICE, Chat(1, "late")) is ChatReason.NUMBER_PASSED
    say(chat, 3)
    assert chat[BOB].heard() == [text(3)]


@pytest.mark.requirement("CHAT-2")
def test_each_text_waits_for_five_seconds_of_its_own(chat: Chatting) -> None:
    say(chat, 2)
    chat.wait(4_000)
    say(chat, 4)
    chat.wait(1_000)
    assert chat[BOB].heard() == [missing(1, 1), text(2)]
    chat.wait(3_999)
    assert chat[BOB].heard() == []
    chat.wait(1)
    assert chat[BOB].heard() == [missing(3, 3), text(4)]


@pytest.mark.requirement("CHAT-2")
def test_with_the_oldest_that_waits_all_before_it_are_shown(chat: Chatting) -> None:
    say(chat, 5)
    chat.wait(4_000)
    say(chat, 3)
    chat.wait(1_000)
    assert chat[BOB].heard() == [missing(1, 2), text(3), missing(4, 4), text(5)]


@pytest.mark.requirement("CHAT-2")
def test_at_most_64_texts_of_a_member_wait(chat: Chatting) -> None:
    say(chat, *range(2, 66))
    assert chat[BOB].heard() == []
    say(chat, 67)
    assert chat[BOB].heard() == [missing(1, 1), *(text(number) for number in range(2, 66))]
    say(chat, 66)
    assert chat[BOB].heard() == [text(66), text(67)]


@pytest.mark.requirement("CHAT-2")
def test_a_text_that_fills_the_gap_is_never_one_too_many(chat: Chatting) -> None:
    say(chat, *range(2, 66), 1)
    assert chat[BOB].heard() == [text(number) for number in range(1, 66)]


@given(
    arrivals=st.lists(st.tuples(st.integers(0, 200), st.sampled_from([0, 700, 5_000])), max_size=90)
)
def test_shown_or_missing_every_number_comes_once_and_in_order(
    arrivals: list[tuple[int, int]],
) -> None:
    chat, shown, waiting = Chatting(ALICE, BOB), 0, set[int]()
    for number, pause in arrivals:
        try:
            say(chat, number)
        except ChatRefused:
            assert number <= shown or number in waiting
        else:
            waiting.add(number)
        chat.wait(pause)
        for event in chat[BOB].heard():
            first, last = (
                (event.first, event.last)
                if isinstance(event, TextsMissing)
                else (event.number, event.number)  # type: ignore[attr-defined]
            )
            assert (first, shown) == (shown + 1, first - 1)
            shown = last
        waiting = {each for each in waiting if each > shown}
        assert len(waiting) <= 64


# ---------------------------------------------------------------------------------------------- what may be said


@pytest.mark.requirement("CHAT-3")
@pytest.mark.parametrize(
    "words",
    [
        "x",
        "two\nlines\tand a tab",
        "é" * 8_192,
        "שלום \u2067עולם\u2069",
        "e\u0301",
        "👩‍👩‍👧",
        "\u2028",
        " ",
    ],
)
def test_texts_of_every_language_arrive_as_they_were_written(chat: Chatting, words: str) -> None:
    chat[ALICE].room.say(words)
    chat.exchange()
    assert chat[BOB].heard() == [text(1, words)]


BAD_TEXTS = {
    "": ChatReason.EMPTY,
    "x" * 16_385: ChatReason.TOO_LONG,
    "é" * 8_192 + "x": ChatReason.TOO_LONG,
    "\ud800": ChatReason.NOT_UNICODE,
    "a\x00": ChatReason.CONTROL_CHARACTER,
    "a\r\nb": ChatReason.CONTROL_CHARACTER,
    "\x1b[2J": ChatReason.CONTROL_CHARACTER,
    "\b": ChatReason.CONTROL_CHARACTER,
    "\x7f": ChatReason.CONTROL_CHARACTER,
    "\x9b2J": ChatReason.CONTROL_CHARACTER,
}


@pytest.mark.requirement("CHAT-3")
@pytest.mark.parametrize(("words", "reason"), BAD_TEXTS.items())
def test_other_texts_are_neither_sent_nor_taken(
    chat: Chatting, words: str, reason: ChatReason
) -> None:
    assert chat.refuses(BOB, ALICE, Chat(1, words)) is reason
    with pytest.raises(ChatUsageError) as refused:
        chat[ALICE].room.say(words)
    assert refused.value.reason is reason
    assert chat[ALICE].sent() == []
    assert chat[ALICE].room.say("first") == 1


def test_what_people_say_is_in_no_repr(chat: Chatting) -> None:
    room = chat[ALICE].room
    room.say("secret")
    room.react(ALICE, 1, "secret")
    room.caption("secret")
    room.write("secret", chat.now)
    chat.wait(300)
    chat.exchange()
    heard = chat[BOB].heard()
    assert len(heard) == 4
    assert "secret" not in repr(heard)
    waiting = (Item(1, "secret"), LiveLine(1, "secret", ended=False))
    assert "secret" not in repr(waiting)


# ---------------------------------------------------------------------------------------------------- reactions


@pytest.mark.requirement("CHAT-4")
def test_people_react_to_texts_of_each_other_and_take_it_back(chat: Chatting) -> None:
    chat[ALICE].room.say("it works")
    chat.exchange()
    chat[BOB].room.react(ALICE, 1, "🎉")
    chat[ALICE].room.react(ALICE, 1, "🙂")
    chat.exchange()
    chat[BOB].room.react(ALICE, 1, "")
    chat.exchange()
    assert chat[ALICE].heard() == [
        Reacted(CALL_ID, BOB, ALICE, 1, "🎉"),
        Reacted(CALL_ID, BOB, ALICE, 1, ""),
    ]
    assert chat[BOB].heard()[1:] == [Reacted(CALL_ID, ALICE, ALICE, 1, "🙂")]


BAD_REACTIONS = [
    (Reaction(NOBODY, 1, "👍"), ChatReason.UNKNOWN_MEMBER),
    (Reaction(ALICE, 0, "👍"), ChatReason.NO_SUCH_TEXT),
    (Reaction(ALICE, 2, "👍"), ChatReason.NO_SUCH_TEXT),
    (Reaction(BOB, 1, "👍"), ChatReason.NO_SUCH_TEXT),
    (Reaction(ALICE, 1, "x" * 65), ChatReason.TOO_LONG),
    (Reaction(ALICE, 1, "\n"), ChatReason.CONTROL_CHARACTER),
]


@pytest.mark.requirement("CHAT-4")
@pytest.mark.parametrize(("reaction", "reason"), BAD_REACTIONS)
def test_a_reaction_is_to_a_text_that_there_is(
    three: Chatting, reaction: Reaction, reason: ChatReason
) -> None:
    three[ALICE].room.say("it works")
    three.exchange()
    for receiver in (ALICE, BOB):
        assert three.refuses(receiver, CAROL, reaction) is reason
    with pytest.raises(ChatUsageError) as refused:
        three[BOB].room.react(reaction.leaf, reaction.number, reaction.reaction)
    assert refused.value.reason is reason


@pytest.mark.requirement("CHAT-4")
def test_nobody_reacts_to_a_text_that_still_waits(chat: Chatting) -> None:
    say(chat, 2)
    assert chat.refuses(BOB, ALICE, Reaction(ALICE, 2, "👍")) is ChatReason.NO_SUCH_TEXT


# ----------------------------------------------------------------------------------------------------- receipts


def receipts(chat: Chatting, leaf: int) -> list[ChatMessage]:
    return [message for _, message in chat[leaf].sent()]


@pytest.mark.requirement("CHAT-5")
def test_receipts_are_collected_and_say_all_at_once(chat: Chatting) -> None:
    say(chat, 1, 2)
    chat.wait(499)
    say(chat, 3)
    assert receipts(chat, BOB) == []
    chat.wait(1)
    assert receipts(chat, BOB) == [Receipt(ALICE, 3, read=False)]
    chat.wait(10_000)
    assert receipts(chat, BOB) == []


@pytest.mark.requirement("CHAT-5")
def test_who_wrote_learns_what_was_delivered_and_what_was_read(chat: Chatting) -> None:
    for words in ("a", "b", "c"):
        chat[ALICE].room.say(words)
    chat.exchange()
    chat[BOB].room.read(ALICE, 2, chat.now)
    chat.wait(500)
    chat.exchange()
    chat[BOB].room.read(ALICE, 3, chat.now)
    chat[BOB].room.read(ALICE, 1, chat.now)
    chat.wait(500)
    chat.exchange()
    assert chat[ALICE].heard() == [
        Read(CALL_ID, BOB, 2),
        Delivered(CALL_ID, BOB, 3),
        Read(CALL_ID, BOB, 3),
    ]


@pytest.mark.requirement("CHAT-5")
def test_what_is_withheld_is_never_called_delivered(chat: Chatting) -> None:
    say(chat, 1, 3)
    chat.wait(5_000)
    say(chat, 4)
    chat[BOB].room.read(ALICE, 4, chat.now)
    chat.wait(5_000)
    assert receipts(chat, BOB) == [Receipt(ALICE, 1, read=False), Receipt(ALICE, 1, read=True)]


BAD_RECEIPTS = [
    (Receipt(BOB, 1, read=True), ChatReason.OWN_TEXT),
    (Receipt(NOBODY, 1, read=False), ChatReason.UNKNOWN_MEMBER),
    (Receipt(ALICE, 4, read=True), ChatReason.NO_SUCH_TEXT),
    (Receipt(ALICE, 0, read=False), ChatReason.NOTHING_NEW),
    (Receipt(ALICE, 2, read=False), ChatReason.NOTHING_NEW),
    (Receipt(ALICE, 1, read=False), ChatReason.NOTHING_NEW),
    (Receipt(ALICE, 2, read=True), ChatReason.NOTHING_NEW),
]


@pytest.mark.requirement("CHAT-5")
@pytest.mark.parametrize(("receipt", "reason"), BAD_RECEIPTS)
def test_receipts_are_about_what_was_sent_and_never_go_back(
    chat: Chatting, receipt: Receipt, reason: ChatReason
) -> None:
    for words in ("a", "b", "c"):
        chat[ALICE].room.say(words)
    chat.give(ALICE, BOB, Receipt(ALICE, 2, read=True))
    assert chat.refuses(ALICE, BOB, receipt) is reason


@pytest.mark.requirement("CHAT-5")
def test_receipts_about_a_third_members_texts_say_nothing(three: Chatting) -> None:
    three.give(ALICE, BOB, Receipt(CAROL, 9, read=True))
    assert three[ALICE].heard() == []


def test_who_likes_keeps_reading_and_writing_to_themselves() -> None:
    silent = Chatting(
        ALICE, BOB, configuration=ChatConfiguration(tell_read=False, tell_typing=False)
    )
    say(silent, 1)
    silent[BOB].room.read(ALICE, 1, silent.now)
    silent[BOB].room.typing(writes=True, now=silent.now)
    silent.wait(10_000)
    assert receipts(silent, BOB) == [Receipt(ALICE, 1, read=False)]


def test_only_texts_that_were_shown_can_be_read(three: Chatting) -> None:
    say(three, 1, 3)
    for leaf, number, reason in [
        (ALICE, 3, ChatReason.NO_SUCH_TEXT),
        (ALICE, 0, ChatReason.NO_SUCH_TEXT),
        (CAROL, 1, ChatReason.NO_SUCH_TEXT),
        (BOB, 1, ChatReason.UNKNOWN_MEMBER),
    ]:
        with pytest.raises(ChatUsageError) as refused:
            three[BOB].room.read(leaf, number, three.now)
        assert refused.value.reason is reason


# ------------------------------------------------------------------------------------------------------- typing


def typings(chat: Chatting, leaf: int) -> list[bool]:
    return [message.typing for _, message in chat[leaf].sent() if isinstance(message, Typing)]


@pytest.mark.requirement("CHAT-9")
def test_typing_is_said_seldom(chat: Chatting) -> None:
    room = chat[ALICE].room
    for _ in range(40):
        room.typing(writes=True, now=chat.now)
        chat.wait(100)
    assert typings(chat, ALICE) == [True, True]
    for _ in range(10):
        room.typing(writes=False, now=chat.now)
        room.typing(writes=True, now=chat.now)
        chat.wait(90)
    room.typing(writes=False, now=chat.now)
    chat.wait(1_000)
    assert typings(chat, ALICE) == [False]


@pytest.mark.requirement("CHAT-9")
def test_typing_ends_by_itself_and_by_a_text(chat: Chatting) -> None:
    chat.give(BOB, ALICE, Typing(typing=True))
    chat.wait(5_999)
    chat.give(BOB, ALICE, Typing(typing=True))
    chat.wait(5_999)
    assert chat[BOB].heard() == [TypingChanged(CALL_ID, ALICE, typing=True)]
    chat.wait(1)
    assert chat[BOB].heard() == [TypingChanged(CALL_ID, ALICE, typing=False)]
    chat.give(BOB, ALICE, Typing(typing=True))
    say(chat, 1)
    assert chat[BOB].heard()[1:] == [text(1), TypingChanged(CALL_ID, ALICE, typing=False)]
    chat.give(BOB, ALICE, Typing(typing=False))
    assert chat[BOB].heard() == []


@pytest.mark.requirement("CHAT-9")
def test_who_sent_a_text_need_not_say_that_the_typing_is_over(chat: Chatting) -> None:
    room = chat[ALICE].room
    room.typing(writes=True, now=chat.now)
    room.say("done")
    room.typing(writes=False, now=chat.now)
    chat.wait(10_000)
    assert typings(chat, ALICE) == [True]


# ----------------------------------------------------------------------------------------------------- captions


@pytest.mark.requirement("CHAT-7")
def test_captions_get_better_until_one_is_final(chat: Chatting) -> None:
    room = chat[ALICE].room
    numbers = [
        room.caption("I scream", "en", final=False),
        room.caption("ice cream", "en"),
        room.caption("danke", "de-CH", final=True),
    ]
    assert numbers == [1, 1, 2]
    chat.exchange()
    assert chat[BOB].heard() == [
        CaptionReceived(CALL_ID, ALICE, 1, "I scream", "en", final=False),
        CaptionReceived(CALL_ID, ALICE, 1, "ice cream", "en", final=True),
        CaptionReceived(CALL_ID, ALICE, 2, "danke", "de-CH", final=True),
    ]


@pytest.mark.requirement("CHAT-7")
@pytest.mark.parametrize("language", ["", "en", "zh-Hant-TW", "sl-rozaj-biske-1994", "x-private"])
def test_languages_are_named_as_bcp_47_does(chat: Chatting, language: str) -> None:
    chat.give(BOB, ALICE, Caption(1, "…", language, final=True))
    assert len(chat[BOB].heard()) == 1


BAD_CAPTIONS = [
    (Caption(1, "x", "en_US", final=True), ChatReason.BAD_LANGUAGE_TAG),
    (Caption(1, "x", "en-", final=True), ChatReason.BAD_LANGUAGE_TAG),
    (Caption(1, "x", "4n", final=True), ChatReason.BAD_LANGUAGE_TAG),
    (Caption(1, "x", "englishes", final=True), ChatReason.BAD_LANGUAGE_TAG),
    (Caption(1, "x", "en\n", final=True), ChatReason.BAD_LANGUAGE_TAG),
    (Caption(1, "x", "dé", final=True), ChatReason.BAD_LANGUAGE_TAG),
    (Caption(1, "x", "en" + "-abcdefgh" * 3 + "-abcdef", final=True), ChatReason.BAD_LANGUAGE_TAG),
    (Caption(1, "x" * 4_097, "", final=True), ChatReason.TOO_LONG),
    (Caption(1, "\x1b", "", final=True), ChatReason.CONTROL_CHARACTER),
    (Caption(0, "x", "", final=True), ChatReason.NUMBER_PASSED),
]


@pytest.mark.requirement("CHAT-7")
@pytest.mark.parametrize(("caption", "reason"), BAD_CAPTIONS)
def test_other_captions_are_refused(chat: Chatting, caption: Caption, reason: ChatReason) -> None:
    assert chat.refuses(BOB, ALICE, caption) is reason


@pytest.mark.requirement("CHAT-7")
def test_captions_do_not_go_back(chat: Chatting) -> None:
    chat.give(BOB, ALICE, Caption(3, "so", "", final=True))
    again, before = Caption(3, "sow", "", final=False), Caption(2, "and", "", final=True)
    assert chat.refuses(BOB, ALICE, again) is ChatReason.CAPTION_FINAL
    assert chat.refuses(BOB, ALICE, before) is ChatReason.NUMBER_PASSED


# ------------------------------------------------------------------------------------------ who reorders the rest

LATEST_COUNTS: list[tuple[ChatMessage, ChatMessage]] = [
    (Reaction(ALICE, 1, "👍"), Reaction(ALICE, 1, "")),
    (Typing(typing=True), Typing(typing=False)),
    (Typing(typing=True), Chat(2, "sent")),
    (Receipt(BOB, 1, read=False), Receipt(BOB, 2, read=False)),
    (Caption(1, "I scream", "", final=False), Caption(1, "ice cream", "", final=False)),
]


@pytest.mark.requirement("CHAT-8")
@pytest.mark.parametrize("later_epoch", [False, True])
@pytest.mark.parametrize(("earlier", "later"), LATEST_COUNTS)
def test_what_was_said_last_is_what_counts(
    chat: Chatting, earlier: ChatMessage, later: ChatMessage, later_epoch: bool
) -> None:
    chat[BOB].room.say("a")
    chat[BOB].room.say("b")
    say(chat, 1)
    first, second = (
        (Position(2, 9), Position(3, 0)) if later_epoch else (Position(2, 9), Position(2, 10))
    )
    chat.give(BOB, ALICE, later, second)
    assert chat.refuses(BOB, ALICE, earlier, first) is ChatReason.OVERTAKEN


@pytest.mark.requirement("CHAT-8")
def test_what_was_refused_overtakes_nothing(chat: Chatting) -> None:
    chat.refuses(BOB, ALICE, Reaction(ALICE, 1, "👍"), Position(2, 5))
    say(chat, 1)
    chat.give(BOB, ALICE, Reaction(ALICE, 1, "👍"), Position(2, 4))
    assert len(chat[BOB].heard()) == 2


# ----------------------------------------------------------------------------------------------- who comes and goes


def test_who_is_no_member_says_nothing(chat: Chatting) -> None:
    stranger = Chat(1, "hello")
    with pytest.raises(ChatRefused) as refused:
        chat[BOB].room.receive(NOBODY, stranger, Position(2, 0), chat.now)
    assert refused.value.reason is ChatReason.UNKNOWN_MEMBER


def test_who_leaves_has_said_what_still_waited_and_a_leaf_begins_anew(three: Chatting) -> None:
    say(three, 2)
    three.give(BOB, ALICE, Typing(typing=True))
    three[BOB].heard()
    three[BOB].room.change_members({ALICE, CAROL}, removed={ALICE}, epoch=3, now=three.now)
    assert three[BOB].heard() == [
        missing(1, 1),
        text(2),
        TypingChanged(CALL_ID, ALICE, typing=False),
    ]
    three.give(BOB, ALICE, Chat(1, "another one"), Position(3, 0))
    assert three[BOB].heard() == [text(1, "another one")]


def test_who_joins_is_heard_and_who_left_is_not(chat: Chatting) -> None:
    chat[BOB].room.change_members({CAROL}, removed={ALICE}, epoch=3, now=chat.now)
    chat[BOB].room.receive(CAROL, Chat(1, "hi"), Position(3, 0), chat.now)
    assert chat.refuses(BOB, ALICE, Chat(1, "bye")) is ChatReason.UNKNOWN_MEMBER


def test_at_the_end_what_still_waits_is_shown_and_nothing_is_sent(chat: Chatting) -> None:
    say(chat, 1, 3)
    chat.give(BOB, ALICE, LiveText(2, "d"))
    chat[BOB].room.write("unfinished", chat.now)
    chat[BOB].heard()
    chat[BOB].room.close(chat.now)
    assert chat[BOB].heard()[:2] == [missing(2, 2), text(3)]
    assert chat[BOB].room.get_timer() is None
    assert chat[BOB].sent() == []
