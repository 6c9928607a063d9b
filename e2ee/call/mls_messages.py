"""MLSMessages inside of signalling messages: decoded, and of the kind that is due there (KEYS-5)."""

from __future__ import annotations

from typing import TypeVar

from e2ee.call.errors import CallReason, CallRefused
from e2ee.mls.commit import Commit
from e2ee.mls.framing import ContentType
from e2ee.mls.message import MLSMessage, MLSMessageBody
from e2ee.mls.private_message import PrivateMessage
from e2ee.mls.public_message import PublicMessage

__all__ = ["application_message", "body", "commit_message"]

B = TypeVar("B", bound=MLSMessageBody)


def body(due: type[B], data: bytes) -> B:
    """The body of the MLSMessage that ``data`` encodes. Raises DecodeError or CallRefused."""
    found = MLSMessage.decode(data).body
    if not isinstance(found, due):
        # KEYS-5: "Handshake messages MUST be PublicMessage, application data PrivateMessage"
        detail = f"{type(found).__name__} where {due.__name__} is due"
        raise CallRefused(CallReason.WRONG_WIRE_FORMAT, detail)
    return found


def commit_message(data: bytes) -> tuple[PublicMessage, Commit]:
    """A handshake message, and the commit that it claims to carry. Raises DecodeError or CallRefused."""
    message = body(PublicMessage, data)
    commit = message.content.content
    if not isinstance(commit, Commit):
        raise CallRefused(CallReason.NOT_A_COMMIT, message.content.content_type.name.lower())
    return message, commit


def application_message(data: bytes) -> PrivateMessage:
    """A sealed application message. Raises DecodeError or CallRefused."""
    message = body(PrivateMessage, data)
    # KEYS-5: "a handshake message that comes as a PrivateMessage MUST be refused"
    if message.content_type is not ContentType.APPLICATION:
        raise CallRefused(CallReason.NOT_APPLICATION_DATA, message.content_type.name.lower())
    return message
