"""A service that lies about who somebody is: substituted keys, changed keys, other people's devices, lower suites."""

from __future__ import annotations

import pytest
from kyber_py.ml_kem import ML_KEM_768

from e2ee.call.errors import CallReason, CallUsageError
from e2ee.call.events import Ended, EndReason, IdentityChanged, Ringing
from e2ee.call.states import State
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.identity.errors import IdentityReason
from e2ee.identity.trust import ContactState
from e2ee.signalling import messages
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice

HYBRID = (0x0001, 0xF0E2)


def answer_for(calls: SimulatedCalls, asker: SimulatedDevice, answer: messages.FromService) -> None:
    """The service answers the asker's oldest request with whatever it likes."""
    calls.send()
    asker.outbox.popleft()
    calls.give(asker, answer)


def of(calls: SimulatedCalls, account_id: str, suite: int = 0x0001) -> tuple[bytes, ...]:
    """KeyPackages that the service holds of an account."""
    claimed = calls.ask(calls.devices[0].connection_id, messages.Claim(account_id, suite))
    assert isinstance(claimed, messages.KeyPackages)
    return claimed.key_packages


@pytest.fixture
def elsewhere() -> SimulatedCalls:
    """A second directory, with the same names and other keys, which the first service runs in secret."""
    return SimulatedCalls(SeededEntropy(b"elsewhere", ML_KEM_768._encaps_internal))


@pytest.mark.requirement("IDENT-9", "CALL-2")
def test_keys_that_the_directory_does_not_attest_are_not_called(
    calls: SimulatedCalls, elsewhere: SimulatedCalls
) -> None:
    alice = calls.device("alice")
    calls.device("bob")
    elsewhere.device("bob")
    placed = alice.core.place_call("bob", video=True)
    calls.send()
    calls.submit(alice)
    calls.deliver(alice)
    answer_for(calls, alice, messages.KeyPackages("bob", of(elsewhere, "bob")))
    assert placed.state is State.ENDED
    assert alice.last(Ended).reason is EndReason.UNREACHABLE
    assert IdentityReason.NOT_ATTESTED in alice.last(Ended).detail


@pytest.mark.requirement("THREAT-3", "IDENT-12", "CALL-14")
def test_a_machine_in_the_middle_shows_in_both_numbers(calls: SimulatedCalls) -> None:
    """The platform attests two false keys, shows each person the false other, and stands between them."""
    behind = SimulatedCalls(SeededEntropy(b"behind"), calls.identity)
    alice, false_bob = calls.device("alice"), calls.device("bob")
    false_alice, bob = behind.device("alice"), behind.device("bob")
    at_alice, _ = calls.go_live(alice, false_bob)
    _, at_bob = behind.go_live(false_alice, bob)
    assert (at_alice.account_id, at_bob.account_id) == ("bob", "alice")
    assert at_alice.call_code != at_bob.call_code
    assert at_alice.safety_number != at_bob.safety_number


@pytest.mark.requirement("IDENT-10")
def test_a_changed_callee_is_reported_and_called_only_after_a_person_accepted_it(
    calls: SimulatedCalls,
) -> None:
    alice, bob = calls.device("alice"), calls.device("bob")
    alice.core.trust.mark_verified("bob", bytes(32))  # the key that Alice compared is another
    placed = alice.core.place_call("bob", video=True)
    calls.settle()
    assert placed.state is State.ENDED
    changed = alice.last(IdentityChanged).certificate
    assert changed.account_key == bob.account.public
    assert alice.last(Ended).reason is EndReason.UNREACHABLE
    assert bob.told(Ringing) == []

    alice.core.trust.accept_change(changed, calls.now)
    again, _ = calls.go_live(alice, bob)
    assert again.state is State.LIVE


