"""The report for programs: one JSON object.

This module imports nothing of the package and nothing but the standard library.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from e2ee.conformance.adapter_protocol import PROTOCOL
from e2ee.conformance.cases import Case
from e2ee.conformance.difference import ABSENT, Difference
from e2ee.conformance.results import Results
from e2ee.conformance.runner import Outcome
from e2ee.conformance.verdict import FAILING, Verdict

__all__ = ["document", "report"]

VERSION = 1
"""Of this format; members may be added to it."""


def report(results: Results, specification: str, again: Callable[[Case], str]) -> str:
    """The text of the file. ASCII, so that nothing can go wrong with it on the way."""
    return json.dumps(document(results, specification, again), indent=1) + "\n"


def document(results: Results, specification: str, again: Callable[[Case], str]) -> dict[str, Any]:
    """The report as JSON values."""
    hello = results.hello
    return {
        "report": VERSION,
        "specification": specification,
        "protocol": PROTOCOL,
        "adapter": {
            "name": hello.name,
            "version": hello.version,
            "groups": list(hello.groups),
            "features": list(hello.features),
        },
        "counts": _counts(results.counts),
        "levels": [
            {
                "level": level.name,
                "conforms": level.conforms,
                "without": list(level.without),
                "statement": level.statement(),
                "counts": _counts(level.counts),
                "groups": {each.name: _counts(each.counts) for each in level.groups},
            }
            for level in results.levels
        ],
        "requirements": {
            each.id: {"state": each.state, "counts": _counts(each.counts), "failed": each.failed}
            for each in results.requirements
        },
        "cases": [_case(each, again) for each in results.outcomes],
    }


def _counts(counts: Counter[Verdict]) -> dict[str, int]:
    return {verdict.value: counts[verdict] for verdict in Verdict if counts[verdict]}


def _case(outcome: Outcome, again: Callable[[Case], str]) -> dict[str, Any]:
    case, judgement = outcome.case, outcome.judgement
    found: dict[str, Any] = {
        "case": case.name,
        "level": case.level,
        "requirements": list(case.requirements),
        "verdict": outcome.verdict.value,
        "seconds": round(outcome.seconds, 4),
    }
    if judgement.why:
        found["why"] = judgement.why
    if judgement.difference:
        found["difference"] = _difference(judgement.difference)
    if judgement.hints:
        found["hints"] = list(judgement.hints)
    if outcome.expected:
        found["expected"] = outcome.expected
    if outcome.exchange and outcome.exchange.last_words:
        found["last_words"] = list(outcome.exchange.last_words)
    if outcome.verdict in FAILING:
        found["again"] = again(case)
    return found


def _difference(difference: Difference) -> dict[str, Any]:
    """Both values, of a long answer the beginning; one that is absent has no member."""
    both = {"expected": difference.expected, "answered": difference.answered}
    return {"path": difference.path} | {k: v for k, v in both.items() if v is not ABSENT}
