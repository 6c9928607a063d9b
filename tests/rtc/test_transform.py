"""Encoders that protect and jitter buffers that open: what goes wrong with a frame stays with that frame."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection
from aiortc.codecs import depayload
from aiortc.codecs.vpx import VpxPayloadDescriptor
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import RtpPacket
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from e2ee.crypto.secret import Secret
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.media.errors import MediaReason
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.frame_keys import FrameKeys
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener
from e2ee.media.protector import FrameProtector
from e2ee.media.reasons import RejectReason
from e2ee.rtc.errors import RtcReason
from e2ee.rtc.observer import FrameObserver
from e2ee.rtc.picture import picture
from e2ee.rtc.transform import (
    KeyFrameRequests,
    OpeningJitterBuffer,
    OutgoingFrames,
    ReceivedFrames,
    encrypting_encoder,
)
from e2ee.sframe.cipher_suite import cipher_suite
from e2ee.sframe.counter import Counter
from e2ee.sframe.errors import SFrameReason
from e2ee.sframe.key_store import SendKey

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


def video_frame(number: int, size: tuple[int, int] = (640, 480)) -> VideoFrame:
    frame = VideoFrame.from_ndarray(picture(number), format="yuv420p").reformat(*size)
    frame.pts, frame.time_base = number * 3000, Fraction(1, 90_000)
    return frame


def audio_frame(number: int, samples: int = 960) -> AudioFrame:
    noise = np.random.default_rng(number).integers(-9000, 9000, (1, 2 * samples), dtype=np.int16)
    frame = AudioFrame.from_ndarray(noise, "s16", "stereo")
    frame.sample_rate, frame.pts, frame.time_base = 48_000, number * samples, Fraction(1, 48_000)
    return frame


def sent_frame(payloads: list[bytes], codec: Codec) -> bytes:
    """What a receiver reassembles of the payloads of one frame's packets."""
    return payloads[0] if codec is Codec.OPUS else b"".join(depayload(VP8, p) for p in payloads)


class Sender:
    """An encrypting encoder, with the opener of the device that it sends to."""

    def __init__(self, codec: Codec, kind: Kind, *epochs: int) -> None:
        self.keys = keys_of(0, *epochs)
        self.protector: FrameProtector = self.keys.send.open_stream(codec, kind)
        self.outgoing = OutgoingFrames(self.protector)
        self.encoder = encrypting_encoder(codec, self.outgoing)
        self.stream = IncomingStream(codec, kind)
        self.opener = FrameOpener(keys_of(1, 2, 3).receive)

    def send(self, frame: Any) -> bytes | None:
        """The frame as it is opened at the other end; None if nothing was sent."""
        payloads, _ = self.encoder.encode(frame)
        if not payloads:
            return None
        opened = self.opener.open(self.stream, sent_frame(payloads, self.stream.codec), 0)
        assert isinstance(opened, OpenedFrame)
        return opened.data


@pytest.fixture
def camera() -> Sender:
    return Sender(Codec.VP8, Kind.CAMERA, 2)


@pytest.fixture
def microphone() -> Sender:
    return Sender(Codec.OPUS, Kind.MICROPHONE, 2)


def is_key_frame(frame: bytes | None) -> bool:
    assert frame is not None
    return not frame[0] & 1


@pytest.mark.requirement("FRAME-1")
def test_every_packet_carries_a_part_of_a_protected_frame(camera: Sender) -> None:
    decoder = av.CodecContext.create("libvpx", "r")
    for number in range(5):
        opened = camera.send(video_frame(number))
        assert opened is not None
        assert len(decoder.decode(av.Packet(opened))) == 1
    assert camera.outgoing.statistics.frames == 5
    assert not camera.outgoing.statistics.dropped


def test_every_packet_of_sound_has_one_size_whatever_is_said(microphone: Sender) -> None:
    """aiortc's own encoder varies it, and the size of a packet tells what is said."""
    silence = AudioFrame.from_ndarray(np.zeros((1, 1920), np.int16), "s16", "stereo")
    silence.sample_rate, silence.pts, silence.time_base = 48_000, 0, Fraction(1, 48_000)
    sizes = set()
    for number in range(20):
        sound = audio_frame(number) if number % 3 else silence
        sound.pts = number * 960
        opened = microphone.send(sound)
        assert opened is not None
        sizes.add(len(opened))
    assert len(sizes) == 1


