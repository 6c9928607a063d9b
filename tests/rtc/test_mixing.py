"""Several tracks of sound as one: all of them are heard, whoever comes and goes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError

from e2ee.rtc.meters import ToneMeter, first_channel
from e2ee.rtc.mixing import Mixer
from e2ee.rtc.sources import Tone

FREQUENCIES = (440.0, 1_000.0)


def strengths(samples: np.ndarray[Any, Any]) -> list[float]:
    """How much of each frequency is in it, full scale being 1."""
    times = np.arange(samples.size) / 48_000
    return [
        float(abs(np.mean(samples * np.exp(-2j * np.pi * frequency * times)))) * 2 / 32_768
        for frequency in FREQUENCIES
    ]


async def heard(mixer: Mixer, frames: int) -> list[float]:
    samples = [first_channel(await mixer.recv()) for _ in range(frames)]
    return strengths(np.concatenate(samples).astype(float))


def run(story: Callable[[Mixer], Coroutine[Any, Any, None]]) -> None:
    async def told() -> None:
        mixer = Mixer()
        async with asyncio.timeout(30):
            await story(mixer)
        mixer.stop()
        with pytest.raises(MediaStreamError):
            await mixer.recv()

    asyncio.run(told())


def test_all_are_heard_until_they_are_left_out() -> None:
    async def story(mixer: Mixer) -> None:
        low, high = (Tone(frequency) for frequency in FREQUENCIES)
        assert max(await heard(mixer, 3)) == 0  # silence, and in time
        mixer.add(low)
        mixer.add(high)
        mixer.add(high)  # once is enough
        while min(await heard(mixer, 25)) < 0.15:
            pass
        mixer.remove(low)
        mixer.remove(low)
        while (strength := await heard(mixer, 25))[0] > 0.01:
            pass
        assert strength[1] > 0.15

    run(story)


def test_a_track_that_ends_is_silence() -> None:
    async def story(mixer: Mixer) -> None:
        tone = Tone(440)
        mixer.add(tone)
        while (await heard(mixer, 10))[0] < 0.15:
            pass
        tone.stop()
        while (await heard(mixer, 10))[0] > 0:
            pass

    run(story)


def test_it_is_a_track_like_any_other() -> None:
    async def story(mixer: Mixer) -> None:
        mixer.add(Tone(1_000))
        meter = ToneMeter()
        while meter.frames < 50:
            meter.hear(await mixer.recv())
        assert abs(meter.peak().frequency - 1_000) < 5

    run(story)
