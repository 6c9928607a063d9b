"""Traces: what happens to a receiver on a clock. Epochs are applied, frames come early, late, twice, in another order, or never.

    for event in trace.events:
        match event:
            case Applied(at, epoch): keys.install(epoch, at)
            case Arrived(at, frame): opener.open(stream, frame.data, at)

Every frame is genuine, protected by its sender with the keys of its own epoch: what must become of it follows from when it
comes, and from the chapter Frame keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

from e2ee.media import limits
from e2ee.media.codecs import split
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.protector import FrameProtector
from e2ee.sframe.counter import Counter
from e2ee.sframe.key_store import SendKey
from e2ee.sframe.mls import KeyId
from e2ee.testing.strategies.epochs import successions
from e2ee.testing.strategies.frames import frames

__all__ = ["Applied", "Arrived", "ProtectedFrame", "Trace", "traces"]

_PAUSES = st.sampled_from([0, 1, 20, 250, 999, 1_000, 1_999, 2_000, 5_000, 10_000])
"""Milliseconds between two events: around the deadlines of the chapter."""

_STREAMS: Mapping[Codec, Kind] = {
    Codec.OPUS: Kind.MICROPHONE,
    Codec.VP8: Kind.CAMERA,
    Codec.VP9: Kind.SCREEN_VIDEO,
    Codec.H264: Kind.CAMERA,
}


@dataclass(frozen=True, slots=True)
class ProtectedFrame:
    """A frame of the member at ``leaf``; ``plain`` is what it opens to (in H.264 start codes are rewritten, CODEC-11)."""

    leaf: int
    epoch: int
    CTR: int
    plain: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Applied:
    """The receiver applies an epoch."""

    at: int
    epoch: FrameEpoch


@dataclass(frozen=True, slots=True)
class Arrived:
    """A frame reaches the receiver."""

    at: int
    frame: ProtectedFrame


@dataclass(frozen=True, slots=True)
class Trace:
    """Events in the order of their times, which are Unix milliseconds from 0 on; the first one applies an epoch.

    All frames come on one stream, of ``codec`` and ``kind``.
    """

    codec: Codec
    kind: Kind
    own_leaf: int
    events: tuple[Applied | Arrived, ...]


@st.composite
def traces(draw: st.DrawFn, *, own_leaf: int = 1, most: int = 30) -> Trace:
    """Timed traces of epochs and frames, of ``most`` events at most.

    ``traces()`` draws ``Trace(Codec.OPUS, Kind.MICROPHONE, 1, (Applied(0, ...), Arrived(20, ...), ...))``.
    """
    codec = draw(st.sampled_from(sorted(_STREAMS)))
    epochs = list(draw(successions(own_leaf=own_leaf)))
    senders = _Senders(codec, _STREAMS[codec], epochs)
    events: list[Applied | Arrived] = [Applied(0, epochs.pop(0))]
    sent: list[ProtectedFrame] = []
    now = 0
    for what in draw(
        st.lists(st.sampled_from(["epoch", "frame", "frame", "lost", "again"]), max_size=most)
    ):
        now += draw(_PAUSES)
        if what == "epoch" and epochs:
            events.append(Applied(now, epochs.pop(0)))
        elif what == "again" and sent:
            events.append(Arrived(now, draw(st.sampled_from(sent))))
        else:
            sent.append(senders.next(draw, codec))
            if what != "lost":
                events.append(Arrived(now, sent[-1]))
    return Trace(codec, senders.kind, own_leaf, tuple(events))


class _Senders:
    """The members of each epoch, each with the one counter of its key."""

    def __init__(self, codec: Codec, kind: Kind, epochs: list[FrameEpoch]) -> None:
        self.kind = kind
        self._codec = codec
        self._epochs = list(epochs)
        self._of: dict[tuple[int, int], tuple[FrameProtector, Counter]] = {}

    def next(self, draw: st.DrawFn, codec: Codec) -> ProtectedFrame:
        epoch = draw(st.sampled_from(self._epochs))
        leaf = draw(st.sampled_from(sorted(epoch.roster)))
        protector, counter = self._sender(epoch, leaf)
        CTR, frame = counter.drawn, draw(frames(codec, most=40)).data
        plain = b"".join(split(codec, frame))
        return ProtectedFrame(leaf, epoch.number, CTR, plain, protector.protect(frame))

    def _sender(self, epoch: FrameEpoch, leaf: int) -> tuple[FrameProtector, Counter]:
        if (epoch.number, leaf) not in self._of:
            KID = KeyId.of_epoch(self.kind, 0, leaf, epoch.number).encode()
            counter = Counter(limits.COUNTER_LIMIT)
            protector = FrameProtector(self._codec, self.kind, 0)
            protector.use(SendKey.derive(epoch.suite, KID, epoch.base_key, counter))
            self._of[epoch.number, leaf] = protector, counter
        return self._of[epoch.number, leaf]
