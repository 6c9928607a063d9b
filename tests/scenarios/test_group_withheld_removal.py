"""A host removes somebody, and the service keeps the commit back: nobody goes on speaking (GROUP-15)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from e2ee.call.alive import StopReason
from e2ee.call.events import RequestRefused, SendingResumed, SendingStopped
from e2ee.call.group.errors import GroupReason
from e2ee.call.group.states import State
from e2ee.media.errors import NoSendKey
from e2ee.signalling import messages
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice
from tests.scenarios.meeting import COMMIT_PAUSE, Meeting, Voice, path_for_none_of


@pytest.fixture
def people(calls: SimulatedCalls) -> list[SimulatedDevice]:
    return [calls.device(name) for name in ("alice", "bob", "carol", "dave")]


@pytest.fixture
def meeting(calls: SimulatedCalls, people: list[SimulatedDevice]) -> Meeting:
    made = Meeting.of(calls, *people)
    calls.advance(2 * COMMIT_PAUSE)
    return made


def withhold(calls: SimulatedCalls, device: SimulatedDevice) -> messages.Commit:
    """The service gets a commit, and does as if it had not; what else was said arrives."""
    calls.send()
    commit = device.take(messages.Commit)
    calls.settle()
    return commit


@pytest.mark.requirement("GROUP-15")
def test_three_seconds_later_everybody_is_silent(
    calls: SimulatedCalls, meeting: Meeting, people: list[SimulatedDevice]
) -> None:
    alice, bob, carol, dave = people
    voices = [Voice(meeting, device) for device in (alice, bob, dave)]
    meeting.at(alice).remove(meeting.leaf(carol), calls.now)
    commit = withhold(calls, alice)
    calls.advance(2_999)
    assert voices[1].reaches(alice, dave)
    calls.advance(1)
    for voice in voices:
        with pytest.raises(NoSendKey):
            voice.say(b"does carol hear this?")
        stopped = voice.speaker.last(SendingStopped)
        assert stopped.reason is StopReason.REMOVAL_WITHHELD
    calls.advance(20_000)
    with pytest.raises(NoSendKey):
        voices[0].say(b"or this?")

    alice.outbox.append(commit)  # at last
    calls.settle()
    meeting.agree(alice, bob, dave)
    calls.advance(1_000)
    assert len(bob.told(SendingResumed)) == 1
    assert voices[1].reaches(alice, dave)


@pytest.mark.requirement("GROUP-15")
def test_a_service_that_lets_others_win_every_epoch_silences_the_call(
    calls: SimulatedCalls, meeting: Meeting, people: list[SimulatedDevice]
) -> None:
    alice, bob, carol, dave = people
    voice = Voice(meeting, bob)
    meeting.at(alice).remove(meeting.leaf(carol), calls.now)
    for _ in range(3):
        withhold(calls, alice)
        meeting.at(dave)._actions.send_commit(True, calls.now)  # noqa: FBT003
        calls.submit_all(dave)
        for device in people:
            calls.deliver_all(device)
        calls.now += COMMIT_PAUSE
        calls.handle_timers()
    withhold(calls, alice)
    assert meeting.names(bob) == ["alice", "bob", "carol", "dave"]
    assert bob.last(SendingStopped).reason is StopReason.REMOVAL_WITHHELD
    with pytest.raises(NoSendKey):
        voice.say(b"too late")


@pytest.mark.requirement("GROUP-15")
def test_another_host_takes_a_removal_over(
    calls: SimulatedCalls, meeting: Meeting, people: list[SimulatedDevice]
) -> None:
    """Alice's device dies with the commit."""
    alice, bob, carol, dave = people
    meeting.at(alice).make_host(meeting.leaf(bob), calls.now)
    meeting.pause()
    meeting.at(alice).remove(meeting.leaf(carol), calls.now)
    withhold(calls, alice)
    calls.disconnect(alice)
    calls.advance(2_999)
    assert "carol" in meeting.names(dave)
    calls.advance(1)
    assert meeting.names(bob) == meeting.names(dave) == ["alice", "bob", "dave"]
    assert carol.core.group_calls == {}
    calls.advance(12_000)
    assert meeting.at(dave).state is State.IN_CALL
    assert Voice(meeting, bob).reaches(dave)


@pytest.mark.requirement("GROUP-15")
def test_a_host_who_is_to_be_removed_itself_is_silent_and_no_more(
    calls: SimulatedCalls, meeting: Meeting, people: list[SimulatedDevice]
) -> None:
    """It cannot take that over. (``advance`` finds a timer that stays due.)"""
    alice, bob, *_ = people
    meeting.at(alice).make_host(meeting.leaf(bob), calls.now)
    meeting.pause()
    voice = Voice(meeting, bob)
    meeting.at(alice).remove(meeting.leaf(bob), calls.now)
    withhold(calls, alice)
    calls.advance(10_000)
    with pytest.raises(NoSendKey):
        voice.say(b"is anybody there?")
    assert bob.told(RequestRefused) == []
    assert meeting.at(bob).state is State.IN_CALL


