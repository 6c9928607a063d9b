"""SealedStore: what a client keeps on disk, in one SQLite file, sealed if a passphrase was set.

    with SealedStore.open(path, entropy, passphrase) as store:
        store.put("contacts", b"alice", value)
        with store.transaction():                      all of it or nothing, also when the process is killed
            ...

An entry has a section, a name and a value. With a passphrase, values are sealed and names are keyed hashes: the file shows
how many entries each section has, how long they are, and when it was written, and nothing else. An entry that was changed
or moved is refused; a whole file, or an entry, of an earlier day that was put back is not noticed. Without a passphrase
everything is plain, and whoever reads the file has the keys: only the mode 0600 stands before it.

What was deleted is overwritten with zeros (``secure_delete``) and leaves the write-ahead log before ``delete`` returns;
what a value replaced, when the next entry is deleted or the store is closed. SQLite promises no more than the file system
does: copies in snapshots, backups, a journal of the file system, or the spare blocks of an SSD stay.

One process has the store open at a time. A store belongs to the thread that opened it.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, Self

from e2ee.client.private_file import make_private
from e2ee.client.store_errors import StoreError, StoreReason
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.errors import BadLength, OpenError
from e2ee.crypto.passphrase import Cost, SealingKey
from e2ee.crypto.secret import Secret

__all__ = ["SealedStore"]

_FORMAT = 1
_APPLICATION_ID = 0x45324545
_COMPANIONS = ("-wal", "-shm", "-journal")

_SETTINGS = """
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA trusted_schema = OFF;
"""
_SCHEMA = (
    "CREATE TABLE entries (section TEXT, name BLOB, value BLOB, PRIMARY KEY (section, name)) WITHOUT ROWID",
    "CREATE TABLE sealing (salt BLOB, memory INTEGER, passes INTEGER, lanes INTEGER, proof BLOB)",
    f"PRAGMA application_id = {_APPLICATION_ID}",
    f"PRAGMA user_version = {_FORMAT}",
)
_OUTER = ("BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",))
_INNER = ("SAVEPOINT s", "RELEASE s", ("ROLLBACK TO s", "RELEASE s"))
"""How a transaction begins, ends, and is undone."""

_PROOF = b"this is the passphrase"


class _Form(Protocol):
    """How entries are written."""

    def name(self, section: str, name: bytes) -> bytes: ...
    def write(self, section: str, name: bytes, value: bytes) -> bytes: ...
    def read(self, section: str, stored_name: bytes, stored: bytes) -> tuple[bytes, Secret]: ...


class _Plain:
    """As they are."""

    def name(self, _: str, name: bytes) -> bytes:
        return name

    def write(self, _: str, __: bytes, value: bytes) -> bytes:
        return value

    def read(self, _: str, stored_name: bytes, stored: bytes) -> tuple[bytes, Secret]:
        return stored_name, Secret(stored)


class _Sealed:
    """Under a key: the name is hashed, and sealed with the value for the place that the hash names."""

    def __init__(self, key: SealingKey, entropy: Entropy) -> None:
        self._key = key
        self._entropy = entropy

    def name(self, section: str, name: bytes) -> bytes:
        return self._key.name(_place(section, name))

    def write(self, section: str, name: bytes, value: bytes) -> bytes:
        place = _place(section, self.name(section, name))
        return self._key.seal(place, _prefixed(name) + value, self._entropy)

    def read(self, section: str, stored_name: bytes, stored: bytes) -> tuple[bytes, Secret]:
        opened = self._key.open(_place(section, stored_name), stored)
        end = 4 + int.from_bytes(opened[:4], "big")
        return opened[4:end], Secret(opened[end:])


class SealedStore:
    """See the module."""

    def __init__(self, db: sqlite3.Connection, form: _Form, entropy: Entropy) -> None:
        self._db = db
        self._form = form
        self._entropy = entropy
        self._erasing = False

    @classmethod
    def open(cls, path: Path, entropy: Entropy, passphrase: str | None = None) -> Self:
        """The store at ``path``; a new one, sealed if there is a ``passphrase``, if there is no file.

        Raises StoreError: NOT_PRIVATE, NOT_A_STORE, WRONG_FORMAT, IN_USE, PASSPHRASE_NEEDED, WRONG_PASSPHRASE,
        NOT_SEALED, DAMAGED, FAILED.
        """
        path = path.absolute()
        make_private(path, _COMPANIONS)
        with _refusing():
            db = sqlite3.connect(path, timeout=0, isolation_level=None)
        db.text_factory = bytes  # SQLite's error about a text that is none would show it
        store = cls(db, _Plain(), entropy)
        try:
            with _refusing():
                db.executescript(_SETTINGS)
            with store.transaction():
                if _prepare(db):
                    store.set_passphrase(passphrase)
                else:
                    store._form = _form_of(db, passphrase, entropy)
        except BaseException:
            db.close()
            raise
        return store

    def close(self) -> None:
        """Let go of the file; what was replaced is erased. Twice is as once."""
        with _refusing():
            self._db.close()  # the last connection moves the log into the file and removes it

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_sealed(self) -> bool:
        """Whether a passphrase is set."""
        return isinstance(self._form, _Sealed)

    # ------------------------------------------------------------------------------------- entries

    def get(self, section: str, name: bytes) -> Secret | None:
        """The value that was put there, or None. Raises StoreError (DAMAGED)."""
        stored_name = self._form.name(section, name)
        with _refusing():
            row = self._db.execute(
                "SELECT value FROM entries WHERE section = ? AND name = ?", (section, stored_name)
            ).fetchone()
        return None if row is None else self._read(section, stored_name, row[0])[1]

    def put(self, section: str, name: bytes, value: bytes) -> None:
        """Keep a value, in the place of an earlier one."""
        stored_name = self._form.name(section, name)
        stored = self._form.write(section, name, value)
        with _refusing():
            self._db.execute(
                "INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", (section, stored_name, stored)
            )

    def delete(self, section: str, name: bytes) -> None:
        """Erase an entry, if there is one."""
        with self.transaction(), _refusing():
            self._db.execute(
                "DELETE FROM entries WHERE section = ? AND name = ?",
                (section, self._form.name(section, name)),
            )
            self._erasing = True

    def items(self, section: str) -> dict[bytes, Secret]:
        """All entries of a section, by name. Raises StoreError (DAMAGED)."""
        with _refusing():
            rows = self._db.execute(
                "SELECT name, value FROM entries WHERE section = ?", (section,)
            ).fetchall()
        return dict(self._read(section, name, value) for name, value in rows)

    def _read(self, section: str, stored_name: object, stored: object) -> tuple[bytes, Secret]:
        if isinstance(stored_name, bytes) and isinstance(stored, bytes):
            try:
                return self._form.read(section, stored_name, stored)
            except OpenError:
                pass
        raise StoreError(StoreReason.DAMAGED, f"an entry of {section}")

    # -------------------------------------------------------------------------------- transactions

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is put and deleted in it takes effect together at its end, or not at all.

        One inside another takes effect with the outer one; if only the inner one fails, only that is undone.
        """
        begin, end, undo = _INNER if self._db.in_transaction else _OUTER
        with _refusing():
            self._db.execute(begin)
        try:
            yield
            with _refusing():
                self._db.execute(end)
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # SQLite may have undone it already
                for statement in undo:
                    self._db.execute(statement)
            raise
        if self._erasing and not self._db.in_transaction:
            self._erase()

    def _erase(self) -> None:
        """Overwrite in the file what the log has replaced there, and empty the log."""
        self._erasing = False
        with _refusing():
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    # ---------------------------------------------------------------------------------- passphrase

    def set_passphrase(self, passphrase: str | None) -> None:
        """Seal everything anew under another passphrase, or write it plain for None; all of it or nothing.

        What the old passphrase opened is erased as deleted entries are. Takes some tenths of a second.
        """
        kept = {section: self.items(section) for section in self._sections()}
        old = self._form
        try:
            with self.transaction():
                self._form = self._new_form(passphrase)
                with _refusing():
                    self._db.execute("DELETE FROM entries")
                for section, entries in kept.items():
                    for name, value in entries.items():
                        self.put(section, name, value)
                self._erasing = True
        except BaseException:
            self._form = old
            raise

    def _sections(self) -> list[str]:
        with _refusing():
            rows = self._db.execute("SELECT DISTINCT section FROM entries").fetchall()
        try:
            return [section.decode() for (section,) in rows]
        except UnicodeDecodeError:
            raise StoreError(StoreReason.DAMAGED, "the name of a section") from None

    def _new_form(self, passphrase: str | None) -> _Form:
        with _refusing():
            self._db.execute("DELETE FROM sealing")
        if passphrase is None:
            return _Plain()
        salt, cost = SealingKey.new_salt(self._entropy), Cost()
        key = SealingKey.of(passphrase, salt, cost)
        row = (salt, cost.memory, cost.passes, cost.lanes, key.seal(_PROOF, b"", self._entropy))
        with _refusing():
            self._db.execute("INSERT INTO sealing VALUES (?, ?, ?, ?, ?)", row)
        return _Sealed(key, self._entropy)


