"""A device's connections to its delivery service, one after the other: opened, greeted, logged in."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

from e2ee.client.key_store import Service
from e2ee.client.profile import Profile
from e2ee.client.session import Session
from e2ee.client.transport import Transport
from e2ee.crypto.entropy import Entropy
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.system_clock import Clock

__all__ = ["Connection", "backoff"]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
"""Seconds between attempts to connect."""


def backoff(attempt: int, entropy: Entropy) -> float:
    """Seconds before attempt ``attempt`` (0 is the first): twice as long each time, and never for all devices alike."""
    pause: float = min(_FIRST_PAUSE * 2**attempt, _LONGEST_PAUSE)
    return pause * (0.5 + entropy.random(1)[0] / 512)


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

    async def log_in(self, session: Session, certificate: VerifiedCertificate) -> None:
        """Prove to be the device (IDENT-14), and keep the key of the service. Raises ServiceRefused, ServiceLost."""
        keys = self._profile.keys
        await session.login(keys.signing_key, certificate.certificate, self.entropy)
        service = keys.service
        if service.delivery_key != session.delivery_key:
            keys.put_service(
                Service(
                    service.url,
                    service.server_name,
                    service.directory_keys,
                    session.delivery_key,
                )
            )
