"""Roots of the exception trees, and of the reason codes that errors carry.

Every error of this package says who erred, by its class, and which rule was broken, by its ``reason``:

    E2EEError
      LocalProtocolError       you asked for something that the protocol does not allow; nothing was sent
      RemoteProtocolError      the peer, the server or the network sent something that the protocol does not allow
        DecodeError            bytes that are not an encoding of what they should be

Packages derive their own classes and their own ``Reason`` enumerations from these. Code that handles an error
looks at the class and at ``reason``, never at the text. The text holds no secret.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = [
    "DecodeError",
    "DecodeReason",
    "E2EEError",
    "LocalProtocolError",
    "Reason",
    "RemoteProtocolError",
]


class Reason(StrEnum):
    """Base of all reason codes: stable upper-case names, the same in errors, vectors and reports."""


class E2EEError(Exception):
    """Root of everything that this package raises on purpose.

    ``reason`` is the stable code of the rule that was broken; ``detail`` is for people.
    """

    reason: Reason
    detail: str

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail


class LocalProtocolError(E2EEError):
    """The caller asked for something that the protocol does not allow. State is unchanged."""


class RemoteProtocolError(E2EEError):
    """The other side broke the protocol. State is unchanged."""


class DecodeReason(Reason):
    """Why bytes were refused."""

    TRUNCATED = "TRUNCATED"
    TRAILING_BYTES = "TRAILING_BYTES"
    BAD_LENGTH = "BAD_LENGTH"
    NON_MINIMAL_LENGTH = "NON_MINIMAL_LENGTH"
    UNKNOWN_VALUE = "UNKNOWN_VALUE"
    BAD_PRESENCE = "BAD_PRESENCE"
    TOO_LARGE = "TOO_LARGE"
    NOT_CANONICAL = "NOT_CANONICAL"


class DecodeError(RemoteProtocolError):
    """Bytes that do not decode. ``reason`` is a ``DecodeReason`` unless a package says otherwise."""
