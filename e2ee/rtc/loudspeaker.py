"""Sound that is received, played: by PyAV, through ALSA (Linux).

    loudspeaker = Loudspeaker()                   raises DeviceUnavailable
    await loudspeaker.play(peer.track(Kind.MICROPHONE))
    await loudspeaker.close()

What comes over a network comes unevenly, and a device plays evenly. ``Playout`` keeps the two 80 ms apart: that much
silence is played first, and again whenever there was nothing left to play.
"""

from __future__ import annotations

import asyncio

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from e2ee.rtc.alsa import use_system_alsa
from e2ee.rtc.capture import reason_of
from e2ee.rtc.conversion import AUDIO_TIME_BASE, SAMPLE_RATE, Sound
from e2ee.rtc.errors import DeviceUnavailable

__all__ = ["Loudspeaker", "Playout"]


class Playout:
    """How far what was given to a device is ahead of what it has played. Times are in seconds."""

    AHEAD = 0.08
    """What there is to play when playing begins: three lost packets are waited for so long, and some are late."""
    MOST = 0.4
    """More than that is not kept: what comes then is late for good, and dropped."""

    def __init__(self) -> None:
        self._until = 0.0

    def silence_before(self, now: float, duration: float) -> float | None:
        """How much silence to play before sound of ``duration`` that came ``now``; None: it is not to be played."""
        ahead = self._until - now
        if ahead > self.MOST:
            return None
        silence = 0.0 if ahead > 0 else self.AHEAD
        self._until = max(self._until, now) + silence + duration
        return silence


class Loudspeaker:
    """A PCM device of ALSA ("default", "plughw:0,0" and so on; ``aplay -L`` lists them). Raises DeviceUnavailable."""

    def __init__(self, name: str = "default") -> None:
        use_system_alsa()
        try:
            self._container = av.open(name, "w", format="alsa")
            self._stream: AudioStream = self._container.add_stream(
                "pcm_s16le", rate=SAMPLE_RATE, layout="stereo"
            )
            self._container.start_encoding()
        except av.FFmpegError as error:
            raise DeviceUnavailable(reason_of(error), f"alsa {name}") from error
        self._sound = Sound()
        self._written = 0
        self.played = 0
        """Frames of 20 ms that were given to the device."""
        self.dropped = 0
        """Frames that came when too much waited already."""

    async def play(self, track: MediaStreamTrack) -> None:
        """Play this track until it ends."""
        playout, loop = Playout(), asyncio.get_running_loop()
        while True:
            try:
                received = await track.recv()
            except MediaStreamError:
                return
            if not isinstance(received, AudioFrame):
                continue
            for frame in self._sound.resampled(received, 0.0):
                silence = playout.silence_before(loop.time(), frame.samples / SAMPLE_RATE)
                if silence is None:
                    self.dropped += 1
                    continue
                await asyncio.to_thread(self._write, _silence(silence) if silence else None, frame)
                self.played += 1

    async def close(self) -> None:
        """Let go of the device."""
        await asyncio.to_thread(self._container.close)

    def _write(self, *frames: AudioFrame | None) -> None:
        for frame in frames:
            if frame is None:
                continue
            frame.pts, frame.time_base = self._written, AUDIO_TIME_BASE
            self._written += frame.samples
            for packet in self._stream.encode(frame):
                self._container.mux(packet)


def _silence(duration: float) -> AudioFrame:
    samples = np.zeros((1, 2 * round(duration * SAMPLE_RATE)), np.int16)
    frame = AudioFrame.from_ndarray(samples, "s16", "stereo")
    frame.sample_rate = SAMPLE_RATE
    return frame
