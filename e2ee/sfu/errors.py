"""What the forwarding unit refuses.

E2EEError
  RemoteProtocolError
    SfuError    a description, an answer or a request of a member that the unit does not take; ``refused`` carries the reason
"""

from __future__ import annotations

from e2ee.errors import Reason, RemoteProtocolError

__all__ = ["SfuError", "SfuReason"]


class SfuReason(Reason):
    """Which rule of the chapter Forwarding was broken."""

    MALFORMED_DESCRIPTION = "MALFORMED_DESCRIPTION"
    """It is no session description, or none that a connection can be made of."""
    UNEXPECTED_MEDIA = "UNEXPECTED_MEDIA"
    """Other m-sections, directions or codecs than this connection has (SFU-9)."""
    NO_FINGERPRINT = "NO_FINGERPRINT"
    NOT_SUBSCRIBED = "NOT_SUBSCRIBED"
    """An answer or a wish of a member that has no connection to get media over."""
    STALE_ANSWER = "STALE_ANSWER"
    """It answers another offer than the newest one, or one that is answered (SFU-4)."""
    TOO_MANY_CALLS = "TOO_MANY_CALLS"
    TOO_MANY_MEMBERS = "TOO_MANY_MEMBERS"
    CLOSED = "CLOSED"
    """The unit, or this member's part in it, has ended meanwhile."""


class SfuError(RemoteProtocolError):
    """A member's request is refused. The connections that it had are as they were."""
