"""``e2ee demo``: a real call between two processes, and the proof of what the server between them could see.

command    options, exit status
story      the platform's side: service, two processes, taps
process    a side as seen from here: JSON lines over pipes
peer       a side from inside: a client of e2ee.client that sends, records and measures
verdict    the checks
view       the terminal
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Give the command to ``app``."""
    from e2ee.cli.demo.command import demo  # noqa: PLC0415 - the sides' processes need nothing of it

    app.command("demo")(demo)
