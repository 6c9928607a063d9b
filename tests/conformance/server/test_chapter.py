"""What the chapter on conformance says of delivery services is true: its examples are run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2ee.conformance.server import checks
from e2ee.conformance.server.command import main
from e2ee.shipped import shipped
from tests.conformance.server.conftest import named, outcomes
from tests.conformance.server.faulty import FAULTS
from tests.conformance.server.served import Served

SECTION = (shipped("spec") / "conformance.md").read_text().split("## Delivery services\n")[1]
EXAMPLES = re.findall(r"(?:^    .*\n|^\n(?=    ))+", SECTION, re.MULTILINE)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    served.end()


def lines(example: str) -> list[str]:
    return [line[4:] for line in example.strip("\n").splitlines()]


def test_a_run_is_as_the_chapter_shows_it(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    serve, command, *printed = lines(EXAMPLES[0])
    assert serve.startswith("$ e2ee serve")
    url = served.start()
    chosen = shlex.split(command.removeprefix("$ e2ee conformance server "))[1:]
    assert main([url, *chosen]) == 0
    said = capsys.readouterr().out.replace(url, "ws://127.0.0.1:8443/v1").splitlines()
    assert said == printed


def test_a_failure_is_as_the_chapter_shows_it() -> None:
    head, comment, why, _ = lines(EXAMPLES[1])
    verdict, name, *requirements = head.split()
    (check,) = named(name)
    assert (check.case.comment, list(check.case.requirements)) == (comment.strip(), requirements)
    with FAULTS["a nonce is good for ever"].without():
        (outcome,) = outcomes([check], 3.0)
    assert (outcome.verdict.value, outcome.judgement.why) == (verdict, why.strip())


def test_every_check_says_what_it_shows_and_of_which_requirement() -> None:
    """Each a sentence, and each under a name of its own."""
    cases = [each.case for each in checks.registered()]
    assert all(case.comment.endswith(".") and case.requirements for case in cases)
    assert len({case.name for case in cases}) == len(cases)


def test_the_reference_has_more_to_say_about_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "--all", "--only", "login/a-nonce-a-second-time"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.split() == ["login/a-nonce-a-second-time", "IDENT-14"]
    assert second.strip() == named("login/a-nonce-a-second-time")[0].case.comment
