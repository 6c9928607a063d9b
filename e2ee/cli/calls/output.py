"""What a command tells: lines for people, or JSON objects, one a line; on a terminal there is a live view as well (``live``)."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Protocol

from rich.console import Console
from rich.text import Text

from e2ee.cli.calls.status import Shown

__all__ = ["WHITE_ON_BLACK", "Json", "Lines", "Output", "console"]

WHITE_ON_BLACK = "#ffffff on #000000"
"""A QR code's colours, whatever the terminal's are."""


def console() -> Console:
    """Standard output: lines are never broken where it is no terminal."""
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


class Output(Protocol):
    """Where a command's words go."""

    def tell(self, event: str, text: str, style: str = "", /, **fields: object) -> None:
        """``text`` is for people and safe to be shown; ``event`` and ``fields``, as they are, for programs."""

    def picture(self, lines: Sequence[str]) -> None:
        """A QR code for people; programs get its text."""

    def show(self, status: Shown | None, written: str = "", keys: str = "") -> None:
        """How it stands: the call, what is being written, and the keys that do something."""


class Lines:
    """A line for each thing that happens."""

    def __init__(self) -> None:
        self._console = console()

    def tell(self, event: str, text: str, style: str = "", /, **fields: object) -> None:  # noqa: ARG002
        for line in text.split("\n"):
            self._console.print(Text(line, style))

    def picture(self, lines: Sequence[str]) -> None:
        for line in lines:
            self._console.print(Text(line, WHITE_ON_BLACK))

    def show(self, status: Shown | None, written: str = "", keys: str = "") -> None:
        pass


class Json:
    """A JSON object for each thing that happens, in ASCII."""

    def tell(self, event: str, text: str, style: str = "", /, **fields: object) -> None:  # noqa: ARG002
        sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
        sys.stdout.flush()

    def picture(self, lines: Sequence[str]) -> None:
        pass

    def show(self, status: Shown | None, written: str = "", keys: str = "") -> None:
        pass
