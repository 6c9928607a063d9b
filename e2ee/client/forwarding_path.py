"""One of the two connections to the forwarding unit: begun, attended to, and begun anew when it is lost (SFU-8).

    path = ForwardingPath(begin, changed)
    path.start()                 from now on there is to be a connection
    path.described(peer)         both descriptions of the newest one are known
    path.lost(), path.refused()  the service's word; or it was away, and does not know that it was asked
    path.broken(why)             this device cannot go on with it
    path.end()                   there is to be none any more

``begin`` asks for a connection, and every attempt has so long to come about. What fails is tried again, sooner at first
than later; a group call goes on without media meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

__all__ = ["ForwardingPath"]

_log = logging.getLogger(__name__)

CONNECTING = 15.0
"""Seconds after which a connection that does not come about is given up."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0
"""Seconds between two attempts: twice as long each time."""


class _Peer(Protocol):
    async def connected(self) -> None: ...

    async def interrupted(self) -> None: ...


class ForwardingPath:
    """See the module. ``changed`` is called when ``is_up`` has changed, or an attempt has failed. ``answered_within`` None:
    descriptions may take their time, as where there is nothing to be got yet."""

    def __init__(
        self,
        begin: Callable[[], Awaitable[None]],
        changed: Callable[[], None],
        answered_within: float | None = None,
    ) -> None:
        self._begin = begin
        self._changed = changed
        self._answered_within = answered_within
        self._keeping: asyncio.Task[None] | None = None
        self._described: asyncio.Future[_Peer] | None = None
        self._lost = asyncio.Event()
        self._was_up = False
        self.is_up = False
        """Whether media can flow over it."""
        self.failure = ""
        """Why the last attempt failed; empty after one that succeeded."""

    @property
    def is_wanted(self) -> bool:
        """Whether there is to be a connection."""
        return self._keeping is not None

    @property
    def is_troubled(self) -> bool:
        """Whether there is none though there was one, or should be one by now."""
        return self.is_wanted and not self.is_up and (self._was_up or bool(self.failure))

    def start(self) -> None:
        """From now on there is to be one."""
        if self._keeping is None:
            self._keeping = asyncio.ensure_future(self._keep())

    def end(self) -> None:
        """There is to be none any more. Who made its connection closes it."""
        keeping, self._keeping = self._keeping, None
        self.is_up = self._was_up = False
        self.failure = ""
        if keeping is not None:
            keeping.cancel()

    def described(self, peer: _Peer) -> None:
        """The newest connection has both descriptions."""
        if self._described is not None and not self._described.done():
            self._described.set_result(peer)

    def refused(self, why: Exception) -> None:
        """The service, or this device, does not make this connection."""
        if self._described is not None and not self._described.done():
            self._described.set_exception(why)

    def lost(self) -> None:
        """The forwarding unit has no connection of this device any more."""
        self._lost.set()

    def broken(self, why: Exception) -> None:
        """This device cannot go on with the connection: it is refused or, if it was up, lost."""
        if self._described is None or self._described.done():
            # the attempt had succeeded, so nobody else says it
            _log.warning("media lost: %s", _why(why))
        self.refused(why)
        self.lost()

    async def _keep(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                peer = await self._connect()
            except Exception as error:  # noqa: BLE001 - aiortc's, too: whatever it was, the next attempt may do
                self._failed(error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            pause = _FIRST_PAUSE
            self._is_up(is_up=True)
            await self._until_lost(peer)
            self._is_up(is_up=False)

    async def _connect(self) -> _Peer:
        self._lost.clear()
        self._described = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(self._answered_within):
            await self._begin()
            peer = await self._described
        async with asyncio.timeout(CONNECTING):
            await peer.connected()
        return peer

    async def _until_lost(self, peer: _Peer) -> None:
        ends = [asyncio.ensure_future(each) for each in (peer.interrupted(), self._lost.wait())]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in ends:
                each.cancel()

    def _failed(self, error: Exception) -> None:
        timed_out = isinstance(error, TimeoutError)
        self.failure = "no path to the forwarding unit" if timed_out else _why(error)
        _log.warning("no media: %s", self.failure)
        self._changed()

    def _is_up(self, *, is_up: bool) -> None:
        self.is_up, self.failure = is_up, ""
        self._was_up |= is_up
        self._changed()


def _why(error: Exception) -> str:
    # aiortc's may have no text, and an empty one says that nothing failed
    return str(error) or type(error).__name__
