"""What a store has to be: the records that outlive a connection, read and written in transactions.

    with store.transaction() as tx:
        ...                              reads, and writes that later reads of this transaction see
                                         kept when the block ends; undone, all of them, if an exception leaves it

Durability: when the block has ended, the writes outlive this process and a loss of power. The service sends no answer
before that (DS-9).

Isolation: transactions are serialisable. A store of one process has one at a time and is done. A store that several
services share may let them run side by side, if what one has read or conditionally added is not changed by another before
it ends; then it raises StoreConflict, from the call or at the end of the block, and has kept nothing. The conditional writes,
on which the protocol rests, are

* ``add_call``, ``add_entry`` and ``take_back``: one entry for each place of a call's log, the first (DS-4), unless it is void
  (DS-20);
* ``take_key_package``: each single-use KeyPackage to one taker (DS-2);
* ``append_mail`` and ``append_to_all``: the next number of a mailbox, given once (DS-9);
* ``take_invitation`` and ``take_link``: each once (DS-8, IDENT-17).

``now`` is Unix milliseconds; what expired before it is not there, whether it was swept away or not. Every store passes
the suite in tests/server/stores.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from e2ee.crypto.secret import Secret
from e2ee.identity.device_certificate import VerifiedCertificate

__all__ = [
    "CallRecord",
    "HeldKeyPackage",
    "Invitation",
    "LogEntry",
    "Mail",
    "Mailbox",
    "SealedLink",
    "Share",
    "Shelf",
    "Store",
    "Totals",
    "Transaction",
]


@dataclass(frozen=True, slots=True)
class HeldKeyPackage:
    """A KeyPackage of a device. ``ref`` is its KeyPackageRef; ``not_after`` is Unix seconds."""

    ref: bytes
    suite: int
    not_after: int
    encoded: bytes
    last_resort: bool = False


@dataclass(frozen=True, slots=True)
class Shelf:
    """How many KeyPackages of a device are held and were handed out; the suites that have a last resort."""

    held: int
    handed_out: int
    last_resorts: Collection[int]


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Of a device of ``account_id``. ``last_number`` is the newest message's, 0 before the first; ``messages`` of ``size``
    bytes in all are kept."""

    account_id: str
    last_number: int
    messages: int
    size: int


@dataclass(frozen=True, slots=True)
class Share:
    """``messages`` of ``size`` bytes in all: what a mailbox keeps of one account."""

    messages: int
    size: int


@dataclass(frozen=True, slots=True)
class Mail:
    """A message in a mailbox. ``encoded`` is as it goes out but for its ``number``, which is 0 there, so that one message
    for many is kept once. ``expires_at`` is Unix milliseconds.

    ``sender`` is the account in whose share of the mailbox it is (DS-9), None if it is in nobody's.
    """

    number: int
    expires_at: int
    encoded: bytes = field(repr=False)
    sender: str | None = None


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A call. ``opener`` is a signature key. Its log has had ``entries``, and last changed at ``grown_at`` (Unix milliseconds);
    what the first ``begins`` of them made is in its snapshot, if there are any."""

    opener: bytes
    account_id: str
    grown_at: int
    entries: int
    begins: int = 0


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A request that a call's log took: the encoded ``open`` or ``commit``, by which device, and when."""

    device: VerifiedCertificate
    received_at: int
    request: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Invitation:
    """Lets one account in, whose id is ``account_id`` unless that is None. ``digest`` is its token's."""

    digest: bytes
    account_id: str | None
    expires_at: int


@dataclass(frozen=True, slots=True)
class SealedLink:
    """What a device of ``account_id`` left for a new one (IDENT-17)."""

    link_id: bytes
    account_id: str
    expires_at: int
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Totals:
    """How many calls there are, and messages in all mailboxes, of ``mail_size`` bytes."""

    calls: int
    mail: int
    mail_size: int


