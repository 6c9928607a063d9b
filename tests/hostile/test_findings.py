"""Every finding in another system is answered: by attacks that there are, by sentences that there are, or by what is due."""

from __future__ import annotations

import pytest

from e2ee.conformance.requirements import Specification
from e2ee.shipped import shipped
from e2ee.testing.hostile.catalogue import catalogue
from e2ee.testing.hostile.findings import FINDINGS, Due, Finding

EXECUTABLE = {4, 5, 9, *range(11, 17), *range(21, 24), *range(26, 31), 32, 37, 41}
"""What a call of two made it possible to try."""

IN_A_GROUP = {1, 2, 8, 17, 20, 25, 31, 33, 35, 36, 38, 39, 42}
"""What group calls, and a forwarding unit, added to that."""


def _name(finding: Finding) -> str:
    return str(finding.number)


def test_all_43_are_there_in_their_order() -> None:
    assert [finding.number for finding in FINDINGS] == list(range(1, 44))


@pytest.mark.parametrize("finding", FINDINGS, ids=_name)
def test_a_finding_is_told_in_sentences_and_answered(finding: Finding) -> None:
    for text in (finding.what, finding.answer):
        assert text[0].isupper()
        assert text.endswith(".")
        assert "|" not in text
    assert finding.source
    assert finding.attacks or finding.due or finding.limits


@pytest.mark.parametrize("finding", FINDINGS, ids=_name)
def test_what_it_names_exists(finding: Finding) -> None:
    assert set(finding.attacks) <= set(catalogue())
    assert set(finding.limits) <= set(Specification(shipped("spec")).requirements)
    assert finding.due in (None, *Due)


def test_what_can_be_tried_is_tried() -> None:
    tried = {finding.number for finding in FINDINGS if finding.attacks}
    assert EXECUTABLE <= tried
    assert IN_A_GROUP <= tried


def test_each_has_a_sentence_that_rules_it_out_or_says_how_far_it_goes() -> None:
    requirements = Specification(shipped("spec")).requirements
    for finding in FINDINGS:
        assert finding.limits, finding.number
        assert not any(requirements[id_].withdrawn for id_ in finding.limits)
