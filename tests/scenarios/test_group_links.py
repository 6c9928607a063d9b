"""The link of a meeting is changed, and the former one lets nobody in (GROUP-14)."""

from __future__ import annotations

import pytest

from e2ee.call.errors import CallUsageError
from e2ee.call.events import Ended, EndReason
from e2ee.call.group.errors import GroupReason
from e2ee.call.group.events import LinkChanged, Stranded
from e2ee.call.group.link import GroupLink
from e2ee.call.group.states import State
from e2ee.profile.call_profile import JoinPolicy
from e2ee.signalling import messages
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice
from tests.scenarios.meeting import COMMIT_PAUSE, Meeting


@pytest.fixture
def people(calls: SimulatedCalls) -> list[SimulatedDevice]:
    return [calls.device(name) for name in ("alice", "bob", "carol", "dave")]


@pytest.mark.requirement("GROUP-14", "GROUP-9", "GROUP-11")
def test_the_new_link_lets_in_and_the_former_one_does_not(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    alice, bob, carol, dave = people
    meeting = Meeting.of(calls, alice, bob)
    former = meeting.link
    calls.advance(COMMIT_PAUSE)
    meeting.at(alice).change_link(calls.now)
    calls.settle()
    meeting.agree(alice, bob)
    link = bob.last(LinkChanged).link
    assert link is not None
    assert link == meeting.at(alice).link != former
    meeting.ask(dave)
    meeting.link = link
    meeting.join(carol)
    meeting_of_three = [alice, bob, carol]
    assert {meeting.at(each).call_code for each in meeting_of_three} == {
        meeting.at(alice).call_code
    }
    calls.advance(20_000)
    assert meeting.at(dave).state is State.ASKING
    assert {error.reason for device in (alice, bob, carol) for error in device.refused} == {
        GroupReason.WRONG_LINK_PROOF
    }


@pytest.mark.requirement("GROUP-14")
def test_the_secret_is_said_again_when_the_commit_was_overtaken(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    """Carol came by the commit that was faster, and knows the new link all the same."""
    alice, bob, carol, dave = people
    meeting = Meeting.of(calls, alice, bob)
    calls.advance(COMMIT_PAUSE)
    meeting.ask(carol)
    calls.submit_all(carol)
    (requested,) = bob.waiting(messages.JoinRequested)
    alice.inbox.clear()
    bob.inbox.clear()
    meeting.at(alice).change_link(calls.now)
    calls.send()
    alices = list(alice.outbox)
    alice.outbox.clear()
    first = messages.JoinRequested(meeting.call_id, requested.key_package, 0, lobby=False)
    calls.give(bob, first)
    calls.submit_all(bob)
    alice.outbox.extend(alices)
    calls.settle()
    calls.advance(2 * COMMIT_PAUSE)
    meeting.agree(alice, bob, carol)
    link = meeting.at(carol).link
    assert link == meeting.at(alice).link != meeting.link
    assert link is not None
    meeting.link = link
    meeting.join(dave)
    meeting.agree(*people)


@pytest.mark.requirement("GROUP-12")
def test_who_has_only_the_former_link_is_added_by_nobody_that_others_follow(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    """Bob adds Dave without looking at the proof; the service cannot judge it."""
    alice, bob, carol, dave = people
    meeting = Meeting.of(calls, alice, bob, carol)
    calls.advance(COMMIT_PAUSE)
    forged = GroupLink.create(dave.owner.entropy, meeting.call_id)
    dave.core.join_group_call(forged, calls.now)
    calls.submit_all(dave)
    (requested,) = bob.waiting(messages.JoinRequested)
    bob.inbox.clear()
    for device in (alice, carol):
        calls.deliver_all(device)
        assert device.refused.pop().reason is GroupReason.WRONG_LINK_PROOF
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(GroupLink, "is_proven_by", lambda *_: True)
        first = messages.JoinRequested(meeting.call_id, requested.key_package, 0, lobby=False)
        calls.give(bob, first)
        calls.submit_all(bob)
        calls.deliver_all(bob)
    calls.settle()
    for device in (alice, carol):
        assert device.last(Stranded).committer is not None
        assert "WRONG_LINK_PROOF" in device.last(Stranded).detail
        assert meeting.at(device).state is State.IN_CALL  # for most could not follow it
    assert not meeting.is_at(dave)


@pytest.mark.requirement("GROUP-11")
def test_with_the_policy_changes_what_the_link_is(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    alice, bob, carol, _ = people
    meeting = Meeting.of(calls, alice, bob)
    meeting.at(alice).set_join_policy(JoinPolicy.ADMITTED, calls.now)
    meeting.pause()
    link = meeting.at(bob).link
    assert link == GroupLink(meeting.call_id, None, alice.account.public)
    with pytest.raises(CallUsageError) as refused:
        meeting.at(alice).change_link(calls.now)
    assert refused.value.reason is GroupReason.NO_LINK
    meeting.ask(carol)  # by the former link, whose proof is good for nothing now
    calls.settle()
    assert carol.last(Ended).reason is EndReason.REFUSED
    assert link is not None
    meeting.link = link
    meeting.ask(carol)
    calls.settle()
    meeting.at(alice).admit("carol", calls.now)
    meeting.pause()
    meeting.agree(alice, bob, carol)


@pytest.mark.requirement("GROUP-14")
def test_who_is_removed_does_not_take_the_new_link_along(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    """Alice removes Carol and changes the link, in the same moment; and another commit is faster."""
    alice, bob, carol, _ = people
    meeting = Meeting.of(calls, alice, bob, carol)
    calls.advance(COMMIT_PAUSE)
    announced: list[GroupLink] = []
    meeting.at(alice).change_link(calls.now)
    meeting.at(alice).remove(meeting.leaf(carol), calls.now)
    carols = meeting.at(carol)._actions.in_group
    calls.send()
    overtaken = [alice.outbox.popleft() for _ in range(len(alice.outbox))]
    meeting.at(bob)._actions.send_commit(True, calls.now)  # noqa: FBT003
    calls.submit_all(bob)
    alice.outbox.extend(each for each in overtaken if isinstance(each, messages.Commit))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(carols, "set_link", announced.append)
        calls.settle()
        calls.advance(5_000)
    assert announced == []
    meeting.agree(alice, bob)
    assert meeting.at(alice).link == meeting.at(bob).link == bob.last(LinkChanged).link
    assert meeting.at(alice).link != meeting.link
