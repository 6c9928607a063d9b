"""``SqliteStore``: a store in one file of one machine.

    store = SqliteStore(path)          makes the file if there is none; raises StoreError
    with store.transaction() as tx:    see e2ee.delivery.transaction
    store.close()

WAL with ``synchronous=FULL``: a transaction that has ended is on the disk, whatever happens to the process or the power. One
transaction for many requests costs one flush of the disk, so who has many requests handles them together.

The file holds the service's private keys: only its owner may read it, and one that others may read is refused. Accounts,
devices, who calls whom and who writes to whom are in it too; what people say is not in a form that the service could read.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

from e2ee.server.stores.errors import StoreError, StoreReason
from e2ee.server.stores.schema import APPLICATION_ID, VERSIONS
from e2ee.server.stores.sqlite_transaction import SqliteTransaction

__all__ = ["SqliteStore"]

BUSY = 5.0
"""Seconds to wait for another process (a backup, a command) to end its transaction."""


class SqliteStore:
    """See the module. Not for use by several threads at a time."""

    def __init__(self, path: Path) -> None:
        """Raises StoreError."""
        _require_private(path)
        with _as_store_error():
            self._db = sqlite3.connect(
                path, timeout=BUSY, isolation_level=None, check_same_thread=False
            )
        try:
            with _as_store_error():
                _set_up(self._db)
        except BaseException:
            self._db.close()
            raise
        self._transaction = SqliteTransaction(self._db)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[SqliteTransaction]:
        """See ``e2ee.delivery.transaction.Store``. Raises StoreError when the file cannot be read or written."""
        with _as_store_error():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._transaction
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # some errors have undone it already
                    self._db.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the file."""
        self._db.close()


@contextlib.contextmanager
def _as_store_error() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        reason = _REASONS.get(code, StoreReason.FAILED)
        raise StoreError(reason, str(error)) from error


_REASONS = {
    sqlite3.SQLITE_BUSY: StoreReason.IN_USE,
    sqlite3.SQLITE_NOTADB: StoreReason.NOT_A_STORE,
}


def _require_private(path: Path) -> None:
    """The file is there and its owner's alone; SQLite gives its other files the same mode."""
    try:
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise StoreError(StoreReason.FAILED, str(error)) from error
    if mode & 0o077:
        detail = f"{path} has mode {mode:04o}; it holds private keys and must be 0600"
        raise StoreError(StoreReason.OPEN_TO_OTHERS, detail)


def _set_up(db: sqlite3.Connection) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (application_id,) = db.execute("PRAGMA application_id").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application_id != APPLICATION_ID and (tables or version):
        raise StoreError(StoreReason.NOT_A_STORE, "a database of another application")
    if version > len(VERSIONS):
        detail = f"version {version}; this software knows versions up to {len(VERSIONS)}"
        raise StoreError(StoreReason.SCHEMA_TOO_NEW, detail)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA temp_store = MEMORY")  # what would undo a request is written to no file
    for number, statements in enumerate(VERSIONS[version:], version + 1):
        db.executescript(
            f"BEGIN IMMEDIATE; {statements} PRAGMA application_id = {APPLICATION_ID};"
            f" PRAGMA user_version = {number}; COMMIT;"
        )
