"""What is the file's own: who may read it, which versions are read, and that what was kept is there after the process."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.delivery.errors import DeliveryReason, ServiceUsageError
from e2ee.delivery.service import ServiceIdentity
from e2ee.delivery.transaction import Transaction
from e2ee.server.stores.errors import StoreError, StoreReason
from e2ee.server.stores.schema import APPLICATION_ID, VERSIONS
from e2ee.server.stores.sqlite import SqliteStore
from tests.server.stores.conftest import NOW, certificate, registered
from tests.server.stores.test_contract import mail


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "service.db"


def refusal(path: Path) -> StoreReason:
    """Why this file is not opened."""
    with pytest.raises(StoreError) as refused:
        SqliteStore(path)
    assert isinstance(refused.value.reason, StoreReason)
    return refused.value.reason


def query(path: Path, *statements: str) -> None:
    """Another program's work on the file."""
    db = sqlite3.connect(path)
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_what_was_kept_is_there_when_the_file_is_opened_again(path: Path) -> None:
    store = SqliteStore(path)
    phone = registered(store, certificate("alice"))
    with store.transaction() as tx:
        tx.append_mail(phone.signature_key, mail(1))
    store.close()
    store = SqliteStore(path)
    with store.transaction() as tx:
        assert tx.devices("alice") == [phone]
        assert tx.mail(phone.signature_key, 0, NOW, 10) == [mail(1)]
    store.close()


def test_only_its_owner_may_read_it(path: Path) -> None:
    store = SqliteStore(path)
    registered(store, certificate("alice"))
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["service.db", "service.db-shm", "service.db-wal"]
    assert {mode(file) for file in files} == {0o600}
    store.close()


@pytest.mark.parametrize("wider", [0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused(path: Path, wider: int) -> None:
    SqliteStore(path).close()
    path.chmod(wider)
    assert refusal(path) is StoreReason.OPEN_TO_OTHERS
    path.chmod(0o600)
    SqliteStore(path).close()


def test_every_commit_is_flushed_to_the_disk(path: Path) -> None:
    store = SqliteStore(path)
    with store.transaction() as tx:
        assert tx._one("PRAGMA synchronous") == (2,)  # FULL
        assert tx._one("PRAGMA journal_mode") == ("wal",)
        assert tx._one("PRAGMA foreign_keys") == (1,)
    store.close()


def test_a_newer_schema_is_refused_and_left_alone(path: Path) -> None:
    SqliteStore(path).close()
    query(path, f"PRAGMA user_version = {len(VERSIONS) + 1}")
    before = path.read_bytes()
    assert refusal(path) is StoreReason.SCHEMA_TOO_NEW
    assert path.read_bytes() == before


def test_another_applications_database_is_refused_and_left_alone(path: Path) -> None:
    path.touch(0o600)
    query(path, "CREATE TABLE theirs (x)")
    before = path.read_bytes()
    assert refusal(path) is StoreReason.NOT_A_STORE
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.touch(0o600)
    path.write_bytes(b"not a database, and long enough for one" * 100)
    assert refusal(path) is StoreReason.NOT_A_STORE


def test_a_directory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nowhere" / "service.db") is StoreReason.FAILED


def test_what_the_disk_refuses_is_undone_and_said(path: Path) -> None:
    """A full disk: the transaction is undone as a whole, and the store goes on when there is room."""
    store = SqliteStore(path)
    phone = registered(store, certificate("alice"))
    store._db.execute("PRAGMA max_page_count = 60")
    with pytest.raises(StoreError) as failed, store.transaction() as tx:
        append_much(tx, phone.signature_key)
    assert failed.value.reason is StoreReason.FAILED
    store._db.execute("PRAGMA max_page_count = 100000")
    with store.transaction() as tx:
        assert tx.mail(phone.signature_key, 0, NOW, 10) == []
        tx.append_mail(phone.signature_key, mail(1))
    store.close()


def append_much(tx: Transaction, key: bytes) -> None:
    tx.append_mail(key, mail(1))
    tx.append_mail(key, mail(2, encoded=bytes(1 << 20)))


def test_the_file_says_whose_it_is(path: Path) -> None:
    SqliteStore(path).close()
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    db.close()


class TestServiceIdentity:
    """A restart is the same service."""

    def test_it_is_made_once(self, path: Path) -> None:
        store = SqliteStore(path)
        made = ServiceIdentity.of(store, "calls.example", SeededEntropy(b"first"))
        store.close()
        store = SqliteStore(path)
        again = ServiceIdentity.of(store, "calls.example", SeededEntropy(b"second"))
        store.close()
        assert again == made

    def test_a_store_belongs_to_one_name(self, path: Path) -> None:
        store = SqliteStore(path)
        ServiceIdentity.of(store, "calls.example", SeededEntropy(b"first"))
        with pytest.raises(ServiceUsageError) as refused:
            ServiceIdentity.of(store, "other.example", SeededEntropy(b"first"))
        assert refused.value.reason is DeliveryReason.WRONG_SERVER_NAME
        store.close()

    @pytest.mark.parametrize("spoilt", [b"", b"\x01", b"\x02"])
    def test_what_cannot_be_read_is_never_made_anew(self, path: Path, spoilt: bytes) -> None:
        store = SqliteStore(path)
        ServiceIdentity.of(store, "calls.example", SeededEntropy(b"first"))
        with store.transaction() as tx:
            kept = tx.identity()
            assert kept is not None
            tx.put_identity(spoilt + kept[1:] if spoilt == b"\x02" else spoilt)
        with pytest.raises(ServiceUsageError) as refused:
            ServiceIdentity.of(store, "calls.example", SeededEntropy(b"second"))
        assert refused.value.reason is DeliveryReason.IDENTITY_UNREADABLE
        store.close()
