"""Calls: their logs, and who is in them, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from e2ee.delivery.transaction import CallRecord, LogEntry
from e2ee.server.stores.sqlite_rows import SqliteRows, verified

__all__ = ["SqliteCalls"]


class SqliteCalls(SqliteRows):
    """See ``e2ee.delivery.transaction``."""

    def call(self, call_id: bytes) -> CallRecord | None:
        row = self._one(
            "SELECT opener, account_id, grown_at, entries, begins FROM calls WHERE call_id = ?",
            call_id,
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
            "INSERT INTO calls VALUES (?, ?, ?, ?, 0, 0) ON CONFLICT DO NOTHING",
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
        self._put_members(call_id, members)

    def _put_members(self, call_id: bytes, members: Sequence[bytes]) -> None:
        """Those who come and go are written, and nobody who stays."""
        rows = self._execute("SELECT signature_key FROM members WHERE call_id = ?", (call_id,))
        before, after = {key for (key,) in rows}, set(members)
        self._execute_many(
            "DELETE FROM members WHERE signature_key = ? AND call_id = ?",
            [(key, call_id) for key in before - after],
        )
        self._execute_many(
            "INSERT INTO members (signature_key, call_id) VALUES (?, ?)",
            [(key, call_id) for key in after - before],
        )

    def log(self, call_id: bytes) -> Sequence[LogEntry]:
        rows = self._execute(
            "SELECT certificate, signature_key, received_at, request FROM log"
            " WHERE call_id = ? ORDER BY position",
            (call_id,),
        )
        return [LogEntry(verified(*row[:2]), *row[2:]) for row in rows]

    def put_snapshot(self, call_id: bytes, begins: int, snapshot: bytes) -> None:
        self._execute("INSERT OR REPLACE INTO snapshots VALUES (?, ?)", (call_id, snapshot))
        self._execute("UPDATE calls SET begins = ? WHERE call_id = ?", (begins, call_id))
        self._execute("DELETE FROM log WHERE call_id = ? AND position < ?", (call_id, begins))

    def snapshot(self, call_id: bytes) -> bytes | None:
        row = self._one("SELECT encoded FROM snapshots WHERE call_id = ?", call_id)
        return None if row is None else bytes(row[0])

    def take_back(self, call_id: bytes, entries: int, now: int, members: Sequence[bytes]) -> None:
        self._added(
            "the log is shorter",
            "UPDATE calls SET entries = ?, grown_at = ? WHERE call_id = ? AND entries > ?",
            *(entries, now, call_id, entries),
        )
        self._execute("DELETE FROM log WHERE call_id = ? AND position >= ?", (call_id, entries))
        self._put_members(call_id, members)

    def put_gone(self, call_id: bytes, signature_key: bytes, *, gone: bool) -> None:
        self._execute(
            "UPDATE members SET gone = ? WHERE signature_key = ? AND call_id = ?",
            (gone, signature_key, call_id),
        )

    def gone(self, call_id: bytes) -> Collection[bytes]:
        rows = self._execute(
            "SELECT signature_key FROM members WHERE call_id = ? AND gone", (call_id,)
        )
        return {key for (key,) in rows}

    def calls_of(self, signature_key: bytes, since: int) -> Sequence[bytes]:
        rows = self._execute(
            "SELECT call_id FROM members JOIN calls USING (call_id)"
            " WHERE signature_key = ? AND grown_at >= ? ORDER BY call_id",
            (signature_key, since),
        )
        return [call_id for (call_id,) in rows]
