"""Letters: to devices that were absent, in the order of the chapter's table."""

from __future__ import annotations

from e2ee.signalling.fields import (
    U64,
    Bytes,
    Bytes16,
    Text,
)
from e2ee.signalling.messages.declaration import (
    LETTER,
    LetterContent,
    message,
)

__all__ = [
    "MissedCall",
    "Note",
    "VoiceMessage",
]


@message(LETTER, "missed_call")
class MissedCall(LetterContent):
    """The sender called at ``created_at`` (Unix milliseconds), and nobody was there."""

    call_id: Bytes16
    created_at: U64
    medium: Text


@message(LETTER, "note")
class Note(LetterContent):
    """A text."""

    created_at: U64
    text: Text


@message(LETTER, "voice_message")
class VoiceMessage(LetterContent):
    """Speech: ``audio`` is a row of Opus packets of 20 ms, each after its length as u16 (LETTER-5)."""

    created_at: U64
    audio: Bytes
