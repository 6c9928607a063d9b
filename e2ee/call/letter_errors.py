"""Why a letter was refused.

RemoteProtocolError
  LetterRefused      a letter that must not be shown; nothing changed, and its sender learns nothing

What the layers below refuse (a tag, a certificate, an account that is not trusted) passes through as it is.
"""

from __future__ import annotations

from e2ee.errors import Reason, RemoteProtocolError

__all__ = ["LetterReason", "LetterRefused"]


class LetterReason(Reason):
    """Which rule of the chapter Letters was broken."""

    NO_SUCH_KEY_PACKAGE = "NO_SUCH_KEY_PACKAGE"
    """Used, expired, or never this device's."""
    BAD_KEY = "BAD_KEY"
    WRONG_COMMITMENT = "WRONG_COMMITMENT"
    BAD_PADDING = "BAD_PADDING"
    BAD_SIGNATURE = "BAD_SIGNATURE"
    BAD_AUDIO = "BAD_AUDIO"
    BAD_TEXT = "BAD_TEXT"
    UNKNOWN_MEDIUM = "UNKNOWN_MEDIUM"
    WRONG_RECIPIENT = "WRONG_RECIPIENT"
    TOO_OLD = "TOO_OLD"
    FROM_THE_FUTURE = "FROM_THE_FUTURE"
    SEEN_BEFORE = "SEEN_BEFORE"
    BLOCKED = "BLOCKED"


class LetterRefused(RemoteProtocolError):
    """A letter that is not shown. State is unchanged."""
