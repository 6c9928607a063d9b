"""Which epochs open frames, until when, and of whom (spec chapter Frame keys, "When an epoch is used").

An applied epoch opens frames at once. It ends some time after a newer one was applied, sooner if that one removed a
leaf, and sooner still for a sender that was heard in a newer one. Of an ended epoch only the number and the roster
are left, which say that its frames came too late; its base_key, keys and replay windows are dropped, and it is never
derived again.

A KID names exactly one epoch, the newest applied one with its low bits (FRAME-8): there is one slot for each value of
these bits. A stream's key is derived when a frame names it, but kept only once a frame authenticated under it
(``admit``), so that invented KIDs cost time and no memory.
"""

from __future__ import annotations

from e2ee.media import limits
from e2ee.media.errors import BadEpoch, MediaReason
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.reasons import RejectReason
from e2ee.sframe.key_store import ReceiveKey, ReceiveKeyStore
from e2ee.sframe.mls import EPOCH_BITS, KeyId
from e2ee.sframe.replay import ReplayWindow

__all__ = ["ReceiveEpochs", "StreamKey"]

NEVER = 1 << 64
"""Later than every time, in milliseconds."""

ENDED = 0
"""Before every time."""


class StreamKey(ReceiveKey):
    """The receive key of one stream in one epoch, and what the call says of it."""

    __slots__ = ("ends_at", "key_id", "may_speak")

    ends_at: int
    """From then on it opens nothing."""

    def __init__(
        self, epoch: FrameEpoch, KID: int, key_id: KeyId, *, may_speak: bool, ends_at: int
    ) -> None:
        window = ReplayWindow(limits.REPLAY_WINDOW[key_id.kind])
        super().__init__(epoch.suite, KID, epoch.base_key, epoch=epoch.number, window=window)
        self.key_id = key_id
        self.may_speak = may_speak
        self.ends_at = ends_at


class _Slot:
    """An applied epoch. The own leaf is no sender here: its KIDs are for sending (RFC 9605 Section 4.4.1)."""

    __slots__ = ("_ends_for", "_epoch", "ends_at", "number", "senders")

    def __init__(self, epoch: FrameEpoch) -> None:
        self._epoch: FrameEpoch | None = epoch
        self.number = epoch.number
        self.senders = epoch.roster - {epoch.own_leaf}
        self.ends_at = NEVER
        self._ends_for: dict[int, int] = {}

    def end_by(self, time: int) -> None:
        """End at ``time`` if not sooner."""
        self.ends_at = min(self.ends_at, time)

    def end_for(self, leaf_index: int, time: int) -> bool:
        """End at ``time`` for one sender if not sooner. Whether that changed anything."""
        sooner = leaf_index in self.senders and time < self.ends_for(leaf_index)
        if sooner:
            self._ends_for[leaf_index] = time
        return sooner

    def ends_for(self, leaf_index: int) -> int:
        """When it ends for this sender."""
        return min(self.ends_at, self._ends_for.get(leaf_index, NEVER))

    @property
    def erased(self) -> bool:
        """Whether only the number and the roster are left."""
        return self._epoch is None

    def erase(self) -> None:
        """Drop the base_key. Nothing is derived afterwards (FKEY-14)."""
        self._epoch = None

    def derive(self, KID: int, key_id: KeyId) -> StreamKey | None:
        """The key of a stream, with an empty replay window; None if the epoch is erased."""
        epoch = self._epoch
        if epoch is None:
            return None
        may_speak = key_id.leaf_index in epoch.speakers
        ends_at = self.ends_for(key_id.leaf_index)
        return StreamKey(epoch, KID, key_id, may_speak=may_speak, ends_at=ends_at)


_NEVER_HEARD = (-1, 0)


