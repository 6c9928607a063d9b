"""``e2ee conformance server``: options in, a verdict for each check, the reports of ``e2ee conformance run``."""

from __future__ import annotations

import asyncio
import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from functools import partial

import e2ee
from e2ee.conformance.adapter_protocol import Hello
from e2ee.conformance.arguments import BadUsage
from e2ee.conformance.cases import SERVICE_FEATURES, Case, sentences_beside
from e2ee.conformance.expectations import BadFile, Expectations, read_expectations
from e2ee.conformance.progress import progress
from e2ee.conformance.reports import check_folders, write_reports
from e2ee.conformance.results import Results
from e2ee.conformance.runner import Outcome
from e2ee.conformance.server import checks
from e2ee.conformance.server.arguments import parse, repeated, without_password
from e2ee.conformance.server.check import Check
from e2ee.conformance.server.faults import Fault
from e2ee.conformance.server.run import run
from e2ee.conformance.server.stage import Service
from e2ee.conformance.server.tokens import Tokens
from e2ee.conformance.shown import shown
from e2ee.conformance.verdict import FAILING, PASSING, Verdict
from e2ee.shipped import shipped

__all__ = ["main"]

PASSED, FAILED, USAGE, NOT_THERE, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit statuses."""

MOST = 20
"""Unsupported checks that are told."""

LONGEST_NAME = 100
"""Characters of what a service calls itself."""


def main(argv: Sequence[str], program: str = "e2ee conformance") -> int:
    """Run with these arguments; the exit status. Raises SystemExit for --help and wrong options."""
    try:
        options = parse(argv, program)
        chosen = _chosen(options)
        return _listed(options, chosen) if options.list else _run(options, chosen, program)
    except (BadUsage, BadFile, OSError) as error:
        return _refused(str(error), USAGE)
    except KeyboardInterrupt:
        return _refused("interrupted", INTERRUPTED)


def _chosen(options: Namespace) -> list[Check]:
    chosen = [
        each
        for each in checks.registered()
        if (options.slow or not each.slow)
        and (options.restart_command or options.list or not each.restarts)
        and (not options.only or each.case.called(options.only))
    ]
    if not chosen:
        raise BadUsage("no check is called so: --list --slow names them")
    return chosen


def _listed(options: Namespace, chosen: Sequence[Check]) -> int:
    cases = [each.case for each in chosen]
    lines = [_told(each) if options.all else each.name for each in cases]
    if options.json:
        lines = [json.dumps([each.name for each in cases], indent=1)]
    sys.stdout.write("\n".join(lines) + "\n")
    return PASSED


def _told(case: Case) -> str:
    return f"{case.name}  {' '.join(case.requirements)}\n    {case.comment}"


def _run(options: Namespace, chosen: Sequence[Check], program: str) -> int:
    check_folders(options)
    cases = [each.case for each in checks.registered()]
    expectations = read_expectations(options.expect, cases) if options.expect else Expectations()
    tokens = Tokens.of(options.tokens, options.token_command)
    service = Service(options.url, options.timeout, tokens, options.restart_command)
    outcomes = list[Outcome]()
    with progress(len(chosen), quiet=options.json) as advance:

        def known(outcome: Outcome) -> None:
            outcomes.append(outcome)
            advance(outcome.verdict)

        try:
            asyncio.run(_all(service, chosen, expectations, options.jobs, known))
        except Fault as fault:
            return _refused(str(fault), NOT_THERE)
    results = _results(options, service, chosen, outcomes)
    write_reports(results, e2ee.SPEC_VERSION, options, partial(repeated, options, program))
    if not options.json:
        _say_unsupported(results)
    return _status(results, options)


async def _all(service: Service, *rest: object) -> None:
    await service.greet()
    await run(service, *rest)  # type: ignore[arg-type]


def _results(
    options: Namespace, service: Service, chosen: Sequence[Check], outcomes: Sequence[Outcome]
) -> Results:
    cases = [each.case for each in chosen]
    lacking = {
        feature
        for each in outcomes
        if each.verdict is Verdict.UNSUPPORTED
        for feature in each.case.features
    }
    hello = Hello(
        name=options.name or shown(service.server_name, LONGEST_NAME),
        version="" if options.name else f"at {without_password(service.url)}",
        groups=tuple(dict.fromkeys(case.group for case in cases)),
        features=tuple(each for each in SERVICE_FEATURES if each not in lacking),
    )
    sentences = sentences_beside(shipped("vectors"))
    whole = not options.only and options.slow and options.restart_command
    return Results(hello, outcomes, cases, whole=bool(whole), sentences=sentences)


def _say_unsupported(results: Results) -> None:
    for each in results.of(Verdict.UNSUPPORTED)[:MOST]:
        sys.stdout.write(f"unsupported  {each.case.name}: {each.judgement.why}\n")


def _status(results: Results, options: Namespace) -> int:
    failing = FAILING if options.lenient else (*FAILING, Verdict.UNEXPECTED_PASS)
    if any(results.counts[each] for each in failing):
        return FAILED
    return PASSED if any(results.counts[each] for each in PASSING) else FAILED


def _refused(why: str, status: int) -> int:
    sys.stderr.write(f"conformance: {why}\n")
    return status
