"""A town: one delivery service, and devices that talk to it in the protocol's words, with real MLS groups.

Time is the town's, entropy is seeded, and connections are inboxes: everything happens in the order of the test's lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519
from e2ee.delivery.journal import Table
from e2ee.delivery.service import (
    DeliveryService,
    ForwardEnd,
    ForwardRequest,
    Outgoing,
    ServiceIdentity,
)
from e2ee.delivery.store import MemoryStore
from e2ee.identity.account import AccountKey
from e2ee.identity.device_certificate import DeviceCertificate, VerifiedCertificate
from e2ee.identity.login import login_signature, register_signature
from e2ee.mls.credential import Credential
from e2ee.mls.group import Group, PendingCommit
from e2ee.mls.joining import join
from e2ee.mls.key_package import LAST_RESORT, KeyPackage, make_key_package_ref
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.leaf_node import Lifetime
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Add, ProposalContent, Remove
from e2ee.mls.received import StagedCommit
from e2ee.mls.welcome import Welcome
from e2ee.profile.call_profile import CallProfile, group_extensions, one_to_one
from e2ee.profile.leaves import (
    call_capabilities,
    committer_policy,
    key_package_lifetime,
    receiver_policy,
)
from e2ee.signalling import messages, wire
from e2ee.signalling.messages import SERVICE, FromService, ServiceMessage
from e2ee.tls_syntax import opaque

SERVER_NAME = "calls.example"
CALL_ID = bytes(range(16))
SUITE = 0x0001


class Town:
    """One service and its clock."""

    def __init__(self) -> None:
        self.now = 1_800_000_000_000
        self.entropy = SeededEntropy(b"tests/delivery")
        self.identity = ServiceIdentity.create(SERVER_NAME, self.entropy.fork(b"service"))
        self.store = MemoryStore()
        self.options: dict[str, Any] = {}
        self.service = self._new_service()
        self.inboxes: dict[int, list[FromService]] = {}
        """What has arrived at connections; messages of mailboxes without their numbers, which are beside."""
        self.numbers: dict[int, list[int]] = {}
        self.accounts: dict[str, AccountKey] = {}
        self.forwarding: list[ForwardRequest | ForwardEnd] = []
        """What there was for the forwarding unit."""
        self.closed: list[tuple[int, str]] = []
        """The connections that were to be closed, and why."""

    def _new_service(self) -> DeliveryService:
        nonces = self.entropy.fork(b"service's nonces")
        return DeliveryService(self.identity, self.store, nonces, **self.options)

    def account(self, account_id: str) -> AccountKey:
        """The one account of this id."""
        if account_id not in self.accounts:
            entropy = self.entropy.fork(account_id.encode())
            self.accounts[account_id] = AccountKey.create(account_id, entropy)
        return self.accounts[account_id]

    def connect(self, origin: str = "") -> int:
        """A new connection, from an address that counts unless it is ""."""
        connection = len(self.inboxes) + 1
        self.inboxes[connection] = []
        self.service.connected(connection, origin)
        return connection

    def disconnect(self, connection: int) -> None:
        """A connection is gone."""
        self._arrive(self.service.disconnected(connection, self.now))

    def advance(self, milliseconds: int) -> None:
        """Time passes, and the service does what is due."""
        target = self.now + milliseconds
        while (timer := self.service.get_timer()) is not None and timer <= target:
            self.now = max(self.now, timer)
            self._arrive(self.service.handle_timer(self.now))
            assert self.service.get_timer() != timer, "still due after it was handled"
        self.now = target

    def restart(self) -> None:
        """The service's process ends and another one begins, on the same store; nobody is connected."""
        self.service = self._new_service()
        self.inboxes = {connection: [] for connection in self.inboxes}

    def send(
        self, connection: int, message: ServiceMessage, user: str | None = None
    ) -> list[FromService]:
        """Send, let everything arrive, and take what arrived here."""
        received = wire.decode(SERVICE, wire.encode(message))
        self._arrive(self.service.receive(connection, received, self.now, user=user))
        return self.take(connection)

    def _arrive(self, outgoing: Outgoing) -> None:
        for to, message in outgoing:
            arrived = wire.decode(SERVICE, wire.encode(message))
            assert isinstance(arrived, FromService)
            number = getattr(arrived, "number", 0)
            if number:
                arrived = replace(arrived, number=0)  # type: ignore[type-var]
                self.numbers.setdefault(to, []).append(number)
            self.inboxes[to].append(arrived)
        self.forwarding += self.service.take_forwarding()
        for connection, reason in self.service.take_closing():
            self.closed.append((connection, reason))
            self.disconnect(connection)

    def take(self, connection: int) -> list[FromService]:
        """What has arrived since the last time."""
        arrived = self.inboxes[connection]
        self.inboxes[connection] = []
        return arrived

    def device(self, account_id: str, device_id: int = 1, **options: Any) -> Device:
        """A device that is connected and has not said anything."""
        return Device(self, self.account(account_id), device_id, **options)

    def member(self, account_id: str, device_id: int = 1, key_packages: int = 0) -> Device:
        """A device that has logged in and published."""
        device = self.device(account_id, device_id)
        device.register()
        assert device.login() == [messages.LoggedIn()]
        if key_packages:
            assert device.publish(key_packages) == [messages.Published(key_packages)]
        return device

    def devices(self, account_id: str) -> Sequence[VerifiedCertificate]:
        """What the service keeps of an account's devices."""
        with self.store.transaction() as tx:
            return tx.devices(account_id)

    def state(self) -> Any:
        """All that the service knows, to see that a refusal changed nothing."""
        sessions = self.service._service.sessions
        connections = {n: deepcopy(c) for n, c in sessions._connections.items()}
        calls = dict(self.service._service.calls._calls)
        waits = dict(sessions._awaiting)
        in_memory = deepcopy(self.service._service.attendances._of), len(self.forwarding)
        return self.kept(), connections, dict(sessions._of_device), waits, calls, in_memory

    def kept(self) -> Any:
        """All that is in the store."""
        tables = self.store._tables
        boxes = {key: dict(table.rows) for key, table in tables.mail_rows.items() if table.rows}
        return boxes, *(
            dict(each.rows) for each in vars(tables).values() if isinstance(each, Table)
        )