class Transaction(Protocol):
    """See the module. Devices are named by their signature keys."""

    def savepoint(self) -> AbstractContextManager[None]:
        """A block whose writes are undone if an exception leaves it, and the others of the transaction are not."""

    # The service

    def identity(self) -> Secret | None:
        """Who the service is, as ``ServiceIdentity`` encodes it."""

    def put_identity(self, encoded: bytes) -> None:
        """Keep it."""

    # Accounts and devices

    def account_key(self, account_id: str) -> bytes | None:
        """The key that this account registered."""

    def put_account(self, account_id: str, account_key: bytes) -> None:
        """Register an account, or its new key."""

    def devices(self, account_id: str) -> Sequence[VerifiedCertificate]:
        """The newest certificate of each device of this account."""

    def device(self, signature_key: bytes) -> VerifiedCertificate | None:
        """The newest certificate of this device."""

    def put_device(self, certificate: VerifiedCertificate) -> None:
        """Keep a certificate of an account that is registered, in the place of the device's last one.

        The mailbox of a new device begins with number 1, or above all numbers that devices had which the account removed: a
        device that comes back finds no number used twice.
        """

    def remove_device(self, signature_key: bytes) -> None:
        """Forget a device with its KeyPackages, those handed out as well, and its mailbox."""

    # KeyPackages

    def shelf(self, signature_key: bytes, now: int) -> Shelf:
        """What there is of this device's KeyPackages."""

    def device_of_key_package(self, ref: bytes, now: int) -> bytes | None:
        """The device of a KeyPackage that is held or was handed out."""

    def hold(self, signature_key: bytes, key_packages: Sequence[HeldKeyPackage]) -> None:
        """Keep all of these. A last resort takes the place of the one of its suite, which then was handed out."""

    def take_key_package(self, signature_key: bytes, suite: int, now: int) -> HeldKeyPackage | None:
        """The oldest of this suite, which nobody else will get; when none is left the last resort, which stays."""

    def withdraw(self, signature_key: bytes) -> None:
        """Hand out nothing more of what is held of this device."""

    # Mailboxes

    def mailbox(self, signature_key: bytes) -> Mailbox | None:
        """A device's mailbox; None if there is no such device. What has expired may be counted until it is swept."""

    def mailboxes(self, signature_keys: Sequence[bytes]) -> Mapping[bytes, Mailbox]:
        """Those of these devices that there are."""

    def share(self, signature_key: bytes, sender: str) -> Share:
        """What this account has in a device's mailbox. What has expired may be counted until it is swept."""

    def append_mail(self, signature_key: bytes, mail: Mail) -> None:
        """Put a message at the end; its number is the one after ``last_number``. Else raises StoreConflict."""

    def append_to_all(self, numbers: Mapping[bytes, int], mail: Mail) -> None:
        """Put one message at the end of several mailboxes, in each with the number that stands here and not in ``mail``, and
        keep it once. Raises StoreConflict, and then has put it nowhere, unless each number is the next one."""

    def mail(self, signature_key: bytes, after: int, now: int, limit: int) -> Sequence[Mail]:
        """The first ``limit`` messages with a number above ``after``, in their order."""

    def remove_mail(self, signature_key: bytes, up_to: int) -> None:
        """Remove the messages with a number up to this one."""

    # Calls

    def call(self, call_id: bytes) -> CallRecord | None:
        """A call, over or not, as long as its id is remembered."""

    def count_calls(self, opener: bytes, account_id: str, since: int) -> tuple[int, int]:
        """How many calls grew at or after ``since`` that this device opened, and that this account's devices did."""

    def add_call(self, call_id: bytes, entry: LogEntry) -> None:
        """Begin a call's log, with the device that opens it as its one member. StoreConflict if there is one."""

    def add_entry(
        self, call_id: bytes, position: int, entry: LogEntry, members: Sequence[bytes]
    ) -> None:
        """Put an entry at ``position`` (the first is 0) and note who is a member then. StoreConflict if it is taken."""

    def put_snapshot(self, call_id: bytes, begins: int, snapshot: bytes) -> None:
        """Keep what the first ``begins`` entries of a log made, in the place of these entries and of an earlier snapshot."""

    def snapshot(self, call_id: bytes) -> bytes | None:
        """What the entries before the first of ``log`` made; None if none is missing there."""

    def log(self, call_id: bytes) -> Sequence[LogEntry]:
        """The entries of a call from ``begins`` on; none if it is long over."""

    def take_back(self, call_id: bytes, entries: int, now: int, members: Sequence[bytes]) -> None:
        """Leave only the first ``entries`` of a log, at least ``begins``, and note who is a member then; the log changed
        ``now``. StoreConflict if it has not more entries than that."""

    def put_gone(self, call_id: bytes, signature_key: bytes, *, gone: bool) -> None:
        """Note that a member is gone for good, or is not. Who is no member any more is not gone either."""

    def gone(self, call_id: bytes) -> Collection[bytes]:
        """The members that are gone."""

    def calls_of(self, signature_key: bytes, since: int) -> Sequence[bytes]:
        """The ids of the calls that grew at or after ``since`` and that this device is a member of."""

    # Invitations and links

    def put_invitation(self, invitation: Invitation) -> None:
        """Keep an invitation."""

    def take_invitation(self, digest: bytes, now: int) -> Invitation | None:
        """The invitation with this digest, which is gone then."""

    def put_link(self, link: SealedLink) -> None:
        """Keep this for a new device. Raises StoreConflict if there is something under its id."""

    def take_link(self, link_id: bytes, now: int) -> SealedLink | None:
        """What was left under this id, which is gone then."""

    def count_links(self, account_id: str, now: int) -> int:
        """How much devices of this account have left."""

    # For who watches the service

    def totals(self, since: int) -> Totals:
        """How much there is; of calls those that grew at or after ``since``."""

    # What has expired

    def sweep(self, now: int, calls_over: int, calls_forgotten: int) -> None:
        """Remove what expired before ``now``, the logs of calls that grew last before ``calls_over``, and the ids of those
        that did before ``calls_forgotten``."""


class Store(Protocol):
    """See the module. Not for use by several threads at a time."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Begins a transaction; not within another."""
