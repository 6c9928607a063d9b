"""Which cases run, what a level needs, and the exit status."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from e2ee.conformance.__main__ import main
from e2ee.shipped import checkout
from tests.conformance.kit.conftest import ADAPTER, OF_H264, Run, chapter


def levels(ran_out: str) -> dict[str, str | None]:
    return {each["level"]: each["statement"] for each in json.loads(ran_out)["levels"]}


@pytest.mark.requirement("CONF-1", "CONF-2")
def test_a_level_conforms_without_an_optional_feature_that_is_named(run: Run) -> None:
    ran = run("--json", "--level", "L1,L2")
    assert levels(ran.out) == {"L1": "conforms, without H264", "L2": "conforms"}
    assert ran.status == 0


@pytest.mark.requirement("CONF-2", "CONF-19")
def test_a_level_does_not_conform_if_a_group_is_not_declared(run: Run) -> None:
    ran = run("--json", adapter=("hello-of-a-part",))
    assert levels(ran.out) == {"L1": "conforms, without H264", "L2": "not declared"}
    assert ran.status == 0
    assert run("--level", "L1", adapter=("hello-of-a-part",)).status == 0
    assert run("--level", "L1,L2", adapter=("hello-of-a-part",)).status == 1


@pytest.mark.requirement("CONF-2")
def test_a_level_does_not_conform_if_a_case_cannot_be_done(run: Run) -> None:
    ran = run("--level", "L2", adapter=("cannot",))
    assert "L2     keys" in ran.out
    assert "does not conform: lacks keys/suite/suite" in ran.out
    assert ran.status == 1


@pytest.mark.requirement("CONF-2")
def test_the_suite_that_the_protocol_needs_is_not_optional(run: Run) -> None:
    ran = run("--json", "--level", "L2", adapter=("hello-without-features",))
    assert levels(ran.out) == {"L2": "does not conform: lacks mls-0x0001"}
    assert ran.status == 1


@pytest.mark.requirement("CONF-2")
def test_other_suites_are_optional_or_of_no_claim(run: Run, vectors: Path) -> None:
    shutil.move(vectors / "mls-validation/0x0001", vectors / "mls-validation/0xf0e2")
    for file in (vectors / "mls-validation/0xf0e2").iterdir():
        file.write_text(file.read_text().replace('"cipher_suite": 1', '"cipher_suite": 61666'))
    assert "conforms, without hybrid" in run("--level", "L2").out
    for file in (vectors / "mls-validation/0xf0e2").iterdir():
        file.write_text(file.read_text().replace('"cipher_suite": 61666', '"cipher_suite": 2'))
    assert levels(run("--json", "--level", "L2").out) == {"L2": "conforms"}  # of no claim


@pytest.mark.requirement("CONF-2")
def test_a_level_of_which_nothing_passed_does_not_conform(run: Run, vectors: Path) -> None:
    """All that it has needs an optional feature that the adapter lacks."""
    only = chapter("frames", "L1", "opening", [OF_H264])
    (vectors / "frames.json").write_text(json.dumps(only))
    ran = run("--json")
    assert levels(ran.out)["L1"] == "does not conform: nothing was shown"


@pytest.mark.requirement("CONF-2")
def test_a_part_of_a_level_is_not_the_level(run: Run) -> None:
    ran = run("--json", "--only", "frames/opening/*")
    assert levels(ran.out) == {"L1": "not all of it was run"}
    assert ran.report["levels"][0]["conforms"] is None


@pytest.mark.requirement("CONF-19")
def test_a_run_in_which_nothing_passed_has_not_passed(run: Run) -> None:
    assert run("--only", "of-h264").status == 1


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("frames/opening/opened", ["frames/opening/opened"]),
        (
            "frames/opening",
            ["frames/opening/opened", "frames/opening/bad-tag", "frames/opening/of-h264"],
        ),
        ("DOOR-2", ["frames/opening/bad-tag"]),
        (
            "*commit",
            [f"mls-validation/process/0x0001/framing/{w}-commit" for w in ("good", "bad", "old")],
        ),
    ],
)
def test_cases_are_chosen_by_name_group_or_requirement(
    run: Run, pattern: str, names: list[str]
) -> None:
    ran = run("--list", "--only", pattern)
    assert (ran.status, ran.out.split()) == (0, names)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "nothing"], "no case is called so"),
        (["--level", "L9"], "L9 is no level"),
        (["--level", "L5"], "reserved"),
        (["--level", "D"], "e2ee conformance server URL"),
        (["--html", "/nowhere/at/all.html"], "there is no folder /nowhere/at"),
        (["--vectors", "/nowhere"], "there are no vectors in /nowhere"),
        (["--listen", "here"], "--listen takes HOST:PORT"),
        (["--listen", "127.0.0.1:0", "--jobs", "2"], "--jobs 1"),
    ],
)
@pytest.mark.requirement("CONF-19")
def test_what_cannot_be_run_is_said_in_a_line(
    vectors: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["--vectors", str(vectors), *arguments, "--", "adapter"]) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n"), said in err) == ("", 1, True)


def test_without_a_command_there_is_nothing_to_run(capfd: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "after -- comes the command" in capfd.readouterr().err


def test_vectors_that_are_none_are_told_by_name(run: Run, vectors: Path) -> None:
    (vectors / "keys.json").write_text('{"chapter": "keys", "groups": [{}]}')
    ran = run()
    assert ran.status == 2
    assert "keys.json is no file of vectors" in ran.err


def test_fail_fast_stops_at_the_first_failure(run: Run) -> None:
    ran = run("--json", "--fail-fast", adapter=("crashes",))
    assert list(ran.verdicts.values()).count("CRASH") == 1
    assert ran.status == 1


def test_the_kit_needs_nothing_but_its_folder_and_the_vectors(
    vectors: Path, tmp_path: Path
) -> None:
    """Copied elsewhere, with all else of the package spoilt, in an interpreter without installed packages."""
    source = checkout()
    assert source is not None
    alone = tmp_path / "alone" / "e2ee"
    shutil.copytree(
        source / "e2ee/conformance",
        alone / "conformance",
        ignore=shutil.ignore_patterns("adapter", "mls_peer"),
    )
    shutil.copy(source / "e2ee/__init__.py", alone)
    for name in ("errors", "crypto", "tls_syntax"):
        (alone / f"{name}.py").write_text(
            "raise RuntimeError('the kit imports the implementation')"
        )
    shutil.copytree(vectors, tmp_path / "alone" / "vectors")
    python = [sys.executable, "-S", "-E", "-s"]
    done = subprocess.run(  # noqa: S603
        [*python, "-m", "e2ee.conformance", "run", "--level", "L1", "--", *python, str(ADAPTER)],
        cwd=tmp_path / "alone",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "conforms, without H264" in done.stdout
