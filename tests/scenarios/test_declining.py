"""A person says no, and perhaps why: all devices stop ringing, and the caller reads it."""

from __future__ import annotations

import pytest

from e2ee.call.configuration import MAX_DECLINE_TEXT
from e2ee.call.errors import CallReason, CallUsageError
from e2ee.call.events import Ended, EndReason, Missed
from e2ee.call.states import State
from e2ee.signalling import messages
from e2ee.signalling.errors import MessageError
from e2ee.testing.mls_members import snapshot
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice


@pytest.fixture
def alice(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("alice")


@pytest.fixture
def phone(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("bob")


@pytest.fixture
def tablet(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("bob", device_id=2)


@pytest.mark.requirement("CALL-13", "CALL-20")
@pytest.mark.parametrize("text", ["", "I am in the cinema. \N{POPCORN}"])
def test_one_device_declines_for_all(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    phone: SimulatedDevice,
    tablet: SimulatedDevice,
    text: str,
) -> None:
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    phone.call.decline(calls.now, text)
    calls.settle()
    assert alice.last(Ended) == Ended(placed.call_id, EndReason.DECLINED, remote=True, text=text)
    assert phone.last(Ended) == Ended(placed.call_id, EndReason.DECLINED, remote=False)
    assert tablet.last(Ended).reason is EndReason.DECLINED
    for device in (alice, phone, tablet):
        assert device.core.calls == {}
        assert device.told(Missed) == []  # nobody missed what somebody declined
        assert device.refused == []


@pytest.mark.requirement("CALL-20")
def test_hanging_up_while_it_rings_is_declining(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice
) -> None:
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    phone.call.hang_up(calls.now)
    calls.settle()
    assert alice.last(Ended) == Ended(placed.call_id, EndReason.DECLINED, remote=True)


@pytest.mark.requirement("CALL-20")
def test_a_text_is_at_most_a_thousand_bytes_long(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice
) -> None:
    alice.core.place_call("bob", calls.now)
    calls.settle()
    longest = "\N{POPCORN}" * (MAX_DECLINE_TEXT // 4)
    before = snapshot(phone.call)
    for text in (longest + ".", "no\x07"):
        with pytest.raises(CallUsageError) as refused:
            phone.call.decline(calls.now, text)
        assert refused.value.reason is CallReason.BAD_TEXT
    assert snapshot(phone.call) == before
    phone.call.decline(calls.now, longest)
    calls.settle()
    assert alice.last(Ended).text == longest


@pytest.mark.requirement("CALL-20")
def test_a_text_that_is_no_text_is_refused(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice
) -> None:
    """Half of a surrogate pair has no UTF-8."""
    alice.core.place_call("bob", calls.now)
    calls.settle()
    before = snapshot(phone.call._actions)
    with pytest.raises(MessageError):
        phone.call.decline(calls.now, "\ud83c")
    assert phone.call.state is State.RINGING
    assert snapshot(phone.call._actions) == before


def test_only_who_is_called_declines_and_only_before_answering(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice
) -> None:
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    with pytest.raises(CallUsageError) as refused:
        placed.decline(calls.now, "never mind")
    assert refused.value.reason is CallReason.NOT_IN_THIS_STATE
    phone.call.answer(calls.now)
    with pytest.raises(CallUsageError):
        phone.call.decline(calls.now, "never mind")
    calls.settle()
    with pytest.raises(CallUsageError):
        phone.call.decline(calls.now, "never mind")
    assert (placed.state, phone.call.state) == (State.ANSWERED, State.ACCEPTING)


@pytest.mark.requirement("CALL-12", "CALL-20")
def test_declining_on_one_device_and_answering_on_another_cross(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice, tablet: SimulatedDevice
) -> None:
    """What the log shows first counts: a device that the Answer removed says nothing more, not even no."""
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    phone.call.answer(calls.now)
    tablet.call.decline(calls.now, "busy")
    calls.submit_all(phone)
    calls.settle()
    assert placed.state is State.ANSWERED
    assert phone.call.state is State.ACCEPTING
    assert alice.told(Ended) == []


@pytest.mark.requirement("CALL-20")
def test_a_service_that_brings_the_no_after_the_answer_ends_nothing(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice, tablet: SimulatedDevice
) -> None:
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    tablet.call.decline(calls.now, "busy")
    calls.send()
    declined = tablet.take(messages.Send)
    phone.call.answer(calls.now)
    calls.settle()
    for device in (alice, phone):
        refused = calls.give(device, messages.Sent(placed.call_id, declined.message))
        assert refused is not None
        assert refused.reason is CallReason.SENDER_REMOVED
    assert placed.state is State.ANSWERED


def test_what_a_person_says_is_not_printed() -> None:
    ended = Ended(bytes(16), EndReason.DECLINED, remote=True, text="the test was positive")
    assert "positive" not in repr(ended)
    assert "positive" not in repr(messages.Hangup("declined", "the test was positive"))