def test_a_second_packet_under_one_timestamp_is_not_sent(microphone: Sender) -> None:
    """The receiver would join both, and neither would open."""
    payloads, _ = microphone.encoder.encode(audio_frame(0, samples=1920))
    assert len(payloads) == 1


@pytest.mark.requirement("FRAME-1")
@pytest.mark.parametrize(
    ("codec", "kind"), [(Codec.VP8, Kind.CAMERA), (Codec.OPUS, Kind.MICROPHONE)]
)
def test_without_a_key_there_is_no_packet(codec: Codec, kind: Kind) -> None:
    sender = Sender(codec, kind)
    frame = video_frame if codec is Codec.VP8 else audio_frame
    assert [sender.send(frame(number)) for number in range(3)] == [None, None, None]
    assert sender.send("no frame at all") is None, "and the encoder is not even asked"
    assert sender.outgoing.statistics.dropped == {MediaReason.NO_SEND_KEY: 4}
    sender.keys.install(frame_epoch(0, 2), now=0)
    sender.keys.acknowledged(1, 2, now=0)
    assert sender.send(frame(3)) is not None
    assert sender.outgoing.statistics.frames == 1


def test_after_a_frame_that_was_not_sent_the_next_one_is_a_key_frame(camera: Sender) -> None:
    assert is_key_frame(camera.send(video_frame(0)))
    assert not is_key_frame(camera.send(video_frame(1)))
    camera.keys.send.erase()
    assert camera.send(video_frame(2)) is None
    camera.keys.install(frame_epoch(0, 3), now=0)
    camera.keys.acknowledged(1, 3, now=0)
    assert is_key_frame(camera.send(video_frame(3)))
    assert not is_key_frame(camera.send(video_frame(4)))


@pytest.mark.requirement("FKEY-16")
def test_an_epoch_that_added_somebody_begins_with_a_key_frame(camera: Sender) -> None:
    camera.send(video_frame(0))
    camera.keys.install(frame_epoch(0, 3, added=frozenset({1})), now=0)
    camera.keys.acknowledged(1, 3, now=0)
    assert is_key_frame(camera.send(video_frame(1)))
    assert not is_key_frame(camera.send(video_frame(2)))


def test_a_key_frame_is_made_on_demand(camera: Sender) -> None:
    camera.send(video_frame(0))
    payloads, _ = camera.encoder.encode(video_frame(1), force_keyframe=True)
    opened = camera.opener.open(camera.stream, sent_frame(payloads, Codec.VP8), 0)
    assert isinstance(opened, OpenedFrame)
    assert is_key_frame(opened.data)


def test_an_encoder_that_fails_costs_one_frame(camera: Sender, microphone: Sender) -> None:
    """The exception would end aiortc's sender for good."""
    camera.send(video_frame(0))
    assert camera.send(audio_frame(1)) is None
    assert microphone.send(video_frame(0)) is None
    for sender in (camera, microphone):
        assert sender.outgoing.statistics.dropped == {RtcReason.ENCODER_FAILED: 1}
    assert is_key_frame(camera.send(video_frame(2)))
    assert microphone.send(audio_frame(1)) is not None


@pytest.mark.requirement("FKEY-4")
def test_an_ended_counter_ends_what_is_sent_and_not_the_sender() -> None:
    protector = FrameProtector(Codec.OPUS, Kind.MICROPHONE, 0)
    protector.use(SendKey.derive(cipher_suite(4), 2, bytes(16), Counter(3)))
    outgoing = OutgoingFrames(protector)
    encoder = encrypting_encoder(Codec.OPUS, outgoing)
    sent = [len(encoder.encode(audio_frame(number))[0]) for number in range(5)]
    assert sent == [1, 1, 1, 0, 0]
    assert outgoing.statistics.dropped == {SFrameReason.COUNTER_EXHAUSTED: 2}


