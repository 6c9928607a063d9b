"""A device's session at a delivery service: the steps that end in being logged in, then messages in and out.

    session = await Session.open(transport, server_name)        hello, and the service's challenge
    attestation = await session.register(account, token)        for an account key, each month anew
    await session.login(signing_key, certificate, entropy)      each time

Each step waits for its one answer, so nothing else may be under way; afterwards ``send`` and ``receive`` are free of
each other.
"""

from __future__ import annotations

from typing import TypeVar

from e2ee.client.errors import ClientReason, ServiceLost, ServiceRefused
from e2ee.client.transport import Transport
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.signature import SigningKey
from e2ee.errors import RemoteProtocolError
from e2ee.identity.account import AccountKey
from e2ee.identity.device_certificate import Attestation, DeviceCertificate
from e2ee.identity.login import check_server_name, login_signature, register_signature
from e2ee.signalling import messages, wire
from e2ee.signalling.messages import SERVICE, FromDevice, FromService, ServiceMessage
from e2ee.signalling.versions import SUPPORTED_VERSIONS

__all__ = ["Session"]

A = TypeVar("A", bound=FromService)


class Session:
    """See the module. Every method raises ServiceLost when the connection has ended."""

    def __init__(self, transport: Transport, welcome: messages.Welcome) -> None:
        self._transport = transport
        self._server_name = welcome.server_name
        self._server_nonce = welcome.server_nonce
        self.delivery_key = welcome.delivery_key
        """The service's Ed25519 key, 32 bytes (KEYS-9)."""

    @classmethod
    async def open(cls, transport: Transport, server_name: str) -> Session:
        """Say hello to the service that is expected to be ``server_name``. Raises ProofError if it says otherwise."""
        await _send(transport, messages.Hello(SUPPORTED_VERSIONS))
        welcome = await _answer(transport, messages.Welcome)
        check_server_name(server_name, welcome.server_name)  # IDENT-14
        if welcome.version not in SUPPORTED_VERSIONS:
            raise ServiceLost(ClientReason.UNEXPECTED_ANSWER, f"version {welcome.version:#06x}")
        return cls(transport, welcome)

    async def register(self, account: AccountKey, token: str = "") -> Attestation:
        """Have the directory attest the account's key (IDENT-15, DS-8). Raises ServiceRefused."""
        signature = register_signature(account, self._server_name)
        await self.send(messages.Register(account.account_id, account.public, signature, token))
        attested = await _answer(self._transport, messages.Attested)
        if attested.directory_key_id > 255:  # a u8 in the certificate
            raise ServiceLost(ClientReason.UNEXPECTED_ANSWER, "directory_key_id above 255")
        return Attestation(attested.directory_key_id, attested.attested_until, attested.attestation)

    async def login(
        self, key: SigningKey, certificate: DeviceCertificate, entropy: Entropy
    ) -> None:
        """Prove to be the device of ``certificate`` (IDENT-14). Raises ServiceRefused."""
        client_nonce = entropy.random(32)
        signature = login_signature(key, self._server_name, self._server_nonce, client_nonce)
        await self.send(messages.Login(certificate.encode(), key.public, client_nonce, signature))
        await _answer(self._transport, messages.LoggedIn)

    async def await_link(self, link_id: bytes) -> bytes:
        """What a primary seals to this device, as soon as it is there (IDENT-17). Raises ServiceRefused."""
        await self.send(messages.AwaitLink(link_id))
        linked = await _answer(self._transport, messages.Linked)
        return linked.sealed

    async def send(self, message: FromDevice) -> None:
        """Send a message."""
        await _send(self._transport, message)

    async def receive(self) -> ServiceMessage:
        """The next message. Raises ServiceLost for bytes that are none."""
        return await _receive(self._transport)


async def _send(transport: Transport, message: FromDevice) -> None:
    await transport.send(wire.encode(message))


async def _receive(transport: Transport) -> ServiceMessage:
    try:
        return wire.decode(SERVICE, await transport.receive())
    except ServiceLost:
        raise
    except RemoteProtocolError as error:
        # SIG-7: "A device that gets from the service what is no message MUST close the connection."
        raise ServiceLost(ClientReason.UNEXPECTED_ANSWER, str(error)) from None


async def _answer(transport: Transport, expected: type[A]) -> A:
    message = await _receive(transport)
    if isinstance(message, messages.Refused):
        raise ServiceRefused(message.request, message.reason, message.detail)
    if not isinstance(message, expected):
        raise ServiceLost(ClientReason.UNEXPECTED_ANSWER, f"{message.name}, not {expected.name}")
    return message
