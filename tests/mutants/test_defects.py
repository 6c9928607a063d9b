"""The faults of other systems fit the code that they are planted into, and each has its source."""

from __future__ import annotations

import ast

import pytest

from tests.mutants.defects import DEFECTS, Defect
from tests.mutants.page import PAGE, rows, shown_on
from tests.mutants.running import cases


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_it_can_be_planted(defect: Defect) -> None:
    ast.parse(defect.text)
    assert defect.source
    assert defect.what


def test_the_guide_for_auditors_says_which_vector_shows_each() -> None:
    said = shown_on(PAGE.read_text())
    assert [*said] == [defect.name for defect in DEFECTS]
    assert rows(said) == [line for line in PAGE.read_text().splitlines() if line in rows(said)]
    names = {case.name for case in cases()}
    assert {name for name in said.values() if name} <= names


def test_names_are_unique() -> None:
    assert len({defect.name for defect in DEFECTS}) == len(DEFECTS) >= 30


def test_it_refuses_a_text_that_is_not_there() -> None:
    gone = Defect("gone", "", "", "e2ee.media.opener", "no such text", "")
    with pytest.raises(LookupError):
        gone.plant()
