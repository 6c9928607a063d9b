"""Why a received frame was refused: the rows of FRAME-3, in the order in which a frame is judged."""

from __future__ import annotations

from e2ee.errors import Reason

__all__ = ["RejectReason"]


class RejectReason(Reason):
    """The first check that a frame failed."""

    TOO_SHORT = "TOO_SHORT"
    """It lacks its clear bytes, or there is nothing in it."""
    NO_SLICE = "NO_SLICE"
    """It comes as H.264 and does not begin as that does, or has no slice."""
    BAD_ENDING = "BAD_ENDING"
    """It comes as H.264 and its last byte is not 80."""
    BAD_HEADER = "BAD_HEADER"
    """The SFrame header is cut off, or longer than necessary."""
    BAD_KID = "BAD_KID"
    """The KID names no stream of a call."""
    WRONG_KIND = "WRONG_KIND"
    """The KID names another kind of stream than the one that it came on, or another instance than the announced one."""
    WRONG_SENDER = "WRONG_SENDER"
    """The KID names another member than the stream's announced sender."""
    REMOVED = "REMOVED"
    """The KID names a leaf that has been removed from the group."""
    UNKNOWN_KEY = "UNKNOWN_KEY"
    """There is no key for the KID, and none came in time."""
    EXPIRED = "EXPIRED"
    """The KID's epoch has ended for this sender."""
    NOT_A_SPEAKER = "NOT_A_SPEAKER"
    """The sender may not speak in that epoch."""
    REPLAYED = "REPLAYED"
    """The counter was accepted before, or lies before the window."""
    NOT_AUTHENTIC = "NOT_AUTHENTIC"
    """The key of the KID did not make this frame, or it was changed since."""
