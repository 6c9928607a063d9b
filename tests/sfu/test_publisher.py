"""What the unit tells a member that publishes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from aiortc.rtp import (
    RTCP_PSFB_APP,
    AnyRtcpPacket,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
    unpack_remb_fci,
)

from e2ee.sfu.publisher import Publisher
from e2ee.sfu.rtp import HEADER, Packet, send_time
from e2ee.sfu.source import Source

if TYPE_CHECKING:
    from tests.sfu.conftest import NewMeeting


@dataclass
class Scene:
    """The unit's end of a connection over which nothing travels: packets are put in, and what it says is taken out."""

    now: int = 0
    said: list[AnyRtcpPacket] = field(default_factory=list)
    begun: list[Source] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.publisher = Publisher(
            4, lambda: self.now, ("127.0.0.1",), self.begun.append, lambda: None
        )
        self.publisher.connection.send_rtcp = self._hear  # type: ignore[method-assign]

    def _hear(self, packet: bytes) -> bool:
        self.said += RtcpPacket.parse(packet)
        return True

    @property
    def camera(self) -> Source:
        return self.publisher.sources["1"]

    def packet(self, number: int, sent_at: int, size: int = 1_000) -> bytes:
        """A packet of the camera, sent at a time in milliseconds."""
        form = self.camera.form
        header = HEADER.pack(0x90, form.payload_type, number, sent_at * 90, form.ssrc)
        return header + send_time(3, (sent_at << 18) // 1_000 & 0xFFFFFF) + bytes(size)


def tell(meeting: NewMeeting, story: Callable[[Scene], Awaitable[None]]) -> None:
    async def told() -> None:
        async with meeting() as call:
            scene = Scene()
            await scene.publisher.answer(await call.member(4).publishing.offer())
            await story(scene)
            await scene.publisher.close()

    asyncio.run(told())


def test_the_member_hears_what_its_path_carries(meeting: NewMeeting) -> None:
    async def story(scene: Scene) -> None:
        for number in range(800):
            scene.now = number * 10
            scene.publisher._rtp(scene.packet(number, sent_at=scene.now))
        estimates = [
            unpack_remb_fci(packet.fci)
            for packet in scene.said
            if isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP
        ]
        assert len(estimates) > 5
        assert {tuple(ssrcs) for _, ssrcs in estimates} == {(scene.camera.form.ssrc,)}
        assert all(bitrate >= 700_000 for bitrate, _ in estimates), "of 800,000 that come"

    tell(meeting, story)


def test_the_member_hears_that_the_unit_is_there_and_what_came(meeting: NewMeeting) -> None:
    async def story(scene: Scene) -> None:
        scene.publisher.tick(0)
        assert scene.said == [RtcpRrPacket(1, [])]
        for number in (1, 2, 5):
            scene.publisher._rtp(scene.packet(number, sent_at=10 * number))
        report = RtcpSrPacket(scene.camera.form.ssrc, RtcpSenderInfo(7 << 16, 1, 1, 1))
        scene.publisher._rtcp(bytes(report))
        scene.now = 1_000
        scene.publisher.tick(1_000)
        last = scene.said[-1]
        assert isinstance(last, RtcpRrPacket)
        [about] = last.reports
        assert (about.ssrc, about.packets_lost) == (scene.camera.form.ssrc, 2)
        assert (about.lsr, about.dlsr) == (7, 65_536)
        assert scene.camera.bitrate == 3 * 1_000 * 8
        assert scene.begun == [scene.camera]

    tell(meeting, story)


def test_lost_packets_are_asked_for_also_where_their_numbers_begin_anew(
    meeting: NewMeeting,
) -> None:
    async def story(scene: Scene) -> None:
        for number in (65_534, 2):
            scene.publisher._rtp(scene.packet(number, sent_at=0))
        asked = [each for each in scene.said if isinstance(each, RtcpRtpfbPacket)]
        assert [set(each.lost) for each in asked] == [{65_535, 0, 1}]

    tell(meeting, story)


@pytest.mark.requirement("SFU-9")
@pytest.mark.parametrize(
    ("mid", "most", "size"), [("0", 500, 10), ("0", 64, 1_000), ("1", 3_000, 10)]
)
def test_of_a_stream_so_much_is_taken_in_a_second(
    meeting: NewMeeting, mid: str, most: int, size: int
) -> None:
    """Each packet is one for everybody: a member could stop the unit with no other's help."""

    async def story(scene: Scene) -> None:
        source = scene.publisher.sources[mid]
        for second in (1, 2):
            scene.now = second * 1_000
            for _ in range(3_500):
                number, form = source.statistics.packets, source.form
                header = HEADER.pack(0x80, form.payload_type, number, 0, form.ssrc)
                scene.publisher._rtp(header + bytes(size))
            assert source.statistics.packets == second * most

    tell(meeting, story)


class Reported:
    """A sink that counts reports."""

    count = 0

    def forward(self, packet: Packet, now: int, time: int) -> None: ...
    def fill(self, index: int, time: int) -> None: ...
    def report(self, info: RtcpSenderInfo) -> None:  # noqa: ARG002
        self.count += 1


def test_a_flood_of_reports_is_not_everybodys(meeting: NewMeeting) -> None:
    async def story(scene: Scene) -> None:
        sink = Reported()
        scene.camera.sinks.append(sink)
        report = RtcpSrPacket(scene.camera.form.ssrc, RtcpSenderInfo(0, 0, 0, 0))
        for scene.now in range(1_000):
            scene.publisher._rtcp(bytes(report) * 3)
        assert sink.count == 5

    tell(meeting, story)


def test_what_is_no_packet_of_its_streams_is_counted_and_that_is_all(meeting: NewMeeting) -> None:
    async def story(scene: Scene) -> None:
        form = scene.camera.form
        other = RtcpSrPacket(form.ssrc + 1, RtcpSenderInfo(1, 1, 1, 1))
        for data in (b"\x80\x61", HEADER.pack(0x80, 97, 1, 1, form.ssrc ^ 1) + b"payload"):
            scene.publisher._rtp(data)
        scene.publisher._rtcp(b"\x80\xc8 no report")
        scene.publisher._rtcp(bytes(other))
        assert scene.publisher.refused == 3
        assert scene.begun == []
        assert scene.said == []

    tell(meeting, story)
