"""A service that breaks a rule is found out by the check of that rule. (Ours, which breaks none, passes: test_own_service.)"""

from __future__ import annotations

import pytest

from e2ee.conformance.verdict import Verdict
from tests.conformance.server.conftest import named, outcomes
from tests.conformance.server.faulty import FAULTS

PATIENCE = 3.0
"""Seconds for an answer that a faulty service may never give."""


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found(fault: str) -> None:
    with FAULTS[fault].without():
        (outcome,) = outcomes(named(FAULTS[fault].check), PATIENCE)
    assert outcome.verdict is Verdict.FAIL, outcome.judgement
