"""The options of ``e2ee conformance peer``, and what is wrong with them."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path

from e2ee.conformance.arguments import BadUsage
from e2ee.conformance.cases import Case
from e2ee.conformance.shown import shown

__all__ = ["parse", "repeated"]

PROGRAM = "e2ee conformance peer"


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """What is before ``--``, and the command behind it. Raises SystemExit and BadUsage."""
    before, command = [*argv], list[str]()
    if "--" in before:
        at = before.index("--")
        before, command = before[:at], before[at + 1 :]
    options = _parser().parse_args(before)
    options.command = command
    if options.service and not (options.server_name and options.directory_key):
        raise BadUsage("--service goes with --server-name and --directory-key")
    options.directory_keys = dict(_directory_key(each) for each in options.directory_key)
    return options


def repeated(options: argparse.Namespace, case: Case) -> str:
    """The command that plays one scenario again, for a shell."""
    words = [*PROGRAM.split(), "--only", case.name]
    for name in ("service", "server_name", "token_command", "listen"):
        if value := getattr(options, name):
            words += [f"--{name.replace('_', '-')}", str(value)]
    for each in options.directory_key:
        words += ["--directory-key", each]
    if options.slow:
        words += ["--slow"]
    if options.command:
        words += ["--", *options.command]
    return shown(shlex.join(words), 4000)


def _directory_key(text: str) -> tuple[int, bytes]:
    key_id, _, key = text.partition(":")
    try:
        found = int(key_id), bytes.fromhex(key)
    except ValueError:
        found = -1, b""
    if not 0 <= found[0] <= 255 or len(found[1]) != 32:
        raise BadUsage(f"--directory-key takes ID:HEX, not {text}")
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        usage="%(prog)s [options] -- COMMAND [ARGUMENTS]\n       %(prog)s --listen HOST:PORT [options] [-- COMMAND]\n       %(prog)s [options]",
        description="Play scenarios over the real protocol with a running client, which a driver holds. Without a command"
        " and without --listen a person is told what to do with it.",
        epilog="Exit status: 0 all that was played passes; 1 something failed; 2 it could not run; 3 the driver did not start.",
    )
    add = parser.add_argument
    add("--only", action="append", default=[], metavar="GLOB", help="only scenarios whose name (group/id), group, id or requirement matches; repeatable")  # fmt: skip
    add("--list", action="store_true", help="print the scenarios and their stories, and play none")
    add("--slow", action="store_true", help="also those that take minutes")
    add("--timeout", type=float, default=60.0, metavar="S", help="seconds for one scenario (%(default)g)")  # fmt: skip
    add("--start-timeout", type=float, default=60.0, metavar="S", help="seconds for a driver to say hello (%(default)g)")  # fmt: skip
    add("--expect", type=Path, metavar="FILE", help="TOML or JSON: scenarios that are known to fail, and why")  # fmt: skip
    service = parser.add_argument_group("a service that runs already, in place of the peer's own")
    add = service.add_argument
    add("--service", metavar="URL", help="its WebSocket")
    add("--server-name", metavar="NAME", help="what devices sign for")
    add("--directory-key", action="append", default=[], metavar="ID:HEX", help="repeatable")
    add("--token-command", default="", metavar="COMMAND", help="gets an account, and writes what registers it")  # fmt: skip
    by_socket = parser.add_argument_group("drivers that come by WebSocket")
    add = by_socket.add_argument
    add("--listen", metavar="HOST:PORT", help="wait for one here, at a URL that is printed")
    add("--origin", action="append", default=[], help="take pages of this origin; repeatable")
    reports = parser.add_argument_group("reports")
    add = reports.add_argument
    add("--html", type=Path, metavar="FILE", help="one page")
    add("--junit", type=Path, metavar="FILE", help="XML for machines that build")
    add("--json-report", type=Path, metavar="FILE", help="JSON")
    add("--transcript", type=Path, metavar="FILE", help="every line that was said")
    add("--json", action="store_true", help="JSON on standard output, in place of text")
    add("--verbose", action="store_true", help="each verdict as it comes, on standard error")
    add("--all", action="store_true", help="in the text also each group, and requirements that are shown")  # fmt: skip
    return parser
