"""What was measured, as text, Markdown and JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.bench.mls.life import ROWS, Shape

__all__ = ["Cost", "Costs", "Figures", "Large", "Table", "as_json", "as_markdown", "as_text"]


@dataclass(frozen=True)
class Cost:
    """Of one operation, in milliseconds."""

    best: float
    median: float


Costs = Mapping[str, Cost]
"""By row."""

Table = dict[Shape, dict[str, Costs]]
"""By shape and implementation."""


@dataclass(frozen=True)
class Large:
    """Ours in the largest group; ``peak_memory`` is in bytes."""

    shape: Shape
    costs: Costs
    peak_memory: int


@dataclass(frozen=True)
class Figures:
    """All of one run."""

    table: Table
    large: Large | None

    def with_large(self) -> Table:
        """The table with the largest group in it."""
        return self.table | ({self.large.shape: {"ours": self.large.costs}} if self.large else {})


def growth(figures: Figures, large: Large) -> Iterator[tuple[str, Cost, float]]:
    """Each row's cost in the largest group, and the exponent of n with which it has grown since the one before it."""
    before = max((shape for shape in figures.table if not shape.committers), key=lambda s: s.size)
    ratio = math.log(large.shape.size / before.size)
    for row in ROWS:
        cost = large.costs[row]
        yield row, cost, math.log(cost.best / figures.table[before]["ours"][row].best) / ratio


def as_text(figures: Figures) -> str:
    lines = ["milliseconds, best of all rounds (and ours divided by the other's)"]
    for shape, found in figures.table.items():
        lines += ["", f"{shape!s:24}" + "".join(f"{name:>18}" for name in found)]
        for row in ROWS:
            times = [costs[row].best for costs in found.values()]
            ratios = ["", *(f"({times[0] / time:.2f}x)" for time in times[1:])]
            cells = (f"{time:>9.2f} {ratio:>8}" for time, ratio in zip(times, ratios, strict=True))
            lines.append(f"{row:24}" + "".join(cells))
    if figures.large:
        lines += ["", f"{figures.large.shape!s:24}{'ours':>9}   grows with n to the power of"]
        for row, cost, exponent in growth(figures, figures.large):
            lines.append(f"{row:24}{cost.best:>9.2f} {exponent:>8.2f}")
        lines.append(f"memory of that process, at most: {figures.large.peak_memory / 1e6:.0f} MB")
    return "\n".join(lines) + "\n"


def as_markdown(figures: Figures) -> str:
    lines: list[str] = []
    for shape, found in figures.table.items():
        others = [name for name in found if name != "ours"]
        heads = ["ours, ms", *(f"{name}, ms | ours / {name}" for name in others)]
        lines += [f"### {shape}", "", "| | " + " | ".join(heads) + " |"]
        lines.append("|---|" + "---:|" * (1 + 2 * len(others)))
        for row in ROWS:
            ours = found["ours"][row].best
            cells = [f"{ours:.2f}"]
            for name in others:
                time = found[name][row].best
                cells += [f"{time:.2f}", f"{ours / time:.2f}"]
            lines.append(f"| {row} | " + " | ".join(cells) + " |")
        lines.append("")
    if figures.large:
        lines += [f"### {figures.large.shape}", "", "| | ours, ms | grows with n to the power of |"]
        lines.append("|---|---:|---:|")
        for row, cost, exponent in growth(figures, figures.large):
            lines.append(f"| {row} | {cost.best:.2f} | {exponent:.2f} |")
        memory = figures.large.peak_memory / 1e6
        lines += ["", f"Memory of that process, at most: {memory:.0f} MB.", ""]
    return "\n".join(lines)


def as_json(figures: Figures) -> str:
    rows = [
        {
            "members": shape.size,
            "committers": shape.committers,
            "implementation": name,
            "row": row,
            "best_ms": cost.best,
            "median_ms": cost.median,
        }
        for shape, found in figures.with_large().items()
        for name, costs in found.items()
        for row, cost in costs.items()
    ]
    memory = figures.large.peak_memory if figures.large else None
    return json.dumps({"rows": rows, "peak_memory_bytes": memory}, indent=2) + "\n"
