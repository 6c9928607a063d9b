"""``e2ee vectors generate`` writes what is missing or differs, and ``e2ee vectors check`` only looks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from e2ee.cli.commands import application
from e2ee.shipped import shipped


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of ``vectors/`` that the command works on."""
    copy = shutil.copytree(shipped("vectors"), tmp_path / "vectors")
    monkeypatch.setattr("e2ee.cli.vectors.shipped", lambda _: copy)
    return copy


def run(verb: str, *names: str) -> Result:
    return CliRunner().invoke(application(["vectors"]), ["vectors", verb, *names])


def test_the_files_of_the_chapters_are_up_to_date() -> None:
    """All files, which takes a while, are looked at by ``make requirements``."""
    assert run("check", "[!m]*.json").exit_code == 0


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_what_differs_is_found_and_written_again(folder: Path, damage: str) -> None:
    path = folder / "codecs.json"
    content = path.read_text()
    if damage == "changed":
        path.write_text(content.replace("opus", "opuss", 1))
    else:
        path.unlink()
    found = run("check", "codecs.json")
    assert (found.exit_code, found.stdout) == (1, "codecs.json differs\n")
    assert run("generate", "codecs.json").exit_code == 0
    assert path.read_text() == content
    assert run("check", "codecs.json").exit_code == 0


def test_a_folder_that_is_missing_is_made(folder: Path) -> None:
    path = folder / "mls-validation" / "0x0001" / "encodings.json"
    content = path.read_text()
    shutil.rmtree(folder / "mls-validation")
    name = "mls-validation/0x0001/encodings.json"
    assert run("generate", name).stdout == f"{name} differs\n"
    assert path.read_text() == content


def test_only_the_files_that_were_named_are_looked_at(folder: Path) -> None:
    for name in ("codecs.json", "calls.json"):
        (folder / name).write_text("{}")
    assert run("check", "codecs.json").stdout == "codecs.json differs\n"
    assert run("check", "mls-validation/0x0001/encodings.json").exit_code == 0


def test_a_file_that_nobody_makes_is_found(folder: Path) -> None:
    (folder / "old.json").write_text("{}")
    (folder / "schema" / "old.json").write_text("{}")
    found = run("check", "*old.json")
    assert (found.exit_code, found.stdout) == (1, "old.json is made by nobody\n")
