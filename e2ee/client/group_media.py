"""The media of one group call: two connections to the forwarding unit, and what goes over them.

    start()                     this device is a member
    happened(event)             the three events of the core that are about these connections
    role_changed(), members_changed(), lag_changed(lag), refused(...), service_regained()
    sending, receiving          what goes over them
    anew(), close()

A member who may not speak has no connection for sending. Keys do not pass here: streams get protectors and an opener from
the core, and keep them over all connections. What fails here ends no call: another connection is tried.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from e2ee.call.alive import Lag
from e2ee.call.events import CallEvent
from e2ee.call.group.events import MediaLost, MediaOffered, MediaPublished
from e2ee.call.group.group_call import GroupCall as GroupCallCore
from e2ee.call.roster import Member
from e2ee.client.forwarding_path import ForwardingPath
from e2ee.client.group_events import NoMedia, SpeakingChanged, StreamBegan, StreamEnded
from e2ee.client.group_receiving import GroupReceiving, StreamName
from e2ee.client.group_sending import GroupSending
from e2ee.client.media import Media
from e2ee.client.media_path import Connected, Interrupted
from e2ee.client.media_route import MediaRoute
from e2ee.errors import E2EEError
from e2ee.media.encoded_frame import Kind
from e2ee.rtc.errors import ConnectionFailed
from e2ee.rtc.incoming import ReceiveStatistics
from e2ee.rtc.outgoing import SendStatistics
from e2ee.signalling import messages
from e2ee.system_clock import Clock

__all__ = ["GroupMedia", "GroupStatistics", "StreamName"]

_LOOKED_EVERY = 0.25
"""Seconds between two looks at who speaks."""


@dataclass(frozen=True)
class GroupStatistics:
    """What passed so far, over all connections: of this device by kind, of the others by leaf, kind and instance."""

    sent: Mapping[Kind, SendStatistics]
    received: Mapping[StreamName, ReceiveStatistics]


class GroupMedia:
    """See the module. ``say`` is called when the core has something to say, ``tell`` with what the application is told."""

    def __init__(
        self,
        core: GroupCallCore,
        media: Media,
        route: MediaRoute,
        clock: Clock,
        say: Callable[[], None],
        tell: Callable[[CallEvent], None],
    ) -> None:
        self._core = core
        self._route = route
        self._clock = clock
        self._say = say
        self._tell = tell
        self.sending = GroupSending(core, media, route, clock, say, self._path_changed)
        self.receiving = GroupReceiving(
            core, media, route, clock, say, self._path_changed, self._stream
        )
        self._members: dict[int, Member] = {}
        self._speaking: tuple[int, ...] = ()
        self._connected = False
        self._failure = ""
        self._following = asyncio.Lock()
        self._closed = False
        self._looking: asyncio.Task[None] | None = None
        self._work: set[asyncio.Task[None]] = set()

    # Its beginning and its end

    def start(self) -> None:
        """This device is a member: it gets the others' media, and sends its own if it may."""
        self.members_changed()
        if self._looking is None:
            self._looking = asyncio.ensure_future(self._look())
        self.receiving.path.start()
        self.role_changed()

    def anew(self) -> GroupMedia:
        """The same media for the next membership of this device, as another leaf. To this one is left to be closed."""
        media = self.sending.take_media()
        after = GroupMedia(self._core, media, self._route, self._clock, self._say, self._tell)
        if self.sending.on_hold:
            after.hold(on_hold=True)
        after.receiving.choose(self.receiving.chosen)
        for name in self.receiving.streams:
            self._stream(name, began=False)
        self._tell = _nobody
        return after

    async def close(self) -> None:
        """End it."""
        self._closed = True
        for path in (self.sending.path, self.receiving.path):
            path.end()
        for task in (self._looking, *self._work):
            if task is not None:
                task.cancel()
        await self.sending.stop()
        await self.receiving.stop()

    # What the core says

    def happened(self, event: MediaPublished | MediaOffered | MediaLost) -> None:
        """Do what the core asks for."""
        match event:
            case MediaPublished(description=description):
                self._do(self.sending.published(description))
            case MediaOffered():
                self.receiving.offered(event)
            case MediaLost():
                self.sending.path.lost()
                self.receiving.path.lost()

    def refused(self, request: str, why: E2EEError) -> None:
        """The service does not pass on what was asked of the forwarding unit."""
        if (path := self._asked(request)) is not None:
            path.refused(why)

    def service_regained(self) -> None:
        """What was asked while the service was away may never have come to it."""
        for path in (self.sending.path, self.receiving.path):
            path.refused(ConnectionFailed("the service was lost"))

    def _asked(self, request: str) -> ForwardingPath | None:
        paths = {
            messages.PublishMedia.name: self.sending.path,
            messages.SubscribeMedia.name: self.receiving.path,
        }
        return paths.get(request)

    def role_changed(self) -> None:
        """This device may speak now, or may not any more."""
        if self._looking is not None:
            self._do(self._follow_role())

    async def _follow_role(self) -> None:
        async with self._following:
            may_speak = self._core.may_speak
            if may_speak and not self._closed:
                self.sending.path.start()
            elif not may_speak and self.sending.path.is_wanted:
                await self.sending.stop()

    def members_changed(self) -> None:
        """Others are in the call now."""
        self._members = {member.leaf_index: member for member in self._core.members}
        self.receiving.speaking.keep(self._members)
        self.receiving.release()

    def lag_changed(self, lag: Lag) -> None:
        """CALL-24: what a member says comes too late, or in time again."""
        self.receiving.withhold(lag.leaf_index, withheld=lag.withheld)

    # What people do

    def hold(self, *, on_hold: bool) -> None:
        """Send nothing and show nothing, or go on."""
        self.sending.hold(on_hold=on_hold)
        self.receiving.hold(on_hold=on_hold)

    @property
    def statistics(self) -> GroupStatistics:
        """What passed so far, since this device is in the call."""
        return GroupStatistics(self.sending.statistics, self.receiving.statistics)

    # What is told

    def _path_changed(self) -> None:
        sending, receiving = self.sending.path, self.receiving.path
        troubled = sending.is_troubled or receiving.is_troubled
        if not self._connected and not troubled and _flows(sending, receiving):
            self._connected = True
            self._tell(Connected(self._core.call_id))
        elif self._connected and troubled:
            self._connected = False
            self._tell(Interrupted(self._core.call_id))
        failure = sending.failure or receiving.failure
        if failure and failure != self._failure:
            self._tell(NoMedia(self._core.call_id, failure))
        self._failure = failure

    def _stream(self, name: StreamName, *, began: bool) -> None:
        member = self._members.get(name.leaf)
        track = self.receiving.track(*name)
        if member is None:
            return
        if not began:
            self._tell(StreamEnded(self._core.call_id, member, name.kind, name.instance))
        elif track is not None:
            self._tell(StreamBegan(self._core.call_id, member, name.kind, name.instance, track))

    async def _look(self) -> None:
        """Who speaks, and whom to see for it."""
        while True:
            await asyncio.sleep(_LOOKED_EVERY)
            self.receiving.look()
            speaking = self.receiving.speaking.now(self._clock())
            if set(speaking) != set(self._speaking):
                self._speaking = speaking
                heard = tuple(self._members[leaf] for leaf in speaking if leaf in self._members)
                self._tell(SpeakingChanged(self._core.call_id, heard))

    # Work

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)


def _nobody(_: CallEvent) -> None:
    """Is told of a membership that is over."""


def _flows(sending: ForwardingPath, receiving: ForwardingPath) -> bool:
    """Whether media can flow; that nobody sends anything yet is no trouble."""
    return sending.is_up if sending.is_wanted else receiving.is_up
