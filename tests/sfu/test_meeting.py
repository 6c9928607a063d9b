"""Members of a group call see and hear each other through the unit, which has no key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from e2ee.errors import Reason
from e2ee.media.encoded_frame import Kind, OpenedFrame
from e2ee.media.reasons import RejectReason
from e2ee.rtc.errors import RtcReason
from e2ee.rtc.measure import is_tone
from e2ee.rtc.observer import FrameObserver
from e2ee.rtc.sources import TestPicture
from e2ee.rtc.subscribing import StreamName
from e2ee.sfu.sink import Sink
from e2ee.sfu.unit import Offer

if TYPE_CHECKING:
    from tests.sfu.conftest import Meeting, Member, NewMeeting

Until = Callable[[Callable[[], object]], Coroutine[Any, Any, None]]

BOUND = 90
"""Frames, 3 s: how many a joiner may miss."""


class Seen(FrameObserver):
    """What was opened, by kind."""

    def __init__(self) -> None:
        self.frames: list[OpenedFrame] = []

    def opened(self, kind: Kind, frame: OpenedFrame, timestamp: int, arrived: int) -> None:  # noqa: ARG002
        self.frames.append(frame)

    def counters(self, leaf: int, kind: Kind) -> list[int]:
        return [
            frame.CTR
            for frame in self.frames
            if (frame.key_id.leaf_index, frame.key_id.kind) == (leaf, kind)
        ]


def sent(member: Member, kind: Kind = Kind.CAMERA) -> int:
    return member.publishing.statistics().sent[kind, 0].frames


def rejected(member: Member, leaf: int, kind: Kind = Kind.CAMERA) -> set[object]:
    return set(rejections(member, leaf, kind))


def rejections(member: Member, leaf: int, kind: Kind = Kind.CAMERA) -> dict[Reason, int]:
    received = member.received(leaf, kind)
    return dict(received.rejected) if received else {}


ONE_CUT_FRAME: list[dict[Reason, int]] = [{}, {RtcReason.INCOMPLETE: 1}]
"""A frame that was on its way when its stream was announced here may come in part; only that one."""


def more(what: Callable[[], int], than: int = 10) -> Callable[[], bool]:
    before = what()
    return lambda: what() > before + than


@pytest.mark.requirement("SFU-1", "SFU-4", "GROUP-18", "FKEY-16")
def test_some_come_and_some_go(meeting: NewMeeting, until: Until) -> None:
    """Three in a call, one of them late; one leaves, and what brought its streams brings a fourth one's."""

    async def story() -> None:
        async with meeting() as call:
            one = await call.join(0, 1, tone=700.0)
            two = await call.join(1, 2, tone=1000.0)
            await until(lambda: one.seen(1) > 10 and two.seen(0) > 10)
            before = sent(one), sent(two)
            late = await call.join(2, 3, tone=1300.0)
            await until(lambda: late.seen(0) and late.seen(1))
            assert sent(one) - before[0] < BOUND
            assert sent(two) - before[1] < BOUND
            await until(lambda: one.seen(2) > 10 and two.seen(2) > 10)
            for listener, leaf, tone in ((one, 1, 1000), (late, 0, 700), (two, 2, 1300)):
                sound = listener.sounds[StreamName(leaf, Kind.MICROPHONE)]
                await until(lambda sound=sound: sound.frames > 60)  # type: ignore[misc]
                assert is_tone(sound.peak(), tone)
            used = {mid for mid, leaf in places(one).items() if leaf == 1}
            await two.leave()
            one.apply(4, {0, 2}, removed={1})
            late.apply(4, {0, 2}, removed={1})
            assert not any(sink.leaf == 1 for sink in one.at_the_unit.sinks)
            assert one.subscribing.track(1, Kind.CAMERA) is None
            fourth = await call.join(3, 5, name=b"somebody else")
            await until(lambda: one.seen(3) > 10 and late.seen(3) > 10)
            assert {mid for mid, leaf in places(one).items() if leaf == 3} <= used
            await until(lambda: fourth.seen(0) > 10 and fourth.seen(2) > 10)
            for member in call.members.values():
                for name, received in member.subscribing.statistics().items():
                    assert not received.rejected, (member.leaf, name)
            assert one.streams[-1] == (StreamName(3, Kind.CAMERA), True)
            assert (one.pictures[StreamName(3, Kind.CAMERA)].psnr or 0) > 30

    asyncio.run(story())


