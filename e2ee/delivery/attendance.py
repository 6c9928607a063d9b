"""Who of a group call is there: connected, away since when, or gone for good (DS-17 to DS-20).

A member is away from the moment at which its connection is lost, or, after a restart, at which the call is heard of again. It is
gone for good when it has left, when it cannot follow the log any more, and until a commit adds it anew; that the store keeps
with the call. The rest is in memory.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from e2ee.delivery.call import Call
from e2ee.delivery.limits import ASKED_WITHIN, CALL_IDLE, GONE_AFTER, GONE_AGAIN_AFTER

__all__ = ["Attendance", "Attendances"]

Agenda = list[tuple[int, bytes]]
"""A heap of when to look at which call. One that says otherwise itself is looked at another time."""


@dataclass(slots=True)
class Attendance:
    """Of one group call, in the epoch in which it was heard of last. Devices are named by their signature keys.

    Times are Unix milliseconds: since when who is ``away`` or ``gone`` is so, when that was ``stated`` in this epoch, and when
    who ``asked`` to join did.
    """

    call_id: bytes
    agenda: Agenda = field(repr=False)
    entries: int = 0
    begun_at: int = 0
    leaves: Mapping[bytes, int] = field(default_factory=dict)
    away: dict[bytes, int] = field(default_factory=dict)
    gone: dict[bytes, int] = field(default_factory=dict)
    stated: dict[bytes, int] = field(default_factory=dict)
    ended: set[bytes] = field(default_factory=set)
    """Whose media have been ended since they are missing."""
    asked: dict[bytes, int] = field(default_factory=dict)
    due_at: int | None = None
    """When to look for what is due; nothing is before."""

    def is_of(self, entries: int, changed_at: int) -> bool:
        """Whether it is that of a log with so many entries, which changed last then."""
        return (self.entries, self.begun_at) == (entries, changed_at)

    def follow(
        self, call: Call, connected: Collection[bytes], gone: Collection[bytes], now: int
    ) -> None:
        """The call's log has changed."""
        self.entries, self.begun_at, self.leaves = call.entries, call.begun_at, call.leaves
        self.gone = {key: self.gone.get(key, now) for key in gone}
        present = set(gone).union(connected)
        self.away = {key: self.away.get(key, now) for key in call.leaves if key not in present}
        self.stated = {}
        self.ended &= {*self.away, *self.gone}
        self._reckon()

    def came(self, signature_key: bytes) -> None:
        """A member is connected."""
        self.away.pop(signature_key, None)
        if signature_key not in self.gone:
            self.stated.pop(signature_key, None)
            self.ended.discard(signature_key)

    def went(self, signature_key: bytes, now: int) -> None:
        """A member has lost its connection."""
        if signature_key in self.leaves and signature_key not in self.gone:
            self.away[signature_key] = now
            self._look_at(now + GONE_AFTER)

    def left(self, signature_key: bytes, now: int) -> None:
        """A member is gone for good."""
        self.away.pop(signature_key, None)
        self.gone.setdefault(signature_key, now)
        self._look_at(now)

    def due(self, now: int) -> list[tuple[bytes, int]]:
        """Who is to be said to be gone now, and since when, in the order of the leaves."""
        missing = self._missing()
        return [(key, missing[key][0]) for key in self.leaves if _is_due(missing, key, now)]

    def newly_ended(self, signature_keys: Iterable[bytes]) -> list[bytes]:
        """Those of these whose media are not ended yet, and are from now on."""
        ended = [key for key in signature_keys if key not in self.ended]
        self.ended.update(ended)
        return ended

    def stated_now(self, signature_keys: Iterable[bytes], now: int) -> None:
        """It was said of these."""
        self.stated.update(dict.fromkeys(signature_keys, now))
        self._reckon()

    def ask(self, signature_key: bytes, now: int) -> None:
        """A device has asked to join."""
        self.asked.pop(signature_key, None)
        self.asked[signature_key] = now
        while not self.has_asked(first := next(iter(self.asked)), now):
            del self.asked[first]

    def has_asked(self, signature_key: bytes, now: int) -> bool:
        """Whether a device has asked to join lately."""
        return self.asked.get(signature_key, 0) > now - ASKED_WITHIN

    def _missing(self) -> dict[bytes, tuple[int, int]]:
        """Since when who is missing is so, and when that is to be stated."""
        missing = {key: (since, since + GONE_AFTER) for key, since in self.away.items()}
        missing |= {key: (since, since) for key, since in self.gone.items() if key in self.leaves}
        for key in missing.keys() & self.stated.keys():
            missing[key] = missing[key][0], self.stated[key] + GONE_AGAIN_AFTER
        return missing

    def _reckon(self) -> None:
        self.due_at = None
        due = [due_at for _, due_at in self._missing().values()]
        if due:
            self._look_at(min(due))

    def _look_at(self, time: int) -> None:
        if self.due_at is None or time < self.due_at:
            self.due_at = time
            heapq.heappush(self.agenda, (time, self.call_id))


class Attendances:
    """Of all group calls that were heard of since the service began."""

    def __init__(self) -> None:
        self._of: dict[bytes, Attendance] = {}
        self._agenda: Agenda = []

    def of(self, call_id: bytes) -> Attendance | None:
        """Of this call, if it is known."""
        return self._of.get(call_id)

    def begin(self, call_id: bytes) -> Attendance:
        """Of a call that was heard of."""
        return self._of.setdefault(call_id, Attendance(call_id, self._agenda))

    def due(self, now: int) -> Iterator[Attendance]:
        """Those in which something is to be stated, each once."""
        seen: set[bytes] = set()
        while (due_at := self.due_at()) is not None and due_at <= now:
            _, call_id = heapq.heappop(self._agenda)
            if call_id not in seen:
                seen.add(call_id)
                yield self._of[call_id]

    def due_at(self) -> int | None:
        """When the first of them is due."""
        while self._agenda:
            due_at, call_id = self._agenda[0]
            attendance = self._of.get(call_id)
            if attendance is not None and attendance.due_at == due_at:
                return due_at
            heapq.heappop(self._agenda)
        return None

    def take_over(self, now: int) -> list[Attendance]:
        """Those of calls that are over, which are gone then."""
        idle_since = now - CALL_IDLE
        over = [each for each in self._of.values() if each.begun_at < idle_since]
        for each in over:
            del self._of[each.call_id]
        return over

    def drop(self, call_id: bytes) -> None:
        """What is known of this call is not so."""
        self._of.pop(call_id, None)

    def forget(self) -> None:
        """A transaction was undone, and what is known may never have been."""
        self._of.clear()


def _is_due(missing: Mapping[bytes, tuple[int, int]], key: bytes, now: int) -> bool:
    return key in missing and missing[key][1] <= now
