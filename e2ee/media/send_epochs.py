"""Which epoch this device sends with, and from when on (spec chapter Frame keys, "When an epoch is used").

Each applied epoch waits until all other members are known to have applied it or its deadline has passed; then it, or
a newer one of which this is true, is used, and everything older is dropped. The epoch in use never goes back. For
each stream an epoch has one send key, made once, with the one counter of its KID.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from e2ee.media import limits
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.errors import BadEpoch, BadStream, MediaReason
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.protector import FrameProtector
from e2ee.sframe.counter import Counter
from e2ee.sframe.key_store import SendKey
from e2ee.sframe.mls import KeyId

__all__ = ["SendEpochs"]


@dataclass(slots=True, eq=False)
class _SendEpoch:
    epoch: FrameEpoch
    deadline: int
    missing: set[int]
    """The other members that are not known to have applied it."""
    _keys: dict[tuple[Kind, int], SendKey] = field(default_factory=dict, repr=False)

    def key(self, kind: Kind, instance: int) -> SendKey | None:
        """The send key of a stream, the same at every call (FKEY-4); None if this device may not speak (FKEY-20)."""
        epoch = self.epoch
        if epoch.own_leaf not in epoch.speakers:
            return None
        key = self._keys.get((kind, instance))
        if key is None:
            KID = KeyId.of_epoch(kind, instance, epoch.own_leaf, epoch.number).encode()
            counter = Counter(limits.COUNTER_LIMIT)
            key = self._keys[kind, instance] = SendKey.derive(
                epoch.suite, KID, epoch.base_key, counter
            )
        return key


class SendEpochs:
    """The send side of a device's frame keys. ``now`` is Unix time in milliseconds."""

    def __init__(self) -> None:
        # survives ``erase``: an epoch that was installed twice would count from 0 again
        self._newest = -1
        self._in_use: _SendEpoch | None = None
        self._waiting: list[_SendEpoch] = []  # oldest first, all newer than the one in use
        self._applied: dict[int, int] = {}  # leaf -> the newest epoch that it is known to have
        self._streams: dict[tuple[Kind, int], FrameProtector] = {}
        self._paused = False

    @property
    def epoch(self) -> int | None:
        """The number of the epoch in use."""
        return self._in_use.epoch.number if self._in_use else None

    def install(self, epoch: FrameEpoch, now: int) -> None:
        """``epoch`` was applied at ``now``. Raises BadEpoch if it, or a newer one, was before."""
        if epoch.number <= self._newest:
            raise BadEpoch(MediaReason.NOT_NEWER, f"epoch {epoch.number} after {self._newest}")
        self._newest = epoch.number
        grace = limits.SEND_DEADLINE_AFTER_REMOVAL if epoch.removed else limits.SEND_DEADLINE
        others = epoch.roster - {epoch.own_leaf}  # FKEY-18: of its own roster
        missing = {leaf for leaf in others if self._applied.get(leaf, -1) < epoch.number}
        self._waiting.append(_SendEpoch(epoch, now + grace, missing))  # FKEY-8: fixed here
        self._advance(now)

    def acknowledged(self, leaf_index: int, epoch: int, now: int) -> None:
        """The member at ``leaf_index`` is known to have applied ``epoch``."""
        if epoch > self._applied.get(leaf_index, -1):
            self._applied[leaf_index] = epoch
            for waiting in self._waiting:
                if waiting.epoch.number <= epoch:
                    waiting.missing.discard(leaf_index)
            self._advance(now)

    def get_timer(self) -> int | None:
        """When ``handle_timer`` is due."""
        return min((waiting.deadline for waiting in self._waiting), default=None)

    def handle_timer(self, now: int) -> None:
        """Use the newest epoch that may be used at ``now``."""
        self._advance(now)

    def open_stream(self, codec: Codec, kind: Kind, instance: int = 0) -> FrameProtector:
        """The protector of a new stream. Raises BadStream if the kind's instance is taken (FKEY-3), OutOfRange."""
        if (kind, instance) in self._streams:
            raise BadStream(MediaReason.STREAM_EXISTS, f"{kind.name} {instance}")
        protector = FrameProtector(codec, kind, instance)
        if self._in_use and not self._paused:
            protector.use(self._in_use.key(kind, instance))
        self._streams[kind, instance] = protector
        return protector

    def close_stream(self, protector: FrameProtector) -> None:
        """Protect nothing more with it. Another stream may take its instance, and continues its counter."""
        protector.use(None)
        if self._streams.get((protector.kind, protector.instance)) is protector:
            del self._streams[protector.kind, protector.instance]

    def pause(self) -> None:
        """Protect nothing until ``resume``. Epochs come and go meanwhile."""
        self._paused = True
        for protector in self._streams.values():
            protector.use(None)

    def resume(self) -> None:
        """Go on, with the epoch that is in use now and a key frame of each video."""
        self._paused = False
        if self._in_use:
            self._use(self._in_use, key_frame=True)

    def erase(self) -> None:
        """Drop every key: nothing can be sent any more."""
        for protector in self._streams.values():
            protector.use(None)
        self._in_use = None
        self._waiting.clear()

    def _advance(self, now: int) -> None:
        """FKEY-7: "the newest epoch that all other members are known to have applied, or ... past its send deadline"."""
        for index, waiting in reversed([*enumerate(self._waiting)]):
            if now >= waiting.deadline or not waiting.missing:
                skipped, self._waiting = self._waiting[: index + 1], self._waiting[index + 1 :]
                # FKEY-16, FKEY-19: also for who was added by an epoch that is skipped
                self._use(skipped[-1], key_frame=any(each.epoch.added for each in skipped))
                return

    def _use(self, epoch: _SendEpoch, *, key_frame: bool) -> None:
        self._in_use = epoch
        if self._paused:
            return
        for (kind, instance), protector in self._streams.items():
            protector.use(epoch.key(kind, instance), key_frame=key_frame)
