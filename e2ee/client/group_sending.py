"""What this device sends in a group call, and the connection to the forwarding unit over which it does.

All kinds of ``STREAMS`` are in that connection's one description, whether anything is sent of them or not (CODEC-7): to
show a screen, mute, or switch off a camera takes no other. What is sent at all the members are told, under the mids that
the connection has (GROUP-18).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace

from e2ee.call.errors import CallUsageError
from e2ee.call.group.group_call import GroupCall as GroupCallCore
from e2ee.call.group.streams import AnnouncedStream
from e2ee.client.forwarding_path import CONNECTING, ForwardingPath
from e2ee.client.media import STREAMS, Media, check_track
from e2ee.client.media_route import MediaRoute
from e2ee.media.encoded_frame import Kind
from e2ee.media.protector import FrameProtector
from e2ee.rtc.outgoing import SendStatistics
from e2ee.rtc.peer import MediaStreamTrack
from e2ee.rtc.publishing import PublishingPeer
from e2ee.system_clock import Clock

__all__ = ["GroupSending"]


class GroupSending:
    """See the module. ``say`` is called when the core has something to say, ``changed`` when ``path`` has changed."""

    def __init__(
        self,
        core: GroupCallCore,
        media: Media,
        route: MediaRoute,
        clock: Clock,
        say: Callable[[], None],
        changed: Callable[[], None],
    ) -> None:
        self._core = core
        self._route = route
        self._media = media
        self._clock = clock
        self._say = say
        self._tracks: dict[Kind, MediaStreamTrack | None] = dict(media.tracks)
        self._on_hold = False
        self._peer: PublishingPeer | None = None
        self._protectors: list[FrameProtector] = []
        self._before: Mapping[Kind, SendStatistics] = {}
        self.path = ForwardingPath(self._publish, changed, answered_within=CONNECTING)

    # What is sent

    @property
    def on_hold(self) -> bool:
        """Whether nothing is sent."""
        return self._on_hold

    def sent(self, kind: Kind) -> MediaStreamTrack | None:
        """What is sent of a kind; on hold, what will be."""
        return self._tracks[kind]

    def send(self, kind: Kind, track: MediaStreamTrack | None) -> None:
        """Send ``track`` of this kind from now on; None: nothing. Raises WrongState for a track of another kind."""
        check_track(kind, track)
        self._tracks[kind] = track
        if self._peer is not None:
            self._peer.send(kind, track)
        self.announce()

    def take_media(self) -> Media:
        """What is sent, to be sent somewhere else: here nothing is any more."""
        tracks = dict(self._tracks)
        for kind in tracks:
            self.send(kind, None)
        return replace(
            self._media,
            camera=tracks[Kind.CAMERA],
            microphone=tracks[Kind.MICROPHONE],
            screen=tracks[Kind.SCREEN_VIDEO],
        )

    def hold(self, *, on_hold: bool) -> None:
        """Send nothing, or go on."""
        self._on_hold = on_hold
        if self._peer is not None:
            (self._peer.hold if on_hold else self._peer.resume)()
        self.announce()

    def announce(self) -> None:
        """GROUP-18: tell the members what is published."""
        peer = self._peer
        streams = () if peer is None or self._on_hold else tuple(self._announced(peer.mids))
        with contextlib.suppress(CallUsageError):  # it may be over, or not there yet
            self._core.announce(streams, self._clock())
            self._say()

    def _announced(self, mids: Mapping[tuple[Kind, int], str]) -> list[AnnouncedStream]:
        return [
            AnnouncedStream(kind, 0, self._media.codecs(kind)[0], mids[kind, 0])
            for kind, track in self._tracks.items()
            if track is not None and (kind, 0) in mids
        ]

    @property
    def statistics(self) -> Mapping[Kind, SendStatistics]:
        """What was sent so far."""
        if self._peer is None:
            return self._before
        return {kind: each for (kind, _), each in self._peer.statistics().sent.items()}

    # The connection

    async def _publish(self) -> None:
        """Offer a connection, in the place of the former one if there was one."""
        former = self._peer
        peer = self._new_peer() if former is None else self._successor(former)
        self._peer = peer
        if former is not None:
            await former.close()
        offer = await peer.offer()
        self._core.publish_media(offer)
        self._say()
        self.announce()

    async def published(self, answer: str) -> None:
        """The forwarding unit's answer to the newest offer."""
        peer = self._peer
        if peer is None:
            return
        try:
            await peer.accept(answer)
        except Exception as error:  # noqa: BLE001 - aiortc's, too: another connection may do
            self.path.refused(error)
        else:
            self.path.described(peer)

    def _new_peer(self) -> PublishingPeer:
        peer = PublishingPeer(self._clock, observers=self._media.observers, **self._route.options())
        for kind in STREAMS:
            protector = self._core.open_stream(self._media.codecs(kind)[0], kind)
            self._protectors.append(protector)
            peer.add_stream(protector, self._tracks[kind])
        if self._on_hold:
            peer.hold()
        return peer

    def _successor(self, former: PublishingPeer) -> PublishingPeer:
        return former.successor(ice_servers=self._route.ice_servers)

    async def stop(self) -> None:
        """Send nothing any more, until ``path`` is started again. Tracks stay the application's."""
        self.path.end()
        self._before = self.statistics
        peer, self._peer = self._peer, None
        if peer is not None:
            for kind in STREAMS:
                peer.send(kind, None)
            await peer.close()
        with contextlib.suppress(CallUsageError):
            for protector in self._protectors:
                self._core.close_stream(protector)
        self._protectors.clear()