def places(member: Member) -> dict[str, int]:
    """Whose each m-section is that is in use, by the newest offer."""
    offer = member.offers[-1]
    return dict(zip(offer.mids, offer.leaves, strict=True))


@pytest.mark.requirement("SFU-1")
def test_who_has_no_keys_opens_nothing(meeting: NewMeeting, until: Until) -> None:
    async def story() -> None:
        async with meeting() as call:
            one = await call.join(0, 1, tone=700.0)
            two = await call.join(1, 2)
            stranger = call.member(2, camera=False)
            await stranger.subscribe()
            await until(lambda: (frames := stranger.received(0)) and frames.frames > 20)
            await until(lambda: two.seen(0) > 10)
            received = stranger.subscribing.statistics()
            assert all(each.opened == 0 for each in received.values())
            assert all(not frames for frames in (stranger.seen(0), stranger.seen(1)))
            assert rejected(stranger, 0) == {RejectReason.UNKNOWN_KEY}
            assert one.seen(2) == 0

    asyncio.run(story())


@pytest.mark.requirement("GROUP-18", "SFU-2")
def test_what_nobody_announced_is_not_opened_until_it_is(meeting: NewMeeting, until: Until) -> None:
    async def story() -> None:
        async with meeting() as call:
            one = await call.join(0, 1)
            two = await call.join(1, 2, camera=False)
            await until(lambda: two.seen(0) > 5)
            third = call.member(2, camera=False)
            announced = call.announcements.pop(0)
            for member in (one, two, third):
                member.apply(3, {0, 1, 2}, added={2})
                member.subscribing.announcements_changed()
            assert two.streams[-1] == (StreamName(0, Kind.CAMERA), False)
            await third.subscribe()
            await until(lambda: any(sink.packets > 50 for sink in third.at_the_unit.sinks))
            assert third.subscribing.statistics() == {}
            call.announcements[0] = announced
            frames = sent(one)
            for member in (two, third):
                member.subscribing.announcements_changed()
            await until(lambda: two.seen(0) and third.seen(0))
            assert sent(one) - frames < BOUND
            assert rejections(third, 0) in ONE_CUT_FRAME

    asyncio.run(story())


@pytest.mark.requirement("SFU-2", "FRAME-6", "GROUP-18")
def test_a_unit_that_says_whose_a_stream_is_and_lies(meeting: NewMeeting, until: Until) -> None:
    """It swaps the labels of two members' streams: nothing of either is shown as the other's, or at all."""

    async def story() -> None:
        async with meeting() as call:
            one = await call.join(0, 1)
            two = await call.join(1, 2)
            await until(lambda: one.seen(1) > 5 and two.seen(0) > 5)
            victim = call.member(2, camera=False)
            offered = call.unit._on_offer
            call.unit._on_offer = lambda call_id, member_id, offer: offered(
                call_id, member_id, replace_leaves(offer)
            )
            for member in (one, two, victim):
                member.apply(3, {0, 1, 2}, added={2})
            await victim.subscribe()
            for leaf in (0, 1):
                await until(
                    lambda leaf=leaf: (frames := victim.received(leaf)) and frames.frames > 10  # type: ignore[misc]
                )
                assert victim.opened(leaf) == 0
                assert rejected(victim, leaf) == {RejectReason.WRONG_SENDER}
                assert victim.seen(leaf) == 0

    asyncio.run(story())


def replace_leaves(offer: Offer) -> Offer:
    return replace(offer, leaves=tuple(1 - leaf for leaf in offer.leaves))


def swap(call: Meeting, one: tuple[Member, str], other: tuple[Member, str]) -> None:
    """Let the unit send each of two sources' packets to where the other's go."""
    sources = [
        call.unit._calls[b"the meeting's id"][member.id].sources[int(mid)]
        for member, mid in (one, other)
    ]
    swapped = list(
        zip(map(list, (source.sinks for source in sources)), reversed(sources), strict=True)
    )
    for sinks, source in swapped:
        for sink in sinks:
            assert isinstance(sink, Sink)
            sink.give(source, 0)


