"""What a store has to do (``e2ee.delivery.transaction``), shown of every store that there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

import pytest

from e2ee.delivery.errors import StoreConflict
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
    Store,
    Totals,
    Transaction,
)
from e2ee.identity.device_certificate import VerifiedCertificate
from tests.server.stores.conftest import NOW, SECONDS, certificate, registered

CALL_ID = bytes(range(16))
ID_32 = bytes(range(32))


class Interrupted(Exception):
    """Whatever ends a transaction before its end."""


def mail(number: int, *, expires_at: int = NOW + 1, encoded: bytes = b"message") -> Mail:
    return Mail(number, expires_at, encoded)


def key_package(name: bytes, *, suite: int = 1, last_resort: bool = False) -> HeldKeyPackage:
    return HeldKeyPackage(name, suite, SECONDS, b"encoded " + name, last_resort)


def write_everything(tx: Transaction, phone: VerifiedCertificate) -> None:
    """A write of every kind."""
    key = phone.signature_key
    tx.put_identity(b"identity")
    tx.put_account("bob", ID_32)
    tx.put_device(certificate("alice", 2))
    tx.hold(key, [key_package(b"new"), key_package(b"newer", last_resort=True)])
    assert tx.take_key_package(key, 1, NOW) == key_package(b"old")
    tx.append_mail(key, mail(2))
    tx.remove_mail(key, 1)
    tx.add_call(CALL_ID, LogEntry(phone, NOW, b"open"))
    tx.add_entry(CALL_ID, 1, LogEntry(phone, NOW, b"commit"), [key])
    tx.take_invitation(ID_32, NOW)
    tx.take_link(bytes(16), NOW)
    tx.sweep(NOW + 2, NOW + 2, NOW + 2)
    tx.remove_device(key)


def append_two(tx: Transaction, key: bytes) -> None:
    tx.append_mail(key, mail(2))
    with tx.savepoint():
        tx.append_mail(key, mail(3))


def interrupted_after(write: Callable[[], None]) -> NoReturn:
    write()
    raise Interrupted


class TestTransactions:
    """All of it, or nothing."""

    def test_what_was_written_is_there_afterwards(self, store: Store) -> None:
        with store.transaction() as tx:
            tx.put_account("alice", ID_32)
            assert tx.account_key("alice") == ID_32
        with store.transaction() as tx:
            assert tx.account_key("alice") == ID_32

    def test_what_was_interrupted_never_was(self, store: Store, phone: VerifiedCertificate) -> None:
        key = phone.signature_key
        with store.transaction() as tx:
            tx.hold(key, [key_package(b"old"), key_package(b"last", last_resort=True)])
            tx.append_mail(key, mail(1))
            tx.put_link(SealedLink(bytes(16), "alice", NOW + 1, b"sealed"))
            tx.put_invitation(Invitation(ID_32, None, NOW + 1))
        with pytest.raises(Interrupted), store.transaction() as tx:
            interrupted_after(lambda: write_everything(tx, phone))
        with store.transaction() as tx:
            assert tx.identity() is None
            assert tx.account_key("bob") is None
            assert tx.devices("alice") == [phone]
            assert tx.shelf(key, NOW) == Shelf(2, 0, {1})
            assert tx.mailbox(key) == Mailbox("alice", 1, 1, len(b"message"))
            assert tx.mail(key, 0, NOW, 10) == [mail(1)]
            assert tx.call(CALL_ID) is None
            assert tx.log(CALL_ID) in ([], ())
            assert tx.calls_of(key, 0) == []
            assert tx.take_invitation(ID_32, NOW) is not None
            assert tx.take_link(bytes(16), NOW) is not None
            assert tx.take_key_package(key, 1, NOW) == key_package(b"old")

    def test_a_savepoint_is_undone_alone(self, store: Store, phone: VerifiedCertificate) -> None:
        key = phone.signature_key
        with store.transaction() as tx:
            tx.append_mail(key, mail(1))
            with pytest.raises(Interrupted), tx.savepoint():
                interrupted_after(lambda: append_two(tx, key))
            assert tx.mail(key, 0, NOW, 10) == [mail(1)]
            with tx.savepoint():
                tx.append_mail(key, mail(2, encoded=b"another"))
        with store.transaction() as tx:
            assert tx.mail(key, 0, NOW, 10) == [mail(1), mail(2, encoded=b"another")]
            assert tx.mailbox(key) == Mailbox("alice", 2, 2, 14)

    def test_the_identity_is_kept(self, store: Store) -> None:
        with store.transaction() as tx:
            assert tx.identity() is None
            tx.put_identity(b"keys")
        with store.transaction() as tx:
            kept = tx.identity()
            assert kept == b"keys"
            assert "keys" not in repr(kept)


class TestDevices:
    """Accounts and the newest certificates of their devices."""

    def test_the_newest_certificate_counts(self, store: Store, phone: VerifiedCertificate) -> None:
        laptop = registered(store, certificate("alice", 2))
        renewed = certificate("alice", 1, NOW + 60_000)
        with store.transaction() as tx:
            tx.append_mail(phone.signature_key, mail(1))
            assert tx.devices("alice") == [phone, laptop]
            tx.put_device(renewed)
        with store.transaction() as tx:
            assert tx.devices("alice") == [renewed, laptop]
            assert tx.device(phone.signature_key) == renewed != phone
            assert tx.mail(phone.signature_key, 0, NOW, 10) == [mail(1)]
            assert tx.devices("bob") == []
            assert tx.device(bytes(32)) is None

    def test_a_new_key_of_an_account_leaves_its_devices(
        self, store: Store, phone: VerifiedCertificate
    ) -> None:
        with store.transaction() as tx:
            tx.put_account("alice", ID_32)
            assert tx.account_key("alice") == ID_32
            assert tx.devices("alice") == [phone]

    def test_a_removed_device_leaves_nothing(
        self, store: Store, phone: VerifiedCertificate
    ) -> None:
        key = phone.signature_key
        with store.transaction() as tx:
            tx.hold(key, [key_package(b"a"), key_package(b"b")])
            tx.take_key_package(key, 1, NOW)
            tx.append_mail(key, mail(1))
            tx.remove_device(key)
            tx.remove_device(bytes(32))  # no such device
        with store.transaction() as tx:
            assert tx.devices("alice") == []
            assert tx.mailbox(key) is None
            assert tx.mail(key, 0, NOW, 10) == []
            assert tx.shelf(key, NOW) == Shelf(0, 0, set())
            assert tx.device_of_key_package(b"a", NOW) is None

    @pytest.mark.requirement("DS-9")
    def test_a_device_that_comes_back_finds_no_number_used_twice(
        self, store: Store, phone: VerifiedCertificate
    ) -> None:
        with store.transaction() as tx:
            tx.append_mail(phone.signature_key, mail(1))
            tx.append_mail(phone.signature_key, mail(2))
            tx.remove_device(phone.signature_key)
            tx.put_device(phone)
            assert tx.mailbox(phone.signature_key) == Mailbox("alice", 2, 0, 0)
            tx.append_mail(phone.signature_key, mail(3))
            assert tx.mail(phone.signature_key, 0, NOW, 10) == [mail(3)]


class TestKeyPackages:
    """Each once, the last resort again and again."""

    @pytest.mark.requirement("DS-2")
    def test_the_oldest_of_a_suite_comes_first_and_each_once(
        self, store: Store, phone: VerifiedCertificate
    ) -> None:
        key = phone.signature_key
        with store.transaction() as tx:
            tx.hold(key, [key_package(b"a"), key_package(b"other", suite=2), key_package(b"b")])
            tx.hold(key, [key_package(b"c")])
        taken = []
        for _ in range(4):
            with store.transaction() as tx:
                taken.append(tx.take_key_package(key, 1, NOW))
        assert taken == [key_package(b"a"), key_package(b"b"), key_package(b"c"), None]
        with store.transaction() as tx:
            assert tx.shelf(key, NOW) == Shelf(1, 3, set())
            assert tx.take_key_package(key, 2, NOW) == key_package(b"other", suite=2)

    @pytest.mark.requirement("DS-2")
    def test_the_last_resort_comes_last_and_stays(
        self, store: Store, phone: VerifiedCertificate
    ) -> None:
        key, last = phone.signature_key, key_package(b"last", last_resort=True)
        with store.transaction() as tx:
            tx.hold(key, [last, key_package(b"a")])
            assert tx.shelf(key, NOW) == Shelf(2, 0, {1})
        with store.transaction() as tx:
            taken = [tx.take_key_package(key, 1, NOW) for _ in range(3)]
            assert taken == [key_package(b"a"), last, last]
            assert tx.shelf(key, NOW) == Shelf(1, 1, {1})
        newer = key_package(b"newer", last_resort=True)
        with store.transaction() as tx:
            tx.hold(key, [newer])
            assert tx.take_key_package(key, 1, NOW) == newer
            assert tx.device_of_key_package(b"last", NOW) == key  # letters to it are on their way
            assert tx.shelf(key, NOW) == Shelf(1, 2, {1})

    def test_what_was_handed_out_is_remembered_until_it_expires(
        self, store: Store, phone: VerifiedCertificate
    ) -> None:
        key = phone.signature_key
        with store.transaction() as tx:
            tx.hold(key, [key_package(b"a"), key_package(b"b")])
            tx.take_key_package(key, 1, NOW)
        with store.transaction() as tx:
            for ref, owner in ((b"a", key), (b"b", key), (b"c", None)):
                assert tx.device_of_key_package(ref, NOW + 999) == owner
                assert tx.device_of_key_package(ref, NOW + 1000) is None
            assert tx.shelf(key, NOW + 999) == Shelf(1, 1, set())
            assert tx.shelf(key, NOW + 1000) == Shelf(0, 0, set())
            assert tx.take_key_package(key, 1, NOW + 1000) is None

    def test_what_is_withdrawn_is_handed_out_no_more(
        self, store: Store, phone: VerifiedCertificate
    ) -> None:
        key = phone.signature_key
        laptop = registered(store, certificate("alice", 2))
        with store.transaction() as tx:
            tx.hold(laptop.signature_key, [key_package(b"laptop's")])
            last = key_package(b"last", last_resort=True)
            tx.hold(key, [key_package(b"a"), key_package(b"b"), last])
            tx.take_key_package(key, 1, NOW)
            tx.withdraw(key)
        with store.transaction() as tx:
            assert tx.take_key_package(key, 1, NOW) is None
            assert tx.device_of_key_package(b"a", NOW) == key
            assert tx.device_of_key_package(b"last", NOW) == key
            assert tx.shelf(laptop.signature_key, NOW).held == 1


class TestMailboxes:
    """In order, until acknowledged or expired."""

    @pytest.mark.requirement("DS-9")
    def test_a_mailbox_is_read_in_order_and_in_parts(
        self, store: Store, phone: VerifiedCertificate
    ) -> None:
        key = phone.signature_key
        with store.transaction() as tx:
            assert tx.mailbox(key) == Mailbox("alice", 0, 0, 0)
            for number in range(1, 6):
                tx.append_mail(key, mail(number))
        with store.transaction() as tx:
            assert tx.mail(key, 0, NOW, 2) == [mail(1), mail(2)]
            assert tx.mail(key, 2, NOW, 10) == [mail(3), mail(4), mail(5)]
            assert tx.mail(key, 5, NOW, 10) == []
            assert tx.mailbox(key) == Mailbox("alice", 5, 5, 35)

    @pytest.mark.requirement("DS-9")
    def test_numbers_go_on_when_the_mailbox_is_empty(
        self, store: Store, phone: VerifiedCertificate
    ) -> None:
        key = phone.signature_key
        with store.transaction() as tx:
            for number in (1, 2, 3):
                tx.append_mail(key, mail(number))
            tx.remove_mail(key, 2)
            assert tx.mail(key, 0, NOW, 10) == [mail(3)]
            tx.remove_mail(key, 3)
            tx.remove_mail(key, 3)
        with store.transaction() as tx:
            assert tx.mailbox(key) == Mailbox("alice", 3, 0, 0)
            tx.append_mail(key, mail(4))
            assert tx.mail(key, 0, NOW, 10) == [mail(4)]

    @pytest.mark.requirement("DS-9")
    @pytest.mark.parametrize("number", [1, 3])
    def test_a_number_is_the_next_one(
        self, store: Store, phone: VerifiedCertificate, number: int
    ) -> None:
        key = phone.signature_key
        with store.transaction() as tx:
            tx.append_mail(key, mail(1))
            with pytest.raises(StoreConflict), tx.savepoint():
                tx.append_mail(key, mail(number))
            assert tx.mailbox(key) == Mailbox("alice", 1, 1, 7)

    @pytest.mark.requirement("DS-9")
    def test_one_message_goes_to_many_under_each_one_s_number(
        self, store: Store, phone: VerifiedCertificate
    ) -> None:
        key, other = phone.signature_key, registered(store, certificate("bob")).signature_key
        with store.transaction() as tx:
            tx.append_mail(key, mail(1, encoded=b"hers alone"))
            boxes = tx.mailboxes([key, other, bytes(32)])
            assert boxes == {key: Mailbox("alice", 1, 1, 10), other: Mailbox("bob", 0, 0, 0)}
            numbers = {each: box.last_number + 1 for each, box in boxes.items()}
            tx.append_to_all(numbers, replace(mail(0), sender="carol"))
        with store.transaction() as tx:
            to_both = replace(mail(0), sender="carol")
            assert tx.mail(key, 1, NOW, 10) == [replace(to_both, number=2)]
            assert tx.mail(other, 0, NOW, 10) == [replace(to_both, number=1)]
            assert tx.mailboxes([key]) == {key: Mailbox("alice", 2, 2, 17)}
            assert tx.share(other, "carol") == Share(1, 7)
            tx.remove_mail(key, 2)
            assert tx.mail(other, 0, NOW, 10) == [replace(to_both, number=1)]
            tx.sweep(NOW + 1, 0, 0)
            assert tx.mailbox(other) == Mailbox("bob", 1, 0, 0)

    @pytest.mark.requirement("DS-9")
    def test_who_has_another_number_keeps_it_from_all(
        self, store: Store, phone: VerifiedCertificate
    ) -> None:
        key, other = phone.signature_key, registered(store, certificate("bob")).signature_key
        with store.transaction() as tx:
            with pytest.raises(StoreConflict):
                tx.append_to_all({key: 1, other: 2}, mail(0))
            assert tx.mailboxes([key, other]) == {
                key: Mailbox("alice", 0, 0, 0),
                other: Mailbox("bob", 0, 0, 0),
            }
            tx.append_to_all({key: 1, other: 1}, mail(0))

    def test_what_has_expired_is_not_there_and_is_counted_until_it_is_swept(
        self, store: Store, phone: VerifiedCertificate
    ) -> None:
        key = phone.signature_key
        laptop = registered(store, certificate("alice", 2))
        with store.transaction() as tx:
            tx.append_mail(laptop.signature_key, mail(1))
            tx.append_mail(key, mail(1, expires_at=NOW + 1))
            tx.append_mail(key, mail(2, expires_at=NOW + 2))
            assert tx.mail(key, 0, NOW + 1, 10) == [mail(2, expires_at=NOW + 2)]
            assert tx.mailbox(key) == Mailbox("alice", 2, 2, 14)
            tx.sweep(NOW + 1, 0, 0)
            assert tx.mailbox(key) == Mailbox("alice", 2, 1, 7)
            assert tx.mailbox(laptop.signature_key) == Mailbox("alice", 1, 0, 0)
            tx.sweep(NOW + 2, 0, 0)
            assert tx.mailbox(key) == Mailbox("alice", 2, 0, 0)

    @pytest.mark.requirement("DS-9")
    def test_what_is_one_sender_s_is_known(self, store: Store, phone: VerifiedCertificate) -> None:
        key, laptop = phone.signature_key, registered(store, certificate("alice", 2))
        bobs = replace(mail(1, encoded=b"four"), sender="bob")
        with store.transaction() as tx:
            assert tx.share(key, "bob") == Share(0, 0)
            tx.append_mail(laptop.signature_key, bobs)
            tx.append_mail(key, bobs)
            tx.append_mail(key, mail(2))
            tx.append_mail(key, replace(bobs, number=3, expires_at=NOW + 2))
            tx.append_mail(key, replace(bobs, number=4, sender="carol"))
            with pytest.raises(Interrupted), tx.savepoint():
                interrupted_after(lambda: tx.append_mail(key, replace(bobs, number=5)))
        with store.transaction() as tx:
            assert tx.mail(key, 0, NOW, 1) == [bobs]
            assert tx.share(key, "bob") == Share(2, 8)
            assert tx.share(key, "carol") == Share(1, 4)
            assert tx.share(key, "alice") == tx.share(bytes(32), "bob") == Share(0, 0)
            tx.sweep(NOW + 1, 0, 0)
            assert tx.share(key, "bob") == Share(1, 4)
            tx.remove_mail(key, 3)
            assert tx.share(key, "bob") == Share(0, 0)

    def test_a_stranger_has_no_mailbox(self, store: Store) -> None:
        with store.transaction() as tx:
            assert tx.mailbox(bytes(32)) is None


class TestCalls:
    """One log, one order."""

    @pytest.mark.requirement("DS-10")
    def test_a_log_is_kept_in_its_order(self, store: Store, phone: VerifiedCertificate) -> None:
        laptop = registered(store, certificate("alice", 2))
        entries = [
            LogEntry(phone, NOW, b"open"),
            LogEntry(phone, NOW + 1, b"first"),
            LogEntry(laptop, NOW + 2, b"second"),
        ]
        both = [phone.signature_key, laptop.signature_key]
        with store.transaction() as tx:
            tx.add_call(CALL_ID, entries[0])
            tx.add_entry(CALL_ID, 1, entries[1], both)
            tx.add_entry(CALL_ID, 2, entries[2], [laptop.signature_key])
        with store.transaction() as tx:
            assert list(tx.log(CALL_ID)) == entries
            assert tx.call(CALL_ID) == CallRecord(phone.signature_key, "alice", NOW + 2, 3)
            assert list(tx.log(bytes(16))) == []
            assert tx.call(bytes(16)) is None

    @pytest.mark.requirement("DS-3", "DS-4")
    def test_a_place_in_a_log_is_taken_once(self, store: Store, phone: VerifiedCertificate) -> None:
        entry = LogEntry(phone, NOW, b"entry")
        with store.transaction() as tx:
            tx.add_call(CALL_ID, entry)
            with pytest.raises(StoreConflict), tx.savepoint():
                tx.add_call(CALL_ID, entry)
            for position in (0, 2):
                with pytest.raises(StoreConflict), tx.savepoint():
                    tx.add_entry(CALL_ID, position, entry, [])
            tx.add_entry(CALL_ID, 1, entry, [])
            assert len(tx.log(CALL_ID)) == 2

    def test_a_device_has_the_calls_that_it_is_in(
        self, store: Store, phone: VerifiedCertificate
    ) -> None:
        laptop = certificate("alice", 2)
        ours, theirs = phone.signature_key, laptop.signature_key
        with store.transaction() as tx:
            tx.add_call(CALL_ID, LogEntry(phone, NOW, b"open"))
            tx.add_call(bytes(16), LogEntry(phone, NOW + 1, b"open"))
            assert tx.calls_of(theirs, 0) == []
            tx.add_entry(CALL_ID, 1, LogEntry(phone, NOW, b"commit"), [ours, theirs])
            assert tx.calls_of(theirs, 0) == [CALL_ID]
            assert sorted(tx.calls_of(ours, 0)) == [bytes(16), CALL_ID]
            assert tx.calls_of(ours, NOW + 1) == [bytes(16)]
            tx.add_entry(CALL_ID, 2, LogEntry(laptop, NOW, b"commit"), [theirs])
            assert tx.calls_of(ours, 0) == [bytes(16)]

    def test_calls_are_counted_by_device_and_by_account(
        self, store: Store, phone: VerifiedCertificate
    ) -> None:
        laptop, bob = certificate("alice", 2), certificate("bob")
        with store.transaction() as tx:
            for number, device in enumerate((phone, phone, laptop, bob)):
                entry = LogEntry(device, NOW + number, b"open")
                tx.add_call(bytes([number] * 16), entry)
            assert tx.count_calls(phone.signature_key, "alice", 0) == (2, 3)
            assert tx.count_calls(phone.signature_key, "alice", NOW + 1) == (1, 2)
            assert tx.count_calls(bob.signature_key, "bob", NOW + 4) == (0, 0)

    def test_a_call_that_is_over_leaves_its_id_for_a_while(
        self, store: Store, phone: VerifiedCertificate
    ) -> None:
        with store.transaction() as tx:
            tx.add_call(CALL_ID, LogEntry(phone, NOW, b"open"))
            tx.sweep(NOW, calls_over=NOW, calls_forgotten=NOW)
            assert len(tx.log(CALL_ID)) == 1
            tx.sweep(NOW, calls_over=NOW + 1, calls_forgotten=NOW)
            assert list(tx.log(CALL_ID)) == []
            assert tx.calls_of(phone.signature_key, 0) == []
            assert tx.call(CALL_ID) is not None
            tx.sweep(NOW, calls_over=NOW + 1, calls_forgotten=NOW + 1)
            assert tx.call(CALL_ID) is None


class TestGroupCalls:
    """Logs that begin with a snapshot, entries that are taken back, members that are gone."""

    def entries(self, phone: VerifiedCertificate, count: int) -> list[LogEntry]:
        return [LogEntry(phone, NOW + n, f"entry {n}".encode()) for n in range(count)]

    def begun(self, tx: Transaction, entries: list[LogEntry], members: list[bytes]) -> None:
        tx.add_call(CALL_ID, entries[0])
        for position, entry in enumerate(entries[1:], 1):
            tx.add_entry(CALL_ID, position, entry, members)

    @pytest.mark.requirement("DS-10")
    def test_a_snapshot_stands_for_the_entries_before_it(
        self, store: Store, phone: VerifiedCertificate
    ) -> None:
        entries, key = self.entries(phone, 6), phone.signature_key
        with store.transaction() as tx:
            self.begun(tx, entries[:4], [key])
            assert tx.snapshot(CALL_ID) is None
            tx.put_snapshot(CALL_ID, 2, b"what two entries made")
            assert list(tx.log(CALL_ID)) == entries[2:4]
            assert tx.call(CALL_ID) == CallRecord(key, "alice", NOW + 3, 4, begins=2)
        with store.transaction() as tx:
            tx.add_entry(CALL_ID, 4, entries[4], [key])
            tx.put_snapshot(CALL_ID, 5, b"what five made")
            assert (list(tx.log(CALL_ID)), tx.snapshot(CALL_ID)) == ([], b"what five made")
            with pytest.raises(StoreConflict), tx.savepoint():
                tx.add_entry(CALL_ID, 0, entries[5], [key])
            tx.add_entry(CALL_ID, 5, entries[5], [key])
            assert list(tx.log(CALL_ID)) == [entries[5]]
            assert tx.snapshot(bytes(16)) is None

    @pytest.mark.requirement("DS-20")
    def test_void_entries_are_taken_back_and_others_take_their_places(
        self, store: Store, phone: VerifiedCertificate
    ) -> None:
        entries, key = self.entries(phone, 5), phone.signature_key
        other = certificate("bob").signature_key
        with store.transaction() as tx:
            self.begun(tx, entries[:4], [key, other])
            tx.put_snapshot(CALL_ID, 1, b"what one entry made")
            for none in (4, 5):
                with pytest.raises(StoreConflict), tx.savepoint():
                    tx.take_back(CALL_ID, none, NOW + 9, [key])
            tx.take_back(CALL_ID, 2, NOW + 9, [key])
        with store.transaction() as tx:
            assert tx.call(CALL_ID) == CallRecord(key, "alice", NOW + 9, 2, begins=1)
            assert list(tx.log(CALL_ID)) == entries[1:2]
            assert tx.calls_of(other, 0) == []
            with pytest.raises(StoreConflict), tx.savepoint():
                tx.add_entry(CALL_ID, 4, entries[4], [key])
            tx.add_entry(CALL_ID, 2, entries[4], [key, other])
            assert list(tx.log(CALL_ID)) == [entries[1], entries[4]]
            assert tx.calls_of(other, 0) == [CALL_ID]

    @pytest.mark.requirement("DS-19")
    def test_who_is_gone_is_so_until_it_is_no_member_any_more(
        self, store: Store, phone: VerifiedCertificate
    ) -> None:
        entries, key = self.entries(phone, 5), phone.signature_key
        bob, carol = (certificate(name).signature_key for name in ("bob", "carol"))
        with store.transaction() as tx:
            self.begun(tx, entries[:2], [key, bob, carol])
            for member in (bob, carol, bytes(32)):
                tx.put_gone(CALL_ID, member, gone=True)
            tx.put_gone(CALL_ID, carol, gone=False)
            tx.put_gone(CALL_ID, key, gone=False)
        with store.transaction() as tx:
            assert set(tx.gone(CALL_ID)) == {bob}
            tx.add_entry(CALL_ID, 2, entries[2], [key, bob])
            assert set(tx.gone(CALL_ID)) == {bob}
            tx.take_back(CALL_ID, 2, NOW, [key, bob, carol])
            assert set(tx.gone(CALL_ID)) == {bob}
            tx.add_entry(CALL_ID, 2, entries[3], [key, carol])
            assert set(tx.gone(CALL_ID)) == set()
            tx.add_entry(CALL_ID, 3, entries[4], [key, bob])
            assert set(tx.gone(CALL_ID)) == set()
            assert set(tx.gone(bytes(16))) == set()

    def test_what_is_undone_is_all_undone(self, store: Store, phone: VerifiedCertificate) -> None:
        entries, key = self.entries(phone, 3), phone.signature_key
        other = registered(store, certificate("bob")).signature_key
        with store.transaction() as tx:
            self.begun(tx, entries, [key, other])

        def write(tx: Transaction) -> None:
            tx.put_gone(CALL_ID, other, gone=True)
            tx.append_to_all({key: 1, other: 1}, mail(0))
            tx.put_snapshot(CALL_ID, 1, b"snapshot")
            tx.take_back(CALL_ID, 2, NOW, [key])

        with pytest.raises(Interrupted), store.transaction() as tx:
            interrupted_after(lambda: write(tx))
        with store.transaction() as tx:
            assert (list(tx.log(CALL_ID)), tx.snapshot(CALL_ID)) == (entries, None)
            assert tx.call(CALL_ID) == CallRecord(key, "alice", NOW + 2, 3)
            assert (set(tx.gone(CALL_ID)), list(tx.calls_of(other, 0))) == (set(), [CALL_ID])
            assert tx.mailbox(other) == Mailbox("bob", 0, 0, 0)

    def test_a_call_that_is_over_leaves_nothing_of_these(
        self, store: Store, phone: VerifiedCertificate
    ) -> None:
        key = phone.signature_key
        with store.transaction() as tx:
            self.begun(tx, self.entries(phone, 2), [key])
            tx.put_gone(CALL_ID, key, gone=True)
            tx.put_snapshot(CALL_ID, 1, b"snapshot")
            tx.sweep(NOW, calls_over=NOW + 2, calls_forgotten=NOW)
            assert (tx.snapshot(CALL_ID), set(tx.gone(CALL_ID))) == (None, set())
            assert list(tx.log(CALL_ID)) == []
            assert tx.call(CALL_ID) is not None


class TestInvitationsAndLinks:
    """Each is taken once, and not after its time."""

    @pytest.mark.requirement("DS-8")
    @pytest.mark.parametrize("account_id", [None, "alice"])
    def test_an_invitation_is_taken_once(self, store: Store, account_id: str | None) -> None:
        invitation = Invitation(ID_32, account_id, NOW + 1)
        with store.transaction() as tx:
            tx.put_invitation(invitation)
        with store.transaction() as tx:
            assert tx.take_invitation(bytes(32), NOW) is None
            assert tx.take_invitation(ID_32, NOW) == invitation
            assert tx.take_invitation(ID_32, NOW) is None
            tx.put_invitation(invitation)
            assert tx.take_invitation(ID_32, NOW + 1) is None

    @pytest.mark.requirement("DS-15")
    def test_a_link_is_taken_once(self, store: Store) -> None:
        link = SealedLink(bytes(16), "alice", NOW + 1, b"sealed")
        with store.transaction() as tx:
            tx.put_link(link)
            with pytest.raises(StoreConflict), tx.savepoint():
                tx.put_link(replace(link, sealed=b"other"))
            assert tx.count_links("alice", NOW) == 1
            assert tx.count_links("alice", NOW + 1) == 0
            assert tx.count_links("bob", NOW) == 0
        with store.transaction() as tx:
            assert tx.take_link(bytes(16), NOW) == link
            assert tx.take_link(bytes(16), NOW) is None
            tx.put_link(link)
            assert tx.take_link(bytes(16), NOW + 1) is None

    def test_what_has_expired_is_swept(self, store: Store) -> None:
        with store.transaction() as tx:
            tx.put_invitation(Invitation(ID_32, None, NOW + 1))
            tx.put_link(SealedLink(bytes(16), "alice", NOW + 1, b"sealed"))
            tx.sweep(NOW, 0, 0)
            assert tx.count_links("alice", NOW) == 1
            tx.sweep(NOW + 1, 0, 0)
            assert tx.take_invitation(ID_32, NOW) is None
            assert tx.take_link(bytes(16), NOW) is None


def test_all_that_there_is_is_counted(store: Store, phone: VerifiedCertificate) -> None:
    with store.transaction() as tx:
        assert tx.totals(since=0) == Totals(0, 0, 0)
        for number in (1, 2, 3):
            tx.append_mail(phone.signature_key, mail(number, encoded=b"7 bytes"))
        tx.remove_mail(phone.signature_key, 1)
        tx.add_call(CALL_ID, LogEntry(phone, NOW, b"open"))
        tx.add_call(ID_32[:16][::-1], LogEntry(phone, NOW - 1, b"open"))
    with store.transaction() as tx:
        assert tx.totals(since=NOW) == Totals(1, 2, 14)
        assert tx.totals(since=0).calls == 2


def test_nothing_that_was_said_is_printed() -> None:
    for row in (
        mail(1, encoded=b"words"),
        SealedLink(bytes(16), "alice", NOW, b"words"),
        LogEntry(certificate("alice"), NOW, b"words"),
    ):
        assert "words" not in repr(row)
