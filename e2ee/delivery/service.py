"""DeliveryService: what an untrusted server does between the devices of a call (DS-1 to DS-7).

    connected(connection_id)                     a connection was opened; its first message is hello
    receive(connection_id, message, now)         gives the messages to send, and to which connections, in order
    disconnected(connection_id)                  a connection is gone

Two tables say what is answered before a device has proved itself, and what after. A handler looks and judges first and
changes state in its last lines; what it raises becomes ``refused`` with the reason, and has changed nothing. (One thing
a refused login does change: its nonce is used up, IDENT-14.) Bytes, sockets, clocks and queues are the shell's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from e2ee.crypto.entropy import Entropy
from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.delivery import call_log, key_packages, limits
from e2ee.delivery.call_table import CallTable
from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.delivery.mls_messages import check_application_message
from e2ee.delivery.sessions import ConnectionId, Sessions
from e2ee.delivery.store import Store
from e2ee.errors import RemoteProtocolError
from e2ee.identity.attestation import AttestationAuthority
from e2ee.identity.device_certificate import (
    Dates,
    VerifiedCertificate,
    check_dates,
    verify_certificate,
)
from e2ee.identity.login import verify_login, verify_register
from e2ee.signalling import messages
from e2ee.signalling.messages import FromService, ServiceMessage
from e2ee.signalling.versions import choose_version

__all__ = ["ConnectionId", "DeliveryService", "Outgoing", "ServiceIdentity", "refusal"]

MAX_DETAIL = 200
"""Longest detail of a refusal, in characters; what is quoted in it may be longer."""

Outgoing = list[tuple[ConnectionId, FromService]]
"""Messages to send, in order."""


@dataclass(frozen=True, slots=True)
class ServiceIdentity:
    """Who the service is: the name that devices connect to, its key, and its directory's signing key."""

    server_name: str
    delivery_key: SigningKey
    authority: AttestationAuthority

    @classmethod
    def create(cls, server_name: str, entropy: Entropy) -> ServiceIdentity:
        """A new service with fresh keys."""
        authority = AttestationAuthority(1, ED25519.generate(entropy))
        return cls(server_name, ED25519.generate(entropy), authority)


@dataclass(frozen=True, slots=True)
class _Requester:
    """A device that has proved itself, on its connection."""

    connection_id: ConnectionId
    device: VerifiedCertificate


def refusal(error: RemoteProtocolError, message: ServiceMessage | None = None) -> messages.Refused:
    """What the sender is told; without ``message`` if its bytes did not decode."""
    return messages.Refused(
        request="" if message is None else message.name,
        call_id=getattr(message, "call_id", None),
        reason=error.reason.value,
        detail=error.detail[:MAX_DETAIL],
    )


