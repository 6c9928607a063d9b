"""Tables of what was measured, as text and Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Spread", "Table", "as_markdown", "as_text", "number"]


@dataclass(frozen=True)
class Spread:
    """Of several times the same was measured; ``values`` has at least one."""

    values: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def worst(self) -> float:
        return max(self.values)

    def __str__(self) -> str:
        """Median, and worst."""
        return f"{number(self.median)} ({number(self.worst)})"


def number(value: float) -> str:
    """With about three digits."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


@dataclass(frozen=True)
class Table:
    """The first row is the head; the first column says what the row is. ``notes`` follow it."""

    title: str
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


def as_text(head: str, tables: Iterable[Table]) -> str:
    parts = [head]
    for table in tables:
        widths = [max(map(len, column)) for column in zip(*table.rows, strict=True)]
        lines = [f"\n{table.title}"]
        for first, *others in table.rows:
            cells = (each.rjust(width) for each, width in zip(others, widths[1:], strict=True))
            lines.append("  ".join([first.ljust(widths[0]), *cells]).rstrip())
        parts.append("\n".join([*lines, *(f"  {note}" for note in table.notes)]))
    return "\n".join(parts) + "\n"


def as_markdown(head: str, tables: Iterable[Table]) -> str:
    parts = [head]
    for table in tables:
        first, *rows = ["| " + " | ".join(row) + " |" for row in table.rows]
        rule = "|---|" + "---:|" * (len(table.rows[0]) - 1)
        parts.append("\n".join([f"### {table.title}", "", first, rule, *rows]))
        parts += table.notes
    return "\n\n".join(parts) + "\n"
