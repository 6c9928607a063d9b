"""Where a service's store is, for the commands that use one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["StorePath"]


def _default() -> Path:
    """Of the XDG base directories the one for state that is kept between restarts."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "e2ee" / "service.sqlite3"


StorePath = Annotated[
    Path,
    typer.Option(
        "--store",
        default_factory=_default,
        show_default="service.sqlite3 in the user's state directory",
        dir_okay=False,
        help="The service's file, made if there is none; for its owner only.",
    ),
]
