"""Camera on, microphone off, on hold: each side says what it sends, and the other shows it."""

from __future__ import annotations

import pytest

from e2ee.call.errors import CallReason, CallUsageError
from e2ee.call.events import MediaChanged
from e2ee.call.sent_media import SentMedia
from e2ee.call.states import State
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice

NOTHING = SentMedia()


@pytest.fixture
def alice(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("alice")


@pytest.fixture
def bob(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("bob")


@pytest.mark.requirement("CALL-26")
@pytest.mark.parametrize(
    "sent",
    [
        SentMedia(microphone=True),
        SentMedia(microphone=True, camera=True),
        SentMedia(screen=True),
        SentMedia(microphone=True, camera=True, screen=True),
        SentMedia(microphone=True, camera=True, on_hold=True),
        NOTHING,
    ],
)
def test_each_side_says_it_and_the_other_is_told(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, sent: SentMedia
) -> None:
    placed, answered = calls.go_live(alice, bob)
    for here, there, call in ((alice, bob, placed), (bob, alice, answered)):
        assert there.call.received_media == NOTHING
        call.send_media(sent, calls.now)
        calls.settle()
        changed = there.last(MediaChanged)
        assert (changed.member.account_id, changed.sent) == (here.account.account_id, sent)
        assert there.call.received_media == sent


@pytest.mark.requirement("CALL-26")
def test_what_was_said_last_counts(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, answered = calls.go_live(alice, bob)
    steps = [SentMedia(camera=True), NOTHING, SentMedia(microphone=True, on_hold=True)]
    for sent in steps:
        placed.send_media(sent, calls.now)
    calls.settle()
    assert [event.sent for event in bob.told(MediaChanged)] == steps
    assert answered.received_media == steps[-1]
    assert placed.received_media == NOTHING


@pytest.mark.requirement("CALL-8", "CALL-26")
def test_nothing_is_said_of_media_before_there_may_be_any(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    bob.call.answer(calls.now)
    calls.settle()
    assert (placed.state, bob.call.state) == (State.ANSWERED, State.ACCEPTING)
    with pytest.raises(CallUsageError) as refused:
        bob.call.send_media(SentMedia(camera=True), calls.now)
    assert refused.value.reason is CallReason.NOT_IN_THIS_STATE
    placed.send_media(SentMedia(camera=True), calls.now)
    calls.settle()
    assert bob.call.received_media == SentMedia(camera=True)


@pytest.mark.requirement("CALL-13")
def test_nothing_is_said_after_the_end(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, _ = calls.go_live(alice, bob)
    placed.hang_up(calls.now)
    with pytest.raises(CallUsageError):
        placed.send_media(SentMedia(camera=True), calls.now)
