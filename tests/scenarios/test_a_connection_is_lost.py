"""The connection for media is lost: the caller offers another, the answering device answers, and the keys go on as they were."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from e2ee.call.call import Call
from e2ee.call.errors import CallReason, CallUsageError
from e2ee.call.events import ReconnectReceived
from e2ee.media.encoded_frame import OpenedFrame
from e2ee.sframe.header import decode_header
from e2ee.signalling import messages
from e2ee.signalling.errors import MessageError
from e2ee.testing.mls_members import snapshot
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice

if TYPE_CHECKING:
    from tests.scenarios.conftest import Microphone


@pytest.fixture
def alice(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("alice")


@pytest.fixture
def bob(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("bob")


def numbers(device: SimulatedDevice) -> list[int]:
    return [event.number for event in device.told(ReconnectReceived)]


def says(calls: SimulatedCalls, device: SimulatedDevice, message: messages.CallMessage) -> None:
    """A device says something, whether or not its own software would."""
    device.call._actions._say(message)
    calls.settle()


@pytest.mark.requirement("CALL-28")
def test_each_new_connection_has_the_next_number(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, answered = calls.go_live(alice, bob)
    for number in (1, 2, 3):
        placed.reconnect(f"offer {number}", calls.now)
        calls.settle()
        offer = ReconnectReceived(placed.call_id, number, f"offer {number}")
        assert bob.last(ReconnectReceived) == offer
        answered.reconnected(number, f"answer {number}", calls.now)
        calls.settle()
        answer = ReconnectReceived(placed.call_id, number, f"answer {number}")
        assert alice.last(ReconnectReceived) == answer
    assert alice.refused == bob.refused == []


@pytest.mark.requirement("CALL-28", "FKEY-4", "FKEY-5")
def test_keys_and_counters_go_on(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    microphone: Callable[[Call, Call], Microphone],
) -> None:
    placed, answered = calls.go_live(alice, bob)
    talking = microphone(placed, answered)
    before = talking.protector.protect(b"before")
    placed.reconnect("offer", calls.now)
    calls.settle()
    answered.reconnected(1, "answer", calls.now)
    calls.settle()
    after = talking.protector.protect(b"after")
    KID, CTR, _ = decode_header(before, 0)
    assert decode_header(after, 0)[:2] == (KID, CTR + 1)
    assert placed.epoch == 2
    # what was still under way over the old connection is opened, too
    for protected in (after, before):
        assert isinstance(answered.opener.open(talking.stream, protected, calls.now), OpenedFrame)


@pytest.mark.requirement("CALL-28")
def test_a_new_offer_overtakes_one_that_was_not_answered(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, answered = calls.go_live(alice, bob)
    placed.reconnect("offer 1", calls.now)
    placed.reconnect("offer 2", calls.now)
    calls.settle()
    assert numbers(bob) == [1, 2]
    with pytest.raises(CallUsageError) as refused:
        answered.reconnected(1, "too late", calls.now)
    assert refused.value.reason is CallReason.STALE_CONNECTION
    answered.reconnected(2, "answer", calls.now)
    calls.settle()
    assert numbers(alice) == [2]


@pytest.mark.requirement("CALL-28")
def test_an_answer_that_crosses_the_next_offer_is_refused(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, answered = calls.go_live(alice, bob)
    placed.reconnect("offer 1", calls.now)
    calls.settle()
    answered.reconnected(1, "answer 1", calls.now)
    placed.reconnect("offer 2", calls.now)
    calls.settle()
    assert [error.reason for error in alice.refused] == [CallReason.STALE_CONNECTION]
    assert numbers(alice) == []
    answered.reconnected(2, "answer 2", calls.now)
    calls.settle()
    assert numbers(alice) == [2]


@pytest.mark.requirement("CALL-28")
@pytest.mark.parametrize("number", [0, 4, 5])
def test_a_number_that_was_there_is_refused(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, number: int
) -> None:
    calls.go_live(alice, bob)
    says(calls, alice, messages.Reconnect(5, "five"))
    assert numbers(bob) == [5]
    says(calls, alice, messages.Reconnect(number, "again"))
    assert [error.reason for error in bob.refused] == [CallReason.STALE_CONNECTION]
    assert numbers(bob) == [5]
    says(calls, alice, messages.Reconnect(6, "six"))
    assert numbers(bob) == [5, 6]


@pytest.mark.requirement("CALL-28")
def test_what_was_not_offered_is_not_answered(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, _ = calls.go_live(alice, bob)
    for number in (0, 1):
        says(calls, bob, messages.Reconnected(number, "unasked"))
    placed.reconnect("offer", calls.now)
    calls.settle()
    says(calls, bob, messages.Reconnected(2, "ahead"))
    says(calls, bob, messages.Reconnected(1, "answer"))
    says(calls, bob, messages.Reconnected(1, "another answer"))
    assert [error.reason for error in alice.refused] == [CallReason.STALE_CONNECTION] * 4
    assert [event.description for event in alice.told(ReconnectReceived)] == ["answer"]


@pytest.mark.requirement("CALL-28")
def test_only_the_caller_offers_and_only_the_other_answers(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, answered = calls.go_live(alice, bob)
    before = [snapshot(placed), snapshot(answered)]
    with pytest.raises(CallUsageError) as refused:
        answered.reconnect("offer", calls.now)
    assert refused.value.reason is CallReason.WRONG_SENDER
    for call, number in ((placed, 0), (placed, 1), (answered, 0), (answered, 1)):
        with pytest.raises(CallUsageError) as refused:
            call.reconnected(number, "answer", calls.now)
        assert refused.value.reason is CallReason.STALE_CONNECTION
    assert [snapshot(placed), snapshot(answered)] == before
    says(calls, bob, messages.Reconnect(1, "offer"))
    says(calls, alice, messages.Reconnected(1, "answer"))
    for device in (alice, bob):
        assert [error.reason for error in device.refused] == [CallReason.WRONG_SENDER]


@pytest.mark.requirement("CALL-28")
def test_a_description_that_no_message_can_carry_takes_no_number(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, answered = calls.go_live(alice, bob)
    with pytest.raises(MessageError):
        placed.reconnect("v" * (1 << 16), calls.now)
    placed.reconnect("offer", calls.now)
    calls.settle()
    assert numbers(bob) == [1]
    with pytest.raises(MessageError):
        answered.reconnected(1, "v" * (1 << 16), calls.now)
    answered.reconnected(1, "answer", calls.now)
    calls.settle()
    assert numbers(alice) == [1]


def test_a_description_s_password_is_not_printed() -> None:
    event = ReconnectReceived(bytes(16), 1, "a=ice-pwd:a long password")
    assert "password" not in repr(event)
