"""``python -m e2ee.conformance run``: the vectors to an adapter, a verdict for each case, reports.

Needs this package's folder, the vectors and nothing else: neither the implementation beside it nor anything installed.
"""

from __future__ import annotations

import json
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

from e2ee.conformance.adapter_process import AdapterProcess
from e2ee.conformance.arguments import BadUsage, parse, repeated
from e2ee.conformance.cases import (
    BadVectors,
    Case,
    read_cases,
    sentences_beside,
    shipped_vectors,
    specification_of,
)
from e2ee.conformance.channel import Channel, NotStarted
from e2ee.conformance.expectations import (
    BadFile,
    Expectations,
    Reasons,
    read_expectations,
    read_reasons,
)
from e2ee.conformance.launched import LaunchedAdapter
from e2ee.conformance.progress import progress
from e2ee.conformance.reports import check_folders, write_reports
from e2ee.conformance.results import Results, conforming, unknown_names
from e2ee.conformance.runner import Outcome, Runner, Settings
from e2ee.conformance.shown import shown
from e2ee.conformance.verdict import PASSING
from e2ee.conformance.websocket_listener import Listener

__all__ = ["main"]

PASSED, FAILED, USAGE, ADAPTER, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit statuses."""

PROGRAM = "python -m e2ee.conformance"


def main(argv: Sequence[str], program: str = PROGRAM) -> int:
    """Run with these arguments, behind ``run``; the exit status. Raises SystemExit for --help and wrong options."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        options = parse(argv, program)
        return _listed(options) if options.list else _run(options, program)
    except (BadUsage, BadVectors, BadFile, OSError) as error:
        return _refused(str(error), USAGE)


def _listed(options: Namespace) -> int:
    names = [case.name for case in _selected(options, _all_cases(options))]
    text = json.dumps(names, indent=1) if options.json else "\n".join(names)
    sys.stdout.write(text + "\n")
    return PASSED


def _run(options: Namespace, program: str) -> int:
    everything = _all_cases(options)
    cases = _selected(options, everything)
    settings = Settings(
        specification=specification_of(_folder(options)),
        case_seconds=options.timeout,
        start_seconds=options.start_timeout,
        jobs=options.jobs,
        fail_fast=options.fail_fast,
        lenient=options.lenient,
        reasons=read_reasons(options.map, everything) if options.map else Reasons(),
        expectations=read_expectations(options.expect, everything)
        if options.expect
        else Expectations(),
    )
    check_folders(options)
    start, stop = _adapters(options)
    runner = Runner(start, cases, settings)
    try:
        outcomes, ended = _outcomes(runner, len(cases), options)
    finally:
        stop()
    if runner.hello is None:
        return ended or ADAPTER
    sentences = sentences_beside(_folder(options))
    results = Results(runner.hello, outcomes, cases, whole=not options.only, sentences=sentences)
    again = partial(repeated, options, program)
    write_reports(results, settings.specification, options, again)
    for name in unknown_names(runner.hello, everything):
        _say(f"the adapter declares {shown(name, 80)}, which these vectors do not have")
    for complaint in runner.complaints:
        _say(complaint)
    return ended or _status(results, runner, options)


def _outcomes(runner: Runner, total: int, options: Namespace) -> tuple[list[Outcome], int]:
    """All that were known before the run ended, and the exit status if it ended too early."""
    outcomes = list[Outcome]()
    try:
        with progress(total, quiet=options.json) as advance, _transcript(options) as transcript:
            for outcome in runner.outcomes():
                transcript.write(_said(outcome))
                outcomes.append(outcome.without_lines())
                advance(outcome.verdict)
    except NotStarted as error:
        return outcomes, _refused(str(error), ADAPTER)
    except KeyboardInterrupt:
        return outcomes, _refused("interrupted", INTERRUPTED)
    return outcomes, PASSED


def _status(results: Results, runner: Runner, options: Namespace) -> int:
    if any(runner.fails(verdict) for verdict in results.counts):
        return FAILED
    if options.level and not options.only and not conforming(results, options.level):
        return FAILED
    return PASSED if any(results.counts[each] for each in PASSING) else FAILED


def _adapters(options: Namespace) -> tuple[Callable[[], Channel], Callable[[], None]]:
    """What brings the next adapter, and what ends that."""
    if not options.listen:
        return partial(AdapterProcess, options.command), lambda: None
    host, _, port = options.listen.rpartition(":")
    if not host or not port.isdigit():
        raise BadUsage(f"--listen takes HOST:PORT, not {options.listen}")
    listener = Listener(host.strip("[]"), int(port), options.origin)
    _say(f"open {listener.url}")
    if options.url_file:
        options.url_file.write_text(listener.url + "\n")
    if options.command:
        launch = partial(LaunchedAdapter, options.command, listener, options.start_timeout)
        return launch, listener.close
    return partial(listener.next, options.start_timeout), listener.close


def _transcript(options: Namespace) -> BinaryIO:
    return open(options.transcript or os.devnull, "wb")


def _said(outcome: Outcome) -> bytes:
    """What was said about one case."""
    if not (exchange := outcome.exchange):
        return b""
    heard = exchange.answered if exchange.answered is not None else b""
    return b"# %s\n> %s\n< %s\n" % (outcome.case.name.encode(), exchange.asked.encode(), heard)


def _folder(options: Namespace) -> Path:
    return options.vectors or shipped_vectors()


def _all_cases(options: Namespace) -> list[Case]:
    return list(read_cases(_folder(options)))


def _selected(options: Namespace, cases: Sequence[Case]) -> list[Case]:
    selected = [
        case
        for case in cases
        if (not options.level or case.level in options.level)
        and (not options.only or case.called(options.only))
    ]
    if not selected:
        raise BadUsage("no case is called so: --list without --only names them")
    return selected


def _say(text: str) -> None:
    sys.stderr.write(f"conformance: {text}\n")


def _refused(why: str, status: int) -> int:
    _say(why)
    return status


def entry() -> None:
    """The process: ``run`` is all that there is here."""
    if sys.argv[1:2] != ["run"]:
        wanted = sys.argv[1:2] in (["-h"], ["--help"])
        (sys.stdout if wanted else sys.stderr).write(f"usage: {PROGRAM} run [options] -- COMMAND\n")
        sys.exit(PASSED if wanted else USAGE)
    sys.exit(main(sys.argv[2:]))


if __name__ == "__main__":
    entry()
