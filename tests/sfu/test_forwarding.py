"""A source and its sinks: what comes out has numbers that never jump, begins with a key frame, and is answered for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from aiortc.rtcrtpreceiver import NackGenerator
from aiortc.rtp import (
    RTCP_PSFB_PLI,
    AnyRtcpPacket,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRtpfbPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
    RtpPacket,
    unwrap_rtx,
)
from hypothesis import given
from hypothesis import strategies as st

from e2ee.aiortc_seams import VideoFrameBuffer
from e2ee.sfu.limits import HISTORY, KEY_FRAME_INTERVAL, MAX_PACKET, RESENT_EACH_SECOND
from e2ee.sfu.rtp import HEADER, MARKER
from e2ee.sfu.sequence import ASK_EVERY, ASK_TIMES
from e2ee.sfu.sink import Sink
from e2ee.sfu.source import Format, Source

VIDEO = Format(
    codec="VP8",
    clock_rate=90_000,
    ssrc=11,
    payload_type=97,
    rtx_ssrc=12,
    rtx_payload_type=98,
    asks=True,
    send_time_id=None,
)
AUDIO = Format(
    codec="opus",
    clock_rate=48_000,
    ssrc=21,
    payload_type=96,
    rtx_ssrc=None,
    rtx_payload_type=None,
    asks=False,
    send_time_id=None,
)
TO_MEMBER = replace(VIDEO, ssrc=71, payload_type=107, rtx_ssrc=72, rtx_payload_type=108)
FIRST_OF_A_FRAME = b"\x10"  # the shortest VP8 payload descriptor
REST_OF_A_FRAME = b"\x00"
KEY, DELTA = b"\x00", b"\x01"


@dataclass
class Publisher:
    """Sends frames of three packets each, 30 a second, to a source."""

    form: Format = VIDEO
    number: int = 65_530
    timestamp: int = (1 << 32) - 5_000
    now: int = 0
    leaf: int = 5
    feedback: list[AnyRtcpPacket] = field(default_factory=list)
    begun: int = 0
    lost: list[tuple[int, int, bytes, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        kind = "video" if self.form.codec == "VP8" else "audio"
        self.source = Source("1", kind, self.leaf, self.form, self._hear, self._began)

    def _hear(self, data: bytes) -> None:
        self.feedback += RtcpPacket.parse(data)

    def _began(self, source: Source) -> None:
        assert source is self.source
        self.begun += 1

    def frame(self, first: bytes, *, loses: tuple[int, ...] = ()) -> None:
        """A frame, of which the packets at these places are lost."""
        parts = [
            FIRST_OF_A_FRAME + first + b"frame at %d" % self.timestamp,
            REST_OF_A_FRAME + b", more of it",
            REST_OF_A_FRAME + b", and the end",
        ]
        for place, part in enumerate(parts):
            second = MARKER * (place == 2) | self.form.payload_type
            packet = HEADER.pack(0x80, second, self.number, self.timestamp, self.form.ssrc)
            if place in loses:
                self.lost.append((self.number, self.timestamp, packet, part))
            else:
                self.send(packet + part)
            self.number = self.number + 1 & 0xFFFF
        self.timestamp = self.timestamp + 3_000 & 0xFFFFFFFF
        self.now += 33

    def send(self, data: bytes) -> bool:
        _, second, number, timestamp, _ = HEADER.unpack_from(data)
        return self.source.take(second, number, timestamp, data, self.now, 0)

    def frames(self, count: int) -> None:
        for _ in range(count):
            self.frame(DELTA)

    def retransmit(self) -> None:
        """Send what was lost, as RTX."""
        for number, timestamp, _, part in self.lost:
            payload = number.to_bytes(2, "big") + part
            packet = HEADER.pack(0x80, 98, 1, timestamp, 12) + payload
            assert self.source.take_retransmission(98, timestamp, packet, self.now, 0)
        self.lost.clear()

    @property
    def key_frames_asked_for(self) -> int:
        return sum(
            isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_PLI
            for packet in self.feedback
        )

    @property
    def packets_asked_for(self) -> list[int]:
        asked = [packet for packet in self.feedback if isinstance(packet, RtcpRtpfbPacket)]
        return [number for packet in asked for number in packet.lost]


class Viewer:
    """A member to whom a sink sends: it has aiortc's own jitter buffer and its own search for what is missing."""

    def __init__(self, kind: str = "video", form: Format = TO_MEMBER) -> None:
        self.packets: list[RtpPacket] = []
        self.reports: list[RtcpSrPacket] = []
        self.frames: list[bytes] = []
        self.lost_frames = 0
        self.nacks = NackGenerator()
        self._buffer = VideoFrameBuffer(lambda _: "vp8")
        self.loses: set[int] = set()
        self.is_connected = True
        self.sink = Sink("4", kind, form, self)

    def watch(self, publisher: Publisher, *, wanted: bool = True) -> None:
        self.sink.choose(publisher.now, wanted=wanted)
        self.sink.give(publisher.source, publisher.now)

    def send(self, data: bytes) -> bool:
        packet = RtpPacket.parse(data)
        if packet.sequence_number in self.loses:
            return True
        if packet.ssrc == TO_MEMBER.rtx_ssrc:
            packet = unwrap_rtx(packet, 107, 71)
        assert packet.ssrc == self.sink.form.ssrc
        assert packet.payload_type == self.sink.form.payload_type
        self.packets.append(packet)
        if self.sink.kind == "video":
            self._reassemble(packet)
        return True

    def _reassemble(self, packet: RtpPacket) -> None:
        self.nacks.add(packet)
        packet._data = packet.payload[1:]  # type: ignore[attr-defined]
        lost, frames = self._buffer.reassemble(packet)
        self.lost_frames += lost
        self.frames += [frame.data for frame in frames if frame.whole]

    def send_rtcp(self, data: bytes) -> bool:
        [packet] = RtcpPacket.parse(data)
        assert isinstance(packet, RtcpSrPacket)
        self.reports.append(packet)
        return True

    @property
    def numbers(self) -> list[int]:
        return [packet.sequence_number for packet in self.packets]

    @property
    def timestamps(self) -> list[int]:
        return [packet.timestamp for packet in self.packets]

    def sees_one_stream(self) -> None:
        """Numbers go on by one, and timestamps never back, nor further than time has passed."""
        numbers = self.numbers
        assert numbers == [numbers[0] + place & 0xFFFF for place in range(len(numbers))]
        assert not self.nacks.missing
        steps = [
            after - before & 0xFFFFFFFF
            for before, after in zip(self.timestamps, self.timestamps[1:], strict=False)
        ]
        assert all(step < 60 * 90_000 for step in steps)
        assert self.lost_frames == 0


