"""How a demo looks on a terminal: the story line by line, a table of both sides that lives, and the summary."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from e2ee.cli.demo.check import Check, passed
from e2ee.cli.demo.settings import suite_name

__all__ = ["Quiet", "Screen", "Terminal", "terminal_console"]

_WIDTH = 108


def terminal_console() -> Console:
    """Standard output; where it is no terminal, lines are as long as they have to be."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDTH)


class Screen(Protocol):
    """What the demo tells while it runs."""

    def stage(self, text: str) -> None:
        """What the demo does itself."""

    def heard(self, role: str, said: dict[str, Any]) -> None:
        """What one side said."""

    def summary(self, checks: Sequence[Check]) -> None:
        """The end."""


class Quiet:
    """Tells nothing."""

    def stage(self, text: str) -> None: ...

    def heard(self, role: str, said: dict[str, Any]) -> None: ...

    def summary(self, checks: Sequence[Check]) -> None: ...


class Terminal:
    """Tells the story on a terminal, and can render what it told as a picture."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._told: list[RenderableType] = []
        self._sides: dict[str, dict[str, Any]] = {}
        self._live = Live(
            console=console, get_renderable=self._table, refresh_per_second=4, transient=True
        )

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def stage(self, text: str) -> None:
        self._tell("demo", "cyan", text)

    def heard(self, role: str, said: dict[str, Any]) -> None:
        side = self._sides.setdefault(role, {})
        side.update({name: value for name, value in said.items() if name != "event"})
        if "text" in said:
            self._tell(role, _COLOURS[role], said["text"])

    def summary(self, checks: Sequence[Check]) -> None:
        self._live.stop()
        end = [Text(), self._table(), _checks(checks)]
        self._told += end
        self._console.print(Group(*end))

    def svg(self) -> str:
        """All that was told, as one picture; it loads nothing from elsewhere."""
        paper = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True)
        paper.print(Group(*self._told))
        return re.sub(r"\s*@font-face\s*{[^}]*}", "", paper.export_svg(title="make demo"))

    def _tell(self, who: str, colour: str, text: str) -> None:
        elapsed = time.monotonic() - self._began
        line = Text.assemble((f"{elapsed:6.2f} s  ", "dim"), (f"{who:11}", colour), text)
        self._told.append(line)
        self._console.print(line)

    def _table(self) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0), expand=False)
        for column in (
            "",
            "epoch",
            "suite",
            "call code",
            "protected",
            "opened",
            "rejected",
            "kbit/s",
        ):
            table.add_column(column, justify="right" if column in _NUMBERS else "left")
        for role, side in self._sides.items():
            table.add_row(role, *_cells(side))
        return table


_COLOURS = {
    "caller": "green",
    "callee": "magenta",
    "host": "green",
    "guest": "magenta",
    "latecomer": "yellow",
}

_NUMBERS = {"epoch", "protected", "opened", "rejected", "kbit/s"}


def _cells(side: dict[str, Any]) -> list[str]:
    rejected = side.get("rejected", {})
    reasons = ", ".join(f"{count} {reason}" for reason, count in rejected.items())
    return [
        str(side.get("epoch", "")),
        suite_name(side["suite"]) if "suite" in side else "",
        side.get("call_code", "")[:17] + ("…" if "call_code" in side else ""),
        str(side.get("protected", "")),
        str(side.get("opened", "")),
        reasons or ("0" if "opened" in side else ""),
        f"{side['bit_rate'] / 1000:.0f}" if "bit_rate" in side else "",
    ]


def _checks(checks: Sequence[Check]) -> RenderableType:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("", "check", "found", "wanted"):
        table.add_column(column)
    for check in checks:
        mark = Text("ok", "green") if check.passed else Text("FAILED", "bold red")
        table.add_row(mark, check.name, check.found, check.wanted)
    word = Text("passed", "bold green") if passed(checks) else Text("failed", "bold red")
    count = sum(check.passed for check in checks)
    return Group(Text(), table, Text(), Text.assemble(word, f": {count} of {len(checks)} checks"))
