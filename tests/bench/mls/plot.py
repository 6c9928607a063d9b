"""The curves: one field for each operation, both axes logarithmic."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.mls.figures import Figures
from tests.bench.mls.life import ROWS, Shape

__all__ = ["draw"]

COLOURS = {"ours": "#0072b2", "mls-rs": "#d55e00", "ts-mls": "#009e73"}  # told apart by everybody
COLUMNS = 5


def draw(figures: Figures, path: Path) -> None:
    """Solid: bulk-added. Dashed: filled, or with as many committers as were measured."""
    import matplotlib as mpl  # noqa: PLC0415 - only who wants a plot needs it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415
    from matplotlib.ticker import FuncFormatter  # noqa: PLC0415

    lines = -(-len(ROWS) // COLUMNS)
    size = (3.2 * COLUMNS, 3.4 * lines)
    figure, fields = plt.subplots(lines, COLUMNS, figsize=size, sharex=True, sharey=True)
    for row, field in zip(ROWS, fields.flat, strict=False):
        _draw_row(field, figures, row)
    plain = FuncFormatter(lambda value, _: f"{value:,g}")
    fields.flat[0].xaxis.set_major_formatter(plain)
    fields.flat[0].yaxis.set_major_formatter(plain)
    for field in fields[-1]:
        field.set_xlabel("members")
    for line in fields:
        line[0].set_ylabel("milliseconds")
    handles, labels = fields.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncols=len(labels), frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 0.94))
    figure.savefig(path, dpi=110)


def _draw_row(field: Any, figures: Figures, row: str) -> None:
    kinds: list[tuple[str, str, Callable[[Shape], bool]]] = [
        ("bulk-added", "-", lambda shape: not shape.committers),
        ("filled", "--", lambda shape: bool(shape.committers)),
    ]
    for name, colour in COLOURS.items():
        for kind, style, belongs in kinds:
            points = [
                (shape.size, found[name][row].best)
                for shape, found in figures.with_large().items()
                if belongs(shape) and name in found
            ]
            if points:
                sizes, times = zip(*points, strict=True)
                field.plot(sizes, times, style, color=colour, marker=".", label=f"{name}, {kind}")
    field.set(xscale="log", yscale="log", title=row)
    field.grid(visible=True, which="major", alpha=0.3)
