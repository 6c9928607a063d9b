"""``MemoryStore``: the store of one process, which forgets when that ends. For tests, demonstrations and examples.

Rows are in tables that write down how to undo each change (``journal``), so a block that fails is undone by going back.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from e2ee.crypto.secret import Secret
from e2ee.delivery.errors import DeliveryReason, StoreConflict
from e2ee.delivery.journal import Journal, Table
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

__all__ = ["MemoryStore", "MemoryTransaction", "Store", "Transaction"]


@dataclass(frozen=True, slots=True)
class _Account:
    key: bytes
    retired: int = 0
    """The highest number that a mailbox of a removed device had."""


@dataclass(frozen=True, slots=True)
class _Device:
    certificate: VerifiedCertificate
    mailbox: Mailbox


@dataclass(frozen=True, slots=True)
class _KeyPackage:
    """``position`` says which is older; one that was ``taken`` is not held, but known."""

    owner: bytes
    package: HeldKeyPackage
    position: int
    taken: bool = False


@dataclass(frozen=True, slots=True)
class _Call:
    record: CallRecord
    log: tuple[LogEntry, ...]
    members: frozenset[bytes]
    gone: frozenset[bytes] = frozenset()
    snapshot: bytes | None = None

    def then(
        self, record: CallRecord, log: tuple[LogEntry, ...], members: Sequence[bytes]
    ) -> _Call:
        now = frozenset(members)
        return replace(self, record=record, log=log, members=now, gone=self.gone & now)


class MemoryTransaction:
    """The tables, which are all there is: a transaction of a store in memory works on them directly."""

    def __init__(self) -> None:
        self.journal = journal = Journal()
        self.service: Table[str, Secret] = Table(journal)
        self.accounts: Table[str, _Account] = Table(journal)
        self.device_rows: Table[bytes, _Device] = Table(journal)
        self.key_packages: Table[bytes, _KeyPackage] = Table(journal)
        self.mail_rows: dict[bytes, Table[int, Mail]] = {}
        self.calls: Table[bytes, _Call] = Table(journal)
        self.invitations: Table[bytes, Invitation] = Table(journal)
        self.links: Table[bytes, SealedLink] = Table(journal)
        self._positions = 0

    def savepoint(self) -> contextlib.AbstractContextManager[None]:
        return self.journal.undone_on_error()

    # The service

    def identity(self) -> Secret | None:
        return self.service.get("identity")

    def put_identity(self, encoded: bytes) -> None:
        self.service.put("identity", Secret(encoded))

    # Accounts and devices

    def account_key(self, account_id: str) -> bytes | None:
        account = self.accounts.get(account_id)
        return None if account is None else account.key

    def put_account(self, account_id: str, account_key: bytes) -> None:
        account = self.accounts.get(account_id) or _Account(account_key)
        self.accounts.put(account_id, replace(account, key=account_key))

    def devices(self, account_id: str) -> Sequence[VerifiedCertificate]:
        certificates = (row.certificate for row in self.device_rows.rows.values())
        return [each for each in certificates if each.account_id == account_id]

    def device(self, signature_key: bytes) -> VerifiedCertificate | None:
        row = self.device_rows.get(signature_key)
        return None if row is None else row.certificate

    def put_device(self, certificate: VerifiedCertificate) -> None:
        row = self.device_rows.get(certificate.signature_key)
        account_id = certificate.account_id
        retired = self.accounts.rows[account_id].retired
        mailbox = Mailbox(account_id, retired, 0, 0) if row is None else row.mailbox
        self.device_rows.put(certificate.signature_key, _Device(certificate, mailbox))

    def remove_device(self, signature_key: bytes) -> None:
        row = self.device_rows.get(signature_key)
        if row is None:
            return
        account_id, last = row.certificate.account_id, row.mailbox.last_number
        account = self.accounts.rows[account_id]
        self.accounts.put(account_id, replace(account, retired=max(account.retired, last)))
        self.remove_mail(signature_key, last)
        self.key_packages.remove_where(lambda each: each.owner == signature_key)
        self.device_rows.remove(signature_key)

    # KeyPackages

    def shelf(self, signature_key: bytes, now: int) -> Shelf:
        known = [row for row in self._known(now) if row.owner == signature_key]
        held = [row.package for row in known if not row.taken]
        last_resorts = {package.suite for package in held if package.last_resort}
        return Shelf(len(held), len(known) - len(held), last_resorts)

    def device_of_key_package(self, ref: bytes, now: int) -> bytes | None:
        row = self.key_packages.get(ref)
        return None if row is None or _expired(row, now) else row.owner

    def hold(self, signature_key: bytes, key_packages: Sequence[HeldKeyPackage]) -> None:
        for package in key_packages:
            if package.last_resort:
                self._take_where(signature_key, package.suite)
            self._positions += 1
            row = _KeyPackage(signature_key, package, self._positions)
            self.key_packages.put(package.ref, row)

    def take_key_package(self, signature_key: bytes, suite: int, now: int) -> HeldKeyPackage | None:
        fitting = [
            row
            for row in self._known(now)
            if row.owner == signature_key and row.package.suite == suite and not row.taken
        ]
        if not fitting:
            return None
        oldest = min(fitting, key=lambda row: (row.package.last_resort, row.position))
        if not oldest.package.last_resort:
            self.key_packages.put(oldest.package.ref, replace(oldest, taken=True))
        return oldest.package

    def withdraw(self, signature_key: bytes) -> None:
        self._take_where(signature_key)
        self.key_packages.remove_where(lambda row: row.owner == signature_key and not row.taken)

    def _take_where(self, signature_key: bytes, suite: int | None = None) -> None:
        """Last resorts may have been handed out, so they stay known."""
        for ref, row in list(self.key_packages.rows.items()):
            this_suite = suite in (None, row.package.suite)
            if row.owner == signature_key and row.package.last_resort and this_suite:
                self.key_packages.put(ref, replace(row, taken=True))

    def _known(self, now: int) -> Iterator[_KeyPackage]:
        return (row for row in self.key_packages.rows.values() if not _expired(row, now))

    # Mailboxes

    def mailbox(self, signature_key: bytes) -> Mailbox | None:
        row = self.device_rows.get(signature_key)
        return None if row is None else row.mailbox

    def mailboxes(self, signature_keys: Sequence[bytes]) -> Mapping[bytes, Mailbox]:
        rows = {key: self.device_rows.get(key) for key in signature_keys}
        return {key: row.mailbox for key, row in rows.items() if row is not None}

    def share(self, signature_key: bytes, sender: str) -> Share:
        rows = self._mail_of(signature_key).rows.values()
        sizes = [len(mail.encoded) for mail in rows if mail.sender == sender]
        return Share(len(sizes), sum(sizes))

    def append_mail(self, signature_key: bytes, mail: Mail) -> None:
        row = self.device_rows.rows[signature_key]
        if mail.number != row.mailbox.last_number + 1:
            raise StoreConflict(DeliveryReason.CONFLICT, "the number is not the next")
        self._mail_of(signature_key).put(mail.number, mail)
        self._count(signature_key, 1, len(mail.encoded), mail.number)

    def append_to_all(self, numbers: Mapping[bytes, int], mail: Mail) -> None:
        with self.savepoint():
            for signature_key, number in numbers.items():
                self.append_mail(signature_key, replace(mail, number=number))

    def mail(self, signature_key: bytes, after: int, now: int, limit: int) -> Sequence[Mail]:
        rows = self._mail_of(signature_key).rows
        return [rows[n] for n in sorted(rows) if n > after and rows[n].expires_at > now][:limit]

    def remove_mail(self, signature_key: bytes, up_to: int) -> None:
        self._remove_mail(signature_key, lambda mail: mail.number <= up_to)

    def _remove_mail(self, signature_key: bytes, condition: Callable[[Mail], bool]) -> None:
        gone = self._mail_of(signature_key).remove_where(condition)
        if gone:
            self._count(signature_key, -len(gone), -sum(len(mail.encoded) for mail in gone))

    def _mail_of(self, signature_key: bytes) -> Table[int, Mail]:
        return self.mail_rows.setdefault(signature_key, Table(self.journal))

    def _count(self, signature_key: bytes, messages: int, size: int, last: int = 0) -> None:
        row = self.device_rows.rows[signature_key]
        was = row.mailbox
        last = max(was.last_number, last)
        now = Mailbox(was.account_id, last, was.messages + messages, was.size + size)
        self.device_rows.put(signature_key, replace(row, mailbox=now))

    # Calls

    def call(self, call_id: bytes) -> CallRecord | None:
        call = self.calls.get(call_id)
        return None if call is None else call.record

    def count_calls(self, opener: bytes, account_id: str, since: int) -> tuple[int, int]:
        records = [c.record for c in self.calls.rows.values() if c.record.grown_at >= since]
        by_device = sum(record.opener == opener for record in records)
        return by_device, sum(record.account_id == account_id for record in records)

    def add_call(self, call_id: bytes, entry: LogEntry) -> None:
        if self.calls.get(call_id) is not None:
            raise StoreConflict(DeliveryReason.CONFLICT, "the call's id is taken")
        device = entry.device
        record = CallRecord(device.signature_key, device.account_id, entry.received_at, 1)
        members = frozenset([device.signature_key])
        self.calls.put(call_id, _Call(record, (entry,), members))

    def add_entry(
        self, call_id: bytes, position: int, entry: LogEntry, members: Sequence[bytes]
    ) -> None:
        call = self.calls.rows[call_id]
        if call.record.entries != position:
            raise StoreConflict(DeliveryReason.CONFLICT, "the log has grown")
        record = replace(call.record, grown_at=entry.received_at, entries=position + 1)
        self.calls.put(call_id, call.then(record, (*call.log, entry), members))

    def put_snapshot(self, call_id: bytes, begins: int, snapshot: bytes) -> None:
        call = self.calls.rows[call_id]
        log = call.log[begins - call.record.begins :]
        record = replace(call.record, begins=begins)
        self.calls.put(call_id, replace(call, record=record, log=log, snapshot=snapshot))

    def snapshot(self, call_id: bytes) -> bytes | None:
        call = self.calls.get(call_id)
        return None if call is None else call.snapshot

    def log(self, call_id: bytes) -> Sequence[LogEntry]:
        call = self.calls.get(call_id)
        return () if call is None else call.log

    def take_back(self, call_id: bytes, entries: int, now: int, members: Sequence[bytes]) -> None:
        call = self.calls.rows[call_id]
        if call.record.entries <= entries:
            raise StoreConflict(DeliveryReason.CONFLICT, "the log is shorter")
        record = replace(call.record, grown_at=now, entries=entries)
        self.calls.put(call_id, call.then(record, call.log[: entries - record.begins], members))

    def put_gone(self, call_id: bytes, signature_key: bytes, *, gone: bool) -> None:
        call = self.calls.rows[call_id]
        changed = {signature_key} & call.members
        after = call.gone | changed if gone else call.gone - changed
        self.calls.put(call_id, replace(call, gone=after))

    def gone(self, call_id: bytes) -> Collection[bytes]:
        call = self.calls.get(call_id)
        return frozenset() if call is None else call.gone

    def calls_of(self, signature_key: bytes, since: int) -> Sequence[bytes]:
        return [
            call_id
            for call_id, call in self.calls.rows.items()
            if signature_key in call.members and call.record.grown_at >= since
        ]

    # Invitations and links

    def put_invitation(self, invitation: Invitation) -> None:
        self.invitations.put(invitation.digest, invitation)

    def take_invitation(self, digest: bytes, now: int) -> Invitation | None:
        invitation = self.invitations.get(digest)
        self.invitations.remove(digest)
        return invitation if invitation is not None and invitation.expires_at > now else None

    def put_link(self, link: SealedLink) -> None:
        if self.links.get(link.link_id) is not None:
            raise StoreConflict(DeliveryReason.CONFLICT, "the link's id is taken")
        self.links.put(link.link_id, link)

    def take_link(self, link_id: bytes, now: int) -> SealedLink | None:
        link = self.links.get(link_id)
        self.links.remove(link_id)
        return link if link is not None and link.expires_at > now else None

    def count_links(self, account_id: str, now: int) -> int:
        links = self.links.rows.values()
        return sum(each.account_id == account_id and each.expires_at > now for each in links)

    # For who watches the service

    def totals(self, since: int) -> Totals:
        mailboxes = [row.mailbox for row in self.device_rows.rows.values()]
        return Totals(
            calls=sum(call.record.grown_at >= since for call in self.calls.rows.values()),
            mail=sum(mailbox.messages for mailbox in mailboxes),
            mail_size=sum(mailbox.size for mailbox in mailboxes),
        )

    # What has expired

    def sweep(self, now: int, calls_over: int, calls_forgotten: int) -> None:
        for signature_key in self.device_rows.rows:
            self._remove_mail(signature_key, lambda mail: mail.expires_at <= now)
        self.key_packages.remove_where(lambda row: _expired(row, now))
        self.invitations.remove_where(lambda row: row.expires_at <= now)
        self.links.remove_where(lambda row: row.expires_at <= now)
        self.calls.remove_where(lambda call: call.record.grown_at < calls_forgotten)
        for call_id, call in list(self.calls.rows.items()):
            if call.record.grown_at < calls_over and (call.log or call.snapshot):
                self.calls.put(call_id, _Call(call.record, (), frozenset()))


def _expired(row: _KeyPackage, now: int) -> bool:
    return row.package.not_after < now // 1000


class MemoryStore:
    """See the module."""

    def __init__(self) -> None:
        self._tables = MemoryTransaction()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[MemoryTransaction]:
        """See ``transaction.Store``."""
        journal = self._tables.journal
        with journal.undone_on_error():
            yield self._tables
        journal.changes.clear()
