"""Whom a committer adds, and whom it does not, whatever the service passes on (GROUP-9)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from e2ee.call.group.configuration import MAX_REQUESTS
from e2ee.call.group.errors import GroupReason
from e2ee.call.group.link import GroupLink
from e2ee.crypto.signature import ED25519
from e2ee.errors import Reason
from e2ee.identity.device_certificate import Attestation, verify_certificate
from e2ee.identity.errors import IdentityReason
from e2ee.mls.errors import Rule
from e2ee.mls.key_package import LAST_RESORT
from e2ee.mls.message import MLSMessage
from e2ee.profile.call_profile import JoinPolicy
from e2ee.profile.errors import ProfileReason
from e2ee.profile.join import join_extension
from e2ee.signalling import messages
from e2ee.testing.mls_members import snapshot
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice
from tests.call.group.conftest import HandmadeRequest
from tests.scenarios.meeting import COMMIT_PAUSE, Meeting

Requests = type[HandmadeRequest]


def refused(
    calls: SimulatedCalls,
    device: SimulatedDevice,
    meeting: Meeting,
    request: messages.JoinRequested,
) -> Reason:
    """Why a member does not even keep a request."""
    before = snapshot(meeting.at(device)._actions.waiting)
    error = calls.give(device, request)
    assert error is not None
    assert snapshot(meeting.at(device)._actions.waiting) == before
    assert device.sending(messages.Commit) == []
    return error.reason


@pytest.mark.requirement("GROUP-9")
def test_an_honest_request_is_committed(
    calls: SimulatedCalls,
    meeting: Meeting,
    alice: SimulatedDevice,
    carol: SimulatedDevice,
    request_of: Requests,
) -> None:
    request = request_of(carol, meeting.link, calls.now).requested()
    assert calls.give(alice, request) is None
    assert len(alice.sending(messages.Commit)) == 1


@pytest.mark.requirement("GROUP-9")
@pytest.mark.parametrize(
    ("age", "reason"),
    [
        (60_000, None),
        (60_001, GroupReason.JOIN_TOO_OLD),
        (-60_000, None),
        (-60_001, GroupReason.JOIN_FROM_THE_FUTURE),
    ],
)
def test_a_request_is_a_minute_old_at_most(
    calls: SimulatedCalls,
    meeting: Meeting,
    alice: SimulatedDevice,
    carol: SimulatedDevice,
    request_of: Requests,
    age: int,
    reason: GroupReason | None,
) -> None:
    request = request_of(carol, meeting.link, calls.now - age).requested()
    if reason is None:
        assert calls.give(alice, request) is None
    else:
        assert refused(calls, alice, meeting, request) is reason


@pytest.mark.requirement("GROUP-9")
def test_a_request_that_grew_old_while_it_waited_is_committed_by_nobody(
    calls: SimulatedCalls,
    meeting: Meeting,
    bob: SimulatedDevice,
    carol: SimulatedDevice,
    request_of: Requests,
) -> None:
    calls.give(bob, request_of(carol, meeting.link, calls.now - 50_000).requested(rank=7))
    calls.now += 10_501
    bob.core.handle_timer(calls.now)
    calls.send()
    assert bob.sending(messages.Commit) == []
    assert bob.core.get_timer() != calls.now


@pytest.mark.requirement("GROUP-9")
@pytest.mark.parametrize("proof", [bytes(32), b""])
def test_who_has_not_the_link_is_not_added(
    calls: SimulatedCalls,
    meeting: Meeting,
    alice: SimulatedDevice,
    carol: SimulatedDevice,
    request_of: Requests,
    proof: bytes,
) -> None:
    request = request_of(carol, meeting.link, calls.now, proof=proof).requested()
    due = GroupReason.WRONG_LINK_PROOF if proof else ProfileReason.BAD_JOIN
    assert refused(calls, alice, meeting, request) is due


@pytest.mark.requirement("GROUP-9")
def test_a_proof_that_another_device_was_given_is_no_proof(
    calls: SimulatedCalls,
    meeting: Meeting,
    alice: SimulatedDevice,
    carol: SimulatedDevice,
    request_of: Requests,
) -> None:
    """Mallory sees Carol's request, and takes its proof for a KeyPackage of his own."""
    carols = request_of(carol, meeting.link, calls.now).bundle().key_package
    proof = meeting.link.proof(carols.init_key, carols.leaf_node.signature_key)
    mallory = calls.device("mallory")
    request = request_of(mallory, meeting.link, calls.now, proof=proof).requested()
    assert refused(calls, alice, meeting, request) is GroupReason.WRONG_LINK_PROOF


