"""Mailboxes, in SQL. What goes to many is kept once: their rows name the body that they share."""

from __future__ import annotations

from collections.abc import Sequence

from e2ee.delivery.errors import DeliveryReason, StoreConflict
from e2ee.delivery.transaction import Mail, Mailbox, Share
from e2ee.server.stores.sqlite_rows import SqliteRows

__all__ = ["SqliteMailboxes"]


class SqliteMailboxes(SqliteRows):
    """See ``e2ee.delivery.transaction``."""

    def mailbox(self, signature_key: bytes) -> Mailbox | None:
        row = self._one(
            "SELECT account_id, last_number, messages, size FROM devices WHERE signature_key = ?",
            signature_key,
        )
        return None if row is None else Mailbox(*row)

    def share(self, signature_key: bytes, sender: str) -> Share:
        return Share(
            *self._one(
                "SELECT count(*), coalesce(sum(size), 0) FROM mail"
                " WHERE device = (SELECT device FROM devices WHERE signature_key = ?)"
                " AND sender = ?",
                *(signature_key, sender),
            )
        )

    def append_mail(self, signature_key: bytes, mail: Mail) -> None:
        size = len(mail.encoded)
        counted = self._one(
            "UPDATE devices SET last_number = ?, messages = messages + 1, size = size + ?"
            " WHERE signature_key = ? AND last_number = ? RETURNING device",
            *(mail.number, size, signature_key, mail.number - 1),
        )
        if counted is None:
            raise StoreConflict(DeliveryReason.CONFLICT, "the number is not the next")
        self._execute(
            "INSERT INTO mail VALUES (?, ?, ?, ?, ?, ?)",
            (counted[0], mail.number, mail.expires_at, size, mail.encoded, mail.sender),
        )

    def mail(self, signature_key: bytes, after: int, now: int, limit: int) -> Sequence[Mail]:
        rows = self._execute(
            "SELECT number, expires_at, encoded, sender FROM mail"
            " WHERE device = (SELECT device FROM devices WHERE signature_key = ?)"
            " AND number > ? AND expires_at > ? ORDER BY number LIMIT ?",
            (signature_key, after, now, limit),
        )
        return [Mail(*row) for row in rows]

    def remove_mail(self, signature_key: bytes, up_to: int) -> None:
        removed = self._execute(
            "DELETE FROM mail WHERE device = (SELECT device FROM devices WHERE signature_key = ?)"
            " AND number <= ? RETURNING device, size",
            (signature_key, up_to),
        ).fetchall()
        self._uncount(removed)

    def _uncount(self, removed: Sequence[tuple[int, int]]) -> None:
        """What was removed, as device and size, is no longer counted in its devices' rows."""
        of_device: dict[int, list[int]] = {}
        for device, size in removed:
            of_device.setdefault(device, []).append(size)
        for device, sizes in of_device.items():
            self._execute(
                "UPDATE devices SET messages = messages - ?, size = size - ? WHERE device = ?",
                (len(sizes), sum(sizes), device),
            )
