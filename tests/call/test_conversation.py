"""What is said in a call beside media, before there is one: nothing."""

from __future__ import annotations

import pytest

from e2ee.call.errors import CallReason, CallUsageError
from e2ee.call.events import Ended
from e2ee.call.states import State
from e2ee.signalling import messages
from e2ee.testing.simulated_calls import SimulatedCalls


@pytest.mark.requirement("CHAT-10")
def test_nobody_chats_while_it_rings(calls: SimulatedCalls) -> None:
    alice, bob = calls.device("alice"), calls.device("bob")
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    for call in (placed, bob.call):
        with pytest.raises(CallUsageError) as unusable:
            _ = call.chat
        assert unusable.value.reason is CallReason.NOT_IN_THIS_STATE
    epochs = placed._actions.in_group
    early = epochs.protect(messages.Chat(1, "hello"), alice.owner.entropy)
    refused = calls.give(bob, messages.Sent(placed.call_id, early))
    assert refused is not None
    assert refused.reason is CallReason.WRONG_EPOCH
    assert bob.call.state is State.RINGING


@pytest.mark.requirement("CALL-21")
def test_a_device_answers_who_calls_and_does_not_call_back(calls: SimulatedCalls) -> None:
    alice, bob = calls.device("alice"), calls.device("bob")
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    with pytest.raises(CallUsageError) as unusable:
        bob.core.place_call("alice", calls.now)
    assert unusable.value.reason is CallReason.RINGS_HERE
    placed.hang_up(calls.now)
    calls.settle()
    assert bob.last(Ended).call_id == placed.call_id
    bob.core.place_call("alice", calls.now)