def whole_frames(viewer: Viewer) -> bool:
    return all(
        frame.endswith(b", more of it, and the end") and b"frame at" in frame
        for frame in viewer.frames
    )


@pytest.mark.requirement("SFU-1")
def test_payloads_come_as_they_were_sent_whatever_the_numbers() -> None:
    publisher, viewer = Publisher(), Viewer()
    viewer.watch(publisher)
    publisher.frame(KEY)
    publisher.frames(5)
    assert len(viewer.packets) == 18
    assert viewer.frames[0] == KEY + b"frame at %d, more of it, and the end" % ((1 << 32) - 5_000)
    assert [packet.marker for packet in viewer.packets[:3]] == [0, 0, 1]
    assert len(viewer.frames) == 6
    viewer.sees_one_stream()


@pytest.mark.requirement("SFU-6")
def test_video_begins_with_a_key_frame_which_is_asked_for() -> None:
    publisher, viewer = Publisher(), Viewer()
    publisher.frames(3)
    viewer.watch(publisher)
    assert publisher.key_frames_asked_for == 1
    publisher.frames(3)
    assert not viewer.packets
    publisher.frame(KEY)
    assert viewer.packets[0].payload.startswith(FIRST_OF_A_FRAME + KEY)
    publisher.frames(2)
    viewer.sees_one_stream()


def test_a_stream_does_not_begin_before_there_is_a_path() -> None:
    publisher, viewer = Publisher(), Viewer()
    viewer.is_connected = False
    viewer.watch(publisher)
    publisher.frame(KEY)
    publisher.frames(2)
    assert not viewer.packets
    assert publisher.key_frames_asked_for == 0
    viewer.is_connected = True
    viewer.sink.ask(publisher.now)
    assert publisher.key_frames_asked_for == 1
    publisher.frames(1)
    assert not viewer.packets
    publisher.frame(KEY)
    assert len(viewer.packets) == 3


