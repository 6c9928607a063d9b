"""A distribution: what one request puts into mailboxes, each message encoded once, and one for many kept once (DS-9).

One table says what is kept, how long, and how far it may fill a mailbox: so letters, which anybody may leave, never keep a
call from ringing. And one stranger has a share of a mailbox, so that nobody alone fills it while its device is off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from e2ee.delivery import limits
from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.delivery.handling import Handling
from e2ee.delivery.limits import DAY, MINUTE
from e2ee.delivery.transaction import Mail, Mailbox, Share
from e2ee.signalling import messages, wire
from e2ee.signalling.messages import FromService

__all__ = ["Distribution", "Kept", "Numbered", "sweep"]

Kept = (
    messages.Invited
    | messages.Added
    | messages.Committed
    | messages.Voided
    | messages.Sent
    | messages.Letter
    | messages.Certificate
)
"""What mailboxes keep."""

Numbered = tuple[bytes, Kept, int]
"""Whose it is, the message with its number, and its size in bytes."""


@dataclass(frozen=True, slots=True)
class _Keeping:
    """For how many milliseconds; ``eighths`` of the mailbox may be full with it."""

    milliseconds: int
    eighths: int


# DS-9: the table "kept for" and "refused if so much of the mailbox is full"
_KEEPING: Mapping[type[FromService], _Keeping] = {
    messages.Invited: _Keeping(MINUTE, 8),
    messages.Added: _Keeping(MINUTE, 8),
    messages.Committed: _Keeping(limits.CALL_IDLE, 8),
    messages.Voided: _Keeping(limits.CALL_IDLE, 8),
    messages.Sent: _Keeping(limits.CALL_IDLE, 6),
    messages.Letter: _Keeping(30 * DAY, 4),
    messages.Certificate: _Keeping(30 * DAY, 8),
}


class Distribution:
    """``kept`` is what is in mailboxes after ``finish``, in the order in which it was put."""

    def __init__(self, at: Handling, receivers: Iterable[bytes]) -> None:
        """``receivers`` are all to whom something may be put."""
        self._at = at
        self._receivers = list(receivers)
        self._mailboxes = dict(at.tx.mailboxes(self._receivers))
        self._message: Kept | None = None
        self._mail = Mail(0, 0, b"")
        self._numbers: dict[bytes, int] = {}
        self._swept = False
        self.kept: list[Numbered] = []

    def put(self, signature_key: bytes, message: Kept, sender: str | None) -> bool:
        """Put this into a device's mailbox; false if there is no such device. ``sender`` is whose share it counts for.

        Raises DeliveryError (MAILBOX_FULL).
        """
        mailbox = self._mailboxes.get(signature_key)
        if mailbox is None:
            return False
        stranger = None if sender == mailbox.account_id else sender
        self._begin(signature_key, message, stranger)
        keeping = _KEEPING[type(message)]
        if not self._has_room(signature_key, mailbox, keeping):
            mailbox = self._after_sweep(signature_key)
            if not self._has_room(signature_key, mailbox, keeping):
                raise DeliveryError(DeliveryReason.MAILBOX_FULL, f"no room for {message.name}")
        number, size = mailbox.last_number + 1, len(self._mail.encoded)
        self._numbers[signature_key] = number
        self._mailboxes[signature_key] = Mailbox(
            mailbox.account_id, number, mailbox.messages + 1, mailbox.size + size
        )
        self.kept.append((signature_key, replace(message, number=number), size))
        return True

    def finish(self) -> None:
        """The last message is kept as well."""
        if self._numbers:
            self._at.tx.append_to_all(self._numbers, self._mail)
            self._numbers = {}

    def _begin(self, signature_key: bytes, message: Kept, stranger: str | None) -> None:
        """The mail to put is this message, in the share of this account."""
        same = message is self._message and stranger == self._mail.sender
        if same and signature_key not in self._numbers:
            return
        self.finish()
        if message is not self._message:
            expires_at = self._at.now + _KEEPING[type(message)].milliseconds
            self._mail = Mail(0, expires_at, wire.encode(message))
            self._message = message
        self._mail = replace(self._mail, sender=stranger)

    def _after_sweep(self, signature_key: bytes) -> Mailbox:
        """The mailbox without what has expired."""
        if not self._swept:
            self.finish()
            sweep(self._at)
            self._mailboxes = dict(self._at.tx.mailboxes(self._receivers))
            self._swept = True
        return self._mailboxes[signature_key]

    def _has_room(self, signature_key: bytes, mailbox: Mailbox, keeping: _Keeping) -> bool:
        size, stranger = len(self._mail.encoded), self._mail.sender
        if _is_full(mailbox, size, keeping.eighths):
            return False
        # DS-9: "at most an eighth of a mailbox, in messages and in bytes"
        return stranger is None or not _is_full(
            self._at.tx.share(signature_key, stranger), size, limits.MAILBOX_SHARE
        )


def sweep(at: Handling) -> None:
    """Remove what has expired, everywhere."""
    over = at.now - limits.CALL_IDLE
    at.tx.sweep(at.now, over, over - limits.CALL_ID_REMEMBERED)


def _is_full(kept: Mailbox | Share, size: int, eighths: int) -> bool:
    many = 8 * (kept.messages + 1) > eighths * limits.MAILBOX_MESSAGES
    return many or 8 * (kept.size + size) > eighths * limits.MAILBOX_BYTES