def _prepare(db: sqlite3.Connection) -> bool:
    """Check that the file is a store of this format; gives whether it is new, and was prepared now."""
    with _refusing():
        (application_id,) = db.execute("PRAGMA application_id").fetchone()
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if (application_id, version, tables) == (0, 0, 0):
            for statement in _SCHEMA:
                db.execute(statement)
            return True
    if application_id != _APPLICATION_ID:
        raise StoreError(StoreReason.NOT_A_STORE, "another program's database")
    if version != _FORMAT:
        raise StoreError(StoreReason.WRONG_FORMAT, f"format {version}, not {_FORMAT}")
    return False


def _form_of(db: sqlite3.Connection, passphrase: str | None, entropy: Entropy) -> _Form:
    """How the entries of an existing store are written. Raises StoreError."""
    with _refusing():
        row = db.execute("SELECT salt, memory, passes, lanes, proof FROM sealing").fetchone()
    if row is None:
        if passphrase is not None:
            raise StoreError(StoreReason.NOT_SEALED, "no passphrase is set")
        return _Plain()
    if passphrase is None:
        raise StoreError(StoreReason.PASSPHRASE_NEEDED)
    salt, memory, passes, lanes, proof = row
    try:
        key = SealingKey.of(passphrase, salt, Cost(memory, passes, lanes))
        key.open(_PROOF, proof)
    except OpenError:
        raise StoreError(StoreReason.WRONG_PASSPHRASE) from None
    except (BadLength, TypeError):
        raise StoreError(StoreReason.DAMAGED, "the salt, or what a guess costs") from None
    return _Sealed(key, entropy)


def _place(section: str, name: bytes) -> bytes:
    return _prefixed(section.encode()) + _prefixed(name)


def _prefixed(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


_REASONS = {
    sqlite3.SQLITE_BUSY: StoreReason.IN_USE,
    sqlite3.SQLITE_NOTADB: StoreReason.NOT_A_STORE,
    sqlite3.SQLITE_CORRUPT: StoreReason.DAMAGED,
}


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    """What SQLite refuses, as a StoreError. Its messages hold statements and names of columns, no values."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        raise StoreError(_REASONS.get(code, StoreReason.FAILED), str(error)) from None
