"""It rings: the caller is told where, for how long it waits, and what became of it; the callee is told what was missed."""

from __future__ import annotations

import pytest

from e2ee.call.configuration import RING_LIMIT, RINGING_TIMEOUT, SERVICE_TIMEOUT
from e2ee.call.events import BusyThere, Calling, Ended, EndReason, Missed, Ringing, RingsThere
from e2ee.call.medium import Medium
from e2ee.call.states import State
from e2ee.signalling import messages
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


@pytest.mark.requirement("CALL-17")
def test_the_caller_sees_which_devices_ring(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice, tablet: SimulatedDevice
) -> None:
    alice.core.place_call("bob", calls.now)
    while not alice.told(Calling):
        calls.submit_all(alice)
        calls.deliver_all(alice)
    assert alice.told(RingsThere) == []
    calls.deliver_all(tablet)
    calls.submit_all(tablet)
    calls.deliver_all(alice)
    assert [event.device.device_id for event in alice.told(RingsThere)] == [2]
    calls.settle()
    assert [event.device.device_id for event in alice.told(RingsThere)] == [2, 1]
    assert alice.told(BusyThere) == []
    assert phone.refused == tablet.refused == []  # each hears that the other rings, and is not told


@pytest.mark.requirement("CALL-3")
@pytest.mark.parametrize("medium", list(Medium))
def test_the_callee_sees_what_it_is_for(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice, medium: Medium
) -> None:
    placed = alice.core.place_call("bob", calls.now, medium)
    calls.settle()
    assert phone.last(Ringing).medium is phone.call.medium is placed.medium is medium


@pytest.mark.requirement("CALL-19")
def test_nobody_answers(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice, tablet: SimulatedDevice
) -> None:
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    calls.advance(RINGING_TIMEOUT - 1)
    assert placed.state is State.CALLING
    assert phone.call.state is tablet.call.state is State.RINGING
    calls.advance(1)
    assert alice.last(Ended) == Ended(placed.call_id, EndReason.TIMEOUT, remote=False)
    for device in (phone, tablet):
        assert device.last(Ended) == Ended(placed.call_id, EndReason.TIMEOUT, remote=True)
        missed = device.last(Missed)
        assert (missed.caller.account_id, missed.reason) == ("alice", EndReason.TIMEOUT)


@pytest.mark.requirement("CALL-19")
def test_the_minute_begins_when_the_log_shows_the_invitation(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice
) -> None:
    placed = alice.core.place_call("bob", calls.now)
    for _ in range(3):  # asks twice; then the invitation is on its way
        calls.submit_all(alice)
        calls.advance(SERVICE_TIMEOUT - 1, settle=False)
        calls.deliver_all(alice)
    assert placed.state is State.CALLING
    calls.advance(RINGING_TIMEOUT - 1, settle=False)
    assert placed.state is State.CALLING
    calls.advance(1, settle=False)
    assert alice.last(Ended).reason is EndReason.TIMEOUT


@pytest.mark.requirement("CALL-19")
def test_a_device_that_hears_nothing_more_stops_after_ninety_seconds(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice
) -> None:
    """The service keeps back that Alice has given up."""
    alice.core.place_call("bob", calls.now)
    calls.settle()
    calls.advance(RING_LIMIT - 1, settle=False)
    assert phone.call.state is State.RINGING
    calls.advance(1, settle=False)
    assert (phone.last(Ended).reason, phone.last(Ended).remote) == (EndReason.TIMEOUT, False)
    assert phone.last(Missed).reason is EndReason.TIMEOUT


@pytest.mark.requirement("CALL-10")
def test_what_was_answered_elsewhere_was_not_missed(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice, tablet: SimulatedDevice
) -> None:
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    phone.call.answer(calls.now)
    calls.settle()
    ended = Ended(placed.call_id, EndReason.ANSWERED_ELSEWHERE, remote=True)
    assert tablet.last(Ended) == ended
    assert tablet.told(Missed) == phone.told(Missed) == []


# --------------------------------------------------------------------------------------------- a device that is away


@pytest.mark.requirement("DS-9", "CALL-17")
def test_a_device_that_comes_back_within_a_minute_rings(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice
) -> None:
    calls.disconnect(phone)
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    assert (placed.state, alice.told(RingsThere)) == (State.CALLING, [])
    calls.advance(RINGING_TIMEOUT - 1)
    calls.reconnect(phone)
    calls.settle()
    assert len(phone.told(Ringing)) == len(alice.told(RingsThere)) == 1
    phone.call.answer(calls.now)
    calls.settle()
    assert placed.state is State.ANSWERED


