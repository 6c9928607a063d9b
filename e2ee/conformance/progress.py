"""How far a run is, on standard error, if somebody is looking: a bar by rich where that is installed, else one line.

This module imports nothing of the package, and beyond the standard library only rich, if it is there.
"""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator

from e2ee.conformance.verdict import FAILING, Verdict

__all__ = ["progress"]

Advance = Callable[[Verdict], None]


@contextlib.contextmanager
def progress(total: int, *, quiet: bool) -> Iterator[Advance]:
    """Call what this gives with each verdict as it comes."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    try:
        from rich.console import Console  # noqa: PLC0415 - optional
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415
    except ImportError:
        with _line(total) as advance:
            yield advance
        return
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task, counts = bar.add_task("", total=total), Counter[Verdict]()

        def advance(verdict: Verdict) -> None:
            counts[verdict] += 1
            bar.update(task, advance=1, description=_failed(counts))

        yield advance


@contextlib.contextmanager
def _line(total: int) -> Iterator[Advance]:
    """One line that is written over and over, and wiped at the end."""
    counts = Counter[Verdict]()

    def advance(verdict: Verdict) -> None:
        counts[verdict] += 1
        if (done := counts.total()) % 25 == 0 or done == total:
            sys.stderr.write(f"\r{done} of {total} {_failed(counts)}")
            sys.stderr.flush()

    try:
        yield advance
    finally:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def _failed(counts: Counter[Verdict]) -> str:
    return " ".join(f"{verdict} {counts[verdict]}" for verdict in FAILING if counts[verdict])
