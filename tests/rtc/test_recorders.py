"""A recording: the frames that were opened, byte for byte, in a file that plays."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from aiortc.codecs.opus import OpusEncoder
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.rtc.measure import is_tone
from e2ee.rtc.meters import PictureMeter, ToneMeter
from e2ee.rtc.picture import picture
from e2ee.rtc.recorders import Recorder
from e2ee.sframe.mls import KeyId
from e2ee.vectorgen.encoder_output import RECORDINGS

BEGIN = 1_700_000_000_000


@pytest.fixture(scope="module")
def vp8() -> list[bytes]:
    """Thirty encoded test pictures; the first and the sixteenth are key frames."""
    encoder: Any = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 640, 480, "yuv420p"
    encoder.time_base, encoder.gop_size = Fraction(1, 30), 15
    encoder.options = {"deadline": "realtime", "cpu-used": "-6", "lag-in-frames": "0"}
    frames = []
    for number in range(30):
        frame = VideoFrame.from_ndarray(picture(number), "yuv420p")
        frame.pts = number
        frames += [bytes(packet) for packet in encoder.encode(frame)]
    return frames


@pytest.fixture(scope="module")
def opus() -> list[bytes]:
    """A second of a tone of 1,000 Hz."""
    encoder, frames = OpusEncoder(), []
    for number in range(50):
        time = (960 * number + np.arange(960)) / 48_000
        samples = (8000 * np.sin(2 * np.pi * 1000 * time)).astype(np.int16)
        frame = AudioFrame.from_ndarray(np.repeat(samples, 2).reshape(1, -1), "s16", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, 960 * number, Fraction(1, 48_000)
        frames += encoder.encode(frame)[0]
    return frames


Frame = tuple[int, Codec, bytes, int]
"""When it arrived (ms after the beginning), what it is, and its RTP timestamp."""


def pictures(frames: Iterable[bytes], first_timestamp: int = 0, delay: int = 0) -> list[Frame]:
    return [
        (delay + i * 100 // 3, Codec.VP8, frame, (first_timestamp + 3000 * i) % 2**32)
        for i, frame in enumerate(frames)
    ]


def sounds(frames: Iterable[bytes], first_timestamp: int = 0) -> list[Frame]:
    return [
        (i * 20, Codec.OPUS, frame, (first_timestamp + 960 * i) % 2**32)
        for i, frame in enumerate(frames)
    ]


def record(path: Path, frames: list[Frame]) -> Path:
    recorder = Recorder(path)
    for at, codec, data, timestamp in sorted(frames, key=lambda frame: frame[0]):
        kind = Kind.MICROPHONE if codec is Codec.OPUS else Kind.CAMERA
        opened = OpenedFrame(codec, data, KeyId(kind, 0, 0, 2), 2, 0)
        recorder.opened(kind, opened, timestamp, BEGIN + at)
    recorder.close()
    return path


def packets(path: Path) -> dict[str, list[Any]]:
    """The packets of a file by the name of their codec."""
    with av.open(str(path)) as container:
        found: dict[str, list[Any]] = {stream.codec.name: [] for stream in container.streams}
        for packet in container.demux():
            if packet.size:
                found[packet.stream.codec.name].append(packet)
        return found


def test_a_recording_holds_what_was_opened_byte_for_byte(
    tmp_path: Path, vp8: list[bytes], opus: list[bytes]
) -> None:
    found = packets(record(tmp_path / "call.webm", pictures(vp8) + sounds(opus)))
    assert [bytes(packet) for packet in found["vp8"]] == vp8
    assert [bytes(packet) for packet in found["opus"]] == opus
    assert [packet.is_keyframe for packet in found["vp8"]] == [not frame[0] & 1 for frame in vp8]


def test_a_recording_plays(tmp_path: Path, vp8: list[bytes], opus: list[bytes]) -> None:
    path = record(tmp_path / "call.webm", pictures(vp8) + sounds(opus))
    seen, heard = PictureMeter(), ToneMeter()
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.width, video.height) == (640, 480)
        assert (audio.rate, audio.channels) == (48_000, 2)
        resampler = av.AudioResampler("s16", "stereo", 48_000)
        for frame in container.decode(video, audio):
            seen.see(frame)
            if isinstance(frame, AudioFrame):
                for resampled in resampler.resample(frame):
                    heard.hear(resampled)
    assert seen.numbers == list(range(30))
    assert seen.psnr is not None
    assert seen.psnr > 30
    assert is_tone(heard.peak(), 1000)


@pytest.mark.parametrize("recording", ["h264-libx264", "h264-libx264-slices", "h264-chromium"])
def test_pictures_in_h264_are_recorded_too(
    tmp_path: Path, opus: list[bytes], recording: str
) -> None:
    """In the file each NAL unit is behind its length in place of a start code."""
    frames = [*RECORDINGS[recording].frames.values()]
    received = [frames[-1], *frames]  # joined before the key frame
    shown = [(at, Codec.H264, data, time) for at, _, data, time in pictures(received)]
    path = record(tmp_path / "call.webm", shown + sounds(opus))
    units = [[unit.rstrip(b"\0") for unit in frame.split(b"\0\0\1")[1:]] for frame in frames]
    assert [length_prefixed(bytes(packet)) for packet in packets(path)["h264"]] == units
    with av.open(str(path)) as container:
        assert len([*container.decode(video=0)]) == len(frames)


def length_prefixed(data: bytes) -> list[bytes]:
    units = []
    while data:
        size = int.from_bytes(data[:4], "big")
        units.append(data[4 : 4 + size])
        data = data[4 + size :]
    return units


def test_a_frame_of_another_codec_than_the_file_has_is_left_out(
    tmp_path: Path, vp8: list[bytes]
) -> None:
    other = [(2_000, Codec.H264, RECORDINGS["h264-libx264"].frames["key-frame-0"], 180_000)]
    path = record(tmp_path / "call.webm", pictures(vp8) + other)
    assert {name: len(found) for name, found in packets(path).items()} == {"vp8": 30, "opus": 0}


@pytest.mark.parametrize("first", [0, 12_345, 2**32 - 10_000])
def test_media_time_follows_rtp_timestamps_across_their_wrap(
    tmp_path: Path, vp8: list[bytes], first: int
) -> None:
    found = packets(record(tmp_path / "call.webm", pictures(vp8, first_timestamp=first)))
    times = [float(packet.pts * packet.time_base) for packet in found["vp8"]]
    assert times == pytest.approx([number / 30 for number in range(30)], abs=0.001)


def test_streams_are_in_step_with_when_they_arrived(
    tmp_path: Path, vp8: list[bytes], opus: list[bytes]
) -> None:
    """RTP timestamps of two streams have nothing to do with each other; pictures come half a second after sound."""
    frames = pictures(vp8, first_timestamp=999, delay=500) + sounds(opus, first_timestamp=5_000_000)
    found = packets(record(tmp_path / "call.webm", frames))
    starts = {codec: float(found[codec][0].pts * found[codec][0].time_base) for codec in found}
    assert starts["vp8"] - starts["opus"] == pytest.approx(0.5, abs=0.01)
    assert len(found["opus"]) == 50, "the sound before the first picture is kept"


def test_a_recording_begins_with_a_key_frame(tmp_path: Path, vp8: list[bytes]) -> None:
    found = packets(record(tmp_path / "call.webm", pictures(vp8[5:])))
    assert [bytes(packet) for packet in found["vp8"]] == vp8[15:]


@pytest.mark.parametrize(
    ("codec", "hostile"),
    [
        (Codec.H264, "00000165888040"),  # no parameter set
        (Codec.H264, "0000016742e01fff00000165888040"),  # one that says nothing
        (Codec.VP8, "1000009d012a00000000" + "00" * 20),  # no width, no height
    ],
)
def test_a_key_frame_that_says_no_size_does_not_end_the_recording(
    tmp_path: Path, vp8: list[bytes], opus: list[bytes], codec: Codec, hostile: str
) -> None:
    """Its sender protected it, and could spare itself from being recorded so, and everybody else."""
    good = [*RECORDINGS["h264-libx264"].frames.values()] if codec is Codec.H264 else vp8
    received = pictures([bytes.fromhex(hostile), *good])
    shown = [(at, codec, data, time) for at, _, data, time in received]
    found = packets(record(tmp_path / "call.webm", shown + sounds(opus)))
    assert len(found[codec.lower()]) == len(good)
    assert len(found["opus"]) == len(opus)


def test_a_frame_that_is_not_after_the_last_one_is_left_out(
    tmp_path: Path, vp8: list[bytes]
) -> None:
    frames = pictures(vp8)
    frames[3] = (frames[3][0], Codec.VP8, frames[3][2], frames[2][3])
    found = packets(record(tmp_path / "call.webm", frames))
    assert [bytes(packet) for packet in found["vp8"]] == vp8[:3] + vp8[4:]


def test_a_call_without_pictures_is_recorded_as_sound(tmp_path: Path, opus: list[bytes]) -> None:
    found = packets(record(tmp_path / "call.webm", sounds(opus)))
    assert {codec: len(each) for codec, each in found.items()} == {"opus": 50}


def test_a_recording_of_sound_alone_keeps_nothing_back(tmp_path: Path, opus: list[bytes]) -> None:
    recorder = Recorder(tmp_path / "voice.webm", picture=None)
    for number, data in enumerate(opus):
        opened = OpenedFrame(Codec.OPUS, data, KeyId(Kind.MICROPHONE, 0, 0, 2), 2, number)
        recorder.opened(Kind.MICROPHONE, opened, 960 * number, BEGIN + 20 * number)
        assert recorder.path.exists()
    recorder.close()
    assert [bytes(packet) for packet in packets(recorder.path)["opus"]] == opus


def test_a_call_in_which_nothing_was_opened_leaves_no_file(tmp_path: Path) -> None:
    assert not record(tmp_path / "call.webm", []).exists()


def test_what_is_opened_after_the_end_does_not_begin_another_file(
    tmp_path: Path, vp8: list[bytes]
) -> None:
    recorder = Recorder(tmp_path / "call.webm")
    recorder.close()
    opened = OpenedFrame(Codec.VP8, vp8[0], KeyId(Kind.CAMERA, 0, 0, 2), 2, 0)
    recorder.opened(Kind.CAMERA, opened, 0, BEGIN)
    recorder.close()
    assert not recorder.path.exists()


@pytest.mark.parametrize("jump", [2**31, 2**32 - 500_000])
def test_a_recording_goes_on_over_another_connection(
    tmp_path: Path, vp8: list[bytes], jump: int
) -> None:
    """Its timestamps begin somewhere else, here after ten seconds without any."""
    later = [
        (at + 11_000, codec, data, (timestamp + jump) % 2**32)
        for at, codec, data, timestamp in pictures(vp8)
    ]
    found = packets(record(tmp_path / "call.webm", pictures(vp8) + later))
    assert [bytes(packet) for packet in found["vp8"]] == vp8 + vp8
    times = [float(packet.pts * packet.time_base) for packet in found["vp8"]]
    expected = [number / 30 for number in range(30)]
    assert times == pytest.approx(expected + [11 + time for time in expected], abs=0.04)


def test_the_screen_is_another_recording(tmp_path: Path, vp8: list[bytes]) -> None:
    recorders = [
        Recorder(tmp_path / f"{kind.name}.webm", kind) for kind in (Kind.CAMERA, Kind.SCREEN_VIDEO)
    ]
    for recorder in recorders:
        for number, data in enumerate(vp8):
            kind = (Kind.CAMERA, Kind.SCREEN_VIDEO)[number >= 15]
            opened = OpenedFrame(Codec.VP8, data, KeyId(kind, 0, 0, 2), 2, number)
            recorder.opened(kind, opened, 3000 * number, BEGIN + number * 100 // 3)
        recorder.close()
    camera, screen = (packets(recorder.path)["vp8"] for recorder in recorders)
    assert [bytes(packet) for packet in camera] == vp8[:15]
    assert [bytes(packet) for packet in screen] == vp8[15:]
