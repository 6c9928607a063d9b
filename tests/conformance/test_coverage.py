"""What no vector shows is reported, and the list of what none can show is held against the vectors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from e2ee.conformance.coverage import Coverage, Gap
from e2ee.conformance.trace import Trace

PAGE = """\
| rules | without | why |
|---|---|---|
| `DOOR-1` | refused | a shut door refuses nothing |
"""


@pytest.fixture
def listed(checkout: Path) -> Path:
    (checkout / "spec" / "without-vectors.md").write_text(PAGE)
    return checkout


def findings(checkout: Path, page: str) -> list[tuple[str, str]]:
    (checkout / "spec" / "without-vectors.md").write_text(page)
    found = Coverage(Trace(checkout)).findings()
    return [
        (finding.subject, finding.detail.removeprefix("in without-vectors.md")) for finding in found
    ]


def test_a_must_needs_a_vector_of_both_kinds(checkout: Path) -> None:
    assert list(Coverage(Trace(checkout)).gaps()) == [
        Gap("DOOR-1", "refused"),
        Gap("PANE-1", "accepted"),
        Gap("PANE-1", "refused"),
    ]


def test_a_reason_is_told_with_the_gap(listed: Path) -> None:
    (first, *others) = Coverage(Trace(listed)).gaps()
    assert first == Gap("DOOR-1", "refused", "a shut door refuses nothing")
    assert all(gap.why == "" for gap in others)
    assert list(Coverage(Trace(listed)).findings()) == []


def test_a_vector_that_is_refused_counts_as_such(checkout: Path) -> None:
    case = {"id": "open-door", "requirements": ["DOOR-1"], "result": "invalid"}
    (checkout / "vectors" / "doors.json").write_text(json.dumps({"groups": [{"cases": [case]}]}))
    assert Gap("DOOR-1", "accepted") in Coverage(Trace(checkout)).gaps()
    assert Gap("DOOR-1", "refused") not in Coverage(Trace(checkout)).gaps()


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("DOOR-1` | refused", "DOOR-1` | accepted", ("DOOR-1", ", and a vector of it is accepted")),
        ("DOOR-1` | refused", "DOOR-1` | both", ("DOOR-1", ", and a vector of it is accepted")),
        ("DOOR-1", "DOOR-77", ("DOOR-77", ", and no MUST in force")),
        ("DOOR-1", "DOOR-2", ("DOOR-2", ", and no MUST in force")),
        ("DOOR-1", "PANE-3", ("PANE-3", ", and no MUST in force")),
        ("|---|---|---|\n", "|---|---|---|\n| `DOOR-1` | refused | why |\n", ("DOOR-1", " twice")),
    ],
)
def test_a_row_that_is_wrong_is_found(
    checkout: Path, old: str, new: str, finding: tuple[str, str]
) -> None:
    assert findings(checkout, PAGE) == []
    assert findings(checkout, PAGE.replace(old, new, 1)) == [finding]
