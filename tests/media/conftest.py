"""A receiver, and members who send it frames with the real protector, under epochs whose base keys are known.

The receiver is leaf 1. Time is the scene's, in milliseconds from 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pytest

from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.media import limits
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener, Held, Rejected
from e2ee.media.protector import FrameProtector
from e2ee.media.reasons import RejectReason
from e2ee.media.receive_epochs import ReceiveEpochs
from e2ee.sframe.cipher_suite import cipher_suite
from e2ee.sframe.counter import Counter
from e2ee.sframe.key_store import SendKey
from e2ee.sframe.mls import KeyId

SUITE = cipher_suite(0x0004)
OWN_LEAF = 1
CODECS = {
    Kind.MICROPHONE: Codec.OPUS,
    Kind.SCREEN_AUDIO: Codec.OPUS,
    Kind.CAMERA: Codec.VP8,
    Kind.SCREEN_VIDEO: Codec.VP8,
}


def base_key(epoch: int, group: str = "the call") -> Secret:
    """What a group's epoch exports."""
    return Secret(SeededEntropy(f"{group}, epoch {epoch}".encode()).random(SUITE.aead.Nk))


def frame_epoch(
    number: int,
    roster: Iterable[int] = (0, 1, 2),
    *,
    own_leaf: int = OWN_LEAF,
    speakers: Iterable[int] | None = None,
    added: Iterable[int] = (),
    removed: Iterable[int] = (),
) -> FrameEpoch:
    """An epoch in which everybody speaks unless told otherwise."""
    leaves = frozenset(roster)
    return FrameEpoch(
        number=number,
        suite=SUITE,
        base_key=base_key(number),
        own_leaf=own_leaf,
        roster=leaves,
        speakers=leaves if speakers is None else frozenset(speakers),
        added=frozenset(added),
        removed=frozenset(removed),
    )


@dataclass
class Sender:
    """A member's stream in one epoch."""

    leaf_index: int
    epoch: int
    kind: Kind = Kind.MICROPHONE
    instance: int = 0
    group: str = "the call"
    codec: Codec | None = None

    def __post_init__(self) -> None:
        KID = KeyId.of_epoch(self.kind, self.instance, self.leaf_index, self.epoch).encode()
        counter = Counter(limits.COUNTER_LIMIT)
        self.key = SendKey.derive(SUITE, KID, base_key(self.epoch, self.group), counter)
        self.protector = FrameProtector(self.codec or CODECS[self.kind], self.kind, self.instance)
        self.protector.use(self.key)

    def frame(self, frame: bytes = b"\x01 a frame") -> bytes:
        """The next protected frame."""
        return self.protector.protect(frame)

    def frames(self, count: int) -> list[bytes]:
        return [self.frame(b"\x01 frame %d" % n) for n in range(count)]


class Scene:
    """A receiver with one incoming stream, and the senders that it may hear."""

    def __init__(
        self,
        kind: Kind = Kind.MICROPHONE,
        announced: int | None = None,
        codec: Codec | None = None,
    ) -> None:
        self.now = 0
        self._codec = codec
        self.epochs = ReceiveEpochs()
        self.opener = FrameOpener(self.epochs)
        self.stream = IncomingStream(codec or CODECS[kind], kind, announced)
        self._senders: dict[tuple[int, int, Kind, int, str], Sender] = {}

    def apply(self, number: int, *args: Iterable[int], **kwargs: Iterable[int] | None) -> None:
        """The receiver applies an epoch now: arguments of ``frame_epoch``."""
        self.epochs.install(frame_epoch(number, *args, **kwargs), self.now)  # type: ignore[arg-type]

    def sender(
        self,
        leaf_index: int,
        epoch: int,
        kind: Kind | None = None,
        instance: int = 0,
        group: str = "the call",
    ) -> Sender:
        """The same sender at every call with the same arguments, so that it goes on counting."""
        name = (leaf_index, epoch, kind or self.stream.kind, instance, group)
        if name not in self._senders:
            self._senders[name] = Sender(*name, codec=self._codec)
        return self._senders[name]

    def frame(self, leaf_index: int, epoch: int, frame: bytes = b"\x01 a frame") -> bytes:
        return self.sender(leaf_index, epoch).frame(frame)

    def open(self, data: bytes) -> OpenedFrame | Rejected | Held:
        return self.opener.open(self.stream, data, self.now)

    def opened(self, data: bytes) -> OpenedFrame:
        outcome = self.open(data)
        assert isinstance(outcome, OpenedFrame), outcome
        return outcome

    def refused(self, data: bytes) -> RejectReason:
        """The reason, after seeing that nothing but the statistics changed."""
        before = self.memory()
        counted = dict(self.stream.rejected)
        outcome = self.open(data)
        assert isinstance(outcome, Rejected), outcome
        assert self.memory() == before
        counted[outcome.reason] = counted.get(outcome.reason, 0) + 1
        assert self.stream.rejected == counted
        return outcome.reason

    def memory(self) -> object:
        """All that the receiver remembers of frames: its keys, until when they open, and the counters they accepted."""
        return {
            (key.KID, key.epoch): (key.ends_at, [n for n in range(300) if not key.window.is_new(n)])
            for key in self.epochs.keys
        }


@pytest.fixture(scope="session")
def new_scene() -> type[Scene]:
    return Scene


@pytest.fixture
def scene() -> Scene:
    """Audio of leaf 0, 1 and 2; epoch 5 is applied."""
    scene = Scene()
    scene.apply(5)
    return scene


@pytest.fixture
def video() -> Scene:
    """A camera's stream; epoch 5 is applied."""
    scene = Scene(Kind.CAMERA)
    scene.apply(5)
    return scene


@pytest.fixture(scope="session")
def new_epoch() -> Callable[..., FrameEpoch]:
    """``frame_epoch``."""
    return frame_epoch