@pytest.mark.requirement("GROUP-9", "GROUP-10")
def test_who_may_not_come_is_not_added(
    calls: SimulatedCalls,
    meeting: Meeting,
    alice: SimulatedDevice,
    carol: SimulatedDevice,
    request_of: Requests,
) -> None:
    """Whatever the service thinks of that: first Dave is banned, then nobody else is let in."""
    dave = calls.device("dave")
    meeting.join(dave)
    calls.advance(COMMIT_PAUSE)
    meeting.at(alice).ban(meeting.leaf(dave), calls.now)
    meeting.pause()
    request = request_of(dave, meeting.link, calls.now).requested()
    assert refused(calls, alice, meeting, request) is GroupReason.BANNED
    meeting.at(alice).set_join_policy(JoinPolicy.CLOSED, calls.now)
    meeting.pause()
    request = request_of(carol, meeting.link, calls.now, proof=b"").requested()
    assert refused(calls, alice, meeting, request) is GroupReason.NOT_ADMITTED


@pytest.mark.requirement("GROUP-9", "KEYS-21")
def test_a_key_package_that_was_made_for_something_else_is_not_added(
    calls: SimulatedCalls,
    meeting: Meeting,
    alice: SimulatedDevice,
    carol: SimulatedDevice,
    request_of: Requests,
) -> None:
    elsewhere = GroupLink.create(carol.owner.entropy, bytes(16))
    for request, reason in (
        (request_of(carol, meeting.link, calls.now, call_id=bytes(16)), ProfileReason.BAD_JOIN),
        (request_of(carol, meeting.link, calls.now, extensions=()), ProfileReason.JOIN_MISSING),
        (request_of(carol, elsewhere, calls.now), ProfileReason.BAD_JOIN),
        (
            request_of(
                carol,
                meeting.link,
                calls.now,
                extensions=(LAST_RESORT, join_extension(meeting.call_id, calls.now, bytes(32))),
            ),
            ProfileReason.BAD_JOIN,
        ),
    ):
        passed_on = replace(request.requested(), call_id=meeting.call_id)
        assert refused(calls, alice, meeting, passed_on) is reason


@pytest.mark.requirement("GROUP-9")
def test_a_key_package_of_another_suite_is_not_added(
    calls: SimulatedCalls, meeting: Meeting, alice: SimulatedDevice
) -> None:
    carol = calls.device("carol", suites=(0x0001, 0xF0E2))
    bundle = carol.owner.new_join_key_package(0xF0E2, meeting.link, calls.now)
    encoded = MLSMessage.of(bundle.key_package).encode()
    request = messages.JoinRequested(meeting.call_id, encoded, 0, lobby=False)
    assert refused(calls, alice, meeting, request) is Rule.KEY_PACKAGE_CIPHER_SUITE


