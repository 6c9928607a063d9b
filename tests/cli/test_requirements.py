"""``e2ee requirements`` prints what is shipped, and its check ends with a status that means something."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from e2ee.cli.commands import application


def run(*arguments: str) -> Result:
    return CliRunner().invoke(application(["requirements"]), ["requirements", *arguments])


def test_a_requirement_is_printed_with_its_vectors_tests_and_code() -> None:
    done = run("FRAME-9")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "FRAME-9  MUST  frame-format.md, Receiving"
    assert "    vectors  vectors/frame-format.json#frame-sent-twice-audio" in lines


def test_a_prefix_names_a_chapter() -> None:
    entries = json.loads(run("CODEC", "FRAME-1", "--json").stdout)["requirements"]
    assert {entry["chapter"] for entry in entries} == {"codecs", "frame-format"}
    assert [entry["id"] for entry in entries if entry["chapter"] == "frame-format"] == ["FRAME-1"]
    assert {"id", "level", "text", "vectors", "tests", "code"} <= entries[0].keys()


@pytest.mark.parametrize("arguments", [["NOSUCH"], ["FRAME-999"], ["--confirm", "FRAME-1"]])
def test_what_cannot_be_done_ends_with_2(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_the_check_ends_with_1_exactly_if_it_found_something() -> None:
    done = run("--check", "--json")
    findings = json.loads(done.stdout)["findings"]
    assert done.exit_code == (1 if findings else 0)


def test_what_lacks_a_vector_is_a_report_that_fails_nothing() -> None:
    done = run("--coverage", "--json")
    assert done.exit_code == 0
    gaps = json.loads(done.stdout)["gaps"]
    assert {gap["without"] for gap in gaps} <= {"accepted", "refused"}
    open_ = {gap["id"] for gap in gaps if not gap["why"]}
    assert (
        run("--coverage").stdout.splitlines()[-1].startswith(f"{len(open_)} rules lack a vector;")
    )


def test_requirements_are_written_as_a_page(tmp_path: Path) -> None:
    page = tmp_path / "made" / "frames.html"
    done = run("FRAME", "--html", str(page))
    assert done.exit_code == 0
    assert 'id="FRAME-9"' in page.read_text()
    assert 'id="CALL-1"' not in page.read_text()