class ReceiveEpochs:
    """The receive side of a device's frame keys. ``now`` is Unix time in milliseconds."""

    def __init__(self) -> None:
        self.keys: ReceiveKeyStore[StreamKey] = ReceiveKeyStore()
        """The keys under which something authenticated."""
        self._slots: dict[int, _Slot] = {}  # by the low bits of the number
        self._newest = -1
        self._roster: frozenset[int] = frozenset()  # the newest one
        self._speakers: frozenset[int] = frozenset()  # of the newest one
        self._removed_by: dict[int, int] = {}  # leaf -> the newest epoch that removed it
        self._heard: dict[
            int, tuple[int, int]
        ] = {}  # leaf -> the newest epoch it was heard in, since when

    def install(self, epoch: FrameEpoch, now: int) -> None:
        """``epoch`` was applied at ``now``. Raises BadEpoch if it, or a newer one, was before."""
        if epoch.number <= self._newest:
            raise BadEpoch(MediaReason.NOT_NEWER, f"epoch {epoch.number} after {self._newest}")
        grace = limits.EARLIER_EPOCHS_AFTER_REMOVAL if epoch.removed else limits.EARLIER_EPOCHS
        silenced = self._speakers - epoch.speakers
        for earlier in self._slots.values():
            earlier.end_by(now + grace)  # FKEY-10, FKEY-12
            for leaf_index in silenced:  # FKEY-12: "for a leaf that may not send media any more"
                earlier.end_for(leaf_index, now + limits.EARLIER_EPOCHS_AFTER_REMOVAL)
        erased = epoch.number - limits.EPOCHS_KEPT  # FKEY-14: "epochs up to n - 16"
        kept = [slot for slot in self._slots.values() if slot.number > erased]
        self._slots = {_low_bits(slot.number): slot for slot in (*kept, _Slot(epoch))}
        self._newest = epoch.number
        self._roster, self._speakers = epoch.roster, epoch.speakers
        self._removed_by |= dict.fromkeys(epoch.removed, epoch.number)
        self._settle(now)

    def heard(self, leaf_index: int, epoch: int, now: int) -> None:
        """Something of the member at ``leaf_index`` authenticated in ``epoch`` at ``now`` (FKEY-13)."""
        if epoch > self._heard.get(leaf_index, _NEVER_HEARD)[0]:
            self._heard[leaf_index] = (epoch, now)
        end = now + limits.EARLIER_EPOCHS_OF_A_HEARD_SENDER
        changed = False
        for slot in self._slots.values():
            if slot.number < epoch:
                changed |= slot.end_for(leaf_index, end)
        if changed:
            for key in self.keys:
                if key.key_id.leaf_index == leaf_index:
                    key.ends_at = self._end_of(key)

    def heard_at(self, leaf_index: int, epoch: int) -> int | None:
        """Since when the member is heard in ``epoch`` or a newer one; None if it is not."""
        newest, since = self._heard.get(leaf_index, _NEVER_HEARD)
        return since if newest >= epoch else None

    def find(self, KID: int, key_id: KeyId, now: int) -> StreamKey | RejectReason | None:
        """The key that a KID names, or why there is none; None if its epoch may be about to come (FRAME-13).

        Changes nothing: the key of a stream that was not heard yet is kept by ``admit``.
        """
        slot = self._slots.get(key_id.epoch_bits)
        if self._is_gone(key_id.leaf_index):
            return RejectReason.REMOVED
        over = slot is None or now >= slot.ends_at  # FRAME-20: ended for everybody
        if over and self._may_come(key_id.epoch_bits):
            return None
        if self._was_removed(key_id.leaf_index, slot):
            return RejectReason.REMOVED
        if slot is None or key_id.leaf_index not in slot.senders:
            return RejectReason.UNKNOWN_KEY
        if now >= slot.ends_for(key_id.leaf_index):
            return RejectReason.EXPIRED
        return self.keys.get(KID) or slot.derive(KID, key_id) or RejectReason.EXPIRED

    def has(self, epoch_bits: int, now: int) -> bool:
        """Whether these are the low bits of an epoch that has not ended."""
        slot = self._slots.get(epoch_bits)
        return slot is not None and now < slot.ends_at

    def admit(self, key: StreamKey, now: int) -> None:
        """Keep ``key``, which ``find`` gave: a frame authenticated under it at ``now``."""
        if self.keys.get(key.KID) is not key:
            self.keys.add(key)
        self.heard(key.key_id.leaf_index, key.epoch, now)

    def get_timer(self) -> int | None:
        """When ``handle_timer`` is due."""
        slots = (slot.ends_at for slot in self._slots.values() if not slot.erased)
        end = min((*slots, *(key.ends_at for key in self.keys)), default=NEVER)
        return end if end < NEVER else None

    def handle_timer(self, now: int) -> None:
        """Drop the keys and windows of what has ended. What opens frames and what does not stays the same."""
        self._settle(now)

    def erase(self) -> None:
        """Drop every key: nothing is opened any more."""
        self._slots.clear()
        self.keys.erase(lambda _: True)

    def _is_gone(self, leaf_index: int) -> bool:
        """FKEY-15: "nobody has the leaf in the newest epoch", who was removed from it."""
        return leaf_index in self._removed_by and leaf_index not in self._roster

    def _was_removed(self, leaf_index: int, slot: _Slot | None) -> bool:
        """FKEY-15. A leaf that was given to somebody else is removed only in the epochs before."""
        if self._is_gone(leaf_index):
            return True
        return slot is not None and slot.number < self._removed_by.get(leaf_index, -1)

    def _may_come(self, epoch_bits: int) -> bool:
        """FRAME-13, FRAME-20: whether these are the low bits of newest + 1 to newest + 4; before the first epoch, of none."""
        ahead = _low_bits(epoch_bits - self._newest)
        return bool(self._slots) and 1 <= ahead <= limits.PLAUSIBLE_EPOCHS

    def _settle(self, now: int) -> None:
        """Bring the kept keys in line with the epochs, and drop what has ended."""
        for slot in self._slots.values():
            if now >= slot.ends_at:
                slot.erase()
        for key in self.keys:
            key.ends_at = self._end_of(key)
        self.keys.erase(lambda key: now >= key.ends_at)

    def _end_of(self, key: StreamKey) -> int:
        leaf_index = key.key_id.leaf_index
        slot = self._slots.get(key.key_id.epoch_bits)
        if slot is None or slot.number != key.epoch or self._was_removed(leaf_index, slot):
            return ENDED
        return slot.ends_for(leaf_index)


def _low_bits(epoch: int) -> int:
    return epoch % (1 << EPOCH_BITS)
