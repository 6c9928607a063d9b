"""The options of ``e2ee conformance server``."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from e2ee.conformance.arguments import BadUsage
from e2ee.conformance.cases import Case
from e2ee.conformance.shown import shown

__all__ = ["parse", "repeated", "without_password"]


def parse(argv: Sequence[str], program: str) -> argparse.Namespace:
    """Raises SystemExit for --help and wrong options, BadUsage."""
    options = _parser(program).parse_args(argv)
    if not options.list and not options.url:
        raise BadUsage("the URL of the service is missing: wss://calls.example/v1")
    if options.url and not options.url.startswith(("ws://", "wss://")):
        raise BadUsage(f"{options.url} is no ws:// or wss:// URL")
    return options


def repeated(options: argparse.Namespace, program: str, case: Case) -> str:
    """The command that runs one check again, for a shell."""
    words = [*program.split(), "server", without_password(options.url), "--only", case.name]
    for name in ("tokens", "token_command", "restart_command"):
        if value := getattr(options, name):
            words += [f"--{name.replace('_', '-')}", str(value)]
    return shown(shlex.join([*words, *(["--slow"] if options.slow else [])]), 4000)


def without_password(url: str) -> str:
    """The URL without a name and password in it: reports are published."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


class _Formatter(argparse.HelpFormatter):
    """The epilog's lines stay as they are where one is indented."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        paragraphs = text.split("\n\n")
        filled = (
            each
            if each.startswith("  ")
            else super(_Formatter, self)._fill_text(each, width, indent)
            for each in paragraphs
        )
        return "\n\n".join(filled)


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"{program} server",
        usage="%(prog)s URL [options]",
        description="Test a delivery service as its clients see it, by requirement (level D). It makes accounts and calls of"
        " its own, with random names, and needs some 300 accounts.",
        formatter_class=_Formatter,
        epilog="example: a service of one's own, on this machine\n\n"
        "  e2ee serve --store calls.db --port 8443 --new-accounts 1000 --per-address 1000 &\n"
        "  e2ee conformance server ws://127.0.0.1:8443/v1 --html report.html\n\n"
        "Exit status: 0 all that was run passes; 1 something failed; 2 it could not run; 3 the service was not to be"
        " reached, or did not greet.",
    )
    parser.add_argument("url", nargs="?", metavar="URL", help="its WebSocket: wss://calls.example/v1")  # fmt: skip
    accounts = parser.add_argument_group(
        "accounts (DS-8); without these they are registered without a token"
    )
    accounts.add_argument("--tokens", type=Path, metavar="FILE", help="lines TOKEN, for any account, or ACCOUNT TOKEN; each is used once")  # fmt: skip
    accounts.add_argument("--token-command", metavar="CMD", help="prints a token for {account}, also for one that is there: 'e2ee invite --store s.db --for {account}'")  # fmt: skip
    which = parser.add_argument_group("which checks")
    which.add_argument("--only", action="append", default=[], metavar="GLOB", help="only checks whose name (group/id), group, id or requirement matches; repeatable")  # fmt: skip
    which.add_argument("--slow", action="store_true", help="also those that take minutes or thousands of requests; without them level D is not shown whole")  # fmt: skip
    which.add_argument("--restart-command", default="", metavar="CMD", help="ends the service's process by force, and starts it again: what was answered must survive that")  # fmt: skip
    which.add_argument("--list", action="store_true", help="print the names of the checks, with --all also what they show, and run none")  # fmt: skip
    how = parser.add_argument_group("how")
    how.add_argument("--jobs", type=int, default=8, metavar="N", help="checks at once (%(default)s)")  # fmt: skip
    how.add_argument("--timeout", type=float, default=10.0, metavar="S", help="seconds for one answer (%(default)g)")  # fmt: skip
    how.add_argument("--expect", type=Path, metavar="FILE", help="TOML or JSON: checks that are known to fail, and why")  # fmt: skip
    how.add_argument("--lenient", action="store_true", help="let a check pass that --expect expects to fail")  # fmt: skip
    reports = parser.add_argument_group("reports")
    reports.add_argument("--name", default="", metavar="NAME", help="of the implementation, with its version; else the server's name")  # fmt: skip
    reports.add_argument("--html", type=Path, metavar="FILE", help="one page")
    reports.add_argument("--junit", type=Path, metavar="FILE", help="XML for machines that build")
    reports.add_argument("--json-report", type=Path, metavar="FILE", help="JSON")
    reports.add_argument("--badge", type=Path, metavar="FILE", help="a picture (SVG)")
    reports.add_argument("--json", action="store_true", help="JSON on standard output, in place of text")  # fmt: skip
    reports.add_argument("--all", action="store_true", help="in the text also each group, and requirements that are shown")  # fmt: skip
    return parser