class DeliveryService:
    """One delivery service with its directory. Not for use by several threads at a time."""

    def __init__(self, identity: ServiceIdentity, store: Store, entropy: Entropy) -> None:
        self._identity = identity
        self._store = store
        self._entropy = entropy
        self._sessions = Sessions()
        self._calls = CallTable()

    def connected(self, connection_id: ConnectionId) -> None:
        """A connection was opened; ids are not used twice."""
        self._sessions.connected(connection_id)

    def disconnected(self, connection_id: ConnectionId) -> None:
        """A connection is gone. What comes for its device is dropped until it logs in again."""
        self._sessions.disconnected(connection_id)

    def receive(self, connection_id: ConnectionId, message: ServiceMessage, now: int) -> Outgoing:
        """Do what a device asks. ``now`` is Unix milliseconds. Raises ServiceUsageError for a connection unknown."""
        try:
            return self._handle(connection_id, message, now)
        except RemoteProtocolError as error:
            return [(connection_id, refusal(error, message))]

    def _handle(self, connection_id: ConnectionId, message: ServiceMessage, now: int) -> Outgoing:
        if handle_opening := _BEFORE_LOGIN.get(type(message)):
            return handle_opening(self, connection_id, message, now)
        if handle := _AFTER_LOGIN.get(type(message)):
            # DS-1: "MUST NOT act for a device before that device has proved itself"
            device = self._sessions.device(connection_id)
            return handle(self, _Requester(connection_id, device), message, now)
        raise DeliveryError(DeliveryReason.UNEXPECTED_MESSAGE, "not for a device to send")

    # Before a device has proved itself

    def _hello(self, connection_id: ConnectionId, hello: messages.Hello, _now: int) -> Outgoing:
        version = choose_version(hello.versions)
        nonce = self._entropy.random(32)
        self._sessions.challenge(connection_id, nonce)
        welcome = messages.Welcome(
            version, self._identity.server_name, nonce, self._identity.delivery_key.public
        )
        return [(connection_id, welcome)]

    def _register(
        self, connection_id: ConnectionId, request: messages.Register, now: int
    ) -> Outgoing:
        self._sessions.require_greeted(connection_id)
        account_id, account_key = request.account_id, request.account_key
        # IDENT-15: "MUST NOT attest an account key without the `Register` signature for its own server name"
        verify_register(self._identity.server_name, account_id, account_key, request.signature)
        if self._store.account_key(account_id) not in (None, account_key):
            raise DeliveryError(DeliveryReason.ACCOUNT_TAKEN, "registered with another key")
        self._store.put_account(account_id, account_key)
        attestation = self._identity.authority.attest(account_id, account_key, now)
        attested = messages.Attested(
            attestation.directory_key_id, attestation.attested_until, attestation.attestation
        )
        return [(connection_id, attested)]

    def _login(self, connection_id: ConnectionId, request: messages.Login, now: int) -> Outgoing:
        nonce = self._sessions.take_challenge(connection_id)
        # IDENT-14: "with the leaf signature key for which the certificate verifies (IDENT-3)"
        device = verify_certificate(request.certificate, request.signature_key)
        verify_login(
            self._identity.server_name,
            device.signature_key,
            nonce,
            request.client_nonce,
            request.signature,
        )
        check_dates(device, now, Dates.RECEIVER)
        self._check_account(device)
        devices = self._store.devices(device.account_id)
        if device not in devices:
            others = [each for each in devices if each.device_id != device.device_id]
            if len(others) >= limits.MAX_DEVICES:  # DS-7
                raise DeliveryError(DeliveryReason.TOO_MANY_DEVICES, f"{len(others)} others")
            self._store.put_device(device)
        superseded = self._sessions.log_in(connection_id, device)
        answer: Outgoing = [(connection_id, messages.LoggedIn())]
        if superseded is not None:
            error = DeliveryError(DeliveryReason.SUPERSEDED, "the device logged in elsewhere")
            answer.append((superseded, refusal(error, request)))
        return answer

    def _check_account(self, device: VerifiedCertificate) -> None:
        registered = self._store.account_key(device.account_id)
        if registered is None:
            raise DeliveryError(DeliveryReason.UNKNOWN_ACCOUNT, "not registered")
        if registered != device.account_key:
            raise DeliveryError(DeliveryReason.WRONG_ACCOUNT_KEY, "not the registered one")
        # DS-1: "MUST NOT log in a device ... whose `generation` is lower than that of another device"
        if device.generation < key_packages.generation(self._store, device.account_id):
            raise DeliveryError(DeliveryReason.REVOKED, f"generation {device.generation}")

    # After it has

    def _publish(self, requester: _Requester, request: messages.Publish, now: int) -> Outgoing:
        count = key_packages.publish(self._store, requester.device, request.key_packages, now)
        return [(requester.connection_id, messages.Published(count))]

    def _find(self, requester: _Requester, request: messages.Find, now: int) -> Outgoing:
        certificates = tuple(
            device.certificate.encode()
            for device in key_packages.callable_devices(self._store, request.account_id, now)
        )
        return [(requester.connection_id, messages.Devices(request.account_id, certificates))]

    def _claim(self, requester: _Requester, request: messages.Claim, now: int) -> Outgoing:
        taken = key_packages.claim(self._store, request.account_id, request.suite, now)
        if not taken:
            raise DeliveryError(DeliveryReason.NO_KEY_PACKAGES, f"of suite {request.suite:#06x}")
        return [(requester.connection_id, messages.KeyPackages(request.account_id, taken))]

    def _open(self, requester: _Requester, request: messages.Open, now: int) -> Outgoing:
        device = requester.device
        self._calls.require_room(request.call_id, device.signature_key, now)
        call = call_log.open_call(request, device, self._identity.delivery_key.public, now)
        self._calls.put(request.call_id, call)
        return []

    def _commit(self, requester: _Requester, request: messages.Commit, now: int) -> Outgoing:
        call = self._calls.get(request.call_id, now)
        _require_room(request.commit, request.welcome or b"", request.offer or b"")
        entry = call_log.commit(call, request, requester.device, now)
        self._calls.put(request.call_id, entry.call)
        # Who is removed learns so from the entry (CALL-10), so it goes to the members of the epoch that it ends.
        outgoing = self._to(call.devices(), messages.Committed(request.call_id, request.commit))
        if request.welcome is not None and request.offer is not None:
            invited = messages.Invited(request.call_id, request.welcome, request.offer)
            outgoing += self._to(entry.added, invited)
        return outgoing

    def _send(self, requester: _Requester, request: messages.Send, now: int) -> Outgoing:
        call = self._calls.get(request.call_id, now)
        # DS-6: "only from devices that are members of the call's group to the other members"
        call.require_member(requester.device)
        _require_room(request.message)
        epochs = range(max(0, call.epoch - 1), call.epoch + 1)
        check_application_message(request.message, request.call_id, epochs)
        others = [key for key in call.devices() if key != requester.device.signature_key]
        return self._to(others, messages.Sent(request.call_id, request.message))

    def _to(self, devices: Iterable[bytes], message: FromService) -> Outgoing:
        connections = map(self._sessions.connection_of, devices)
        return [(connection, message) for connection in connections if connection is not None]


def _require_room(*relayed: bytes) -> None:
    """Raises DeliveryError if what is to be sent on would be longer than a service message may be (DS-7)."""
    if sum(map(len, relayed)) > limits.MAX_RELAYED_BYTES:
        raise DeliveryError(DeliveryReason.TOO_MANY_BYTES, f"at most {limits.MAX_RELAYED_BYTES}")


_BEFORE_LOGIN: Mapping[
    type[ServiceMessage], Callable[[DeliveryService, ConnectionId, Any, int], Outgoing]
] = {
    messages.Hello: DeliveryService._hello,
    messages.Register: DeliveryService._register,
    messages.Login: DeliveryService._login,
}

_AFTER_LOGIN: Mapping[
    type[ServiceMessage], Callable[[DeliveryService, _Requester, Any, int], Outgoing]
] = {
    messages.Publish: DeliveryService._publish,
    messages.Find: DeliveryService._find,
    messages.Claim: DeliveryService._claim,
    messages.Open: DeliveryService._open,
    messages.Commit: DeliveryService._commit,
    messages.Send: DeliveryService._send,
}
