"""What is left for a new device that cannot log in yet: sealed to it, kept for minutes, given once (IDENT-17, DS-15)."""

from __future__ import annotations

from e2ee.delivery import limits
from e2ee.delivery.errors import DeliveryError, DeliveryReason, StoreConflict
from e2ee.delivery.handling import Handling
from e2ee.delivery.transaction import SealedLink
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.signalling import messages

__all__ = ["await_link", "link"]


def await_link(at: Handling, request: messages.AwaitLink) -> None:
    """Give what was left, or wait for it."""
    at.service.sessions.require_greeted(at.connection_id)
    left = at.tx.take_link(request.link_id, at.now)
    if left is not None:
        at.answer(messages.Linked(left.link_id, left.sealed))
    else:
        at.service.sessions.await_link(at.connection_id, request.link_id, at.now)


def link(at: Handling, device: VerifiedCertificate, request: messages.Link) -> None:
    """Give this to the connection that waits for it, or keep it until one does."""
    if len(request.sealed) > limits.MAX_LINK_BYTES:
        raise DeliveryError(DeliveryReason.TOO_MANY_BYTES, f"at most {limits.MAX_LINK_BYTES}")
    connection_id = at.service.sessions.take_awaiting(request.link_id, at.now)
    if connection_id is not None:
        at.send(connection_id, messages.Linked(request.link_id, request.sealed))
    else:
        _keep(at, device.account_id, request)
    at.answer(messages.Stored(request.name, None))


def _keep(at: Handling, account_id: str, request: messages.Link) -> None:
    # DS-7: "8 sealed links an account"
    if at.tx.count_links(account_id, at.now) >= limits.MAX_LINKS:
        raise DeliveryError(DeliveryReason.TOO_MANY_LINKS, f"at most {limits.MAX_LINKS} are kept")
    expires_at = at.now + limits.LINK_KEPT
    try:
        at.tx.put_link(SealedLink(request.link_id, account_id, expires_at, request.sealed))
    except StoreConflict:
        raise DeliveryError(DeliveryReason.LINK_ID_USED) from None
