"""Traces at random: a call goes on around the device, and a network that loses, delays, doubles and invents brings it.

A ``Profile`` says how often what happens. The dice are the case's own entropy, so a walk is the same every time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from e2ee.vectorgen.registry import Case
from e2ee.vectorgen.scenes import CAMERA, MICROPHONE, SCREEN_AUDIO, SCREEN_VIDEO, Refusal
from e2ee.vectorgen.traces.group import trace
from e2ee.vectorgen.traces.rules import Stream
from e2ee.vectorgen.traces.script import OWN_LEAF, Frame, Script

__all__ = ["PROFILES", "Profile", "walk"]

_Item = TypeVar("_Item")

STREAMS = (Stream(MICROPHONE), Stream(CAMERA))
OTHER_KIND = (SCREEN_AUDIO, SCREEN_VIDEO)
"""Of the same codec as each stream."""
LARGEST_ROSTER = 6
SILENCE = bytes.fromhex("f8fffe")
"""Of Opus, in the clear."""


@dataclass(frozen=True, slots=True)
class Profile:
    """``moves`` and ``commits``: how often each, compared with the others."""

    steps: int
    first_epoch: int
    moves: Mapping[str, int]
    commits: Mapping[str, int]
    suite: int = 0x0004


MOVES = {
    "commits": 4,
    "applies": 5,
    "frame": 26,
    "late": 8,
    "again": 5,
    "forged": 4,
    "former": 3,
    "stray": 2,
    "says": 5,
    "sends": 10,
    "reopens": 1,
    "waits": 3,
}
COMMITS = {"nothing": 4, "adds": 3, "removes": 2, "replaces": 1, "stages": 2}

_PROFILES = {
    "a-quiet-call": Profile(50, 0, {**MOVES, "commits": 1, "waits": 1}, COMMITS),
    "coming-and-going": Profile(80, 9, MOVES, {**COMMITS, "nothing": 1, "removes": 4}),
    "many-commits": Profile(
        110, 3, {**MOVES, "commits": 16, "applies": 15, "waits": 1}, {"nothing": 9, "adds": 1}
    ),
    "crashes": Profile(80, 30, {**MOVES, "former": 9}, {**COMMITS, "replaces": 6}),
    "a-stage": Profile(80, 14, MOVES, {"nothing": 1, "adds": 1, "removes": 1, "stages": 8}),
    "a-bad-network": Profile(
        100, 5, {**MOVES, "late": 20, "again": 12, "waits": 5}, COMMITS, suite=0x0005
    ),
    "an-attacker": Profile(100, 2, {**MOVES, "forged": 12, "former": 10, "stray": 7}, COMMITS),
}
PROFILES = {f"{name}-{n}": profile for name, profile in _PROFILES.items() for n in range(1, 5)}


@trace.vector("FKEY-10", "FKEY-12", "FKEY-14", "FRAME-9", each=PROFILES)
def walk_of(case: Case, profile: Profile) -> None:
    """A call at random: commits, joins, departures, returns, stages; frames that are late, lost, doubled, replayed, forged, of former members
    and of commits that lost; and what this device sends meanwhile."""
    walk(case, profile)


def walk(case: Case, profile: Profile) -> None:
    """Fill ``case`` with a walk of this profile."""
    Walk(case, profile).go()


class Dice:
    """Choices from a case's entropy."""

    def __init__(self, case: Case) -> None:
        self._entropy = case.entropy.fork(b"dice")

    def below(self, bound: int) -> int:
        return int.from_bytes(self._entropy.random(8), "big") % bound

    def chance(self, percent: int) -> bool:
        return self.below(100) < percent

    def one_of(self, items: Sequence[_Item]) -> _Item:
        return items[self.below(len(items))]

    def weighted(self, weights: Mapping[str, int]) -> str:
        return self.one_of([name for name, weight in weights.items() for _ in range(weight)])


@dataclass(frozen=True, slots=True)
class Planned:
    """An epoch of the log, which the device may not have applied yet."""

    number: int
    roster: frozenset[int]
    speakers: frozenset[int] = frozenset()
    hosts: frozenset[int] = frozenset()
    added: frozenset[int] = frozenset()
    removed: frozenset[int] = frozenset()


