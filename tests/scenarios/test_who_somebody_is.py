"""A service that lies about who somebody is: substituted keys, changed keys, other people's devices, lower suites."""

from __future__ import annotations

import pytest
from kyber_py.ml_kem import ML_KEM_768

from e2ee.call.errors import CallReason, CallUsageError
from e2ee.call.events import Ended, EndReason, EpochChanged, IdentityChanged, Ringing
from e2ee.call.states import State
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.identity.device_certificate import verify_certificate
from e2ee.identity.errors import IdentityReason, TrustError
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
    placed = alice.core.place_call("bob", calls.now)
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
    placed = alice.core.place_call("bob", calls.now)
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
    alice.core.place_call("bob", calls.now)
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
def test_the_first_call_pins_at_both_sides(calls: SimulatedCalls) -> None:
    """Afterwards each knows the other without the directory's word, which has run out by then."""
    alice, bob = calls.device("alice"), calls.device("bob")
    much_later = calls.now + 60 * 24 * 3600 * 1000
    both = ((alice, bob), (bob, alice))
    for one, other in both:
        with pytest.raises(TrustError):
            one.core.trust.judge(other.owner.certificate, much_later)
    alice.core.place_call("bob", calls.now)
    calls.settle()
    for one, other in both:
        contact = one.core.trust.judge(other.owner.certificate, much_later)
        assert contact is ContactState.UNVERIFIED


@pytest.mark.requirement("IDENT-8")
def test_a_compared_number_shows_at_the_next_call(calls: SimulatedCalls) -> None:
    alice, bob = calls.device("alice"), calls.device("bob")
    alice.core.trust.mark_verified("bob", bob.account.public)
    calls.go_live(bob, alice)
    assert alice.last(Ringing).contact is ContactState.VERIFIED


@pytest.mark.requirement("CALL-2")
def test_a_key_package_of_another_account_is_not_called(calls: SimulatedCalls) -> None:
    alice = calls.device("alice")
    calls.device("bob")
    mallory = calls.device("mallory")
    placed = alice.core.place_call("bob", calls.now)
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
    alice.core.place_call("bob", calls.now)
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
    placed = alice.core.place_call("bob", calls.now)
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
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    assert placed.state is State.CALLING
    assert placed.suite == 0x0001


@pytest.mark.requirement("KEYS-14")
def test_what_only_one_side_knows_does_not_split_the_group(calls: SimulatedCalls) -> None:
    """Bob comes to think that Alice is somebody else, and revoked; her commit is applied and shown nevertheless."""
    alice, bob = calls.device("alice"), calls.device("bob")
    placed, answered = calls.go_live(alice, bob)
    bob.core.trust.mark_verified("alice", bytes(32))
    raised = alice.account.certify(
        bytes(32), device_id=9, now=calls.now, versions=(0x0100,), suites=(1,), generation=7
    )
    bob.core.trust.observe([verify_certificate(raised.encode(), bytes(32))], calls.now)
    calls.advance(600_000)
    assert placed.epoch == answered.epoch == 3
    assert bob.last(EpochChanged).committer.account_id == "alice"
    assert placed.call_code == answered.call_code


@pytest.mark.requirement("IDENT-6", "KEYS-14")
def test_certificates_and_key_packages_that_expire_in_the_call_end_nothing(
    calls: SimulatedCalls,
) -> None:
    alice, bob = calls.device("alice"), calls.device("bob")
    placed, answered = calls.go_live(alice, bob)
    calls.now += 40 * 24 * 3600 * 1000
    for device in (
        alice,
        bob,
    ):  # the service forgets a call that is silent so long; the log is brought by hand
        device.call._actions.send_commit(None, calls.now)
        calls.send()
        commit = device.outbox.pop()
        assert isinstance(commit, messages.Commit)
        for member in (alice, bob):
            entry = messages.Committed(placed.call_id, commit.commit)
            assert calls.give(member, entry) is None
        alice.outbox.clear()
        bob.outbox.clear()
    assert placed.epoch == answered.epoch == 4
    assert placed.call_code == answered.call_code
    assert len(placed.members) == 2
