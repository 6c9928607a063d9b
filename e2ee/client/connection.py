"""A device's connections to its delivery service, one after the other: opened, greeted, certified, logged in."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass

from e2ee.client.certification import NewDevice, certified
from e2ee.client.errors import ServiceLost, ServiceRefused
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

_BELIEVED_AFTER = 60_000
"""DS-13: for how many milliseconds a device that is told ``REVOKED`` tries again: its new certificate may be on its way."""

_PASSING = frozenset({"RATE_LIMITED", "CONFLICT"})
"""Refusals that say nothing about this device."""


def backoff(attempt: int, entropy: Entropy) -> float:
    """Seconds before attempt ``attempt`` (0 is the first): twice as long each time, and never for all devices alike."""
    pause: float = min(_FIRST_PAUSE * 2**attempt, _LONGEST_PAUSE)
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

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Session]:
        """A connection on which the service has greeted. Raises ServiceLost, ProofError."""
        service = self._profile.keys.service
        async with self._connect(service.url) as transport:
            yield await Session.open(transport, service.server_name)

    async def log_in(self, new: NewDevice) -> Connected:
        """Connect, and prove to be the device (IDENT-14). Raises ServiceRefused, ServiceLost, ProofError, StoreError."""
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(self.open())
            certificate = await certified(self._profile, session, new, self.clock())
            signing_key = self._profile.keys.signing_key
            await session.login(signing_key, certificate.certificate, self.entropy)
            self._keep_delivery_key(session.delivery_key)
            return Connected(session, certificate, stack.pop_all())

    async def log_in_again(self) -> Connected:
        """The same after a loss, however often it takes. Raises ServiceRefused if the service takes this device back no more."""
        began = self.clock()
        for attempt in itertools.count():
            await asyncio.sleep(backoff(attempt, self.entropy))
            try:
                return await self.log_in(NewDevice())
            except ServiceLost as lost:
                _log.info("not connected: %s", lost)
            except ServiceRefused as refused:
                if not self._may_pass(refused, began):
                    raise
        raise AssertionError("unreachable")

    def _may_pass(self, refused: ServiceRefused, began: int) -> bool:
        doubted = refused.service_reason == "REVOKED" and self.clock() < began + _BELIEVED_AFTER
        return doubted or refused.service_reason in _PASSING

    def _keep_delivery_key(self, delivery_key: bytes) -> None:
        keys = self._profile.keys
        service = keys.service
        if service.delivery_key != delivery_key:
            named = (service.url, service.server_name, service.directory_keys)
            keys.put_service(Service(*named, delivery_key))