class Device:
    """A device of an account: its keys, its connection, and its view of one call."""

    def __init__(
        self, town: Town, account: AccountKey, device_id: int, *, suites: Sequence[int] = (SUITE,)
    ) -> None:
        self.town = town
        self.account = account
        self.suites = suites
        self.entropy = town.entropy.fork(f"{account.account_id} {device_id}".encode())
        self.key = ED25519.generate(self.entropy)
        self.device_id = device_id
        self.certificate: DeviceCertificate = self.certify()
        self.connection = town.connect()
        self.bundles: list[KeyPackageBundle] = []
        self.group: Group | None = None

    def certify(self, **fields: Any) -> DeviceCertificate:
        """A certificate of this device."""
        return self.account.certify(
            self.key.public,
            device_id=self.device_id,
            now=self.town.now,
            versions=[0x0100],
            suites=self.suites,
            **fields,
        )

    def send(self, message: ServiceMessage) -> list[FromService]:
        return self.town.send(self.connection, message)

    def take(self) -> list[FromService]:
        return self.town.take(self.connection)

    def refused(self, message: ServiceMessage) -> str:
        """Send what must be refused; gives the reason, and sees that nothing changed and nobody else heard of it."""
        before = self.town.state()
        inboxes = {connection: list(inbox) for connection, inbox in self.town.inboxes.items()}
        (answer,) = self.send(message)
        assert isinstance(answer, messages.Refused)
        assert answer.request == message.name
        assert answer.call_id == getattr(message, "call_id", None)
        assert self.town.state() == before
        assert self.town.inboxes == inboxes
        return answer.reason

    # Logging in

    def hello(self) -> messages.Welcome:
        (welcome,) = self.send(messages.Hello((0x0100,)))
        assert isinstance(welcome, messages.Welcome)
        return welcome

    def register(self) -> messages.Attested:
        self.hello()
        (attested,) = self.send(self.registration())
        assert isinstance(attested, messages.Attested)
        return attested

    def registration(self, token: str = "") -> messages.Register:
        signature = register_signature(self.account, SERVER_NAME)
        return messages.Register(self.account.account_id, self.account.public, signature, token)

    def proof(
        self, server_nonce: bytes, certificate: DeviceCertificate | None = None
    ) -> messages.Login:
        client_nonce = self.entropy.random(32)
        return messages.Login(
            (certificate or self.certificate).encode(),
            self.key.public,
            client_nonce,
            login_signature(self.key, SERVER_NAME, server_nonce, client_nonce),
        )

    def login(self) -> list[FromService]:
        return self.send(self.proof(self.hello().server_nonce))

    def numbers(self) -> list[int]:
        """The numbers of what has come out of the mailbox since the last time."""
        return self.town.numbers.pop(self.connection, [])

    def acknowledge(self, numbers: Sequence[int]) -> None:
        """Say that all up to the last of these was taken."""
        if numbers:
            assert self.send(messages.Acknowledge(numbers[-1])) == []

    def disconnect(self) -> None:
        self.town.disconnect(self.connection)

    def reconnect(self) -> list[FromService]:
        """A new connection, logged in; gives all that arrived with that."""
        self.connection = self.town.connect()
        return self.login()

    # KeyPackages

    def bundle(self, *, last_resort: bool = False, **options: Any) -> KeyPackageBundle:
        """A fresh KeyPackage with its keys."""
        certificate = options.pop("certificate", self.certificate)
        marks = (LAST_RESORT,) if last_resort else ()
        return KeyPackageBundle.generate(
            cipher_suite(SUITE),
            options.pop("key", self.key),
            Credential.basic(certificate.encode()),
            call_capabilities(self.suites, marks),
            options.pop("lifetime", key_package_lifetime(self.town.now)),
            self.entropy,
            extensions=marks,
        )

    def publish(self, count: int) -> list[FromService]:
        fresh = [self.bundle() for _ in range(count)]
        self.bundles += fresh
        return self.send(messages.Publish(tuple(encoded(b.key_package) for b in fresh)))

    # Calling

    def create(
        self,
        callee: AccountKey,
        *,
        call_id: bytes = CALL_ID,
        profile: CallProfile | None = None,
    ) -> Group:
        """Begin a group of the call from this device to this account."""
        delivery_key = self.town.identity.delivery_key.public
        self.group = Group.create(
            self.bundle(),
            group_id=call_id,
            extensions=group_extensions(
                profile or one_to_one(self.account.public, callee.public, delivery_key)
            ),
            policy=committer_policy(self.town.now),
            entropy=self.entropy,
        )
        return self.group

    def opening(self, call_id: bytes = CALL_ID) -> messages.Open:
        assert self.group is not None
        return messages.Open(call_id, self.group.group_info(external_pub=False).encode())

    def letter_key(self, receiver: KeyPackage, sealed: bytes = b"sealed to it") -> bytes:
        """An element of ``keys``: the KeyPackage's reference, and what the service does not read."""
        return opaque.encode(make_key_package_ref(cipher_suite(SUITE), receiver)) + sealed

    def claim(self, account_id: str) -> list[KeyPackage]:
        (answer,) = self.send(messages.Claim(account_id, SUITE))
        assert isinstance(answer, messages.KeyPackages)
        return [decoded(KeyPackage, data) for data in answer.key_packages]

    def commit(self, *contents: ProposalContent, **options: Any) -> PendingCommit:
        """A commit of the own group, which is not in the log yet."""
        assert self.group is not None
        policy = committer_policy(self.town.now)
        return self.group.commit(policy=policy, entropy=self.entropy, proposals=contents, **options)

    def invitation(
        self, key_packages: list[KeyPackage], offer: bytes = b"offer"
    ) -> tuple[messages.Commit, Group]:
        """The request that adds these, and the group as it is then."""
        pending = self.commit(*map(Add, key_packages))
        assert self.group is not None
        assert pending.welcome is not None
        following = self.group.merge(pending.staged)
        request = messages.Commit(
            CALL_ID,
            pending.message.encode(),
            pending.welcome.encode(),
            following.protect(offer, entropy=self.entropy).encode(),
        )
        return request, following

    def invite(self, account_id: str) -> None:
        """Open the call and ring all devices of this account."""
        self.create(self.town.account(account_id))
        assert self.send(self.opening()) == []
        request, self.group = self.invitation(self.claim(account_id))
        assert self.send(request) == [messages.Committed(CALL_ID, request.commit)]

    def join(self) -> list[FromService]:
        """Take the invitation that arrived."""
        (invited,) = arrived = self.take()
        assert isinstance(invited, messages.Invited)
        welcome = decoded(Welcome, invited.welcome)
        self.group = join(welcome, self.bundles[0], policy=receiver_policy(self.town.now))
        return arrived

    def answer(self) -> messages.Commit:
        """The Answer: removes the account's other devices."""
        assert self.group is not None
        others = [
            member.leaf_index
            for member in self.group.members()
            if member.leaf_index not in (0, self.group.own_leaf_index)
        ]
        return self.request(self.commit(*map(Remove, others)))

    def request(self, pending: PendingCommit) -> messages.Commit:
        """A commit without invitation; the group goes on with it when it comes back."""
        self.pending = pending
        return messages.Commit(CALL_ID, pending.message.encode(), None, None)

    def apply_own(self) -> None:
        assert self.group is not None
        self.group = self.group.merge(self.pending.staged)

    def apply(self, committed: FromService) -> StagedCommit:
        """Another member's commit came out of the log."""
        assert isinstance(committed, messages.Committed)
        assert self.group is not None
        message = MLSMessage.decode(committed.commit)
        staged = self.group.receive(message, policy=receiver_policy(self.town.now))
        assert isinstance(staged, StagedCommit)
        if not staged.removes_own_leaf:
            self.group = self.group.merge(staged)
        return staged

    def say(self, data: bytes) -> messages.Send:
        assert self.group is not None
        return messages.Send(CALL_ID, self.group.protect(data, entropy=self.entropy).encode())


