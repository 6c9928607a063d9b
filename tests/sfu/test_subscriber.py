"""What one member is offered, and gets: of sources that are made up, over a real connection."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from aiortc import RTCSessionDescription
from aiortc.rtp import RtpPacket

from e2ee.session_description import parsed
from e2ee.sfu.connection import Connection
from e2ee.sfu.limits import (
    DEFAULT_WANTED,
    MAX_PUBLISHED,
    MAX_SUBSCRIBED,
    MAX_WANTED,
    OFFERS_EACH_SECOND,
)
from e2ee.sfu.rtp import HEADER
from e2ee.sfu.source import Format, Source
from e2ee.sfu.subscriber import Subscriber
from e2ee.sfu.unit import Offer

if TYPE_CHECKING:
    from collections.abc import Coroutine

LOOPBACK = ("127.0.0.1",)
VIDEO = Format("VP8", 90_000, 11, 97, None, None, asks=True, send_time_id=None)
AUDIO = replace(VIDEO, codec="opus", clock_rate=48_000, payload_type=96)
H264 = replace(VIDEO, codec="H264", payload_type=101)
KEY_FRAME = b"\x10\x00 a key frame"

Until = Callable[[Callable[[], object]], "Coroutine[Any, Any, None]"]


def clock() -> int:
    return time.monotonic_ns() // 1_000_000


class Scene:
    """A subscriber, and the member's end of its connection."""

    def __init__(self) -> None:
        self.number = 0
        self.offers: list[Offer] = []
        self.received: list[RtpPacket] = []
        self.offered_at: list[int] = []
        self.subscriber = Subscriber(clock, LOOPBACK, self._next, self._offered, lambda: None)
        self.member = Connection(
            LOOPBACK,
            lambda data: self.received.append(RtpPacket.parse(data)),
            lambda _: None,
            lambda: None,
        )
        self._sections = 0

    def _next(self) -> int:
        self.number += 1
        return self.number

    def _offered(self, offer: Offer) -> None:
        self.offers.append(offer)
        self.offered_at.append(clock())

    def source(self, leaf: int, kind: str = "video", form: Format | None = None) -> Source:
        form = form or (VIDEO if kind == "video" else AUDIO)
        return Source("1", kind, leaf, form, lambda _: None, lambda _: None)

    def begin(self, leaf: int, kind: str = "video") -> Source:
        source = self.source(leaf, kind)
        self.subscriber.add(source)
        return source

    def has_offered(self, count: int) -> Callable[[], bool]:
        return lambda: len(self.offers) == count

    async def answer(self) -> None:
        """Answer the newest offer."""
        offer = self.offers[-1]
        media = parsed(offer.description).media
        for section in media[self._sections :]:
            self.member.add(section.kind, "recvonly")
        self._sections = len(media)
        text = await self.member.answer(RTCSessionDescription(offer.description, "offer"))
        await self.subscriber.answer(offer.number, text)

    def wanted(self) -> list[int]:
        """The leaves whose video is wanted."""
        return sorted(
            sink.source.leaf
            for sink in self.subscriber.sinks.values()
            if sink.kind == "video" and sink.wanted and sink.source is not None
        )

    def mid(self, leaf: int) -> str:
        offer = self.offers[-1]
        return dict(zip(offer.leaves, offer.mids, strict=True))[leaf]


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    made = Scene()
    try:
        yield made
    finally:
        await asyncio.gather(made.subscriber.close(), made.member.close())


def tell(story: Callable[[Scene], Awaitable[None]]) -> None:
    async def told() -> None:
        async with scene() as made:
            await story(made)

    asyncio.run(told())


def send(source: Source, number: int, payload: bytes = KEY_FRAME) -> None:
    packet = HEADER.pack(0x80, source.form.payload_type, number, number, 11) + payload
    assert source.take(source.form.payload_type, number, number, packet, clock(), 77)


