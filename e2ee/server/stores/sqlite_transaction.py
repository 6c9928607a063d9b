"""``Transaction`` in SQL, a statement or two for each of its methods. Begun, ended and undone by ``sqlite``."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from e2ee.crypto.secret import Secret
from e2ee.delivery.errors import DeliveryReason, StoreConflict
from e2ee.delivery.transaction import (
    CallRecord,
    HeldKeyPackage,
    Invitation,
    LogEntry,
    Mail,
    Mailbox,
    SealedLink,
    Share,
    Shelf,
    Totals,
)
from e2ee.identity.device_certificate import VerifiedCertificate, verify_certificate

__all__ = ["SqliteTransaction"]


@lru_cache(maxsize=8_192)
def _verified(certificate: bytes, signature_key: bytes) -> VerifiedCertificate:
    """A file is no reason to take a certificate for verified."""
    return verify_certificate(certificate, signature_key)


class SqliteTransaction:
    """See ``e2ee.delivery.transaction``."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._execute = db.execute

    @contextlib.contextmanager
    def savepoint(self) -> Iterator[None]:
        self._execute("SAVEPOINT request")
        try:
            yield
        except BaseException:
            self._execute("ROLLBACK TO request")
            raise
        finally:
            self._execute("RELEASE request")

    def _one(self, statement: str, *values: Any) -> Any:
        """The first row, or None."""
        return self._execute(statement, values).fetchone()

    def _added(self, what: str, statement: str, *values: Any) -> None:
        """A conditional write, which adds or changes a row. Raises StoreConflict if the condition did not hold."""
        if self._execute(statement, values).rowcount != 1:
            raise StoreConflict(DeliveryReason.CONFLICT, what)

    # The service

    def identity(self) -> Secret | None:
        row = self._one("SELECT value FROM service WHERE name = 'identity'")
        return None if row is None else Secret(row[0])

    def put_identity(self, encoded: bytes) -> None:
        self._execute("INSERT OR REPLACE INTO service VALUES ('identity', ?)", (encoded,))

    # Accounts and devices

    def account_key(self, account_id: str) -> bytes | None:
        row = self._one("SELECT account_key FROM accounts WHERE account_id = ?", account_id)
        return None if row is None else bytes(row[0])

    def put_account(self, account_id: str, account_key: bytes) -> None:
        self._execute(
            "INSERT INTO accounts (account_id, account_key) VALUES (?, ?)"
            " ON CONFLICT DO UPDATE SET account_key = excluded.account_key",
            (account_id, account_key),
        )

    def devices(self, account_id: str) -> Sequence[VerifiedCertificate]:
        rows = self._execute(
            "SELECT certificate, signature_key FROM devices WHERE account_id = ? ORDER BY device",
            (account_id,),
        )
        return [_verified(*row) for row in rows]

    def device(self, signature_key: bytes) -> VerifiedCertificate | None:
        row = self._one("SELECT certificate FROM devices WHERE signature_key = ?", signature_key)
        return None if row is None else _verified(row[0], signature_key)

    def put_device(self, certificate: VerifiedCertificate) -> None:
        encoded, account_id = certificate.certificate.encode(), certificate.account_id
        self._execute(
            "INSERT INTO devices (signature_key, account_id, certificate, last_number)"
            " SELECT ?, account_id, ?, retired FROM accounts WHERE account_id = ?"
            " ON CONFLICT DO UPDATE SET certificate = excluded.certificate",
            (certificate.signature_key, encoded, account_id),
        )

    def remove_device(self, signature_key: bytes) -> None:
        removed = self._one(
            "DELETE FROM devices WHERE signature_key = ? RETURNING last_number, account_id",
            signature_key,
        )
        if removed is not None:
            self._execute(
                "UPDATE accounts SET retired = max(retired, ?) WHERE account_id = ?", removed
            )

    # KeyPackages

    def shelf(self, signature_key: bytes, now: int) -> Shelf:
        rows = self._execute(
            "SELECT encoded IS NOT NULL, last_resort, suite, count(*) FROM key_packages"
            " WHERE device = (SELECT device FROM devices WHERE signature_key = ?)"
            " AND not_after >= ? GROUP BY 1, 2, 3",
            (signature_key, now // 1000),
        ).fetchall()
        return Shelf(
            held=sum(count for held, _, _, count in rows if held),
            handed_out=sum(count for held, _, _, count in rows if not held),
            last_resorts={suite for held, last_resort, suite, _ in rows if held and last_resort},
        )

    def device_of_key_package(self, ref: bytes, now: int) -> bytes | None:
        row = self._one(
            "SELECT signature_key FROM key_packages JOIN devices USING (device)"
            " WHERE ref = ? AND not_after >= ?",
            *(ref, now // 1000),
        )
        return None if row is None else bytes(row[0])

    def hold(self, signature_key: bytes, key_packages: Sequence[HeldKeyPackage]) -> None:
        for package in key_packages:
            if package.last_resort:
                self._execute(
                    "UPDATE key_packages SET encoded = NULL WHERE last_resort AND suite = ?"
                    " AND device = (SELECT device FROM devices WHERE signature_key = ?)",
                    (package.suite, signature_key),
                )
            self._execute(
                "INSERT INTO key_packages (ref, device, suite, last_resort, not_after, encoded)"
                " SELECT ?, device, ?, ?, ?, ? FROM devices WHERE signature_key = ?",
                (
                    *(package.ref, package.suite, package.last_resort, package.not_after),
                    *(package.encoded, signature_key),
                ),
            )

    def take_key_package(self, signature_key: bytes, suite: int, now: int) -> HeldKeyPackage | None:
        row = self._one(
            "SELECT ref, suite, not_after, encoded, last_resort FROM key_packages"
            " WHERE device = (SELECT device FROM devices WHERE signature_key = ?)"
            " AND suite = ? AND not_after >= ? AND encoded IS NOT NULL"
            " ORDER BY last_resort, position LIMIT 1",
            *(signature_key, suite, now // 1000),
        )
        if row is None:
            return None
        ref, suite, not_after, encoded, last_resort = row
        taken = HeldKeyPackage(ref, suite, not_after, encoded, bool(last_resort))
        if not taken.last_resort:
            self._execute("UPDATE key_packages SET encoded = NULL WHERE ref = ?", (taken.ref,))
        return taken

    def withdraw(self, signature_key: bytes) -> None:
        device = "device = (SELECT device FROM devices WHERE signature_key = ?)"
        self._execute(
            f"UPDATE key_packages SET encoded = NULL WHERE last_resort AND {device}",  # noqa: S608
            (signature_key,),
        )
        self._execute(
            f"DELETE FROM key_packages WHERE encoded IS NOT NULL AND {device}",  # noqa: S608
            (signature_key,),
        )

    # Mailboxes

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

    # Calls

    def call(self, call_id: bytes) -> CallRecord | None:
        row = self._one(
            "SELECT opener, account_id, grown_at, entries FROM calls WHERE call_id = ?", call_id
        )
        return None if row is None else CallRecord(*row)

    def count_calls(self, opener: bytes, account_id: str, since: int) -> tuple[int, int]:
        by_device, by_account = self._one(
            "SELECT (SELECT count(*) FROM calls WHERE opener = ? AND grown_at >= ?),"
            " (SELECT count(*) FROM calls WHERE account_id = ? AND grown_at >= ?)",
            *(opener, since, account_id, since),
        )
        return by_device, by_account

    def add_call(self, call_id: bytes, entry: LogEntry) -> None:
        device = entry.device
        self._added(
            "the call's id is taken",
            "INSERT INTO calls VALUES (?, ?, ?, ?, 0) ON CONFLICT DO NOTHING",
            *(call_id, device.signature_key, device.account_id, entry.received_at),
        )
        self.add_entry(call_id, 0, entry, [device.signature_key])

    def add_entry(
        self, call_id: bytes, position: int, entry: LogEntry, members: Sequence[bytes]
    ) -> None:
        self._added(
            "the log has grown",
            "UPDATE calls SET grown_at = ?, entries = ? WHERE call_id = ? AND entries = ?",
            *(entry.received_at, position + 1, call_id, position),
        )
        device = entry.device
        self._execute(
            "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)",
            (
                *(call_id, position, device.signature_key, device.certificate.encode()),
                *(entry.received_at, entry.request),
            ),
        )
        self._execute("DELETE FROM members WHERE call_id = ?", (call_id,))
        for member in members:
            self._execute("INSERT INTO members VALUES (?, ?)", (member, call_id))

    def log(self, call_id: bytes) -> Sequence[LogEntry]:
        rows = self._execute(
            "SELECT certificate, signature_key, received_at, request FROM log"
            " WHERE call_id = ? ORDER BY position",
            (call_id,),
        )
        return [LogEntry(_verified(*row[:2]), *row[2:]) for row in rows]

    def calls_of(self, signature_key: bytes, since: int) -> Sequence[bytes]:
        rows = self._execute(
            "SELECT call_id FROM members JOIN calls USING (call_id)"
            " WHERE signature_key = ? AND grown_at >= ? ORDER BY call_id",
            (signature_key, since),
        )
        return [call_id for (call_id,) in rows]

    # Invitations and links

    def put_invitation(self, invitation: Invitation) -> None:
        self._execute(
            "INSERT INTO invitations VALUES (?, ?, ?)",
            (invitation.digest, invitation.account_id, invitation.expires_at),
        )

    def take_invitation(self, digest: bytes, now: int) -> Invitation | None:
        row = self._one("DELETE FROM invitations WHERE digest = ? RETURNING *", digest)
        return Invitation(*row) if row is not None and row[2] > now else None

    def put_link(self, link: SealedLink) -> None:
        self._added(
            "the link's id is taken",
            "INSERT INTO links VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            *(link.link_id, link.account_id, link.expires_at, link.sealed),
        )

    def take_link(self, link_id: bytes, now: int) -> SealedLink | None:
        row = self._one("DELETE FROM links WHERE link_id = ? RETURNING *", link_id)
        return SealedLink(*row) if row is not None and row[2] > now else None

    def count_links(self, account_id: str, now: int) -> int:
        row = self._one(
            "SELECT count(*) FROM links WHERE account_id = ? AND expires_at > ?", account_id, now
        )
        count: int = row[0]
        return count

    # For who watches the service

    def totals(self, since: int) -> Totals:
        return Totals(
            *self._one(
                "SELECT (SELECT count(*) FROM calls WHERE grown_at >= ?),"
                " coalesce(sum(messages), 0), coalesce(sum(size), 0) FROM devices",
                since,
            )
        )

    # What has expired

    def sweep(self, now: int, calls_over: int, calls_forgotten: int) -> None:
        removed = self._execute(
            "DELETE FROM mail WHERE expires_at <= ? RETURNING device, size", (now,)
        ).fetchall()
        self._uncount(removed)
        self._execute("DELETE FROM key_packages WHERE not_after < ?", (now // 1000,))
        self._execute("DELETE FROM invitations WHERE expires_at <= ?", (now,))
        self._execute("DELETE FROM links WHERE expires_at <= ?", (now,))
        self._execute("DELETE FROM calls WHERE grown_at < ?", (calls_forgotten,))
        over = "(SELECT call_id FROM calls WHERE grown_at < ?)"
        for table in ("log", "members"):
            self._execute(f"DELETE FROM {table} WHERE call_id IN {over}", (calls_over,))  # noqa: S608