def test_a_stream_does_not_begin_in_the_middle_of_a_key_frame() -> None:
    """Its first packet comes late: the others have passed, and nobody has them."""
    publisher, viewer = Publisher(), Viewer()
    publisher.frames(1)
    viewer.watch(publisher)
    publisher.frame(KEY, loses=(0,))
    publisher.retransmit()
    assert not viewer.packets
    publisher.now += KEY_FRAME_INTERVAL
    publisher.frames(1)
    assert publisher.key_frames_asked_for == 2
    publisher.frame(KEY)
    assert len(viewer.packets) == 3


@pytest.mark.requirement("SFU-6", "SFU-10")
def test_a_stream_that_is_wanted_again_goes_on_with_a_key_frame_and_without_a_gap() -> None:
    publisher, viewer = Publisher(), Viewer()
    viewer.watch(publisher)
    publisher.frame(KEY)
    publisher.frames(3)
    viewer.sink.choose(publisher.now, wanted=False)
    publisher.frames(100)
    asked = publisher.key_frames_asked_for
    assert len(viewer.packets) == 12
    viewer.sink.choose(publisher.now, wanted=True)
    assert publisher.key_frames_asked_for == asked + 1
    publisher.frames(3)
    publisher.frame(KEY)
    publisher.frames(3)
    assert len(viewer.packets) == 24
    viewer.sees_one_stream()
    assert viewer.timestamps[12] - viewer.timestamps[9] & 0xFFFFFFFF == 104 * 3_000
    statistics = viewer.sink.statistics
    assert statistics is not None
    assert (statistics.packets, statistics.not_sent) == (24, 309)


@pytest.mark.requirement("SFU-4", "SFU-10")
def test_an_m_section_is_used_again_for_another_member() -> None:
    one, viewer = Publisher(), Viewer()
    viewer.watch(one)
    one.frame(KEY)
    one.frames(3)
    other = Publisher(number=17, timestamp=99, now=one.now + 5_000, leaf=6)
    viewer.sink.take_away()
    one.frames(3)
    assert len(viewer.packets) == 12
    other.frames(3)
    viewer.watch(other)
    other.frame(KEY)
    other.frames(3)
    assert len(viewer.packets) == 24
    viewer.sees_one_stream()
    passed = other.now - 4 * 33 - (one.now - 4 * 33 - 3 * 33)
    assert viewer.timestamps[12] - viewer.timestamps[11] & 0xFFFFFFFF == pytest.approx(
        passed * 90, abs=33 * 90 * 4
    )
    assert whole_frames(viewer)
    assert viewer.sink.statistics is not None
    assert viewer.sink.statistics.leaf == 6


def test_nothing_of_before_is_given_again_or_comes_late() -> None:
    publisher, viewer = Publisher(), Viewer()
    viewer.watch(publisher)
    publisher.frame(KEY)
    publisher.frame(DELTA, loses=(1,))
    before = viewer.numbers
    viewer.sink.choose(publisher.now, wanted=False)
    viewer.sink.choose(publisher.now, wanted=True)
    publisher.frame(KEY)
    sent = len(viewer.packets)
    publisher.retransmit()
    assert len(viewer.packets) == sent
    viewer.sink.take_away()
    viewer.sink.resend(before, publisher.now, 0)
    assert len(viewer.packets) == sent


@pytest.mark.requirement("SFU-5")
def test_a_loss_on_the_way_to_the_unit_is_repaired_for_everybody_by_one_request() -> None:
    publisher, viewers = Publisher(), [Viewer(), Viewer()]
    for viewer in viewers:
        viewer.watch(publisher)
    publisher.frame(KEY)
    publisher.frame(DELTA, loses=(0, 2))
    publisher.frame(DELTA)
    assert publisher.packets_asked_for == [number for number, *_ in publisher.lost]
    publisher.retransmit()
    publisher.frames(2)
    for viewer in viewers:
        assert not viewer.nacks.missing
        assert len(viewer.frames) == 5
        assert whole_frames(viewer)
    assert publisher.source.statistics.nacks == 2


