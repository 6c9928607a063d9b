"""The devices that put a server under load: with accounts, certificates and MLS groups as real ones have, and no media."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TypeVar

from e2ee.client.session import Session
from e2ee.client.transport import Transport, websocket
from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.identity.account import AccountKey
from e2ee.mls.credential import Credential
from e2ee.mls.group import Group
from e2ee.mls.joining import join
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Add
from e2ee.mls.received import StagedCommit
from e2ee.mls.welcome import Welcome
from e2ee.profile.call_profile import group_extensions, one_to_one
from e2ee.profile.leaves import (
    call_capabilities,
    committer_policy,
    key_package_lifetime,
    receiver_policy,
)
from e2ee.signalling import messages, wire
from e2ee.signalling.messages import SERVICE, FromDevice, ServiceMessage
from e2ee.signalling.versions import SUPPORTED_VERSIONS
from e2ee.system_clock import Clock
from tests.bench.call.served import PAIR, SERVER_NAME

B = TypeVar("B", KeyPackage, Welcome)

__all__ = ["Device", "begin_call", "in_pairs", "log_in"]

SUITE = 0x0001
CHAT = bytes(150)
"""What is said: in a ``send`` it becomes about 300 bytes."""

SEALED = 320
"""Its length when it is sealed."""

ACKNOWLEDGED_EACH = 20
"""Messages of the mailbox."""

_ENTROPY = SystemEntropy()


@dataclass
class Device:
    """A device that is connected; logged in, if there is somebody to log in to, and then perhaps in a call."""

    transport: Transport
    clock: Clock
    account: AccountKey
    key: SigningKey
    certificate: bytes = b""
    delivery_key: bytes = b""
    call_id: bytes = b""
    request: bytes = b""
    """What it sends: sealed once an epoch, sent as often as one likes, for the service cannot tell."""

    _group: Group | None = None
    _following: tuple[bytes, Group | None] = (b"", None)
    """The commit that it sent last, and the group after it."""
    _taken: int = 0
    _answers: asyncio.Queue[ServiceMessage] = field(default_factory=asyncio.Queue)

    async def send(self, message: FromDevice) -> None:
        await self.transport.send(wire.encode(message))

    async def hear(self, *expected: type[ServiceMessage]) -> ServiceMessage:
        """The next message; of the mailbox it is acknowledged now and then. Of these types, if there are any."""
        while True:
            message = wire.decode(SERVICE, await self.transport.receive())
            number: int = getattr(message, "number", 0)
            if number >= self._taken + ACKNOWLEDGED_EACH:
                self._taken = number
                await self.send(messages.Acknowledge(number))
            if not expected or isinstance(message, expected):
                return message
            if isinstance(message, messages.Refused):
                raise SystemExit(f"refused {message.request}: {message.reason} {message.detail}")

    # Its call

    @property
    def group(self) -> Group:
        assert self._group is not None
        return self._group

    @group.setter
    def group(self, group: Group | None) -> None:
        assert group is not None
        self._group = group
        sealed = group.protect(CHAT, entropy=_ENTROPY)
        self.request = wire.encode(messages.Send(self.call_id, sealed.encode()))

    def bundle(self) -> KeyPackageBundle:
        """A fresh KeyPackage with its keys."""
        return KeyPackageBundle.generate(
            cipher_suite(SUITE),
            self.key,
            Credential.basic(self.certificate),
            call_capabilities([SUITE]),
            key_package_lifetime(self.clock()),
            _ENTROPY,
        )

    async def commit(self, *adds: Add) -> None:
        """Send a commit, which nobody here competes with; what is sent belongs to its epoch when it comes back."""
        policy = committer_policy(self.clock())
        pending = self.group.commit(policy=policy, entropy=_ENTROPY, proposals=adds)
        committed, following = pending.message.encode(), self.group.merge(pending.staged)
        welcome = offer = None
        if pending.welcome is not None:
            welcome = pending.welcome.encode()
            offer = following.protect(CHAT, entropy=_ENTROPY).encode()
        self._following = committed, following
        await self.send(messages.Commit(self.call_id, committed, welcome, offer))

    def apply(self, committed: messages.Committed) -> None:
        """Go on to the next epoch."""
        if committed.commit == self._following[0]:
            self.group = self._following[1]
            return
        message = MLSMessage.decode(committed.commit)
        staged = self.group.receive(message, policy=receiver_policy(self.clock()))
        assert isinstance(staged, StagedCommit)
        self.group = self.group.merge(staged)


@contextlib.asynccontextmanager
async def _connected(url: str, name: str, clock: Clock) -> AsyncIterator[Device]:
    async with websocket(url) as transport:
        account = AccountKey.create(name, _ENTROPY)
        yield Device(transport, clock, account, ED25519.generate(_ENTROPY))


@contextlib.asynccontextmanager
async def log_in(url: str, name: str, clock: Clock) -> AsyncIterator[Device]:
    """A device of a new account, as long as the context lasts."""
    async with _connected(url, name, clock) as device:
        session = await Session.open(device.transport, SERVER_NAME)
        certificate = device.account.certify(
            device.key.public,
            device_id=1,
            now=clock(),
            versions=SUPPORTED_VERSIONS,
            suites=[SUITE],
            attestation=await session.register(device.account),
        )
        await session.login(device.key, certificate, _ENTROPY)
        device.certificate, device.delivery_key = certificate.encode(), session.delivery_key
        yield device


@contextlib.asynccontextmanager
async def in_pairs(url: str, pair: str, clock: Clock) -> AsyncIterator[Device]:
    """A connection at the relay. What it sends is as long as what devices in a call send."""
    async with _connected(f"{url}?{PAIR}={pair}", pair, clock) as device:
        device.request = wire.encode(messages.Send(bytes(16), bytes(SEALED)))
        yield device


async def begin_call(caller: Device, callee: Device, call_id: bytes) -> None:
    """Two devices that have logged in are in the second epoch of a call afterwards."""
    caller.call_id = callee.call_id = call_id
    key_package = callee.bundle()
    await callee.send(messages.Publish((MLSMessage.of(key_package.key_package).encode(),)))
    await callee.hear(messages.Published)
    profile = one_to_one(caller.account.public, callee.account.public, caller.delivery_key)
    caller.group = Group.create(
        caller.bundle(),
        group_id=call_id,
        extensions=group_extensions(profile),
        policy=committer_policy(caller.clock()),
        entropy=_ENTROPY,
    )
    group_info = caller.group.group_info(external_pub=False)
    await caller.send(messages.Open(call_id, group_info.encode()))
    await caller.send(messages.Claim(callee.account.account_id, SUITE))
    answer = await caller.hear(messages.KeyPackages)
    assert isinstance(answer, messages.KeyPackages)
    await caller.commit(*(Add(_body(KeyPackage, each)) for each in answer.key_packages))
    caller.apply(await _committed(caller))
    invited = await callee.hear(messages.Invited)
    assert isinstance(invited, messages.Invited)
    welcome = _body(Welcome, invited.welcome)
    callee.group = join(welcome, key_package, policy=receiver_policy(callee.clock()))
    await callee.commit()  # the Answer
    for device in (callee, caller):
        device.apply(await _committed(device))


async def _committed(device: Device) -> messages.Committed:
    committed = await device.hear(messages.Committed)
    assert isinstance(committed, messages.Committed)
    return committed


def _body(body: type[B], data: bytes) -> B:
    message = MLSMessage.decode(data)
    assert isinstance(message.body, body)
    return message.body
