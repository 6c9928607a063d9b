"""Every attack on simulated time is withstood, and succeeds as soon as its defence is switched off."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from e2ee.shipped import shipped
from e2ee.testing import hostile
from e2ee.testing.hostile.attack import Adversary, attack
from e2ee.testing.hostile.catalogue import FAMILIES, catalogue
from e2ee.testing.hostile.defences import nothing, replaced
from e2ee.testing.hostile.run import run
from e2ee.testing.hostile.trial import Trial

if TYPE_CHECKING:
    from tests.hostile.conftest import Played

ATTACKS = catalogue()


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_withstood(name: str, played: Callable[[str], Played]) -> None:
    verdict = played(name).verdict
    assert verdict.broken == ()
    assert verdict.held


@pytest.mark.parametrize("name", ATTACKS)
def test_without_its_defence_it_succeeds(name: str) -> None:
    """And says how, in words of its own: an exception that the switch itself caused would show nothing."""
    verdict = run(ATTACKS[name], undefended=True)
    assert not verdict.held
    assert verdict.broken
    assert not [line for line in verdict.broken if line.startswith("raised")]


def test_what_was_switched_off_is_on_again() -> None:
    for each in ATTACKS.values():
        with each.without():
            pass
    for name in ("flip-every-bit", "change-messages", "swap-key-packages", "lie-about-texts"):
        assert run(ATTACKS[name]).held


def test_each_attack_names_requirements_that_there_are() -> None:
    entries = json.loads((shipped("spec") / "requirements.json").read_text())["requirements"]
    chapters = "".join(path.read_text() for path in shipped("spec").glob("*.md"))
    known = {entry["id"] for entry in entries} | set(re.findall(r"\*\*([A-Z]+-\d+)\*\*", chapters))
    for each in ATTACKS.values():
        assert each.counters, each.id
        assert set(each.counters) <= known, each.id


def test_each_attack_is_described_in_a_line_and_has_its_family() -> None:
    for each in ATTACKS.values():
        assert len(each.line) <= 110, each.id
        assert each.line.endswith("."), each.id
        assert each.family in FAMILIES


def test_a_run_repeats_itself() -> None:
    for name in ("replay-messages", "junk-by-the-thousand", "shuffle-messages"):
        one, two = (run(ATTACKS[name]) for _ in range(2))
        assert (one.outcomes, one.log) == (two.outcomes, two.log)


class _Door:
    open = False


def test_an_attack_that_tries_nothing_has_not_been_withstood(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("e2ee.testing.hostile.attack._ATTACKS", {})
    enter = attack(by=Adversary.NETWORK, counters=("FRAME-1",), without=replaced(_Door, open=True))

    def look_away(_: Trial) -> None:
        """Does nothing."""

    enter(look_away)
    from e2ee.testing.hostile.attack import attacks  # noqa: PLC0415 - the table that was replaced

    verdict = run(attacks()["look-away"])
    assert (verdict.held, verdict.broken, verdict.tried) == (False, (), 0)


def test_what_nobody_foresaw_is_a_broken_defence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("e2ee.testing.hostile.attack._ATTACKS", {})
    enter = attack(by=Adversary.NETWORK, counters=("FRAME-1",), without=replaced(_Door, open=True))

    def crash(trial: Trial) -> None:
        """Finds a traceback."""
        trial.tried("a try", held=True)
        raise KeyError("from inside")

    enter(crash)
    with pytest.raises(ValueError, match="twice"):
        enter(crash)
    from e2ee.testing.hostile.attack import attacks  # noqa: PLC0415 - the table that was replaced

    verdict = run(attacks()["crash"])
    assert not verdict.held
    assert verdict.broken == ("raised KeyError: 'from inside'",)


def test_a_defence_that_is_not_there_cannot_be_switched_off() -> None:
    with pytest.raises(AttributeError), replaced(_Door, shut=nothing)():
        pass
    with replaced(_Door, open=True)():
        assert _Door.open
    assert not _Door.open


def test_of_many_failures_the_first_are_told_and_the_others_counted() -> None:
    trial = Trial()
    for number in range(50):
        trial.tried(f"try {number}", held=False)
    verdict = trial.verdict("an attack", 0)
    assert len(verdict.broken) == 21
    assert verdict.broken[-1] == "and 30 more"
    assert verdict.result == "broken"


def test_attacks_need_no_test_library() -> None:
    """Who installs the package can run them."""
    for path in Path(hostile.__file__).parent.glob("*.py"):
        imports = re.findall(r"^(?:from|import) (\w+)", path.read_text(), re.MULTILINE)
        assert not {"hypothesis", "pytest", "tests"} & set(imports), path.name
