"""An answer that leads nowhere ends the call, on time and at both sides; it never rings again."""

from __future__ import annotations

import pytest

from e2ee.call.configuration import ACCEPTED_TIMEOUT, ANSWER_DESCRIPTION_TIMEOUT
from e2ee.call.errors import CallReason, CallUsageError
from e2ee.call.events import Ended, EndReason
from e2ee.call.states import State
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice


@pytest.fixture
def alice(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("alice")


@pytest.fixture
def bob(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("bob")


def answered(calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice) -> None:
    alice.core.place_call("bob", calls.now)
    calls.settle()
    bob.call.answer(calls.now)
    calls.settle()


@pytest.mark.requirement("CALL-9")
def test_accepted_does_not_come_within_five_seconds(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    answered(calls, alice, bob)
    calls.advance(ACCEPTED_TIMEOUT - 1)
    assert bob.call.state is State.ACCEPTING
    calls.advance(1)
    assert (bob.last(Ended).reason, bob.last(Ended).remote) == (EndReason.ANSWER_FAILED, False)
    assert (alice.last(Ended).reason, alice.last(Ended).remote) == (EndReason.ANSWER_FAILED, True)


@pytest.mark.requirement("CALL-9")
def test_the_answer_description_does_not_come_within_ten_seconds(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    answered(calls, alice, bob)
    calls.advance(1_000)
    alice.call.describe("offer", calls.now)
    calls.settle()
    assert bob.call.state is State.DESCRIBING
    calls.advance(ANSWER_DESCRIPTION_TIMEOUT - 1_001)
    assert alice.call.state is State.CONNECTING
    calls.advance(1)
    assert (alice.last(Ended).reason, alice.last(Ended).remote) == (EndReason.ANSWER_FAILED, False)
    assert (bob.last(Ended).reason, bob.last(Ended).remote) == (EndReason.ANSWER_FAILED, True)


@pytest.mark.requirement("CALL-9")
def test_a_caller_whose_application_never_describes_ends_the_call_too(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    answered(calls, alice, bob)
    calls.devices.remove(bob)  # gone for good
    calls.advance(ANSWER_DESCRIPTION_TIMEOUT)
    assert alice.last(Ended).reason is EndReason.ANSWER_FAILED


@pytest.mark.requirement("CALL-8")
def test_an_answering_device_has_no_media_before_accepted(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    answered(calls, alice, bob)
    calls.advance(2_000)  # past the send deadline of epoch 2
    with pytest.raises(CallUsageError) as refused:
        bob.call.open_stream(Codec.OPUS, Kind.MICROPHONE)
    assert refused.value.reason is CallReason.NO_MEDIA_YET
    alice.call.describe("offer", calls.now)
    calls.settle()
    assert bob.call.open_stream(Codec.OPUS, Kind.MICROPHONE).ready
