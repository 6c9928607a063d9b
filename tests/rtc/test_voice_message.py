"""A voice message is recorded, is a letter's audio, and can be heard again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError
from av.audio.frame import AudioFrame

from e2ee.call.voice_audio import split_packets
from e2ee.errors import DecodeError
from e2ee.rtc.errors import NotPlayable
from e2ee.rtc.measure import dominant_frequency, is_tone
from e2ee.rtc.meters import first_channel
from e2ee.rtc.sources import FileSource, Tone
from e2ee.rtc.voice_message import read_voice, record_voice, write_voice


@pytest.mark.requirement("LETTER-5")
def test_what_was_said_is_heard(tmp_path: Path) -> None:
    async def recorded() -> bytes:
        return await record_voice(Tone(440), 0.5)

    audio = asyncio.run(recorded())
    packets = split_packets(audio)
    assert len(packets) == 25
    assert len({len(packet) for packet in packets}) == 1  # length would tell of what is said
    write_voice(audio, tmp_path / "message.ogg")

    async def played() -> list[np.ndarray]:
        source = FileSource(tmp_path / "message.ogg")
        assert source.audio is not None
        heard = []
        try:
            while True:
                heard.append(first_channel(await source.audio.recv()))  # type: ignore[arg-type]
        except MediaStreamError:
            await source.close()
            return heard

    heard = np.concatenate(asyncio.run(played()))
    assert len(heard) >= 0.4 * 48_000
    assert is_tone(dominant_frequency(heard, 48_000), 440)


class Ending(Tone):
    """A sound of five frames, of 20 ms each."""

    left = 5

    async def recv(self) -> AudioFrame:
        if not self.left:
            self.stop()
        self.left -= 1
        return await super().recv()


def test_a_track_that_ends_early_is_a_short_message() -> None:
    async def recorded() -> bytes:
        return await record_voice(Ending(440), 60)

    assert len(split_packets(asyncio.run(recorded()))) in range(3, 6)


class Speech(Tone):
    """Loud, quiet and silent in turn, like speech, and never the same."""

    async def recv(self) -> AudioFrame:
        frame = await super().recv()
        turn = (frame.pts or 0) // 960 % 20
        loudness = (0, 0.01, 1)[turn // 8]
        samples = np.random.default_rng(turn).normal(0, 9000, (1, 1920)) * loudness
        spoken = AudioFrame.from_ndarray(
            samples.clip(-32768, 32767).astype(np.int16), "s16", "stereo"
        )
        spoken.sample_rate = frame.sample_rate
        return spoken


@pytest.mark.requirement("LETTER-5")
def test_silence_is_as_long_as_speech() -> None:
    async def recorded() -> bytes:
        return await record_voice(Speech(440), 1)

    assert {len(packet) for packet in split_packets(asyncio.run(recorded()))} == {80}


@pytest.mark.requirement("LETTER-5")
def test_a_file_is_a_message(tmp_path: Path) -> None:
    async def recorded() -> bytes:
        return await record_voice(Tone(440), 0.2)

    write_voice(asyncio.run(recorded()), tmp_path / "greeting.ogg")
    assert len(split_packets(read_voice(tmp_path / "greeting.ogg"))) in range(8, 11)


def test_no_sound_is_no_message(tmp_path: Path) -> None:
    async def recorded() -> bytes:
        track = Tone(440)
        track.stop()
        return await record_voice(track, 60)

    noise = tmp_path / "noise.wav"
    noise.write_bytes(b"no sound")
    with pytest.raises(NotPlayable):
        asyncio.run(recorded())
    with pytest.raises(NotPlayable):
        read_voice(noise)
    with pytest.raises(NotPlayable):
        read_voice(tmp_path / "nothing.wav")
    with pytest.raises(DecodeError):
        write_voice(b"", tmp_path / "message.ogg")
