"""What a group call of a thousand members takes, at a member and at the service: ``large_call`` lives, this counts.

Beside it, in the same run and of the same commits: ``e2ee.mls`` alone, and a verification of Ed25519 as the unit.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from e2ee.call.alive import alive_period
from e2ee.crypto.signature import ED25519
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.delivery.limits import MAX_RELAYED_BYTES
from e2ee.server.stores.sqlite import SqliteStore
from tests.bench.group.figures import Spread, Table, number
from tests.bench.group.large_call import (
    ADD_MANY,
    ADD_ONE,
    ALIVE,
    JOIN,
    REMOVE,
    TIMED,
    Extent,
    LargeCall,
)
from tests.bench.group.meter import Carried, Meter, Spent

__all__ = ["FULL", "QUICK", "Large", "as_json", "measure", "tables"]

FULL = (Extent(0x0001, 1_000, 10, 50, 3), Extent(0xF0E2, 760, 10, 25, 2))
QUICK = (Extent(0x0001, 250, 10, 50, 2),)

IN_MEMORY = Path("/dev/shm")  # noqa: S108 - no disk is measured here
VERIFICATIONS = 500
MEMBERS = frozenset({"speaker", "viewer"})
SERVICE, ENCODING = frozenset({"service"}), frozenset({"encoding"})
COMMITS = frozenset({"timer", "remove", "join_requested"})
"""What makes a member commit."""


@dataclass(frozen=True)
class Large:
    """Of one group: all that the meter says, and milliseconds for a verification of Ed25519."""

    extent: Extent
    spent: Sequence[Spent]
    sent: Sequence[Carried]
    verification: float

    # Milliseconds, each a value for each time that a step was done, or for each time and member.

    def commit_made(self, step: str) -> Spread:
        """The longest of what made members commit, which is the one that did."""
        longest: dict[int, float] = defaultdict(float)
        for each in self._of(step, MEMBERS | {"host"}, COMMITS):
            longest[each.step.number] = max(longest[each.step.number], each.milliseconds)
        return Spread(list(longest.values()))

    def once(self, step: str, who: Collection[str], *what: str) -> Spread:
        """Of each single one."""
        return Spread([each.milliseconds for each in self._of(step, who, what)])

    def in_all(self, step: str, who: Collection[str], *what: str) -> Spread:
        """Of all together, each time and at each member."""
        sums: dict[tuple[int, int], float] = defaultdict(float)
        for each in self._of(step, who, what):
            sums[each.step.number, each.one] += each.milliseconds
        return Spread(list(sums.values()) or [0.0])

    def _of(self, step: str, who: Collection[str], what: Collection[str]) -> Iterator[Spent]:
        for each in self.spent:
            if each.step.name == step and each.who in who and each.what in what:
                yield each

    # Bytes

    def carried(self, step: str, what: str) -> list[Carried]:
        return [each for each in self.sent if each.step.name == step and each.what == what]


def measure(extent: Extent) -> Large:
    meter = Meter()
    directory = IN_MEMORY if IN_MEMORY.is_dir() else None
    with (
        tempfile.TemporaryDirectory(dir=directory) as place,
        closing(SqliteStore(Path(place) / "service.db")) as store,
    ):
        LargeCall(store, extent, meter).run()
    return Large(extent, meter.spent, meter.sent, _verification())


def _verification() -> float:
    key = ED25519.generate(SystemEntropy())
    signature = ED25519.sign(key.private, bytes(300))
    times = []
    for _ in range(VERIFICATIONS):
        began = time.thread_time()
        ED25519.verify(key.public, bytes(300), signature)
        times.append((time.thread_time() - began) * 1e3)
    return statistics.median(times)


# As tables


def tables(large: Large) -> Iterator[Table]:
    extent = large.extent
    title = f"{extent.members:,} members of whom {extent.speak} speak, suite {extent.suite:#06x}"
    steps = {
        ADD_ONE: "adds one",
        ADD_MANY: f"adds {extent.batch}",
        REMOVE: "removes one",
        TIMED: "timed",
    }
    columns = [_commit_column(large, step) for step in steps]
    rows = [[name, *(column[name] for column in columns)] for name in columns[0]]
    yield Table(
        f"{title}: a commit; CPU in ms, median (worst)",
        [["", *steps.values()], *rows],
        [
            f"whole members: the host, all who speak, and {len(extent.turns)} viewers; the others are in the log and get",
            "everything, but open nothing. Members came in batches, so nearly every leaf's path is new: each commit",
            "is encrypted to nearly each leaf. The service's store is SQLite; sockets are not in it.",
            f"A verification of Ed25519 takes {large.verification * 1e3:.0f} µs.",
        ],
    )
    yield Table(f"{title}: an `alive`; CPU in ms, median (worst)", _alive_rows(large))
    yield Table(f"{title}: coming in by the link; CPU in ms, median (worst)", _join_rows(large))


def _commit_column(large: Large, step: str) -> dict[str, str]:
    whole = large.once(step, MEMBERS, "committed")
    bare = large.once(step, {"bare"}, "committed")
    commits, others = large.carried(step, "commit"), large.carried(step, "send")
    times = len(commits)
    commit = statistics.median(each.longest for each in commits)
    return {
        "a member applies it / MLS alone": f"{whole.median / bare.median:.1f}×",
        "the same in verifications": f"{whole.median / large.verification:.0f}",
        "who commits: makes it": f"{large.commit_made(step)}",
        "a member: applies it": f"{whole}",
        "MLS alone: processes it": f"{bare}",
        "a member: hears what follows": f"{large.in_all(step, MEMBERS, 'sent')}",
        "service: takes it, for all mailboxes": f"{large.once(step, SERVICE, 'commit')}",
        "service: encodes it for all connections": f"{large.once(step, ENCODING, 'commit')}",
        "service: relays what follows": f"{_both(large, step, 'send')}",
        "service: hears that all was taken": f"{large.in_all(step, SERVICE, 'acknowledge')}",
        "messages that follow": f"{len(others) / times:.0f}",
        "bytes: the commit": f"{commit:,.0f}",
        "of what a request may bring": f"{commit / MAX_RELAYED_BYTES:.0%}",
        "MB: it and Welcomes, to all": _megabytes(commits, times),
        "MB: what follows, to all": _megabytes(others, times),
    }


def _both(large: Large, step: str, what: str) -> Spread:
    """Handled and encoded, each time."""
    done, encoded = (large.in_all(step, who, what) for who in (SERVICE, ENCODING))
    return Spread([sum(both) for both in zip(done.values, encoded.values, strict=True)])


def _megabytes(carried: Sequence[Carried], times: int) -> str:
    return number(sum(each.size for each in carried) / times / 1e6)


def _alive_rows(large: Large) -> list[list[str]]:
    members = large.extent.members
    a_second = members * 1_000 / alive_period(members)
    hears = large.once(ALIVE, MEMBERS | {"host"}, "sent")
    relays, encodes = large.once(ALIVE, SERVICE, "send"), large.once(ALIVE, ENCODING, "send")
    taken = large.in_all(ALIVE, SERVICE, "acknowledge")
    a_relay = relays.median + encodes.median + taken.median
    carried = large.carried(ALIVE, "send")
    rows = [
        ["a second, of all members", f"{a_second:.1f}"],
        ["a member hears them: of a core", f"{a_second * hears.median / 1e3:.2%}"],
        ["the service passes them on: of a core", f"{a_second * a_relay / 1e3:.0%}"],
        ["a member: hears one", f"{hears}"],
        ["the same in verifications", f"{hears.median / large.verification:.1f}"],
        ["service: takes one, for all mailboxes", f"{relays}"],
        ["service: encodes it for all connections", f"{encodes}"],
        ["service: hears that all have taken it", f"{taken}"],
        ["bytes: one", f"{statistics.median(each.longest for each in carried):,.0f}"],
        ["MB: to all", _megabytes(carried, len(carried))],
    ]
    return [["", "`alive`"], *rows]


def _join_rows(large: Large) -> list[list[str]]:
    joins = large.in_all(JOIN, {"joiner"}, "added", "tree")
    bare = large.once(JOIN, {"bare"}, "join")
    judged = large.once(JOIN, MEMBERS, "join_requested")
    trees = large.carried(JOIN, "ask_tree")
    rows = [
        ["who comes: joins / MLS alone", f"{joins.median / bare.median:.1f}×"],
        ["the same in verifications", f"{joins.median / large.verification:,.0f}"],
        ["who comes: asks", f"{large.once(JOIN, {'joiner'}, 'ask')}"],
        ["who comes: joins, from Welcome and tree", f"{joins}"],
        ["MLS alone: joins", f"{bare}"],
        ["each of 8 members: judges the request", f"{judged}"],
        ["service: passes on the request", f"{large.once(JOIN, SERVICE, 'join')}"],
        ["service: gives the tree", f"{large.in_all(JOIN, SERVICE, 'ask_tree')}"],
        ["bytes: the tree", f"{sum(each.size for each in trees) / len(joins.values):,.0f}"],
    ]
    return [["", "a join"], *rows]


def as_json(large: Large) -> dict[str, Any]:
    """Sums and medians of everything, by step, who and what."""
    found: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for each in large.spent:
        found[each.step.name, each.who, each.what].append(each.milliseconds)
    return {
        "extent": asdict(large.extent),
        "verification_ms": large.verification,
        "spent": [
            {
                "step": step,
                "who": who,
                "what": what,
                "times": len(times),
                "median_ms": statistics.median(times),
                "worst_ms": max(times),
                "all_ms": sum(times),
            }
            for (step, who, what), times in sorted(found.items())
            if step
        ],
        "sent": [
            {"step": each.step.name, "number": each.step.number, "for": each.what}
            | {"bytes": each.size, "copies": each.copies, "longest": each.longest}
            for each in large.sent
            if each.step.name in {ADD_ONE, ADD_MANY, REMOVE, TIMED, ALIVE, JOIN}
            and each.what in {"commit", "send", "ask_tree"}
        ],
    }
