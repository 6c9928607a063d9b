"""Calls on simulated time: devices, a delivery service, and wires that a test holds in its hands.

    calls = SimulatedCalls(entropy)
    alice, bob = calls.device("alice"), calls.device("bob")
    call = alice.core.place_call("bob", calls.now)
    calls.settle()             deliver everything, in order, until nothing is on its way
    calls.advance(5_000)       time passes; each timer fires when it is due, and what comes of it is delivered
    calls.forwarding           what the service had for the forwarding unit, if the simulation was made with one

Everything is real but the clock, the randomness and the wires: the service's objects, the devices' objects, and the
encoding of each message between them. What a device is sent waits in its ``inbox``, where a test may delay, repeat, drop,
change or invent messages before ``deliver``. What a device refuses is kept in ``refused``: nothing raises by surprise.
A device may lose its connection (``disconnect``) and log in again (``reconnect``), as a device does that was switched off.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TypeVar

from e2ee.call.call import Call
from e2ee.call.configuration import Configuration
from e2ee.call.device import Device
from e2ee.call.events import Event
from e2ee.call.owner import Owner
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.delivery.service import (
    DeliveryService,
    ForwardEnd,
    ForwardRequest,
    Outgoing,
    ServiceIdentity,
)
from e2ee.delivery.store import MemoryStore
from e2ee.errors import RemoteProtocolError
from e2ee.identity.account import AccountKey
from e2ee.identity.device_certificate import Attestation, VerifiedCertificate, verify_certificate
from e2ee.identity.login import login_signature, register_signature
from e2ee.identity.trust import MemoryTrustStore, Trust
from e2ee.media.frame_keys import FrameKeys
from e2ee.signalling import messages
from e2ee.signalling.messages import SERVICE, FromDevice, FromService, ServiceMessage
from e2ee.signalling.versions import SUPPORTED_VERSIONS
from e2ee.signalling.wire import decode, encode

__all__ = ["SERVER_NAME", "START", "SimulatedCalls", "SimulatedDevice"]

SERVER_NAME = "calls.example"

START = 1_800_000_000_000
"""When every simulation begins, in Unix milliseconds."""

E = TypeVar("E", bound=Event)
M = TypeVar("M", bound=FromService)
S = TypeVar("S", bound=FromDevice)


@dataclass(slots=True)
class SimulatedDevice:
    """A device of an account, logged in over ``connection_id``."""

    account: AccountKey
    owner: Owner
    core: Device
    connection_id: int
    online: bool = True
    """Whether it has a connection to the service."""
    inbox: deque[FromService] = field(default_factory=deque)
    """What is on its way here, oldest first."""
    outbox: deque[FromDevice] = field(default_factory=deque)
    """What is on its way to the service, oldest first."""
    events: list[Event] = field(default_factory=list)
    """All that the application was told."""
    refused: list[RemoteProtocolError] = field(default_factory=list)
    """What was raised about messages that were delivered."""

    @property
    def call(self) -> Call:
        """The one call that this device is in."""
        (call,) = self.core.calls.values()
        return call

    def told(self, event: type[E]) -> list[E]:
        """The events of one class."""
        return [each for each in self.events if isinstance(each, event)]

    def last(self, event: type[E]) -> E:
        """The newest event of one class."""
        return self.told(event)[-1]

    def waiting(self, message: type[M]) -> list[M]:
        """The messages of one class that are on their way here."""
        return [each for each in self.inbox if isinstance(each, message)]

    def sending(self, message: type[S]) -> list[S]:
        """The messages of one class that are on their way to the service."""
        return [each for each in self.outbox if isinstance(each, message)]

    def take(self, message: type[S]) -> S:
        """Take the oldest message of one class off its way to the service."""
        taken = self.sending(message)[0]
        self.outbox.remove(taken)
        return taken


class SimulatedCalls:
    """A delivery service and the devices that are logged in to it. ``now`` is Unix milliseconds."""

    def __init__(
        self,
        entropy: SeededEntropy,
        identity: ServiceIdentity | None = None,
        *,
        forwarding: bool = False,
    ) -> None:
        """``identity`` is another simulation's, if this is the same platform's second face; ``forwarding`` is whether there
        is a forwarding unit, which is the test's to play."""
        self.now = START
        self.devices: list[SimulatedDevice] = []
        self.identity = identity or ServiceIdentity.create(
            SERVER_NAME, entropy.fork(b"service identity")
        )
        self.forwarding: list[ForwardRequest | ForwardEnd] = []
        self.service = DeliveryService(
            self.identity, MemoryStore(), entropy.fork(b"service"), forwarding=forwarding
        )
        self._entropy = entropy
        self._accounts: dict[str, AccountKey] = {}
        self._connection_ids = count(1)

    def device(
        self,
        account_id: str,
        *,
        device_id: int = 1,
        suites: Sequence[int] = (0x0001,),
        versions: Sequence[int] = SUPPORTED_VERSIONS,
        configuration: Configuration | None = None,
        frame_keys: Callable[[], FrameKeys] = FrameKeys,
        may_ring: Callable[[VerifiedCertificate], bool] = lambda _: True,
    ) -> SimulatedDevice:
        """A new device, registered, certified, logged in, and with KeyPackages published."""
        entropy = self._entropy.fork(f"{account_id} {device_id}".encode())
        account = self.account(account_id)
        signing_key = ED25519.generate(entropy)
        connection_id = self.connect()
        certificate = self.certify(account, signing_key, device_id, suites, connection_id, versions)
        self.log_in(connection_id, certificate, signing_key, entropy)
        owner = Owner(
            certificate=certificate,
            signing_key=signing_key,
            trust=Trust(MemoryTrustStore(), self.identity.authority.directory_keys()),
            configuration=configuration or Configuration(),
            delivery_key=self.identity.delivery_key.public,
            entropy=entropy,
            frame_keys=frame_keys,
            may_ring=may_ring,
        )
        device = SimulatedDevice(account, owner, Device(owner), connection_id)
        self.devices.append(device)
        device.core.logged_in(self.now)
        self.settle()
        return device

    def forwarded(self, device: SimulatedDevice, call_id: bytes, message: FromService) -> None:
        """The forwarding unit says something to a device, which is then on its way there."""
        signature_key = device.owner.signing_key.public
        self._pass_on(self.service.forwarded(call_id, signature_key, message, self.now))

    def disconnect(self, device: SimulatedDevice) -> None:
        """The connection of a device breaks; what is on its way on it is lost."""
        device.online = False
        device.inbox.clear()
        self.send()
        device.outbox.clear()
        self._pass_on(self.service.disconnected(device.connection_id, self.now))
        device.core.disconnected(self.now)

    def _close(self, connection_id: int) -> None:
        """The service closes a connection, after all that it has sent on it."""
        for device in self.devices:
            if device.online and device.connection_id == connection_id:
                self.deliver_all(device)
                self.disconnect(device)

    def reconnect(self, device: SimulatedDevice) -> None:
        """The device logs in again; what its mailbox holds is then on its way to it."""
        device.connection_id, device.online = self.connect(), True
        entropy = self._entropy.fork(f"connection {device.connection_id}".encode())
        owner = device.owner
        self.log_in(device.connection_id, device.core.certificate, owner.signing_key, entropy)
        device.core.logged_in(self.now)
        self.send()

    def go_live(self, caller: SimulatedDevice, callee: SimulatedDevice) -> tuple[Call, Call]:
        """A call between two devices, answered and described; gives each side's."""
        placed = caller.core.place_call(callee.account.account_id, self.now)
        self.settle()
        answered = callee.core.calls[placed.call_id]
        answered.answer(self.now)
        self.settle()
        placed.describe("the caller's description", self.now)
        self.settle()
        answered.describe("the callee's description", self.now)
        self.settle()
        return placed, answered

    def intercept_invitation(
        self, caller: SimulatedDevice, callee: SimulatedDevice
    ) -> messages.Invited:
        """An honest invitation, taken off the wire. It has no number, so that it is taken as often as it is given."""
        caller.core.place_call(callee.account.account_id, self.now)
        while not (invited := callee.waiting(messages.Invited)):
            self.submit_all(caller)
            self.deliver_all(caller)
        callee.inbox.clear()
        return replace(invited[0], number=0)

    # Identity, at the real service

    def account(self, account_id: str) -> AccountKey:
        """The account of this name, made when it is first asked for."""
        if account_id not in self._accounts:
            entropy = self._entropy.fork(b"account " + account_id.encode())
            self._accounts[account_id] = AccountKey.create(account_id, entropy)
        return self._accounts[account_id]

    def connect(self) -> int:
        """A new connection to the service; gives its id."""
        connection_id = next(self._connection_ids)
        self.service.connected(connection_id)
        return connection_id

    def certify(
        self,
        account: AccountKey,
        signing_key: SigningKey,
        device_id: int,
        suites: Sequence[int],
        connection_id: int,
        versions: Sequence[int] = SUPPORTED_VERSIONS,
    ) -> VerifiedCertificate:
        """A certificate with the directory's attestation, as a device gets its own."""
        self.ask(connection_id, messages.Hello(SUPPORTED_VERSIONS))
        signature = register_signature(account, SERVER_NAME)
        answer = self.ask(
            connection_id, messages.Register(account.account_id, account.public, signature)
        )
        assert isinstance(answer, messages.Attested), answer  # noqa: S101
        certificate = account.certify(
            signing_key.public,
            device_id=device_id,
            now=self.now,
            versions=versions,
            suites=suites,
            attestation=Attestation(
                answer.directory_key_id, answer.attested_until, answer.attestation
            ),
        )
        return verify_certificate(certificate.encode(), signing_key.public)

    def log_in(
        self,
        connection_id: int,
        certificate: VerifiedCertificate,
        signing_key: SigningKey,
        entropy: SeededEntropy,
    ) -> None:
        """Prove on a connection to be this device (IDENT-14)."""
        welcome = self.ask(connection_id, messages.Hello(SUPPORTED_VERSIONS))
        assert isinstance(welcome, messages.Welcome), welcome  # noqa: S101
        nonce = entropy.random(32)
        signature = login_signature(signing_key, SERVER_NAME, welcome.server_nonce, nonce)
        encoded = certificate.certificate.encode()
        login = messages.Login(encoded, signing_key.public, nonce, signature)
        (_, answer), *mail = self.service.receive(connection_id, over_the_wire(login), self.now)
        assert isinstance(answer, messages.LoggedIn), answer  # noqa: S101
        self._pass_on(mail)

    def ask(self, connection_id: int, message: ServiceMessage) -> FromService:
        """Send a request past the wires, and take its one answer."""
        ((_, answer),) = self.service.receive(connection_id, over_the_wire(message), self.now)
        return answer

    # Wires

    def send(self) -> None:
        """Take what the devices have to tell, and to send if they are connected."""
        for device in self.devices:
            if device.online:
                device.outbox.extend(device.core.messages_to_send())
            while (event := device.core.next_event()) is not None:
                device.events.append(event)

    def submit(self, device: SimulatedDevice, index: int = 0) -> None:
        """One message of a device reaches the service; what comes of it is then on its way."""
        message = device.outbox[index]
        del device.outbox[index]
        self._pass_on(self.service.receive(device.connection_id, over_the_wire(message), self.now))

    def submit_all(self, device: SimulatedDevice) -> None:
        """All that a device has to send reaches the service."""
        self.send()
        while device.outbox:
            self.submit(device)

    def _pass_on(self, outgoing: Outgoing) -> None:
        by_connection = {each.connection_id: each for each in self.devices if each.online}
        for connection_id, message in outgoing:
            if connection_id in by_connection:
                by_connection[connection_id].inbox.append(message)
        self.forwarding += self.service.take_forwarding()
        for connection_id, _ in self.service.take_closing():
            self._close(connection_id)

    def deliver(self, device: SimulatedDevice, index: int = 0) -> None:
        """One message reaches a device."""
        message = device.inbox[index]
        del device.inbox[index]
        self.give(device, message)

    def deliver_all(self, device: SimulatedDevice) -> None:
        """All that is on its way to a device reaches it."""
        while device.inbox:
            self.deliver(device)

    def give(self, device: SimulatedDevice, message: FromService) -> RemoteProtocolError | None:
        """A device receives a message, wherever it comes from; gives the refusal, if it is one."""
        try:
            device.core.receive(decode(SERVICE, encode(message)), self.now)  # type: ignore[arg-type]
        except RemoteProtocolError as error:
            device.refused.append(error)
            return error
        finally:
            self.send()
        return None

    def settle(self) -> None:
        """Deliver everything, in order, until nothing is on its way."""
        self.send()
        while any(device.inbox or device.outbox for device in self.devices):
            for device in self.devices:
                while device.outbox:
                    self.submit(device)
            for device in self.devices:
                if device.inbox:
                    self.deliver(device)

    # Time

    def advance(self, milliseconds: int, *, settle: bool = True) -> None:
        """Let time pass. Each timer fires when it is due; what comes of it is delivered unless ``settle`` is false.

        Raises RuntimeError for a timer that stays due: a shell would spin.
        """
        target = self.now + milliseconds
        while (timer := self.next_timer()) is not None and timer <= target:
            self.now = max(self.now, timer)
            self.handle_timers()
            if settle:
                self.settle()
            if self.next_timer() == timer:
                raise RuntimeError(f"still due after it was handled: {timer}")
        self.now = target

    def next_timer(self) -> int | None:
        """When the service or the first device has something to do."""
        timers = [self.service.get_timer(), *(each.core.get_timer() for each in self.devices)]
        return min((timer for timer in timers if timer is not None), default=None)

    def handle_timers(self) -> None:
        """The service and every device do what is due now."""
        self._pass_on(self.service.handle_timer(self.now))
        for device in self.devices:
            device.core.handle_timer(self.now)
        self.send()


def over_the_wire(message: ServiceMessage) -> ServiceMessage:
    """What the other end reads when this is sent."""
    return decode(SERVICE, encode(message))
