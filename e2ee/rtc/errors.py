"""What the media layer refuses, and who erred.

    E2EEError
      LocalProtocolError
        NotPlayable           NOT_PLAYABLE: a file without pictures or sound that can be decoded
        DeviceUnavailable     NO_DEVICE, DEVICE_BUSY, DEVICE_FORBIDDEN: a camera, microphone, screen or loudspeaker
        WrongState            WRONG_STATE: a step of offer and answer out of turn, or anything after the end
      RemoteProtocolError
        DescriptionError      MALFORMED_DESCRIPTION, UNEXPECTED_MEDIA, NO_FINGERPRINT: a session description that
                              is none, or that describes another connection than the one that was agreed
        ConnectionFailed      CONNECTION_FAILED: no path to the peer, or not the peer of the fingerprint

A frame that is not sent, or not opened, raises nothing: it is counted, by one of these and of e2ee.media's reasons.
"""

from __future__ import annotations

from e2ee.errors import LocalProtocolError, Reason, RemoteProtocolError

__all__ = [
    "ConnectionFailed",
    "DescriptionError",
    "DeviceUnavailable",
    "NotPlayable",
    "RtcReason",
    "WrongState",
]


class RtcReason(Reason):
    """Which rule of the media layer was broken, or why a frame was dropped outside of e2ee.media."""

    NOT_PLAYABLE = "NOT_PLAYABLE"
    NO_DEVICE = "NO_DEVICE"
    """There is none of this name, or (ALSA, X11) it does not say why it cannot be opened."""
    DEVICE_BUSY = "DEVICE_BUSY"
    DEVICE_FORBIDDEN = "DEVICE_FORBIDDEN"
    WRONG_STATE = "WRONG_STATE"
    MALFORMED_DESCRIPTION = "MALFORMED_DESCRIPTION"
    UNEXPECTED_MEDIA = "UNEXPECTED_MEDIA"
    NO_FINGERPRINT = "NO_FINGERPRINT"
    CONNECTION_FAILED = "CONNECTION_FAILED"

    INCOMPLETE = "INCOMPLETE"
    """A received frame whose beginning never came: the stream was joined in the middle of it."""
    WRONG_CODEC = "WRONG_CODEC"
    """A received frame under a payload type of another codec than its stream's."""
    ENCODER_FAILED = "ENCODER_FAILED"
    """The encoder raised: there is no frame to send."""
    INTERNAL = "INTERNAL"
    """Something in the frame's way raised what it never should. The frame was dropped."""


class NotPlayable(LocalProtocolError):
    """A file that holds nothing that can be sent."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(RtcReason.NOT_PLAYABLE, detail)


class DeviceUnavailable(LocalProtocolError):
    """A device that cannot be captured from, or played on, now."""


class WrongState(LocalProtocolError):
    """A step that this connection cannot take now."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(RtcReason.WRONG_STATE, detail)


class DescriptionError(RemoteProtocolError):
    """The peer's session description is refused, and nothing is connected by it."""


class ConnectionFailed(RemoteProtocolError):
    """There is no connection to the peer, or there is none any more."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(RtcReason.CONNECTION_FAILED, detail)
