"""Jitter buffers that open: what goes wrong with a frame stays with that frame, and nothing else reaches a decoder."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection
from aiortc.codecs import depayload
from aiortc.codecs.vpx import VpxPayloadDescriptor
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import RtpPacket
from hypothesis import given, settings
from hypothesis import strategies as st

from e2ee.crypto.secret import Secret
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.frame_keys import FrameKeys
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener
from e2ee.media.reasons import RejectReason
from e2ee.rtc.errors import RtcReason
from e2ee.rtc.incoming import (
    IncomingFrames,
    KeyFrameRequests,
    OpeningJitterBuffer,
    ReceivedFrames,
)
from e2ee.rtc.observer import FrameObserver
from e2ee.sframe.cipher_suite import cipher_suite

VP8 = RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90000, payloadType=97)


def keys_of(leaf: int, *epochs: int) -> FrameKeys:
    """The frame keys of one of two devices that have applied ``epochs``."""
    keys = FrameKeys()
    for number in epochs:
        keys.install(frame_epoch(leaf, number), now=0)
        keys.acknowledged(1 - leaf, number, now=0)
    return keys


def frame_epoch(leaf: int, number: int, added: frozenset[int] = frozenset()) -> FrameEpoch:
    both, secret = frozenset({0, 1}), Secret(bytes([number]) * 16)
    return FrameEpoch(number, cipher_suite(4), secret, leaf, both, both, added)


class Receiver:
    """An opening jitter buffer around a real receiver, and what it let through."""

    def __init__(self, *epochs: int) -> None:
        self.time = 0
        self.keys = keys_of(1, *epochs)
        self.opened: list[OpenedFrame] = []
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        transceiver = connection.addTransceiver("video")
        transceiver.receiver._RTCRtpReceiver__codecs = {97: VP8}  # type: ignore[attr-defined]
        self.stream = IncomingStream(Codec.VP8, Kind.CAMERA, sender=0)
        opener = FrameOpener(self.keys.receive)
        self.frames = ReceivedFrames(opener, lambda: self.time, _Collector(self.opened))
        self.incoming = IncomingFrames(self.stream, lambda: self.time)
        self.buffer: OpeningJitterBuffer = self.frames.attach(transceiver.receiver, self.incoming)


class _Collector(FrameObserver):
    def __init__(self, opened: list[OpenedFrame]) -> None:
        self._opened = opened

    def opened(self, kind: Kind, frame: OpenedFrame, timestamp: int, arrived: int) -> None:  # noqa: ARG002
        self._opened.append(frame)


def with_receiver(story: Callable[[Receiver], None], *epochs: int) -> None:
    """Tell ``story`` where there is an event loop, which aiortc's receivers need."""

    async def tell() -> None:
        story(Receiver(*epochs))

    asyncio.run(tell())


def packets(frames: list[bytes]) -> list[RtpPacket]:
    """One packet for each frame, without its marker, and one more that says that the last one is complete."""
    made = []
    for number, frame in enumerate([*frames, b"\x01"]):
        payload = bytes(VpxPayloadDescriptor(partition_start=1, partition_id=0)) + frame
        made.append(RtpPacket(97, 0, number, number * 3000, 7, payload))
        made[-1]._data = frame  # type: ignore[attr-defined]
    return made


def protected(*epochs: int, frames: int = 3) -> list[bytes]:
    """VP8 delta frames of the device at leaf 0, so many of each epoch."""
    out = []
    for epoch in epochs:
        protector = keys_of(0, epoch).send.open_stream(Codec.VP8, Kind.CAMERA)
        out += [protector.protect(b"\x01 frame %d" % number) for number in range(frames)]
    return out


@pytest.mark.requirement("FRAME-14")
def test_frames_that_waited_come_in_order_with_what_they_came_with() -> None:
    def story(receiver: Receiver) -> None:
        for packet in packets(protected(3, 4)):
            receiver.buffer.add(packet)
        assert receiver.incoming.statistics.held == 6
        receiver.keys.install(frame_epoch(1, 3), now=0)
        receiver.frames.release()
        assert [frame.epoch for frame in receiver.opened] == [3, 3, 3]
        receiver.keys.install(frame_epoch(1, 4), now=0)
        receiver.frames.release()
        assert [(f.epoch, f.CTR) for f in receiver.opened] == [
            (e, n) for e in (3, 4) for n in range(3)
        ]
        assert receiver.incoming.statistics.opened == 6
        assert not receiver.incoming.statistics.rejected

    with_receiver(story, 2)


@pytest.mark.requirement("FRAME-13")
def test_a_frame_whose_key_does_not_come_is_rejected_and_a_key_frame_asked_for() -> None:
    def story(receiver: Receiver) -> None:
        came = packets([*protected(3), *protected(2)])
        for packet in came[:3]:
            receiver.buffer.add(packet)
        assert receiver.incoming.statistics.held == 2
        assert not receiver.incoming.key_frames.wanted
        receiver.time = 1_000
        receiver.buffer.add(came[3])
        assert receiver.incoming.statistics.rejected == {RejectReason.UNKNOWN_KEY: 2}
        assert receiver.incoming.key_frames.wanted

    with_receiver(story, 2)


@pytest.mark.requirement("CODEC-17")
def test_a_frame_under_the_payload_type_of_another_codec_is_dropped() -> None:
    """It is authentic, and its decoder would be the other codec's."""

    def story(receiver: Receiver) -> None:
        receiver.stream.choose(Codec.H264)
        for packet in packets(protected(2)):
            receiver.buffer.add(packet)
        assert receiver.incoming.statistics.rejected == {RtcReason.WRONG_CODEC: 3}
        assert not receiver.opened

    with_receiver(story, 2)