def encoded(body: Any) -> bytes:
    """As an MLSMessage."""
    return MLSMessage.of(body).encode()


def decoded(body: type, data: bytes) -> Any:
    """The body of an MLSMessage."""
    message = MLSMessage.decode(data)
    assert isinstance(message.body, body)
    return message.body


def days(now: int, begin: float, end: float) -> Lifetime:
    """A lifetime from ``begin`` to ``end`` days after ``now``."""
    seconds, day = now // 1000, 24 * 3600
    return Lifetime(int(seconds + begin * day), int(seconds + end * day))


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.fixture
def alice(town: Town) -> Device:
    """Logged in."""
    return town.member("alice")


@pytest.fixture
def bobs(town: Town) -> list[Device]:
    """Bob's phone, laptop and tablet, each with KeyPackages."""
    return [town.member("bob", device_id, key_packages=2) for device_id in (1, 2, 3)]


@pytest.fixture
def ringing(alice: Device, bobs: list[Device]) -> tuple[Device, list[Device]]:
    """Alice has called Bob, and all of his devices have joined: epoch 1."""
    alice.invite("bob")
    for bob in bobs:
        bob.join()
    return alice, bobs


@pytest.fixture
def in_call(ringing: tuple[Device, list[Device]]) -> None:
    """Bob has answered on his phone: epoch 2."""
    alice, (phone, laptop, tablet) = ringing
    (committed,) = phone.send(phone.answer())
    phone.apply_own()
    for device in (alice, laptop, tablet):
        assert device.take() == [committed]
    alice.apply(committed)
