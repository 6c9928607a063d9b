"""What can be wrong with a signalling message.

DecodeError
  WireError        bytes that are not a message of the family (SIG-1 to SIG-3)
LocalProtocolError
  MessageError     a message of ours that its declaration does not allow
"""

from __future__ import annotations

from e2ee.errors import DecodeError, LocalProtocolError, Reason, RemoteProtocolError

__all__ = ["MessageError", "VersionError", "WireError", "WireReason"]


class WireReason(Reason):
    """Which rule of the chapter Signalling was broken."""

    TOO_LARGE = "TOO_LARGE"
    """Longer than its family allows (SIG-3)."""
    TRUNCATED = "TRUNCATED"
    """The bytes end before the message does."""
    TRAILING_BYTES = "TRAILING_BYTES"
    """Bytes follow the message (SIG-2)."""
    NOT_MESSAGEPACK = "NOT_MESSAGEPACK"
    """A byte that MessagePack does not use, or a str that is not UTF-8."""
    TOO_DEEP = "TOO_DEEP"
    """Nested deeper than any message."""
    NOT_A_MESSAGE = "NOT_A_MESSAGE"
    """Not an array that opens with a name."""
    UNKNOWN_MESSAGE = "UNKNOWN_MESSAGE"
    """A name that the family does not have (SIG-2)."""
    WRONG_FIELD_COUNT = "WRONG_FIELD_COUNT"
    """Fewer or more fields than the message has (SIG-2)."""
    WRONG_TYPE = "WRONG_TYPE"
    """A field of another type (SIG-2)."""
    BEYOND_LIMIT = "BEYOND_LIMIT"
    """A field beyond its limits (SIG-2)."""
    NOT_CANONICAL = "NOT_CANONICAL"
    """Another encoding than the shortest (SIG-1)."""
    NO_COMMON_VERSION = "NO_COMMON_VERSION"
    """The two sides speak no version in common."""


class WireError(DecodeError):
    """Bytes that are not a message; ``reason`` is a ``WireReason``."""


class MessageError(LocalProtocolError):
    """A message that cannot be encoded: a field beyond its type. ``reason`` is a ``WireReason``."""


class VersionError(RemoteProtocolError):
    """The other side speaks no version that we speak."""
