"""Mailboxes: what goes to a device and matters is kept until the device has taken it, or it has expired (DS-9).

One table says what is kept, how long, and how far it may fill a mailbox: so letters, which anybody may leave, never keep a
call from ringing. And one stranger has a share of a mailbox, so that nobody alone fills it while its device is off. A connection is sent so much and no more until it acknowledges (``sessions.InFlight``); the rest stays in
the mailbox, so what goes out live and what waited go out in one order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import cast

from e2ee.delivery import limits
from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.delivery.handling import Handling
from e2ee.delivery.limits import DAY, MINUTE
from e2ee.delivery.sessions import ConnectionId, InFlight
from e2ee.delivery.transaction import Mail, Mailbox, Share, Transaction
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.signalling import messages, wire
from e2ee.signalling.messages import SERVICE, FromService

__all__ = ["Kept", "acknowledge", "begin", "deliver", "sweep"]

Kept = (
    messages.Invited | messages.Committed | messages.Sent | messages.Letter | messages.Certificate
)
"""What mailboxes keep."""


@dataclass(frozen=True, slots=True)
class _Keeping:
    """For how many milliseconds; ``eighths`` of the mailbox may be full with it."""

    milliseconds: int
    eighths: int


# DS-9: the table "kept for" and "refused if so much of the mailbox is full"
_KEEPING: Mapping[type[FromService], _Keeping] = {
    messages.Invited: _Keeping(MINUTE, 8),
    messages.Committed: _Keeping(limits.CALL_IDLE, 8),
    messages.Sent: _Keeping(limits.CALL_IDLE, 6),
    messages.Letter: _Keeping(30 * DAY, 4),
    messages.Certificate: _Keeping(30 * DAY, 8),
}

_READ_AT_ONCE = 64
"""Messages that are read of a mailbox at a time: 64 MiB at most."""


def deliver(
    at: Handling,
    outgoing: Iterable[tuple[bytes, Kept]],
    *,
    unasked: Iterable[tuple[bytes, Kept]] = (),
    sender: str | None = None,
    least: int = 0,
) -> None:
    """Keep each message for the device of this signature key, and send it on if it can be sent now.

    ``unasked`` is what its receiver had no say in; it counts towards the share of the account ``sender``. A key that is no
    device's gets nothing; a device whose mailbox is full, or as full of this sender's as it may be, gets nothing of
    ``unasked``. Raises DeliveryError (MAILBOX_FULL) before anything is sent if one of ``outgoing`` cannot be kept, or fewer
    than ``least`` of ``unasked``: then the request is undone, and nobody gets it. Nothing may fail after this.
    """
    kept = [each for to_one in outgoing if (each := _kept(at, *to_one)) is not None]
    kept += _kept_if_room(at, unasked, sender, least)
    for signature_key, message, size in kept:
        connection_id = at.service.sessions.connection_of(signature_key)
        if connection_id is not None:
            _send_on(at, connection_id, message, size)


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


def sweep(at: Handling) -> None:
    """Remove what has expired, everywhere."""
    over = at.now - limits.CALL_IDLE
    at.tx.sweep(at.now, over, over - limits.CALL_ID_REMEMBERED)


_Numbered = tuple[bytes, Kept, int]
"""Whose it is, the message with its number, and its size in bytes."""


def _kept(
    at: Handling, signature_key: bytes, message: Kept, sender: str | None = None
) -> _Numbered | None:
    """The message, which is in the mailbox now; None if there is no such device. Raises DeliveryError."""
    mailbox = at.tx.mailbox(signature_key)
    if mailbox is None:
        return None
    numbered = replace(message, number=mailbox.last_number + 1)
    encoded = wire.encode(numbered)
    keeping = _KEEPING[type(message)]
    stranger = None if sender == mailbox.account_id else sender
    mail = Mail(numbered.number, at.now + keeping.milliseconds, encoded, stranger)
    if not _has_room(at.tx, signature_key, mailbox, mail, keeping):
        sweep(at)
        swept = at.tx.mailbox(signature_key)
        # DS-9: "it MUST refuse the request as a whole"
        if swept is None or not _has_room(at.tx, signature_key, swept, mail, keeping):
            raise DeliveryError(DeliveryReason.MAILBOX_FULL, f"no room for {message.name}")
    at.tx.append_mail(signature_key, mail)
    return signature_key, numbered, len(encoded)


def _kept_if_room(
    at: Handling, unasked: Iterable[tuple[bytes, Kept]], sender: str | None, least: int
) -> list[_Numbered]:
    """Those for which there is room. Raises DeliveryError if some were left out, and fewer than ``least`` were not."""
    kept: list[_Numbered] = []
    full: DeliveryError | None = None
    for to_one in unasked:
        try:
            if (each := _kept(at, *to_one, sender)) is not None:
                kept.append(each)
        except DeliveryError as error:
            full = error
    # DS-9: "if there is none left who is rung or written to, it MUST refuse the request"
    if full is not None and len(kept) < least:
        raise full
    return kept


def _has_room(
    tx: Transaction, signature_key: bytes, mailbox: Mailbox, mail: Mail, keeping: _Keeping
) -> bool:
    size = len(mail.encoded)
    if _is_full(mailbox, size, keeping.eighths):
        return False
    # DS-9: "at most an eighth of a mailbox, in messages and in bytes"
    return mail.sender is None or not _is_full(
        tx.share(signature_key, mail.sender), size, limits.MAILBOX_SHARE
    )


def _is_full(kept: Mailbox | Share, size: int, eighths: int) -> bool:
    many = 8 * (kept.messages + 1) > eighths * limits.MAILBOX_MESSAGES
    return many or 8 * (kept.size + size) > eighths * limits.MAILBOX_BYTES


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
            at.answer(cast("FromService", wire.decode(SERVICE, mail.encoded)))
        in_flight.behind = len(waiting) == _READ_AT_ONCE