@pytest.mark.requirement("GROUP-15")
def test_a_removal_that_comes_in_time_stops_nobody(
    calls: SimulatedCalls, meeting: Meeting, people: list[SimulatedDevice]
) -> None:
    alice, bob, carol, dave = people
    meeting.at(alice).remove(meeting.leaf(carol), calls.now)
    calls.settle()
    calls.advance(10_000)
    assert [device.told(SendingStopped) for device in (alice, bob, dave)] == [[], [], []]


@pytest.mark.requirement("GROUP-15")
def test_who_was_to_be_removed_and_left_is_out_all_the_same(
    calls: SimulatedCalls, meeting: Meeting, people: list[SimulatedDevice]
) -> None:
    alice, bob, carol, dave = people
    meeting.at(alice).remove(meeting.leaf(carol), calls.now)
    withhold(calls, alice)
    calls.disconnect(carol)
    calls.advance(20_000)
    meeting.agree(bob, dave, alice)
    assert bob.last(SendingResumed)


@pytest.mark.requirement("GROUP-15")
def test_who_comes_back_to_its_leaf_is_removed_as_openly_as_before(
    calls: SimulatedCalls, meeting: Meeting, people: list[SimulatedDevice]
) -> None:
    alice, bob, carol, dave = people
    leaf = meeting.leaf(carol)
    meeting.at(alice).remove(leaf, calls.now)
    meeting.pause()
    meeting.join(carol)
    assert meeting.leaf(carol) == leaf
    calls.advance(COMMIT_PAUSE)
    meeting.at(alice).remove(leaf, calls.now)
    withhold(calls, alice)
    calls.advance(3_000)
    for device in (alice, bob, dave):
        assert device.last(SendingStopped).reason is StopReason.REMOVAL_WITHHELD


@pytest.mark.requirement("GROUP-15")
@pytest.mark.parametrize("heard", [False, True], ids=["unheard", "heard"])
def test_what_a_former_host_announced_silences_nobody(
    calls: SimulatedCalls,
    meeting: Meeting,
    people: list[SimulatedDevice],
    heard: bool,
) -> None:
    """Bob takes Alice's role while her removal of Carol is on its way; whether the others have heard of that or not."""
    alice, bob, _, dave = people
    meeting.at(alice).make_host(meeting.leaf(bob), calls.now)
    meeting.pause()
    calls.advance(COMMIT_PAUSE)
    meeting.at(alice).remove(meeting.leaf(people[2]), calls.now)
    calls.send()
    commit = alice.take(messages.Commit)
    if heard:
        calls.submit_all(alice)
    meeting.at(bob).drop_host(meeting.leaf(alice), calls.now)
    calls.submit_all(bob)
    alice.outbox.append(commit)
    calls.settle()
    calls.advance(10_000)
    meeting.agree_on_members(*people)
    for device in (alice, bob, dave):
        assert device.told(SendingStopped) == []
    assert alice.last(RequestRefused).reason is GroupReason.NOT_A_HOST


@pytest.mark.requirement("GROUP-13", "GROUP-15")
def test_a_removal_that_is_told_of_late_is_not_that_of_who_came_after(
    calls: SimulatedCalls, meeting: Meeting, people: list[SimulatedDevice]
) -> None:
    """The service keeps what Alice says of Carol until Erin has Carol's leaf."""
    alice, bob, carol, dave = people
    meeting.at(alice).make_host(meeting.leaf(bob), calls.now)
    meeting.pause()
    calls.advance(COMMIT_PAUSE)
    leaf = meeting.leaf(carol)
    meeting.at(alice).remove(leaf, calls.now)
    calls.submit_all(alice)
    (removing,) = bob.waiting(messages.Sent)
    for device in (bob, dave):
        device.inbox.remove(device.waiting(messages.Sent)[0])
    calls.settle()
    calls.advance(COMMIT_PAUSE)
    erin = calls.device("erin")
    meeting.join(erin)
    assert meeting.leaf(erin) == leaf
    for device in (bob, dave):
        refused = calls.give(device, replace(removing, number=0))
        assert refused is not None
        assert refused.reason is GroupReason.NO_SUCH_MEMBER
        device.refused.clear()
    calls.advance(5_000)
    meeting.agree(alice, bob, dave, erin)
    assert dave.told(SendingStopped) == []


@pytest.mark.requirement("GROUP-21")
def test_a_host_who_comes_in_anew_and_is_none_any_more_wants_nothing(
    calls: SimulatedCalls, meeting: Meeting, people: list[SimulatedDevice]
) -> None:
    """Alice cannot follow the log; Bob's next commit takes her role."""
    alice, bob, carol, dave = people
    meeting.at(alice).make_host(meeting.leaf(bob), calls.now)
    meeting.pause()
    calls.advance(COMMIT_PAUSE)
    with path_for_none_of(meeting.leaf(alice)):
        meeting.at(bob)._actions.send_commit(True, calls.now)  # noqa: FBT003
        calls.settle()
    assert meeting.at(alice).state is State.STRANDED
    meeting.at(alice).remove(meeting.leaf(carol), calls.now)
    calls.advance(1_500)
    meeting.at(bob).drop_host(meeting.leaf(alice), calls.now)
    calls.settle()
    calls.advance(12_000)
    meeting.agree_on_members(*people)
    assert alice.last(RequestRefused).reason is GroupReason.NOT_A_HOST
    assert Voice(meeting, alice).reaches(bob, carol, dave)
    assert Voice(meeting, dave).reaches(alice, bob, carol)
