"""Devices: what they show, and what is said of those that are not there. libavdevice's test sources stand in for them."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import av
import pytest
from aiortc.mediastreams import MediaStreamError
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from e2ee.rtc.capture import CapturedTrack, Device, camera, capture, microphone, reason_of, screen
from e2ee.rtc.errors import DeviceUnavailable, RtcReason
from e2ee.rtc.loudspeaker import Loudspeaker, Playout
from e2ee.rtc.meters import ToneMeter
from e2ee.rtc.sources import Tone

Until = Callable[[Callable[[], bool]], Awaitable[None]]

PICTURES = Device("lavfi", "testsrc=size=1280x720:rate=30,realtime")
SOUND = Device("lavfi", "sine=frequency=440:sample_rate=44100,arealtime")
SHORT = Device("lavfi", "sine=frequency=440:duration=0.1")


def tell(story: Callable[[], Awaitable[None]]) -> None:
    async def told() -> None:
        async with asyncio.timeout(30):
            await story()

    asyncio.run(told())


async def end(track: CapturedTrack) -> None:
    track.stop()
    await track.closed()


def test_pictures_come_in_the_size_of_a_call() -> None:
    async def story() -> None:
        track = capture(PICTURES)
        assert track.kind == "video"
        frames = [await track.recv() for _ in range(5)]
        assert all(isinstance(frame, VideoFrame) for frame in frames)
        assert {
            (f.width, f.height, f.format.name) for f in frames if isinstance(f, VideoFrame)
        } == {(640, 360, "yuv420p")}
        stamps = [frame.pts or 0 for frame in frames]
        assert stamps == sorted(set(stamps))
        await end(track)

    tell(story)


def test_sound_comes_as_an_encoder_takes_it() -> None:
    async def story() -> None:
        track, meter = capture(SOUND), ToneMeter()
        frames = [await track.recv() for _ in range(25)]
        for frame in frames:
            assert isinstance(frame, AudioFrame)
            assert (frame.sample_rate, frame.samples, frame.layout.name) == (48_000, 960, "stereo")
            meter.hear(frame)
        assert meter.peak().frequency == pytest.approx(440, abs=5)
        await end(track)

    tell(story)


def test_a_device_that_is_not_read_keeps_only_what_is_newest(until: Until) -> None:
    async def story() -> None:
        track = capture(SOUND)
        first = await track.recv()
        await until(lambda: len(track._frames) == CapturedTrack.WAITING)
        kept = track._frames[0].pts or 0
        await until(lambda: track._frames[0].pts != kept)
        oldest = await track.recv()
        assert (oldest.pts or 0) > kept > (first.pts or 0)
        await end(track)

    tell(story)


@pytest.mark.parametrize("device", [PICTURES, SOUND])
def test_a_device_is_let_go_of(device: Device) -> None:
    async def story() -> None:
        track = capture(device)
        await track.recv()
        waiting = asyncio.create_task(track.recv())
        await end(track)
        for read in (waiting, track.recv()):
            with pytest.raises(MediaStreamError):
                await read

    tell(story)


def test_a_device_that_ends_ends_its_track() -> None:
    async def story() -> None:
        track = capture(SHORT)
        await ToneMeter().listen(track)
        assert track.readyState == "ended"
        await track.closed()

    tell(story)


@pytest.mark.parametrize(
    "device",
    [camera("/dev/video-none"), microphone("nosuchdevice"), screen(":99"), camera("/dev/null")],
    ids=lambda device: f"{device.format} {device.name}",
)
def test_a_device_that_is_not_there_is_named(device: Device) -> None:
    async def story() -> None:
        with pytest.raises(DeviceUnavailable) as error:
            capture(device)
        assert error.value.reason is RtcReason.NO_DEVICE
        assert device.name in error.value.detail

    tell(story)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (errno.EBUSY, RtcReason.DEVICE_BUSY),
        (errno.EACCES, RtcReason.DEVICE_FORBIDDEN),
        (errno.ENODEV, RtcReason.NO_DEVICE),
        (errno.EIO, RtcReason.NO_DEVICE),
    ],
)
def test_why_a_device_cannot_be_opened(code: int, reason: RtcReason) -> None:
    assert reason_of(OSError(code, "")) is reason
    with pytest.raises(av.FFmpegError) as error:
        av.error.err_check(-code)
    assert reason_of(error.value) is reason


def test_alsa_finds_nothing_that_others_could_have_put_there() -> None:
    """PyAV's wheels bring an ALSA that looks for its configuration, and for code to load, below /tmp."""
    with pytest.raises(DeviceUnavailable):
        Loudspeaker("nosuchdevice")
    for name in ("ALSA_CONFIG_DIR", "ALSA_PLUGIN_DIR"):
        assert Path(os.environ[name]).is_relative_to("/usr")


needs_alsa = pytest.mark.skipif(
    not Path("/usr/share/alsa/alsa.conf").is_file(), reason="ALSA is not configured here"
)


@needs_alsa
def test_what_is_received_is_played(until: Until) -> None:
    """ALSA's "null" device takes everything at once."""

    async def story() -> None:
        loudspeaker, tone = Loudspeaker("null"), Tone(440.0)
        playing = asyncio.create_task(loudspeaker.play(tone))
        await until(lambda: loudspeaker.played >= 10)
        tone.stop()
        await playing
        assert loudspeaker.dropped == 0
        await loudspeaker.close()

    tell(story)


@needs_alsa
def test_a_microphone_is_read_through_alsa() -> None:
    async def story() -> None:
        track = capture(microphone("null"))
        frame: Any = await track.recv()
        assert (frame.sample_rate, frame.samples) == (48_000, 960)
        await end(track)

    tell(story)


def test_playing_begins_with_a_reserve_and_again_after_a_gap() -> None:
    playout = Playout()
    silences = [playout.silence_before(now, 0.02) for now in (10.0, 10.02, 10.04, 10.09, 10.3)]
    assert silences == [0.08, 0.0, 0.0, 0.0, 0.08]


def test_what_comes_too_late_to_be_played_soon_is_dropped() -> None:
    """A backlog would be a delay for the rest of the call."""
    playout = Playout()
    silences = [playout.silence_before(5.0, 0.02) for _ in range(50)]
    kept = [silence for silence in silences if silence is not None]
    assert 0.02 * len(kept) + 0.08 == pytest.approx(Playout.MOST, abs=0.03)
    assert playout.silence_before(5.3, 0.02) == 0.0
