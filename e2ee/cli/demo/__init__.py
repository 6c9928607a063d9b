"""``e2ee demo``: a real call between two processes, then a group call of three, and the proof of what the servers between
them could see, and who was removed.

command      options, exit status
story        the platform's side: service, forwarding unit, two processes that call each other, taps
group_story  the same of the group
process      a device as seen from here: JSON lines over pipes
peer         a side of the call from inside: a client of e2ee.client that sends, records and measures
member       the same of the group
hoard        what somebody has who was removed and forgot nothing
verdict      the checks; group_verdict those of the group
view         the terminal
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
