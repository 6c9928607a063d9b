"""Letters for the absent: each sealed key goes, with the content, to the device of the KeyPackage that it names (DS-14)."""

from __future__ import annotations

from collections.abc import Sequence

from e2ee.delivery import limits
from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.delivery.handling import Handling
from e2ee.delivery.mailboxes import deliver
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.signalling import messages
from e2ee.tls_syntax import Reader, opaque

__all__ = ["post"]


def post(at: Handling, device: VerifiedCertificate, request: messages.Post) -> None:
    """Leave a letter in the mailbox of each device for which there is a key, but those that are full, or of none."""
    _check_size(request)
    at.service.spending.letters.spend(device.account_id, at.now)
    receivers = [_receiver(at, key) for key in request.keys]
    _spend(at, device.account_id, receivers, request)
    letters = [messages.Letter(key, request.content) for key in request.keys]
    unasked = zip(receivers, letters, strict=True)
    deliver(at, (), unasked=unasked, sender=device.account_id, least=1)
    at.answer(messages.Stored(request.name, None))


def _check_size(request: messages.Post) -> None:
    """DS-7. Raises DeliveryError."""
    if not request.keys:
        raise DeliveryError(DeliveryReason.NO_RECEIVER)
    if len(request.keys) > limits.MAX_LETTER_KEYS:
        detail = f"at most {limits.MAX_LETTER_KEYS} keys"
        raise DeliveryError(DeliveryReason.TOO_MANY_RECEIVERS, detail)
    too_long = max(map(len, request.keys)) > limits.MAX_LETTER_KEY
    if too_long or len(request.content) > limits.MAX_LETTER_CONTENT:
        detail = f"at most {limits.MAX_LETTER_KEY} a key and {limits.MAX_LETTER_CONTENT} content"
        raise DeliveryError(DeliveryReason.TOO_MANY_BYTES, detail)


def _receiver(at: Handling, key: bytes) -> bytes:
    """The device of the KeyPackage that a sealed key begins with. Raises DecodeError, DeliveryError."""
    ref = opaque.read(Reader(key))
    signature_key = at.tx.device_of_key_package(ref, at.now)
    # DS-14: "If it knows no device for one of them it MUST refuse the letter"
    if signature_key is None:
        raise DeliveryError(DeliveryReason.UNKNOWN_KEY_PACKAGE)
    return signature_key


def _spend(at: Handling, sender: str, receivers: Sequence[bytes], request: messages.Post) -> None:
    spending = at.service.spending
    devices = [at.tx.device(signature_key) for signature_key in receivers]
    for account_id in sorted({device.account_id for device in devices if device is not None}):
        spending.letters_to_one.spend((sender, account_id), at.now)
    size = sum(map(len, request.keys)) + len(receivers) * len(request.content)
    spending.letter_bytes.spend(sender, at.now, size)
