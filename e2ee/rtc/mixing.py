"""Several members' sound as one track, to be played or sent on.

    mixer = Mixer()
    mixer.add(track), mixer.remove(track)
    await loudspeaker.play(mixer)

It goes by the clock: every 20 ms what has come of each is added up. What comes too early waits, a little; who is late is not
waited for.
"""

from __future__ import annotations

import asyncio
from collections import deque

import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from e2ee.rtc.conversion import AUDIO_TIME_BASE, SAMPLE_RATE, SAMPLES_PER_FRAME, Sound
from e2ee.rtc.sources import Pace

__all__ = ["Mixer"]

_WAITING = 5
"""Frames of one member that wait: 100 ms. Of more than that the oldest are dropped."""

_FULL_SCALE = 32_767


class _Input:
    """One track, read as fast as it comes."""

    def __init__(self, track: MediaStreamTrack) -> None:
        self._frames: deque[NDArray[np.int16]] = deque(maxlen=_WAITING)
        self._sound = Sound()
        self.reading = asyncio.ensure_future(self._read(track))

    async def _read(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            if isinstance(frame, AudioFrame):
                for each in self._sound.resampled(frame, 0.0):
                    self._frames.append(np.asarray(each.to_ndarray()[0], np.int16))

    def next(self) -> NDArray[np.int16] | None:
        return self._frames.popleft() if self._frames else None


class Mixer(MediaStreamTrack):
    """See the module. Yields 20 ms of 48 kHz stereo in real time, silence if nobody says anything. Ends by ``stop``."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._inputs: dict[MediaStreamTrack, _Input] = {}
        self._pace = Pace()
        self._number = 0

    def add(self, track: MediaStreamTrack) -> None:
        """Take in a track, until it ends or is removed."""
        if track not in self._inputs:
            self._inputs[track] = _Input(track)

    def remove(self, track: MediaStreamTrack) -> None:
        """Leave it out again."""
        if (taken := self._inputs.pop(track, None)) is not None:
            taken.reading.cancel()

    async def recv(self) -> AudioFrame:
        """The next 20 ms."""
        if self.readyState != "live":
            raise MediaStreamError
        number, self._number = self._number, self._number + 1
        await self._pace.until(number * SAMPLES_PER_FRAME / SAMPLE_RATE)
        total = np.zeros(2 * SAMPLES_PER_FRAME, np.int32)
        for each in self._inputs.values():
            if (samples := each.next()) is not None:
                total[: samples.size] += samples
        mixed = np.clip(total, -_FULL_SCALE, _FULL_SCALE).astype(np.int16).reshape(1, -1)
        frame = AudioFrame.from_ndarray(mixed, "s16", "stereo")
        frame.sample_rate, frame.time_base = SAMPLE_RATE, AUDIO_TIME_BASE
        frame.pts = number * SAMPLES_PER_FRAME
        return frame

    def stop(self) -> None:
        """End it, and read no track any more."""
        super().stop()
        for track in list(self._inputs):
            self.remove(track)
