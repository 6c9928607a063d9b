"""Linking a device, at the new device's side (IDENT-17): a text to show, then a wait for the account's primary.

    linking = Linking.create()                           a person scans or types linking.text() at the primary
    opened = await linking.opened(service)               compares opened.account_id and opened.account_digits (IDENT-23)
    profile.take(opened.confirmed(), service)            and from now on ``online(profile)``

The primary's side is ``Client.link``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from e2ee.client.connection import backoff
from e2ee.client.errors import ServiceLost
from e2ee.client.key_store import Service
from e2ee.client.session import Session
from e2ee.client.transport import Transport, websocket
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.errors import RemoteProtocolError
from e2ee.identity.device_certificate import Role
from e2ee.identity.device_link import NewDevice, OpenedLink
from e2ee.identity.errors import IdentityReason, LinkError
from e2ee.profile.suites import SUITES
from e2ee.signalling.versions import SUPPORTED_VERSIONS
from e2ee.system_clock import Clock, system_clock

__all__ = ["Linking"]

_log = logging.getLogger(__name__)


class Linking:
    """A new device that waits for its account, ten minutes at most. Made by ``create``."""

    def __init__(self, new: NewDevice, clock: Clock, entropy: Entropy) -> None:
        self._new = new
        self._clock = clock
        self._entropy = entropy

    @classmethod
    def create(
        cls,
        *,
        roles: Role = Role.NONE,
        suites: Sequence[int] = tuple(suite.mls for suite in SUITES),
        clock: Clock | None = None,
    ) -> Linking:
        """A device with a fresh key, of these ``roles``, with these MLS ``suites``."""
        clock, entropy = clock or system_clock(), SystemEntropy()
        new = NewDevice.create(
            versions=SUPPORTED_VERSIONS, suites=suites, roles=roles, entropy=entropy, now=clock()
        )
        return cls(new, clock, entropy)

    @property
    def expires_at(self) -> int:
        """Until when the primary may take it, in Unix milliseconds."""
        return self._new.expires_at

    def text(self) -> str:
        """What to show, as a QR code or to be typed: a secret, for the person's own primary device only.

        Raises LinkError (LINK_EXPIRED).
        """
        link = self._new.link
        if link is None:
            raise LinkError(IdentityReason.LINK_EXPIRED, "used already, or too late")
        return link.text()

    async def opened(
        self,
        service: Service,
        connect: Callable[[str], AbstractAsyncContextManager[Transport]] = websocket,
    ) -> OpenedLink:
        """Wait until a primary has linked this device. A connection that is lost is opened again.

        Of ``service`` only ``url`` and ``server_name`` are looked at: its keys come from the primary. Raises LinkError
        (LINK_EXPIRED) after ten minutes; ServiceRefused, ProofError (another server).
        """
        try:
            async with asyncio.timeout(max(0, self.expires_at - self._clock()) / 1000):
                return await self._wait(service, connect)
        except TimeoutError:
            raise LinkError(IdentityReason.LINK_EXPIRED, "nobody took it in time") from None

    async def _wait(
        self, service: Service, connect: Callable[[str], AbstractAsyncContextManager[Transport]]
    ) -> OpenedLink:
        attempt = 0
        while True:
            try:
                async with connect(service.url) as transport:
                    session = await Session.open(transport, service.server_name)
                    attempt = 0
                    return await self._open_one(session, service.server_name)
            except ServiceLost as lost:
                _log.info("waits for a connection: %s", lost)
            await asyncio.sleep(backoff(attempt, self._entropy))
            attempt += 1

    async def _open_one(self, session: Session, server_name: str) -> OpenedLink:
        """The first that can be opened: whoever read the text may send others."""
        while (link := self._new.link) is not None:
            sealed = await session.await_link(link.link_id)
            try:
                return self._new.open(sealed, server_name, self._clock())
            except RemoteProtocolError as error:
                _log.warning("refused a link: %s", error)
        raise LinkError(IdentityReason.LINK_EXPIRED, "used already, or too late")