def test_a_loss_that_cannot_be_repaired_stops_nobody() -> None:
    """Padding takes the lost packet's place: the frame is spoilt, and the next one is there."""
    publisher, viewer = Publisher(), Viewer()
    viewer.watch(publisher)
    publisher.frame(KEY)
    publisher.frame(DELTA, loses=(1,))
    while publisher.source.sequence.missing:
        publisher.frames(1)
    assert publisher.now >= ASK_TIMES * ASK_EVERY
    publisher.frames(2)
    assert not viewer.nacks.missing
    assert viewer.lost_frames == 0
    spoilt = [frame for frame in viewer.frames if b", more of it" not in frame]
    assert len(spoilt) == 1
    assert len(viewer.frames) == publisher.now // 33


@pytest.mark.requirement("SFU-10")
def test_a_gap_that_nobody_can_fill_shows_to_nobody() -> None:
    publisher, viewer = Publisher(), Viewer()
    viewer.watch(publisher)
    publisher.frame(KEY)
    publisher.number = publisher.number + 3_000 & 0xFFFF
    publisher.frames(20)
    viewer.sees_one_stream()
    assert not publisher.packets_asked_for


@pytest.mark.requirement("SFU-5")
def test_what_a_member_lacks_is_sent_again_as_rtx() -> None:
    publisher, viewer = Publisher(), Viewer()
    viewer.watch(publisher)
    publisher.frame(KEY)
    viewer.loses = {viewer.numbers[-1] + 2, viewer.numbers[-1] + 3}
    publisher.frames(3)
    lost = sorted(viewer.loses)
    assert sorted(viewer.nacks.missing) == lost
    viewer.loses = set()
    viewer.sink.resend(lost, publisher.now, 0)
    assert not viewer.nacks.missing
    publisher.frames(1)
    assert len(viewer.frames) == 5
    assert whole_frames(viewer)
    statistics = viewer.sink.statistics
    assert statistics is not None
    assert (statistics.nacks, statistics.resent) == (2, 2)


@pytest.mark.requirement("SFU-5")
def test_the_last_512_packets_are_kept_and_no_others() -> None:
    publisher, viewer = Publisher(), Viewer(form=replace(TO_MEMBER, rtx_ssrc=None))
    viewer.watch(publisher)
    publisher.frame(KEY)
    publisher.frames(HISTORY)
    sent = viewer.packets[:]
    viewer.packets.clear()
    viewer.sink.resend([sent[-HISTORY - 1].sequence_number], publisher.now, 0)
    assert not viewer.packets
    viewer.sink.resend([sent[-HISTORY].sequence_number, 5_000], publisher.now, 0)
    [again] = viewer.packets
    assert again.serialize() == sent[-HISTORY].serialize(), "without RTX, the packet itself"


def test_who_asks_without_end_gets_only_so_much() -> None:
    publisher, viewer = Publisher(), Viewer()
    viewer.watch(publisher)
    publisher.frame(KEY)
    publisher.frames(40)
    numbers = viewer.numbers
    sent = len(viewer.packets)
    for _ in range(100):
        viewer.sink.resend(numbers, publisher.now, 0)
    assert len(viewer.packets) - sent == RESENT_EACH_SECOND
    viewer.sink.resend(numbers[-1:], publisher.now + 1_000, 0)
    assert len(viewer.packets) - sent == RESENT_EACH_SECOND + 1


@pytest.mark.requirement("SFU-5")
def test_key_frames_are_asked_for_at_most_every_300_ms() -> None:
    publisher, viewers = Publisher(now=1_000), [Viewer() for _ in range(20)]
    for viewer in viewers:
        viewer.watch(publisher)
    for viewer in viewers:
        viewer.sink.key_frame_requested(publisher.now + KEY_FRAME_INTERVAL - 1)
    assert publisher.key_frames_asked_for == 1
    for viewer in viewers:
        viewer.sink.key_frame_requested(publisher.now + KEY_FRAME_INTERVAL)
    assert publisher.key_frames_asked_for == 2
    assert publisher.source.statistics.key_frame_requests == 2


