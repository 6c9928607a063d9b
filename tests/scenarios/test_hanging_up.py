"""Hanging up, at every moment and from both sides: the other side hears of it, and nothing is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from e2ee.call.call import Call
from e2ee.call.errors import CallReason, CallUsageError
from e2ee.call.events import Ended, EndReason, Missed
from e2ee.call.states import State
from e2ee.errors import LocalProtocolError
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.errors import MediaReason
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import Rejected
from e2ee.media.reasons import RejectReason
from e2ee.signalling import messages
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice

if TYPE_CHECKING:
    from tests.scenarios.conftest import Microphone


@pytest.fixture
def alice(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("alice")


@pytest.fixture
def bob(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("bob")


@pytest.mark.requirement("CALL-13")
@pytest.mark.parametrize("reason", [EndReason.DONE, EndReason.PROTOCOL_ERROR])
def test_either_side_ends_the_call_for_both(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, reason: EndReason
) -> None:
    _, answered = calls.go_live(alice, bob)
    answered.hang_up(calls.now, reason)
    assert answered.state is State.ENDED
    calls.settle()
    assert alice.last(Ended) == Ended(answered.call_id, reason, remote=True)
    assert alice.core.calls == bob.core.calls == {}


@pytest.mark.requirement("CALL-13")
def test_nothing_can_be_protected_or_opened_afterwards(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    microphone: Callable[[Call, Call], Microphone],
) -> None:
    placed, answered = calls.go_live(alice, bob)
    talking = microphone(placed, answered)
    talking.say(b"good bye")
    last_words = talking.protector.protect(b"and one more")
    opener, epochs = answered.opener, answered._actions.epochs
    placed.hang_up(calls.now)
    calls.settle()

    with pytest.raises(LocalProtocolError) as refused:
        talking.protector.protect(b"still there?")
    assert refused.value.reason is MediaReason.NO_SEND_KEY
    stream = IncomingStream(Codec.OPUS, Kind.MICROPHONE)
    assert opener.open(stream, last_words, calls.now) == Rejected(RejectReason.UNKNOWN_KEY)
    for call in (placed, answered):
        assert call._actions.epochs is None
        with pytest.raises(CallUsageError):
            _ = call.call_code
    assert epochs is not None
    assert not epochs._earlier


@pytest.mark.requirement("CALL-13", "CALL-15")
def test_every_further_message_is_refused(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, answered = calls.go_live(alice, bob)
    answered._actions.send_commit(None, calls.now)
    answered._actions._say(messages.Alive(2, calls.now))
    placed.hang_up(calls.now)
    calls.settle()
    # Bob's commit comes back through the log, his `alive` is relayed: to a call that is over
    assert [error.reason for error in alice.refused] == [CallReason.CALL_ENDED] * 2
    assert len(alice.told(Ended)) == 1
    with pytest.raises(CallUsageError):
        placed.hang_up(calls.now)


@pytest.mark.requirement("CALL-13")
def test_the_caller_hangs_up_while_it_rings(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    tablet = calls.device("bob", device_id=2)
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    placed.hang_up(calls.now)
    calls.settle()
    assert alice.last(Ended) == Ended(placed.call_id, EndReason.CANCELLED, remote=False)
    for device in (bob, tablet):
        assert device.last(Ended) == Ended(placed.call_id, EndReason.CANCELLED, remote=True)
        assert device.last(Missed).reason is EndReason.CANCELLED


@pytest.mark.requirement("CALL-16")
def test_the_caller_hangs_up_while_the_invitation_is_under_way(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    """The commit cannot be called back, so Bob rings; but not for long."""
    placed = alice.core.place_call("bob", calls.now)
    for _ in "asks for the devices", "asks for KeyPackages":
        calls.send()
        calls.submit(alice)
        calls.deliver(alice)
    placed.hang_up(calls.now)
    assert placed.state is State.CANCELLING
    assert alice.told(Ended) == []
    calls.settle()
    assert alice.last(Ended) == Ended(placed.call_id, EndReason.CANCELLED, remote=False)
    assert bob.last(Ended) == Ended(placed.call_id, EndReason.CANCELLED, remote=True)


@pytest.mark.requirement("CALL-13")
def test_the_caller_hangs_up_before_there_is_a_group(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed = alice.core.place_call("bob", calls.now)
    placed.hang_up(calls.now)
    calls.settle()
    assert alice.last(Ended).reason is EndReason.CANCELLED
    # the directory's answer finds nobody who asked, which is no fault of its own
    assert alice.refused == []
    assert len(bob.events) == 1


@pytest.mark.requirement("CALL-12", "CALL-13")
def test_hanging_up_and_answering_cross_each_other(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    """Alice's `hangup` is of epoch 1 and reaches Bob when he is in epoch 2 already; it counts nevertheless."""
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    bob.call.answer(calls.now)
    placed.hang_up(calls.now)
    calls.send()
    calls.submit(bob)
    calls.submit(alice)
    calls.deliver(bob)
    assert bob.call.state is State.ACCEPTING
    calls.settle()
    assert bob.last(Ended) == Ended(placed.call_id, EndReason.CANCELLED, remote=True)


def test_only_reasons_that_the_message_has_can_be_given(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, _ = calls.go_live(alice, bob)
    given = {EndReason.DONE, EndReason.ANSWER_FAILED, EndReason.PROTOCOL_ERROR}
    for reason in set(EndReason) - given:
        with pytest.raises(CallUsageError) as refused:
            placed.hang_up(calls.now, reason)
        assert refused.value.reason is CallReason.UNKNOWN_HANGUP_REASON
    assert placed.state is State.LIVE
