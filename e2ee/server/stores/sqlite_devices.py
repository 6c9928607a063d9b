"""Accounts, devices and their KeyPackages, in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from e2ee.delivery.transaction import HeldKeyPackage, Shelf
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.server.stores.sqlite_rows import SqliteRows, verified

__all__ = ["SqliteDevices"]


class SqliteDevices(SqliteRows):
    """See ``e2ee.delivery.transaction``."""

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
        return [verified(*row) for row in rows]

    def device(self, signature_key: bytes) -> VerifiedCertificate | None:
        row = self._one("SELECT certificate FROM devices WHERE signature_key = ?", signature_key)
        return None if row is None else verified(row[0], signature_key)

    def put_device(self, certificate: VerifiedCertificate) -> None:
        encoded, account_id = certificate.certificate.encode(), certificate.account_id
        (device,) = self._one(
            "INSERT INTO devices (signature_key, account_id, certificate) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET certificate = excluded.certificate RETURNING device",
            *(certificate.signature_key, account_id, encoded),
        )
        self._execute(
            "INSERT INTO mailboxes (device, last_number)"
            " SELECT ?, retired FROM accounts WHERE account_id = ? ON CONFLICT DO NOTHING",
            (device, account_id),
        )

    def remove_device(self, signature_key: bytes) -> None:
        self._execute(
            "UPDATE accounts SET retired = max(retired, last_number) FROM devices JOIN mailboxes USING (device)"
            " WHERE signature_key = ? AND accounts.account_id = devices.account_id",
            (signature_key,),
        )
        self._execute("DELETE FROM devices WHERE signature_key = ?", (signature_key,))

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
