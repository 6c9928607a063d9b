"""What a tap finds: everything where nothing is protected, nothing where everything is."""

from __future__ import annotations

import os
from fractions import Fraction

import numpy as np
import pytest
from aiortc.codecs.opus import OpusEncoder
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from hypothesis import given
from hypothesis import strategies as st

from e2ee.aiortc_seams import TransformingVp8Encoder
from e2ee.media.encoded_frame import Kind
from e2ee.rtc.measure import is_tone
from e2ee.rtc.picture import picture
from e2ee.rtc.tap import WINDOW, CapturedFrame, SentFrame, Tap, TapLog, count_leaking, examine

TONE = 1000


@pytest.fixture(scope="module")
def encoded() -> list[tuple[Kind, bytes]]:
    """Ten pictures and half a second of a tone, as encoders make them."""
    frames: list[tuple[Kind, bytes]] = []

    def keep(frame: bytes) -> bytes:
        frames.append((Kind.CAMERA, frame))
        return frame

    camera, microphone = TransformingVp8Encoder(keep), OpusEncoder()
    for number in range(10):
        image = VideoFrame.from_ndarray(picture(number), "yuv420p")
        image.pts, image.time_base = number * 3000, Fraction(1, 90_000)
        camera.encode(image)
    for number in range(25):
        time = (960 * number + np.arange(960)) / 48_000
        samples = (8000 * np.sin(2 * np.pi * TONE * time)).astype(np.int16)
        sound = AudioFrame.from_ndarray(np.repeat(samples, 2).reshape(1, -1), "s16", "stereo")
        sound.sample_rate, sound.pts, sound.time_base = 48_000, 960 * number, Fraction(1, 48_000)
        frames += [(Kind.MICROPHONE, packet) for packet in microphone.encode(sound)[0]]
    return frames


def logs(frames: list[tuple[Kind, bytes, bytes]]) -> tuple[TapLog, TapLog]:
    """The logs of two taps between which these frames (kind, encoded, protected) passed."""
    sender, receiver = Tap(), Tap()
    for timestamp, (kind, frame, protected) in enumerate(frames):
        sender.protected(kind, frame, protected)
        receiver.received(kind, protected, timestamp)
    return sender.log(), receiver.log()


def test_frames_that_are_not_protected_are_found_out(encoded: list[tuple[Kind, bytes]]) -> None:
    sent, captured = logs([(kind, frame, frame) for kind, frame in encoded])
    report = examine(sent, captured)
    assert report.frames == report.leaking == len(encoded)
    assert report.foreign == 0
    assert report.pictures == 10
    assert report.psnr is not None
    assert report.psnr > 90
    assert is_tone(report.sound, TONE)


def test_frames_that_are_protected_say_nothing(encoded: list[tuple[Kind, bytes]]) -> None:
    def protected(kind: Kind, frame: bytes) -> bytes:
        clear = 0 if kind is Kind.MICROPHONE else 1 if frame[0] & 1 else 10
        return frame[:clear] + os.urandom(len(frame) - clear + 20)

    sent, captured = logs([(kind, frame, protected(kind, frame)) for kind, frame in encoded])
    report = examine(sent, captured)
    assert (report.frames, report.foreign, report.leaking) == (len(encoded), 0, 0)
    assert report.psnr is None or report.psnr < 12
    assert not is_tone(report.sound, TONE)


def test_one_frame_in_the_clear_among_many_is_found_out(encoded: list[tuple[Kind, bytes]]) -> None:
    frames = [(kind, frame, os.urandom(len(frame))) for kind, frame in encoded]
    kind, frame, _ = frames[7]
    frames[7] = (kind, frame, os.urandom(40) + frame[10 : 10 + WINDOW] + os.urandom(40))
    assert examine(*logs(frames)).leaking == 1


def test_a_frame_that_nobody_sent_is_foreign(encoded: list[tuple[Kind, bytes]]) -> None:
    sent, captured = logs([(kind, frame, os.urandom(60)) for kind, frame in encoded])
    injected = CapturedFrame(Kind.CAMERA, 0, os.urandom(60))
    report = examine(sent, TapLog((), (*captured.captured, injected)))
    assert report.foreign == 1


def test_a_call_in_which_nothing_passed_says_nothing() -> None:
    report = examine(*logs([]))
    assert (report.frames, report.leaking, report.pictures, report.psnr) == (0, 0, 0, None)
    assert report.sound.purity == 0


@given(
    st.binary(min_size=WINDOW, max_size=200),
    st.data(),
    st.binary(max_size=50),
    st.binary(max_size=50),
)
def test_any_window_is_found_wherever_it_appears(
    secret: bytes, data: st.DataObject, before: bytes, after: bytes
) -> None:
    start = data.draw(st.integers(0, len(secret) - WINDOW))
    frame = before + secret[start : start + WINDOW] + after
    assert count_leaking([b"", b"other", secret], [frame]) == 1


@given(st.lists(st.binary(max_size=60)), st.lists(st.binary(max_size=60)))
def test_what_is_counted_is_exactly_what_a_plain_search_counts(
    secrets: list[bytes], frames: list[bytes]
) -> None:
    windows = {s[i : i + WINDOW] for s in secrets for i in range(len(s) - WINDOW + 1)}
    expected = sum(
        any(f[i : i + WINDOW] in windows for i in range(len(f) - WINDOW + 1)) for f in frames
    )
    assert count_leaking(secrets, frames) == expected


@given(st.binary(min_size=WINDOW - 1, max_size=WINDOW - 1))
def test_fifteen_bytes_are_no_leak(secret: bytes) -> None:
    assert count_leaking([secret], [secret + secret]) == 0


sent_frames = st.builds(
    SentFrame, st.sampled_from([0, 1]), st.binary(max_size=99), st.binary(max_size=99)
)
captured_frames = st.builds(
    CapturedFrame, st.sampled_from([0, 1]), st.integers(0, 2**32 - 1), st.binary(max_size=99)
)


@given(st.lists(sent_frames), st.lists(captured_frames))
def test_a_log_is_read_as_it_was_written(
    sent: list[SentFrame], captured: list[CapturedFrame]
) -> None:
    log = TapLog(tuple(sent), tuple(captured))
    assert TapLog.read(log.encode()) == log
