"""The door: which message belongs to which call, and what belongs to none."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any

import pytest

from e2ee.call.device import Device
from e2ee.call.errors import CallReason
from e2ee.call.events import Ended, EndReason, KeyPackagesPublished, RequestRefused, Ringing
from e2ee.call.states import State
from e2ee.identity.device_certificate import verify_certificate
from e2ee.signalling import messages
from e2ee.signalling.messages import FromService
from e2ee.testing.mls_members import snapshot
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice
from tests.scenarios.meeting import Meeting

CALL_ID = b"no such call ..."


@pytest.mark.requirement("CALL-1")
def test_every_call_has_an_id_of_its_own(calls: SimulatedCalls, alice: SimulatedDevice) -> None:
    ids = {alice.core.place_call("bob", calls.now).call_id for _ in range(20)}
    assert len(ids) == 20
    assert {len(call_id) for call_id in ids} == {16}


@pytest.mark.requirement("CALL-1")
def test_the_id_comes_from_the_generator_and_names_the_group(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, _ = calls.go_live(alice, bob)
    epochs = placed._actions.epochs
    assert epochs is not None
    assert epochs._group.group_id == placed.call_id
    other = SimulatedCalls(calls._entropy.fork(b"other")).device("alice")
    assert other.core.place_call("bob", calls.now).call_id != placed.call_id


@pytest.mark.requirement("CALL-15")
@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (messages.Committed(CALL_ID, b""), CallReason.UNKNOWN_CALL),
        (messages.Sent(CALL_ID, b""), CallReason.UNKNOWN_CALL),
        (messages.Refused("send", CALL_ID, "", ""), CallReason.UNKNOWN_CALL),
        (messages.Devices("bob", ()), CallReason.UNEXPECTED_ANSWER),
        (messages.KeyPackages("bob", ()), CallReason.UNEXPECTED_ANSWER),
        (messages.Refused("find", None, "", ""), CallReason.UNEXPECTED_ANSWER),
        (messages.Refused("claim", None, "", ""), CallReason.UNEXPECTED_ANSWER),
        (messages.LoggedIn(), CallReason.UNEXPECTED_ANSWER),
    ],
)
def test_what_nobody_asked_for_is_refused(
    calls: SimulatedCalls, alice: SimulatedDevice, message: FromService, reason: CallReason
) -> None:
    before = snapshot(alice.core)
    refused = calls.give(alice, message)
    assert refused is not None
    assert refused.reason is reason
    assert snapshot(alice.core) == before


OF_GROUPS = [
    messages.Stored("open", CALL_ID),
    messages.Joining(CALL_ID, lobby=False),
    messages.JoinRequested(CALL_ID, b"", 0, lobby=False),
    messages.TurnedAway(CALL_ID),
    messages.Added(CALL_ID, b""),
    messages.Tree(CALL_ID, 0, 0, 1, b"t"),
    messages.Gone(CALL_ID, b"", 0),
    messages.Voided(CALL_ID, 0),
    messages.MediaPublished(CALL_ID, ""),
    messages.MediaOffer(CALL_ID, 1, "", (), (), ()),
    messages.MediaLost(CALL_ID),
]


@pytest.mark.requirement("GROUP-24")
@pytest.mark.parametrize("message", OF_GROUPS, ids=lambda message: message.name)
def test_what_is_of_a_group_call_that_this_device_is_not_in_is_refused(
    calls: SimulatedCalls, alice: SimulatedDevice, message: FromService
) -> None:
    before = snapshot(alice.core)
    refused = calls.give(alice, message)
    assert refused is not None
    assert refused.reason is CallReason.UNKNOWN_CALL
    assert snapshot(alice.core) == before
    assert alice.outbox == deque()


@pytest.mark.requirement("CALL-15")
@pytest.mark.parametrize("message", OF_GROUPS, ids=lambda message: message.name)
def test_a_call_of_two_knows_nothing_of_groups(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, message: FromService
) -> None:
    placed, _ = calls.go_live(alice, bob)
    said: Any = replace(message, call_id=placed.call_id)  # type: ignore[type-var]
    refused = calls.give(alice, said)
    assert refused is not None
    assert refused.reason is CallReason.UNEXPECTED_ANSWER
    assert placed.state is State.LIVE


def test_a_device_is_in_calls_of_both_kinds_and_each_gets_its_own(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    meeting = Meeting.of(calls, alice, bob)
    placed, _ = calls.go_live(alice, calls.device("carol"))
    assert set(alice.core.calls) == {placed.call_id}
    assert set(alice.core.group_calls) == {meeting.call_id}
    calls.advance(60_000)
    placed.hang_up(calls.now)
    calls.settle()
    meeting.agree(alice, bob)
    meeting.at(alice).leave(calls.now)
    calls.settle()
    assert alice.core.group_calls == {}
    assert {ended.call_id for ended in alice.told(Ended)} == {placed.call_id, meeting.call_id}


@pytest.mark.requirement("IDENT-16", "GROUP-21")
def test_who_comes_in_anew_does_so_with_its_newest_certificate(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    meeting = Meeting.of(calls, alice, bob)
    first = bob.core.certificate
    calls.now += 2_000
    newer = bob.account.certify(
        first.signature_key,
        device_id=first.device_id,
        now=calls.now,
        versions=first.versions,
        suites=first.suites,
        attestation=first.certificate.attestation,
    )
    bob.core.take_certificate(verify_certificate(newer.encode(), first.signature_key), calls.now)
    calls.settle()
    assert meeting.member(alice, bob).certificate == first  # a leaf stays as it is
    calls.disconnect(bob)
    calls.advance(12_000)
    calls.reconnect(bob)
    calls.settle()
    calls.advance(2_000)
    meeting.agree(alice, bob)
    assert meeting.member(alice, bob).certificate == bob.core.certificate != first


def test_answers_of_the_directory_belong_to_the_requests_in_their_order(
    calls: SimulatedCalls, alice: SimulatedDevice
) -> None:
    for name in ("bob", "carol"):
        calls.device(name)
    to_bob = alice.core.place_call("bob", calls.now)
    to_carol = alice.core.place_call("carol", calls.now)
    to_nobody = alice.core.place_call("nobody", calls.now)
    calls.settle()
    assert (to_bob.state, to_carol.state) == (State.CALLING, State.CALLING)
    assert to_nobody.state is State.ENDED
    assert alice.last(Ended).reason is EndReason.REFUSED
    assert "UNKNOWN_ACCOUNT" in alice.last(Ended).detail


def test_an_answer_about_another_account_is_refused(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed = alice.core.place_call("bob", calls.now)
    calls.send()
    refused = calls.give(alice, messages.Devices("carol", ()))
    assert refused is not None
    assert refused.reason is CallReason.UNEXPECTED_ANSWER
    calls.settle()
    assert placed.state is State.CALLING
    assert len(bob.told(Ringing)) == 1


def test_an_answer_for_a_call_that_is_over_is_nobodys(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    alice.core.place_call("bob", calls.now).hang_up(calls.now)
    again = alice.core.place_call("bob", calls.now)
    calls.settle()
    assert alice.refused == []
    assert again.state is State.CALLING
    assert len(bob.told(Ringing)) == 1


def test_a_used_key_package_is_replaced(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    kept = len(bob.core._key_packages)
    alice.core.place_call("bob", calls.now)
    calls.settle()
    assert len(bob.core._key_packages) == kept
    assert bob.last(KeyPackagesPublished).count == kept


def test_many_calls_one_after_another(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    for _ in range(20):  # more than the KeyPackages that wait
        placed, _answered = calls.go_live(alice, bob)
        placed.hang_up(calls.now)
        calls.settle()
        calls.advance(6_000)  # the service allows ten calls a minute
    assert len(bob.told(Ended)) == 20
    assert alice.core.calls == bob.core.calls == {}
    assert alice.refused == bob.refused == []


def test_a_refused_publication_is_told(calls: SimulatedCalls, alice: SimulatedDevice) -> None:
    calls.give(alice, messages.Refused("publish", None, "TOO_MANY_KEY_PACKAGES", "at most 100"))
    refused = alice.last(RequestRefused)
    assert (refused.request, refused.reason) == ("publish", "TOO_MANY_KEY_PACKAGES")


def test_a_device_without_calls_waits_for_nothing(alice: SimulatedDevice) -> None:
    assert alice.core.get_timer() is None
    assert alice.core.next_event() is None
    assert alice.core.messages_to_send() == []


def test_a_device_shows_no_secret(alice: SimulatedDevice) -> None:
    shown = repr(alice.owner)
    assert alice.owner.signing_key.private.hex() not in shown
    assert "signing_key" not in shown


def test_two_calls_of_a_device_do_not_touch_each_other(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    carol = calls.device("carol")
    to_bob, _ = calls.go_live(alice, bob)
    to_carol, _ = calls.go_live(alice, carol)
    to_bob.hang_up(calls.now)
    calls.settle()
    assert (to_bob.state, to_carol.state) == (State.ENDED, State.LIVE)
    assert isinstance(alice.core, Device)
    assert set(alice.core.calls) == {to_carol.call_id}
