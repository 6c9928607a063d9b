"""The chapters' counted tables are what code and vectors say, or stale."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from e2ee.conformance import lines_of_code
from e2ee.conformance.generated_tables import END, TABLES, reasons, stale, write
from e2ee.conformance.trace import Places

MODULE = '"""A docstring\nof two lines."""\n\n# a comment\n' + "x = 1\n" * 150

CASES = [
    {"id": "open", "requirements": ["DOOR-10", "DOOR-9"], "reason": "NOT_SHUT"},
    {"id": "shut", "requirements": ["DOOR-1"]},
    {"id": "ajar", "requirements": ["PANE-1", "DOOR-9"], "reason": "NOT_SHUT"},
    {"id": "gone", "requirements": ["DOOR-1"], "reason": "MISSING"},
]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    for name, _, _ in lines_of_code.COMPONENTS:
        (tmp_path / "e2ee" / name).mkdir(parents=True)
        (tmp_path / "e2ee" / name / "module.py").write_text(MODULE)
    (tmp_path / "vectors").mkdir()
    groups = {"groups": [{"name": "passing", "cases": CASES}]}
    (tmp_path / "vectors" / "doors.json").write_text(json.dumps(groups))
    (tmp_path / "spec").mkdir()
    for name, (page, _) in TABLES.items():
        (tmp_path / "spec" / page).write_text(
            f"# Before\n\n<!-- table: {name} -->\n{END}\n\nAfter.\n"
        )
    return Places.of_checkout(tmp_path)


def test_lines_of_code_are_counted_in_hundreds(places: Places) -> None:
    (places.package / "crypto" / "module.py").write_text(MODULE + 'y = """\na text\n"""\n' * 50)
    (places.package / "mls" / "module.py").write_text("")
    rows = lines_of_code.table(places.package).splitlines()
    assert [row.split("|")[-2].strip() for row in rows[2:5]] == ["300", "200", "100"]


def test_a_reason_has_its_rules_and_its_groups_in_order(places: Places) -> None:
    assert reasons(places.vectors).splitlines()[2:] == [
        "| `MISSING` | DOOR-1 | doors/passing |",
        "| `NOT_SHUT` | DOOR-9, DOOR-10, PANE-1 | doors/passing |",
    ]


def test_a_table_is_stale_until_it_is_written(places: Places) -> None:
    assert stale(places) == list(TABLES)
    write(places)
    assert stale(places) == []
    page = (places.spec / "registries.md").read_text()
    assert page.startswith("# Before\n\n")
    assert page.endswith("\n\nAfter.\n")
    (places.package / "call" / "module.py").write_text(MODULE * 2)
    assert stale(places) == ["lines of code"]


def test_a_page_that_is_not_there_has_nothing_stale(places: Places) -> None:
    for page in places.spec.iterdir():
        page.unlink()
    write(places)
    assert stale(places) == []