def test_sound_begins_anywhere_and_asks_for_nothing() -> None:
    publisher = Publisher(AUDIO)
    listener = Viewer("audio", replace(AUDIO, ssrc=61, payload_type=111))
    publisher.frames(1)
    listener.watch(publisher)
    publisher.frame(DELTA, loses=(1,))
    assert len(listener.packets) == 2
    publisher.frames(1)
    assert listener.numbers == [listener.numbers[0] + step for step in (0, 2, 3, 4, 5)]
    assert not publisher.feedback
    listener.sink.key_frame_requested(publisher.now)
    assert not publisher.feedback


def test_the_publishers_clock_comes_with_the_sinks_own_numbers() -> None:
    one, other, viewer = Publisher(), Publisher(timestamp=77, now=10_000), Viewer()
    viewer.watch(one)
    one.source.take_report(RtcpSenderInfo(1 << 40, one.timestamp, 9, 9), one.now)
    assert not viewer.reports, "nothing was sent that it could be about"
    one.frame(KEY)
    viewer.watch(other)
    sent_at = other.timestamp
    other.frame(KEY)
    first = viewer.timestamps[-1]
    other.source.take_report(RtcpSenderInfo(5 << 40, sent_at, 1, 2), other.now)
    [report] = viewer.reports
    assert report.ssrc == TO_MEMBER.ssrc
    assert report.sender_info.ntp_timestamp == 5 << 40
    assert report.sender_info.rtp_timestamp == first
    assert report.sender_info.packet_count == 6


def test_the_publisher_hears_how_its_stream_arrives() -> None:
    publisher = Publisher(number=65_534)
    assert publisher.source.reception(0) is None
    publisher.frame(KEY)
    publisher.frame(DELTA, loses=(0, 1, 2))
    publisher.frame(DELTA)
    publisher.source.take_report(
        RtcpSenderInfo(0x1234_5678_9ABC_DEF0, publisher.timestamp, 9, 9), publisher.now
    )
    report = publisher.source.reception(publisher.now + 500)
    assert report is not None
    assert (report.ssrc, report.packets_lost) == (11, 3)
    assert report.fraction_lost == 256 // 3
    assert report.highest_sequence == 65_534 + 8, "cycles are counted"
    assert (report.lsr, report.dlsr) == (0x5678_9ABC, 32_768)
    assert report.jitter < 90
    again = publisher.source.reception(publisher.now + 500)
    assert again is not None
    assert again.fraction_lost == 0


def test_the_first_packet_is_told_once() -> None:
    publisher = Publisher()
    assert not publisher.source.has_begun
    publisher.frame(KEY)
    publisher.frames(3)
    assert publisher.begun == 1


@pytest.mark.parametrize(
    "packet",
    [
        HEADER.pack(0x80, 96, 1, 1, 11) + b"of another payload type",
        HEADER.pack(0x80, 97, 1, 1, 11),
        HEADER.pack(0x90, 97, 1, 1, 11) + b"\xbe\xde\xff\xff cut off",
        HEADER.pack(0xA0, 97, 1, 1, 11) + b"\x02",
        HEADER.pack(0x80, 97, 1, 1, 11) + bytes(MAX_PACKET),
    ],
)
def test_what_is_not_of_the_stream_goes_nowhere(packet: bytes) -> None:
    publisher, viewer = Publisher(), Viewer()
    viewer.watch(publisher)
    publisher.frame(KEY)
    assert not publisher.send(packet)
    assert len(viewer.packets) == 3
    assert not publisher.source.take_retransmission(97, 1, packet, 0, 0)


@pytest.mark.requirement("SFU-10")
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 200), st.booleans()), max_size=30))
def test_one_stream_is_seen_whatever_happens_behind_it(
    events: list[tuple[int, int, bool]],
) -> None:
    """Pauses, other members, jumps of numbers, in any order."""
    publishers = [
        Publisher(number=place * 20_000, timestamp=place * 7_777_777, leaf=place)
        for place in range(3)
    ]
    viewer, now = Viewer(), 0
    for place, pause, wanted in events:
        publisher = publishers[place]
        publisher.now = now = now + pause
        viewer.watch(publisher, wanted=wanted)
        publisher.frames(1)
        publisher.number = publisher.number + 50 * pause & 0xFFFF
        publisher.frame(KEY)
        publisher.frames(2)
        now = publisher.now
    if viewer.packets:
        viewer.sees_one_stream()
