"""From a profile to a device that can call and be called: connect, register, certify, log in, publish; and again when the
connection is lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from e2ee.call.configuration import Configuration
from e2ee.call.device import Device
from e2ee.call.owner import Owner
from e2ee.client.certification import NewDevice
from e2ee.client.client import Client
from e2ee.client.connection import Connection
from e2ee.client.media import Network
from e2ee.client.profile import Profile
from e2ee.client.transport import Transport, websocket
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.identity.device_certificate import Role, VerifiedCertificate
from e2ee.media.frame_keys import FrameKeys
from e2ee.profile.suites import SUITES
from e2ee.system_clock import Clock, system_clock

__all__ = ["online"]


def _everybody(_: VerifiedCertificate) -> bool:
    return True


@contextlib.asynccontextmanager
async def online(
    profile: Profile,
    *,
    token: str = "",
    device_name: str = "this device",
    roles: Role = Role.NONE,
    suites: Sequence[int] = tuple(suite.mls for suite in SUITES),
    configuration: Configuration | None = None,
    network: Network | None = None,
    may_ring: Callable[[VerifiedCertificate], bool] = _everybody,
    connect: Callable[[str], AbstractAsyncContextManager[Transport]] = websocket,
    clock: Clock | None = None,
    frame_keys: Callable[[], FrameKeys] = FrameKeys,
) -> AsyncIterator[Client]:
    """The device of ``profile`` at its delivery service, as long as the context lasts.

    A profile with an account key and no certificate is registered first, with ``token`` if the service asks for one, as
    a device of these ``roles`` with these MLS ``suites``. ``may_ring`` says who may ring (CALL-22). ``connect`` carries
    the messages: a platform's own connection in the place of a WebSocket. ``clock`` is the time if not the system's.
    ``frame_keys`` makes what a call keeps its frame keys in.

    Raises ServiceLost, ServiceRefused, ProofError, StoreError; later ServiceRefused, if the service takes this device
    back no more. A connection that is lost is opened again.
    """
    entropy, clock = SystemEntropy(), clock or system_clock()
    connection = Connection(profile, connect, clock, entropy)
    connected = await connection.log_in(NewDevice(device_name, roles, tuple(suites), token))
    async with connected.stack as stack:
        owner = Owner(
            certificate=connected.certificate,
            signing_key=profile.keys.signing_key,
            trust=profile.trust(),
            configuration=configuration or Configuration(),
            delivery_key=connected.session.delivery_key,
            entropy=entropy,
            frame_keys=frame_keys,
            may_ring=may_ring,
        )
        core = Device(owner, profile.memory())
        client = Client(profile, core, connection, clock, network or Network(), entropy)
        connected = replace(connected, stack=stack.pop_all())
    with _alone():
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(client.run(connected))
            try:
                yield client
            finally:
                await client.close()
                running.cancel()


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """An error that came alone leaves without the group that it was put into."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            (error,) = error.exceptions
        raise error from None
