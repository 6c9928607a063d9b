"""Why chat refused something.

    RemoteProtocolError
      ChatRefused        a message that breaks a rule of the chapter Chat; nothing changed
    LocalProtocolError
      ChatUsageError     the application asked for something that chat does not allow; nothing changed

No error holds a word of what people say.
"""

from __future__ import annotations

from e2ee.errors import LocalProtocolError, Reason, RemoteProtocolError

__all__ = ["ChatReason", "ChatRefused", "ChatUsageError"]


class ChatReason(Reason):
    """The rules of the chapter Chat that a message or an application can break."""

    UNKNOWN_MEMBER = "UNKNOWN_MEMBER"  # no leaf of the call

    # what a message says
    EMPTY = "EMPTY"  # CHAT-3, CHAT-6
    TOO_LONG = "TOO_LONG"  # CHAT-3, CHAT-4, CHAT-6, CHAT-7
    NOT_UNICODE = "NOT_UNICODE"  # a lone surrogate
    CONTROL_CHARACTER = "CONTROL_CHARACTER"  # CHAT-3, CHAT-4, CHAT-6, CHAT-7
    BAD_LANGUAGE_TAG = "BAD_LANGUAGE_TAG"  # CHAT-7

    # its number, or that of the text that it is about
    NUMBER_PASSED = "NUMBER_PASSED"  # CHAT-1, CHAT-6, CHAT-7: shown, or shown as missing
    NUMBER_TAKEN = "NUMBER_TAKEN"  # CHAT-1, CHAT-6: another one waits
    CAPTION_FINAL = "CAPTION_FINAL"  # CHAT-7
    NO_SUCH_TEXT = "NO_SUCH_TEXT"  # CHAT-4, CHAT-5
    OWN_TEXT = "OWN_TEXT"  # CHAT-5: its sender has read its own texts
    NOTHING_NEW = "NOTHING_NEW"  # CHAT-5
    OVERTAKEN = "OVERTAKEN"  # CHAT-8


class ChatRefused(RemoteProtocolError):
    """A message that chat does not allow. State is unchanged."""


class ChatUsageError(LocalProtocolError):
    """The application asked for what chat does not allow. State is unchanged."""
