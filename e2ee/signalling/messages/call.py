"""Call messages: between the devices of a call, in the order of the chapter's table."""

from __future__ import annotations

from e2ee.signalling.fields import (
    U32,
    U64,
    Bool,
    Bytes32,
    Text,
)
from e2ee.signalling.messages.declaration import (
    CALL,
    CallMessage,
    message,
)

__all__ = [
    "Accepted",
    "Alive",
    "AnswerDescription",
    "Busy",
    "Caption",
    "Chat",
    "CodeCommit",
    "CodeReveal",
    "Hangup",
    "LiveText",
    "Media",
    "Offer",
    "Reaction",
    "Receipt",
    "Reconnect",
    "Reconnected",
    "Ringing",
    "Typing",
]


@message(CALL, "offer")
class Offer(CallMessage):
    """The first application message of epoch 1 (CALL-3); ``created_at`` in Unix milliseconds.

    ``medium`` is what the caller would like: ``text``, ``voice`` or ``video``.
    """

    created_at: U64
    medium: Text


@message(CALL, "ringing")
class Ringing(CallMessage):
    """A device of the callee rings (CALL-17)."""


@message(CALL, "busy")
class Busy(CallMessage):
    """A device of the callee is in another call (CALL-18)."""


@message(CALL, "accepted")
class Accepted(CallMessage):
    """The caller's session description, after the Answer (CALL-7)."""

    description: Text


@message(CALL, "answer_description")
class AnswerDescription(CallMessage):
    """The answering device's session description (CALL-9)."""

    description: Text


@message(CALL, "reconnect")
class Reconnect(CallMessage):
    """The caller's description of a new connection in the place of a lost one (CALL-28)."""

    number: U32
    description: Text


@message(CALL, "reconnected")
class Reconnected(CallMessage):
    """The answering device's description of that connection (CALL-28)."""

    number: U32
    description: Text


@message(CALL, "alive")
class Alive(CallMessage):
    """The sender is in ``epoch`` (CALL-11); ``clock`` in Unix milliseconds."""

    epoch: U64
    clock: U64


@message(CALL, "media")
class Media(CallMessage):
    """What the sender sends from now on (CALL-26)."""

    microphone: Bool
    camera: Bool
    screen: Bool
    on_hold: Bool


@message(CALL, "hangup")
class Hangup(CallMessage):
    """Ends the call; ``reason`` is one of CALL-13's table, ``text`` a person's words with ``declined``."""

    reason: Text
    text: Text = ""


@message(CALL, "chat")
class Chat(CallMessage):
    """A text; ``number`` counts the sender's (CHAT-1)."""

    number: U64
    text: Text


@message(CALL, "reaction")
class Reaction(CallMessage):
    """A reaction to the text ``number`` of the member at ``leaf``; an empty one takes it back (CHAT-4)."""

    leaf: U32
    number: U64
    reaction: Text


@message(CALL, "typing")
class Typing(CallMessage):
    """Whether the sender writes."""

    typing: Bool


@message(CALL, "receipt")
class Receipt(CallMessage):
    """The sender has all texts up to ``number`` of the member at ``leaf``, and has ``read`` them (CHAT-5)."""

    leaf: U32
    number: U64
    read: Bool


@message(CALL, "live_text")
class LiveText(CallMessage):
    """Real-time text: what was written since the last one (CHAT-6)."""

    number: U64
    text: Text


@message(CALL, "caption")
class Caption(CallMessage):
    """What somebody says, as text; not ``final`` if a better one of this ``number`` may follow (CHAT-7)."""

    number: U64
    text: Text
    language: Text
    final: Bool


@message(CALL, "code_commit")
class CodeCommit(CallMessage):
    """First half of a spoken code (VERIFY-3)."""

    attempt: U32
    commitment: Bytes32


@message(CALL, "code_reveal")
class CodeReveal(CallMessage):
    """Second half of a spoken code (VERIFY-3)."""

    attempt: U32
    random: Bytes32