def test_a_frame_whose_beginning_was_missed_is_not_taken_for_a_forged_one() -> None:
    def story(receiver: Receiver) -> None:
        first, *others = packets(protected(2))
        descriptor = bytes(VpxPayloadDescriptor(partition_start=0, partition_id=0))
        first.payload = descriptor + first._data  # type: ignore[attr-defined]
        wants = [receiver.buffer.add(packet)[0] for packet in [first, *others]]
        assert receiver.incoming.statistics.rejected == {RtcReason.INCOMPLETE: 1}
        assert receiver.incoming.statistics.opened == 2
        assert wants == [False, True, True, True]

    with_receiver(story, 2)


@pytest.mark.requirement("FRAME-15")
def test_a_key_frame_is_asked_for_until_one_is_opened() -> None:
    protector = keys_of(0, 2).send.open_stream(Codec.VP8, Kind.CAMERA)
    delta, key = (first + b"picture of more than ten bytes" for first in (b"\x01", b"\x00"))
    frames = [protector.protect(frame) for frame in (delta, delta, key, delta, delta)]
    frames[0] = frames[0][:-1] + b"\x00"

    def story(receiver: Receiver) -> None:
        wants = [receiver.buffer.add(packet)[0] for packet in packets(frames)]
        # a frame is judged when the packet after it came
        assert wants == [False, True, True, False, False, False]
        assert receiver.incoming.statistics.rejected == {RejectReason.NOT_AUTHENTIC: 1}

    with_receiver(story, 2)


arbitrary_packets = st.lists(
    st.builds(
        RtpPacket,
        payload_type=st.just(97),
        sequence_number=st.integers(0, 0xFFFF) | st.integers(0, 8),
        timestamp=st.integers(0, 2**32 - 1) | st.integers(0, 4),
        payload=st.binary(max_size=60),
    ),
    max_size=40,
)


@pytest.mark.requirement("FRAME-11")
@settings(max_examples=100)
@given(arbitrary_packets)
def test_no_packet_makes_the_buffer_raise_or_let_a_frame_through(came: list[RtpPacket]) -> None:
    """What it raised would close the whole transport."""

    def story(receiver: Receiver) -> None:
        for packet in came:
            try:
                packet._data = depayload(VP8, packet.payload) if packet.payload else b""  # type: ignore[attr-defined]
            except ValueError:
                continue  # aiortc drops these before
            assert receiver.buffer.add(packet)[1] is None
        assert receiver.opened == []
        assert receiver.incoming.statistics.rejected.get(RtcReason.INTERNAL) is None

    with_receiver(story, 2)


def test_even_a_packet_that_is_none_does_not_make_the_buffer_raise() -> None:
    def story(receiver: Receiver) -> None:
        nothing: Any = None
        assert receiver.buffer.add(nothing) == (True, None)
        assert receiver.incoming.statistics.rejected == {RtcReason.INTERNAL: 1}

    with_receiver(story, 2)


@pytest.mark.requirement("FRAME-15")
@given(st.lists(st.integers(0, 2_000), min_size=1, max_size=100))
def test_at_most_two_requests_are_sent_in_any_second(pauses: list[int]) -> None:
    time, sent = 0, []
    requests = KeyFrameRequests(lambda: time)
    for pause in pauses:
        time += pause
        if requests.permit():
            sent.append(time)
    assert all(later - earlier >= 1_000 for earlier, later in zip(sent, sent[2:], strict=False))
    assert requests.sent == len(sent) > 0


def test_a_request_that_may_not_be_sent_yet_is_not_forgotten() -> None:
    time = 0
    requests = KeyFrameRequests(lambda: time)
    assert requests.permit()
    requests.satisfied()
    assert not requests.wanted
    assert not requests.permit()
    assert requests.wanted


def test_a_picture_begins_with_a_key_frame() -> None:
    """A decoder that lacks what came before is given nothing until then, and one is asked for."""

    def story(receiver: Receiver) -> None:
        incoming, protector = (
            receiver.incoming,
            keys_of(0, 2).send.open_stream(Codec.VP8, Kind.CAMERA),
        )
        key_frame = bytes(10)  # bit 0 of the first byte is 0
        frames = [b"\x01 1", b"\x01 2", key_frame, b"\x01 4", b"\x01 5"]
        wanted = []
        for packet in packets([protector.protect(frame) for frame in frames]):
            receiver.buffer.add(packet)
            wanted.append(incoming.key_frames.wanted)
        assert wanted == [False, True, True, False, False, False]
        assert incoming.statistics.withheld == 2
        assert incoming.statistics.opened == 5

    with_receiver(story, 2)


def test_a_key_frame_that_is_opened_and_not_shown_is_no_more_asked_for() -> None:
    def story(receiver: Receiver) -> None:
        receiver.incoming.withhold(withheld=True)
        receiver.incoming.key_frames.want()
        protector = keys_of(0, 2).send.open_stream(Codec.VP8, Kind.CAMERA)
        for packet in packets([protector.protect(bytes(10))]):
            receiver.buffer.add(packet)
        assert receiver.incoming.statistics.withheld == 1
        assert not receiver.incoming.key_frames.wanted

    with_receiver(story, 2)


def test_what_waited_where_another_stream_comes_now_goes_to_nobody() -> None:
    def story(receiver: Receiver) -> None:
        for packet in packets(protected(3)):
            receiver.buffer.add(packet)
        receiver.buffer.detach()
        receiver.keys.install(frame_epoch(1, 3), now=0)
        receiver.frames.release()
        assert receiver.stream.opened == 3
        assert receiver.opened == []

    with_receiver(story, 2)
