"""From an account key to a device that can call and be called: connect, register, certify, log in, publish."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

from e2ee.call.configuration import Configuration
from e2ee.call.device import Device
from e2ee.call.owner import Owner
from e2ee.client.client import Client
from e2ee.client.media import Network
from e2ee.client.session import Session
from e2ee.client.transport import websocket
from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.identity.account import AccountKey
from e2ee.identity.attestation import DirectoryKeys
from e2ee.identity.device_certificate import VerifiedCertificate, verify_certificate
from e2ee.identity.trust import MemoryTrustStore, Trust
from e2ee.media.frame_keys import FrameKeys
from e2ee.profile.suites import SUITES
from e2ee.signalling.versions import SUPPORTED_VERSIONS
from e2ee.system_clock import Clock, system_clock

__all__ = ["online"]


@contextlib.asynccontextmanager
async def online(
    url: str,
    *,
    server_name: str,
    directory_keys: DirectoryKeys,
    account: AccountKey,
    device_id: int = 1,
    suites: Sequence[int] = tuple(suite.mls for suite in SUITES),
    configuration: Configuration | None = None,
    network: Network | None = None,
    frame_keys: Callable[[], FrameKeys] = FrameKeys,
) -> AsyncIterator[Client]:
    """A new device of ``account`` at the delivery service behind ``url``, as long as the context lasts.

    ``server_name`` is the name that the service must have, ``directory_keys`` are those that this client was shipped
    with, ``suites`` the MLS suites that the device offers. ``frame_keys`` makes what a call keeps its frame keys in.
    Raises ServiceLost, ServiceRefused, ProofError; the first of them in a group when the connection is lost later.
    """
    entropy, clock = SystemEntropy(), system_clock()
    signing_key = ED25519.generate(entropy)
    async with websocket(url) as transport:
        session = await Session.open(transport, server_name)
        certificate = await _certified(session, account, signing_key, device_id, suites, clock)
        await session.login(signing_key, certificate.certificate, entropy)
        owner = Owner(
            certificate=certificate,
            signing_key=signing_key,
            trust=Trust(MemoryTrustStore(), directory_keys),
            configuration=configuration or Configuration(),
            delivery_key=session.delivery_key,
            entropy=entropy,
            frame_keys=frame_keys,
        )
        client = Client(Device(owner), session, clock, network or Network())
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(client.run())
            try:
                yield client
            finally:
                await client.close()
                running.cancel()


async def _certified(
    session: Session,
    account: AccountKey,
    signing_key: SigningKey,
    device_id: int,
    suites: Sequence[int],
    clock: Clock,
) -> VerifiedCertificate:
    """The account's certificate for this device, with the directory's attestation."""
    attestation = await session.register(account)
    certificate = account.certify(
        signing_key.public,
        device_id=device_id,
        now=clock(),
        versions=SUPPORTED_VERSIONS,
        suites=suites,
        attestation=attestation,
    )
    return verify_certificate(certificate.encode(), signing_key.public)
