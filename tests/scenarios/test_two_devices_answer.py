"""Bob has two devices, and both are answered. Whatever the delivery service shows to whom, exactly one is live."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from e2ee.call.configuration import ACCEPTED_TIMEOUT
from e2ee.call.errors import CallReason
from e2ee.call.events import Calling, Ended, EndReason
from e2ee.call.states import State
from e2ee.delivery.errors import DeliveryReason
from e2ee.mls.errors import Rule
from e2ee.signalling import messages
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice


@pytest.fixture
def alice(calls: SimulatedCalls, suites: Sequence[int]) -> SimulatedDevice:
    return calls.device("alice", suites=suites)


@pytest.fixture
def phone(calls: SimulatedCalls, suites: Sequence[int]) -> SimulatedDevice:
    return calls.device("bob", device_id=1, suites=suites)


@pytest.fixture
def tablet(calls: SimulatedCalls, suites: Sequence[int]) -> SimulatedDevice:
    return calls.device("bob", device_id=2, suites=suites)


@pytest.mark.requirement("CALL-2", "CALL-10")
def test_all_devices_ring_and_the_others_stop_when_one_answers(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice, tablet: SimulatedDevice
) -> None:
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    assert len(alice.last(Calling).devices) == 2
    assert phone.call.state is tablet.call.state is State.RINGING
    phone.call.answer(calls.now)
    calls.settle()
    assert tablet.last(Ended).reason is EndReason.ANSWERED_ELSEWHERE
    assert [member.device_id for member in placed.members] == [1, 1]
    assert placed.members == phone.call.members


@pytest.mark.requirement("CALL-8", "CALL-10", "DS-4")
def test_the_first_answer_in_the_log_wins(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice, tablet: SimulatedDevice
) -> None:
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    phone.call.answer(calls.now)
    tablet.call.answer(calls.now)
    calls.send()
    calls.submit(tablet)
    calls.settle()
    placed.describe("offer", calls.now)
    calls.settle()
    assert tablet.call.state is State.DESCRIBING
    assert phone.last(Ended).reason is EndReason.ANSWERED_ELSEWHERE
    assert phone.core.calls == {}
    # the service's refusal of its Answer finds the call over
    assert [error.reason for error in phone.refused] == [CallReason.CALL_ENDED]


@pytest.mark.requirement("CALL-8", "CALL-9", "THREAT-1")
def test_a_service_that_shows_each_device_its_own_answer_gets_one_live_device(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice, tablet: SimulatedDevice
) -> None:
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    phone.call.answer(calls.now)
    tablet.call.answer(calls.now)
    calls.send()
    answers = {id(device): device.outbox.popleft() for device in (phone, tablet)}
    for device in (phone, tablet):
        answer = answers[id(device)]
        assert isinstance(answer, messages.Commit)
        calls.give(device, messages.Committed(placed.call_id, answer.commit))
        assert device.call.state is State.ACCEPTING
    first = answers[id(phone)]
    assert isinstance(first, messages.Commit)
    calls.give(alice, messages.Committed(placed.call_id, first.commit))
    placed.describe("offer", calls.now)
    calls.send()

    sent = [m for m in alice.outbox if isinstance(m, messages.Send)]
    for message in sent:  # everything that Alice says is shown to both
        for device in (phone, tablet):
            calls.give(device, messages.Sent(placed.call_id, message.message))
    assert phone.call.state is State.DESCRIBING
    assert tablet.call.state is State.ACCEPTING
    assert {error.reason for error in tablet.refused} == {Rule.SENDER_DATA_NOT_AUTHENTIC}

    calls.advance(ACCEPTED_TIMEOUT, settle=False)
    assert tablet.last(Ended).reason is EndReason.ANSWER_FAILED
    assert phone.call.state is State.DESCRIBING


@pytest.mark.requirement("CALL-10", "KEYS-11")
def test_a_device_that_rings_on_is_refused_by_the_service(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice, tablet: SimulatedDevice
) -> None:
    """The Answer does not reach the tablet, which rings on: it cannot get into the call any more."""
    alice.core.place_call("bob", calls.now)
    calls.settle()
    phone.call.answer(calls.now)
    calls.send()
    calls.submit(phone)
    tablet.inbox.clear()
    calls.settle()
    tablet.call.answer(calls.now)
    calls.settle()
    ended = tablet.last(Ended)
    assert (ended.reason, ended.remote) == (EndReason.REFUSED, True)
    assert DeliveryReason.NOT_A_MEMBER in ended.detail or Rule.WRONG_EPOCH in ended.detail