@pytest.mark.requirement("SFU-2", "FRAME-5", "FRAME-6", "GROUP-18")
def test_a_unit_that_swaps_what_streams_bring(meeting: NewMeeting, until: Until) -> None:
    async def story() -> None:
        async with meeting() as call:
            one = await call.join(0, 1)
            two = await call.join(1, 2)
            one.publishing.send(Kind.SCREEN_VIDEO, TestPicture())
            victim = await call.join(2, 3, camera=False)
            streams = ((0, Kind.CAMERA), (0, Kind.SCREEN_VIDEO), (1, Kind.CAMERA))
            await until(lambda: all(victim.seen(*stream) > 5 for stream in streams))
            mids = one.publishing.mids
            camera, screen = mids[Kind.CAMERA, 0], mids[Kind.SCREEN_VIDEO, 0]

            swap(call, (one, camera), (one, screen))
            await until(lambda: RejectReason.WRONG_KIND in rejected(victim, 0))
            await until(lambda: RejectReason.WRONG_KIND in rejected(victim, 0, Kind.SCREEN_VIDEO))
            opened = victim.opened(0)
            received = victim.received(0)
            assert received is not None
            await until(lambda: victim.received(0).frames > received.frames + 10)  # type: ignore[union-attr]
            assert victim.opened(0) == opened

            swap(call, (one, camera), (one, screen))
            await until(more(lambda: victim.seen(0)))
            swap(call, (one, camera), (two, two.publishing.mids[Kind.CAMERA, 0]))
            await until(lambda: RejectReason.WRONG_SENDER in rejected(victim, 0))
            await until(lambda: RejectReason.WRONG_SENDER in rejected(victim, 1))

    asyncio.run(story())


@pytest.mark.requirement("SFU-8", "FKEY-4", "SFU-3")
def test_a_lost_connection_for_sending_is_replaced_and_nobody_is_asked(
    meeting: NewMeeting, until: Until
) -> None:
    """Keys and counters go on; the m-sections of the others go on too, and there is no other offer."""
    seen = Seen()

    async def story() -> None:
        async with meeting() as call:
            one = await call.join(0, 1, tone=700.0)
            two = await call.join(1, 2, observers=(seen,), camera=False)
            await until(lambda: two.seen(0) > 10 and two.seen(0, Kind.MICROPHONE) > 10)
            offers, streams = len(two.offers), list(two.streams)
            before, lost = sent(one), one.publishing
            one.publishing = lost.successor()
            assert sent(one) == before
            assert lost.statistics().sent == {}
            await one.publish()
            await asyncio.gather(lost.close(), one.publishing.connected())
            await until(more(lambda: two.seen(0)))
            await until(more(lambda: two.seen(0, Kind.MICROPHONE)))
            assert sent(one) > before
            assert len(two.offers) == offers
            assert two.streams == streams
            for kind in (Kind.CAMERA, Kind.MICROPHONE):
                counters = seen.counters(0, kind)
                assert counters == sorted(set(counters)), "no counter twice, none from 0 again"
            assert rejected(two, 0) == set()
            assert call.lost == []

    asyncio.run(story())


@pytest.mark.requirement("SFU-8", "SFU-3", "SFU-4")
def test_a_lost_connection_for_receiving_is_replaced(meeting: NewMeeting, until: Until) -> None:
    async def story() -> None:
        async with meeting() as call:
            one = await call.join(0, 1)
            two = await call.join(1, 2, camera=False)
            await until(lambda: two.seen(0) > 10)
            track, received = two.subscribing.track(0, Kind.CAMERA), two.opened(0)
            lost = two.subscribing
            two.subscribing = lost.successor()
            await two.subscribe()
            await until(more(lambda: two.seen(0)))
            await lost.close()
            assert two.subscribing.track(0, Kind.CAMERA) is track
            assert two.opened(0) > received
            assert two.streams == [(StreamName(0, Kind.CAMERA), True)]
            numbers = [offer.number for offer in two.offers]
            assert numbers == sorted(set(numbers))
            assert one.streams == []

    asyncio.run(story())


