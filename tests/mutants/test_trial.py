"""Faults that vectors show, and one that they do not: planted in a process that ends with them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.mutants.checks import checks
from tests.mutants.defects import DEFECTS
from tests.mutants.numbers import numbers
from tests.mutants.trial import Fault, Outcome, Trials

MODULES = (
    "e2ee.media.opener",
    "e2ee.media.limits",
    "e2ee.media.receive_epochs",
    "e2ee.sframe.header",
)


def named(faults: Iterable[Fault], name: str) -> Fault:
    return next(each for each in faults if each.name == name)


REPLAY = "e2ee.media.opener:FrameOpener.open: if not key.window.is_new(CTR)"
SPEAKER = "e2ee.media.opener:FrameOpener.open: if not key.may_speak"
HELD = "e2ee.media.limits:HELD_BYTES + 1"


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    of_opener = list(checks("e2ee.media.opener"))
    planted = (
        named(of_opener, REPLAY),
        named(of_opener, SPEAKER),
        named(numbers("e2ee.media.limits"), HELD),
        named(DEFECTS, "passthrough"),
        named(DEFECTS, "failure-tolerance"),
    )
    trials = Trials(MODULES, 2, ["frame-format/receiving"], tmp_path_factory.mktemp("remembered"))
    assert trials.failing == []
    return {each.fault: each for each in trials.outcomes(planted)}


@pytest.mark.parametrize("fault", [REPLAY, SPEAKER, "passthrough"])
def test_it_is_shown(outcomes: dict[str, Outcome], fault: str) -> None:
    assert outcomes[fault].is_shown, outcomes[fault]
    assert outcomes[fault].shown_by.startswith("frame-format/receiving/")


def test_bytes_that_come_out_are_a_leak(outcomes: dict[str, Outcome]) -> None:
    assert outcomes[REPLAY].verdict == "LEAK"


def test_what_no_case_shows_survives(outcomes: dict[str, Outcome]) -> None:
    assert not outcomes[HELD].is_shown
    assert outcomes[HELD].shown_by == ""


def test_nothing_of_it_stays(outcomes: dict[str, Outcome], tmp_path: Path) -> None:
    trials = Trials(MODULES, 1, ["frame-format/receiving"], tmp_path)
    assert outcomes
    assert trials.failing == []