@pytest.mark.requirement("GROUP-9", "IDENT-4")
def test_an_account_that_nobody_attests_is_not_added(
    calls: SimulatedCalls,
    meeting: Meeting,
    alice: SimulatedDevice,
    carol: SimulatedDevice,
    request_of: Requests,
) -> None:
    """Not even one that is pinned here."""
    carol.core.trust.accept(carol.owner.certificate, calls.now)
    alice.core.trust.accept(carol.owner.certificate, calls.now)
    unattested = carol.account.certify(
        carol.owner.signing_key.public,
        device_id=1,
        now=calls.now,
        versions=carol.owner.certificate.versions,
        suites=carol.owner.certificate.suites,
        attestation=Attestation(1, calls.now // 1000 + 60, bytes(64)),
    )
    certificate = verify_certificate(unattested.encode(), carol.owner.signing_key.public)
    carol.owner = replace(carol.owner, certificate=certificate)
    request = request_of(carol, meeting.link, calls.now).requested()
    assert refused(calls, alice, meeting, request) is GroupReason.NOT_ATTESTED


@pytest.mark.requirement("GROUP-9", "IDENT-7")
def test_a_revoked_device_is_not_added(
    calls: SimulatedCalls,
    meeting: Meeting,
    alice: SimulatedDevice,
    carol: SimulatedDevice,
    request_of: Requests,
) -> None:
    signing_key = ED25519.generate(calls._entropy.fork(b"a newer device"))
    connection_id = calls.connect()
    newer = calls.certify(calls.account("carol"), signing_key, 2, (0x0001,), connection_id)
    statement = carol.account.certify(
        signing_key.public,
        device_id=2,
        now=calls.now,
        versions=newer.versions,
        suites=newer.suites,
        generation=1,
        attestation=newer.certificate.attestation,
    )
    alice.core.trust.observe(
        [verify_certificate(statement.encode(), signing_key.public)], calls.now
    )
    request = request_of(carol, meeting.link, calls.now).requested()
    assert refused(calls, alice, meeting, request) is IdentityReason.REVOKED


@pytest.mark.requirement("GROUP-9")
def test_a_key_package_that_was_added_is_not_added_again(
    calls: SimulatedCalls,
    meeting: Meeting,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    carol: SimulatedDevice,
) -> None:
    """The service passes it on once more: it would put Carol's leaf out, and she could not open the Welcome."""
    meeting.ask(carol)
    calls.submit_all(carol)
    (requested,) = alice.waiting(messages.JoinRequested)
    calls.settle()
    calls.advance(COMMIT_PAUSE)
    meeting.agree(alice, bob, carol)
    for device in (alice, bob):
        assert refused(calls, device, meeting, requested) is GroupReason.JOIN_ALREADY_USED


@pytest.mark.requirement("IDENT-11")
def test_a_request_that_does_not_go_with_the_members_is_dropped(
    calls: SimulatedCalls,
    meeting: Meeting,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    request_of: Requests,
) -> None:
    """Another account that calls itself Bob, as a directory may say; and a second device with Alice's number."""
    other = SimulatedCalls(calls._entropy.fork(b"elsewhere"), calls.identity)
    another_bob = other.device("bob", device_id=3)
    request = request_of(another_bob, meeting.link, calls.now).requested()
    assert calls.give(alice, request) is None
    assert alice.sending(messages.Commit) == []
    twin = SimulatedCalls(calls._entropy.fork(b"a twin"), calls.identity)
    twin._accounts["alice"] = alice.account
    alices_twin = twin.device("alice")
    request = request_of(alices_twin, meeting.link, calls.now).requested()
    assert calls.give(alice, request) is None  # nobody removes oneself
    assert alice.sending(messages.Commit) == []
    calls.settle()
    calls.advance(5_000)
    meeting.agree(alice, bob)


def test_so_many_requests_wait_and_no_more(
    calls: SimulatedCalls,
    meeting: Meeting,
    bob: SimulatedDevice,
    carol: SimulatedDevice,
    request_of: Requests,
) -> None:
    waiting = meeting.at(bob)._actions.waiting
    calls.give(bob, request_of(carol, meeting.link, calls.now).requested(rank=7))
    (kept,) = waiting._requests.values()
    for number in range(MAX_REQUESTS - 1):
        waiting._requests[number.to_bytes(32, "big")] = kept
    dave = calls.device("dave")
    request = request_of(dave, meeting.link, calls.now).requested(rank=7)
    assert refused(calls, bob, meeting, request) is GroupReason.TOO_MANY_WAIT
    again = request_of(carol, meeting.link, calls.now).requested(rank=7)
    assert calls.give(bob, again) is None  # who waits may ask again
    assert len(waiting._requests) == MAX_REQUESTS
