"""What the sending half refuses to do, and what callers of either half may not ask for.

    E2EEError
      LocalProtocolError
        NoSendKey           NO_SEND_KEY: no epoch may be sent with now, or this device may not speak
        BadFrame            TOO_SHORT: an encoder's frame without its clear bytes, or empty
                            NO_SLICE: one of H.264 in which nothing can be clear
                            BAD_ENDING: what came as one of H.264 does not end as senders end it
        BadStream           KIND_WITHOUT_CODEC, STREAM_EXISTS: a stream that calls do not have, or have already
        BadEpoch            UNSUITABLE_SUITE, BAD_KEY_LENGTH, LEAF_NOT_IN_ROSTER, LEAF_OUT_OF_RANGE,
                            NOT_NEWER: an epoch that cannot follow

An exhausted counter raises ``e2ee.sframe.errors.CounterExhausted``. What comes from outside never raises here: the
opener answers with a ``RejectReason``.
"""

from __future__ import annotations

from e2ee.errors import LocalProtocolError, Reason

__all__ = ["BadEpoch", "BadFrame", "BadStream", "MediaReason", "NoSendKey"]


class MediaReason(Reason):
    """Which rule was broken."""

    NO_SEND_KEY = "NO_SEND_KEY"
    TOO_SHORT = "TOO_SHORT"
    NO_SLICE = "NO_SLICE"
    BAD_ENDING = "BAD_ENDING"
    KIND_WITHOUT_CODEC = "KIND_WITHOUT_CODEC"
    STREAM_EXISTS = "STREAM_EXISTS"
    UNSUITABLE_SUITE = "UNSUITABLE_SUITE"
    BAD_KEY_LENGTH = "BAD_KEY_LENGTH"
    LEAF_NOT_IN_ROSTER = "LEAF_NOT_IN_ROSTER"
    LEAF_OUT_OF_RANGE = "LEAF_OUT_OF_RANGE"
    NOT_NEWER = "NOT_NEWER"


class NoSendKey(LocalProtocolError):
    """There is nothing to protect the frame with; nothing of it may leave."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(MediaReason.NO_SEND_KEY, detail)


class BadFrame(LocalProtocolError):
    """An encoder's output that cannot be protected; nothing of it may leave. Or what came cannot be one of these."""

    def __init__(self, detail: str = "", reason: MediaReason = MediaReason.TOO_SHORT) -> None:
        super().__init__(reason, detail)


class BadStream(LocalProtocolError):
    """A stream that calls do not have, or have already."""


class BadEpoch(LocalProtocolError):
    """An epoch that cannot follow. The epochs are as they were."""
