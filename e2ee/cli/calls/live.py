"""The terminal: lines that stay above, and below them how the call stands, drawn anew four times a second."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from e2ee.cli.calls.output import WHITE_ON_BLACK, console
from e2ee.cli.calls.status import Shown

__all__ = ["Terminal"]


class Terminal:
    """``Output`` with a live view; a context, that gives the terminal back."""

    def __init__(self) -> None:
        self._console = console()
        self._status: Shown | None = None
        self._written = ""
        self._keys = ""
        self._live = Live(
            console=self._console, get_renderable=self._view, refresh_per_second=4, transient=True
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def tell(self, event: str, text: str, style: str = "", /, **fields: object) -> None:  # noqa: ARG002
        for line in text.split("\n"):
            self._console.print(Text(line, style))

    def picture(self, lines: Sequence[str]) -> None:
        for line in lines:
            self._console.print(Text(line, WHITE_ON_BLACK))

    def show(self, status: Shown | None, written: str = "", keys: str = "") -> None:
        at_once = written != self._written
        self._status, self._written, self._keys = status, written, keys
        if at_once:
            self._live.refresh()

    def _view(self) -> RenderableType:
        parts: list[RenderableType] = [Text()]
        if self._status is not None:
            parts.append(_table(self._status))
        if self._keys:
            parts.append(Text(self._keys, "dim"))
        if self._written:
            parts.append(Text(self._written, "bold", overflow="fold"))
        return Group(*parts)


def _table(status: Shown) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for label, value in status.rows():
        table.add_row(Text(label), Text(value, "bold red" if label == "trouble" else ""))
    return table