@pytest.mark.requirement("SFU-6")
def test_the_first_nine_videos_come_until_something_is_wanted(until: Until) -> None:
    async def story(call: Scene) -> None:
        for leaf in range(20):
            call.begin(leaf)
        call.begin(30, "audio")
        await until(lambda: call.offers)
        await call.answer()
        assert call.wanted() == list(range(DEFAULT_WANTED))
        call.subscriber.want([call.mid(leaf) for leaf in range(19, -1, -1)])
        assert call.wanted() == list(range(20 - MAX_WANTED, 20)), "the most important 16"
        call.subscriber.want([call.mid(3), call.mid(30), call.mid(3), "no mid"])
        assert call.wanted() == [3]
        assert call.subscriber.sinks[call.mid(30)].wanted, "sound is always"
        call.subscriber.want([])
        assert call.wanted() == []

    tell(story)


@pytest.mark.requirement("SFU-4", "SFU-6")
def test_what_was_wanted_was_the_stream_and_not_the_m_section(until: Until) -> None:
    async def story(call: Scene) -> None:
        sources = [call.begin(leaf) for leaf in range(2)]
        await until(lambda: call.offers)
        await call.answer()
        mid = call.mid(0)
        call.subscriber.want([mid])
        call.subscriber.remove(sources[0])
        call.begin(5)
        await until(lambda: len(call.offers) == 2)
        await call.answer()
        assert call.mid(5) == mid
        assert call.wanted() == []
        call.subscriber.want([mid])
        assert call.wanted() == [5]

    tell(story)


@pytest.mark.requirement("SFU-4")
def test_m_sections_are_used_again_for_the_same_kind_of_media(until: Until) -> None:
    async def story(call: Scene) -> None:
        one, sound = call.begin(0), call.begin(0, "audio")
        await until(lambda: call.offers)
        await call.answer()
        ssrcs = {mid: sink.form.ssrc for mid, sink in call.subscriber.sinks.items()}
        call.subscriber.remove(one)
        await until(lambda: len(call.offers) == 2)
        assert call.offers[-1].mids == ("1",)
        assert "a=inactive" in call.offers[-1].description
        await call.answer()
        for leaf in (1, 2):
            call.begin(leaf, "audio")
        call.begin(3)
        await until(lambda: len(call.offers) == 3)
        offer = call.offers[-1]
        placed = dict(zip(offer.mids, offer.leaves, strict=True))
        assert placed == {"0": 3, "1": 0, "2": 1, "3": 2}
        await call.answer()
        assert call.subscriber.sinks["0"].form.ssrc == ssrcs["0"]
        assert sound.sinks == [call.subscriber.sinks["1"]]

    tell(story)


@pytest.mark.requirement("SFU-4", "SFU-10")
def test_who_publishes_in_one_codec_after_the_other_takes_no_more_m_sections(until: Until) -> None:
    async def story(call: Scene) -> None:
        sources = [call.begin(0) for _ in range(MAX_PUBLISHED)]
        await until(lambda: call.offers)
        await call.answer()
        ssrcs = {mid: sink.ssrc for mid, sink in call.subscriber.sinks.items()}
        for number, form in enumerate((H264, VIDEO), 2):
            later = [call.source(0, form=form) for _ in sources]
            for source, successor in zip(sources, later, strict=True):
                call.subscriber.replace(source, successor)
            sources = later
            await until(call.has_offered(number))
            await call.answer()
            media = parsed(call.offers[-1].description).media
            assert [section.rtp.codecs[0].name for section in media] == [form.codec] * MAX_PUBLISHED
            sinks = call.subscriber.sinks
            assert {mid: sink.ssrc for mid, sink in sinks.items()} == ssrcs
            assert {sink.form.payload_type for sink in sinks.values()} == {form.payload_type}

    tell(story)


@pytest.mark.requirement("SFU-4")
def test_whatever_changes_a_member_is_not_asked_all_the_time(until: Until) -> None:
    async def story(call: Scene) -> None:
        for number in range(1, OFFERS_EACH_SECOND + 3):
            source = call.begin(0)
            await until(call.has_offered(number))
            await call.answer()
            call.subscriber.remove(source)
        begun = call.offered_at
        assert all(
            later - at >= 1_000
            for at, later in zip(begun, begun[OFFERS_EACH_SECOND:], strict=False)
        )

    tell(story)


