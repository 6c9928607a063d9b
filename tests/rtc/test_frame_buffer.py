"""The frame buffers of ``aiortc_seams``: packets in, frames out, and what loss does to them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest
from aiortc.codecs import depayload
from aiortc.codecs.vpx import VpxPayloadDescriptor
from aiortc.jitterbuffer import MAX_MISORDER
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from e2ee.aiortc_seams import AudioFrameBuffer, FrameBuffer, ReassembledFrame, VideoFrameBuffer

OPUS = RTCRtpCodecParameters(mimeType="audio/opus", clockRate=48000, channels=2, payloadType=96)
VP8 = RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90000, payloadType=97)
H264 = RTCRtpCodecParameters(mimeType="video/H264", clockRate=90000, payloadType=98)
sequence_numbers = st.integers(0, 0xFFFF)


PATIENCE = AudioFrameBuffer.PATIENCE


CODECS = {96: "opus", 97: "vp8", 98: "h264"}


def audio() -> FrameBuffer:
    return AudioFrameBuffer(CODECS.__getitem__)


def video() -> FrameBuffer:
    return VideoFrameBuffer(CODECS.__getitem__)


def packet(codec: RTCRtpCodecParameters, number: int, timestamp: int, payload: bytes) -> RtpPacket:
    made = RtpPacket(codec.payloadType or 0, 0, number & 0xFFFF, timestamp, 1, payload)
    made._data = depayload(codec, payload) if payload else b""  # type: ignore[attr-defined]
    return made


def opus_packets(first: int, frames: int) -> list[RtpPacket]:
    """One packet for each frame, as Opus comes; its data says which one it is."""
    return [packet(OPUS, first + i, 960 * i, b"%d" % i) for i in range(frames)]


def vp8_packets(first: int, sizes: Iterable[int]) -> list[RtpPacket]:
    """Frames of as many packets as ``sizes`` says."""
    packets: list[RtpPacket] = []
    for timestamp, size in enumerate(sizes):
        for part in range(size):
            descriptor = bytes(VpxPayloadDescriptor(partition_start=int(part == 0), partition_id=0))
            packets.append(
                packet(VP8, first + len(packets), timestamp, descriptor + b"%d." % timestamp)
            )
    return packets


def through(buffer: FrameBuffer, packets: Iterable[RtpPacket]) -> list[ReassembledFrame]:
    return [frame for each in packets for frame in buffer.reassemble(each)[1]]


@given(sequence_numbers, st.lists(st.integers(1, 4), min_size=2, max_size=30))
def test_a_frame_is_complete_when_the_next_one_begins(first: int, sizes: list[int]) -> None:
    frames = through(video(), vp8_packets(first, sizes))
    assert [frame.timestamp for frame in frames] == list(range(len(sizes) - 1))
    assert [frame.data for frame in frames] == [b"%d." % i * n for i, n in enumerate(sizes[:-1])]
    assert all(frame.whole for frame in frames)
    assert {frame.payload_type for frame in frames} == {VP8.payloadType}


@pytest.mark.requirement("FRAME-22")
@given(sequence_numbers, st.lists(st.integers(1, 4), min_size=1, max_size=30))
def test_a_frame_is_complete_with_its_marker(first: int, sizes: list[int]) -> None:
    """Nobody waits for the next one."""
    packets = vp8_packets(first, sizes)
    for end in itertools.accumulate(sizes):
        packets[end - 1].marker = 1
    frames = through(video(), packets)
    assert [frame.data for frame in frames] == [b"%d." % i * n for i, n in enumerate(sizes)]


H264_UNIT = b"\x41.."


@pytest.mark.requirement("FRAME-22")
@pytest.mark.parametrize("lost", [1, 2])
def test_h264_of_which_the_beginning_is_lost_for_good_is_not_whole(lost: int) -> None:
    """Frame 0 came. Of frame 1, of three packets, one never does: 512 packets later the buffer gives up, and what is left begins like a frame."""
    times = [0, 1, 1, 1, *range(2, 600)]
    packets = [packet(H264, n, time, H264_UNIT) for n, time in enumerate(times)]
    del packets[lost]
    frames = through(video(), packets)
    whole = [frame.timestamp for frame in frames if frame.whole]
    assert 1 not in whole
    assert whole[1:] == [*range(whole[1], 599)]


def test_a_stream_that_is_joined_inside_a_frame_begins_with_one_that_is_not_whole() -> None:
    frames = through(video(), vp8_packets(0, [3, 1, 1])[1:])
    assert [frame.whole for frame in frames] == [False, True]


def test_h264_that_is_joined_inside_a_nal_unit_begins_with_a_frame_that_is_not_whole() -> None:
    """A fragment other than the first one says so (RFC 6184 Section 5.8); a whole NAL unit says nothing."""
    first, other, unit = b"\x5c\x81", b"\x5c\x01", b"\x41"
    payloads = [(0, other), (1, first), (1, other), (2, unit), (3, unit)]
    packets = [packet(H264, n, time, head + b"..") for n, (time, head) in enumerate(payloads)]
    frames = through(video(), packets)
    assert [frame.whole for frame in frames] == [False, True, True]
    assert {frame.codec for frame in frames} == {"h264"}


def test_padding_alone_is_no_frame() -> None:
    padding = [packet(VP8, i, i, b"") for i in range(5)]
    assert through(video(), padding) == []


def test_a_repaired_loss_leaves_no_delay() -> None:
    """Ten frames wait for one packet; when it comes again, all of them are there at once."""
    packets = vp8_packets(0, [1] * 12)
    buffer = video()
    assert through(buffer, [packets[0], *packets[2:11]]) == []
    assert [frame.timestamp for frame in through(buffer, [packets[1]])] == list(range(10))


def test_video_that_is_not_repaired_says_that_something_is_lost() -> None:
    buffer = video()
    outcomes = [
        buffer.reassemble(each) for each in vp8_packets(0, [1] * 600) if each.sequence_number != 5
    ]
    assert any(lost for lost, _ in outcomes)


def test_audio_that_comes_in_order_is_not_delayed() -> None:
    buffer = audio()
    assert [len(buffer.reassemble(each)[1]) for each in opus_packets(0, 10)] == [1] * 10


@given(sequence_numbers, st.sets(st.integers(1, 90), max_size=80))
def test_one_lost_audio_packet_is_one_lost_frame(first: int, lost: set[int]) -> None:
    came = [each for i, each in enumerate(opus_packets(first, 100)) if i not in lost]
    numbers = [int(frame.data) for frame in through(audio(), came)]
    assert numbers == [i for i in range(100) if i not in lost]


@given(st.sets(st.integers(1, 99), max_size=80))
def test_audio_waits_for_at_most_three_packets(lost: set[int]) -> None:
    buffer, waiting = audio(), 0
    for i, each in enumerate(opus_packets(0, 100)):
        if i not in lost:
            waiting += 1 - len(buffer.reassemble(each)[1])
            assert waiting < PATIENCE


@given(sequence_numbers, st.lists(st.integers(0, PATIENCE), min_size=100, max_size=100))
def test_audio_that_is_late_by_that_much_is_not_lost(first: int, late: list[int]) -> None:
    packets = opus_packets(first, 100)
    late[0] = 0  # the first packet fixes where the stream begins
    order = sorted(range(100), key=lambda i: (i + late[i], i))
    frames = through(audio(), [packets[i] for i in order])
    assert [int(frame.data) for frame in frames] == list(range(100))


@given(sequence_numbers, st.lists(st.integers(0, 300), max_size=200))
def test_audio_frames_come_in_order_and_once_whatever_comes(first: int, order: list[int]) -> None:
    packets = opus_packets(first, 301)
    numbers = [int(frame.data) for frame in through(audio(), [packets[i] for i in order])]
    # A jump back by 100 packets and more is a stream that begins anew (aiortc's MAX_MISORDER).
    runs = [0, *(i for i in range(1, len(numbers)) if numbers[i] <= numbers[i - 1]), len(numbers)]
    for begin, end in itertools.pairwise(runs):
        assert numbers[begin:end] == sorted(set(numbers[begin:end]))
    assert len(runs) - 2 <= sum(
        before - after >= MAX_MISORDER - PATIENCE
        for before, after in itertools.combinations(order, 2)
    )


@given(sequence_numbers, st.integers(1, 0x7F00))
def test_a_long_gap_is_given_up_at_once(first: int, gap: int) -> None:
    packets = opus_packets(first, 10) + opus_packets(first + 10 + gap, 10)
    frames = through(audio(), packets)
    assert len(frames) == 20
