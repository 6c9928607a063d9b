"""Alice calls Bob, Bob answers, they talk, their keys change while they talk, and they hang up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pytest

from e2ee.call.call import Call
from e2ee.call.configuration import Configuration
from e2ee.call.errors import CallUsageError
from e2ee.call.events import (
    Calling,
    DescriptionReceived,
    DescriptionWanted,
    Ended,
    EndReason,
    EpochChanged,
    Event,
    KeyPackagesPublished,
    Live,
    Ringing,
    RingsThere,
)
from e2ee.call.medium import Medium
from e2ee.call.states import State
from e2ee.identity.trust import ContactState
from e2ee.media.encoded_frame import OpenedFrame
from e2ee.testing.simulated_calls import SimulatedCalls

if TYPE_CHECKING:
    from tests.scenarios.conftest import Microphone

FRAME = 20
"""Milliseconds of sound in a frame."""


def kinds(events: list[Event]) -> list[type[Event]]:
    return [type(event) for event in events if not isinstance(event, KeyPackagesPublished)]


@pytest.mark.requirement("CALL-2", "CALL-7", "CALL-14", "IDENT-12")
def test_two_people_call_talk_and_hang_up(
    calls: SimulatedCalls,
    suites: Sequence[int],
    microphone: Callable[[Call, Call], Microphone],
) -> None:
    alice, bob = calls.device("alice", suites=suites), calls.device("bob", suites=suites)

    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    assert [device.account_id for device in alice.last(Calling).devices] == ["bob"]
    ringing = bob.last(Ringing)
    assert (ringing.caller.account_id, ringing.medium) == ("alice", Medium.VIDEO)
    assert ringing.contact is ContactState.UNVERIFIED

    answered = bob.core.calls[ringing.call_id]
    answered.answer(calls.now)
    calls.settle()
    assert alice.events[-1] == DescriptionWanted(placed.call_id)

    placed.describe("the caller's description", calls.now)
    calls.settle()
    assert bob.last(DescriptionReceived).description == "the caller's description"
    answered.describe("the callee's description", calls.now)
    calls.settle()
    assert alice.last(DescriptionReceived).description == "the callee's description"
    assert (placed.state, answered.state) == (State.LIVE, State.LIVE)

    assert placed.epoch == answered.epoch == 2
    assert placed.suite == max(suites)
    assert placed.call_code == answered.call_code
    assert placed.safety_number == answered.safety_number
    assert [member.account_id for member in placed.members] == ["alice", "bob"]
    assert placed.members == answered.members

    assert isinstance(microphone(placed, answered).say(b"can you hear me?"), OpenedFrame)
    assert isinstance(microphone(answered, placed).say(b"I can hear you."), OpenedFrame)

    placed.hang_up(calls.now)
    calls.settle()
    assert alice.last(Ended).reason is bob.last(Ended).reason is EndReason.DONE
    assert (alice.last(Ended).remote, bob.last(Ended).remote) == (False, True)
    assert kinds(alice.events) == [
        Calling,
        RingsThere,
        EpochChanged,
        DescriptionWanted,
        DescriptionReceived,
        Live,
        Ended,
    ]
    assert kinds(bob.events) == [
        Ringing,
        EpochChanged,
        DescriptionReceived,
        DescriptionWanted,
        Live,
        Ended,
    ]
    assert alice.refused == bob.refused == []


@pytest.mark.requirement("KEYS-15", "FKEY-6", "FKEY-7", "CALL-11")
def test_keys_change_in_the_middle_of_a_sentence_and_nothing_is_lost(
    calls: SimulatedCalls,
    suites: Sequence[int],
    microphone: Callable[[Call, Call], Microphone],
) -> None:
    configuration = Configuration(epoch_lifetime=2_000)
    alice = calls.device("alice", suites=suites, configuration=configuration)
    bob = calls.device("bob", suites=suites, configuration=configuration)
    placed, answered = calls.go_live(alice, bob)
    to_bob, to_alice = microphone(placed, answered), microphone(answered, placed)

    for number in range(10_000 // FRAME):
        words = number.to_bytes(8, "big")
        assert isinstance(to_bob.say(words), OpenedFrame)
        assert isinstance(to_alice.say(words), OpenedFrame)
        calls.advance(FRAME)

    assert placed.epoch == answered.epoch > 5
    assert placed.call_code == answered.call_code
    for heard in (to_bob.epochs, to_alice.epochs):
        assert heard == sorted(heard)
        assert set(heard) == set(range(2, heard[-1] + 1))
    codes = [event.call_code for event in alice.told(EpochChanged)]
    assert len(set(codes)) == len(codes)
    assert codes == [event.call_code for event in bob.told(EpochChanged)]


@pytest.mark.requirement("KEYS-15")
def test_the_members_keys_heal_in_turn(calls: SimulatedCalls, suites: Sequence[int]) -> None:
    alice, bob = calls.device("alice", suites=suites), calls.device("bob", suites=suites)
    calls.go_live(alice, bob)
    calls.advance(4 * 600_000)
    changes = [event for event in alice.told(EpochChanged) if event.epoch > 2]
    assert [event.epoch for event in changes] == [3, 4, 5, 6]
    # rank epoch mod members: in epoch 2 the first of two members commits, in epoch 3 the second
    assert [event.committer.account_id for event in changes] == ["alice", "bob", "alice", "bob"]


@pytest.mark.requirement("CALL-6", "FKEY-11")
def test_there_are_no_keys_for_media_before_the_call(calls: SimulatedCalls) -> None:
    alice, bob = calls.device("alice"), calls.device("bob")
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    for call in (placed, bob.call):
        with pytest.raises(CallUsageError):
            _ = call.opener
        epochs = call._actions.epochs
        assert epochs is not None
        assert epochs.frame_keys.send.epoch is None
        assert epochs.frame_keys.get_timer() is None
