"""Frames that the client must refuse: what a peer, or whoever carries media, may make of them.

A probe's frame keys hand out ``TamperedStream``s in the place of protectors. Each lets every frame pass until a scenario
has it ``tamper``; then every second frame is replaced by what must not be opened, so many times, and at last it rests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from e2ee.media import limits
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.frame_keys import FrameKeys
from e2ee.media.protector import FrameProtector
from e2ee.media.send_epochs import SendEpochs
from e2ee.sframe.counter import Counter
from e2ee.sframe.encryption import encrypt
from e2ee.sframe.header import decode_header
from e2ee.sframe.key_store import SendKey
from e2ee.sframe.mls import KeyId

__all__ = ["TAMPERINGS", "TamperedStream", "TamperingKeys"]


class TamperedStream:
    """In the place of a protector, for one stream. ``honest`` frames left it, and ``tampered`` ones."""

    def __init__(self, protector: FrameProtector, epochs: SendEpochs) -> None:
        self.kind, self.instance = protector.kind, protector.instance
        self.protector, self.epochs = protector, epochs
        self.honest = self.tampered = 0
        self.earlier: bytes | None = None
        """The last honest frame, as it left."""
        self._tampering: Callable[[TamperedStream, bytes, bytes], bytes] | None = None
        self._left = 0
        self._turn = False
        self._keys = dict[tuple[int, int], SendKey]()

    @property
    def codec(self) -> Codec:
        """As the protector says."""
        return self.protector.codec

    @property
    def ready(self) -> bool:
        """As the protector says."""
        return self.protector.ready

    def takes_key_frame(self) -> bool:
        """As the protector says."""
        return self.protector.takes_key_frame()

    def choose(self, codec: Codec) -> None:
        """As the protector does."""
        self.protector.choose(codec)

    def tamper(self, name: str, frames: int) -> None:
        """Replace so many frames, every second one, in the way of ``TAMPERINGS``."""
        self._tampering, self._left = TAMPERINGS[name], frames

    @property
    def rests(self) -> bool:
        """Whether nothing is tampered with any more."""
        return not self._left

    def protect(self, frame: bytes) -> bytes:
        """The protected frame, or what takes its place."""
        protected = self.protector.protect(frame)
        self._turn = not self._turn
        if self._tampering is None or not self._left or self._turn or self.earlier is None:
            self.honest += 1
            self.earlier = protected
            return protected
        replaced = self._tampering(self, protected, frame)
        self._left -= 1
        self.tampered += 1
        return replaced

    def parts(self, protected: bytes, frame: bytes) -> tuple[bytes, bytes, bytes]:
        """Clear bytes, SFrame header and what follows."""
        start = self.clear_length(frame)
        _, _, end = decode_header(protected, start)
        return protected[:start], protected[start:end], protected[end:]

    def clear_length(self, frame: bytes) -> int:
        """Of an Opus or VP8 frame."""
        return self.protector._clear_length[frame[0]]

    def with_kid(self, frame: bytes, *, kind: Kind, leaf: int) -> bytes:
        """Protected with the genuine key of another KID, which every member can derive."""
        epoch = self.epochs._in_use
        assert epoch is not None  # noqa: S101 - the protector has just protected
        KID = KeyId.of_epoch(kind, 0, leaf, epoch.epoch.number).encode()
        name = epoch.epoch.number, KID
        if name not in self._keys:
            counter = Counter(limits.COUNTER_LIMIT)
            suite, base_key = epoch.epoch.suite, epoch.epoch.base_key
            self._keys[name] = SendKey.derive(suite, KID, base_key, counter)
        start = self.clear_length(frame)
        return frame[:start] + encrypt(self._keys[name], frame[:start], frame[start:])

    @property
    def own_leaf(self) -> int:
        """Of the peer."""
        epoch = self.epochs._in_use
        return 0 if epoch is None else epoch.epoch.own_leaf

    @property
    def other_leaf(self) -> int:
        """Of another member than the peer: who came last."""
        epoch = self.epochs._in_use
        return max(epoch.epoch.roster - {self.own_leaf}) if epoch else 1


_SILENCE = bytes.fromhex("f8fffe")


def _replayed(stream: TamperedStream, _protected: bytes, _frame: bytes) -> bytes:
    return stream.earlier or b""


def _in_the_clear(stream: TamperedStream, _protected: bytes, frame: bytes) -> bytes:
    """The frame itself, and every second time Opus's silence, which others let pass (FRAME-12)."""
    return _SILENCE if stream.tampered % 2 else frame


def _changed(_: TamperedStream, protected: bytes, _frame: bytes) -> bytes:
    return protected[:-1] + bytes([protected[-1] ^ 1])


def _of_another_member(stream: TamperedStream, _: bytes, frame: bytes) -> bytes:
    return stream.with_kid(frame, kind=stream.kind, leaf=stream.other_leaf)


def _of_another_kind(stream: TamperedStream, _: bytes, frame: bytes) -> bytes:
    kind = Kind.SCREEN_AUDIO if stream.kind is Kind.MICROPHONE else Kind.SCREEN_VIDEO
    return stream.with_kid(frame, kind=kind, leaf=stream.own_leaf)


def _without_header(stream: TamperedStream, protected: bytes, frame: bytes) -> bytes:
    clear, _, rest = stream.parts(protected, frame)
    return clear + rest


def _with_a_longer_header(stream: TamperedStream, _: bytes, frame: bytes) -> bytes:
    """Authentic, but that its CTR has a byte more than it needs."""
    key = stream.protector._key
    assert key is not None  # noqa: S101 - the protector has just protected
    CTR = key.counter.draw()
    length = max(1, CTR.bit_length() + 7 >> 3) + 1
    prefix = key.header_prefixes[7 + length]
    header = prefix + CTR.to_bytes(length, "big")
    start = stream.clear_length(frame)
    clear, plain = frame[:start], frame[start:]
    nonce = (key.salt ^ CTR).to_bytes(12, "big")
    sealed: bytes = key.encrypt(nonce, plain, header + clear)
    return clear + header + sealed


TAMPERINGS: Mapping[str, Callable[[TamperedStream, bytes, bytes], bytes]] = {
    "replayed": _replayed,
    "in-the-clear": _in_the_clear,
    "changed": _changed,
    "of-another-member": _of_another_member,
    "of-another-kind": _of_another_kind,
    "without-header": _without_header,
    "with-a-longer-header": _with_a_longer_header,
}
"""What takes a frame's place, from the protected frame and the encoder's."""


class _TamperingEpochs(SendEpochs):
    def __init__(self) -> None:
        super().__init__()
        self.streams = dict[Kind, TamperedStream]()

    def open_stream(self, codec: Codec, kind: Kind, instance: int = 0) -> FrameProtector:
        """The newest stream of each kind is kept."""
        self.streams[kind] = stream = TamperedStream(
            super().open_stream(codec, kind, instance), self
        )
        return cast(FrameProtector, stream)

    def close_stream(self, protector: FrameProtector) -> None:
        """Whatever was handed out."""
        super().close_stream(cast(TamperedStream, protector).protector)


class TamperingKeys(FrameKeys):
    """A call's frame keys whose streams can be tampered with."""

    def __init__(self) -> None:
        super().__init__()
        self.tampering = _TamperingEpochs()
        self.send = self.tampering
