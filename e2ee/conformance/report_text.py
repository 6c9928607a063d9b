"""The report for people at a terminal: failures first, the worst of them first of all, then the tables.

What differs in the same place for the same reason is told once: one wrong name of a member fails every case of a group.

This module imports nothing of the package and nothing but the standard library.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from pathlib import Path

from e2ee.conformance.cases import Case
from e2ee.conformance.results import TITLES, Level, Results
from e2ee.conformance.runner import Outcome
from e2ee.conformance.shown import shown
from e2ee.conformance.verdict import Verdict

__all__ = ["evidence", "report"]

WIDTH = 100

MOST = 20
"""Failures that are told in full; the others in one line each."""

MOST_ALIKE = 12
"""Of those that are told together, how many are named."""

SENTENCE = 160
"""Characters of a requirement."""

COLUMNS = {
    Verdict.PASS: "pass",
    Verdict.PASS_OTHER_REASON: "other reason",
    Verdict.FAIL: "fail",
    Verdict.LEAK: "leak",
    Verdict.CRASH: "crash",
    Verdict.HANG: "hang",
    Verdict.EXPECTED_FAILURE: "expected failure",
    Verdict.UNEXPECTED_PASS: "unexpected pass",
    Verdict.UNSUPPORTED: "unsupported",
}
"""Verdict -> head of its column. The first, the third and the last are there also if they are empty."""

ALWAYS = (Verdict.PASS, Verdict.FAIL, Verdict.UNSUPPORTED)


def report(results: Results, again: Callable[[Case], str], *, everything: bool) -> Iterator[str]:
    """Lines. ``again`` is the command that repeats a case; ``everything`` adds each group and each requirement."""
    failures = alike(results.failures())
    for outcome, *others in failures[:MOST]:
        yield from _failure(outcome, others, results, again)
    for outcomes in failures[MOST:]:
        yield from (f"{each.verdict:16} {each.case.name}" for each in outcomes)
    if failures:
        yield f"it ran in {shown(str(Path.cwd()), 200)}"
    yield from _expected(results)
    if everything:
        yield from _other_reasons(results)
    yield from ["", f"{results.hello.name} {results.hello.version}", ""]
    yield from table(_level_rows(results))
    if everything:
        yield from ["", *table(_group_rows(results))]
    yield from ["", *_requirements(results, everything)]


def alike(outcomes: Iterable[Outcome]) -> list[list[Outcome]]:
    """Those of one group that differ first in the same place, and of which the same is said, together; in their order."""
    together = dict[Hashable, list[Outcome]]()
    for each in outcomes:
        found = each.judgement
        place = found.difference.path if found.difference else None
        together.setdefault((each.verdict, each.case.group, place, found.why), []).append(each)
    return list(together.values())


def evidence(outcome: Outcome) -> Iterator[str]:
    """What is known of a failure: why, the first value that differs, hints, the adapter's last words."""
    judgement = outcome.judgement
    if judgement.why:
        yield judgement.why
    if found := judgement.difference:
        expected, answered = found.lines()
        yield from [f"first difference: {found.headline()}", f"  expected  {expected}"]
        yield f"  answered  {answered}"
    yield from judgement.hints
    if outcome.expected:
        yield f"expected to fail: {shown(outcome.expected)}"
    if outcome.exchange and outcome.exchange.last_words:
        yield from ["last words:", *(f"  | {line}" for line in outcome.exchange.last_words)]


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The first row is the head. Columns are as wide as they must be, numbers to the right."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        cells = (
            cell.rjust(width) if rows[-1][at].isdigit() else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()


def _failure(
    outcome: Outcome, others: Sequence[Outcome], results: Results, again: Callable[[Case], str]
) -> Iterator[str]:
    case = outcome.case
    yield f"{outcome.verdict}  {case.name}  {' '.join(case.requirements)}"
    yield from textwrap.wrap(case.comment, WIDTH, initial_indent="  ", subsequent_indent="  ")
    for id_ in case.requirements:
        if sentence := results.sentences.get(id_):
            yield f"  {id_}: {textwrap.shorten(sentence, SENTENCE, placeholder=' …')}"
    yield from (f"  {line}" for line in evidence(outcome))
    if others:
        ids = [each.case.id for each in others]
        more = f" and {len(ids) - MOST_ALIKE} more" if len(ids) > MOST_ALIKE else ""
        text = f"the same in {len(ids)} others of this group: {', '.join(ids[:MOST_ALIKE])}{more}"
        yield from _indented(text, "  ")
    yield from [f"  again: {again(case)}", ""]


def _expected(results: Results) -> Iterator[str]:
    for outcome in results.of(Verdict.EXPECTED_FAILURE):
        yield f"expected failure  {outcome.case.name}: {shown(outcome.expected or '')}"


def _other_reasons(results: Results) -> Iterator[str]:
    """What passed with another reason: by group and by what is said of it, and which cases."""
    for outcomes in alike(results.of(Verdict.PASS_OTHER_REASON)):
        first = outcomes[0]
        yield f"other reason      {first.case.group}: {first.judgement.why}"
        yield from _indented(" ".join(each.case.id for each in outcomes), " " * 18)


def _indented(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )


def _level_rows(results: Results) -> list[list[str]]:
    shown_ones = [each for each in COLUMNS if each in ALWAYS or results.counts[each]]
    rows = [["level", "", "cases", *(COLUMNS[each] for each in shown_ones), ""]]
    rows += [_level_row(level, shown_ones) for level in results.levels]
    return rows


def _level_row(level: Level, verdicts: Sequence[Verdict]) -> list[str]:
    counts = [str(level.counts[each]) for each in verdicts]
    cases = str(sum(level.counts.values()))
    return [level.name, TITLES[level.name], cases, *counts, level.statement()]


def _group_rows(results: Results) -> list[list[str]]:
    verdicts = [each for each in COLUMNS if each in ALWAYS or results.counts[each]]
    rows = [["group", "cases", *(COLUMNS[each] for each in verdicts)]]
    for level in results.levels:
        for group in level.groups:
            counts = [str(group.counts[each]) for each in verdicts]
            rows.append([group.name, str(sum(group.counts.values())), *counts])
    return rows


def _requirements(results: Results, everything: bool) -> Iterator[str]:
    """How many are shown; which failed; which were not exercised."""
    by_state = {
        state: [each.id for each in results.requirements if each.state == state]
        for state in ("shown", "failed", "not exercised")
    }
    told = by_state if everything else ("failed",)
    yield "requirements: " + ", ".join(f"{len(ids)} {state}" for state, ids in by_state.items())
    for state in told:
        if ids := by_state[state]:
            head = f"  {state}: "
            yield from textwrap.wrap(
                " ".join(ids),
                WIDTH,
                initial_indent=head,
                subsequent_indent=" " * len(head),
                break_on_hyphens=False,
            )
