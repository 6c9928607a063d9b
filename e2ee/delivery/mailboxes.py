"""Mailboxes: what goes to a device and matters is kept until the device has taken it, or it has expired (DS-9).

A connection is sent so much and no more until it acknowledges (``sessions.InFlight``); the rest stays in the mailbox, so what
goes out live and what waited go out in one order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import cast

from e2ee.delivery.distribution import Distribution, Kept
from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.delivery.handling import Handling
from e2ee.delivery.sessions import ConnectionId, InFlight
from e2ee.delivery.transaction import Mail
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.signalling import messages, wire
from e2ee.signalling.messages import SERVICE, FromService

__all__ = ["Kept", "acknowledge", "begin", "deliver"]

_READ_AT_ONCE = 64
"""Messages that are read of a mailbox at a time: 64 MiB at most."""


def deliver(
    at: Handling,
    outgoing: Iterable[tuple[bytes, Kept]],
    *,
    unasked: Iterable[tuple[bytes, Kept]] = (),
    sender: str | None = None,
    least: int = 0,
) -> list[bytes]:
    """Keep each message for the device of this signature key, and send it on if it can be sent now.

    ``unasked`` is for whom the request does not depend on; if there is a ``sender`` it counts towards the share of this
    account. A key that is no device's gets nothing; a device whose mailbox is full, or as full of this sender's as it may be,
    gets nothing of ``unasked``. Gives these devices. Raises DeliveryError (MAILBOX_FULL) before anything is sent if one of
    ``outgoing`` cannot be kept, or fewer than ``least`` of ``unasked``: then the request is undone, and nobody gets it.
    Nothing may fail after this.
    """
    required, others = list(outgoing), list(unasked)
    distribution = Distribution(at, dict.fromkeys(key for key, _ in required + others))
    for signature_key, message in required:
        # DS-9: "it MUST refuse the request as a whole"
        distribution.put(signature_key, message, None)
    left_out = _put_if_room(distribution, others, sender, least)
    distribution.finish()
    for signature_key, message, size in distribution.kept:
        connection_id = at.service.sessions.connection_of(signature_key)
        if connection_id is not None:
            _send_on(at, connection_id, message, size)
    return left_out


def begin(at: Handling, device: VerifiedCertificate) -> None:
    """Send what waits for a device that has just logged in where the request came from."""
    _catch_up(at, device, at.service.sessions.in_flight(at.connection_id))


def acknowledge(at: Handling, device: VerifiedCertificate, message: messages.Acknowledge) -> None:
    """The device has taken all up to a number; more may follow."""
    mailbox = at.tx.mailbox(device.signature_key)
    last_number = 0 if mailbox is None else mailbox.last_number
    # DS-9: "The service MUST refuse to acknowledge a number that it has not given."
    if message.number > last_number:
        raise DeliveryError(DeliveryReason.NOT_SENT, f"{last_number} is the last")
    at.tx.remove_mail(device.signature_key, message.number)
    in_flight = at.service.sessions.in_flight(at.connection_id)
    in_flight.acknowledged(message.number)
    _catch_up(at, device, in_flight)


def _put_if_room(
    distribution: Distribution,
    unasked: Iterable[tuple[bytes, Kept]],
    sender: str | None,
    least: int,
) -> list[bytes]:
    """Gives those for which there is no room. Raises DeliveryError if there are any, and for fewer than ``least`` there is."""
    kept, left_out, full = 0, [], None
    for signature_key, message in unasked:
        try:
            kept += distribution.put(signature_key, message, sender)
        except DeliveryError as error:
            full = error
            left_out.append(signature_key)
    # DS-9: "if there is none left who is rung or written to, it MUST refuse the request"
    if full is not None and kept < least:
        raise full
    return left_out


def _send_on(at: Handling, connection_id: ConnectionId, message: Kept, size: int) -> None:
    in_flight = at.service.sessions.in_flight(connection_id)
    if in_flight.behind or not in_flight.has_room(size):
        in_flight.behind = True
        return
    in_flight.sent(message.number, size)
    at.send(connection_id, message)


def _catch_up(at: Handling, device: VerifiedCertificate, in_flight: InFlight) -> None:
    """Send what is next in the mailbox, as much as the connection may have."""
    if not in_flight.wants_more:
        return
    while in_flight.behind:
        waiting = at.tx.mail(device.signature_key, in_flight.sent_up_to, at.now, _READ_AT_ONCE)
        for mail in waiting:
            if not in_flight.has_room(len(mail.encoded)):
                return
            in_flight.sent(mail.number, len(mail.encoded))
            at.answer(_message(mail))
        in_flight.behind = len(waiting) == _READ_AT_ONCE


def _message(mail: Mail) -> FromService:
    kept = cast("Kept", wire.decode(SERVICE, mail.encoded))
    return replace(kept, number=mail.number)
