"""How adapters start, say who they are, and end."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from e2ee.conformance.__main__ import main
from tests.conformance.kit.conftest import Run


@pytest.mark.requirement("CONF-6", "CONF-19")
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("dies-before-hello", "ended with exit status 4, before it said hello\n  | panic: index"),
        ("hello-of-another-protocol", "the adapter speaks protocol 2, not 1"),
        ("hello-without-a-name", "the hello has no name"),
        ("hello-of-numbers", "the hello's groups are not a list of texts"),
        ("hello-of-nothing", "the hello's groups are not a list of texts"),
        ("hello-of-too-many", "the hello has more than 1000 features"),
    ],
)
def test_one_that_does_not_say_hello_gets_no_case(run: Run, fault: str, said: str) -> None:
    ran = run(adapter=(fault,))
    assert (ran.status, ran.out) == (3, "")
    assert said in ran.err


@pytest.mark.requirement("CONF-19")
def test_one_that_says_nothing_did_not_start(run: Run) -> None:
    ran = run("--start-timeout", "0.2", adapter=("no-hello",))
    assert (ran.status, ran.out) == (3, "")
    assert "did not say hello within 0.2 s" in ran.err


@pytest.mark.requirement("CONF-6")
def test_each_process_must_say_the_same_hello(run: Run) -> None:
    ran = run(adapter=("says-another-hello",))
    assert ran.status == 3
    assert "CRASH  frames/opening/opened" in ran.out  # what is known is reported
    assert "another hello than the first time" in ran.err


def test_one_that_is_slow_to_start_is_waited_for(run: Run, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def let_it_go_on() -> None:
        pipe.open("wb").close()  # waits until the adapter reads: it has started, and not said hello

    helper = threading.Thread(target=let_it_go_on)
    helper.start()
    assert run(adapter=("waits", str(pipe))).status == 0
    helper.join()


def test_what_an_adapter_started_ends_with_it(run: Run, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    ran = run("--json", "--only", "opened", adapter=("leaves-a-child", str(pipe)))
    assert ran.verdicts == {"opened": "CRASH"}
    os.set_blocking(reading, True)
    assert os.read(reading, 1) == b""  # ends when the last writer has
    os.close(reading)


def test_what_has_left_an_adapters_session_holds_up_nobody(run: Run, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writing = os.open(pipe, os.O_RDWR)
    ran = run("--only", "opened", adapter=("leaves-a-daemon", str(pipe)))
    os.close(writing)  # the child ends with it
    assert "CRASH  frames/opening/opened" in ran.out
    assert "the adapter ended with exit status 3" in ran.out


@pytest.mark.requirement("CONF-3")
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("dies-at-the-end", "the adapter ended with exit status 5 after its last case"),
        ("never-ends", "the adapter did not end with its standard input, and was killed"),
    ],
)
def test_an_end_in_bad_order_is_told_and_changes_no_verdict(
    run: Run, monkeypatch: pytest.MonkeyPatch, fault: str, said: str
) -> None:
    monkeypatch.setattr("e2ee.conformance.adapter_process.AT_THE_END", 0.5)
    ran = run(adapter=(fault,))
    assert ran.status == 0
    assert said in ran.err


@pytest.mark.requirement("CONF-3")
def test_a_second_answer_to_the_last_case_is_told(run: Run) -> None:
    ran = run("--only", "opened", adapter=("answers-twice",))
    assert ran.status == 0
    assert "the adapter said something after its last answer" in ran.err


def test_names_that_no_case_has_are_told(run: Run) -> None:
    ran = run(adapter=("hello-misspelt",))
    assert ran.status == 0
    assert "the adapter declares frames/openning, which these vectors do not have" in ran.err
    assert "the adapter declares H265," in ran.err


@pytest.mark.requirement("CONF-7")
def test_what_is_not_declared_is_not_sent(run: Run, tmp_path: Path) -> None:
    transcript = tmp_path / "transcript"
    ran = run("--json", "--transcript", str(transcript), adapter=("hello-of-a-part",))
    assert ran.verdicts["suite"] == ran.verdicts["of-h264"] == "UNSUPPORTED"
    whys = {each["case"]: each.get("why") for each in ran.report["cases"]}
    assert whys["keys/suite/suite"] == "the adapter does not list this group"
    assert whys["frames/opening/of-h264"] == "the adapter lacks H264"
    asked = [line for line in transcript.read_text().splitlines() if line.startswith("> ")]
    assert len(asked) == 2


@pytest.mark.requirement("CONF-9")
def test_nothing_of_what_is_expected_is_sent(run: Run, tmp_path: Path) -> None:
    transcript = tmp_path / "transcript"
    run("--transcript", str(transcript))
    said = [line for line in transcript.read_text().splitlines() if line.startswith("> ")]
    assert '"input": {"frame": "0102030405", "tag": "good"}}' in said[0]
    assert '"state": {}' in said[-1]  # the state itself, without what is for people and the runner
    assert '"then": [{"message": "0377"}]' in said[-1]
    for secret in ("opened", "bad-tag", "0504030201", "NOT_AUTHENTIC", "valid", "application_data"):
        assert secret not in "".join(said).replace("mls-validation", "")


@pytest.mark.requirement("CONF-8")
def test_several_adapters_share_the_cases(run: Run) -> None:
    ran = run("--json", "--jobs", "3")
    assert ran.status == 0
    assert ran.verdicts["suite"] == "PASS"
    assert [each["case"] for each in ran.report["cases"]] == [
        each["case"] for each in run("--json").report["cases"]
    ]


def test_a_command_that_is_none_is_told(capfd: pytest.CaptureFixture[str], vectors: Path) -> None:
    assert main(["--vectors", str(vectors), "--", "/nowhere/adapter"]) == 3
    assert "cannot run /nowhere/adapter" in capfd.readouterr().err
