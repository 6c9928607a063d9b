"""Encoders that protect: what goes wrong with a frame stays with that frame, and nothing leaves unprotected."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from aiortc.codecs import depayload
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from e2ee.crypto.secret import Secret
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.media.errors import MediaReason
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.frame_keys import FrameKeys
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener
from e2ee.media.protector import FrameProtector
from e2ee.rtc.errors import RtcReason
from e2ee.rtc.outgoing import OutgoingFrames, encrypting_encoder
from e2ee.rtc.picture import picture
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
        self.time = 0
        self.outgoing = OutgoingFrames(self.protector, lambda: self.time)
        self.outgoing.begin()
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
    outgoing = OutgoingFrames(protector, lambda: 0)
    outgoing.begin()
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


@pytest.mark.requirement("CODEC-8")
@pytest.mark.parametrize(
    ("codec", "kind"), [(Codec.VP8, Kind.CAMERA), (Codec.OPUS, Kind.MICROPHONE)]
)
def test_what_is_in_the_encoder_when_a_stream_stops_is_not_sent(codec: Codec, kind: Kind) -> None:
    sender = Sender(codec, kind, 2)
    frame = video_frame if codec is Codec.VP8 else audio_frame
    assert sender.send(frame(0)) is not None
    sender.outgoing.stop()
    assert sender.encoder.encode(frame(1))[0] == []
    assert sender.outgoing.protect(b"what was encoded meanwhile") is None
    assert sender.outgoing.statistics.frames == 1
    assert sender.protector.protected == 1, "and no counter is used up"
    sender.outgoing.begin()
    assert sender.send(frame(0)) is not None


def test_nothing_is_sent_before_there_is_a_track() -> None:
    keys = keys_of(0, 2)
    outgoing = OutgoingFrames(keys.send.open_stream(Codec.OPUS, Kind.MICROPHONE), lambda: 0)
    assert encrypting_encoder(Codec.OPUS, outgoing).encode(audio_frame(0))[0] == []


@pytest.mark.parametrize(
    ("codec", "kind", "period"),
    [(Codec.VP8, Kind.CAMERA, 3000), (Codec.OPUS, Kind.MICROPHONE, 960)],
)
def test_another_track_goes_on_in_the_time_of_the_first(
    codec: Codec, kind: Kind, period: int
) -> None:
    """Each track counts from where it likes; the stream's timestamps never go back, and follow the clock."""
    sender = Sender(codec, kind, 2)
    frame = video_frame if codec is Codec.VP8 else audio_frame
    rate = {Codec.VP8: 90, Codec.OPUS: 48}[codec]

    def stamps(*numbers: int) -> list[int]:
        return [sender.encoder.encode(frame(number))[1] for number in numbers]

    first = stamps(500, 501)
    assert first[1] - first[0] == pytest.approx(period, abs=1)  # libav's rounding
    sender.time = 10_000
    sender.outgoing.begin()
    assert stamps(0, 1, 2) == pytest.approx([10_000 * rate + period * i for i in range(3)], abs=1)
    sender.outgoing.begin()  # at once: the clock did not go on
    [at_once] = stamps(77)
    assert at_once > 10_000 * rate + 2 * period


def test_another_track_begins_with_a_key_frame_of_its_own_size(camera: Sender) -> None:
    decoder = av.CodecContext.create("libvpx", "r")
    for size in ((640, 480), (320, 240)):
        camera.outgoing.begin()
        opened = camera.send(video_frame(0, size))
        assert is_key_frame(opened)
        [shown] = decoder.decode(av.Packet(opened or b""))
        assert isinstance(shown, VideoFrame)
        assert (shown.width, shown.height) == size
        assert not is_key_frame(camera.send(video_frame(1, size)))


def test_it_is_known_what_protecting_takes(camera: Sender) -> None:
    for number in range(5):
        camera.send(video_frame(number))
    assert 0 < camera.outgoing.statistics.protecting < 1
