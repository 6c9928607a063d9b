"""The text for people: what is alike is told once, other reasons are named, and a case is repeated from wherever one is."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from e2ee.conformance.arguments import parse, repeated
from e2ee.conformance.cases import Case
from e2ee.conformance.difference import Difference
from e2ee.conformance.report_text import alike
from e2ee.conformance.runner import Outcome
from e2ee.conformance.verdict import Judgement, Verdict
from tests.conformance.kit.conftest import ADAPTER, Run


def failed(
    id_: str, *, group: str = "chat/room", path: str = "output.sent", why: str = "other"
) -> Outcome:
    case = Case("L4", group, id_, "About it.", ("CHAT-1",), (), {}, {}, "valid", {}, None)
    return Outcome(1, case, Judgement(Verdict.FAIL, why, Difference(path, id_, None)))


def test_failures_in_one_place_of_one_group_are_told_together() -> None:
    one, other = failed("one"), failed("other")
    elsewhere = [
        failed("one", path="output.told"),
        failed("one", why="refused"),
        failed("one", group="chat/order"),
    ]
    assert alike([one, *elsewhere, other]) == [[one, other], *([each] for each in elsewhere)]


def test_a_failure_that_comes_again_is_named_and_not_told_again(run: Run) -> None:
    ran = run("--only", "mls-validation/*", adapter=("changed-by-a-refusal",))
    assert ran.out.count("first difference") == ran.out.count("again: ") == 1
    assert "the same in 1 others of this group: 0x0001/framing/old-commit" in ran.out


def test_what_passed_with_another_reason_is_named_if_all_is_asked_for(run: Run) -> None:
    said = "other reason      frames/opening: refused with ERR_AUTH in place of NOT_AUTHENTIC"
    assert said not in run(adapter=("other-reason",)).out
    lines = run("--all", adapter=("other-reason",)).out.splitlines()
    assert lines[lines.index(said) + 1].strip() == "bad-tag"


def test_the_command_that_repeats_a_case_works_in_another_folder(
    vectors: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(vectors.parent)
    (vectors.parent / "adapter.py").write_bytes(ADAPTER.read_bytes())
    words: list[Any] = ["--vectors", vectors.name, "--", sys.executable, "adapter.py", "honest"]
    case = failed("opened", group="frames/opening").case
    command = repeated(
        parse(words, "python -m e2ee.conformance"), "python -m e2ee.conformance", case
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    _, *rest = shlex.split(command)
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    again = subprocess.run(  # noqa: S603 -- the command that the report gave
        [sys.executable, *rest], cwd=elsewhere, env=path, capture_output=True, text=True
    )
    assert again.returncode == 0, again.stderr


def test_words_that_are_no_files_stay_as_they_are() -> None:
    command = repeated(
        parse(["--", "cargo", "run", "--bin=./adapter", "no/such.file"], "e2ee conformance"),
        "e2ee conformance",
        failed("opened").case,
    )
    assert command.endswith("-- cargo run --bin=./adapter no/such.file")