def test_the_path_is_there_before_anybody_sends(until: Until) -> None:
    async def story(call: Scene) -> None:
        call.subscriber.change()
        await until(lambda: call.offers)
        assert call.offers[0].mids == ()
        await call.answer()
        await until(lambda: call.subscriber.connection.is_connected)
        call.begin(0, "audio")
        await until(lambda: len(call.offers) == 2)
        assert call.offers[1].mids == ("0",), "the one that was there"

    tell(story)


def test_more_streams_than_there_is_room_for_wait(until: Until) -> None:
    async def story(call: Scene) -> None:
        sources = [call.begin(leaf, "audio") for leaf in range(MAX_SUBSCRIBED + 2)]
        await until(lambda: call.offers)
        assert len(call.offers[0].mids) == MAX_SUBSCRIBED
        await call.answer()
        call.subscriber.remove(sources[7])
        await until(lambda: len(call.offers) == 2)
        assert call.offers[1].leaves[7] == MAX_SUBSCRIBED
        call.subscriber.remove(sources[MAX_SUBSCRIBED + 1])
        assert len(call.offers) == 2, "it had no place yet"

    tell(story)


def test_a_stream_that_ended_while_it_was_offered_is_not_sent(until: Until) -> None:
    async def story(call: Scene) -> None:
        one, other = call.begin(0), call.begin(1)
        await until(lambda: call.offers)
        call.subscriber.remove(one)
        await call.answer()
        assert [sink.source for sink in call.subscriber.sinks.values()] == [other]
        await until(lambda: len(call.offers) == 2)
        assert call.offers[1].leaves == (1,)

    tell(story)


@pytest.mark.requirement("SFU-3", "SFU-8")
def test_a_stream_goes_on_over_another_connection_of_its_senders(until: Until) -> None:
    async def story(call: Scene) -> None:
        one, waiting = call.begin(0), call.source(1)
        await until(lambda: call.offers)
        offered = call.source(0)
        call.subscriber.replace(one, offered)
        await call.answer()
        [sink] = call.subscriber.sinks.values()
        assert sink.source is offered
        call.begin(2)
        await until(lambda: len(call.offers) == 2)
        call.subscriber.add(waiting)
        again = call.source(1)
        call.subscriber.replace(waiting, again)
        await call.answer()
        await until(lambda: len(call.offers) == 3)
        await call.answer()
        assert again.sinks
        assert not waiting.sinks
        assert not one.sinks

    tell(story)


@pytest.mark.requirement("SFU-10")
def test_a_packet_has_the_units_header_extension_and_no_other(until: Until) -> None:
    async def story(call: Scene) -> None:
        source = call.begin(0)
        await until(lambda: call.offers)
        await call.answer()
        await until(lambda: call.subscriber.connection.is_connected and call.member.is_connected)
        [sink] = call.subscriber.sinks.values()
        assert sink.form.send_time_id == 3
        send(source, 1)
        mid = b"\xbe\xde\0\1\x10\x30\0\0"
        packet = HEADER.pack(0x90, 97, 2, 2, 11) + mid + b"\x10\x01 a frame"
        assert source.take(97, 2, 2, packet, clock(), 78)
        await until(lambda: len(call.received) == 2)
        assert [each.payload for each in call.received] == [KEY_FRAME, b"\x10\x01 a frame"]
        assert all(each.extensions.mid is None for each in call.received)

    tell(story)


def test_a_member_may_do_without(until: Until) -> None:
    """It answers that it takes nothing in an m-section, and gets nothing there."""

    async def story(call: Scene) -> None:
        source = call.begin(0)
        await until(lambda: call.offers)
        offer = call.offers[-1]
        call.member.add("video", "recvonly")
        text = await call.member.answer(RTCSessionDescription(offer.description, "offer"))
        await call.subscriber.answer(offer.number, text.replace("a=recvonly", "a=inactive"))
        assert call.subscriber.sinks == {}
        assert source.sinks == []

    tell(story)
