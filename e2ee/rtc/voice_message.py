"""The sound of a voice message (LETTER-5): from a track or a file, and into a file that players open.

    audio = await record_voice(microphone, seconds=30)        what ``VoiceMessage.audio`` holds
    audio = read_voice(Path("greeting.wav"))
    write_voice(audio, Path("message.ogg"))                   ``FileSource`` plays it, too

The bit rate is constant, since length tells of what is said (LETTER-5).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.packet import Packet
from av.stream import Stream

from e2ee.call.voice_audio import PACKET_DURATION, join_packets, split_packets
from e2ee.rtc.conversion import SAMPLE_RATE, SAMPLES_PER_FRAME
from e2ee.rtc.errors import NotPlayable

__all__ = ["LONGEST", "read_voice", "record_voice", "write_voice"]

LONGEST = 150.0
"""Seconds: what fits into a letter (SIG-3), with room to spare."""

_BIT_RATE = 32_000
_TIME_BASE = Fraction(1, SAMPLE_RATE)


async def record_voice(track: MediaStreamTrack, seconds: float) -> bytes:
    """So many seconds of ``track``, ``LONGEST`` at most, or all that it has. Raises NotPlayable if that is nothing."""
    encoder, packets, wanted = _VoiceEncoder(), list[bytes](), _count(min(seconds, LONGEST))
    try:
        while len(packets) < wanted:
            frame = await track.recv()
            if isinstance(frame, AudioFrame):
                packets += await asyncio.to_thread(encoder.encode, frame)
    except MediaStreamError:
        pass
    if not packets:
        raise NotPlayable("no sound came")
    return join_packets(packets[:wanted])


def read_voice(path: Path) -> bytes:
    """All of a file's first sound. Raises NotPlayable, also if it lasts for more than ``LONGEST`` seconds."""
    encoder, packets = _VoiceEncoder(), list[bytes]()
    try:
        with av.open(f"file:{path}", options={"protocol_whitelist": "file"}) as container:
            for frame in container.decode(container.streams.audio[:1]):
                if isinstance(frame, AudioFrame):
                    packets += encoder.encode(frame)
                if len(packets) > _count(LONGEST):
                    raise NotPlayable(f"longer than {LONGEST:.0f} seconds")
    except av.FFmpegError as error:
        raise NotPlayable(f"{path.name}: {error.strerror}") from None
    if not packets:
        raise NotPlayable(f"{path.name} has no sound")
    return join_packets(packets)


def write_voice(audio: bytes, path: Path) -> None:
    """Write a voice message as an Ogg file, nothing encoded again. Raises DecodeError, OSError."""
    packets = split_packets(audio)
    with av.open(str(path), "w", format="ogg") as container:
        # An encoder's stream, for the OpusHead that its header has; it encodes nothing.
        stream: Stream = container.add_stream("libopus", rate=SAMPLE_RATE, layout="mono")
        for number, data in enumerate(packets):
            packet: Packet[Stream] = Packet(data)
            packet.stream, packet.time_base = stream, _TIME_BASE
            packet.pts = packet.dts = number * SAMPLES_PER_FRAME
            packet.duration = SAMPLES_PER_FRAME
            container.mux_one(packet)


def _count(seconds: float) -> int:
    return int(seconds * 1000 / PACKET_DURATION)


class _VoiceEncoder:
    """Any sound as mono Opus, a packet for each 20 ms that are whole.

    By CELT alone (``lowdelay``): at a constant bit rate libopus pads the packets of its speech coder, and one that is padded
    is not of the one form that LETTER-5 allows.
    """

    def __init__(self) -> None:
        encoder = AudioCodecContext.create("libopus", "w")
        encoder.sample_rate, encoder.layout, encoder.format = SAMPLE_RATE, "mono", "s16"
        encoder.bit_rate, encoder.time_base = _BIT_RATE, _TIME_BASE
        encoder.options = {
            "application": "lowdelay",
            "vbr": "off",
            "frame_duration": str(PACKET_DURATION),
        }
        self._encoder = encoder
        self._resampler = AudioResampler("s16", "mono", SAMPLE_RATE, SAMPLES_PER_FRAME)
        self._next = 0

    def encode(self, frame: AudioFrame) -> list[bytes]:
        """The packets that are complete with this frame."""
        frame.pts = None
        return [
            bytes(packet) for part in self._parts(frame) for packet in self._encoder.encode(part)
        ]

    def _parts(self, frame: AudioFrame) -> Iterator[AudioFrame]:
        for part in self._resampler.resample(frame):
            part.pts, part.time_base = self._next, _TIME_BASE
            self._next += part.samples
            yield part
