"""One call with its media: what ``e2ee.call`` decides, done with a connection of ``e2ee.rtc``.

    call = await client.call("bob", Media(camera=..., microphone=...))
    async for event in call:
        ...

The call asks for descriptions and gets them from the connection; the connection gets protectors and an opener from the
call, and nothing else: no key passes here. When the call ends, so does the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from e2ee.call.call import Call as CallCore
from e2ee.call.errors import CallUsageError
from e2ee.call.events import (
    CallEvent,
    DescriptionReceived,
    DescriptionWanted,
    Ended,
    EpochChanged,
)
from e2ee.client.media import STREAMS, Media, Network
from e2ee.errors import E2EEError
from e2ee.media.encoded_frame import Kind
from e2ee.media.incoming_stream import IncomingStream
from e2ee.rtc.peer import MediaPeer, MediaStreamTrack, PeerStatistics
from e2ee.system_clock import Clock

__all__ = ["Call", "Connected"]

_log = logging.getLogger(__name__)

_NOTHING = PeerStatistics(sent={}, received={})


@dataclass(frozen=True, slots=True)
class Connected(CallEvent):
    """Media can flow."""


class Call:
    """A call that was placed or answered. Made by ``Client`` and ``Invitation``."""

    def __init__(
        self,
        core: CallCore,
        media: Media,
        network: Network,
        clock: Clock,
        changed: Callable[[], None],
    ) -> None:
        self._core = core
        self._media = media
        self._network = network
        self._clock = clock
        self._changed = changed
        self._events: asyncio.Queue[CallEvent] = asyncio.Queue()
        self._peer: MediaPeer | None = None
        self._received: str | None = None
        self._passed: PeerStatistics | None = None
        self._work: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()

    # ------------------------------------------------------------------------------ what it is

    @property
    def call_id(self) -> bytes:
        """16 bytes."""
        return self._core.call_id

    @property
    def suite(self) -> int:
        """The MLS suite's code point. Raises CallUsageError after the end, like all below."""
        return self._core.suite

    @property
    def epoch(self) -> int:
        """The number of the epoch."""
        return self._core.epoch

    @property
    def call_code(self) -> str:
        """Sixty digits for the people in the call to compare: the same for both, or they are not in one group."""
        return self._core.call_code

    @property
    def safety_number(self) -> str:
        """Sixty digits of the two accounts, to compare once."""
        return self._core.safety_number

    @property
    def statistics(self) -> PeerStatistics:
        """What passed so far; after the end, what had passed when the keys were erased."""
        if self._passed is not None:
            return self._passed
        return self._peer.statistics() if self._peer else _NOTHING

    def track(self, kind: Kind) -> MediaStreamTrack | None:
        """What is received of a kind, decoded; None before ``Connected``."""
        return self._peer.track(kind) if self._peer else None

    # ---------------------------------------------------------------------------- what one does

    def hang_up(self) -> None:
        """End the call at both sides. Raises CallUsageError if it is over."""
        self._core.hang_up(self._clock())
        self._changed()

    def abandon(self) -> None:
        """End the call, if it is not over: the client goes."""
        with contextlib.suppress(CallUsageError):
            self.hang_up()
        if (
            self._passed is None
        ):  # what hangs up while it invites ends only when the service says so
            self._passed = self.statistics
            self._do(self._close())

    @property
    def is_over(self) -> bool:
        """Whether the call has ended and its connection is closed."""
        return self._ended.is_set()

    async def ended(self) -> None:
        """Wait until the call is over and its connection closed."""
        await self._ended.wait()

    async def __aiter__(self) -> AsyncIterator[CallEvent]:
        """What happens, up to and with ``Ended``."""
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, Ended):
                return

    # ---------------------------------------------------------------------- what happens to it

    def happened(self, event: CallEvent) -> None:
        """Take an event of the core: do what it asks for; what is not only between the two, the application is told."""
        match event:
            case DescriptionReceived(description=description):
                self._received = description
                if self._peer is not None:
                    self._do(self._accept(self._peer, description))
                return
            case DescriptionWanted():
                self._do(self._describe())
                return
            case EpochChanged() if self._peer is not None:
                self._peer.release()  # FRAME-14
            case Ended():
                self._passed = self.statistics
                self._do(self._close())
        self._events.put_nowait(event)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _describe(self) -> None:
        """Make the connection with its streams, and hand its description to the call."""
        offer = self._received
        try:
            self._peer = peer = self._new_peer()
            description = await (peer.offer() if offer is None else peer.answer(offer))
            self._core.describe(description, self._clock())
        except E2EEError as error:
            self._give_up(error)
            return
        self._changed()
        if offer is not None:
            await self._connect(peer)

    def _new_peer(self) -> MediaPeer:
        peer = MediaPeer(
            self._core.opener,
            self._clock,
            ice_servers=self._network.ice_servers,
            host_addresses=self._network.host_addresses,
            observers=self._media.observers,
        )
        for kind, codec in STREAMS.items():
            incoming = IncomingStream(codec, kind, self._other_leaf)  # FRAME-6
            peer.add_stream(self._core.open_stream(codec, kind), incoming, self._media.track(kind))
        return peer

    @property
    def _other_leaf(self) -> int:
        return next(
            member.leaf_index
            for member in self._core.members
            if member.account_id == self._core.account_id
        )

    async def _accept(self, peer: MediaPeer, answer: str) -> None:
        try:
            await peer.accept(answer)
        except E2EEError as error:
            self._give_up(error)
            return
        await self._connect(peer)

    async def _connect(self, peer: MediaPeer) -> None:
        try:
            await peer.connected()
        except E2EEError as error:
            self._give_up(error)
            return
        self._events.put_nowait(Connected(self.call_id))

    def _give_up(self, error: E2EEError) -> None:
        """There is no call without media."""
        _log.warning("no media: %s", error)
        with contextlib.suppress(CallUsageError):  # it may be over meanwhile
            self.hang_up()

    async def _close(self) -> None:
        for task in self._work - {asyncio.current_task()}:
            task.cancel()
        if self._peer is not None:
            await self._peer.close()
        self._ended.set()
