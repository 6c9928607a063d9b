"""What somebody who was removed can do who forgets nothing: keep every frame key, and try them on all that is sent later.

The platform helps: it hands over every frame that the others sent, as they left their devices. No rule of a client stands
in the way (replays, late frames, who may speak): what is tried here are keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated

from e2ee.client.media import STREAMS
from e2ee.crypto.errors import OpenError
from e2ee.media.codecs import clear_length_of
from e2ee.media.encoded_frame import Kind
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.frame_keys import FrameKeys
from e2ee.rtc.observer import FrameObserver
from e2ee.sframe.encryption import decrypt
from e2ee.sframe.errors import HeaderError
from e2ee.sframe.header import decode_header
from e2ee.sframe.key_store import ReceiveKey
from e2ee.sframe.replay import ReplayWindow
from e2ee.system_clock import Clock
from e2ee.tls_syntax import Opaque, Struct, Uint8, Uint64, struct, vector

__all__ = ["Hoard", "SentFrame", "SentFrames", "Tried"]

_MAX_LOG = 1 << 30


@struct
class SentFrame(Struct):
    """A protected frame and when it left its device, in Unix milliseconds."""

    kind: Uint8
    at: Uint64
    protected: Opaque


@struct
class _Log(Struct):
    frames: Annotated[tuple[SentFrame, ...], vector(SentFrame.codec())]


class SentFrames(FrameObserver):
    """Keeps what a device sends, in memory, and what of it was in the clear before."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._frames: list[SentFrame] = []

    def protected(self, kind: Kind, encoded: bytes, protected: bytes) -> None:  # noqa: ARG002
        self._frames.append(SentFrame(kind, self._clock(), protected))

    def encode(self) -> bytes:
        """All of it, for ``read``."""
        return _Log(tuple(self._frames)).encode()

    @staticmethod
    def read(data: bytes) -> tuple[SentFrame, ...]:
        """What ``encode`` wrote."""
        return _Log.decode(data, max_size=_MAX_LOG).frames


@dataclass(frozen=True)
class Tried:
    """How many frames were tried, and how many of those that left before and after a time were opened."""

    tried: int
    opened_before: int
    opened_after: int


@dataclass
class Hoard:
    """Every epoch's keys, of which ``frame_keys`` makes the device's: nothing in it is ever erased."""

    _epochs: list[FrameEpoch] = field(default_factory=list, repr=False)

    def frame_keys(self) -> FrameKeys:
        """Frame keys as any device's, but for the copy of each epoch."""
        return _CopyingKeys(self._epochs)

    def try_all(self, frames: Iterable[SentFrame], until: int) -> Tried:
        """Try every key on every frame. ``until`` is in Unix milliseconds."""
        tried = before = after = 0
        for frame in frames:
            tried += 1
            if any(_opens(frame, key) for key in self._keys_for(frame)):
                before += frame.at <= until
                after += frame.at > until
        return Tried(tried, before, after)

    def _keys_for(self, frame: SentFrame) -> Iterator[ReceiveKey]:
        """The key that the frame's KID names, in every epoch that was ever known."""
        try:
            KID, _, _ = decode_header(frame.protected, _clear(frame))
        except HeaderError:
            return
        for epoch in self._epochs:
            yield ReceiveKey(
                epoch.suite, KID, epoch.base_key, epoch=epoch.number, window=ReplayWindow(128)
            )


class _CopyingKeys(FrameKeys):
    def __init__(self, epochs: list[FrameEpoch]) -> None:
        super().__init__()
        self._copies = epochs

    def install(self, epoch: FrameEpoch, now: int) -> None:
        self._copies.append(epoch)
        super().install(epoch, now)


def _clear(frame: SentFrame) -> int:
    kind = Kind(frame.kind)
    return clear_length_of(STREAMS[kind], kind)[frame.protected[0]]


def _opens(frame: SentFrame, key: ReceiveKey) -> bool:
    data, clear = frame.protected, _clear(frame)
    _, CTR, end = decode_header(data, clear)
    try:
        decrypt(key, CTR, data[clear:end] + data[:clear], data[end:])
    except OpenError:
        return False
    return True
