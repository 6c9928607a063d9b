"""Somebody is on the phone already: that device says so and does not ring, the others may answer."""

from __future__ import annotations

import pytest

from e2ee.call.configuration import Configuration
from e2ee.call.events import BusyThere, Ended, EndReason, Missed, Ringing, RingsThere
from e2ee.call.medium import Medium
from e2ee.call.states import State
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


@pytest.fixture
def carol(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("carol")


@pytest.mark.requirement("CALL-18")
def test_the_only_device_is_in_a_call(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice, carol: SimulatedDevice
) -> None:
    calls.go_live(carol, phone)
    placed = alice.core.place_call("bob", calls.now, Medium.VOICE)
    calls.settle()
    assert [event.device.device_id for event in alice.told(BusyThere)] == [1]
    assert alice.last(Ended) == Ended(placed.call_id, EndReason.BUSY, remote=True)
    assert [event.caller.account_id for event in phone.told(Ringing)] == ["carol"]
    missed = phone.last(Missed)
    assert (missed.caller.account_id, missed.reason) == ("alice", EndReason.BUSY)
    assert missed.medium is Medium.VOICE
    assert phone.call.account_id == "carol"  # and that call goes on
    assert phone.call.state is State.LIVE


@pytest.mark.requirement("CALL-18")
@pytest.mark.parametrize("state", [State.LOOKING_UP, State.CALLING, State.RINGING, State.ACCEPTING])
def test_a_call_that_is_not_over_is_a_call(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    phone: SimulatedDevice,
    carol: SimulatedDevice,
    state: State,
) -> None:
    if state in {State.LOOKING_UP, State.CALLING}:
        first = phone.core.place_call("carol", calls.now)
        if state is State.CALLING:
            calls.settle()
        else:
            calls.send()
            phone.outbox.clear()  # the service never hears of it
    else:
        carol.core.place_call("bob", calls.now)
        calls.settle()
        first = phone.call
        if state is State.ACCEPTING:
            first.answer(calls.now)
            calls.settle()
    assert first.state is state
    alice.core.place_call("bob", calls.now)
    calls.settle()
    assert alice.last(Ended).reason is EndReason.BUSY
    assert first.state is state


@pytest.mark.requirement("CALL-18")
def test_one_device_is_busy_and_the_other_answers(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    phone: SimulatedDevice,
    tablet: SimulatedDevice,
    carol: SimulatedDevice,
) -> None:
    on_the_phone, _ = calls.go_live(carol, phone)
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    assert [event.device.device_id for event in alice.told(BusyThere)] == [1]
    assert [event.device.device_id for event in alice.told(RingsThere)] == [2]
    assert alice.call is placed
    tablet.core.calls[placed.call_id].answer(calls.now)
    calls.settle()
    assert placed.state is State.ANSWERED
    assert on_the_phone.state is State.LIVE
    assert alice.told(Ended) == []


@pytest.mark.requirement("CALL-18")
@pytest.mark.parametrize("first", [1, 2])
def test_the_call_ends_when_the_last_device_says_that_it_is_busy(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    phone: SimulatedDevice,
    tablet: SimulatedDevice,
    carol: SimulatedDevice,
    first: int,
) -> None:
    calls.go_live(carol, phone)
    calls.go_live(calls.device("dave"), tablet)
    placed = alice.core.place_call("bob", calls.now)
    for _ in range(3):
        calls.submit_all(alice)
        calls.deliver_all(alice)
    sooner, later = (phone, tablet) if first == 1 else (tablet, phone)
    for device in (sooner, later):
        assert placed.state is State.CALLING
        calls.deliver_all(device)
        calls.submit_all(device)
        calls.deliver_all(alice)
    assert alice.last(Ended) == Ended(placed.call_id, EndReason.BUSY, remote=True)
    assert [e.device.device_id for e in alice.told(BusyThere)] == [first, 3 - first]
    calls.settle()
    for device in (phone, tablet):
        assert device.last(Missed).caller.account_id == "alice"
        assert device.last(Missed).reason is EndReason.BUSY


@pytest.mark.requirement("CALL-18")
def test_who_is_busy_and_somebody_who_does_not_answer(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    phone: SimulatedDevice,
    tablet: SimulatedDevice,
    carol: SimulatedDevice,
) -> None:
    """A device that is away has not said that it is busy: the call rings as long as any."""
    calls.disconnect(tablet)
    calls.go_live(carol, phone)
    alice.core.place_call("bob", calls.now)
    calls.settle()
    calls.advance(60_000 - 1)
    assert alice.call.state is State.CALLING
    calls.advance(1)
    assert alice.last(Ended).reason is EndReason.TIMEOUT


@pytest.mark.requirement("CALL-18")
def test_people_may_want_to_be_called_all_the_same(
    calls: SimulatedCalls, alice: SimulatedDevice, carol: SimulatedDevice
) -> None:
    bob = calls.device("bob", configuration=Configuration(most_calls=2))
    calls.go_live(carol, bob)
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    assert [event.caller.account_id for event in bob.told(Ringing)] == ["carol", "alice"]
    second = bob.core.calls[placed.call_id]
    second.answer(calls.now)
    calls.settle()
    assert placed.state is State.ANSWERED
    dave = calls.device("dave")
    dave.core.place_call("bob", calls.now)
    calls.settle()
    assert dave.last(Ended).reason is EndReason.BUSY
    assert len(bob.core.calls) == 2


@pytest.mark.requirement("CALL-18")
def test_when_the_call_is_over_it_rings_again(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice, carol: SimulatedDevice
) -> None:
    _, answered = calls.go_live(carol, phone)
    answered.hang_up(calls.now)
    alice.core.place_call("bob", calls.now)
    calls.settle()
    assert phone.call.state is State.RINGING
