"""What is the file's own: who may read it, which versions are read, and that what was kept is there after the process."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.delivery.errors import DeliveryReason, ServiceUsageError, StoreConflict
from e2ee.delivery.service import ServiceIdentity
from e2ee.delivery.transaction import CallRecord, LogEntry, Mailbox, Share, Transaction
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


class TestWhatGoesToMany:
    """One body, many mailboxes."""

    def bodies(self, path: Path) -> int:
        db = sqlite3.connect(path)
        (count,) = db.execute("SELECT count(*) FROM bodies").fetchone()
        db.close()
        assert isinstance(count, int)
        return count

    @pytest.fixture
    def devices(self, store: SqliteStore) -> list[bytes]:
        made = [registered(store, certificate(f"member {n}")) for n in range(20)]
        return [device.signature_key for device in made]

    @pytest.fixture
    def store(self, path: Path) -> Iterator[SqliteStore]:
        store = SqliteStore(path)
        yield store
        store.close()

    def test_it_is_kept_once(self, path: Path, store: SqliteStore, devices: list[bytes]) -> None:
        with store.transaction() as tx:
            tx.append_to_all(dict.fromkeys(devices, 1), mail(0, encoded=bytes(100_000)))
            tx.append_to_all(dict.fromkeys(devices[:2], 2), mail(0, encoded=b"another"))
        assert self.bodies(path) == 2
        written = sum(file.stat().st_size for file in path.parent.iterdir())
        assert written < 20 * 100_000
        with store.transaction() as tx:
            for key in devices:
                assert tx.mail(key, 0, NOW, 1) == [mail(1, encoded=bytes(100_000))]
                assert tx.mailbox(key).size >= 100_000  # type: ignore[union-attr]

    def test_it_goes_with_the_last_who_has_it(
        self, path: Path, store: SqliteStore, devices: list[bytes]
    ) -> None:
        one, other, third = devices[:3]
        with store.transaction() as tx:
            tx.append_to_all(dict.fromkeys(devices, 1), mail(0))
            for key in devices[3:]:
                tx.remove_mail(key, 1)
            tx.remove_device(one)
        assert self.bodies(path) == 1
        with store.transaction() as tx:
            assert tx.mail(other, 0, NOW, 1) == [mail(1)]
            tx.remove_mail(other, 1)
            tx.append_mail(third, mail(2))
            tx.sweep(NOW + 1, 0, 0)
        assert self.bodies(path) == 0

    def test_what_is_undone_leaves_no_body(
        self, path: Path, store: SqliteStore, devices: list[bytes]
    ) -> None:
        with store.transaction() as tx:
            tx.append_mail(devices[0], mail(1))
            with pytest.raises(StoreConflict):
                tx.append_to_all(dict.fromkeys(devices, 1), mail(0))
            with pytest.raises(StoreConflict):
                tx.append_to_all({bytes(32): 1}, mail(0))  # nobody's
            tx.append_to_all({}, mail(0))
        assert self.bodies(path) == 0
        with store.transaction() as tx:
            assert [tx.mailbox(key).messages for key in devices] == [1] + [0] * 19  # type: ignore[union-attr]

    def test_a_commit_writes_of_the_members_only_who_comes_and_goes(
        self, store: SqliteStore, devices: list[bytes]
    ) -> None:
        call_id, entry = bytes(16), LogEntry(certificate("member 0"), NOW, b"entry")
        with store.transaction() as tx:
            tx.add_call(call_id, entry)
            tx.add_entry(call_id, 1, entry, devices[:19])
            before = store._db.total_changes
            tx.add_entry(call_id, 2, entry, devices[1:])
            assert (
                store._db.total_changes - before == 4
            )  # the call, its log, one who comes, one who goes


def test_a_store_of_the_first_version_is_read_and_goes_on(path: Path) -> None:
    """What was kept for devices that are away is kept through the renewal of the service's software."""
    phone = certificate("alice")
    key, encoded, call_id = phone.signature_key, phone.certificate.encode(), bytes(16)
    path.touch(0o600)
    db = sqlite3.connect(path)
    db.executescript(
        f"{VERSIONS[0]} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1;"
    )
    for table, *values in (
        ("accounts", "alice", phone.account_key, 7),
        ("devices", 1, key, "alice", encoded, 9, 2, 11),
        ("mail", 1, 8, NOW + 1, 5, b"early", "bob"),
        ("mail", 1, 9, NOW + 1, 6, b"later!", None),
        ("calls", call_id, key, "alice", NOW, 1),
        ("log", call_id, 0, key, encoded, NOW, b"open"),
        ("members", key, call_id),
    ):
        places = ", ".join("?" * len(values))
        db.execute(f"INSERT INTO {table} VALUES ({places})", values)  # noqa: S608
    db.commit()
    db.close()
    store = SqliteStore(path)
    entry = LogEntry(phone, NOW, b"open")
    with store.transaction() as tx:
        assert tx.devices("alice") == [phone]
        assert tx.mailbox(key) == Mailbox("alice", 9, 2, 11)
        assert tx.share(key, "bob") == Share(1, 5)
        assert [each.encoded for each in tx.mail(key, 0, NOW, 10)] == [b"early", b"later!"]
        assert tx.call(call_id) == CallRecord(key, "alice", NOW, 1)
        assert (list(tx.log(call_id)), tx.snapshot(call_id)) == ([entry], None)
        assert (list(tx.calls_of(key, 0)), list(tx.gone(call_id))) == ([call_id], [])
        tx.append_to_all({key: 10}, mail(0))
        tx.remove_mail(key, 9)
    with store.transaction() as tx:
        assert tx.mailbox(key) == Mailbox("alice", 10, 1, 7)
        tx.remove_device(key)
        tx.put_device(phone)
        assert tx.mailbox(key) == Mailbox("alice", 10, 0, 0)
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
