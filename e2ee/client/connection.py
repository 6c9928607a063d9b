"""A device's connections to its delivery service, one after the other: opened, greeted, certified, logged in."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass

from e2ee.client.certification import NewDevice, certified
from e2ee.client.errors import ClientReason, ServiceLost, ServiceRefused
from e2ee.client.key_store import Service
from e2ee.client.profile import Profile
from e2ee.client.session import Session
from e2ee.client.transport import Transport
from e2ee.crypto.entropy import Entropy
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.system_clock import Clock

__all__ = ["Connected", "Connection", "backoff"]

_log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
"""Seconds between attempts to connect."""

_HELD = 10_000
"""Milliseconds after which a connection was one: what ends sooner is an attempt, and the next pause is longer."""

_ANSWERS_WITHIN = 30.0
"""Seconds in which the service does each of: greet, log in."""

_BELIEVED_AFTER = 60_000
"""DS-13: for how many milliseconds a device that is told ``REVOKED`` tries again: its new certificate may be on its way."""

_PASSING = frozenset({"RATE_LIMITED", "CONFLICT"})
"""Refusals that say nothing about this device."""


def backoff(attempt: int, entropy: Entropy) -> float:
    """Seconds before attempt ``attempt`` (0 is the first): twice as long each time, and never for all devices alike."""
    pause: float = min(
        _FIRST_PAUSE * 2 ** min(attempt, 16), _LONGEST_PAUSE
    )  # a night has thousands
    return pause * (0.5 + entropy.random(1)[0] / 512)


@dataclass(frozen=True, slots=True)
class Connected:
    """Logged in with ``certificate``, until ``stack`` is closed."""

    session: Session
    certificate: VerifiedCertificate
    stack: AsyncExitStack


class Connection:
    """How the device of ``profile`` connects."""

    def __init__(
        self,
        profile: Profile,
        connect: Callable[[str], AbstractAsyncContextManager[Transport]],
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._profile = profile
        self._connect = connect
        self.clock = clock
        self.entropy = entropy
        self._attempts = 0
        self._logged_in_at = 0

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Session]:
        """A connection on which the service has greeted. Raises ServiceLost, ProofError."""
        service = self._profile.keys.service
        async with self._connect(service.url) as transport:
            async with _answering():
                session = await Session.open(transport, service.server_name)
            yield session

    async def log_in(self, new: NewDevice) -> Connected:
        """Connect, and prove to be the device (IDENT-14). Raises ServiceRefused, ServiceLost, ProofError, StoreError."""
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(self.open())
            async with _answering():
                certificate = await certified(self._profile, session, new, self.clock())
                signing_key = self._profile.keys.signing_key
                await session.login(signing_key, certificate.certificate, self.entropy)
            self._keep_delivery_key(session.delivery_key)
            self._logged_in_at = self.clock()
            return Connected(session, certificate, stack.pop_all())

    async def log_in_again(self) -> Connected:
        """The same after a loss, however often it takes. Raises ServiceRefused if the service takes this device back no more."""
        began = self.clock()
        if began - self._logged_in_at >= _HELD:
            self._attempts = 0
        while True:
            await asyncio.sleep(backoff(self._attempts, self.entropy))
            self._attempts += 1
            try:
                return await self.log_in(NewDevice())
            except ServiceLost as lost:
                _log.info("not connected: %s", lost)
            except ServiceRefused as refused:
                if not self._may_pass(refused, began):
                    raise

    def _may_pass(self, refused: ServiceRefused, began: int) -> bool:
        doubted = refused.service_reason == "REVOKED" and self.clock() < began + _BELIEVED_AFTER
        return doubted or refused.service_reason in _PASSING

    def _keep_delivery_key(self, delivery_key: bytes) -> None:
        keys = self._profile.keys
        service = keys.service
        if service.delivery_key != delivery_key:
            named = (service.url, service.server_name, service.directory_keys)
            keys.put_service(Service(*named, delivery_key))


@contextlib.asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    """Who accepts a connection and says nothing is not there. Raises ServiceLost."""
    try:
        async with asyncio.timeout(_ANSWERS_WITHIN):
            yield
    except TimeoutError:
        raise ServiceLost(ClientReason.CONNECTION_LOST, "the service does not answer") from None