@pytest.mark.requirement("IDENT-10")
def test_a_changed_caller_is_shown_and_answered_only_after_a_person_accepted_it(
    calls: SimulatedCalls,
) -> None:
    alice, bob = calls.device("alice"), calls.device("bob")
    bob.core.trust.mark_verified("alice", bytes(32))
    alice.core.place_call("bob", video=True)
    calls.settle()
    ringing = bob.last(Ringing)
    assert ringing.contact is ContactState.CHANGED
    with pytest.raises(CallUsageError) as refused:
        bob.call.answer(calls.now)
    assert refused.value.reason is CallReason.IDENTITY_CHANGED

    bob.core.trust.accept_change(ringing.caller.certificate, calls.now)
    bob.call.answer(calls.now)
    calls.settle()
    assert bob.call.state is State.ACCEPTING


@pytest.mark.requirement("IDENT-8")
def test_the_first_call_pins_and_the_next_is_judged_by_the_pin(calls: SimulatedCalls) -> None:
    alice, bob = calls.device("alice"), calls.device("bob")
    placed, _ = calls.go_live(alice, bob)
    placed.hang_up(calls.now)
    calls.settle()
    for owner, other in ((alice, bob), (bob, alice)):
        trust = owner.core.trust
        trust.mark_verified(other.account.account_id, other.account.public)
        assert trust.judge(other.owner.certificate, calls.now) is ContactState.VERIFIED
    calls.go_live(bob, alice)
    assert alice.last(Ringing).contact is ContactState.VERIFIED


@pytest.mark.requirement("CALL-2")
def test_a_key_package_of_another_account_is_not_called(calls: SimulatedCalls) -> None:
    alice = calls.device("alice")
    calls.device("bob")
    mallory = calls.device("mallory")
    placed = alice.core.place_call("bob", video=True)
    calls.send()
    calls.submit(alice)
    calls.deliver(alice)
    both = (*of(calls, "mallory"), *of(calls, "bob"))
    answer_for(calls, alice, messages.KeyPackages("bob", both))
    calls.settle()
    assert placed.state is State.CALLING
    assert {member.account_id for member in placed.members} == {"alice", "bob"}
    assert mallory.told(Ringing) == []


@pytest.mark.requirement("CALL-2")
def test_with_only_somebody_elses_key_packages_nobody_is_called(calls: SimulatedCalls) -> None:
    alice = calls.device("alice")
    calls.device("bob")
    calls.device("mallory")
    alice.core.place_call("bob", video=True)
    calls.send()
    calls.submit(alice)
    calls.deliver(alice)
    answer_for(calls, alice, messages.KeyPackages("bob", of(calls, "mallory")))
    assert CallReason.WRONG_ACCOUNT in alice.last(Ended).detail


@pytest.mark.requirement("KEYS-2")
def test_a_service_that_hides_the_better_suite_gets_no_call(calls: SimulatedCalls) -> None:
    """It shows an older certificate of Bob's, and has his KeyPackages of the lower suite."""
    alice, bob = calls.device("alice", suites=HYBRID), calls.device("bob", suites=HYBRID)
    old = bob.account.certify(
        bob.owner.signing_key.public, device_id=1, now=calls.now, versions=(0x0100,), suites=(1,)
    )
    placed = alice.core.place_call("bob", video=True)
    answer_for(calls, alice, messages.Devices("bob", (old.encode(),)))
    calls.settle()
    assert placed.state is State.ENDED
    assert alice.last(Ended).reason is EndReason.UNREACHABLE
    assert "SUITE_TOO_LOW" in alice.last(Ended).detail


@pytest.mark.requirement("KEYS-2")
def test_a_device_that_has_only_the_lower_suite_decides_for_all(calls: SimulatedCalls) -> None:
    alice = calls.device("alice", suites=HYBRID)
    calls.device("bob", suites=HYBRID)
    calls.device("bob", device_id=2, suites=(0x0001,))
    placed = alice.core.place_call("bob", video=True)
    calls.settle()
    assert placed.state is State.CALLING
    assert placed.suite == 0x0001
