"""What must become of each frame, by the sentences of the chapters Frame keys and Frame format: a model of one device.

It opens and protects nothing. Whoever makes a trace knows of every frame who made it, under which key and counter, and
whether it was changed on the way (``Facts``); from that and from what happened before, each rule is one
function over the whole history, in the words of its sentence. Nothing is kept that a rule could not look up, so it is
slow, and shares neither code nor structure with an implementation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from e2ee.vectorgen.scenes import CAMERA, SCREEN_VIDEO, Refusal

__all__ = ["HELD", "OPENED", "Epoch", "Facts", "Receiving", "Sending", "Stream", "Verdict"]

OPENED, HELD = "opened", "held"

VIDEO = (CAMERA, SCREEN_VIDEO)


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch as the device applied it, at ``at``. Leaves are leaf indices."""

    at: int
    number: int
    base_key: bytes
    roster: frozenset[int]
    speakers: frozenset[int]
    """Who may send media: all, or the listed ones and the hosts."""
    added: frozenset[int]
    removed: frozenset[int]


@dataclass(frozen=True, slots=True)
class Stream:
    """A transport stream. ``instance`` and ``sender`` are what was announced of it, if anything was."""

    kind: int
    instance: int | None = None
    sender: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true of a frame. Of the epoch only the low four bits are on the wire; ``base_key`` is whose key made it."""

    kind: int
    instance: int
    leaf: int
    epoch: int
    ctr: int
    base_key: bytes
    changed: bool = False
    """On the way, behind its header."""
    unreadable: Refusal | None = None
    """Which of the first rows of FRAME-3 it fails, if one: it has no KID then, or none of a call."""

    @property
    def kid(self) -> tuple[int, int, int, int]:
        return self.kind, self.instance, self.leaf, self.epoch % 16


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a frame: ``fate`` is OPENED, HELD, or a reason. ``epoch`` is that whose key opened it."""

    fate: str
    epoch: int | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A held frame: ``name`` is the maker's."""

    name: int
    at: int
    stream: Stream
    size: int
    facts: Facts


@dataclass(slots=True)
class Receiving:
    """What a device has applied, heard and accepted, and what must become of the next frame."""

    own_leaf: int
    epochs: list[Epoch] = field(default_factory=list)
    heard: list[tuple[int, int, int]] = field(default_factory=list)
    """(at, leaf, epoch): something of the leaf authenticated."""
    accepted: list[tuple[int, tuple[int, int, int, int], int]] = field(default_factory=list)
    """(epoch, KID, CTR)"""
    waiting: list[Waiting] = field(default_factory=list)

    def frame(self, at: int, name: int, stream: Stream, size: int, facts: Facts) -> Verdict:
        """A frame of ``size`` bytes comes on ``stream``."""
        verdict = self._judged(at, stream, facts)
        if verdict.fate != HELD:
            return verdict
        if not self._has_room(stream, size):
            return Verdict(Refusal.UNKNOWN_KEY)
        self.waiting.append(Waiting(name, at, stream, size, facts))
        return verdict

    def apply(self, epoch: Epoch) -> Iterator[tuple[int, Verdict]]:
        """An epoch is applied. FRAME-14: whose "key arrives" passes all checks, "in the order in which they came"."""
        self.epochs.append(epoch)
        for held in tuple(self.waiting):
            named = self._named(held.facts.epoch % 16)
            if named is not None and not self._is_over(named, epoch.at):
                self.waiting.remove(held)
                yield held.name, self._judged(epoch.at, held.stream, held.facts)

    def pass_time(self, at: int) -> Iterator[tuple[int, Verdict]]:
        """FRAME-13: a frame is held "1 s" at most, and then refused."""
        for held in tuple(self.waiting):
            if at >= held.at + 1_000:
                self.waiting.remove(held)
                yield held.name, Verdict(Refusal.UNKNOWN_KEY)

    def hear(self, at: int, leaf: int, epoch: int) -> None:
        """A message of the member at ``leaf`` authenticated in ``epoch``."""
        self.heard.append((at, leaf, epoch))

    def _judged(self, at: int, stream: Stream, facts: Facts) -> Verdict:
        """FRAME-3, row by row."""
        if facts.unreadable is not None:
            return Verdict(facts.unreadable)
        if facts.kind != stream.kind or stream.instance not in (None, facts.instance):
            return Verdict(Refusal.WRONG_KIND)
        if stream.sender not in (None, facts.leaf):
            return Verdict(Refusal.WRONG_SENDER)
        epoch = self._named(facts.epoch % 16)
        if self._is_gone(facts.leaf):
            return Verdict(Refusal.REMOVED)
        if self._is_plausible(facts.epoch % 16) and (epoch is None or self._is_over(epoch, at)):
            return Verdict(HELD)
        if epoch is not None and epoch.number < self._removal(facts.leaf):
            return Verdict(Refusal.REMOVED)
        if epoch is None or facts.leaf not in epoch.roster - {self.own_leaf}:
            return Verdict(Refusal.UNKNOWN_KEY)
        if self._is_over(epoch, at) or self._is_over_for(facts.leaf, epoch, at):
            return Verdict(Refusal.EXPIRED)
        if facts.leaf not in epoch.speakers:
            return Verdict(Refusal.NOT_A_SPEAKER)
        if not self._is_new(epoch, facts):
            return Verdict(Refusal.REPLAYED)
        if facts.changed or facts.base_key != epoch.base_key:
            return Verdict(Refusal.NOT_AUTHENTIC)
        self.accepted.append((epoch.number, facts.kid, facts.ctr))
        self.hear(at, facts.leaf, epoch.number)
        return Verdict(OPENED, epoch.number)

    def _named(self, bits: int) -> Epoch | None:
        """FRAME-8: "the newest epoch n <= the newest applied whose low four bits are the KID's". FKEY-14: 16 are kept."""
        named = (epoch for epoch in reversed(self.epochs) if epoch.number % 16 == bits)
        newest = next(named, None)
        return newest if newest and newest.number > self.epochs[-1].number - 16 else None

    def _is_plausible(self, bits: int) -> bool:
        """FRAME-13: "newest + 1 to newest + 4"; FRAME-20: before the first epoch nothing is."""
        return bool(self.epochs) and bits in {
            (self.epochs[-1].number + ahead) % 16 for ahead in (1, 2, 3, 4)
        }

    def _is_gone(self, leaf: int) -> bool:
        """FKEY-15: it was removed, and "nobody has the leaf in the newest epoch"."""
        return self._removal(leaf) >= 0 and leaf not in self.epochs[-1].roster

    def _removal(self, leaf: int) -> int:
        """FKEY-15: the epoch of "the newest commit that removed it"; -1 if none did."""
        return max((each.number for each in self.epochs if leaf in each.removed), default=-1)

    def _is_over(self, epoch: Epoch, at: int) -> bool:
        """FKEY-10, FKEY-12: 10 s after any newer one was applied, 2 s after one that removed a leaf."""
        return any(
            newer.number > epoch.number and at >= newer.at + (2_000 if newer.removed else 10_000)
            for newer in self.epochs
        )

    def _is_over_for(self, leaf: int, epoch: Epoch, at: int) -> bool:
        """FKEY-12: 2 s after the leaf was taken off the stage. FKEY-13: 1 s after it was heard in a newer epoch."""
        off_stage = any(
            after.number > epoch.number
            and leaf in before.speakers - after.speakers
            and at >= after.at + 2_000
            for before, after in pairwise(self.epochs)
        )
        moved_on = any(
            heard == leaf and number > epoch.number and at >= since + 1_000
            for since, heard, number in self.heard
        )
        return off_stage or moved_on

    def _is_new(self, epoch: Epoch, facts: Facts) -> bool:
        """FRAME-9: "the last 128 counters for audio (kinds 0 and 3) and 1,024 for video", for "each pair of epoch and KID"."""
        window = 1_024 if facts.kind in VIDEO else 128
        before = [
            ctr for number, kid, ctr in self.accepted if (number, kid) == (epoch.number, facts.kid)
        ]
        return facts.ctr not in before and facts.ctr > max(before, default=-1) - window

    def _has_room(self, stream: Stream, size: int) -> bool:
        """FRAME-13: "at most 64 frames and 512 KiB of a transport stream, and at most 4 MiB in all"."""
        here = [held.size for held in self.waiting if held.stream is stream]
        everywhere = sum(held.size for held in self.waiting)
        return len(here) < 64 and sum(here) + size <= 512 * 1_024 and everywhere + size <= 4 << 20


