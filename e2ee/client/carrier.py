"""What goes between a device's core and its service: messages both ways, time, and one connection after the other.

Between two awaits everything that the core wants to say is taken from it, so it is never asked twice about one thing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from e2ee.call.device import Device
from e2ee.call.events import Event
from e2ee.client.connection import Connected, Connection
from e2ee.client.errors import ServiceLost, ServiceRefused
from e2ee.client.session import Session
from e2ee.errors import RemoteProtocolError
from e2ee.signalling.messages import FromService

__all__ = ["Carrier", "ServiceLostEvent", "ServiceRegained"]

_log = logging.getLogger(__name__)

_FAREWELL = 1.0
"""Seconds in which the service may take the last messages of a client that leaves."""


@dataclass(frozen=True, slots=True)
class ServiceLostEvent(Event):
    """The connection to the service is gone; it is being opened again."""

    detail: str


@dataclass(frozen=True, slots=True)
class ServiceRegained(Event):
    """The connection to the service is there again."""


class Carrier:
    """See the module. ``tell`` is given every event; ``certified`` is called when a connection came with another certificate;
    ``beside`` runs as long as a connection lasts; what is kept within ``kept`` is kept together."""

    def __init__(
        self,
        device: Device,
        connection: Connection,
        tell: Callable[[Event], None],
        certified: Callable[[], None],
        beside: Callable[[], Coroutine[Any, Any, None]] | None,
        kept: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._device = device
        self._connection = connection
        self._clock = connection.clock
        self._tell = tell
        self._certified = certified
        self._beside = beside
        self._kept = kept
        self._session: Session | None = None
        self._unsent, self._unsettled = asyncio.Event(), asyncio.Event()
        """There may be something to send; the next timer may be another."""
        self._put_out: ServiceLost | ServiceRefused | None = None

    def changed(self) -> None:
        """The core may have something to say."""
        for event in iter(self._device.next_event, None):
            self._tell(event)
        self._unsent.set()
        self._unsettled.set()

    def put_out(self, why: ServiceLost | ServiceRefused) -> None:
        """The service has ended this device's session."""
        self._put_out = why

    async def run(self, connected: Connected) -> None:
        """Carry, until this is cancelled. Raises ServiceRefused."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_time())
            tasks.create_task(self._stay_connected(connected))

    async def farewell(self) -> None:
        """Send what is left, if the service still listens."""
        if self._session is not None:
            with contextlib.suppress(ServiceLost, TimeoutError):
                async with asyncio.timeout(_FAREWELL):
                    for message in self._device.messages_to_send():
                        await self._session.send(message)

    async def _stay_connected(self, connected: Connected) -> None:
        while True:
            async with connected.stack:
                lost = await self._carry(connected.session)
            self._device.disconnected(self._clock())
            self.changed()
            self._tell(ServiceLostEvent(str(lost)))
            connected = await self._connection.log_in_again()
            self._device.logged_in(self._clock())
            if connected.certificate != self._device.certificate:
                self._certified()
            self._tell(ServiceRegained())

    async def _carry(self, session: Session) -> ServiceLost:
        """Until the connection is lost."""
        self._session = session
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._receive(session))
                tasks.create_task(self._send(session))
                if self._beside is not None:
                    tasks.create_task(self._beside())
        except* ServiceLost as group:
            lost = next(error for error in group.exceptions if isinstance(error, ServiceLost))
        finally:
            self._session = None
        return lost

    async def _receive(self, session: Session) -> None:
        while True:
            message = await session.receive()
            if not isinstance(message, FromService):
                continue  # SIG-6
            with self._kept():  # all that one message changes on the disk, at once
                try:
                    self._device.receive(message, self._clock())
                except RemoteProtocolError as error:
                    # Whoever sent it: the call goes on, and nobody is told (CALL-5, CALL-15).
                    _log.info("refused %s: %s", message.name, error)
            self.changed()
            if self._put_out is not None:
                put_out, self._put_out = self._put_out, None
                raise put_out

    async def _send(self, session: Session) -> None:
        """Send what the core says."""
        while True:
            self._unsent.clear()
            for message in self._device.messages_to_send():
                await session.send(message)
            await self._unsent.wait()

    async def _keep_time(self) -> None:
        """Wake the core when a timer is due, connected or not."""
        while True:
            self._unsettled.clear()
            now, due = self._clock(), self._device.get_timer()
            if due is not None and now >= due:
                self._device.handle_timer(now)
                self.changed()
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_until(due, now)):
                    await self._unsettled.wait()


def _until(due: int | None, now: int) -> float | None:
    return None if due is None else max(0, due - now) / 1000
