"""What is sent: in real time, by the event loop's clock, with time stamps that a receiver can follow."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from e2ee.rtc.errors import NotPlayable
from e2ee.rtc.measure import is_tone, luma, psnr, read_number
from e2ee.rtc.meters import ToneMeter, luma_of
from e2ee.rtc.picture import picture
from e2ee.rtc.sources import FRAME_RATE, SAMPLE_RATE, FileSource, TestPicture, Tone


class _JumpingSelector(selectors.DefaultSelector):
    """Does not wait for the time that it is told to wait for, but lets it be over."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        events = super().select(0 if timeout else timeout)
        if not events and timeout:
            self.now += timeout
        return events


class FastLoop(asyncio.SelectorEventLoop):
    """An event loop with a time of its own, which only waiting lets pass."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def suspend(self, seconds: float) -> None:
        """As a laptop whose lid is closed."""
        self._jumping.now += seconds


def tell(story: Callable[[FastLoop], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, FastLoop)
        runner.run(story(loop))


async def frames_of(track: MediaStreamTrack | None, number: int = 1_000) -> list[Any]:
    """So many frames of a track, or as many as it has."""
    frames: list[Any] = []
    assert track is not None
    try:
        while len(frames) < number:
            frames.append(await track.recv())
    except MediaStreamError:
        pass
    return frames


def film(path: Path, pictures: int, size: tuple[int, int] = (640, 480), rate: int = 44_100) -> Path:
    """A file with so many test pictures, and a tone of 440 Hz that is as long."""
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("mpeg4", rate=FRAME_RATE)
        video.width, video.height, video.bit_rate = *size, 4_000_000
        audio: Any = container.add_stream("pcm_s16le", rate=rate)
        audio.layout = "mono"
        for number in range(pictures):
            frame = VideoFrame.from_ndarray(picture(number), "yuv420p").reformat(*size)
            frame.pts, frame.time_base = number, Fraction(1, FRAME_RATE)
            container.mux(video.encode(frame))
            first, end = (at * rate // FRAME_RATE for at in (number, number + 1))
            sine = 8000 * np.sin(2 * np.pi * 440 * np.arange(first, end) / rate)
            sound = AudioFrame.from_ndarray(sine.astype(np.int16).reshape(1, -1), "s16", "mono")
            sound.sample_rate, sound.pts, sound.time_base = rate, first, Fraction(1, rate)
            container.mux(audio.encode(sound))
        container.mux([*video.encode(None), *audio.encode(None)])
    return path


def test_the_test_picture_comes_thirty_times_a_second_in_order() -> None:
    async def story(loop: FastLoop) -> None:
        start = loop.time()
        frames = await frames_of(TestPicture(), 301)
        assert loop.time() - start == pytest.approx(10)
        assert [frame.pts for frame in frames] == [3000 * number for number in range(301)]
        for number in (0, 1, 300):
            assert read_number(luma_of(frames[number])) == number
            assert psnr(luma_of(frames[number]), luma(picture(number))) == 100

    tell(story)


def test_the_tone_comes_in_frames_of_20_ms() -> None:
    async def story(loop: FastLoop) -> None:
        start, meter = loop.time(), ToneMeter()
        frames = await frames_of(Tone(700), 101)
        assert loop.time() - start == pytest.approx(2)
        assert [frame.pts for frame in frames] == [960 * number for number in range(101)]
        for frame in frames:
            meter.hear(frame)
        assert is_tone(meter.peak(), 700)

    tell(story)


def test_a_source_goes_on_where_it_was_after_the_machine_was_suspended() -> None:
    async def story(loop: FastLoop) -> None:
        track = TestPicture()
        await frames_of(track, 10)
        loop.suspend(3600)
        start = loop.time()
        frames = await frames_of(track, 31)
        assert loop.time() - start == pytest.approx(1)
        assert read_number(luma_of(frames[0])) == 10

    tell(story)


def test_a_stopped_source_ends() -> None:
    async def story(_: FastLoop) -> None:
        for track in (TestPicture(), Tone(700)):
            await track.recv()
            track.stop()
            with pytest.raises(MediaStreamError):
                await track.recv()

    tell(story)


@pytest.mark.parametrize("rate", [44_100, 48_000, 16_000])
def test_a_file_plays_its_pictures_and_its_sound_in_real_time(tmp_path: Path, rate: int) -> None:
    async def story(loop: FastLoop) -> None:
        source = FileSource(film(tmp_path / "film.mkv", pictures=45, rate=rate))
        start = loop.time()
        pictures, sound = await asyncio.gather(frames_of(source.video), frames_of(source.audio))
        assert loop.time() - start == pytest.approx(1.5, abs=0.05)
        assert [read_number(luma_of(frame)) for frame in pictures] == list(range(45))
        assert [round(frame.time * 30) for frame in pictures] == list(range(45))
        assert len(sound) in (74, 75)
        assert {(frame.samples, frame.sample_rate) for frame in sound} == {(960, SAMPLE_RATE)}
        assert [after.pts - before.pts for before, after in pairwise(sound)] == [960] * (
            len(sound) - 1
        )
        meter = ToneMeter()
        for frame in sound:
            meter.hear(frame)
        assert is_tone(meter.peak(), 440)
        await source.close()

    tell(story)


def test_a_file_that_loops_begins_anew_without_turning_back_time(tmp_path: Path) -> None:
    async def story(_: FastLoop) -> None:
        source = FileSource(film(tmp_path / "film.mkv", pictures=10), loop=True)
        pictures, sound = await asyncio.gather(
            frames_of(source.video, 35), frames_of(source.audio, 55)
        )
        assert [read_number(luma_of(frame)) for frame in pictures] == [n % 10 for n in range(35)]
        for frames in (pictures, sound):
            assert all(0 < after.time - before.time < 0.05 for before, after in pairwise(frames))
        await source.close()
        with pytest.raises(MediaStreamError):
            await source.video.recv()  # type: ignore[union-attr]

    tell(story)


@pytest.mark.parametrize(
    ("size", "fitted"),
    [((1280, 720), (640, 360)), ((480, 960), (240, 480)), ((101, 77), (100, 76))],
)
def test_a_picture_is_scaled_down_to_fit_and_never_up(
    tmp_path: Path, size: tuple[int, int], fitted: tuple[int, int]
) -> None:
    async def story(_: FastLoop) -> None:
        source = FileSource(film(tmp_path / "film.mkv", pictures=1, size=size))
        [frame] = await frames_of(source.video)
        assert (frame.width, frame.height, frame.format.name) == (*fitted, "yuv420p")
        await source.close()

    tell(story)


def test_a_track_that_nobody_reads_neither_blocks_the_other_nor_fills_memory(
    tmp_path: Path,
) -> None:
    async def story(_: FastLoop) -> None:
        source = FileSource(film(tmp_path / "film.mkv", pictures=20), loop=True)
        assert len(await frames_of(source.audio, 250)) == 250
        waiting = await frames_of(source.video, 1)
        assert waiting[0].time > 2, "only the newest pictures were kept"
        await source.close()

    tell(story)


def test_a_file_with_sound_only_has_no_pictures(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("pcm_s16le", rate=SAMPLE_RATE)
        sound = AudioFrame.from_ndarray(np.zeros((1, 96_000), np.int16), "s16", "stereo")
        sound.sample_rate = SAMPLE_RATE
        container.mux(stream.encode(sound))

    async def story(_: FastLoop) -> None:
        source = FileSource(path)
        assert source.video is None
        assert len(await frames_of(source.audio)) == 50
        await source.close()

    tell(story)


PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize("content", [None, "", "neither pictures nor sound", PLAYLIST])
def test_what_cannot_be_played_says_so(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "film.m3u8"
    if content is not None:
        path.write_text(content)
    with pytest.raises(NotPlayable):
        FileSource(path)


def test_a_damaged_file_ends_where_the_damage_begins(tmp_path: Path) -> None:
    whole = film(tmp_path / "film.mkv", pictures=30).read_bytes()
    (tmp_path / "half.mkv").write_bytes(whole[: len(whole) // 2])

    async def story(_: FastLoop) -> None:
        source = FileSource(tmp_path / "half.mkv")
        assert 0 < len(await frames_of(source.video)) < 30
        await source.close()

    tell(story)
