"""Service messages between a device and the forwarding unit, which the delivery service passes on (chapter Forwarding).

Nothing in them is trusted: a description says how packets travel, never whose they are (SFU-2).
"""

from __future__ import annotations

from e2ee.signalling.fields import (
    U32,
    Bytes16,
    ListOfText,
    ListOfU32,
    Text,
)
from e2ee.signalling.messages.declaration import (
    SERVICE,
    FromDevice,
    FromService,
    message,
)

__all__ = [
    "MediaAnswer",
    "MediaLost",
    "MediaOffer",
    "MediaPublished",
    "PublishMedia",
    "SubscribeMedia",
    "WantMedia",
]


@message(SERVICE, "publish_media")
class PublishMedia(FromDevice):
    """Offers the connection over which this device publishes; one that it had before is closed (SFU-3)."""

    call_id: Bytes16
    description: Text


@message(SERVICE, "media_published")
class MediaPublished(FromService):
    """Answers ``publish_media``."""

    call_id: Bytes16
    description: Text


@message(SERVICE, "subscribe_media")
class SubscribeMedia(FromDevice):
    """Asks for the connection over which this device gets the others' media; one that it had before is closed (SFU-3)."""

    call_id: Bytes16


@message(SERVICE, "media_offer")
class MediaOffer(FromService):
    """Offers that connection, or a change of it; ``number`` is above that of every offer before (SFU-4).

    Each element of the three lists is one m-section in use: its ``mids``, whose it is said to be (``leaves``), and the mid
    under which that member published it (``source_mids``). Hints (SFU-2).
    """

    call_id: Bytes16
    number: U32
    description: Text
    mids: ListOfText
    leaves: ListOfU32
    source_mids: ListOfText


@message(SERVICE, "media_answer")
class MediaAnswer(FromDevice):
    """Answers the ``media_offer`` of this number."""

    call_id: Bytes16
    number: U32
    description: Text


@message(SERVICE, "want_media")
class WantMedia(FromDevice):
    """Of all video, only these m-sections of the newest offer are wanted now, in order of importance (SFU-6)."""

    call_id: Bytes16
    mids: ListOfText


@message(SERVICE, "media_lost")
class MediaLost(FromService):
    """The forwarding unit has no connection of this device any more; it may offer and ask anew."""

    call_id: Bytes16