@dataclass(slots=True)
class Sending:
    """What a device has applied, and what it knows of the others: which epoch and counter its next frame has."""

    own_leaf: int
    epochs: list[Epoch] = field(default_factory=list)
    known: dict[int, int] = field(default_factory=dict)
    """leaf -> the newest epoch that it is known to have applied"""
    sent: list[tuple[int, int, int]] = field(default_factory=list)
    """(epoch, kind, instance) of each frame"""
    begun: set[tuple[int, int]] = field(default_factory=set)
    """(kind, instance) of each stream of which a frame was sent"""

    def reopened(self, kind: int, instance: int) -> None:
        """A stream ends, and another one takes its place."""
        self.begun.discard((kind, instance))

    def acknowledged(self, leaf: int, epoch: int) -> None:
        """The member at ``leaf`` is known to have applied ``epoch``."""
        self.known[leaf] = max(epoch, self.known.get(leaf, -1))

    def deadline(self, epoch: Epoch) -> int:
        """FKEY-8, FKEY-9."""
        return epoch.at + (250 if epoch.removed else 1_000)

    def in_use(self, at: int) -> Epoch | None:
        """FKEY-7: the newest "that all other members are known to have applied, or that is past its send deadline"."""
        usable = [epoch for epoch in self.epochs if self._is_usable(epoch, at)]
        return usable[-1] if usable else None

    def _is_usable(self, epoch: Epoch, at: int) -> bool:
        others = epoch.roster - {self.own_leaf}
        return at >= self.deadline(epoch) or all(
            self.known.get(leaf, -1) >= epoch.number for leaf in others
        )

    def frame(self, at: int, kind: int, instance: int) -> tuple[Epoch, int, bool] | None:
        """Epoch, CTR and whether a key frame is due (FKEY-16) of the next frame; None if nothing may be sent."""
        epoch = self.in_use(at)
        if epoch is None or self.own_leaf not in epoch.speakers:
            return None
        ctr = self.sent.count((epoch.number, kind, instance))
        due = kind in VIDEO and self._owes_key_frame(epoch, kind, instance)
        self.begun.add((kind, instance))
        self.sent.append((epoch.number, kind, instance))
        return epoch, ctr, due

    def _owes_key_frame(self, epoch: Epoch, kind: int, instance: int) -> bool:
        """FKEY-16, FKEY-19: whether it is the stream's first frame, or somebody was added since the epoch of its last one."""
        stream = (kind, instance)
        if stream not in self.begun:
            return True
        last = max(number for number, *sender in self.sent if (*sender,) == stream)
        return any(each.added for each in self.epochs if last < each.number <= epoch.number)
