"""Voice messages: speech from any file with sound, and back into a file that players open.

The bit rate is constant, since length tells of what is said (LETTER-5).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.packet import Packet
from av.stream import Stream

from e2ee.call.voice_audio import PACKET_DURATION, join_packets, split_packets
from e2ee.rtc.errors import NotPlayable

__all__ = ["LONGEST", "read_voice", "write_voice"]

_RATE = 48_000
_SAMPLES = _RATE * PACKET_DURATION // 1000
_BIT_RATE = 24_000

LONGEST = 150
"""Seconds: what fits into a letter (SIG-3), with room to spare."""


def read_voice(path: Path) -> bytes:
    """The ``audio`` of a voice message, from a file's first sound. Raises NotPlayable."""
    try:
        with av.open(f"file:{path}", options={"protocol_whitelist": "file"}) as container:
            if not container.streams.audio:
                raise NotPlayable(f"{path} has no sound")
            packets = list(_encoded(container.decode(container.streams.audio[0])))
    except av.FFmpegError as error:
        raise NotPlayable(f"{path}: {error.strerror}") from None
    if not packets:
        raise NotPlayable(f"{path} has no sound")
    return join_packets(packets)


def _encoded(frames: Iterator[AudioFrame]) -> Iterator[bytes]:
    resampler = AudioResampler("s16", "mono", _RATE, _SAMPLES)
    encoder = _encoder()
    count = 0
    for frame in frames:
        frame.pts = None
        for part in resampler.resample(frame):
            if part.samples < _SAMPLES:
                return  # less than 20 ms are left
            part.pts, part.time_base = count * _SAMPLES, Fraction(1, _RATE)
            count += 1
            if count > LONGEST * 1000 // PACKET_DURATION:
                raise NotPlayable(f"longer than {LONGEST} seconds")
            yield from map(bytes, encoder.encode(part))


def _encoder() -> AudioCodecContext:
    encoder = AudioCodecContext.create("libopus", "w")
    encoder.format, encoder.layout, encoder.sample_rate = "s16", "mono", _RATE
    encoder.bit_rate, encoder.time_base = _BIT_RATE, Fraction(1, _RATE)
    encoder.options = {"application": "voip", "vbr": "off", "frame_duration": str(PACKET_DURATION)}
    return encoder


def write_voice(audio: bytes, path: Path) -> None:
    """Write a voice message as an Ogg file. Raises DecodeError, OSError."""
    packets = split_packets(audio)
    with av.open(str(path), "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=_RATE, layout="mono")
        for number, data in enumerate(packets):
            packet: Packet[Stream] = Packet(data)
            packet.pts = packet.dts = number * _SAMPLES
            packet.time_base, packet.stream = Fraction(1, _RATE), stream
            packet.duration = _SAMPLES
            container.mux_one(packet)
