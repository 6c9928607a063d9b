"""`alive`: who is in this device's epoch, whether it may send, and how late the others are (CALL-11, CALL-23, CALL-24, CALL-27, GROUP-19).

An ``alive`` is the acknowledgement of FKEY-7: the sender of frames goes on to an epoch as soon as all others are known to
have it. It proves what it says because it is sealed with keys of that very epoch, so it counts for its sender and for that
epoch only. Sent again and again it also shows a fork: who is connected by the service's word and silent here is in another
branch, and a device to which at least half of the others are silent stops sending. So a service that splits a group, or keeps
a commit back, is noticed within three periods, however often somebody in the split group begins a new epoch.

    epoch_began(epoch, ...)     this device applied a commit, or came in by one
    due_at                      when this device has to say it, at once perhaps; said(now): it did
    heard(said, now)            an ``alive`` that was opened: counts, if it is of this epoch
    stopped(now)                why this device must not send now, or None
    get_timer(now)              when one of these answers changes
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import islice, takewhile
from operator import itemgetter

from e2ee.call.configuration import (
    ALIVE_PAUSE,
    ALIVE_PERIOD,
    ALIVE_PERIODS,
    EARLIER_KEPT,
    EPOCH_END,
    LAG_SHOWN,
    LAG_WITHHELD,
    MANY_MEMBERS,
    MEMBERS_A_SECOND,
)
from e2ee.call.policy import Said
from e2ee.signalling.messages import Alive

__all__ = ["Aliveness", "Lag", "StopReason", "alive_period"]

NEVER = 1 << 63
"""Later than every time, in milliseconds."""


class StopReason(StrEnum):
    """Why a device that could send does not."""

    ALONE = "alone"
    """At most half of the others were heard in this epoch (CALL-23)."""
    EPOCH_TOO_OLD = "epoch-too-old"
    """No commit has followed for too long (CALL-27)."""
    REMOVAL_WITHHELD = "removal-withheld"
    """A host has announced a removal that the log does not show (GROUP-15)."""
    NOT_A_SPEAKER = "not-a-speaker"
    """A host has taken it off the stage (GROUP-13)."""
    NO_HOST_HEARD = "no-host-heard"
    """It came without a link's secret, and none of the hosts that it was told of has said anything yet (GROUP-11)."""


@dataclass(frozen=True, slots=True)
class Lag:
    """By how many milliseconds what a member says comes later than it did at its best (CALL-24)."""

    leaf_index: int
    milliseconds: int

    @property
    def shown(self) -> bool:
        """Whether people should know."""
        return self.milliseconds > LAG_SHOWN

    @property
    def withheld(self) -> bool:
        """Whether nothing of the member is rendered."""
        return self.milliseconds > LAG_WITHHELD


