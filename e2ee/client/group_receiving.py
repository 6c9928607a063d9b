"""What comes of the others in a group call, and the connection to the forwarding unit over which it does.

The unit offers that connection, and offers it again whenever somebody's streams come or go; offers are answered one after
the other. An offer with other ICE credentials is of another connection, which takes the place of the lost one. What the unit
says of whose an m-section is goes to the connection and no further: it only serves to refuse (GROUP-18).
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from av.frame import Frame

from e2ee.call.errors import CallUsageError
from e2ee.call.group.events import MediaOffered
from e2ee.call.group.group_call import GroupCall as GroupCallCore
from e2ee.call.group.streams import AnnouncedStream
from e2ee.client.forwarding_path import ForwardingPath
from e2ee.client.media import Media
from e2ee.client.media_route import MediaRoute
from e2ee.client.speaking import Speaking
from e2ee.client.wanted_video import Video, wanted
from e2ee.media.encoded_frame import Kind
from e2ee.rtc.incoming import ReceiveStatistics
from e2ee.rtc.subscribing import OnStream, StreamName, SubscribingPeer
from e2ee.rtc.tracks import ReceivedTrack
from e2ee.system_clock import Clock

__all__ = ["GroupReceiving", "StreamName"]

_PICTURES = frozenset({Kind.CAMERA, Kind.SCREEN_VIDEO})

MOST_UNASKED = 9
"""SFU-6: before anything is asked for, "the first 9" come."""


_ASKED_EVERY = 1_000
"""Milliseconds between two changes of what is wanted: people who talk to each other do not flicker."""


class GroupReceiving:
    """See the module. ``on_stream`` is told of streams that begin and end; ``say`` and ``changed`` are as for ``GroupSending``."""

    def __init__(
        self,
        core: GroupCallCore,
        media: Media,
        route: MediaRoute,
        clock: Clock,
        say: Callable[[], None],
        changed: Callable[[], None],
        on_stream: OnStream,
    ) -> None:
        self._core = core
        self._observers = media.observers
        self._route = route
        self._clock = clock
        self._say = say
        self._on_stream = on_stream
        self._peer: SubscribingPeer | None = None
        self._credentials = ""
        self._offers: asyncio.Queue[MediaOffered] = asyncio.Queue()
        self._answering: asyncio.Task[None] | None = None
        self._withheld: set[int] = set()
        self._on_hold = False
        self.chosen: tuple[int, ...] = ()
        """Whom the person wants to see before others, by leaf index."""
        self._wanted: tuple[str, ...] = ()
        self._asked_at: int | None = None
        """When the unit was told last which video is wanted; None: never."""
        self._before: Mapping[StreamName, ReceiveStatistics] = {}
        self.speaking = Speaking()
        self.path = ForwardingPath(self._subscribe, changed)

    # The connection

    async def _subscribe(self) -> None:
        self._core.subscribe_media()
        self._say()
        if self._answering is None:
            self._answering = asyncio.ensure_future(self._answer_all())

    def offered(self, offer: MediaOffered) -> None:
        """The forwarding unit offers the connection, or a change of it."""
        self._offers.put_nowait(offer)

    async def _answer_all(self) -> None:
        while True:
            offer = await self._offers.get()
            try:
                await self._answer(offer)
            except Exception as error:  # noqa: BLE001 - aiortc's, too: another connection may do
                self.path.broken(error)

    async def _answer(self, offer: MediaOffered) -> None:
        peer = await self._peer_for(_credentials(offer.description))
        answer = await peer.answer(offer.description, offer.mids, offer.leaves, offer.source_mids)
        self._core.answer_media(offer.number, answer)
        self._wanted = ()  # they were of the offer before
        self.look(at_once=True)
        self._say()
        self.path.described(peer)

    async def _peer_for(self, credentials: str) -> SubscribingPeer:
        """The connection that an offer with these ICE credentials is of."""
        former = self._peer
        if former is not None and credentials == self._credentials:
            return former
        self._credentials = credentials
        if former is None:
            self._peer = peer = self._new_peer()
        else:
            self._peer = peer = former.successor(ice_servers=self._route.ice_servers)
            await former.close()
        return peer

    def _new_peer(self) -> SubscribingPeer:
        peer = SubscribingPeer(
            self._core.opener,
            self._clock,
            self._announced,
            observers=self._observers,
            on_stream=self._stream,
            **self._route.options(),
        )
        if self._on_hold:
            peer.hold()
        for leaf in self._withheld:
            peer.withhold(leaf)
        return peer

    async def stop(self) -> None:
        """Get nothing any more, until ``path`` is started again."""
        self.path.end()
        answering, self._answering = self._answering, None
        if answering is not None:
            answering.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await answering
        self._offers = asyncio.Queue()
        self._before = self.statistics
        peer, self._peer = self._peer, None
        if peer is not None:
            await peer.close()

    # What comes

    def _announced(self, leaf: int, mid: str) -> AnnouncedStream | None:
        """What the member at ``leaf`` says that it publishes under this mid: by nobody else's word (GROUP-18)."""
        streams = self._core.streams.get(leaf, ())
        return next((stream for stream in streams if stream.mid == mid), None)

    def _stream(self, name: StreamName, *, began: bool) -> None:
        if began and name.kind is Kind.MICROPHONE and (track := self.track(*name)) is not None:
            track.watch(partial(self._heard, name.leaf))
        self._on_stream(name, began=began)

    def _heard(self, leaf: int, frame: Frame) -> None:
        self.speaking.hear(leaf, frame, self._clock())

    def track(self, leaf: int, kind: Kind, instance: int = 0) -> ReceivedTrack | None:
        """What a member's stream shows or says, decoded; None while there is none."""
        return self._peer.track(leaf, kind, instance) if self._peer else None

    @property
    def streams(self) -> Collection[StreamName]:
        """What comes now."""
        return self._peer.streams.keys() if self._peer else ()

    @property
    def statistics(self) -> Mapping[StreamName, ReceiveStatistics]:
        """What came so far, by stream."""
        return self._before if self._peer is None else self._peer.statistics()

    def release(self) -> None:
        """Keys have changed: what waited for one goes on (FRAME-14)."""
        if self._peer is not None:
            self._peer.release()

    def announcements_changed(self) -> None:
        """A member publishes something else."""
        if self._peer is not None:
            self._peer.announcements_changed()
        self.look()

    # What is shown

    def hold(self, *, on_hold: bool) -> None:
        """Show nothing, or go on."""
        self._on_hold = on_hold
        if self._peer is not None:
            (self._peer.hold if on_hold else self._peer.resume)()

    def withhold(self, leaf: int, *, withheld: bool) -> None:
        """Show nothing of this member while what it sends comes too late (CALL-24)."""
        (self._withheld.add if withheld else self._withheld.discard)(leaf)
        if self._peer is not None:
            (self._peer.withhold if withheld else self._peer.show)(leaf)

    def choose(self, leaves: Sequence[int]) -> None:
        """The person wants to see these before others."""
        self.chosen = tuple(leaves)
        self.look(at_once=True)

    def look(self, *, at_once: bool = False) -> None:
        """SFU-6: ask for other videos, if others have become important; not too often, unless it has to be ``at_once``."""
        if self._peer is None:
            return
        videos = [
            Video(name.leaf, name.kind, mid)
            for name in self._peer.streams
            if name.kind in _PICTURES and (mid := self._peer.mid_of(*name)) is not None
        ]
        mids = wanted(videos, self.chosen, self.speaking.in_order())
        if mids == self._wanted or (self._asked_at is None and len(videos) <= MOST_UNASKED):
            return
        now = self._clock()
        if at_once or self._asked_at is None or now >= self._asked_at + _ASKED_EVERY:
            with contextlib.suppress(CallUsageError):
                self._core.want_media(mids)
                self._wanted, self._asked_at = mids, now
                self._say()


def _credentials(description: str) -> str:
    """What tells two connections apart in their descriptions."""
    found = re.search(r"^a=ice-ufrag:(.*)$", description, re.MULTILINE)
    return found[1].strip() if found else ""
