"""The way of a frame from a track to the network.

    OutgoingTrack -> EncryptingVp8Encoder | EncryptingH264Encoder | EncryptingOpusEncoder -> RTP      (an executor thread)
                     encode, FrameProtector.protect, packetise

An exception that leaves an encoder ends aiortc's sender for good: so none does. What goes wrong with a frame is
counted, the frame is not sent (none is that is not protected), and the own encoder makes a key frame next.

What a stream sends can be replaced, stopped and begun again at any time. Nothing of what was there before leaves the
device after ``stop``, not even what was in the encoder (CODEC-8); each beginning is a new encoder's, with a key frame,
and goes on in the RTP time that passed meanwhile.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from aiortc.codecs.base import Encoder
from av.frame import Frame

from e2ee.aiortc_seams import (
    TransformingH264Encoder,
    TransformingOpusEncoder,
    TransformingVp8Encoder,
)
from e2ee.errors import LocalProtocolError, Reason
from e2ee.media.encoded_frame import Codec
from e2ee.media.errors import MediaReason
from e2ee.media.protector import FrameProtector
from e2ee.rtc.clock import CLOCK_RATE, Clock
from e2ee.rtc.errors import RtcReason
from e2ee.rtc.observer import NOBODY, FrameObserver

__all__ = [
    "EncryptingH264Encoder",
    "EncryptingOpusEncoder",
    "EncryptingVp8Encoder",
    "OutgoingFrames",
    "SendStatistics",
    "encrypting_encoder",
]


@dataclass(frozen=True)
class SendStatistics:
    """What one stream sent: frames, their bytes after protection, and frames that it did not send.

    ``protecting`` is the CPU time, in seconds, that protecting took.
    """

    frames: int
    bytes: int
    dropped: Mapping[Reason, int]
    protecting: float


Encoded = tuple[list[bytes], int]
"""What aiortc's encoders return: payloads of RTP packets, and their timestamp."""

_NOTHING: Encoded = ([], 0)


class RestartingEncoder(Protocol):
    """An encoder that can begin anew."""

    def restart(self) -> None:
        """Forget all that was encoded."""


class OutgoingFrames:
    """The frames that one stream sends, over one connection after the other.

    ``encode`` and ``protect`` run in the encoder's thread, one frame at a time; the rest belongs to the event loop.
    """

    def __init__(
        self, protector: FrameProtector, clock: Clock, observer: FrameObserver = NOBODY
    ) -> None:
        self.protector = protector
        self._observer = observer
        self._flows = False
        self._begins = False
        self._broken = True
        """The receiver's picture lacks a frame: the next one must not depend on what came before."""
        self._time = _RtpTime(clock, CLOCK_RATE[protector.codec])
        self._frames = 0
        self._bytes = 0
        self._protecting = 0
        self._dropped: Counter[Reason] = Counter()

    @property
    def statistics(self) -> SendStatistics:
        """What was sent so far."""
        return SendStatistics(
            self._frames, self._bytes, dict(self._dropped), self._protecting / 1e9
        )

    def begin(self) -> None:
        """The next frame to encode is the first of another track. No frame is being encoded now."""
        self._flows = self._begins = True

    def stop(self) -> None:
        """Let nothing out until ``begin``, not even the frame that is being encoded now."""
        self._flows = False

    def encode(
        self,
        encoder: RestartingEncoder,
        encode: Callable[[Frame, bool], Encoded],
        frame: Frame,
        key_frame: bool,
    ) -> Encoded:
        """Let ``encode`` make a frame, and ``protect`` what comes of it; without a key, let it rest."""
        if not self.protector.ready:
            self._drop(MediaReason.NO_SEND_KEY)
            return _NOTHING
        if self._begins:
            self._begins = False
            self._broken = True
            self._time.restart()
            encoder.restart()
        # FKEY-16; and after a frame that was not sent, the next one cannot depend on it.
        wanted = self.protector.takes_key_frame() or self._broken or key_frame
        self._broken = False
        try:
            payloads, timestamp = encode(frame, wanted)
        except Exception:  # noqa: BLE001 - whatever a codec raises would end the sender
            self._drop(RtcReason.ENCODER_FAILED)
            return _NOTHING
        if not payloads:
            self._broken = wanted or self._broken
            return _NOTHING
        return payloads, self._time.at(timestamp)

    def protect(self, encoded: bytes) -> bytes | None:
        """The protected frame, or None: nothing may be sent (FRAME-1)."""
        if not self._flows:  # CODEC-8
            return None
        began = time.thread_time_ns()
        try:
            protected = self.protector.protect(encoded)
        except LocalProtocolError as error:
            self._drop(error.reason)
            return None
        except Exception:  # noqa: BLE001 - it would end the sender
            self._drop(RtcReason.INTERNAL)
            return None
        self._protecting += time.thread_time_ns() - began
        self._frames += 1
        self._bytes += len(protected)
        self._observer.protected(self.protector.kind, encoded, protected)
        return protected

    def _drop(self, reason: Reason) -> None:
        self._dropped[reason] += 1
        self._broken = True


class _RtpTime:
    """Timestamps of tracks that follow each other, each of which begins where it likes, as the time of one stream."""

    def __init__(self, clock: Clock, rate: int) -> None:
        self._clock = clock
        self._rate = rate
        self._began = clock()
        self._last = 0
        self._shift: int | None = None

    def restart(self) -> None:
        """The next timestamp is another track's first."""
        self._shift = None

    def at(self, timestamp: int) -> int:
        if self._shift is None:
            passed = (self._clock() - self._began) * self._rate // 1_000
            self._shift = max(passed, self._last + self._rate // 50) - timestamp
        self._last = timestamp + self._shift
        return self._last


class EncryptingVp8Encoder(TransformingVp8Encoder):
    """VP8 whose packets carry protected frames, or do not exist."""

    def __init__(self, outgoing: OutgoingFrames) -> None:
        super().__init__(outgoing.protect)
        self._outgoing = outgoing

    def encode(self, frame: Frame, force_keyframe: bool = False) -> Encoded:
        return self._outgoing.encode(self, super().encode, frame, force_keyframe)


class EncryptingH264Encoder(TransformingH264Encoder):
    """H.264 whose packets carry protected frames, or do not exist."""

    def __init__(self, outgoing: OutgoingFrames) -> None:
        super().__init__(outgoing.protect)
        self._outgoing = outgoing

    def encode(self, frame: Frame, force_keyframe: bool = False) -> Encoded:
        return self._outgoing.encode(self, super().encode, frame, force_keyframe)


class EncryptingOpusEncoder(TransformingOpusEncoder):
    """Opus whose packets carry protected frames, or do not exist."""

    def __init__(self, outgoing: OutgoingFrames) -> None:
        super().__init__(outgoing.protect)
        self._outgoing = outgoing

    def encode(self, frame: Frame, force_keyframe: bool = False) -> Encoded:
        return self._outgoing.encode(self, super().encode, frame, force_keyframe)


_ENCODERS: dict[Codec, Callable[[OutgoingFrames], Encoder]] = {
    Codec.VP8: EncryptingVp8Encoder,
    Codec.H264: EncryptingH264Encoder,
    Codec.OPUS: EncryptingOpusEncoder,
}


def encrypting_encoder(codec: Codec, outgoing: OutgoingFrames) -> Encoder:
    """The encoder of a sender."""
    return _ENCODERS[codec](outgoing)
