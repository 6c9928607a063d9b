"""What somebody between the two devices would have, and how little it is: for demonstrations and tests.

A ``Tap`` is an observer that is handed to a ``MediaPeer`` on purpose, and to none in a real call: it remembers what
the own encoder made, which is plaintext. It stands where a forwarding server stands, after SRTP and before the
opener, and keeps every frame that came. What one device's encoder made and what the other device's tap saw are in
two processes, so each writes its ``TapLog``, and whoever started both puts them together:

    report = examine(sent=caller_log, captured=callee_log)

``leaking`` counts the captured frames in which any 16 consecutive bytes of the encoder's output, beyond what stays
clear, appear anywhere. That a picture or a sound comes out of a decoder says nothing (libopus turns most bytes
into noise), so what comes out is compared with what was sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import av
import numpy as np
from aiortc.codecs.base import Decoder
from aiortc.codecs.h264 import H264Decoder
from aiortc.codecs.opus import OpusDecoder
from aiortc.codecs.vpx import Vp8Decoder
from aiortc.jitterbuffer import JitterFrame
from av.audio.frame import AudioFrame
from av.frame import Frame
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from e2ee.media.codecs import AUDIO, split
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.rtc.measure import Peak, dominant_frequency, psnr
from e2ee.rtc.meters import first_channel, luma_of
from e2ee.rtc.observer import FrameObserver
from e2ee.rtc.sources import SAMPLE_RATE
from e2ee.tls_syntax import Opaque, Struct, Uint8, Uint32, struct, vector

__all__ = [
    "WINDOW",
    "CapturedFrame",
    "SentFrame",
    "Tap",
    "TapLog",
    "TapReport",
    "beyond_clear",
    "count_leaking",
    "examine",
]

WINDOW = 16
"""Consecutive bytes that are taken for plaintext where they appear again."""

_PIECE = WINDOW // 2

_DECODERS: Mapping[Codec, Callable[[], Decoder]] = {Codec.VP8: Vp8Decoder, Codec.H264: H264Decoder}
_MAX_LOG = 1 << 30


@struct
class SentFrame(Struct):
    """What an encoder made, and what left the device in its place."""

    kind: Uint8
    encoded: Opaque
    protected: Opaque


@struct
class CapturedFrame(Struct):
    """What came, and its RTP timestamp."""

    kind: Uint8
    timestamp: Uint32
    data: Opaque


@struct
class TapLog(Struct):
    """Everything that one tap saw, in order."""

    sent: Annotated[tuple[SentFrame, ...], vector(SentFrame.codec())]
    captured: Annotated[tuple[CapturedFrame, ...], vector(CapturedFrame.codec())]

    @classmethod
    def read(cls, data: bytes) -> TapLog:
        """A log that ``encode`` wrote, however long the call was. Raises DecodeError."""
        return cls.decode(data, max_size=_MAX_LOG)


class Tap(FrameObserver):
    """Keeps what passes one peer, in memory."""

    def __init__(self) -> None:
        self._sent: list[SentFrame] = []
        self._captured: list[CapturedFrame] = []

    def protected(self, kind: Kind, encoded: bytes, protected: bytes) -> None:
        self._sent.append(SentFrame(kind, encoded, protected))

    def received(self, kind: Kind, protected: bytes, timestamp: int) -> None:
        self._captured.append(CapturedFrame(kind, timestamp, protected))

    def log(self) -> TapLog:
        """What was seen so far."""
        return TapLog(tuple(self._sent), tuple(self._captured))


@dataclass(frozen=True)
class TapReport:
    """One direction of a call, as the tap has it."""

    frames: int
    """Frames that came."""
    foreign: int
    """Those among them that are not byte for byte what the other device sent."""
    leaking: int
    """Those in which bytes of the encoder's output appear."""
    pictures: int
    """Pictures that a decoder without keys made of all video frames."""
    psnr: float | None
    """The best of them, in dB against the picture that was sent; None without any."""
    sound: Peak
    """The strongest frequency that a decoder without keys made of all audio frames."""


