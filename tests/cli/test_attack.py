"""``e2ee attack`` lists attacks, runs them, and says by its exit status whether they were withstood."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner, Result

from e2ee.cli.commands import application
from e2ee.testing.hostile.catalogue import catalogue
from e2ee.testing.hostile.trial import Trial

QUICK = "lie-about-texts"


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(application(["attack"]), ["attack", *arguments])


def test_the_list_has_a_line_for_each_attack() -> None:
    listed = invoke("list")
    assert listed.exit_code == 0
    for each in catalogue().values():
        (line,) = [line for line in listed.stdout.splitlines() if line.split()[:1] == [each.id]]
        assert line.endswith(each.line)


def test_the_list_as_json() -> None:
    rows = json.loads(invoke("list", "--json").stdout)["attacks"]
    assert [row["id"] for row in rows] == list(catalogue())
    row = next(row for row in rows if row["id"] == "replay-frames")
    assert (row["by"], row["family"]) == ("network", "frames")
    assert "FRAME-9" in row["requirements"]


def test_the_page_of_the_specification_ends_with_a_table_by_requirement() -> None:
    page = invoke("list", "--markdown").stdout
    assert all(f"| `{name}` |" in page for name in catalogue())
    lines = page.split("## By requirement\n\n")[1].splitlines()
    assert lines[:2] == ["| requirement | attacks on it |", "|---|---|"]
    (row,) = [line for line in lines if line.startswith("| FRAME-9 |")]
    assert "`replay-frames`" in row
    requirements = [line.split("|")[1].strip() for line in lines[2:]]
    assert requirements.index("FRAME-9") < requirements.index("FRAME-10")


def test_the_page_answers_each_finding_in_a_row() -> None:
    page = invoke("list", "--markdown").stdout
    rows = page.split("## Findings in other systems, answered")[1].split("## By requirement")[0]
    (spoken,) = [line for line in rows.splitlines() if line.startswith("| 32 |")]
    assert spoken.endswith("`machine-in-the-middle`; CALL-14, VERIFY-3, VERIFY-5 |")
    (reports,) = [line for line in rows.splitlines() if line.startswith("| 7 |")]
    assert reports.endswith("| THREAT-10; due: abuse reports and signed lists |")


def test_the_findings_as_json() -> None:
    findings = json.loads(invoke("list", "--json").stdout)["findings"]
    assert [finding["number"] for finding in findings] == list(range(1, 44))
    assert findings[2]["due"] == "browser client"


def test_one_attack_is_told_in_full() -> None:
    ran = invoke("run", QUICK)
    assert ran.exit_code == 0
    assert ran.stdout.startswith("held    lie-about-texts")
    assert "by: other party; defeated by: CHAT-4, CHAT-5, CHAT-1" in ran.stdout
    assert "so: a reaction to a text that there is is shown" in ran.stdout
    assert ran.stdout.endswith("1 of 1 attacks withstood, 8 tries\n")


def test_several_as_json() -> None:
    ran = invoke("run", QUICK, "longer-headers", "--json")
    assert ran.exit_code == 0
    told = json.loads(ran.stdout)
    assert told["held"]
    assert [verdict["attack"] for verdict in told["verdicts"]] == [QUICK, "longer-headers"]
    assert told["verdicts"][0]["outcomes"]["NO_SUCH_TEXT"] == 4


def test_an_attack_that_succeeds_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    succeed = lambda trial: Trial.tried(trial, "the door", held=False)  # noqa: E731
    attack = catalogue()[QUICK]
    broken = type(attack)(
        **{name: getattr(attack, name) for name in attack.__slots__} | {"play": succeed}
    )
    monkeypatch.setattr("e2ee.cli.attack.catalogue", lambda: {QUICK: broken})
    ran = invoke("run", "--all")
    assert ran.exit_code == 1
    assert "BROKEN: the door: taken" in ran.stdout
    assert invoke("run", "--all", "--json").exit_code == 1


def test_without_their_defences_attacks_succeed() -> None:
    ran = invoke("run", QUICK, "--undefended")
    assert ran.exit_code == 0
    assert ran.stdout.startswith("broken  lie-about-texts")
    assert "1 of 1 attacks succeeded without their defence" in ran.stdout


@pytest.mark.parametrize("arguments", [[], [QUICK, "--all"], ["no-such-attack"]])
def test_what_cannot_be_run_is_said_in_a_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    ran = invoke("run", *arguments)
    assert ran.exit_code == 2
    assert ran.stdout == ""
