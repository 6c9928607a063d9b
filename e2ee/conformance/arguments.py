"""The options of ``e2ee conformance run``.

This module imports nothing of the package and nothing but the standard library.
"""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from e2ee.conformance.cases import Case
from e2ee.conformance.results import RESERVED, TITLES
from e2ee.conformance.shown import shown

__all__ = ["BadUsage", "parse", "repeated"]

MOST_JOBS = 4
"""Adapters at once, unless told otherwise; fewer on a machine with fewer processors."""


class BadUsage(Exception):
    """The command line asks for what there is not. The text says what."""


def parse(argv: Sequence[str], program: str) -> argparse.Namespace:
    """The options before ``--``, and as ``command`` what stands behind it. Raises SystemExit and BadUsage."""
    before, command = [*argv], list[str]()
    if "--" in before:
        at = before.index("--")
        before, command = before[:at], before[at + 1 :]
    options = _parser(program).parse_args(before)
    options.command = command
    options.level = _levels(options.level)
    if not (command or options.listen or options.list):
        raise BadUsage("after -- comes the command that starts the adapter, or --listen before it")
    if options.listen and command and (options.jobs or 1) > 1:
        raise BadUsage("a command that is started for --listen is one adapter: --jobs 1")
    if options.jobs is None:
        options.jobs = 1 if options.listen else min(MOST_JOBS, os.cpu_count() or 1)
    return options


def repeated(options: argparse.Namespace, program: str, case: Case) -> str:
    """The command that runs one case again, for a shell, in whatever folder: files that are there get their whole names."""
    words = [*program.split(), "run", "--only", case.name]
    for name in ("vectors", "map"):
        if value := getattr(options, name):
            words += [f"--{name}", str(value.absolute())]
    if options.listen:
        words += ["--listen", options.listen]
    if options.command:
        words += ["--", *map(_whole, options.command)]
    return shown(shlex.join(words), 4000)


def _whole(word: str) -> str:
    """The whole name of a file that is there under this one; another word as it is."""
    path = Path(word)
    named = os.sep in word or path.suffix
    return str(path.absolute()) if named and not path.is_absolute() and path.exists() else word


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"{program} run",
        usage="%(prog)s [options] -- COMMAND [ARGUMENTS]\n       %(prog)s --listen HOST:PORT [options] [-- COMMAND]",
        description="Feed the test vectors to an adapter of an implementation, and judge its answers.",
        epilog="Exit status: 0 all that was asked for passes; 1 something failed, or a level that was named does not"
        " conform; 2 it could not run; 3 the adapter did not start, or stopped speaking the protocol.",
    )
    which = parser.add_argument_group("which cases")
    which.add_argument(
        "--level",
        action="append",
        default=[],
        metavar="L1,L2",
        help="only these levels; each must conform",
    )
    which.add_argument("--only", action="append", default=[], metavar="GLOB", help="only cases whose name (group/id), group, id or requirement matches; repeatable")  # fmt: skip
    which.add_argument(
        "--vectors",
        type=Path,
        metavar="DIR",
        help="the vectors; else those that came with this program",
    )
    which.add_argument(
        "--list",
        action="store_true",
        help="print the names of the cases that would run, and run none",
    )
    how = parser.add_argument_group("how")
    how.add_argument("--jobs", type=_count, metavar="N", help="adapters at once")
    how.add_argument(
        "--timeout",
        type=_seconds,
        default=10.0,
        metavar="S",
        help="seconds for one case (%(default)g)",
    )
    how.add_argument("--start-timeout", type=_seconds, default=60.0, metavar="S", help="seconds for an adapter to say hello (%(default)g)")  # fmt: skip
    how.add_argument("--fail-fast", action="store_true", help="stop at the first failure")
    how.add_argument("--map", type=Path, metavar="FILE", help="TOML or JSON: the adapter's names of errors, and their reasons in the vectors")  # fmt: skip
    how.add_argument(
        "--expect",
        type=Path,
        metavar="FILE",
        help="TOML or JSON: cases that are known to fail, and why",
    )
    how.add_argument(
        "--lenient", action="store_true", help="let a case pass that --expect expects to fail"
    )
    by_socket = parser.add_argument_group("adapters that come by WebSocket")
    by_socket.add_argument(
        "--listen",
        metavar="HOST:PORT",
        help="wait for them here, at a URL that is printed (port 0: any)",
    )
    by_socket.add_argument(
        "--origin", action="append", default=[], help="take pages of this origin; repeatable"
    )
    by_socket.add_argument("--url-file", type=Path, metavar="FILE", help="write the URL here, too")
    reports = parser.add_argument_group("reports")
    reports.add_argument("--html", type=Path, metavar="FILE", help="one page")
    reports.add_argument("--junit", type=Path, metavar="FILE", help="XML for machines that build")
    reports.add_argument("--json-report", type=Path, metavar="FILE", help="JSON")
    reports.add_argument(
        "--badge", type=Path, metavar="FILE", help="a picture (SVG) that says which levels conform"
    )
    reports.add_argument(
        "--json", action="store_true", help="JSON on standard output, in place of text"
    )
    reports.add_argument(
        "--all",
        action="store_true",
        help="in the text also each group, each refusal with another reason, and requirements that are shown",
    )
    reports.add_argument(
        "--transcript",
        type=Path,
        metavar="FILE",
        help="every line that was said and answered, by case",
    )
    return parser


def _levels(given: Sequence[str]) -> list[str]:
    levels = [each.strip() for text in given for each in text.split(",")]
    for level in levels:
        if level in RESERVED:
            raise BadUsage(f"{level}: {RESERVED[level]}")
        if level not in TITLES:
            raise BadUsage(f"{level or 'nothing'} is no level; there are {', '.join(TITLES)}")
    return levels


def _count(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text} is no number of adapters")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds")
    return seconds
