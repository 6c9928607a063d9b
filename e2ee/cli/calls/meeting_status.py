"""What there is to see of a group call at one moment: the live view's content."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from e2ee.call.roster import Member
from e2ee.cli.calls.shown import digits, isolated
from e2ee.cli.calls.status import Passed, suite_name

__all__ = ["MeetingStatus"]

_MOST = 24
"""People whose names are shown."""


@dataclass
class MeetingStatus:
    """See the module. Leaves are leaf indexes; ``sends`` are the names of what this device sends."""

    state: str = "begins"
    own: int = -1
    members: tuple[Member, ...] = ()
    hosts: Collection[int] = ()
    speakers: Collection[int] = ()
    speaking: Collection[int] = ()
    hands: tuple[Member, ...] = ()
    silent: Collection[int] = ()
    writing: set[int] = field(default_factory=set)
    lobby: tuple[str, ...] = ()
    """Accounts."""
    call_code: str = ""
    suite: int | None = None
    epoch: int | None = None
    passed: Passed = field(default_factory=Passed)
    sends: tuple[str, ...] = ()
    on_hold: bool = False
    lags: dict[int, int] = field(default_factory=dict)
    interruptions: int = 0
    stopped: str = ""
    no_media: str = ""

    def rows(self) -> Iterator[tuple[str, str]]:
        """As for every view."""
        count = len(self.members)
        yield "group call", f"{self.state}, {count} in it" if count else self.state
        if self.members:
            yield "people", self._people()
        if self.hands:
            yield "hands", ", ".join(isolated(each.account_id) for each in self.hands)
        if self.lobby:
            yield "lobby", ", ".join(map(isolated, self.lobby))
        if self.call_code:
            yield "call code", digits(self.call_code)
        if self.suite is not None:
            yield "keys", f"epoch {self.epoch}, {suite_name(self.suite)}"
            yield "frames", self.passed.frames()
            yield "comes", f"{self.passed.bit_rate / 1000:.0f} kbit/s"
            yield "goes", "on hold" if self.on_hold else ", ".join(self.sends) or "nothing"
        if any(troubles := self._troubles()):
            yield "trouble", "; ".join(filter(None, troubles))

    def _people(self) -> str:
        loud = sorted(self.members, key=lambda each: each.leaf_index not in self.speaking)
        shown = ", ".join(map(self._person, loud[:_MOST]))
        more = len(loud) - _MOST
        return f"{shown} and {more} more" if more > 0 else shown

    def _person(self, member: Member) -> str:
        leaf = member.leaf_index
        viewer = self.speakers and leaf not in self.speakers
        marks = {
            "you": leaf == self.own,
            "host": leaf in self.hosts,
            "watches": viewer,
            "is heard": leaf in self.speaking,
            "writes": leaf in self.writing,
            "not in this branch": leaf in self.silent,
        }
        said = ", ".join(mark for mark, holds in marks.items() if holds)
        return isolated(member.account_id) + (f" ({said})" if said else "")

    def _troubles(self) -> list[str]:
        known = {member.leaf_index: member for member in self.members}
        late = [
            f"{isolated(known[leaf].account_id)} {lag / 1000:.1f} s late"
            for leaf, lag in self.lags.items()
            if leaf in known
        ]
        interrupted = f"{self.interruptions} interruptions" if self.interruptions else ""
        return [self.stopped, self.no_media, *late, interrupted]
