"""Mailboxes, in SQL. What goes to many is kept once: their rows name the body that they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from e2ee.delivery.errors import DeliveryReason, StoreConflict
from e2ee.delivery.transaction import Mail, Mailbox, Share
from e2ee.server.stores.sqlite_rows import SqliteRows

__all__ = ["SqliteMailboxes"]


_MAILBOX = (
    "SELECT account_id, last_number, messages, size FROM devices JOIN mailboxes USING (device)"
    " WHERE signature_key = ?"
)

_COUNT = (
    "UPDATE mailboxes SET last_number = ?, messages = messages + 1, size = size + ?"
    " WHERE device = (SELECT device FROM devices WHERE signature_key = ?) AND last_number = ?"
)


class SqliteMailboxes(SqliteRows):
    """See ``e2ee.delivery.transaction``."""

    def mailbox(self, signature_key: bytes) -> Mailbox | None:
        return self.mailboxes([signature_key]).get(signature_key)

    def mailboxes(self, signature_keys: Sequence[bytes]) -> Mapping[bytes, Mailbox]:
        return {key: Mailbox(*row) for key in signature_keys if (row := self._one(_MAILBOX, key))}

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
        self._append({signature_key: mail.number}, mail, mail.encoded, None)

    def append_to_all(self, numbers: Mapping[bytes, int], mail: Mail) -> None:
        if not numbers:
            return
        with self._undone_on_error("append_to_all"):
            (body,) = self._one(
                "INSERT INTO bodies (encoded) VALUES (?) RETURNING body", mail.encoded
            )
            self._append(numbers, mail, b"", body)

    def _append(
        self, numbers: Mapping[bytes, int], mail: Mail, encoded: bytes, body: int | None
    ) -> None:
        size = len(mail.encoded)
        counted = self._execute_many(
            _COUNT, [(number, size, key, number - 1) for key, number in numbers.items()]
        )
        if counted.rowcount != len(numbers):
            raise StoreConflict(DeliveryReason.CONFLICT, "the number is not the next")
        shared = (mail.expires_at, size, encoded, mail.sender, body)
        self._execute_many(
            "INSERT INTO mail SELECT device, ?, ?, ?, ?, ?, ? FROM devices WHERE signature_key = ?",
            [(number, *shared, key) for key, number in numbers.items()],
        )

    def mail(self, signature_key: bytes, after: int, now: int, limit: int) -> Sequence[Mail]:
        rows = self._execute(
            "SELECT number, expires_at, coalesce(bodies.encoded, mail.encoded), sender"
            " FROM mail LEFT JOIN bodies USING (body)"
            " WHERE device = (SELECT device FROM devices WHERE signature_key = ?)"
            " AND number > ? AND expires_at > ? ORDER BY number LIMIT ?",
            (signature_key, after, now, limit),
        )
        return [Mail(*row) for row in rows]

    def remove_mail(self, signature_key: bytes, up_to: int) -> None:
        self._uncount(
            "DELETE FROM mail WHERE device = (SELECT device FROM devices WHERE signature_key = ?)"
            " AND number <= ? RETURNING device, size",
            (signature_key, up_to),
        )

    def _uncount(self, deletion: str, values: Sequence[object]) -> None:
        """What is deleted, which the statement gives as device and size, is no longer counted."""
        of_device: dict[int, list[int]] = {}
        for device, size in self._execute(deletion, values).fetchall():
            of_device.setdefault(device, []).append(size)
        self._execute_many(
            "UPDATE mailboxes SET messages = messages - ?, size = size - ? WHERE device = ?",
            [(len(sizes), sum(sizes), device) for device, sizes in of_device.items()],
        )
