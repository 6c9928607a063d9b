"""A delivery service keeps an invitation back, repeats it, or hands it to others: it rings once, in time, or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from e2ee.call.configuration import OFFER_TOLERANCE
from e2ee.call.errors import CallReason
from e2ee.call.events import Ended, Ringing
from e2ee.errors import RemoteProtocolError
from e2ee.testing.mls_members import snapshot
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice


@pytest.fixture
def alice(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("alice")


@pytest.fixture
def bob(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("bob")


@pytest.mark.requirement("CALL-3", "CALL-5")
@pytest.mark.parametrize(
    ("later", "reason"),
    [
        (OFFER_TOLERANCE, None),
        (OFFER_TOLERANCE + 1, CallReason.OFFER_TOO_OLD),
        (-OFFER_TOLERANCE, None),
        (-OFFER_TOLERANCE - 1, CallReason.OFFER_FROM_THE_FUTURE),
    ],
)
def test_it_rings_if_it_is_at_most_ninety_seconds_old_or_ahead(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    later: int,
    reason: CallReason | None,
) -> None:
    invited = calls.intercept_invitation(alice, bob)
    calls.now += later
    refused = calls.give(bob, invited)
    if reason is None:
        assert refused is None
        assert len(bob.told(Ringing)) == 1
    else:
        assert refused is not None
        assert refused.reason is reason
        assert (bob.told(Ringing), list(bob.outbox), dict(bob.core.calls)) == ([], [], {})


@pytest.mark.requirement("CALL-3")
def test_it_rings_once(calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice) -> None:
    invited = calls.intercept_invitation(alice, bob)
    assert calls.give(bob, invited) is None
    again = calls.give(bob, invited)
    assert again is not None
    assert again.reason is CallReason.CALL_ALREADY_SEEN
    bob.call.hang_up(calls.now)
    calls.send()
    assert bob.core.calls == {}
    after_the_end = calls.give(bob, invited)
    assert after_the_end is not None
    assert after_the_end.reason is CallReason.CALL_ALREADY_SEEN
    assert len(bob.told(Ringing)) == len(bob.told(Ended)) == 1


@pytest.mark.requirement("CALL-3")
def test_nobody_is_called_back_into_an_own_call(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    invited = calls.intercept_invitation(alice, bob)
    mine = calls.give(alice, invited)
    assert mine is not None
    assert mine.reason is CallReason.CALL_ALREADY_SEEN


@pytest.mark.requirement("CALL-5")
def test_somebody_elses_invitation_is_refused(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    carol = calls.device("carol")
    before = snapshot(carol.core)
    refused = calls.give(carol, calls.intercept_invitation(alice, bob))
    assert refused is not None
    assert refused.reason is CallReason.NO_SUCH_KEY_PACKAGE
    assert snapshot(carol.core) == before


@pytest.mark.requirement("CALL-5", "CALL-15")
@pytest.mark.parametrize("part", ["welcome", "offer"])
def test_a_changed_invitation_is_refused_and_leaves_no_trace(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, part: str
) -> None:
    invited = calls.intercept_invitation(alice, bob)
    encoded = bytearray(getattr(invited, part))
    before = snapshot(bob.core)
    for position in range(0, len(encoded), 37):
        encoded[position] ^= 1
        changed: dict[str, Any] = {part: bytes(encoded)}
        refused = calls.give(bob, replace(invited, **changed))
        encoded[position] ^= 1
        assert isinstance(refused, RemoteProtocolError), position
    assert snapshot(bob.core) == before
    assert list(bob.outbox) == []
    assert calls.give(bob, invited) is None
