"""A device that is online: it publishes KeyPackages, places calls and is called.

    async with online(url, server_name=..., directory_keys=..., account=...) as client:
        call = await client.call("bob", media)            or
        invitation = await client.invitation()            somebody calls
        call = invitation.answer(media)

``e2ee.call`` decides; this module gives it messages, time and a way out. Between two awaits everything that the core
wants to say is taken from it, so it is never asked twice about one thing. Keys and pins live as long as the client.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass

from e2ee.call.call import Call as CallCore
from e2ee.call.device import Device
from e2ee.call.events import CallEvent, Event, KeyPackagesPublished, Ringing
from e2ee.client.call import Call
from e2ee.client.errors import ServiceLost
from e2ee.client.media import Media, Network
from e2ee.client.session import Session
from e2ee.errors import RemoteProtocolError
from e2ee.signalling.messages import FromService
from e2ee.system_clock import Clock

__all__ = ["Client", "Invitation"]

_log = logging.getLogger(__name__)

_FAREWELL = 1.0
"""Seconds in which the service may take the last messages of a client that leaves."""


@dataclass(frozen=True)
class Invitation:
    """Somebody calls. ``ringing`` tells who, and what is known of them."""

    ringing: Ringing
    _client: Client
    _core: CallCore

    def answer(self, media: Media) -> Call:
        """Take the call. Raises CallUsageError if it is over, or the caller's identity changed (IDENT-10)."""
        self._core.answer(self._client.clock())
        return self._client.take(self._core, media)

    def decline(self) -> None:
        """Do not take it. Raises CallUsageError if it is over."""
        self._core.hang_up(self._client.clock())
        self._client.changed()


class Client:
    """See the module; made by ``online``. Every method belongs to one event loop."""

    def __init__(self, device: Device, session: Session, clock: Clock, network: Network) -> None:
        self.clock = clock
        self._device = device
        self._session = session
        self._network = network
        self._calls: dict[bytes, Call] = {}
        self._invitations: asyncio.Queue[Invitation] = asyncio.Queue()
        self._wake = asyncio.Event()
        self._published = asyncio.Event()

    # --------------------------------------------------------------------------------- what one does

    async def published(self) -> None:
        """Wait until this device can be called."""
        await self._published.wait()

    def call(self, account_id: str, media: Media, *, video: bool = True) -> Call:
        """Call an account: all of its devices ring."""
        return self.take(self._device.place_call(account_id, video=video), media)

    async def invitation(self) -> Invitation:
        """Wait until somebody calls whom this device may show."""
        return await self._invitations.get()

    # ------------------------------------------------------------------------------ inside the package

    def take(self, core: CallCore, media: Media) -> Call:
        """Give a call of the device its media."""
        call = Call(core, media, self._network, self.clock, self.changed)
        self._calls = {key: each for key, each in self._calls.items() if not each.is_over}
        self._calls[core.call_id] = call
        self.changed()
        return call

    def changed(self) -> None:
        """The core may have something to say."""
        for event in iter(self._device.next_event, None):
            self._tell(event)
        self._wake.set()

    async def run(self) -> None:
        """Carry messages and time, until the connection ends. Raises ServiceLost."""
        self._device.publish_key_packages(self.clock())
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._receive())
            tasks.create_task(self._send())

    async def close(self) -> None:
        """End every call, tell the service if it still listens, and close all connections."""
        calls = list(self._calls.values())
        for call in calls:
            call.abandon()
        with contextlib.suppress(ServiceLost, TimeoutError):
            async with asyncio.timeout(_FAREWELL):
                for message in self._device.messages_to_send():
                    await self._session.send(message)
        for call in calls:
            await call.ended()

    async def _receive(self) -> None:
        while True:
            message = await self._session.receive()
            if not isinstance(message, FromService):
                continue
            try:
                self._device.receive(message, self.clock())
            except RemoteProtocolError as error:
                # Whoever sent it: the call goes on, and nobody is told (CALL-5, CALL-15).
                _log.warning("refused %s: %s", message.name, error)
            self.changed()

    async def _send(self) -> None:
        """Send what the core says, and wake it when a timer is due."""
        while True:
            self._wake.clear()
            now = self.clock()
            due = self._device.get_timer()
            if due is not None and now >= due:
                self._device.handle_timer(now)
                self.changed()
                due = self._device.get_timer()
            for message in self._device.messages_to_send():
                await self._session.send(message)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), _until(due, self.clock()))

    def _tell(self, event: Event) -> None:
        match event:
            case KeyPackagesPublished():
                self._published.set()
            case Ringing():
                core = self._device.calls[event.call_id]
                self._invitations.put_nowait(Invitation(event, self, core))
            case CallEvent():
                if event.call_id in self._calls:
                    self._calls[event.call_id].happened(event)


def _until(due: int | None, now: int) -> float | None:
    return None if due is None else max(0, due - now) / 1000
