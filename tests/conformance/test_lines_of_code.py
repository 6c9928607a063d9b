"""The auditors' table of lines is counted from the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2ee.conformance.lines_of_code import BEGIN, COMPONENTS, END, stale, table, write

MODULE = '"""A docstring\nof two lines."""\n\n# a comment\n' + "x = 1\n" * 150


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name, _, _ in COMPONENTS:
        (tmp_path / "e2ee" / name).mkdir(parents=True)
        (tmp_path / "e2ee" / name / "module.py").write_text(MODULE)
    return tmp_path / "e2ee"


def test_lines_of_code_are_counted_in_hundreds(package: Path) -> None:
    (package / "crypto" / "module.py").write_text(MODULE + 'y = """\na text\n"""\n' * 50)
    (package / "mls" / "module.py").write_text("")
    rows = table(package).splitlines()
    assert [row.split("|")[-2].strip() for row in rows[2:5]] == ["300", "200", "100"]


def test_a_count_that_is_another_is_stale_until_it_is_written(
    package: Path, tmp_path: Path
) -> None:
    spec = tmp_path / "spec"
    spec.mkdir()
    assert not stale(spec, package)  # no page, nothing stale
    page = spec / "auditors.md"
    page.write_text(f"# Before\n\n{BEGIN}\n{END}\n\nAfter.\n")
    assert stale(spec, package)
    write(spec, package)
    assert not stale(spec, package)
    assert page.read_text().startswith("# Before\n\n")
    assert page.read_text().endswith("\n\nAfter.\n")
    (package / "call" / "module.py").write_text(MODULE * 2)
    assert stale(spec, package)
