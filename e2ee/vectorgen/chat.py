"""Vectors of the chapter Chat: what may be said, in which order texts are shown, and how lines of real-time text stand."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from e2ee.vectorgen import chat_rooms
from e2ee.vectorgen.registry import Case, Chapter, Group

__all__ = ["CHAPTER"]

content = Group(
    "content", "May a message hold this? `text` is the message's text, or its reaction."
)
order = Group(
    "order",
    "Texts of one member arrive, each in time order; until `until` nothing else does. outcomes: of each text `taken`, or the reason"
    " for which it is refused. shown: which numbers, when, and whether as missing. delivered: up to which number a receipt says that all"
    " were delivered, 0 if there is none.",
)
newcomer = Group(
    "newcomer",
    "The same at who has just come, of a member that was there before: first it says how many texts it had sent before,"
    " `sent_before`, or it is not told that if null.",
)
live_text = Group(
    "live-text",
    "Messages of real-time text of one member arrive, and nothing else until `until`. How its lines stand then: the last one "
    "has not ended.",
)


class Refusal(StrEnum):
    """Why a receiver refuses."""

    EMPTY = "EMPTY"
    TOO_LONG = "TOO_LONG"
    CONTROL_CHARACTER = "CONTROL_CHARACTER"
    BAD_LANGUAGE_TAG = "BAD_LANGUAGE_TAG"


Content = tuple[str, str]


def _content(case: Case, said: Content, language: str = "") -> None:
    message, text = said
    case.input |= {"message": message, "text": text}
    if message == "caption":
        case.input["language"] = language


TAKEN: dict[str, Content] = {
    "text-of-one-letter": ("chat", "x"),
    "longest-text": ("chat", "x" * 16_384),
    "text-of-lines": ("chat", "two\nlines\tand a tab"),
    "text-not-normalised": ("chat", "e\u0301 and \u00e9"),
    "text-with-direction-controls": ("chat", "\u05e9\u05dc\u05d5\u05dd \u2067abc\u2069 \u202edef"),
    "text-of-joined-emoji": ("chat", "\U0001f469\u200d\U0001f469\u200d\U0001f467"),
}


@content.vector("CHAT-3", each=TAKEN)
def takes(case: Case, said: Content) -> None:
    """A text is taken as it was written."""
    _content(case, said)


@content.vector("CHAT-4", each={"longest": "\U0001f44d" * 16, "none": ""})
def takes_reaction(case: Case, reaction: str) -> None:
    """At most 64 bytes of UTF-8, which are 16 of these; an empty one leaves none."""
    _content(case, ("reaction", reaction))


@content.vector("CHAT-6", each={"longest": "\U0001f44d" * 1_024, "backspaces": "\b\b\n"})
def takes_live_text(case: Case, text: str) -> None:
    """At most 1,024 characters, whatever their bytes."""
    _content(case, ("live_text", text))


LANGUAGES = {
    "unknown": "",
    "short": "en",
    "script-and-region": "zh-Hant-TW",
    "private": "x-whatever",
    "longest": "x-" + "a2345678-" * 3 + "a23456",
}


@content.vector("CHAT-7", each=LANGUAGES)
def takes_caption_in(case: Case, language: str) -> None:
    """A language tag of BCP 47 form, or none."""
    _content(case, ("caption", "x"), language)


@content.vector("CHAT-3", reason=Refusal.EMPTY)
def text_of_nothing(case: Case) -> None:
    """A text has one byte at least."""
    _content(case, ("chat", ""))


@content.vector("CHAT-6", reason=Refusal.EMPTY)
def live_text_of_nothing(case: Case) -> None:
    """A message of real-time text has one character at least."""
    _content(case, ("live_text", ""))


@content.vector(
    "CHAT-3", reason=Refusal.TOO_LONG, each={"letters": "x" * 16_385, "bytes": "\u00e9" * 8_193}
)
def text_of_too_many(case: Case, text: str) -> None:
    """Bytes of UTF-8 count, not characters."""
    _content(case, ("chat", text))


@content.vector("CHAT-4", reason=Refusal.TOO_LONG)
def reaction_too_long(case: Case) -> None:
    """A byte more than 64."""
    _content(case, ("reaction", "\U0001f44d" * 16 + "x"))


@content.vector("CHAT-6", reason=Refusal.TOO_LONG)
def live_text_too_long(case: Case) -> None:
    """A character more than 1,024."""
    _content(case, ("live_text", "x" * 1_025))


@content.vector("CHAT-7", reason=Refusal.TOO_LONG)
def caption_too_long(case: Case) -> None:
    """A byte more than 4,096."""
    _content(case, ("caption", "x" * 4_097))


CONTROLS = {
    "nul": "a\x00",
    "carriage-return": "a\r\nb",
    "escape": "\x1b[2J",
    "backspace": "\b",
    "delete": "\x7f",
    "c1": "\x9b2J",
}


@content.vector("CHAT-3", reason=Refusal.CONTROL_CHARACTER, each=CONTROLS)
def text_with(case: Case, text: str) -> None:
    """Of control characters only U+0009 and U+000A may stand in a text."""
    _content(case, ("chat", text))


@content.vector("CHAT-4", reason=Refusal.CONTROL_CHARACTER)
def reaction_with_a_line_break(case: Case) -> None:
    """No control character may stand in a reaction."""
    _content(case, ("reaction", "\n"))


@content.vector("CHAT-6", reason=Refusal.CONTROL_CHARACTER)
def live_text_with_a_carriage_return(case: Case) -> None:
    """U+000A alone ends a line."""
    _content(case, ("live_text", "a\r\n"))


TAGS = {
    "underscore": "en_US",
    "hyphen-at-the-end": "en-",
    "digit-first": "4n",
    "subtag-of-nine": "englishes",
    "line-break-at-the-end": "en\n",
    "not-ascii": "d\u00e9",
    "of-36-characters": "en" + "-abcdefgh" * 3 + "-abcdef",
}


@content.vector("CHAT-7", reason=Refusal.BAD_LANGUAGE_TAG, each=TAGS)
def caption_with_tag(case: Case, language: str) -> None:
    """Subtags of 1 to 8 ASCII letters and digits, the first of letters only, at most 35 characters in all."""
    _content(case, ("caption", "x"), language)


Arrivals = list[tuple[int, int, str]]
"""When a text comes, its number, and what becomes of it."""


def _order(case: Case, arrivals: Arrivals, shown: list[dict[str, Any]], delivered: int) -> None:
    case.input["texts"] = [{"at": at, "number": number} for at, number, _ in arrivals]
    case.input["until"] = arrivals[-1][0] + 60_000
    case.output["outcomes"] = [outcome for *_, outcome in arrivals]
    case.output["shown"] = shown
    case.output["delivered"] = delivered


def _shown(at: int, *numbers: int) -> list[dict[str, Any]]:
    return [{"at": at, "first": number, "last": number, "missing": False} for number in numbers]


def _missing(at: int, first: int, last: int) -> list[dict[str, Any]]:
    return [{"at": at, "first": first, "last": last, "missing": True}]


@order.vector("CHAT-1")
def texts_in_order(case: Case) -> None:
    """Each is shown when it comes."""
    arrivals = [(0, 1, "taken"), (10, 2, "taken"), (20, 3, "taken")]
    _order(case, arrivals, [*_shown(0, 1), *_shown(10, 2), *_shown(20, 3)], 3)


@order.vector("CHAT-1", "CHAT-2")
def texts_that_overtook_each_other(case: Case) -> None:
    """Each waits for those before it."""
    arrivals = [(0, 3, "taken"), (10, 2, "taken"), (4_999, 1, "taken")]
    _order(case, arrivals, _shown(4_999, 1, 2, 3), 3)


@order.vector("CHAT-1")
def number_that_comes_again(case: Case) -> None:
    """The first text of a number counts, shown or waiting."""
    arrivals = [
        (0, 1, "taken"),
        (10, 1, "NUMBER_PASSED"),
        (20, 3, "taken"),
        (30, 3, "NUMBER_TAKEN"),
    ]
    _order(case, [*arrivals, (40, 2, "taken")], [*_shown(0, 1), *_shown(40, 2, 3)], 3)


@order.vector("CHAT-1")
def number_0(case: Case) -> None:
    """Numbers begin with 1."""
    _order(case, [(0, 0, "NUMBER_PASSED"), (10, 1, "taken")], _shown(10, 1), 1)


@order.vector("CHAT-1", "CHAT-2", "CHAT-5")
def text_that_was_withheld(case: Case) -> None:
    """After 5 s it is missing, stays so when it comes, and nothing from it on is called delivered."""
    arrivals = [(0, 1, "taken"), (10, 4, "taken"), (4_000, 5, "taken"), (5_011, 2, "NUMBER_PASSED")]
    shown = [*_shown(0, 1), *_missing(5_010, 2, 3), *_shown(5_010, 4, 5)]
    _order(case, [*arrivals, (6_000, 6, "taken")], [*shown, *_shown(6_000, 6)], 1)


@order.vector("CHAT-2")
def texts_with_two_gaps(case: Case) -> None:
    """Each text has waited 5 s when the gap before it is given up, and with it those before."""
    arrivals = [(0, 2, "taken"), (1_000, 6, "taken"), (2_000, 4, "taken")]
    first = [*_missing(5_000, 1, 1), *_shown(5_000, 2)]
    second = [*_missing(6_000, 3, 3), *_shown(6_000, 4), *_missing(6_000, 5, 5), *_shown(6_000, 6)]
    _order(case, arrivals, [*first, *second], 0)


@order.vector("CHAT-2")
def text_that_comes_when_it_is_given_up(case: Case) -> None:
    """In the very millisecond: what has waited for 5 s goes first."""
    shown = [*_missing(5_000, 1, 1), *_shown(5_000, 2)]
    _order(case, [(0, 2, "taken"), (5_000, 1, "NUMBER_PASSED")], shown, 0)


@order.vector("CHAT-2")
def texts_one_too_many(case: Case) -> None:
    """Of 65 that wait for the first, all are shown but the last, which waits for the one before it."""
    waiting = [(number, number, "taken") for number in range(2, 66)]
    shown = [*_missing(67, 1, 1), *_shown(67, *range(2, 66)), *_shown(70, 66, 67)]
    _order(case, [*waiting, (67, 67, "taken"), (70, 66, "taken")], shown, 0)


def _newcomer(
    case: Case,
    sent_before: int | None,
    arrivals: Arrivals,
    shown: list[dict[str, Any]],
    delivered: int,
) -> None:
    case.input["sent_before"] = sent_before
    _order(case, arrivals, shown, delivered)


@newcomer.vector("CHAT-11")
def texts_after_those_from_before(case: Case) -> None:
    """Nothing of what was said before is missing, and what is said now is delivered."""
    _newcomer(case, 2, [(0, 3, "taken"), (10, 4, "taken")], [*_shown(0, 3), *_shown(10, 4)], 4)


@newcomer.vector("CHAT-11")
def text_from_before(case: Case) -> None:
    """It is not for who was not there."""
    _newcomer(case, 2, [(0, 2, "NUMBER_PASSED"), (10, 3, "taken")], _shown(10, 3), 3)


@newcomer.vector("CHAT-5", "CHAT-11")
def first_text_that_was_withheld(case: Case) -> None:
    """It is missing, and nothing after it is called delivered."""
    shown = [*_missing(5_000, 3, 3), *_shown(5_000, 4)]
    _newcomer(case, 2, [(0, 4, "taken")], shown, 2)


@newcomer.vector("CHAT-5", "CHAT-11")
def number_that_was_withheld(case: Case) -> None:
    """The first text that comes is the next one, but nothing is called delivered."""
    arrivals = [(0, 4, "taken"), (10, 3, "NUMBER_PASSED"), (20, 6, "taken")]
    shown = [*_shown(0, 4), *_missing(5_020, 5, 5), *_shown(5_020, 6)]
    _newcomer(case, None, arrivals, shown, 0)


@newcomer.vector("CHAT-5", "CHAT-11")
def number_that_was_withheld_with_the_first_text(case: Case) -> None:
    """The first text that comes is number 2: whether there was another is not known, and nothing is called delivered."""
    _newcomer(case, None, [(0, 2, "taken"), (10, 3, "taken")], [*_shown(0, 2), *_shown(10, 3)], 0)


@newcomer.vector("CHAT-11")
def member_that_had_said_nothing(case: Case) -> None:
    """It has no number to say; who opens its first text knows that there was none before."""
    _newcomer(case, None, [(0, 1, "taken"), (10, 2, "taken")], [*_shown(0, 1), *_shown(10, 2)], 2)


Written = list[tuple[int, int, str]]


def _lines(case: Case, written: Written, *lines: str) -> None:
    case.input["messages"] = [
        {"at": at, "number": number, "text": text} for at, number, text in written
    ]
    case.input["until"] = written[-1][0] + 60_000
    case.output["lines"] = list(lines)


@live_text.vector("CHAT-6")
def line_that_grows_and_shrinks(case: Case) -> None:
    """U+0008 takes back the last character."""
    _lines(case, [(0, 1, "helo"), (300, 2, "\blo"), (600, 3, " you\b\b\b\b")], "hello")


@live_text.vector("CHAT-6")
def backspaces_at_the_beginning(case: Case) -> None:
    """An ended line never changes."""
    _lines(case, [(0, 1, "done\n"), (300, 2, "\b\b\bmore")], "done", "more")


@live_text.vector("CHAT-6")
def character_of_several_code_points(case: Case) -> None:
    """Characters are code points: one U+0008 leaves the letter without its accent."""
    _lines(case, [(0, 1, "cafe\u0301"), (300, 2, "\b")], "cafe")


@live_text.vector("CHAT-6")
def line_that_is_full(case: Case) -> None:
    """It ends with its 1,024th character."""
    _lines(case, [(0, 1, "x" * 1_023), (300, 2, "yz")], "x" * 1_023 + "y", "z")


@live_text.vector("CHAT-6")
def messages_that_overtook_each_other(case: Case) -> None:
    """Each is applied after those before it."""
    _lines(case, [(0, 2, "\b\bright"), (300, 1, "wrong, it is le")], "wrong, it is right")


@live_text.vector("CHAT-6")
def message_that_was_withheld(case: Case) -> None:
    """After 1 s U+FFFD stands for it."""
    _lines(case, [(0, 1, "I "), (300, 4, "hate you")], "I \ufffdhate you")


@live_text.vector("CHAT-6")
def gap_that_is_taken_back(case: Case) -> None:
    """U+FFFD is a character as any other."""
    _lines(case, [(0, 1, "I "), (300, 3, "\bhate you")], "I hate you")


@live_text.vector("CHAT-6")
def gap_that_fills_a_line(case: Case) -> None:
    """It is the 1,024th character."""
    _lines(case, [(0, 1, "x" * 1_023), (300, 3, "yz")], "x" * 1_023 + "\ufffd", "yz")


CHAPTER = Chapter(
    "chat",
    "L4",
    "What may be said, in which order texts are shown, and how lines of real-time text stand.",
    (content, order, newcomer, live_text, chat_rooms.GROUP),
)
