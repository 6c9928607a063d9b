"""Who calls is known only after an invitation was opened and verified; then people decide, and who may not ring learns nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from e2ee.call.configuration import OFFER_TOLERANCE
from e2ee.call.errors import CallReason
from e2ee.call.events import Ended, EndReason, Event, Ringing, RingsThere
from e2ee.call.states import State
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.identity.errors import IdentityReason
from e2ee.testing.mls_members import snapshot
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice


@dataclass
class Settings:
    """Whom an application lets ring, and whom it was asked about."""

    may_ring: bool = True
    asked: list[str] = field(default_factory=list)

    def __call__(self, certificate: VerifiedCertificate) -> bool:
        self.asked.append(certificate.account_id)
        return self.may_ring


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def alice(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("alice")


@pytest.fixture
def bob(calls: SimulatedCalls, settings: Settings) -> SimulatedDevice:
    return calls.device("bob", may_ring=settings)


def told_of_calls(device: SimulatedDevice) -> list[Event]:
    return [*device.told(Ringing), *device.told(Ended)]


@pytest.mark.requirement("CALL-22")
def test_the_application_is_asked_about_who_calls(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, settings: Settings
) -> None:
    alice.core.place_call("bob", calls.now)
    calls.settle()
    assert settings.asked == ["alice"]
    assert bob.call.state is State.RINGING


@pytest.mark.requirement("CALL-5", "CALL-22")
@pytest.mark.parametrize("blocked", [False, True])
def test_who_may_not_ring_is_answered_nothing_at_all(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    settings: Settings,
    blocked: bool,
) -> None:
    if blocked:
        bob.core.trust.block("alice")
    else:
        settings.may_ring = False
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    assert [error.reason for error in bob.refused] == [CallReason.MAY_NOT_RING]
    assert told_of_calls(bob) == []
    assert bob.core.calls == {}
    assert alice.told(RingsThere) == []
    assert placed.state is State.CALLING  # as if nobody were there
    calls.advance(60_000)
    assert alice.last(Ended).reason is EndReason.TIMEOUT
    assert told_of_calls(bob) == []


@pytest.mark.requirement("CALL-22")
def test_the_application_is_not_asked_about_who_is_blocked(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, settings: Settings
) -> None:
    bob.core.trust.block("alice")
    alice.core.place_call("bob", calls.now)
    calls.settle()
    assert settings.asked == []
    bob.core.trust.unblock("alice")
    alice.call.hang_up(calls.now)
    alice.core.place_call("bob", calls.now)
    calls.settle()
    assert settings.asked == ["alice"]
    assert bob.call.state is State.RINGING


@pytest.mark.requirement("CALL-5", "CALL-22")
def test_who_may_not_ring_leaves_no_trace(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, settings: Settings
) -> None:
    """Neither is an account pinned that nobody wanted to hear of, nor the KeyPackage dropped."""
    settings.may_ring = False
    invited = calls.intercept_invitation(alice, bob)
    before = snapshot(bob.core)
    assert calls.give(bob, invited) is not None
    settings.asked.clear()
    assert snapshot(bob.core) == before
    assert list(bob.outbox) == []


@pytest.mark.requirement("CALL-22")
@pytest.mark.parametrize("part", ["welcome", "offer"])
def test_the_application_is_not_asked_about_who_is_not_verified(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    settings: Settings,
    part: str,
) -> None:
    invited = calls.intercept_invitation(alice, bob)
    encoded = bytearray(getattr(invited, part))
    encoded[-1] ^= 1
    changed: dict[str, Any] = {part: bytes(encoded)}
    assert calls.give(bob, replace(invited, **changed)) is not None
    calls.now += OFFER_TOLERANCE + 1
    assert calls.give(bob, invited) is not None  # true, and too old
    assert settings.asked == []


@pytest.mark.requirement("CALL-22", "IDENT-9")
def test_nor_about_who_is_not_attested(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, settings: Settings
) -> None:
    bob.owner.trust._directory_keys = replace(bob.owner.trust._directory_keys, keys={})
    alice.core.place_call("bob", calls.now)
    calls.settle()
    assert [error.reason for error in bob.refused] == [IdentityReason.NOT_ATTESTED]
    assert settings.asked == []


@pytest.mark.requirement("CALL-18", "CALL-22")
def test_who_may_not_ring_does_not_learn_that_somebody_is_busy(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, settings: Settings
) -> None:
    calls.go_live(calls.device("carol"), bob)
    bob.core.trust.block("alice")
    alice.core.place_call("bob", calls.now)
    calls.settle()
    assert alice.call.state is State.CALLING
    assert alice.told(Ended) == []
