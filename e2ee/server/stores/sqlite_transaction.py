"""``Transaction`` in SQL, a statement or two for each of its methods. Begun, ended and undone by ``sqlite``."""

from __future__ import annotations

from e2ee.crypto.secret import Secret
from e2ee.delivery.transaction import Invitation, SealedLink, Totals
from e2ee.server.stores.sqlite_calls import SqliteCalls
from e2ee.server.stores.sqlite_devices import SqliteDevices
from e2ee.server.stores.sqlite_mailboxes import SqliteMailboxes

__all__ = ["SqliteTransaction"]


class SqliteTransaction(SqliteDevices, SqliteMailboxes, SqliteCalls):
    """See ``e2ee.delivery.transaction``."""

    # The service

    def identity(self) -> Secret | None:
        row = self._one("SELECT value FROM service WHERE name = 'identity'")
        return None if row is None else Secret(row[0])

    def put_identity(self, encoded: bytes) -> None:
        self._execute("INSERT OR REPLACE INTO service VALUES ('identity', ?)", (encoded,))

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
                " coalesce(sum(messages), 0), coalesce(sum(size), 0) FROM mailboxes",
                since,
            )
        )

    # What has expired

    def sweep(self, now: int, calls_over: int, calls_forgotten: int) -> None:
        self._uncount("DELETE FROM mail WHERE expires_at <= ? RETURNING device, size", (now,))
        self._execute("DELETE FROM key_packages WHERE not_after < ?", (now // 1000,))
        self._execute("DELETE FROM invitations WHERE expires_at <= ?", (now,))
        self._execute("DELETE FROM links WHERE expires_at <= ?", (now,))
        self._execute("DELETE FROM calls WHERE grown_at < ?", (calls_forgotten,))
        over = "(SELECT call_id FROM calls WHERE grown_at < ?)"
        for table in ("log", "members", "snapshots"):
            self._execute(f"DELETE FROM {table} WHERE call_id IN {over}", (calls_over,))  # noqa: S608
