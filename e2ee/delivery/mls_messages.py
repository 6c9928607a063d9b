"""MLSMessages inside of service messages: decoded, and of the kind that is due there."""

from __future__ import annotations

from typing import TypeVar

from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.mls.framing import ContentType
from e2ee.mls.message import MLSMessage, MLSMessageBody
from e2ee.mls.private_message import PrivateMessage

__all__ = ["body", "check_application_message"]

B = TypeVar("B", bound=MLSMessageBody)


def body(due: type[B], data: bytes) -> B:
    """The body of the MLSMessage that ``data`` encodes. Raises DecodeError or DeliveryError."""
    message = MLSMessage.decode(data)
    if not isinstance(message.body, due):
        # KEYS-5: "Handshake messages MUST be PublicMessage, application data PrivateMessage"
        detail = f"{type(message.body).__name__} where {due.__name__} is due"
        raise DeliveryError(DeliveryReason.WRONG_WIRE_FORMAT, detail)
    return message.body


def check_application_message(data: bytes, group_id: bytes, epochs: range) -> None:
    """``data`` is application data for this group, in one of these epochs; what it says is for members.

    Raises DecodeError or DeliveryError.
    """
    message = body(PrivateMessage, data)
    # KEYS-5: "a handshake message that comes as a PrivateMessage MUST be refused"
    if message.content_type is not ContentType.APPLICATION:
        raise DeliveryError(DeliveryReason.NOT_APPLICATION_DATA, message.content_type.name)
    if message.group_id != group_id:
        raise DeliveryError(DeliveryReason.WRONG_GROUP)
    if message.epoch not in epochs:
        raise DeliveryError(
            DeliveryReason.WRONG_EPOCH, f"{message.epoch} in epoch {epochs.stop - 1}"
        )
