"""What each kind of answer is worth, said by real processes."""

from __future__ import annotations

import pytest

from tests.conformance.kit.conftest import Run

HONEST = {
    "opened": "PASS",
    "bad-tag": "PASS",
    "of-h264": "UNSUPPORTED",
    "suite": "PASS",
    "good-commit": "PASS",
    "bad-commit": "PASS",
    "old-commit": "PASS",
}

REFUSALS = ("bad-tag", "bad-commit", "old-commit")
ACCEPTED = ("opened", "suite", "good-commit")
MLS_REFUSALS = ("bad-commit", "old-commit")

CHANGED: dict[str, dict[str, str]] = {
    "honest": {},
    "another-byte": {"opened": "FAIL"},
    "only-another-step": {},  # steps on the way bind nobody
    "other-reason": dict.fromkeys(REFUSALS, "PASS_OTHER_REASON"),
    "no-reason": dict.fromkeys(REFUSALS, "PASS_OTHER_REASON"),
    "accepts": {"bad-tag": "FAIL", "bad-commit": "FAIL"},  # old-commit has a flag
    "refuses": dict.fromkeys([*ACCEPTED, *MLS_REFUSALS], "FAIL") | {"bad-tag": "PASS_OTHER_REASON"},
    "forgets-the-rest": dict.fromkeys(MLS_REFUSALS, "FAIL"),
    "changed-by-a-refusal": dict.fromkeys(MLS_REFUSALS, "FAIL"),
    "leaks-by-the-way": dict.fromkeys(REFUSALS, "LEAK"),
    "leaks-a-frame": dict.fromkeys(REFUSALS, "LEAK"),
    "accepts-a-frame": dict.fromkeys(REFUSALS, "LEAK"),
    "cannot": dict.fromkeys(HONEST, "UNSUPPORTED"),
    "cannot-and-leaks": dict.fromkeys(REFUSALS, "LEAK"),
    "crashes": dict.fromkeys([*ACCEPTED, *REFUSALS], "CRASH"),
    "is-killed": dict.fromkeys([*ACCEPTED, *REFUSALS], "CRASH"),
    "prints-debris": dict.fromkeys([*ACCEPTED, *REFUSALS], "CRASH"),
    "is-not-utf-8": dict.fromkeys([*ACCEPTED, *REFUSALS], "CRASH"),
    "ends-in-a-line": dict.fromkeys([*ACCEPTED, *REFUSALS], "CRASH"),
    "long-line": dict.fromkeys([*ACCEPTED, *REFUSALS], "CRASH"),
    "deep-line": dict.fromkeys([*ACCEPTED, *REFUSALS], "CRASH"),
    "another-number": dict.fromkeys([*ACCEPTED, *REFUSALS], "CRASH"),
}
"""Fault -> the cases that do not end as for an honest adapter."""


@pytest.mark.requirement(
    "CONF-10", "CONF-11", "CONF-12", "CONF-13", "CONF-14", "CONF-15", "CONF-16"
)
@pytest.mark.parametrize("fault", CHANGED)
def test_each_adapter_gets_its_verdicts(run: Run, fault: str) -> None:
    ran = run("--json", adapter=(fault,))
    assert ran.verdicts == HONEST | CHANGED[fault]
    failed = {"FAIL", "LEAK", "CRASH"} & set(ran.verdicts.values())
    nothing = {"UNSUPPORTED"} == set(ran.verdicts.values())
    assert ran.status == (1 if failed or nothing else 0)


@pytest.mark.requirement("CONF-16")
def test_one_that_never_answers_hangs_and_the_next_case_goes_to_another(run: Run) -> None:
    ran = run("--json", "--timeout", "0.2", "--only", "frames/*", adapter=("hangs",))
    assert ran.verdicts == {"opened": "HANG", "bad-tag": "HANG", "of-h264": "UNSUPPORTED"}
    assert ran.status == 1


@pytest.mark.requirement("CONF-3")
def test_a_second_answer_is_taken_for_the_next_case_and_told_as_what_it_is(run: Run) -> None:
    ran = run("--only", "frames/*", adapter=("answers-twice",))
    assert ran.status == 1
    assert "CRASH  frames/opening/bad-tag" in ran.out
    assert 'answered another number than 2: {"type": "answer", "number": 1,' in ran.out


def test_a_crash_shows_how_it_ended_and_its_last_words_without_controls(run: Run) -> None:
    ran = run("--only", "opened", adapter=("crashes",))
    assert "the adapter ended with exit status 3" in ran.out
    assert "  | panic: index out of range\n    | \\x1b[2Jgoodbye\n" in ran.out
    assert "\x1b" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("is-killed", "the adapter ended with SIGKILL"),
        ("closes-stdout", "closed its standard output and went on running"),
        ("prints-debris", "said what is no JSON in UTF-8: DEBUG: \\x1b[31mopening"),
        ("is-not-utf-8", "said what is no JSON in UTF-8:"),
        ("ends-in-a-line", 'in the middle of a line: {"type": "ans'),
        ("forgets-the-rest", "the answer does not say what came of input.then"),
        ("changed-by-a-refusal", "did not go on as if nothing had come"),
        ("long-line", "said a line of more than 16777216 bytes: [[[["),
    ],
)
def test_what_went_wrong_is_said(run: Run, fault: str, said: str) -> None:
    ran = run("--only", "opened", "--only", "*bad-commit", adapter=(fault,))
    assert said in ran.out


def test_the_first_value_that_differs_is_shown_with_both(run: Run) -> None:
    ran = run("--only", "opened", adapter=("another-byte",))
    assert (
        "  accepted, as it must be, with something else\n"
        "  first difference: output.frame, at byte 3 of 5\n"
        "    expected  050403[02]01\n"
        "    answered  050403[ee]01\n"
        "  right on the way: length\n"
    ) in ran.out


def test_a_step_on_the_way_that_differs_comes_before_the_output(run: Run) -> None:
    ran = run("--only", "opened", adapter=("another-step",))
    assert "first difference: intermediate.length\n    expected  5\n    answered  99\n" in ran.out


def test_who_shows_no_steps_is_told_which_would_help(run: Run) -> None:
    ran = run("--only", "opened", adapter=("no-steps",))
    assert "  an answer with intermediate values (length) would show" in ran.out


def test_a_leak_comes_first(run: Run) -> None:
    ran = run("--expect", "/dev/null", adapter=("leaks-by-the-way",))
    assert ran.out.startswith("LEAK  frames/opening/bad-tag  DOOR-2 DOOR-10\n  About bad-tag.\n")
    assert "must be refused (NOT_AUTHENTIC), and 3 bytes were released" in ran.out


def test_the_command_that_is_shown_repeats_the_case(run: Run) -> None:
    ran = run(adapter=("another-byte",))
    (again,) = [line for line in ran.out.splitlines() if line.startswith("  again: ")]
    assert again.startswith(
        "  again: python -m e2ee.conformance run --only frames/opening/opened --vectors "
    )
    assert again.endswith("hostile_adapter.py another-byte")
