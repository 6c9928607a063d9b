"""What a chat message may say: sizes, control characters and language tags, one rule for each kind of message.

The same rule judges what the application gives and what another member sent. Nothing is normalised, trimmed or replaced: a
message is taken as it is or refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from e2ee.call.chat.errors import ChatReason
from e2ee.signalling.messages import Caption, Chat, LiveText, Reaction, Receipt, Typing

__all__ = [
    "BACKSPACE",
    "MAX_LANGUAGE",
    "MAX_LIVE_TEXT",
    "NEW_LINE",
    "ChatMessage",
    "fault",
    "is_plain",
]

ChatMessage = Chat | Reaction | Typing | Receipt | LiveText | Caption

MAX_TEXT = 16_384
"""CHAT-3: longest text, in bytes of UTF-8."""

MAX_REACTION = 64
"""CHAT-4: longest reaction, in bytes of UTF-8."""

MAX_CAPTION = 4_096
"""CHAT-7: longest caption, in bytes of UTF-8."""

MAX_LANGUAGE = 35
"""CHAT-7: longest language tag; RFC 5646 Section 4.4.1 has this number."""

MAX_LIVE_TEXT = 1_024
"""CHAT-6: most characters of one message of real-time text."""

BACKSPACE, NEW_LINE = "\b", "\n"

# CHAT-3: "a control character (U+0000 to U+001F, U+007F to U+009F) other than U+0009 and U+000A"
_OF_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_OF_REACTION = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_OF_LIVE_TEXT = re.compile(r"[\x00-\x07\x0b-\x1f\x7f-\x9f]")

_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")


def is_plain(text: str) -> bool:
    """Whether a text that a device shows is free of control characters other than U+0009 and U+000A (CHAT-3)."""
    return _OF_TEXT.search(text) is None


def fault(message: ChatMessage) -> ChatReason | None:
    """Which rule on its content a message breaks, or None."""
    return _RULES[type(message)](message)


def _fault_of_text(text: str, most: int, controls: re.Pattern[str]) -> ChatReason | None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return ChatReason.NOT_UNICODE
    if size > most:
        return ChatReason.TOO_LONG
    return ChatReason.CONTROL_CHARACTER if controls.search(text) else None


def _chat(message: Chat) -> ChatReason | None:
    return _fault_of_text(message.text, MAX_TEXT, _OF_TEXT) if message.text else ChatReason.EMPTY


def _reaction(message: Reaction) -> ChatReason | None:
    return _fault_of_text(message.reaction, MAX_REACTION, _OF_REACTION)


def _live_text(message: LiveText) -> ChatReason | None:
    if not message.text:
        return ChatReason.EMPTY
    if len(message.text) > MAX_LIVE_TEXT:
        return ChatReason.TOO_LONG
    return _fault_of_text(message.text, 4 * MAX_LIVE_TEXT, _OF_LIVE_TEXT)


def _caption(message: Caption) -> ChatReason | None:
    language = message.language
    if language and (len(language) > MAX_LANGUAGE or not _LANGUAGE.fullmatch(language)):
        return ChatReason.BAD_LANGUAGE_TAG
    return _fault_of_text(message.text, MAX_CAPTION, _OF_TEXT)


def _nothing(_: Typing | Receipt) -> None:
    return None


_RULES: Mapping[type[ChatMessage], Callable[[Any], ChatReason | None]] = {
    Chat: _chat,
    Reaction: _reaction,
    Typing: _nothing,
    Receipt: _nothing,
    LiveText: _live_text,
    Caption: _caption,
}