@pytest.mark.requirement("SFU-6")
def test_only_what_is_wanted_comes_and_sound_always(meeting: NewMeeting, until: Until) -> None:
    seen = Seen()

    async def story() -> None:
        async with meeting() as call:
            one = await call.join(0, 1, tone=700.0)
            two = await call.join(1, 2)
            viewer = await call.join(2, 3, camera=False, observers=(seen,))
            await until(lambda: viewer.seen(0) > 5 and viewer.seen(1) > 5)
            mid = viewer.subscribing.mid_of(1, Kind.CAMERA)
            assert mid is not None
            await call.unit.want(b"the meeting's id", viewer.id, [mid, "7", "nothing"])
            assert wanted(viewer) == {(0, "audio"), (1, "video")}
            await until(more(lambda: viewer.seen(1)))
            frames = seen.counters(0, Kind.CAMERA)[-1]
            await until(more(lambda: viewer.seen(0, Kind.MICROPHONE), 30))
            await call.unit.want(b"the meeting's id", viewer.id, [])
            assert wanted(viewer) == {(0, "audio")}
            asked = one.at_the_unit.sources[-1].key_frame_requests
            mid = viewer.subscribing.mid_of(0, Kind.CAMERA)
            await call.unit.want(b"the meeting's id", viewer.id, [str(mid)])
            await until(lambda: seen.counters(0, Kind.CAMERA)[-1] > frames + 1)
            gone_on = next(
                frame
                for frame in seen.frames
                if frame.key_id.leaf_index == 0
                and frame.key_id.kind is Kind.CAMERA
                and frame.CTR > frames + 1
            )
            assert not gone_on.data[0] & 1, "a key frame"
            assert one.at_the_unit.sources[-1].key_frame_requests > asked
            assert two.seen(0) > 5

    asyncio.run(story())


def wanted(member: Member) -> set[tuple[int, str]]:
    return {(sink.leaf, sink.kind) for sink in member.at_the_unit.sinks if sink.wanted}


@pytest.mark.requirement("SFU-7")
def test_who_may_not_send_any_more_goes_on_getting_the_others(
    meeting: NewMeeting, until: Until
) -> None:
    async def story() -> None:
        async with meeting() as call:
            one = await call.join(0, 1, tone=700.0)
            two = await call.join(1, 2, tone=700.0)
            await until(lambda: two.seen(0) > 5 and one.seen(1) > 5)
            speaking = one.publishing
            await call.unit.close_publisher(b"the meeting's id", one.id)
            assert (one.at_the_unit.sources, two.at_the_unit.sinks) == ((), ())
            await speaking.ended()
            await until(more(lambda: one.seen(1)))
            await call.unit.close_publisher(b"the meeting's id", one.id)  # closed already
            await call.unit.close_publisher(b"the meeting's id", b"somebody else")
            one.publishing = speaking.successor()
            await asyncio.gather(one.publish(), speaking.close())
            await until(more(lambda: two.seen(0)))
            assert call.lost == [], "it was closed by request"

    asyncio.run(story())


@pytest.mark.requirement("SFU-7")
def test_who_only_published_is_gone_with_that(meeting: NewMeeting) -> None:
    async def story() -> None:
        async with meeting() as call:
            one = call.member(0)
            one.apply(1, {0}, added={0})
            await one.publish()
            await call.unit.close_publisher(b"the meeting's id", one.id)
            assert call.unit.statistics().calls == {}

    asyncio.run(story())


@pytest.mark.requirement("SFU-7")
def test_nothing_of_who_has_left_is_forwarded(meeting: NewMeeting, until: Until) -> None:
    async def story() -> None:
        async with meeting() as call:
            one = await call.join(0, 1, tone=700.0)
            two = await call.join(1, 2, tone=700.0)
            await until(lambda: two.seen(0) > 5 and one.seen(1) > 5)
            await call.unit.close_member(b"the meeting's id", one.id)
            assert two.at_the_unit.sinks == ()
            received = two.received(0)
            await until(lambda: len(two.offers) >= 2 and two.offers[-1].mids == ())
            assert two.received(0) == received
            assert "a=sendonly" not in two.offers[-1].description
            assert list(call.unit.statistics().calls[b"the meeting's id"]) == [two.id]
            await one.publishing.ended()
            assert call.lost == [], "it was closed by request"

    asyncio.run(story())


def test_everything_is_opened_and_nothing_decoded(meeting: NewMeeting, until: Until) -> None:
    async def story() -> None:
        async with meeting() as call:
            await call.join(0, 1, tone=700.0)
            two = await call.join(1, 2, decode=False, camera=False)
            await until(lambda: two.opened(0) > 20 and two.opened(0, Kind.MICROPHONE) > 20)
            two.subscribing.show(0)
            await until(more(lambda: two.opened(0)))
            received = two.received(0)
            assert received is not None
            assert received.withheld == received.opened
            assert two.seen(0) == 0
            assert received.key_frame_requests == 0

    asyncio.run(story())