@pytest.mark.requirement("DS-9", "CALL-3")
def test_a_device_that_comes_back_later_does_not_ring(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice
) -> None:
    """The invitation is kept for a minute; that Alice gave up is kept for longer, and finds no call."""
    calls.disconnect(phone)
    alice.core.place_call("bob", calls.now)
    calls.settle()
    calls.advance(RINGING_TIMEOUT)
    calls.reconnect(phone)
    calls.settle()
    assert [*phone.told(Ringing), *phone.told(Ended), *phone.told(Missed)] == []
    assert phone.core.calls == {}


@pytest.mark.requirement("DS-9", "CALL-3")
def test_a_device_that_comes_back_after_the_caller_gave_up_is_told_what_it_missed(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice
) -> None:
    calls.disconnect(phone)
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    calls.advance(20_000)
    placed.hang_up(calls.now)
    calls.settle()
    calls.reconnect(phone)
    calls.settle()
    assert phone.last(Missed).reason is EndReason.CANCELLED
    assert phone.core.calls == {}


# ------------------------------------------------------------------------------------- a service that does not answer


@pytest.mark.requirement("CALL-29")
@pytest.mark.parametrize(("answered", "state"), [(0, State.LOOKING_UP), (1, State.CLAIMING)])
def test_the_caller_gives_up_when_the_directory_does_not_answer(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    phone: SimulatedDevice,
    answered: int,
    state: State,
) -> None:
    placed = alice.core.place_call("bob", calls.now)
    for _ in range(answered):
        calls.submit_all(alice)
        calls.deliver_all(alice)
    assert placed.state is state
    calls.advance(SERVICE_TIMEOUT - 1, settle=False)
    assert placed.state is state
    calls.advance(1, settle=False)
    assert alice.last(Ended) == Ended(placed.call_id, EndReason.LOST, remote=True)
    calls.settle()  # the answers come after all
    assert alice.refused == []
    assert phone.told(Ringing) == []


@pytest.mark.requirement("CALL-16", "CALL-29")
@pytest.mark.parametrize("late", [True, False])
def test_the_caller_gives_up_when_the_log_does_not_show_the_invitation(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice, late: bool
) -> None:
    """Then it waits as long again, to take the invitation back if it appears; and then it is over."""
    placed = alice.core.place_call("bob", calls.now)
    for _ in range(2):
        calls.submit_all(alice)
        calls.deliver_all(alice)
    calls.send()
    calls.advance(SERVICE_TIMEOUT - 1, settle=False)
    assert (placed.state, alice.told(Ended)) == (State.INVITING, [])
    calls.advance(1, settle=False)
    assert (placed.state, alice.told(Ended)) == (State.CANCELLING, [])
    calls.advance(SERVICE_TIMEOUT - 1, settle=False)
    if late:
        calls.settle()
        assert phone.last(Ended) == Ended(placed.call_id, EndReason.CANCELLED, remote=True)
    else:
        alice.outbox.clear()
        calls.advance(1, settle=False)
    assert (alice.last(Ended).reason, placed.state) == (EndReason.LOST, State.ENDED)


@pytest.mark.requirement("CALL-29")
def test_the_answering_device_gives_up_when_the_log_does_not_show_its_answer(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice
) -> None:
    alice.core.place_call("bob", calls.now)
    calls.settle()
    phone.call.answer(calls.now)
    calls.send()
    phone.take(messages.Commit)
    calls.advance(SERVICE_TIMEOUT - 1)
    assert phone.call.state is State.ANSWERING
    calls.advance(1)
    assert phone.last(Ended).reason is alice.last(Ended).reason is EndReason.ANSWER_FAILED


@pytest.mark.requirement("CALL-29")
def test_a_ringing_that_the_service_does_not_carry_ends_no_answer(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice
) -> None:
    """For one, because somebody filled the mailbox of another device that rings; a person may be faster than the refusal."""
    alice.core.place_call("bob", calls.now)
    calls.settle()
    rings = phone.call
    rings.answer(calls.now)
    refused = calls.give(phone, messages.Refused("send", rings.call_id, "MAILBOX_FULL", ""))
    assert refused is not None
    assert phone.told(Ended) == []
    calls.settle()
    assert rings.state is State.ACCEPTING


@pytest.mark.requirement("CALL-29")
@pytest.mark.parametrize("state", [State.CALLING, State.RINGING, State.ANSWERING, State.ANSWERED])
def test_a_message_that_the_service_refuses_ends_nothing(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice, state: State
) -> None:
    """What a device says while it rings may cross the Answer of another one."""
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    device = alice if state in {State.CALLING, State.ANSWERED} else phone
    if state in {State.ANSWERING, State.ANSWERED}:
        phone.call.answer(calls.now)
        calls.send()
    if state is State.ANSWERED:
        calls.settle()
    assert device.call.state is state
    calls.give(device, messages.Refused("send", placed.call_id, "WRONG_EPOCH", "1 in epoch 2"))
    assert device.call.state is state
    assert device.told(Ended) == []
