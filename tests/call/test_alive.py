"""`alive` is the acknowledgement of an epoch: of its sender's, in its own epoch, and once."""

from __future__ import annotations

import pytest

from e2ee.call.alive import alive
from e2ee.call.call import Call
from e2ee.call.errors import CallReason
from e2ee.media.frame_keys import FrameKeys
from e2ee.mls.errors import Rule
from e2ee.signalling import messages
from e2ee.signalling.messages import CALL
from e2ee.signalling.wire import decode
from e2ee.testing.simulated_calls import START, SimulatedCalls, SimulatedDevice


def frame_keys(call: Call) -> FrameKeys:
    assert call._actions.epochs is not None
    return call._actions.epochs.frame_keys


@pytest.mark.requirement("CALL-11")
def test_it_names_the_epoch_and_the_time() -> None:
    assert alive(7, START) == messages.Alive(7, START)


@pytest.mark.requirement("CALL-11")
def test_each_side_says_it_after_applying_an_epoch_and_not_while_it_rings(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    alice.core.place_call("bob", calls.now)
    calls.settle()
    bob.call.answer(calls.now)
    for epoch in (2, 3):
        calls.send()
        calls.submit(bob if epoch == 2 else alice)
        calls.deliver(alice)
        calls.deliver(bob)
        for sender, receiver in ((alice, bob), (bob, alice)):
            (send,) = sender.outbox
            assert isinstance(send, messages.Send)
            epochs = receiver.call._actions.epochs
            assert epochs is not None
            said = epochs.open(send.message, calls.now)
            assert (said.epoch, said.message) == (epoch, messages.Alive(epoch, calls.now))
            sender.outbox.clear()
        alice.call._actions.send_commit(None, calls.now)


@pytest.mark.requirement("CALL-11", "FKEY-7")
def test_the_next_epoch_is_sent_with_as_soon_as_the_other_side_has_it(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, answered = calls.go_live(alice, bob)
    calls.advance(1_000)
    placed._actions.send_commit(None, calls.now)
    calls.send()
    calls.submit(alice)
    calls.deliver(alice)
    assert placed.epoch == 3
    assert frame_keys(placed).send.epoch == 2
    calls.deliver(bob)
    calls.submit(bob)
    calls.deliver(alice)
    assert frame_keys(placed).send.epoch == 3
    assert frame_keys(answered).send.epoch == 2
    calls.settle()
    assert frame_keys(answered).send.epoch == 3


@pytest.mark.requirement("CALL-11")
def test_it_acknowledges_no_other_epoch(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    """Bob says in epoch 2 that he has epoch 3, which he has not."""
    placed, answered = calls.go_live(alice, bob)
    calls.advance(1_000)
    placed._actions.send_commit(None, calls.now)
    calls.send()
    calls.submit(alice)
    calls.deliver(alice)
    answered._actions._say(messages.Alive(3, calls.now))
    calls.send()
    calls.submit(bob)
    calls.deliver(alice)
    assert [error.reason for error in alice.refused] == [CallReason.WRONG_EPOCH]
    assert frame_keys(placed).send.epoch == 2


@pytest.mark.requirement("CALL-11")
def test_it_counts_once(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    _, answered = calls.go_live(alice, bob)
    answered._actions._say(messages.Alive(2, calls.now))
    calls.send()
    calls.submit(bob)
    sent = alice.inbox[0]
    assert calls.give(alice, sent) is None
    again = calls.give(alice, sent)
    assert again is not None
    assert again.reason is Rule.GENERATION_CONSUMED


def test_it_is_a_call_message() -> None:
    encoded = b"\x93\xa5alive\x02\x00"
    assert decode(CALL, encoded) == messages.Alive(2, 0)
