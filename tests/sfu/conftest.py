"""A meeting with a real forwarding unit on 127.0.0.1, whose members' frame keys are set by hand: no MLS and no service here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import av
import pytest

from e2ee.crypto.secret import Secret
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.frame_keys import FrameKeys
from e2ee.media.opener import FrameOpener
from e2ee.rtc.incoming import ReceiveStatistics
from e2ee.rtc.meters import PictureMeter, ToneMeter
from e2ee.rtc.observer import FrameObserver
from e2ee.rtc.publishing import PublishingPeer
from e2ee.rtc.sources import TestPicture, Tone
from e2ee.rtc.subscribing import StreamName, SubscribingPeer
from e2ee.sframe.cipher_suite import cipher_suite
from e2ee.sfu.aiortc_unit import AiortcForwardingUnit
from e2ee.sfu.limits import Limits
from e2ee.sfu.statistics import MemberStatistics
from e2ee.sfu.unit import Offer, Participant

LOOPBACK = ("127.0.0.1",)
PATIENCE = 30.0
CALL = b"the meeting's id"
STREAMS = {
    Kind.MICROPHONE: Codec.OPUS,
    Kind.CAMERA: Codec.VP8,
    Kind.SCREEN_VIDEO: Codec.VP8,
}

av.logging.set_level(av.logging.PANIC)


def codec_of(kind: Kind, video: Codec) -> Codec:
    return video if STREAMS[kind] is Codec.VP8 else STREAMS[kind]


def clock() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Announced:
    """What a member says inside the group about one of its streams."""

    kind: Kind
    instance: int
    codec: Codec


@dataclass
class Member:
    """A device at a leaf of the group."""

    meeting: Meeting
    leaf: int
    publishing: PublishingPeer
    subscribing: SubscribingPeer
    keys: FrameKeys
    id: bytes
    video: Codec = Codec.VP8
    offers: list[Offer] = field(default_factory=list)
    pictures: dict[StreamName, PictureMeter] = field(default_factory=dict)
    sounds: dict[StreamName, ToneMeter] = field(default_factory=dict)
    streams: list[tuple[StreamName, bool]] = field(default_factory=list)
    watching: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def participant(self) -> Participant:
        return Participant(self.id, self.leaf)

    async def publish(self) -> None:
        """Offer the connection for sending, take the answer, and say inside the group what is published."""
        offer = await self.publishing.offer()
        self.announce()
        answer = await self.meeting.unit.publish(CALL, self.participant, offer)
        await self.publishing.accept(answer)

    def announce(self) -> None:
        self.meeting.announcements[self.leaf] = {
            mid: Announced(kind, instance, codec_of(kind, self.video))
            for (kind, instance), mid in self.publishing.mids.items()
        }
        for member in self.meeting.members.values():
            member.subscribing.announcements_changed()

    async def subscribe(self) -> None:
        await self.meeting.unit.subscribe(CALL, self.participant)

    async def take(self, offer: Offer) -> None:
        """Answer an offer of the unit's."""
        answer = await self.subscribing.answer(
            offer.description, offer.mids, offer.leaves, offer.source_mids
        )
        await self.meeting.unit.answer(CALL, self.id, offer.number, answer)

    def apply(
        self,
        epoch: int,
        roster: Iterable[int],
        *,
        added: Iterable[int] = (),
        removed: Iterable[int] = (),
    ) -> None:
        """Install an epoch whose base_key is made of its number, and know that everybody has it."""
        leaves, secret = frozenset(roster), Secret(b"epoch %10d" % epoch)
        suite = cipher_suite(4)
        self.keys.install(
            FrameEpoch(
                epoch,
                suite,
                secret,
                self.leaf,
                leaves,
                leaves,
                frozenset(added),
                frozenset(removed),
            ),
            clock(),
        )
        for other in leaves - {self.leaf}:
            self.keys.acknowledged(other, epoch, clock())
        self.subscribing.release()

    def began(self, name: StreamName, *, began: bool) -> None:
        """A stream begins, and is watched, or ends."""
        self.streams.append((name, began))
        track = self.subscribing.track(*name)
        if not began or track is None:
            return
        if STREAMS[name.kind] is not Codec.OPUS:
            meter = self.pictures.setdefault(name, PictureMeter())
            self.watching.append(asyncio.create_task(meter.watch(track)))
        else:
            sound = self.sounds.setdefault(name, ToneMeter())
            self.watching.append(asyncio.create_task(sound.listen(track)))

    def seen(self, leaf: int, kind: Kind = Kind.CAMERA) -> int:
        """How many decoded frames of this stream were seen or heard."""
        name = StreamName(leaf, kind)
        meter = self.pictures.get(name) or self.sounds.get(name)
        return meter.frames if meter else 0

    def received(self, leaf: int, kind: Kind = Kind.CAMERA) -> ReceiveStatistics | None:
        return self.subscribing.statistics().get(StreamName(leaf, kind))

    def opened(self, leaf: int, kind: Kind = Kind.CAMERA) -> int:
        received = self.received(leaf, kind)
        return received.opened if received else 0

    @property
    def at_the_unit(self) -> MemberStatistics:
        return self.meeting.unit.statistics().calls[CALL][self.id]

    async def leave(self) -> None:
        """It is gone: from the unit, and from what is announced."""
        await self.meeting.unit.close_member(CALL, self.id)
        self.meeting.announcements.pop(self.leaf, None)
        await self.close()
        del self.meeting.members[self.id]
        for member in self.meeting.members.values():
            member.subscribing.announcements_changed()

    async def close(self) -> None:
        await asyncio.gather(self.publishing.close(), self.subscribing.close())
        await asyncio.gather(*self.watching)


