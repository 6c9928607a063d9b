"""The forwarding unit on aiortc, for one machine: who is in which call, and whose streams go to whom.

    Publisher (a member's connection) -> Source (a stream) -> Sink (an m-section) <- Subscriber (another member's connection)

What concerns one member is done one after the other, under that member's lock. A request that fails changes nothing, but
that nothing may be left of a member's first one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

from e2ee.sfu.errors import SfuError, SfuReason
from e2ee.sfu.limits import Limits
from e2ee.sfu.publisher import Publisher
from e2ee.sfu.source import Source
from e2ee.sfu.statistics import MemberStatistics, Totals, UnitStatistics
from e2ee.sfu.subscriber import Subscriber
from e2ee.sfu.unit import Offer, OnLost, OnOffer, Participant
from e2ee.system_clock import Clock

__all__ = ["AiortcForwardingUnit"]

_log = logging.getLogger(__name__)

TICK = 1.0
"""Seconds between two reports on every connection."""

CONNECTED_WITHIN = 30_000
"""Milliseconds in which a connection has to come about, and an offer to be answered."""


class _Member:
    """A device in a call."""

    def __init__(self, leaf: int) -> None:
        self.leaf = leaf
        self.lock = asyncio.Lock()
        self.publisher: Publisher | None = None
        self.subscriber: Subscriber | None = None
        self.last_number = 0

    @property
    def sources(self) -> list[Source]:
        return list(self.publisher.sources.values()) if self.publisher else []

    def connections(self) -> Iterator[Publisher | Subscriber]:
        yield from filter(None, (self.publisher, self.subscriber))


_Members = dict[bytes, _Member]


class AiortcForwardingUnit:
    """A ``ForwardingUnit``. Belongs to the event loop that it was made in.

    ``host_addresses`` are the local addresses that members reach it on; without them all but loopback.
    """

    def __init__(
        self,
        on_offer: OnOffer,
        on_lost: OnLost,
        clock: Clock,
        *,
        host_addresses: Sequence[str] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._on_offer = on_offer
        self._on_lost = on_lost
        self._clock = clock
        self._host_addresses = host_addresses
        self._limits = limits or Limits()
        self._calls: dict[bytes, _Members] = {}
        self._totals = Totals()
        self._is_closed = False
        self._ticking: asyncio.Task[None] | None = None
        self._doing: set[asyncio.Task[None]] = set()

    # --------------------------------------------------------------------------------------- requests

    async def publish(self, call_id: bytes, member: Participant, description: str) -> str:
        """See ``ForwardingUnit``."""
        async with self._member(call_id, member.id, member.leaf) as record:
            publisher = Publisher(
                member.leaf,
                self._clock,
                self._host_addresses,
                lambda source: self._began(call_id, member.id, source),
                lambda: self._lost(call_id, member.id, publisher),
            )
            try:
                answer = await publisher.answer(description)
            except BaseException:
                await publisher.close()
                raise
            former, record.publisher = record.publisher, publisher  # SFU-3
            record.leaf = member.leaf
            if former is not None:
                self._succeed(call_id, member.id, former, publisher)
                await self._end(former)
            return answer

    async def subscribe(self, call_id: bytes, member: Participant) -> None:
        """See ``ForwardingUnit``."""
        async with self._member(call_id, member.id, member.leaf) as record:
            subscriber = Subscriber(
                self._clock,
                self._host_addresses,
                lambda: self._number(record),
                lambda offer: self._offered(call_id, member.id, subscriber, offer),
                lambda: self._lost(call_id, member.id, subscriber),
            )
            former, record.subscriber = record.subscriber, subscriber  # SFU-3
            for source in self._sources_of_others(call_id, member.id):
                subscriber.add(source)
            subscriber.change()
            if former is not None:
                await self._end(former)

    async def answer(self, call_id: bytes, member_id: bytes, number: int, description: str) -> None:
        """See ``ForwardingUnit``."""
        async with self._subscriber(call_id, member_id) as subscriber:
            await subscriber.answer(number, description)

    async def want(self, call_id: bytes, member_id: bytes, mids: Sequence[str]) -> None:
        """See ``ForwardingUnit``."""
        async with self._subscriber(call_id, member_id) as subscriber:
            subscriber.want(mids)

    async def close_publisher(self, call_id: bytes, member_id: bytes) -> None:
        """See ``ForwardingUnit``."""
        record = self._calls.get(call_id, {}).get(member_id)
        if record is None:
            return
        async with record.lock:
            if self._calls.get(call_id, {}).get(member_id) is not record:
                return
            publisher = record.publisher
            if publisher is None:
                return
            self._withdraw(call_id, member_id, record)
            record.publisher = None
            if record.subscriber is None:
                self._leave(call_id, member_id)
            await self._end(publisher)

    async def close_member(self, call_id: bytes, member_id: bytes) -> None:
        """See ``ForwardingUnit``."""
        record = self._calls.get(call_id, {}).get(member_id)
        if record is not None:
            async with record.lock:
                await self._close(call_id, member_id, record)

    async def close(self) -> None:
        """See ``ForwardingUnit``."""
        self._is_closed = True
        if self._ticking is not None:
            self._ticking.cancel()
        members = [(call_id, each) for call_id, call in self._calls.items() for each in call]
        await asyncio.gather(*(self.close_member(*each) for each in members), *self._doing)

    # ---------------------------------------------------------------------------------------- members

    @asynccontextmanager
    async def _member(self, call_id: bytes, member_id: bytes, leaf: int) -> AsyncIterator[_Member]:
        """The record of a member, who may be new, and nobody else's meanwhile. Raises SfuError."""
        record = self._enter(call_id, member_id, leaf)
        async with record.lock:
            if self._calls.get(call_id, {}).get(member_id) is not record:
                raise SfuError(SfuReason.CLOSED)
            try:
                yield record
            finally:
                if not any(record.connections()):
                    self._leave(call_id, member_id)

    def _enter(self, call_id: bytes, member_id: bytes, leaf: int) -> _Member:
        if self._is_closed:
            raise SfuError(SfuReason.CLOSED)
        call = self._calls.get(call_id, {})
        if member_id in call:
            return call[member_id]
        if not call and len(self._calls) >= self._limits.calls:
            raise SfuError(SfuReason.TOO_MANY_CALLS)
        if len(call) >= self._limits.members:
            raise SfuError(SfuReason.TOO_MANY_MEMBERS)
        record = self._calls.setdefault(call_id, call)[member_id] = _Member(leaf)
        if self._ticking is None:
            self._ticking = asyncio.ensure_future(self._tick())
        return record

    def _leave(self, call_id: bytes, member_id: bytes) -> None:
        call = self._calls[call_id]
        del call[member_id]
        if not call:
            del self._calls[call_id]

    @asynccontextmanager
    async def _subscriber(self, call_id: bytes, member_id: bytes) -> AsyncIterator[Subscriber]:
        record = self._calls.get(call_id, {}).get(member_id)
        if record is None:
            raise SfuError(SfuReason.NOT_SUBSCRIBED)
        async with record.lock:
            if record.subscriber is None:
                raise SfuError(SfuReason.NOT_SUBSCRIBED)
            yield record.subscriber

    async def _close(self, call_id: bytes, member_id: bytes, record: _Member) -> None:
        if self._calls.get(call_id, {}).get(member_id) is not record:
            return
        self._leave(call_id, member_id)
        self._withdraw(call_id, member_id, record)
        connections = list(record.connections())
        record.publisher = record.subscriber = None
        await asyncio.gather(*map(self._end, connections))

    async def _end(self, connection: Publisher | Subscriber) -> None:
        """Close it, whole, also if nobody waits for that any more."""
        self._totals += connection.totals
        closing = asyncio.ensure_future(connection.close())
        self._keep(closing)
        await asyncio.shield(closing)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._doing.add(task)
        task.add_done_callback(self._doing.discard)

    def _number(self, record: _Member) -> int:
        """SFU-4: above all numbers before, also those of a unit that ran before this one: eight pass in a second."""
        record.last_number = max(record.last_number + 1, self._clock() >> 7 & 0xFFFFFFFF)
        return record.last_number

    # ---------------------------------------------------------------------------------------- streams

    def _others(self, call_id: bytes, member_id: bytes) -> list[Subscriber]:
        """Who gets what this member publishes."""
        return [
            record.subscriber
            for other, record in self._calls.get(call_id, {}).items()
            if other != member_id and record.subscriber is not None
        ]

    def _withdraw(self, call_id: bytes, member_id: bytes, record: _Member) -> None:
        """SFU-7: nothing of it is forwarded any more."""
        for subscriber in self._others(call_id, member_id):
            for source in record.sources:
                subscriber.remove(source)

    def _sources_of_others(self, call_id: bytes, member_id: bytes) -> list[Source]:
        return [
            source
            for other, record in self._calls.get(call_id, {}).items()
            if other != member_id
            for source in record.sources
            if source.has_begun
        ]

    def _began(self, call_id: bytes, member_id: bytes, source: Source) -> None:
        """Offer it, unless it takes the place of one that is offered already."""
        record = self._calls.get(call_id, {}).get(member_id)
        if record is not None and record.publisher and source in record.sources:
            for subscriber in self._others(call_id, member_id):
                subscriber.add(source)

    def _succeed(
        self, call_id: bytes, member_id: bytes, former: Publisher, publisher: Publisher
    ) -> None:
        """The same streams over another connection go on where they are; the others end."""
        for mid, source in former.sources.items():
            successor = publisher.sources.get(mid)
            goes_on = successor is not None and successor.kind == source.kind
            for subscriber in self._others(call_id, member_id):
                if successor is not None and goes_on and source.has_begun:
                    subscriber.replace(source, successor)
                else:
                    subscriber.remove(source)
            if successor is not None and goes_on:
                successor.has_begun = source.has_begun

    # ----------------------------------------------------------------------------------------- events

    def _offered(
        self, call_id: bytes, member_id: bytes, subscriber: Subscriber, offer: Offer
    ) -> None:
        record = self._calls.get(call_id, {}).get(member_id)
        if record is not None and record.subscriber is subscriber:
            self._on_offer(call_id, member_id, offer)

    def _lost(self, call_id: bytes, member_id: bytes, connection: Publisher | Subscriber) -> None:
        """One of a member's two connections is lost: the member makes both anew."""
        self._keep(asyncio.ensure_future(self._close_lost(call_id, member_id, connection)))

    async def _close_lost(
        self, call_id: bytes, member_id: bytes, connection: Publisher | Subscriber
    ) -> None:
        record = self._calls.get(call_id, {}).get(member_id)
        if record is None:
            return
        async with record.lock:
            if connection in record.connections() and not self._is_closed:
                await self._close(call_id, member_id, record)
                self._on_lost(call_id, member_id)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            self.tick()

    def tick(self) -> None:
        """What is done once a second, by itself: report, measure, hold back, and give up who does not come."""
        now = self._clock()
        for call_id, call in self._calls.items():
            for member_id, record in call.items():
                for connection in record.connections():
                    self._attend(call_id, member_id, connection, now)

    def _attend(
        self, call_id: bytes, member_id: bytes, connection: Publisher | Subscriber, now: int
    ) -> None:
        try:
            connection.tick(now)
        except Exception as error:  # noqa: BLE001 - one member's connection, and everybody's clock
            _log.warning("a connection was given up: %s", type(error).__name__)
            self._lost(call_id, member_id, connection)
        if now - connection.waiting_since(now) > CONNECTED_WITHIN:
            self._lost(call_id, member_id, connection)

    # ------------------------------------------------------------------------------------- statistics

    def statistics(self) -> UnitStatistics:
        """See ``ForwardingUnit``."""
        now = self._clock()
        totals = self._totals
        for call in self._calls.values():
            for record in call.values():
                for connection in record.connections():
                    totals += connection.totals
        calls = {
            call_id: {member_id: _statistics(record, now) for member_id, record in call.items()}
            for call_id, call in self._calls.items()
        }
        members = [member for call in calls.values() for member in call.values()]
        held_back = sum(sink.held_back for member in members for sink in member.sinks)
        return UnitStatistics(calls, totals, held_back)


def _statistics(record: _Member, now: int) -> MemberStatistics:
    subscriber = record.subscriber
    sinks = subscriber.sinks.values() if subscriber else ()
    connections = list(record.connections())
    return MemberStatistics(
        leaf=record.leaf,
        sources=tuple(source.statistics for source in record.sources if source.has_begun),
        sinks=tuple(each for sink in sinks if (each := sink.statistics) is not None),
        refused=sum(connection.refused for connection in connections),
        dropped=sum(connection.connection.dropped for connection in connections),
        estimate=subscriber.estimate(now) if subscriber else None,
    )