@pytest.mark.requirement("FRAME-1")
def test_whatever_goes_wrong_while_protecting_nothing_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sender = Sender(Codec.OPUS, Kind.MICROPHONE, 1)

    def fail(_frame: bytes) -> bytes:
        raise MemoryError

    monkeypatch.setattr(FrameProtector, "protect", lambda _self, frame: fail(frame))
    assert sender.encoder.encode(audio_frame(0))[0] == []
    assert sender.outgoing.statistics.dropped == {RtcReason.INTERNAL: 1}
    assert sender.outgoing.statistics.frames == 0


class Receiver:
    """An opening jitter buffer around a real receiver, and what it let through."""

    def __init__(self, *epochs: int) -> None:
        self.time = 0
        self.keys = keys_of(1, *epochs)
        self.opened: list[OpenedFrame] = []
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        transceiver = connection.addTransceiver("video")
        self.stream = IncomingStream(Codec.VP8, Kind.CAMERA, sender=0)
        opener = FrameOpener(self.keys.receive)
        self.frames = ReceivedFrames(opener, lambda: self.time, _Collector(self.opened))
        self.buffer: OpeningJitterBuffer = self.frames.attach(transceiver.receiver, self.stream)


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
    """One packet for each frame, and one more that says that the last one is complete."""
    made = []
    for number, frame in enumerate([*frames, b"\x01"]):
        payload = bytes(VpxPayloadDescriptor(partition_start=1, partition_id=0)) + frame
        made.append(RtpPacket(97, 1, number, number * 3000, 7, payload))
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
        assert receiver.buffer.statistics.held == 6
        receiver.keys.install(frame_epoch(1, 3), now=0)
        receiver.frames.release()
        assert [frame.epoch for frame in receiver.opened] == [3, 3, 3]
        receiver.keys.install(frame_epoch(1, 4), now=0)
        receiver.frames.release()
        assert [(f.epoch, f.CTR) for f in receiver.opened] == [
            (e, n) for e in (3, 4) for n in range(3)
        ]
        assert receiver.buffer.statistics.opened == 6
        assert not receiver.buffer.statistics.rejected

    with_receiver(story, 2)


@pytest.mark.requirement("FRAME-13")
def test_a_frame_whose_key_does_not_come_is_rejected_and_a_key_frame_asked_for() -> None:
    def story(receiver: Receiver) -> None:
        came = packets([*protected(3), *protected(2)])
        for packet in came[:3]:
            receiver.buffer.add(packet)
        assert receiver.buffer.statistics.held == 2
        assert not receiver.buffer.key_frames.wanted
        receiver.time = 1_000
        receiver.buffer.add(came[3])
        assert receiver.buffer.statistics.rejected == {RejectReason.UNKNOWN_KEY: 2}
        assert receiver.buffer.key_frames.wanted

    with_receiver(story, 2)


def test_a_frame_whose_beginning_was_missed_is_not_taken_for_a_forged_one() -> None:
    def story(receiver: Receiver) -> None:
        first, *others = packets(protected(2))
        descriptor = bytes(VpxPayloadDescriptor(partition_start=0, partition_id=0))
        first.payload = descriptor + first._data  # type: ignore[attr-defined]
        wants = [receiver.buffer.add(packet)[0] for packet in [first, *others]]
        assert receiver.buffer.statistics.rejected == {RtcReason.INCOMPLETE: 1}
        assert receiver.buffer.statistics.opened == 2
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
        assert receiver.buffer.statistics.rejected == {RejectReason.NOT_AUTHENTIC: 1}

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
        assert receiver.buffer.statistics.rejected.get(RtcReason.INTERNAL) is None

    with_receiver(story, 2)


def test_even_a_packet_that_is_none_does_not_make_the_buffer_raise() -> None:
    def story(receiver: Receiver) -> None:
        nothing: Any = None
        assert receiver.buffer.add(nothing) == (True, None)
        assert receiver.buffer.statistics.rejected == {RtcReason.INTERNAL: 1}

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
