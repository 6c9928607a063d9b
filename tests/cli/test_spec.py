"""``e2ee spec`` writes the specification as one page."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from e2ee.cli.commands import application


def test_the_page_is_written_where_one_says(tmp_path: Path) -> None:
    page = tmp_path / "made" / "spec.html"
    done = CliRunner().invoke(application(["spec"]), ["spec", str(page)])
    assert done.exit_code == 0
    html = page.read_text()
    assert done.stdout.endswith(f"{len(html.encode()):,} bytes\n")
    assert html.startswith("<!doctype html>")
    assert 'id="FRAME-9"' in html
