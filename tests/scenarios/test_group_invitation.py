"""Somebody is rung to be invited to a meeting, answers, and comes in."""

from __future__ import annotations

import pytest

from e2ee.call.errors import CallReason, CallUsageError
from e2ee.call.events import Ended, EndReason, GroupCallOffered, Missed, Ringing
from e2ee.call.group.events import GroupCallEntered, Joined
from e2ee.call.group.states import State
from e2ee.call.medium import Medium
from e2ee.profile.call_profile import JoinPolicy
from e2ee.testing.simulated_calls import SimulatedCalls
from tests.scenarios.meeting import Meeting


@pytest.mark.requirement("GROUP-4", "GROUP-5", "GROUP-6")
@pytest.mark.parametrize("policy", list(JoinPolicy))
def test_who_answers_the_ring_is_in_the_meeting(calls: SimulatedCalls, policy: JoinPolicy) -> None:
    alice, bob, carol = (calls.device(name) for name in ("alice", "bob", "carol"))
    accounts = (bob.account.public, carol.account.public)
    meeting = Meeting.open(
        calls, alice, join_policy=policy, accounts=accounts if policy != JoinPolicy.LINK else ()
    )
    meeting.join(bob)
    ring = bob.core.invite(meeting.call_id, "carol", calls.now, Medium.VOICE)
    calls.settle()
    ringing = carol.last(Ringing)
    assert ringing.group is not None
    assert ringing.group.people == ("alice", "bob")
    assert carol.core.group_calls == {}
    carol.core.calls[ring.call_id].answer(calls.now)
    calls.settle()
    entered = carol.last(GroupCallEntered)
    assert (entered.call_id, entered.group_call_id) == (ring.call_id, meeting.call_id)
    calls.advance(1_000)
    assert carol.last(Joined).call_id == meeting.call_id
    meeting.agree(alice, bob, carol)
    assert bob.core.calls == carol.core.calls == {}


@pytest.mark.requirement("GROUP-10")
def test_who_is_invited_by_a_guest_waits_in_the_lobby(calls: SimulatedCalls) -> None:
    alice, bob, carol = (calls.device(name) for name in ("alice", "bob", "carol"))
    meeting = Meeting.of(calls, alice, bob, join_policy=JoinPolicy.ADMITTED)
    ring = bob.core.invite(meeting.call_id, "carol", calls.now)
    calls.settle()
    carol.core.calls[ring.call_id].answer(calls.now)
    calls.settle()
    assert meeting.at(carol).state is State.IN_LOBBY
    meeting.at(alice).admit("carol", calls.now)
    meeting.pause()
    meeting.agree(alice, bob, carol)


@pytest.mark.requirement("GROUP-6")
def test_who_declines_is_not_in_it(calls: SimulatedCalls) -> None:
    alice, bob = calls.device("alice"), calls.device("bob")
    meeting = Meeting.open(calls, alice)
    ring = alice.core.invite(meeting.call_id, "bob", calls.now)
    calls.settle()
    bob.core.calls[ring.call_id].decline(calls.now)
    calls.settle()
    assert bob.told(GroupCallOffered) == []
    assert bob.core.group_calls == {}
    assert alice.last(Ended).reason is EndReason.DECLINED
    assert meeting.names(alice) == ["alice"]


@pytest.mark.requirement("CALL-18")
def test_who_is_in_a_meeting_is_busy(calls: SimulatedCalls) -> None:
    alice, bob, carol = (calls.device(name) for name in ("alice", "bob", "carol"))
    Meeting.of(calls, alice, bob)
    placed = carol.core.place_call("bob", calls.now)
    calls.settle()
    assert carol.last(Ended).reason is EndReason.BUSY
    missed = bob.last(Missed)
    assert (missed.call_id, missed.reason) == (placed.call_id, EndReason.BUSY)


def test_who_came_by_the_link_meanwhile_is_in_it_once(calls: SimulatedCalls) -> None:
    alice, bob = calls.device("alice"), calls.device("bob")
    meeting = Meeting.open(calls, alice)
    ring = alice.core.invite(meeting.call_id, "bob", calls.now)
    calls.settle()
    meeting.join(bob)
    bob.core.calls[ring.call_id].answer(calls.now)
    calls.settle()
    calls.advance(5_000)
    meeting.agree(alice, bob)
    assert bob.told(GroupCallEntered) == []


def test_nobody_is_invited_to_a_call_that_one_is_not_in(calls: SimulatedCalls) -> None:
    alice = calls.device("alice")
    with pytest.raises(CallUsageError) as unknown:
        alice.core.invite(bytes(16), "bob", calls.now)
    assert unknown.value.reason is CallReason.NO_GROUP
    opening = alice.core.create_group_call(calls.now)
    with pytest.raises(CallUsageError) as not_yet:
        alice.core.invite(opening.call_id, "bob", calls.now)
    assert not_yet.value.reason is CallReason.NO_GROUP
    assert alice.core.calls == {}
