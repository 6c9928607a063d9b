"""The relays that a service offers (TURN), and others before these end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from e2ee.call.events import RelaysReceived
from e2ee.rtc.route import RTCIceServer, is_usable
from e2ee.system_clock import Clock

__all__ = ["ServiceRelays"]

_BEFORE = 600
"""How long before their end others are asked for, in seconds."""

_ASKED_EVERY = 2.0
"""At most, in seconds: however soon the service says that they end."""


class ServiceRelays:
    """``ask`` has the service asked; ``received`` takes its answer."""

    def __init__(self, clock: Clock, ask: Callable[[], None]) -> None:
        self._clock = clock
        self._ask = ask
        self._relays = RelaysReceived((), "", "", 0)
        self._asked = False
        self._came = asyncio.Event()

    @property
    def ice_servers(self) -> list[RTCIceServer]:
        """As a connection for media takes them; none so far, or none at all."""
        relays = self._relays
        urls = list(
            filter(is_usable, relays.urls)
        )  # the service's word: what is no server ends no call
        if not urls:
            return []
        return [RTCIceServer(urls, username=relays.username, credential=relays.credential)]

    def received(self, relays: RelaysReceived) -> None:
        """The service's answer. One that nobody asked for is no answer."""
        if self._asked:
            self._asked = False
            self._relays = relays
            self._came.set()

    async def keep(self) -> None:
        """Ask, and ask again in time, as long as there are any."""
        while True:
            self._came.clear()
            self._asked = True
            self._ask()
            await self._came.wait()
            if not self._relays.urls:
                return
            left = self._relays.until - self._clock() / 1000 - _BEFORE
            await asyncio.sleep(max(left, _ASKED_EVERY))