class Meeting:
    """A unit, its members, and what they announced."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.unit = AiortcForwardingUnit(
            self._offered, self._was_lost, clock, host_addresses=LOOPBACK, limits=limits
        )
        self.members: dict[bytes, Member] = {}
        self.announcements: dict[int, dict[str, Announced]] = {}
        self.lost: list[bytes] = []
        self.answers_offers = True
        self._answering: set[asyncio.Task[None]] = set()

    def member(
        self,
        leaf: int,
        name: bytes = b"",
        kinds: Sequence[Kind] = tuple(STREAMS),
        *,
        camera: bool = True,
        tone: float | None = None,
        observers: Sequence[FrameObserver] = (),
        decode: bool = True,
        video: Codec = Codec.VP8,
    ) -> Member:
        """A member with its keys, that sends a camera's picture, and a tone, as soon as it is published."""
        keys, identity = FrameKeys(), name or b"member at leaf %d" % leaf
        publishing = PublishingPeer(clock, host_addresses=LOOPBACK)
        for kind in kinds:
            publishing.add_stream(keys.send.open_stream(codec_of(kind, video), kind))
        if tone is not None:
            publishing.send(Kind.MICROPHONE, Tone(tone))
        if camera and Kind.CAMERA in kinds:
            publishing.send(Kind.CAMERA, TestPicture())
        subscribing = SubscribingPeer(
            FrameOpener(keys.receive),
            clock,
            lambda leaf, mid: self.announcements.get(leaf, {}).get(mid),
            decode=decode,
            host_addresses=LOOPBACK,
            observers=observers,
            on_stream=lambda name, *, began: self.members[identity].began(name, began=began),
        )
        member = Member(self, leaf, publishing, subscribing, keys, identity, video)
        self.members[member.id] = member
        return member

    async def join(self, leaf: int, epoch: int = 1, **options: Any) -> Member:
        """A member that publishes and subscribes, in an epoch of everybody who is there."""
        member = self.member(leaf, **options)
        roster = {each.leaf for each in self.members.values()}
        for each in self.members.values():
            each.apply(epoch, roster, added={leaf})
        await asyncio.gather(member.publish(), member.subscribe())
        return member

    def _offered(self, call_id: bytes, member_id: bytes, offer: Offer) -> None:
        assert call_id == CALL
        member = self.members[member_id]
        member.offers.append(offer)
        if self.answers_offers:
            self.do(member.take(offer))

    def do(self, step: Coroutine[Any, Any, None]) -> None:
        """Something that a member does by itself; what it raises is the meeting's failure."""
        task = asyncio.ensure_future(step)
        self._answering.add(task)

    def _was_lost(self, call_id: bytes, member_id: bytes) -> None:
        assert call_id == CALL
        self.lost.append(member_id)

    async def close(self) -> None:
        self.answers_offers = False
        await asyncio.gather(*self._answering)
        await asyncio.gather(*(member.close() for member in self.members.values()))
        await self.unit.close()


async def until(condition: Callable[[], object]) -> None:
    """Wait for something to happen, however long that takes on a busy machine."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - statistics have no event
            await asyncio.sleep(0.01)


@asynccontextmanager
async def meeting(limits: Limits | None = None) -> AsyncIterator[Meeting]:
    """A meeting with nobody in it."""
    opened = Meeting(limits)
    try:
        yield opened
    finally:
        await opened.close()


NewMeeting = Callable[..., AbstractAsyncContextManager[Meeting]]


@pytest.fixture(name="meeting", scope="session")
def meeting_fixture() -> NewMeeting:
    return meeting


@pytest.fixture(name="until", scope="session")
def until_fixture() -> Callable[[Callable[[], object]], Coroutine[Any, Any, None]]:
    return until
