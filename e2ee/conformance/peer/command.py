"""``e2ee conformance peer``: scenarios with a running client, and reports of them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shlex
import sys
from argparse import Namespace
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import BinaryIO

from e2ee.conformance.adapter_process import AdapterProcess
from e2ee.conformance.adapter_protocol import Hello
from e2ee.conformance.arguments import BadUsage
from e2ee.conformance.cases import (
    BadVectors,
    sentences_beside,
    shipped_vectors,
    specification_of,
)
from e2ee.conformance.channel import Channel, NotStarted
from e2ee.conformance.expectations import BadFile, Expectations, read_expectations
from e2ee.conformance.launched import LaunchedAdapter
from e2ee.conformance.peer.options import parse, repeated
from e2ee.conformance.peer.person import Person
from e2ee.conformance.peer.playing import OpenService, Playing
from e2ee.conformance.peer.scenario import Scenario
from e2ee.conformance.peer.scenarios import ALL
from e2ee.conformance.peer.service import GivenService, Service, own_service
from e2ee.conformance.peer.subject import DrivenClient, Subject
from e2ee.conformance.progress import progress
from e2ee.conformance.reports import check_folders, write_reports
from e2ee.conformance.results import Results
from e2ee.conformance.runner import Outcome
from e2ee.conformance.verdict import FAILING, PASSING, Verdict
from e2ee.conformance.websocket_listener import Listener
from e2ee.crypto.system_entropy import SystemEntropy

__all__ = ["main"]

PASSED, FAILED, USAGE, DRIVER, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit statuses."""


def main(argv: Sequence[str]) -> int:
    """Run with these arguments; the exit status. Raises SystemExit for --help and wrong options."""
    try:
        options = parse(argv)
        selected = _selected(options)
        if options.list:
            return _listed(selected)
        with _quiet():
            return _run(options, selected)
    except (BadUsage, BadVectors, BadFile, OSError) as error:
        return _refused(str(error), USAGE)
    except NotStarted as error:
        return _refused(str(error), DRIVER)
    except KeyboardInterrupt:
        return _refused("interrupted", INTERRUPTED)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Nothing is logged meanwhile: what probes complain of is a verdict."""
    logger = logging.getLogger("e2ee")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _selected(options: Namespace) -> list[Scenario]:
    found = [
        each
        for each in ALL
        if (options.slow or not each.slow) and (not options.only or each.case.called(options.only))
    ]
    if not found:
        raise BadUsage("no scenario is called so: --list names them")
    return found


def _listed(selected: Sequence[Scenario]) -> int:
    for each in selected:
        sys.stdout.write(f"{each.case.name}\n    {each.case.comment}\n")
    return PASSED


def _run(options: Namespace, selected: Sequence[Scenario]) -> int:
    check_folders(options)
    cases = [each.case for each in selected]
    expected = read_expectations(options.expect, cases) if options.expect else Expectations()
    specification = specification_of(shipped_vectors())
    with contextlib.ExitStack() as stack:
        start = _driver(options, specification, stack)
        playing = Playing(
            start, _service(options), not options.service, selected, options.timeout, expected
        )
        outcomes = asyncio.run(_played(playing, len(cases), options))
    hello = playing.hello
    assert hello is not None  # noqa: S101 - something was played
    groups = tuple(dict.fromkeys(case.group for case in cases))
    results = Results(
        Hello(hello.name, hello.version, groups, hello.features),
        outcomes,
        cases,
        whole=options.slow and not options.only,
        sentences=sentences_beside(shipped_vectors()),
    )
    write_reports(results, specification, options, partial(repeated, options))
    failed = any(results.counts[each] for each in (*FAILING, Verdict.UNEXPECTED_PASS))
    return FAILED if failed or not any(results.counts[each] for each in PASSING) else PASSED


async def _played(playing: Playing, total: int, options: Namespace) -> list[Outcome]:
    outcomes = list[Outcome]()
    with progress(total, quiet=options.json) as advance:
        async for outcome in playing.outcomes():
            outcomes.append(outcome)
            advance(outcome.verdict)
            if options.verbose:
                _say(f"{outcome.verdict} {outcome.case.name} ({outcome.seconds:.1f} s)")
    return outcomes


def _driver(
    options: Namespace, specification: str, stack: contextlib.ExitStack
) -> Callable[[], Awaitable[Subject]]:
    """What brings the client, and again after it hung or crashed."""
    if not options.listen and not options.command:
        return _person

    def channel() -> Channel:
        return AdapterProcess(options.command)

    transcript = stack.enter_context(_transcript(options))
    if options.listen:
        channel = _listening(options, stack)

    async def start() -> Subject:
        return DrivenClient(channel(), specification, options.start_timeout, transcript)

    return start


def _transcript(options: Namespace) -> BinaryIO:
    return open(options.transcript or os.devnull, "wb")


async def _person() -> Subject:
    return Person()


def _listening(options: Namespace, stack: contextlib.ExitStack) -> Callable[[], Channel]:
    host, _, port = options.listen.rpartition(":")
    if not host or not port.isdigit():
        raise BadUsage(f"--listen takes HOST:PORT, not {options.listen}")
    listener = Listener(host.strip("[]"), int(port), options.origin)
    stack.callback(listener.close)
    _say(f"open {listener.url}")
    if options.command:
        return partial(LaunchedAdapter, options.command, listener, options.start_timeout)
    return partial(listener.next, options.start_timeout)


def _service(options: Namespace) -> OpenService:
    """A new service of the peer's own for each scenario, or the one that was given."""
    if not options.service:
        return lambda scenario: own_service(forwarding=scenario.forwarding)
    given = GivenService(
        options.service,
        options.server_name,
        options.directory_keys,
        shlex.split(options.token_command),
        run=SystemEntropy().random(3).hex(),
    )

    @contextlib.asynccontextmanager
    async def at_it(_: Scenario) -> AsyncIterator[Service]:
        yield given.begin()

    return at_it


def _say(text: str) -> None:
    sys.stderr.write(f"conformance: {text}\n")


def _refused(why: str, status: int) -> int:
    _say(why)
    return status