def examine(sent: TapLog, captured: TapLog, video: Codec = Codec.VP8) -> TapReport:
    """Put together what one device sent and what the other's tap saw. ``video`` is the codec of the pictures."""
    frames = captured.captured
    known = {frame.protected: index for index, frame in enumerate(sent.sent)}
    pictures, psnr_of_best = _pictures_without_keys(sent.sent, frames, known, video)
    return TapReport(
        frames=len(frames),
        foreign=sum(frame.data not in known for frame in frames),
        leaking=count_leaking(
            [beyond_clear(frame, video) for frame in sent.sent], [frame.data for frame in frames]
        ),
        pictures=pictures,
        psnr=psnr_of_best,
        sound=_sound_without_keys(frames),
    )


def count_leaking(secrets: Sequence[bytes], frames: Iterable[bytes]) -> int:
    """How many ``frames`` have 16 consecutive bytes, anywhere, that are also in one of ``secrets``. Exact."""
    # 16 consecutive bytes of a secret hold a whole 8-byte piece, wherever they begin: only pieces are looked up.
    pieces = {
        secret[at : at + _PIECE]
        for secret in secrets
        for at in range(0, len(secret) - _PIECE + 1, _PIECE)
    }
    return sum(
        any(
            frame[at : at + _PIECE] in pieces and _shares_window(frame, at, secrets)
            for at in range(len(frame) - _PIECE + 1)
        )
        for frame in frames
    )


def _shares_window(frame: bytes, piece: int, secrets: Sequence[bytes]) -> bool:
    """Whether 16 bytes of ``frame`` around the piece at ``piece`` are in a secret."""
    first = max(0, piece + _PIECE - WINDOW)
    windows = (frame[at : at + WINDOW] for at in range(first, piece + 1))
    return any(
        len(window) == WINDOW and window in secret for window in windows for secret in secrets
    )


def beyond_clear(frame: SentFrame, video: Codec = Codec.VP8) -> bytes:
    """What of an encoder's frame must not be seen by anybody else."""
    codec = Codec.OPUS if frame.kind in AUDIO else video
    return split(codec, frame.encoded)[1]


def _pictures_without_keys(
    sent: Sequence[SentFrame],
    captured: Sequence[CapturedFrame],
    order: Mapping[bytes, int],
    video: Codec,
) -> tuple[int, float | None]:
    """How many pictures captured frames make, and the highest PSNR of one against what was sent."""
    decoder, reference = _DECODERS[video](), _Reference(sent, _DECODERS[video]())
    pictures, best = 0, None
    for frame in captured:
        if frame.kind != Kind.CAMERA:
            continue
        for picture in _decoded(decoder, frame.data):
            pictures += 1
            shown = reference.shown_by(order.get(frame.data, -1))
            if isinstance(picture, VideoFrame) and shown is not None:
                seen = luma_of(picture)
                if seen.shape == shown.shape:
                    best = max(best or 0.0, psnr(seen, shown))
    return pictures, best


def _sound_without_keys(captured: Sequence[CapturedFrame]) -> Peak:
    decoder = OpusDecoder()
    sound = [
        first_channel(frame)
        for capture in captured
        if capture.kind == Kind.MICROPHONE
        for frame in _decoded(decoder, capture.data)
        if isinstance(frame, AudioFrame)
    ]
    return dominant_frequency(
        np.concatenate(sound) if sound else np.empty(0, np.int16), SAMPLE_RATE
    )


class _Reference:
    """The pictures that the sender's frames show, one after the other."""

    def __init__(self, sent: Sequence[SentFrame], decoder: Decoder) -> None:
        self._decoder = decoder
        self._sent = sent
        self._next = 0
        self._shown: NDArray[np.uint8] | None = None

    def shown_by(self, index: int) -> NDArray[np.uint8] | None:
        """The luma plane after frame ``index``; the last one again for an earlier index."""
        for frame in self._sent[self._next : index + 1]:
            if frame.kind == Kind.CAMERA:
                for picture in _decoded(self._decoder, frame.encoded):
                    if isinstance(picture, VideoFrame):
                        self._shown = luma_of(picture)
        self._next = max(self._next, index + 1)
        return self._shown


def _decoded(decoder: Decoder, data: bytes) -> list[Frame]:
    """What a decoder makes of any bytes; often nothing. (No bytes would be the end of the stream for it.)"""
    try:
        return decoder.decode(JitterFrame(data, 0)) if data else []
    except av.FFmpegError:
        return []
