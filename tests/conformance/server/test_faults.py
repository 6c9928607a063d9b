"""A service that breaks a rule is found out by the check of that rule. (Ours, which breaks none, passes: test_own_service.)"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from e2ee.conformance.verdict import Verdict
from e2ee.delivery import accounts, void_entries
from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.identity.errors import ProofError
from e2ee.identity.login import verify_register
from e2ee.server import frames, websocket
from e2ee.signalling import wire
from e2ee.signalling.messages import SERVICE, Refused
from e2ee.testing.hostile.defences import replaced
from tests.conformance.server.conftest import named, outcomes
from tests.conformance.server.faulty import FAULTS

MATTERS = "refuses for a reason of its own"

PATIENCE = 3.0
"""Seconds for an answer that a faulty service may never give."""


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found(fault: str) -> None:
    with FAULTS[fault].without():
        (outcome,) = outcomes(named(FAULTS[fault].check), PATIENCE)
    assert outcome.verdict is Verdict.FAIL, outcome.judgement


@pytest.mark.requirement("CONF-23", "DS-28")
def test_a_reason_by_which_devices_act_is_no_other() -> None:
    """Of the others it is told, and the service conforms."""
    with FAULTS[MATTERS].without():
        (outcome,) = outcomes(named(FAULTS[MATTERS].check), PATIENCE)
    assert (outcome.verdict, outcome.judgement.why) == (
        Verdict.FAIL,
        "commit was refused with COMMIT_VOIDED, not with TOO_SOON",
    )
    with replaced(accounts, verify_register=_refused_in_other_words)():
        (outcome,) = outcomes(named("registration/a-key-whose-holder-did-not-ask"), PATIENCE)
    assert (outcome.verdict, outcome.judgement.why) == (
        Verdict.PASS_OTHER_REASON,
        "refused with NOT_AUTHENTICATED in place of BAD_REGISTER_SIGNATURE",
    )


@pytest.mark.requirement("DS-28")
def test_a_service_has_reasons_of_its_own_where_no_sentence_names_one() -> None:
    """A report of an epoch that no commit has ended: too late, or too early, or of another epoch."""
    reasons = SimpleNamespace(**DeliveryReason.__members__)
    reasons.WRONG_EPOCH = DeliveryReason.TOO_LATE
    with replaced(void_entries, DeliveryReason=reasons)():
        (outcome,) = outcomes(named("void-entries/whose-word-does-not-count"))
    assert outcome.verdict is Verdict.PASS, outcome.judgement


@pytest.mark.parametrize(
    "check",
    ["login/a-newer-login-takes-the-place", "renewal/the-generation-is-raised"],
)
def test_a_service_may_hang_up_on_whom_it_has_logged_out(check: str) -> None:
    """DS-1 and DS-7 say that a session is over, and what is said, and not that the connection stays."""
    with replaced(websocket, write=_write_and_hang_up)():
        (outcome,) = outcomes(named(check))
    assert outcome.verdict is Verdict.PASS, outcome.judgement


async def _write_and_hang_up(socket: Any, outbox: Any) -> None:
    while True:
        data = await outbox.get()
        await socket.send_bytes(data)
        message = wire.decode(SERVICE, data)
        if isinstance(message, Refused) and message.reason in ("SUPERSEDED", "REVOKED"):
            raise frames.Close(message.reason)


def _refused_in_other_words(*signed: Any) -> None:
    try:
        verify_register(*signed)
    except ProofError:
        raise DeliveryError(DeliveryReason.NOT_AUTHENTICATED) from None
