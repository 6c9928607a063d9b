"""What was measured, as text, Markdown and JSON."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tests.bench.bench_loss import COLUMNS
from tests.bench.call.load import Load, Passed, Size
from tests.bench.call.setup import Setup, Spent
from tests.bench.lossy_call import Figures as Loss

__all__ = ["Figures", "Machine", "as_json", "as_markdown", "as_text"]

MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Machine:
    """``load`` is the system's of a minute, when it began and at the end. ``flushes``: how long, in milliseconds, the disk took
    for 4 KiB, before and after each part.
    """

    python: str
    cores: int
    load: tuple[float, float]
    flushes: Sequence[float]


@dataclass(frozen=True)
class Figures:
    """All of one run; what was left out is empty."""

    machine: Machine
    setups: Sequence[Setup]
    size: Size
    loads: Sequence[Load]
    losses: Sequence[Loss]


@dataclass(frozen=True)
class Table:
    """The first row is the head; the first column says what the row is."""

    title: str
    rows: list[list[str]]


def _tables(figures: Figures) -> Iterator[Table]:
    if figures.setups:
        yield _setup_table(figures.setups)
        yield _process_table(figures.setups)
    if figures.loads:
        yield _load_table(figures.size, figures.loads)
    if figures.losses:
        rows = [[cell(row) for _, cell in COLUMNS] for row in figures.losses]
        yield Table("heard and seen over a path that loses", [[n for n, _ in COLUMNS], *rows])


def _setup_table(setups: Sequence[Setup]) -> Table:
    """Each cell: the median, and the worst."""
    calls = len(setups[0].calls) - 1
    columns = [
        [
            *_cells(setup.phases()),
            *_cells(setup.spans()),
            ("the first call of a process", f"{setup.first_call:.0f}"),
            *_cells({f"aiortc alone: {name}": spent for name, spent in setup.bare_spans().items()}),
            *_ratios(setup),
        ]
        for setup in setups
    ]
    rows = [
        [name, *(column[at][1] for column in columns)] for at, (name, _) in enumerate(columns[0])
    ]
    title = f"milliseconds, median and worst of {calls} calls"
    return Table(title, [["", *(setup.variant.name for setup in setups)], *rows])


def _cells(spent: dict[str, Spent]) -> list[tuple[str, str]]:
    return [(name, f"{each.median:.1f} ({each.worst:.0f})") for name, each in spent.items()]


def _ratios(setup: Setup) -> Iterator[tuple[str, str]]:
    ours, bare = setup.spans(), setup.bare_spans()
    for what in ("sound", "picture"):
        ratio = ours[f"accept to first {what}"].median / bare[f"offer to first {what}"].median
        yield f"ours / aiortc alone, to the first {what}", f"{ratio:.2f}×"


def _process_table(setups: Sequence[Setup]) -> Table:
    head = ["", "e2ee", "aiortc alone"]
    rows = [head]
    for setup in setups:
        ours, bare = setup.taken, setup.bare_taken
        name = setup.variant.name
        shares = (f"{each['cpu'] / each['seconds']:.1%}" for each in (ours, bare))
        rows += [
            [f"{name}: of one core", *shares],
            [f"{name}: encryption, of that", f"{ours['encryption'] / ours['cpu']:.1%}", ""],
            [f"{name}: memory, MiB", f"{ours['memory'] / MEBIBYTE:.0f}", ""],
            [f"{name}: before a call, MiB", f"{setup.idle_memory / MEBIBYTE:.0f}", ""],
        ]
    return Table("a process that sends and receives sound and pictures", rows)


def _load_table(size: Size, loads: Sequence[Load]) -> Table:
    title = f"one server on one core: {size.devices:,} devices, {size.calls} calls"
    floor = next((load for load in loads if load.kind == "relay"), None)
    columns = [_load_column(load, floor, size) for load in loads]
    rows = [[name, *(column[name] for column in columns)] for name in columns[0]]
    return Table(title, [["", *(load.kind for load in loads)], *rows])


def _load_column(load: Load, floor: Load | None, size: Size) -> dict[str, str]:
    began, connected, after = (each / MEBIBYTE for each in load.memory)
    column = {
        "memory, MiB: at the start": f"{began:.0f}",
        "all connected": f"{connected:.0f}",
        "after the load": f"{after:.0f}",
        "for each device, KiB": f"{(connected - began) * 1024 / size.devices:.0f}",
    }
    for name, passed, of_floor in (
        ("paced", load.paced, None if floor is None else floor.paced),
        ("flat out", load.flat_out, None if floor is None else floor.flat_out),
    ):
        if passed is not None:
            column |= {f"{name}: {what}": text for what, text in _passed(passed, of_floor)}
    return column


def _passed(passed: Passed, floor: Passed | None) -> Iterator[tuple[str, str]]:
    each = passed.cpu / passed.delivered
    yield "deliveries a second", f"{passed.delivered / passed.seconds:,.0f}"
    yield "commits a second", f"{passed.commits / passed.seconds:.1f}"
    yield "of the core", f"{passed.cpu / passed.seconds:.0%}"
    yield "waits for the core, which others have", f"{passed.waited / passed.seconds:.0%}"
    yield "deliveries a second of the core", f"{1 / each:,.0f}"
    if floor is not None:
        yield "core a delivery, times the relay's", f"{each / (floor.cpu / floor.delivered):.1f}×"
    yield "written to disk a delivery, KiB", f"{passed.written / passed.delivered / 1024:.1f}"
    for part, name in ((0.5, "median"), (0.99, "99 %"), (1.0, "worst")):
        yield f"latency, ms: {name}", f"{passed.latency(part):.1f}"


# As text


def _machine(machine: Machine) -> str:
    deciles = statistics.quantiles(machine.flushes, n=10)
    return (
        f"Python {machine.python}, {machine.cores} cores, load {machine.load[0]:.1f} at the start and"
        f" {machine.load[1]:.1f} at the end; a flush of the disk takes"
        f" {statistics.median(machine.flushes):.1f} ms ({deciles[0]:.1f} to {deciles[-1]:.1f})"
    )


def as_text(figures: Figures) -> str:
    parts = [_machine(figures.machine)]
    for table in _tables(figures):
        widths = [max(map(len, column)) for column in zip(*table.rows, strict=True)]
        lines = [f"\n{table.title}"]
        for first, *others in table.rows:
            cells = (each.rjust(width) for each, width in zip(others, widths[1:], strict=True))
            lines.append("  ".join([first.ljust(widths[0]), *cells]).rstrip())
        parts.append("\n".join(lines))
    return "\n".join(parts) + "\n"


def as_markdown(figures: Figures) -> str:
    parts = [_machine(figures.machine)]
    for table in _tables(figures):
        head, *rows = ["| " + " | ".join(row) + " |" for row in table.rows]
        rule = "|---|" + "---:|" * (len(table.rows[0]) - 1)
        parts.append("\n".join([f"### {table.title}", "", head, rule, *rows]))
    return "\n\n".join(parts) + "\n"


def as_json(figures: Figures) -> str:
    whole = {
        "machine": asdict(figures.machine)
        | {"flushes": statistics.quantiles(figures.machine.flushes, n=10)},
        "setup": [_setup(setup) for setup in figures.setups],
        "size": asdict(figures.size),
        "server": [_load(load) for load in figures.loads],
        "loss": [asdict(loss) for loss in figures.losses],
    }
    return json.dumps(whole, indent=2) + "\n"


def _setup(setup: Setup) -> dict[str, Any]:
    def times(spent: dict[str, Spent]) -> dict[str, Any]:
        return {
            name: {"median": each.median, "worst": each.worst, "times": each.times}
            for name, each in spent.items()
        }

    return {
        "variant": asdict(setup.variant),
        "phases_ms": times(setup.phases()),
        "spans_ms": times(setup.spans()),
        "aiortc_alone_ms": times(setup.bare_spans()),
        "first_call_ms": setup.first_call,
        "idle_memory_bytes": setup.idle_memory,
        "in_a_call": setup.taken,
        "in_a_call_of_aiortc_alone": setup.bare_taken,
    }


def _load(load: Load) -> dict[str, Any]:
    return {
        "kind": load.kind,
        "memory_bytes": load.memory,
        "paced": load.paced and _measured(load.paced),
        "flat_out": load.flat_out and _measured(load.flat_out),
    }


def _measured(passed: Passed) -> dict[str, Any]:
    return {
        "delivered": passed.delivered,
        "commits": passed.commits,
        "seconds": passed.seconds,
        "cpu_seconds": passed.cpu,
        "waited_seconds": passed.waited,
        "written_bytes": passed.written,
        "latency_ms": {part: passed.latency(part) for part in (0.5, 0.9, 0.99, 1.0)},
    }
