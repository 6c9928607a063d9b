"""Makes the files of libopus, libvpx and libx264 in this folder anew: ``python -m e2ee.vectorgen.encoder_output.record``.

Other versions of the encoders make other bytes, and so other vectors: it is run when there is a reason to, not with the
vectors. Pictures are of 32 x 32 or 64 x 64 points, with gradients that move; sound is a tone of 440 Hz.
"""

from __future__ import annotations

import fractions
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext

__all__ = ["pictures", "write"]

_HERE = Path(__file__).parent
_LIBRARIES = (
    f"PyAV {av.__version__}, libavcodec {'.'.join(map(str, av.library_versions['libavcodec']))}"
)
_RATE = 48_000

Options = dict[str, str]

VIDEO: Mapping[str, tuple[str, str, str, int, Options]] = {
    "vp8-libvpx": ("VP8", "libvpx", "VP8", 32, {"deadline": "realtime", "cpu-used": "8"}),
    "vp9-libvpx": ("VP9", "libvpx-vp9", "VP9", 32, {"deadline": "realtime", "cpu-used": "8"}),
    "h264-libx264": (
        "H264",
        "libx264",
        "Baseline",
        32,
        {"level": "31", "tune": "zerolatency", "x264-params": "sliced-threads=0"},
    ),
    "h264-libx264-slices": (
        "H264",
        "libx264",
        "Baseline",
        64,
        {"level": "31", "tune": "zerolatency", "x264-params": "sliced-threads=0:slices=3:aud=1"},
    ),
    "h264-libx264-main": ("H264", "libx264", "Main", 32, {"x264-params": "bframes=2"}),
}
"""File -> codec, encoder, profile, width and height, options."""


def pictures(size: int, count: int = 4) -> Iterator[av.VideoFrame]:
    """Red and green rise to the right and downwards, and move; blue is their pattern."""
    y, x = np.mgrid[0:size, 0:size]
    for number in range(count):
        rgb = np.stack([x * 8 + number * 16, y * 8, (x ^ y) * 8], axis=-1) & 255
        frame = av.VideoFrame.from_ndarray(rgb.astype(np.uint8), format="rgb24")
        frame = frame.reformat(format="yuv420p")
        frame.pts, frame.time_base = number, fractions.Fraction(1, 30)
        yield frame


def _video(name: str) -> None:
    codec, encoder, profile, size, options = VIDEO[name]
    context = cast(VideoCodecContext, av.CodecContext.create(encoder, "w"))
    context.width = context.height = size
    context.bit_rate, context.pix_fmt = 40_000, "yuv420p"
    context.framerate, context.time_base = fractions.Fraction(30), fractions.Fraction(1, 30)
    context.options = dict(options)
    if codec == "H264":
        context.profile = profile
    packets = [packet for picture in pictures(size) for packet in context.encode(picture)]
    packets += context.encode(None)
    frames = [(packet.is_keyframe, bytes(packet)) for packet in packets]
    settings = f"{size} x {size}, profile {profile}, 40 kbit/s, {options}".replace("'", "")
    write(name, codec, f"{encoder} in {_LIBRARIES}", settings, frames)


def _audio() -> None:
    context = av.CodecContext.create("libopus", "w")
    context.sample_rate, context.layout, context.format = _RATE, "mono", "s16"
    context.bit_rate, context.time_base = 24_000, fractions.Fraction(1, _RATE)
    context.options = {"application": "voip", "vbr": "off", "fec": "1", "packet_loss": "10"}
    packets = []
    for number in range(3):
        time = (np.arange(960) + 960 * number) / _RATE
        sound = (np.sin(2 * np.pi * 440 * time) * 12_000).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(sound[None, :], format="s16", layout="mono")
        frame.sample_rate, frame.pts = _RATE, 960 * number
        packets += context.encode(frame)
    frames = [(False, bytes(packet)) for packet in packets]
    settings = "20 ms, mono, 24 kbit/s, constant bit rate, in-band FEC"
    write("opus-libopus", "opus", f"libopus in {_LIBRARIES}", settings, frames)


def write(
    name: str, codec: str, encoder: str, settings: str, frames: list[tuple[bool, bytes]]
) -> None:
    """Write the file ``name``. The frames are named by what they are and their place."""
    document = {
        "codec": codec,
        "encoder": encoder,
        "settings": settings,
        "frames": {
            _name(codec, number, is_key): data.hex() for number, (is_key, data) in enumerate(frames)
        },
    }
    (_HERE / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")


def _name(codec: str, number: int, is_key: bool) -> str:
    if codec == "opus":
        return f"frame-{number}"
    return f"key-frame-{number}" if is_key else f"delta-frame-{number}"


if __name__ == "__main__":
    for recording in VIDEO:
        _video(recording)
    _audio()
