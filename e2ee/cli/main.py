"""The console script's entry: sees that what is installed is ours and whole, and only then loads the command called.

Exit status of every command: 0 done; 1 it found something wrong and said what; 2 it could not run, said in one line.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import NoReturn

import e2ee

__all__ = ["main"]

OURS = "e2ee-calling"


def main() -> None:
    """Run the command line with the process's arguments."""
    if getattr(e2ee, "DISTRIBUTION", None) != OURS:
        refuse(
            f"the imported package e2ee ({getattr(e2ee, '__file__', None) or 'no __init__.py'}) is not {OURS}:"
            f" uninstall the distribution named e2ee, then install {OURS} again"
        )
    if any(find_spec(name) is None for name in ("rich", "typer")):
        refuse(f"the command line needs more: install '{OURS}[cli]'")
    from e2ee.cli.commands import application  # noqa: PLC0415 - needs what was looked for above

    try:
        application(sys.argv[1:2])()
    except ModuleNotFoundError as missing:
        if (missing.name or "").split(".")[0] == "e2ee":
            raise
        refuse(f"this command needs {missing.name}: install '{OURS}[all]'")


def refuse(why: str) -> NoReturn:
    """End with one line on stderr and exit status 2."""
    sys.stderr.write(f"e2ee: {why}\n")
    raise SystemExit(2)
