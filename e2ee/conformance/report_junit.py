"""The report for machines that build: JUnit's XML, a suite for each group, a case for each case.

LEAK and FAIL are failures, CRASH and HANG errors, UNSUPPORTED and EXPECTED_FAILURE are skipped with their reason.

This module imports nothing of the package and nothing but the standard library.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from xml.etree import ElementTree

from e2ee.conformance.cases import Case
from e2ee.conformance.report_text import evidence
from e2ee.conformance.results import Results
from e2ee.conformance.runner import Outcome
from e2ee.conformance.shown import shown
from e2ee.conformance.verdict import Verdict

__all__ = ["report"]

ELEMENTS = {
    Verdict.LEAK: "failure",
    Verdict.FAIL: "failure",
    Verdict.UNEXPECTED_PASS: "failure",
    Verdict.CRASH: "error",
    Verdict.HANG: "error",
    Verdict.UNSUPPORTED: "skipped",
    Verdict.EXPECTED_FAILURE: "skipped",
}
"""What a case that did not pass holds."""


def report(results: Results, again: Callable[[Case], str]) -> str:
    """The text of the file."""
    root = ElementTree.Element("testsuites", name=f"{results.hello.name} {results.hello.version}")
    groups = dict[str, list[Outcome]]()
    for outcome in results.outcomes:
        groups.setdefault(outcome.case.group, []).append(outcome)
    for group, outcomes in groups.items():
        root.append(_suite(group, outcomes, again))
    ElementTree.indent(root)
    return ElementTree.tostring(root, "unicode", xml_declaration=True) + "\n"


def _suite(
    group: str, outcomes: list[Outcome], again: Callable[[Case], str]
) -> ElementTree.Element:
    counts = Counter(ELEMENTS.get(each.verdict, "") for each in outcomes)
    suite = ElementTree.Element(
        "testsuite",
        name=group,
        tests=str(len(outcomes)),
        failures=str(counts["failure"]),
        errors=str(counts["error"]),
        skipped=str(counts["skipped"]),
        time=f"{sum(each.seconds for each in outcomes):.3f}",
    )
    for outcome in outcomes:
        suite.append(_case(outcome, again))
    return suite


def _case(outcome: Outcome, again: Callable[[Case], str]) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase",
        classname=outcome.case.group.replace("/", "."),
        name=outcome.case.id,
        time=f"{outcome.seconds:.3f}",
    )
    if name := ELEMENTS.get(outcome.verdict):
        why = shown(outcome.expected or "") or outcome.judgement.why
        found = ElementTree.SubElement(case, name, message=f"{outcome.verdict}: {why}")
        if name != "skipped":
            found.set("type", outcome.verdict.value)
            found.text = "\n".join([*evidence(outcome), f"again: {again(outcome.case)}"])
    return case