def test_one_member_is_withheld_and_shown_again(meeting: NewMeeting, until: Until) -> None:
    async def story() -> None:
        async with meeting() as call:
            await call.join(0, 1)
            await call.join(1, 2)
            viewer = await call.join(2, 3, camera=False)
            await until(lambda: viewer.seen(0) > 5 and viewer.seen(1) > 5)
            viewer.subscribing.withhold(0)
            await until(lambda: viewer.received(0).withheld > 10)  # type: ignore[union-attr]
            assert viewer.received(1).withheld == 0  # type: ignore[union-attr]
            viewer.subscribing.hold()
            viewer.subscribing.show(0)
            await until(lambda: viewer.received(1).withheld > 10)  # type: ignore[union-attr]
            seen = viewer.seen(0)
            await until(more(lambda: viewer.opened(0)))
            assert viewer.seen(0) == seen
            viewer.subscribing.resume()
            await until(more(lambda: viewer.seen(0)))
            await until(more(lambda: viewer.seen(1)))

    asyncio.run(story())


@pytest.mark.requirement("CODEC-9", "CODEC-8")
def test_what_is_sent_starts_and_stops_without_a_new_description_of_the_sender(
    meeting: NewMeeting, until: Until
) -> None:
    async def story() -> None:
        async with meeting() as call:
            one = await call.join(0, 1, camera=False)
            two = await call.join(1, 2, camera=False)
            await asyncio.gather(one.publishing.connected(), two.subscribing.connected())
            assert one.publishing.sending == frozenset()
            assert two.offers[-1].mids == (), "nothing was sent that could be offered"
            one.publishing.send(Kind.SCREEN_VIDEO, TestPicture())
            await until(lambda: two.seen(0, Kind.SCREEN_VIDEO) > 10)
            assert one.publishing.sending == {(Kind.SCREEN_VIDEO, 0)}
            one.publishing.hold()
            frames = sent(one, Kind.SCREEN_VIDEO)
            one.publishing.send(Kind.CAMERA, TestPicture())
            assert one.publishing.sending == frozenset()
            one.publishing.resume()
            await until(lambda: two.seen(0) > 10)
            assert sent(one, Kind.SCREEN_VIDEO) > frames
            assert len(two.offers) == 3

    asyncio.run(story())


def test_a_path_on_which_nothing_is_sent_is_not_silent(meeting: NewMeeting) -> None:
    """Or its ends would take it for interrupted."""

    async def story() -> None:
        async with meeting() as call:
            members = [await call.join(leaf, leaf + 1, camera=False) for leaf in range(2)]
            peers = [peer for each in members for peer in (each.publishing, each.subscribing)]
            async with asyncio.timeout(30):
                await asyncio.gather(*(peer.connected() for peer in peers))
                for _ in range(3):
                    heard = [asyncio.create_task(peer.restored()) for peer in peers]
                    await asyncio.gather(*heard)

    asyncio.run(story())


@pytest.mark.requirement("SFU-4")
def test_changes_while_an_offer_is_out_are_in_the_next_one(
    meeting: NewMeeting, until: Until
) -> None:
    async def story() -> None:
        async with meeting() as call:
            viewer = await call.join(0, 1, camera=False)
            await viewer.subscribing.connected()
            call.answers_offers = False
            others = [await call.join(1, 2)]
            await until(lambda: len(viewer.offers) == 2)
            others += [await call.join(leaf, leaf + 1) for leaf in (2, 3)]
            await until(lambda: all(member.at_the_unit.sources for member in others))
            assert len(viewer.offers) == 2, "one is out"
            call.answers_offers = True
            for member in call.members.values():
                await member.take(member.offers[-1])
            await until(lambda: all(viewer.seen(leaf) > 5 for leaf in (1, 2, 3)))
            assert len(viewer.offers) == 3
            assert set(viewer.offers[-1].leaves) == {1, 2, 3}
            numbers: Sequence[int] = [offer.number for offer in viewer.offers]
            assert numbers == sorted(set(numbers))

    asyncio.run(story())


@pytest.mark.requirement("SFU-8")
def test_who_is_lost_is_told_and_is_gone(meeting: NewMeeting, until: Until) -> None:
    async def story() -> None:
        async with meeting() as call:
            one = await call.join(0, 1)
            two = await call.join(1, 2, camera=False)
            await until(lambda: two.seen(0) > 5)
            await one.publishing.close()
            await until(lambda: call.lost)
            assert call.lost == [one.id]
            assert two.at_the_unit.sinks == ()
            await one.subscribing.ended()
            assert one.id not in call.unit.statistics().calls[b"the meeting's id"]
            assert call.unit.statistics().totals.packets_received > 0, "what passed stays counted"

    asyncio.run(story())
