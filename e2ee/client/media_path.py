"""The path that a call's media take: made when the call wants it, watched, and replaced when it is lost (CALL-28).

It answers the three events of the core that are about descriptions, and tells the application when media can flow and
when they cease to. There is no call without media: what fails here ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from e2ee.call.call import Call as CallCore
from e2ee.call.errors import CallUsageError
from e2ee.call.events import (
    CallEvent,
    DescriptionReceived,
    DescriptionWanted,
    EndReason,
    ReconnectReceived,
)
from e2ee.call.medium import Medium
from e2ee.client.media_connection import MediaConnection
from e2ee.errors import E2EEError
from e2ee.rtc.errors import ConnectionFailed
from e2ee.rtc.peer import MediaPeer
from e2ee.system_clock import Clock

__all__ = ["Connected", "Interrupted", "MediaPath"]

_log = logging.getLogger(__name__)

_CONNECTING = 30.0
"""Seconds after which a first connection that does not come about ends the call."""

_RECONNECTING = 15.0
"""Seconds after which a new connection that does not come about is replaced by the next."""


@dataclass(frozen=True, slots=True)
class Connected(CallEvent):
    """Media can flow; again, after ``Interrupted``."""


@dataclass(frozen=True, slots=True)
class Interrupted(CallEvent):
    """Nothing comes any more. The call goes on, and another connection is tried."""


class MediaPath:
    """See the module. ``changed`` is called when the core has something to say, ``tell`` with what the application is told."""

    def __init__(
        self,
        core: CallCore,
        media: MediaConnection,
        clock: Clock,
        changed: Callable[[], None],
        tell: Callable[[CallEvent], None],
    ) -> None:
        self._core = core
        self._media = media
        self._clock = clock
        self._changed = changed
        self._tell = tell
        self._received: str | None = None
        self._was_connected = False
        self._watching: asyncio.Task[None] | None = None
        self._work: set[asyncio.Task[None]] = set()
        self.failure = ""
        """Why there are no media, if they ended the call."""

    def adopt(self, core: CallCore) -> None:
        """From now on it is this call's (CALL-21)."""
        self._core = core

    def happened(self, event: DescriptionReceived | DescriptionWanted | ReconnectReceived) -> None:
        """Do what the core asks for."""
        match event:
            case DescriptionReceived(description=description):
                self._received = description
                if self._media.peer is not None:
                    self._do(self._accept(description))
            case DescriptionWanted():
                self._do(self._describe())
            case ReconnectReceived():
                self._do(self._reconnected(event))

    async def close(self) -> None:
        """End it."""
        for task in self._work:
            task.cancel()
        await self._media.close()

    # The first connection

    async def _describe(self) -> None:
        """Make the connection with its streams, and hand its description to the call."""
        offer = self._received
        if self._core.medium is Medium.TEXT:
            self._core.describe("", self._clock())
            self._changed()
            return
        description = await self._media.describe(offer)
        self._core.describe(description, self._clock())
        self._changed()
        if offer is not None:
            self._watch()

    async def _accept(self, answer: str) -> None:
        await self._media.accept(answer)
        self._watch()

    # While it lasts

    def _watch(self) -> None:
        """Attend to the newest connection, and to no other any more."""
        peer = self._media.peer
        if peer is not None:
            if self._watching is not None:
                self._watching.cancel()
            self._watching = self._start(self._attend(peer))

    async def _attend(self, peer: MediaPeer) -> None:
        """Tell when media can flow, and when they cease to; then the caller tries another connection."""
        try:
            async with asyncio.timeout(_CONNECTING):
                await peer.connected()
        except (ConnectionFailed, TimeoutError):
            if self._was_connected:
                return  # the next one is being tried
            raise ConnectionFailed("no path to the other side") from None
        self._was_connected = True
        self._tell(Connected(self._core.call_id))
        await peer.interrupted()
        self._tell(Interrupted(self._core.call_id))
        if self._core.is_caller:
            self._do(self._reconnect())

    # Those that follow

    async def _reconnect(self) -> None:
        """Offer one connection after the other, until one is there."""
        while True:
            description = await self._media.replace()
            self._core.reconnect(description, self._clock())
            self._changed()
            with contextlib.suppress(TimeoutError, ConnectionFailed):
                async with asyncio.timeout(_RECONNECTING):
                    await self._media.connected()
                    return

    async def _reconnected(self, event: ReconnectReceived) -> None:
        """The other side's half of a new connection."""
        if self._core.is_caller:
            await self._accept(event.description)
            return
        answer = await self._media.follow(event.description)
        self._core.reconnected(event.number, answer, self._clock())
        self._changed()
        self._watch()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        _ = self._start(work)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(self._guarded(work))
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return task

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except E2EEError as error:
            _log.warning("no media: %s", error)
            self.failure = str(error)
            with contextlib.suppress(CallUsageError):  # it may be over meanwhile
                self._core.hang_up(self._clock(), EndReason.ANSWER_FAILED)
                self._changed()
