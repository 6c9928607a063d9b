"""Connections break: who is back soon goes on, who is away long is removed, who has lost everything comes in anew."""

from __future__ import annotations

import pytest

from e2ee.call.chat.events import TextReceived
from e2ee.call.device import Device
from e2ee.call.device_memory import DeviceMemory
from e2ee.call.errors import CallReason
from e2ee.call.events import Ended, EndReason, PresenceChanged
from e2ee.call.group.events import Joined, JoinsAnew, MembersChanged
from e2ee.call.group.states import State
from e2ee.profile.gone import GoneStatement
from e2ee.signalling import messages
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice
from tests.scenarios.meeting import COMMIT_PAUSE, Meeting, Voice


@pytest.fixture
def people(calls: SimulatedCalls) -> list[SimulatedDevice]:
    return [calls.device(name) for name in ("alice", "bob", "carol")]


@pytest.mark.requirement("GROUP-22", "DS-19")
def test_who_is_back_within_ten_seconds_goes_on_in_its_epoch(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    alice, bob, carol = people
    meeting = Meeting.of(calls, *people)
    calls.advance(2_000)
    epoch, leaf, voice = meeting.at(carol).epoch, meeting.leaf(carol), Voice(meeting, carol)
    calls.disconnect(carol)
    calls.advance(9_999)
    assert voice.reaches(alice, bob)  # media need no service
    assert not alice.last(PresenceChanged).connected
    meeting.at(bob).chat.say("Are you still there?")
    calls.settle()
    calls.reconnect(carol)
    calls.settle()
    calls.advance(30_000)
    meeting.agree(*people)
    assert (meeting.at(carol).epoch, meeting.leaf(carol)) == (epoch, leaf)
    assert voice.reaches(alice, bob)
    assert carol.last(TextReceived).text == "Are you still there?"
    assert len(carol.told(Joined)) == 1


@pytest.mark.requirement("GROUP-8", "DS-19", "KEYS-24")
def test_who_is_away_for_ten_seconds_is_removed(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    alice, bob, carol = people
    meeting = Meeting.of(calls, *people)
    leaf = meeting.leaf(carol)
    calls.disconnect(carol)
    calls.advance(9_999)
    assert leaf in {member.leaf_index for member in meeting.at(alice).members}
    calls.advance(1)
    meeting.agree(alice, bob)
    (removed,) = bob.last(MembersChanged).removed
    assert removed.account_id == "carol"


@pytest.mark.requirement("GROUP-21", "GROUP-17")
def test_who_comes_back_later_comes_in_anew_as_another_leaf(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    alice, bob, carol = people
    meeting = Meeting.of(calls, *people)
    voice = Voice(meeting, carol)
    calls.disconnect(carol)
    calls.advance(20_000)
    calls.reconnect(carol)
    calls.settle()
    assert "away" in carol.last(JoinsAnew).detail
    assert not voice.protector.ready
    calls.advance(COMMIT_PAUSE)
    meeting.agree(*people)
    assert carol.last(Joined).anew
    calls.advance(100)
    assert Voice(meeting, carol).reaches(alice, bob)


@pytest.mark.requirement("GROUP-21", "FKEY-5")
def test_who_crashed_takes_the_place_of_its_old_leaf(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    """Its process was gone for a moment; all that is left is the link and its own keys."""
    _, bob, carol = people
    meeting = Meeting.of(calls, *people)
    old = meeting.at(carol)
    crash(calls, carol)
    meeting.ask(carol)
    meeting.pause()
    meeting.agree(*people)
    assert meeting.at(carol) is not old
    changed = bob.last(MembersChanged)
    assert [member.account_id for member in changed.added] == ["carol"]
    assert [member.account_id for member in changed.removed] == ["carol"]
    calls.advance(60_000)
    meeting.agree(*people)


def crash(calls: SimulatedCalls, device: SimulatedDevice) -> None:
    """The process ends, and another one begins with what was on the disk."""
    calls.disconnect(device)
    device.core = Device(device.owner, DeviceMemory(seen_calls=device.core._seen))
    calls.reconnect(device)
    calls.settle()


@pytest.mark.requirement("GROUP-16")
def test_who_crashed_and_does_not_come_back_is_no_ghost(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    """It is connected, and has no keys of the call: what the others say tells it that it has a leaf there."""
    alice, bob, carol = people
    meeting = Meeting.of(calls, *people)
    crash(calls, carol)
    meeting.at(alice).chat.say("Carol?")
    calls.settle()
    calls.advance(3_000)
    meeting.agree(alice, bob)
    assert {error.reason for error in carol.refused} == {CallReason.CALL_ENDED}


@pytest.mark.requirement("GROUP-8", "GROUP-22")
def test_who_is_back_before_it_was_removed_stays(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    """The statement was issued, and nobody had used it when Carol came back: then they do, and she comes in anew."""
    alice, bob, carol = people
    meeting = Meeting.of(calls, *people)
    calls.disconnect(carol)
    calls.advance(10_000, settle=False)
    calls.reconnect(carol)
    calls.settle()
    calls.advance(5_000)
    meeting.agree(*people)
    assert alice.refused == bob.refused == []


@pytest.mark.requirement("GROUP-7")
def test_whose_connection_breaks_while_it_asks_asks_again(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    alice, bob, carol = people
    meeting = Meeting.of(calls, alice, bob)
    meeting.ask(carol)
    calls.send()
    calls.disconnect(carol)
    calls.advance(30_000)
    calls.send()
    calls.reconnect(carol)
    calls.send()
    assert len(carol.sending(messages.Join)) == 1  # not one for each three seconds
    calls.settle()
    calls.advance(COMMIT_PAUSE)
    meeting.agree(*people)


@pytest.mark.requirement("GROUP-7")
def test_whose_request_is_not_answered_asks_again_with_another_key_package(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    alice, bob, carol = people
    meeting = Meeting.of(calls, alice, bob)
    meeting.ask(carol)
    calls.send()
    asked = [carol.take(messages.Join).key_package]
    for _ in range(3):
        calls.advance(2_999)
        assert carol.sending(messages.Join) == []
        calls.advance(1, settle=False)
        calls.send()
        asked.append(carol.take(messages.Join).key_package)
    assert len(set(asked)) == 4
    calls.advance(3_000)
    calls.advance(COMMIT_PAUSE)
    meeting.agree(*people)


@pytest.mark.requirement("GROUP-7", "GROUP-21")
def test_a_second_request_that_crosses_the_welcome_costs_a_leaf_and_no_call(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    """The service passes it on when the first one is committed: Carol is added once more, and goes on there."""
    alice, bob, carol = people
    meeting = Meeting.of(calls, alice, bob)
    meeting.ask(carol)
    calls.send()
    first = carol.take(messages.Join)
    calls.advance(3_000, settle=False)
    calls.send()
    second = carol.take(messages.Join)
    carol.outbox.append(first)
    calls.submit(carol)
    for device in (alice, bob):
        calls.deliver_all(device)
    calls.submit_all(alice)
    carol.outbox.append(second)  # after the commit, and before its Welcome is there
    calls.settle()
    meeting.pause()
    meeting.agree(*people)
    assert meeting.at(carol).state is State.IN_CALL


@pytest.mark.requirement("GROUP-16")
def test_who_gave_up_and_was_added_all_the_same_says_that_it_has_left(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    alice, bob, carol = people
    meeting = Meeting.of(calls, alice, bob)
    calls.advance(COMMIT_PAUSE)
    asking = meeting.ask(carol)
    calls.submit_all(carol)
    asking.leave(calls.now)
    calls.settle()
    assert carol.last(Ended).reason is EndReason.LEFT
    calls.advance(3_000)
    meeting.agree(alice, bob)
    assert {refused.reason for refused in carol.refused} == {CallReason.CALL_ENDED}


@pytest.mark.requirement("GROUP-16")
def test_who_leaves_while_it_has_no_connection_is_removed_all_the_same(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    alice, bob, carol = people
    meeting = Meeting.of(calls, *people)
    calls.disconnect(carol)
    meeting.at(carol).leave(calls.now)
    calls.reconnect(carol)
    calls.settle()
    calls.advance(3_000)
    meeting.agree(alice, bob)


@pytest.mark.requirement("GROUP-21", "CALL-27")
def test_who_was_away_for_so_long_that_its_mailbox_is_empty_comes_in_anew(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    alice, _, carol = people
    meeting = Meeting.of(calls, *people)
    calls.disconnect(carol)
    calls.advance(1_500_000)
    calls.reconnect(carol)
    calls.settle()
    calls.advance(30_000)
    assert meeting.is_at(carol)
    assert meeting.names(alice) == meeting.names(carol)
    assert meeting.at(alice).call_code == meeting.at(carol).call_code
    assert carol.last(Joined).anew


@pytest.mark.requirement("KEYS-24", "GROUP-8")
def test_what_the_service_did_not_sign_removes_nobody(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    alice, bob, carol = people
    meeting = Meeting.of(calls, *people)
    epoch, leaf = meeting.at(alice).epoch, meeting.leaf(carol)
    calls.disconnect(carol)
    calls.advance(10_000, settle=False)
    (genuine,) = alice.waiting(messages.Gone)
    alice.inbox.clear()
    bob.inbox.clear()
    statement = GoneStatement.decode(genuine.statement)
    assert (statement.epoch, statement.leaf) == (epoch, leaf)
    altered = bytearray(genuine.statement)
    altered[-1] ^= 1
    forged = messages.Gone(meeting.call_id, bytes(altered), 0)
    assert calls.give(alice, forged) is not None
    calls.settle()
    calls.advance(5_000)
    assert leaf in {member.leaf_index for member in meeting.at(alice).members}
