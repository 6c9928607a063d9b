"""What people hear and see of a group call's changes, as tables: ``meeting`` gathers them, this counts.

The limits are the design's send deadlines: with an epoch that adds somebody all send after a second at the latest, with one
that removes somebody after a quarter of one. A gap is put beside the longest one in as long a time in which no epoch begins,
in the same run.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from e2ee.media.limits import SEND_DEADLINE, SEND_DEADLINE_AFTER_REMOVAL
from tests.bench.group.figures import Spread, Table, number
from tests.bench.group.meeting import (
    AROUND,
    PICTURES,
    QUIET,
    SOUND,
    STEPS,
    TOGETHER,
    Gathered,
    Gathering,
)
from tests.bench.group.member import HEIGHT, WIDTH
from tests.bench.group.member import PICTURES as RATE

__all__ = ["FULL", "QUICK", "as_json", "tables"]

FULL = (
    Gathering(2, 2, 2, 3, 3),
    Gathering(8, 8, 2, 2, 3),
    Gathering(32, 2, 2, 2, 2),
    Gathering(32, 2, 2, 2, 1, apart=True),
)
QUICK = (Gathering(2, 2, 2, 3, 1), Gathering(8, 8, 2, 2, 1))

_NOTES = (
    f"pictures of {WIDTH}x{HEIGHT}, {RATE} a second; sound 50 frames a second. The server with its forwarding unit is a process,",
    f"so is everybody with a camera; of the others {TOGETHER} share one. Two decode what they get, or all if there are but two:",
    "the others open it. All share this machine.",
)


def tables(found: Sequence[Gathered]) -> Iterator[Table]:
    yield _table(
        "who comes opens the first frame; ms after it asked, median (worst)",
        found,
        _join,
        (
            f"An epoch that adds somebody is sent with when all are known to have it, or {SEND_DEADLINE} ms after it came (FKEY-9):",
            "in groups of more than 32 members, where viewers do not say that they have it, always then.",
        ),
    )
    yield _table(
        "the longest gap of a stream at somebody else, ms, median (worst)", found, _gaps, _NOTES
    )
    yield _table(
        "who was removed, with all keys that it ever had; ms after the removal",
        found,
        _removed,
        (
            f"told: when the last of the others was heard in the new epoch, and {SEND_DEADLINE_AFTER_REMOVAL} ms more (CALL-25)",
        ),
    )
    yield _table("while nothing happens", found, _idle)


def _table(title: str, found: Sequence[Gathered], column: Any, notes: Sequence[str] = ()) -> Table:
    columns = [column(each) for each in found]
    names = dict.fromkeys(name for each in columns for name in each)
    rows = [[name, *(each.get(name, "") for each in columns)] for name in names]
    return Table(title, [["", *(_name(each.gathering) for each in found)], *rows], notes)


def _name(gathering: Gathering) -> str:
    who = f"{gathering.members} members"
    if not gathering.everybody_speaks:
        who += f", {gathering.show} speak"
    elif gathering.say < gathering.members:
        who += f", {gathering.say} mics"
    return f"{who}, unit apart" if gathering.apart else who


def _join(found: Gathered) -> dict[str, str]:
    marks = {name: Spread([each[name] for each in found.joins]) for name in _MARKS}
    ratio = marks["opened CAMERA"].worst / SEND_DEADLINE
    return {
        "first picture, worst / send deadline": f"{ratio:.2f}×",
        **{told: str(marks[name]) for name, told in _MARKS.items()},
    }


_MARKS = {
    "opened MICROPHONE": "first sound opened",
    "opened CAMERA": "first picture opened",
    "opened everybody": "all sound and pictures",
    "in the group": "before: in the group",
    "received media_offer": "before: is offered media",
    "connected": "before: connected",
}


def _gaps(found: Gathered) -> dict[str, str]:
    column = {}
    for kind, name in ((SOUND, "sound"), (PICTURES, "pictures")):
        gaps = {step: Spread(found.gaps[step][kind]) for step in STEPS if found.gaps[step][kind]}
        if QUIET in gaps:
            for step in [step for step in gaps if step != QUIET]:
                ratio = gaps[step].worst / gaps[QUIET].worst
                column[f"{name}, worst: {step} / {QUIET}"] = f"{ratio:.1f}×"
        column |= {f"{name}: {step}": str(spread) for step, spread in gaps.items()}
    return column


def _removed(found: Gathered) -> dict[str, str]:
    removals = found.removals
    told = Spread([each.told for each in removals])
    last = Spread([max(each.opened, default=0.0) for each in removals])
    late = sum(at > each.told for each in removals for at in each.opened)
    came = Spread([max(each.came, default=0.0) for each in removals])
    of_these = Spread([max(each.opened_of_these, default=0.0) for each in removals])
    return {
        "last frame that opens / told": f"{last.worst / told.worst:.2f}×",
        "frames sent later than told that open": str(late),
        "last frame sent that opens": str(last),
        "told: can open until": str(told),
        "everybody knows after": str(Spread([each.known for each in removals])),
        "frames sent since, by all": number(sum(each.sent for each in removals)),
        "over its own connection: last frame that came": str(came),
        "and last that opens": str(of_these),
    }


def _idle(found: Gathered) -> dict[str, str]:
    """Whether the machine kept up, and what it took."""
    column = {
        f"{name} opened a second, of {due}: median (least)": (
            f"{statistics.median(rates):.1f} ({min(rates):.1f})"
        )
        for kind, name, due in ((SOUND, "frames of sound", 50), (PICTURES, "pictures", RATE))
        if (rates := found.rates[kind])
    }
    return column | {f"of a core: {what}": f"{share:.1%}" for what, share in found.cores.items()}


def as_json(found: Gathered) -> dict[str, Any]:
    """Everything that was measured."""
    return asdict(found) | {"window_ms": AROUND}