@dataclass(slots=True)
class World:
    """The call around the device."""

    log: list[Planned]
    applied: int = 0
    """How many of the log's epochs the device has applied."""
    counters: dict[tuple[int, int, int], int] = field(default_factory=dict)
    """(epoch, kind, leaf) -> the next counter"""
    in_flight: list[tuple[int, Frame]] = field(default_factory=list)
    """Stream and frame, on the way."""
    former: list[tuple[int, Planned]] = field(default_factory=list)
    """Who was removed, and the last epoch that it has the keys of."""

    def is_member_since(self, leaf: int, epoch: Planned) -> bool:
        """Whether who is at ``leaf`` in ``epoch`` is there until the newest one that the device has applied."""
        later = [each for each in self.log[: self.applied] if each.number > epoch.number]
        return leaf in epoch.roster and not any(leaf in each.removed for each in later)


class Walk:
    """One device in it."""

    def __init__(self, case: Case, profile: Profile) -> None:
        self.dice = Dice(case)
        self.profile = profile
        self.script = Script(case, receives=STREAMS, sends=STREAMS, suite=profile.suite)
        first = profile.first_epoch + self.dice.below(5)
        self.world = World([Planned(first, frozenset({0, OWN_LEAF, 2}))])
        self.now = 0

    def go(self) -> None:
        self.applies()
        while self.script.next_step < self.profile.steps:
            self.now += self.dice.one_of((0, 1, 5, 20, 20, 40, 90))
            getattr(self, self.dice.weighted(self.profile.moves))()

    def commits(self) -> None:
        """The log gets another epoch. The device hears of it when it applies it."""
        newest = self.world.log[-1]
        change = getattr(self, f"_{self.dice.weighted(self.profile.commits)}")(newest)
        fields = {"speakers": newest.speakers, "hosts": newest.hosts, "roster": newest.roster}
        planned = Planned(number=newest.number + 1, **{**fields, **change})
        self.world.former += [(leaf, newest) for leaf in sorted(planned.removed)]
        self.world.log.append(planned)

    def _nothing(self, _: Planned) -> dict[str, Any]:
        return {}

    def _adds(self, newest: Planned) -> dict[str, Any]:
        if len(newest.roster) == LARGEST_ROSTER:
            return {}
        leaf = min(frozenset(range(LARGEST_ROSTER)) - newest.roster)
        return {"roster": newest.roster | {leaf}, "added": frozenset({leaf})}

    def _removes(self, newest: Planned) -> dict[str, Any]:
        others = sorted(newest.roster - {OWN_LEAF})
        if len(others) == 1:
            return {}
        gone = frozenset({self.dice.one_of(others)})
        return {
            "roster": newest.roster - gone,
            "removed": gone,
            "speakers": newest.speakers - gone,
            "hosts": newest.hosts - gone,
        }

    def _replaces(self, newest: Planned) -> dict[str, Any]:
        leaf = frozenset({self.dice.one_of(sorted(newest.roster - {OWN_LEAF}))})
        return {"added": leaf, "removed": leaf}

    def _stages(self, newest: Planned) -> dict[str, Any]:
        some = {leaf for leaf in sorted(newest.roster) if self.dice.chance(50)}
        host = frozenset({self.dice.one_of(sorted(newest.roster))})
        return {"speakers": frozenset(some), "hosts": host}

    def applies(self) -> None:
        """The device applies the next epoch of the log."""
        if self.world.applied == len(self.world.log):
            return
        planned = self.world.log[self.world.applied]
        self.world.applied += 1
        self.script.applied(
            self.now,
            planned.number,
            roster=planned.roster,
            speakers=planned.speakers,
            hosts=planned.hosts,
            added=planned.added,
            removed=planned.removed,
            then=None,
        )

    def frame(self) -> None:
        """A member sends. The frame comes, or comes later, or never."""
        stream, frame = self._members_frame()
        fortune = self.dice.below(100)
        if fortune < 75:
            self._comes(stream, frame)
        elif fortune < 93:
            self.world.in_flight.append((stream, frame))

    def late(self) -> None:
        """One of the frames that are on their way comes."""
        if self.world.in_flight:
            frame = self.world.in_flight.pop(self.dice.below(len(self.world.in_flight)))
            self._comes(*frame)

    def again(self) -> None:
        """What came comes once more."""
        if self.script.frames:
            step = self.dice.one_of([*self.script.frames][-20:])
            stream = self.script.case.input["steps"][step]["stream"]
            self._comes(stream, self.script.frames[step])

    def forged(self) -> None:
        """A frame that was changed on the way, or made with the key of a commit that lost."""
        stream, frame = self._members_frame(counted=False)
        if self.dice.chance(50):
            self.script.changed(self.now, frame, None, stream=stream)
            return
        facts = frame.facts
        ctr = facts.ctr + self.dice.one_of((0, 1, 200, 5_000))
        self._comes(
            stream,
            self.script.made(facts.epoch, ctr, leaf=facts.leaf, kind=facts.kind, branch="lost"),
        )

    def former(self) -> None:
        """Who was removed goes on sending, as itself or as another, with keys that it has."""
        if not self.world.former:
            return
        leaf, epoch = self.dice.one_of(self.world.former[-3:])
        if self.dice.chance(60):
            leaf = self.dice.one_of(sorted(epoch.roster - {OWN_LEAF}))
        stream = self.dice.below(len(STREAMS))
        self._comes(stream, self._made(stream, leaf, epoch))

    def stray(self) -> None:
        """A frame on a stream of another kind, of nobody, of an epoch far away, of the device itself, or none at all."""
        newest = self.world.log[self.world.applied - 1]
        match self.dice.below(5):
            case 0:
                stream = self.dice.below(len(STREAMS))
                self._comes(stream, self.script.made(newest.number, 0, kind=OTHER_KIND[stream]))
            case 1:
                self._comes(0, self.script.made(newest.number, 0, leaf=LARGEST_ROSTER))
            case 2:
                self._comes(0, self.script.made(newest.number + 5 + self.dice.below(4), 0))
            case 3:
                self._comes(0, self.script.made(newest.number, 0, leaf=OWN_LEAF))
            case 4:
                self.script.unreadable(self.now, SILENCE, Refusal.BAD_HEADER, told=False)

    def says(self) -> None:
        """A message of a member authenticates, in an epoch that the device has applied."""
        epoch = self.dice.one_of(self.world.log[: self.world.applied][-3:])
        leaves = [
            leaf
            for leaf in sorted(epoch.roster - {OWN_LEAF})
            if self.world.is_member_since(leaf, epoch)
        ]
        if leaves:
            say = self.script.heard if self.dice.chance(25) else self.script.acknowledged
            say(self.now, self.dice.one_of(leaves), epoch.number, then=None)

    def sends(self) -> None:
        """The device's encoder has made a frame."""
        self.script.sends_any(self.now, self.dice.below(len(STREAMS)))

    def reopens(self) -> None:
        """The microphone is another one now."""
        self.script.reopened(self.now, then=None)

    def waits(self) -> None:
        """Some time passes."""
        self.now += self.dice.one_of((160, 250, 600, 900, 1_000, 1_900, 2_500, 7_000))
        self.script.time(self.now, then=None)

    def _members_frame(self, *, counted: bool = True) -> tuple[int, Frame]:
        """A frame of somebody who is in one of the newest epochs, of the device's or of the log's."""
        known = self.world.log[: self.world.applied]
        epoch = self.dice.one_of([known[-1], known[-1], *known[-3:], self.world.log[-1]])
        others = sorted(epoch.roster - {OWN_LEAF})
        stream = self.dice.below(len(STREAMS))
        return stream, self._made(stream, self.dice.one_of(others), epoch, counted=counted)

    def _made(self, stream: int, leaf: int, epoch: Planned, *, counted: bool = True) -> Frame:
        kind = STREAMS[stream].kind
        counter = (epoch.number, kind, leaf)
        ctr = self.world.counters.get(counter, 0)
        if self.dice.chance(4):
            ctr += self.dice.one_of((1, 2, 130, 1_100))
        if counted:
            self.world.counters[counter] = ctr + 1
        return self.script.made(epoch.number, ctr, leaf=leaf, kind=kind)

    def _comes(self, stream: int, frame: Frame) -> None:
        self.script.comes(self.now, frame, None, stream=stream)
