"""A forwarding unit that is elsewhere, as a ``ForwardingUnit``: the service's side of a control connection.

While there is no connection every request is refused, and it is tried again and again to have one. When a connection ends, so
does what its unit had: all members have lost theirs, and may ask anew.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import astuple

from e2ee.crypto.entropy import Entropy
from e2ee.server.control.connecting import (
    ControlConnection,
    UnitElsewhere,
    UnitLost,
    control_connection,
)
from e2ee.server.control.messages import (
    Answer,
    Answering,
    CloseMember,
    ClosePublisher,
    ControlMessage,
    Done,
    Failed,
    Lost,
    Offered,
    Passed,
    Publish,
    Refused,
    Subscribe,
    ToUnit,
    Want,
)
from e2ee.server.errors import ForwardingError, ForwardingReason
from e2ee.server.watching import UnitWatcher, nobody_watches
from e2ee.sfu.errors import SfuError, SfuReason
from e2ee.sfu.statistics import Totals, UnitStatistics
from e2ee.sfu.unit import Offer, OnLost, OnOffer, Participant
from e2ee.signalling.errors import MessageError

__all__ = ["RemoteUnit"]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
"""Seconds between attempts to connect."""


class RemoteUnit:
    """See the module. Connects as soon as it is made, which is within an event loop. ``pause`` waits so many seconds."""

    def __init__(
        self,
        where: UnitElsewhere,
        on_offer: OnOffer,
        on_lost: OnLost,
        entropy: Entropy,
        *,
        watcher: UnitWatcher = nobody_watches,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._where = where
        self._on_offer = on_offer
        self._on_lost = on_lost
        self._entropy = entropy
        self._watcher = watcher
        self._pause = pause
        self._connection: ControlConnection | None = None
        self._requests = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[str]] = {}
        self._members: set[tuple[bytes, bytes]] = set()
        self._passed = UnitStatistics({}, Totals(), 0)
        self._closed = False
        self._connecting = asyncio.get_running_loop().create_task(self._stay_connected())

    # ForwardingUnit

    async def publish(self, call_id: bytes, member: Participant, description: str) -> str:
        """See ``ForwardingUnit``."""
        return await self._ask(Publish(self._next(), call_id, member.id, member.leaf, description))

    async def subscribe(self, call_id: bytes, member: Participant) -> None:
        """See ``ForwardingUnit``."""
        await self._ask(Subscribe(self._next(), call_id, member.id, member.leaf))

    async def answer(self, call_id: bytes, member_id: bytes, number: int, description: str) -> None:
        """See ``ForwardingUnit``."""
        await self._ask(Answer(self._next(), call_id, member_id, number, description))

    async def want(self, call_id: bytes, member_id: bytes, mids: Sequence[str]) -> None:
        """See ``ForwardingUnit``."""
        await self._ask(Want(self._next(), call_id, member_id, tuple(mids)))

    async def close_publisher(self, call_id: bytes, member_id: bytes) -> None:
        """See ``ForwardingUnit``."""
        if self._connection is not None:  # as below
            await self._ask(ClosePublisher(self._next(), call_id, member_id))

    async def close_member(self, call_id: bytes, member_id: bytes) -> None:
        """See ``ForwardingUnit``."""
        self._members.discard((call_id, member_id))
        if self._connection is not None:  # else its connections have ended with ours
            await self._ask(CloseMember(self._next(), call_id, member_id))

    async def close(self) -> None:
        """See ``ForwardingUnit``."""
        self._closed = True
        self._members.clear()
        self._connecting.cancel()
        await asyncio.gather(self._connecting, return_exceptions=True)

    def statistics(self) -> UnitStatistics:
        """What passed by the unit's own account, seconds ago; of single members it says nothing."""
        return self._passed

    # Requests, and what comes of them

    def _next(self) -> int:
        return next(self._requests)

    async def _ask(self, message: ToUnit) -> str:
        connection = self._connected()
        if not isinstance(message, CloseMember | ClosePublisher):
            self._members.add((message.call_id, message.member))
        answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting[message.request] = answered
        try:
            await connection.send(message)
            return await answered
        except MessageError as error:
            raise SfuError(SfuReason.MALFORMED_DESCRIPTION, error.detail) from None
        except UnitLost:
            raise ForwardingError(ForwardingReason.UNIT_AWAY) from None
        finally:
            del self._waiting[message.request]

    def _connected(self) -> ControlConnection:
        if self._closed:
            raise SfuError(SfuReason.CLOSED)
        if self._connection is None:
            raise ForwardingError(ForwardingReason.UNIT_AWAY)
        return self._connection

    def _take(self, message: ControlMessage) -> None:
        match message:
            case Done() | Refused() | Failed():
                self._answered(message)
            case Offered(call_id=call_id, member=member):
                lists = message.mids, message.leaves, message.source_mids
                offer = Offer(message.number, message.description, *lists)
                self._on_offer(call_id, member, offer)
            case Lost(call_id=call_id, member=member):
                self._lost(call_id, member)
            case Passed():
                *totals, held_back = astuple(message)
                self._passed = UnitStatistics({}, Totals(*totals), held_back)
            case _:
                raise UnitLost("it asks instead of answering")

    def _answered(self, message: Answering) -> None:
        waiting = self._waiting.get(message.request)
        if waiting is None or waiting.done():  # nobody waits for it any more
            return
        match message:
            case Done(description=description):
                waiting.set_result(description)
            case Refused(reason=reason, detail=detail) if reason in set(SfuReason):
                waiting.set_exception(SfuError(SfuReason(reason), detail))
            case _:
                waiting.set_exception(ForwardingError(ForwardingReason.UNIT_FAILED))

    def _lost(self, call_id: bytes, member: bytes) -> None:
        if (call_id, member) in self._members:
            self._members.discard((call_id, member))
            self._on_lost(call_id, member)

    # The connection

    async def _stay_connected(self) -> None:
        attempts = 0
        while True:
            try:
                async with control_connection(self._where, self._entropy) as connection:
                    attempts = 0
                    await self._talk(connection)
            except UnitLost as lost:
                if attempts == 0:  # said once, however long it lasts
                    self._watcher.unit_lost(str(lost))
            except Exception as fault:  # noqa: BLE001 - of ours: it shall not be the last connection
                self._watcher.unit_failed(fault)
            await self._pause(min(_FIRST_PAUSE * 2 ** min(attempts, 16), _LONGEST_PAUSE))
            attempts += 1

    async def _talk(self, connection: ControlConnection) -> None:
        self._connection = connection
        self._watcher.unit_connected()
        try:
            while True:
                self._take(await connection.receive())
        finally:
            self._connection = None
            self._all_lost()

    def _all_lost(self) -> None:
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ForwardingError(ForwardingReason.UNIT_AWAY))
        for member in list(self._members):
            self._lost(*member)