def alive_period(members: int) -> int:
    """CALL-11: "every max(15 s, members / 4 s)", in milliseconds."""
    return max(ALIVE_PERIOD, members * 1000 // MEMBERS_A_SECOND)


class Aliveness:
    """See the module. ``now`` is Unix time in milliseconds, of one clock for all calls of a device."""

    def __init__(self) -> None:
        self._epoch = -1
        self._applied_at = 0
        self._period = ALIVE_PERIOD
        self._said_at: int | None = None
        self._due_at = 0
        self._hastens: int | None = None
        """How long after the last one the next comes if somebody was away; None: no sooner than otherwise."""
        self._heard: dict[int, int] = {}
        """Leaf -> until when it was known to be in this branch of the log; who was known last comes last."""
        self._ended: dict[int, int] = {}
        """Of the epochs before: when the next one was applied."""
        self._least: dict[int, int] = {}
        """Leaf -> the least difference between our clock and its ``clock`` so far."""
        self._lags: dict[int, Lag] = {}

    def epoch_began(
        self,
        epoch: int,
        others: frozenset[int],
        now: int,
        *,
        may_speak: bool = True,
        newcomers: frozenset[int] = frozenset(),
    ) -> None:
        """This device is in ``epoch`` with these other leaves; ``newcomers`` are those that came with it."""
        self._ended = {each: at for each, at in self._ended.items() if each + EARLIER_KEPT >= epoch}
        self._ended[self._epoch] = now
        self._epoch, self._applied_at = epoch, now
        members = len(others) + 1
        self._period = alive_period(members)
        stayed = {leaf: at for leaf, at in self._heard.items() if leaf in others - newcomers}
        self._heard = stayed | dict.fromkeys(others - stayed.keys(), now)
        self._hastens = ALIVE_PAUSE
        if members > MANY_MEMBERS:
            self._hastens = ALIVE_PERIOD if may_speak else None
        # GROUP-19: "In a group of more than 32 members ... by those who may speak and by no others"
        if may_speak or members <= MANY_MEMBERS:
            self._due_at = now
        elif self._said_at is None:
            self._due_at = now + self._period
        else:
            # GROUP-19: "counted from its own last one, whatever epochs begin meanwhile"
            self._due_at = min(self._due_at, self._said_at + self._period)
        for known in (self._least, self._lags):
            for gone in known.keys() - (others - newcomers):
                del known[gone]

    def heard(self, said: Said, alive: Alive, now: int) -> Lag | None:
        """A member said that it is alive; gives its lag if there is news for people."""
        # CALL-23: "one of an earlier epoch shows it for as long as that epoch was the newest"
        at = now if alive.epoch == self._epoch else self._ended.get(alive.epoch, 0)
        if at > self._heard.get(said.sender, at):
            del self._heard[said.sender]
            self._heard[said.sender] = at
            if at < now:
                self._heard = dict(sorted(self._heard.items(), key=itemgetter(1)))
        return self._measure(said.sender, now - alive.clock)

    def _measure(self, leaf: int, late: int) -> Lag | None:
        # CALL-24: only growth counts, so clocks that differ do no harm
        least = self._least[leaf] = min(late, self._least.get(leaf, late))
        lag = Lag(leaf, late - least)
        before = self._lags.get(leaf, Lag(leaf, 0))
        self._lags[leaf] = lag
        return lag if lag.shown or before.shown else None

    def said(self, now: int) -> None:
        """This device sent an ``alive``."""
        self._said_at, self._due_at = now, now + self._period

    def hasten(self) -> None:
        """Say it soon, for somebody was away and heard nothing, or late."""
        if self._said_at is not None and self._hastens is not None:
            self._due_at = min(self._due_at, self._said_at + self._hastens)

    @property
    def due_at(self) -> int:
        """When the next ``alive`` is due."""
        return self._due_at

    def silent(self, now: int) -> frozenset[int]:
        """The leaves of whom nothing has shown for three periods that they are in this branch (CALL-23)."""
        heard_before = now - ALIVE_PERIODS * self._period
        silent = takewhile(lambda leaf: self._heard[leaf] <= heard_before, self._heard)
        return frozenset(silent)

    def stopped(self, now: int) -> StopReason | None:
        """Why this device must not send frames now; None if it may."""
        # CALL-27: "MUST NOT send frames under an epoch that it applied more than 11 minutes ago"
        if now >= self._applied_at + EPOCH_END:
            return StopReason.EPOCH_TOO_OLD
        # CALL-23: "to which at least half of the other members are silent"
        if self._heard and 2 * len(self.silent(now)) >= len(self._heard):
            return StopReason.ALONE
        return None

    def get_timer(self, now: int) -> int:
        """When ``stopped`` or ``silent`` may say something else than at ``now``."""
        ends = [self._applied_at + EPOCH_END]
        if len(silent := self.silent(now)) < len(self._heard):
            first = next(islice(self._heard.values(), len(silent), None))
            ends.append(first + ALIVE_PERIODS * self._period)
        return min((end for end in ends if end > now), default=NEVER)
