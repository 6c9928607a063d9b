"""The report as one page: no script, nothing loaded, and everything that came from elsewhere is escaped.

It is built as a tree of elements, so that no text can become markup.

This module imports nothing of the package and nothing but the standard library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from e2ee.conformance.cases import Case
from e2ee.conformance.report_text import COLUMNS, evidence
from e2ee.conformance.results import TITLES, Results
from e2ee.conformance.runner import Outcome
from e2ee.conformance.shown import shown
from e2ee.conformance.verdict import FAILING, PASSING, Verdict

__all__ = ["report"]

STYLE = """
:root { color-scheme: light dark; --good: #1a7f37; --bad: #c62828; --dim: #767676; --line: #8884; }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
table { border-collapse: collapse; } td:first-child { white-space: nowrap; } td, th { padding: .2rem .7rem; border-bottom: 1px solid var(--line); }
th { text-align: left; font-weight: 600; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
pre { overflow-x: auto; padding: .6rem; border-left: 3px solid var(--line); margin: .4rem 0 1rem; }
code, pre { font: 13px/1.4 ui-monospace, monospace; } summary { cursor: pointer; }
.bad { color: var(--bad); font-weight: 600; } .good { color: var(--good); } .dim { color: var(--dim); }
"""

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""Were there a script in the page after all, it would not run."""

CLASSES = {
    **dict.fromkeys([*FAILING, Verdict.UNEXPECTED_PASS], "bad"),
    **dict.fromkeys(PASSING, "good"),
    **dict.fromkeys([Verdict.UNSUPPORTED, Verdict.EXPECTED_FAILURE], "dim"),
}

Cell = str | int | Element
Row = list[Cell]


def report(results: Results, specification: str, again: Callable[[Case], str]) -> bytes:
    """The page, in UTF-8."""
    hello = results.hello
    title = f"{hello.name} {hello.version}: conformance"
    page = Element("html", lang="en")
    page.append(_head(title))
    body = SubElement(page, "body")
    SubElement(body, "h1").text = title
    SubElement(
        body, "p"
    ).text = f"E2EE Calling Protocol {specification}; features: {_list(hello.features) or 'none'}"
    for part in (_levels(results), _failures(results, again), _expected(results)):
        body.extend(part)
    for part in (_requirements(results), _groups(results), _cases(results)):
        body.extend(part)
    text: bytes = tostring(page, "utf-8", method="html")
    return b"<!doctype html>\n" + text + b"\n"


def _head(title: str) -> Element:
    head = Element("head")
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": POLICY})
    SubElement(head, "meta", name="viewport", content="width=device-width")
    SubElement(head, "title").text = title
    SubElement(head, "style").text = STYLE
    return head


def _levels(results: Results) -> Iterator[Element]:
    verdicts = _columns(results)
    rows = list[Row]()
    for level in results.levels:
        counts = [level.counts[each] for each in verdicts]
        said = _marked("span", level.statement(), level.mark)
        title = f"{level.name} {TITLES[level.name]}"
        rows.append([title, said, sum(level.counts.values()), *counts])
    yield _heading("Levels")
    yield _table(["level", "", "cases", *(COLUMNS[each] for each in verdicts)], rows)


def _failures(results: Results, again: Callable[[Case], str]) -> Iterator[Element]:
    if failures := results.failures():
        yield _heading("What went wrong")
        for outcome in failures:
            yield from _failure(outcome, results, again)


def _failure(outcome: Outcome, results: Results, again: Callable[[Case], str]) -> Iterator[Element]:
    head = Element("p", id=outcome.case.name)
    verdict = SubElement(head, "span", {"class": "bad"})
    verdict.text, verdict.tail = outcome.verdict.value, " "
    SubElement(head, "code").text = outcome.case.name
    SubElement(
        head, "br"
    ).tail = f"{shown(outcome.case.comment, 2000)} ({_list(outcome.case.requirements)})"
    yield head
    sentences = [(id_, results.sentences.get(id_)) for id_ in outcome.case.requirements]
    for id_, sentence in sentences:
        if sentence:
            yield _marked("p", f"{id_}: {sentence}", "dim")
    lines = [*evidence(outcome), f"again: {again(outcome.case)}"]
    yield _marked("pre", "\n".join(lines))


def _expected(results: Results) -> Iterator[Element]:
    if expected := results.of(Verdict.EXPECTED_FAILURE):
        yield _heading("Expected failures")
        rows: list[Row] = [
            [_code(each.case.name), shown(each.expected or ""), each.judgement.why]
            for each in expected
        ]
        yield _table(["case", "reason", "what happened"], rows)


def _requirements(results: Results) -> Iterator[Element]:
    yield _heading("Requirements")
    marks = {"shown": "good", "failed": "bad", "not exercised": "dim"}
    rows: list[Row] = [
        [
            _titled(each.id, results.sentences.get(each.id)),
            _marked("span", each.state, marks[each.state]),
            sum(each.counts.values()),
            _links(each.failed),
        ]
        for each in results.requirements
    ]
    yield _table(["requirement", "", "cases", "failed"], rows)


def _groups(results: Results) -> Iterator[Element]:
    verdicts = _columns(results)
    rows: list[Row] = [
        [
            level.name,
            _code(group.name),
            sum(group.counts.values()),
            *(group.counts[each] for each in verdicts),
        ]
        for level in results.levels
        for group in level.groups
    ]
    yield _heading("Groups")
    yield _table(["level", "group", "cases", *(COLUMNS[each] for each in verdicts)], rows)


def _cases(results: Results) -> Iterator[Element]:
    """All, folded by verdict."""
    yield _heading("Cases")
    for verdict in Verdict:
        if outcomes := results.of(verdict):
            details = Element("details")
            SubElement(details, "summary").text = f"{verdict}: {len(outcomes)}"
            rows: list[Row] = [
                [_marked("code", each.case.name, CLASSES[verdict]), each.judgement.why]
                for each in outcomes
            ]
            details.append(_table(["case", ""], rows))
            yield details


def _columns(results: Results) -> list[Verdict]:
    return [each for each in COLUMNS if results.counts[each]]


def _table(head: Sequence[str], rows: Iterable[Row]) -> Element:
    table = Element("table")
    numbers = set[int]()
    first, body = SubElement(table, "thead"), SubElement(table, "tbody")
    for row in rows:
        line = SubElement(body, "tr")
        for at, cell in enumerate(row):
            if isinstance(cell, int):
                numbers.add(at)
            line.append(_cell(cell))
    line = SubElement(first, "tr")
    for at, text in enumerate(head):
        SubElement(line, "th", {"class": "n"} if at in numbers else {}).text = text
    return table


def _cell(cell: Cell) -> Element:
    mark = ("n" if cell else "n dim") if isinstance(cell, int) else ""
    element = Element("td", {"class": mark} if mark else {})
    if isinstance(cell, Element):
        element.append(cell)
    else:
        element.text = str(cell)
    return element


def _titled(text: str, title: str | None) -> Element:
    element = Element("span", {"title": title} if title else {})
    element.text = text
    return element


def _links(names: Iterable[str]) -> Element:
    """To the failures of these cases."""
    span = Element("span")
    for name in names:
        link = SubElement(span, "a", href=f"#{name}")
        link.text, link.tail = name, " "
    return span


def _heading(text: str) -> Element:
    return _marked("h2", text)


def _code(text: str) -> Element:
    return _marked("code", text)


def _marked(tag: str, text: str, mark: str = "") -> Element:
    element = Element(tag, {"class": mark} if mark else {})
    element.text = text
    return element


def _list(names: Iterable[str]) -> str:
    return ", ".join(shown(each, 80) for each in names)
