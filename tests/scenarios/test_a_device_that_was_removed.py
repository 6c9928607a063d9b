"""Bob's tablet is stolen while it rings. His phone's Answer removes it: it hears nothing more, and since when is known exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pytest

from e2ee.call.call import Call
from e2ee.call.errors import CallReason
from e2ee.call.events import EndReason, RemovalComplete, RequestRefused
from e2ee.call.states import State
from e2ee.delivery.errors import DeliveryReason
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.limits import SEND_DEADLINE_AFTER_REMOVAL
from e2ee.media.opener import Rejected
from e2ee.media.reasons import RejectReason
from e2ee.mls.errors import Rule
from e2ee.mls.group import Group, StagedCommit
from e2ee.mls.message import MLSMessage
from e2ee.profile.leaves import receiver_policy
from e2ee.signalling import messages
from e2ee.signalling.wire import encode
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice

if TYPE_CHECKING:
    from tests.scenarios.conftest import Microphone


@pytest.fixture
def alice(calls: SimulatedCalls, suites: Sequence[int]) -> SimulatedDevice:
    return calls.device("alice", suites=suites)


@pytest.fixture
def phone(calls: SimulatedCalls, suites: Sequence[int]) -> SimulatedDevice:
    return calls.device("bob", suites=suites)


@pytest.fixture
def stolen(calls: SimulatedCalls, suites: Sequence[int]) -> SimulatedDevice:
    return calls.device("bob", device_id=2, suites=suites)


def group_of(device: SimulatedDevice) -> Group:
    return device.call._actions.in_group._group


def the_answer(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice, stolen: SimulatedDevice
) -> messages.Committed:
    """The phone answers; the Answer is on its way to Alice and to the phone, and off the stolen device's wire."""
    alice.core.place_call("bob", calls.now)
    calls.settle()
    phone.call.answer(calls.now)
    calls.submit_all(phone)
    (answer,) = stolen.waiting(messages.Committed)
    stolen.inbox.clear()
    return answer


@pytest.fixture
def rings_on(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice, stolen: SimulatedDevice
) -> messages.Committed:
    """The call is live; the stolen device's software stayed in epoch 1, with all keys that it ever had."""
    answer = the_answer(calls, alice, phone, stolen)
    calls.settle()
    stolen.inbox.clear()
    alice.call.describe("offer", calls.now)
    calls.settle()
    phone.call.describe("answer", calls.now)
    calls.settle()
    assert (alice.call.state, phone.call.state) == (State.LIVE, State.LIVE)
    assert stolen.call.epoch == 1
    return answer


# ------------------------------------------------------------------------------------------------ what it cannot do


@pytest.mark.requirement("KEYS-11", "FKEY-11", "FKEY-15")
def test_it_opens_nothing_that_is_said_or_shown_in_the_call(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    phone: SimulatedDevice,
    stolen: SimulatedDevice,
    rings_on: messages.Committed,
) -> None:
    for sender in (alice, phone):
        sender.call._actions._say(messages.Chat(1, "the safe's number is 4711"))
        calls.send()
        said = sender.sending(messages.Send)[-1]
        refused = calls.give(stolen, messages.Sent(said.call_id, said.message))
        assert refused is not None
        assert refused.reason is CallReason.EPOCH_NOT_KEPT

        frame = sender.call.open_stream(Codec.OPUS, Kind.MICROPHONE).protect(b"4711")
        opener = stolen.call._actions.in_group.opener
        stream = IncomingStream(Codec.OPUS, Kind.MICROPHONE)
        assert opener.open(stream, frame, calls.now) == Rejected(RejectReason.UNKNOWN_KEY)


@pytest.mark.requirement("KEYS-11", "KEYS-12")
def test_the_answer_itself_tells_it_nothing(
    calls: SimulatedCalls, stolen: SimulatedDevice, rings_on: messages.Committed
) -> None:
    """Its path secrets are sealed to those who stay: who processes it as far as can be has no next epoch."""
    message = MLSMessage.decode(rings_on.commit)
    staged = group_of(stolen).receive(message, policy=receiver_policy(calls.now))
    assert isinstance(staged, StagedCommit)
    assert staged.removes_own_leaf
    assert staged.next_epoch is None
    assert calls.give(stolen, rings_on) is None
    assert stolen.core.calls == {}


@pytest.mark.requirement("CALL-12", "DS-4", "DS-6")
def test_nothing_that_it_sends_is_taken(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    phone: SimulatedDevice,
    stolen: SimulatedDevice,
    rings_on: messages.Committed,
) -> None:
    """Neither by the service nor, if that brings it all the same, by a member."""
    call = stolen.call
    call._actions._say(messages.Hangup(EndReason.DECLINED.value))
    call.answer(calls.now)
    calls.send()
    said, answer = stolen.sending(messages.Send)[0], stolen.sending(messages.Commit)[0]
    before = [alice.call.call_code, phone.call.call_code]
    for device in (alice, phone):
        by_message = calls.give(device, messages.Sent(call.call_id, said.message))
        assert by_message is not None
        assert by_message.reason is CallReason.SENDER_REMOVED
        by_commit = calls.give(device, messages.Committed(call.call_id, answer.commit))
        assert by_commit is not None
        assert by_commit.reason is Rule.WRONG_EPOCH
    calls.settle()
    ended = stolen.told(RequestRefused)[-1:] or stolen.events[-1:]
    assert DeliveryReason.NOT_A_MEMBER in str(ended) or Rule.WRONG_EPOCH in str(ended)
    assert [alice.call.call_code, phone.call.call_code] == before
    assert (alice.call.state, phone.call.state) == (State.LIVE, State.LIVE)


@pytest.mark.requirement("CALL-6")
def test_it_has_no_key_for_media(stolen: SimulatedDevice, rings_on: messages.Committed) -> None:
    keys = stolen.call._actions.in_group.frame_keys
    assert keys.send.epoch is None
    assert not keys.send.open_stream(Codec.OPUS, Kind.MICROPHONE).ready


@pytest.mark.requirement("KEYS-11", "KEYS-12")
def test_messages_in_its_name_under_the_new_epoch_fail(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    stolen: SimulatedDevice,
    rings_on: messages.Committed,
) -> None:
    """It writes the new epoch's number onto a message under the old epoch's keys."""
    sealed = group_of(stolen).protect(encode(messages.Hangup("done")), entropy=stolen.owner.entropy)
    forged = sealed.encode().replace((1).to_bytes(8, "big"), (2).to_bytes(8, "big"), 1)
    assert forged != sealed.encode()
    refused = calls.give(alice, messages.Sent(alice.call.call_id, forged))
    assert refused is not None
    assert refused.reason is Rule.SENDER_DATA_NOT_AUTHENTIC
    assert alice.call.state is State.LIVE


# -------------------------------------------------------------------------------- since when it hears nothing more


@pytest.mark.requirement("CALL-25")
def test_until_the_other_was_heard_in_the_new_epoch_it_is_unknown(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice, stolen: SimulatedDevice
) -> None:
    """By a message: `alive`, which the service keeps back for three seconds."""
    the_answer(calls, alice, phone, stolen)
    both = (alice, phone)
    for device in both:
        calls.deliver_all(device)
    for device in both:
        calls.submit_all(device)
    assert alice.call.epoch == phone.call.epoch == 2
    calls.advance(3_000, settle=False)
    assert [device.call.removed_can_open_until for device in both] == [None, None]
    assert alice.told(RemovalComplete) == []
    for device in both:
        calls.deliver_all(device)
    until = calls.now + SEND_DEADLINE_AFTER_REMOVAL
    assert [device.call.removed_can_open_until for device in both] == [until] * 2
    complete = RemovalComplete(alice.call.call_id, frozenset({2}), until)
    assert alice.told(RemovalComplete) == [complete]


@pytest.mark.requirement("CALL-25")
def test_a_frame_is_a_sign_as_good_as_a_message(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    phone: SimulatedDevice,
    stolen: SimulatedDevice,
    microphone: Callable[[Call, Call], Microphone],
) -> None:
    """What the phone says does not come through, its sound does."""
    the_answer(calls, alice, phone, stolen)
    calls.deliver_all(alice)
    calls.deliver_all(phone)
    alice.call.describe("offer", calls.now)
    calls.submit_all(alice)
    calls.deliver_all(phone)
    phone.outbox.clear()
    calls.send()
    phone.outbox.clear()
    calls.advance(SEND_DEADLINE_AFTER_REMOVAL, settle=False)
    talking = microphone(phone.call, alice.call)
    calls.advance(1_000, settle=False)
    assert alice.call.removed_can_open_until is None
    assert isinstance(talking.say(b"hello"), OpenedFrame)
    until = calls.now + SEND_DEADLINE_AFTER_REMOVAL
    assert alice.call.removed_can_open_until == until
    calls.advance(5_000, settle=False)  # a later frame changes nothing
    talking.say(b"hello?")
    assert alice.call.removed_can_open_until == until
    alice.call.handle_timer(calls.now)
    calls.send()
    assert [event.until for event in alice.told(RemovalComplete)] == [until]


@pytest.mark.requirement("CALL-25")
def test_a_frame_of_the_epoch_before_is_none(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice, stolen: SimulatedDevice
) -> None:
    """What the phone said while it rang, and is brought afterwards, does not say that it has the new epoch."""
    alice.core.place_call("bob", calls.now)
    calls.settle()
    phone.call._actions._say(messages.Ringing())
    calls.send()
    late = phone.take(messages.Send)
    phone.call.answer(calls.now)
    calls.submit_all(phone)
    stolen.inbox.clear()
    calls.deliver_all(alice)
    calls.give(alice, messages.Sent(late.call_id, late.message))
    assert alice.call.removed_can_open_until is None


@pytest.mark.requirement("CALL-25")
def test_where_nobody_was_removed_there_is_nothing_to_tell(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice
) -> None:
    placed, answered = calls.go_live(alice, phone)
    calls.advance(30_000)
    for device, call in ((alice, placed), (phone, answered)):
        assert call.removed_can_open_until is None
        assert device.told(RemovalComplete) == []


@pytest.mark.requirement("CALL-25")
def test_later_epochs_change_nothing_about_it(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice, stolen: SimulatedDevice
) -> None:
    placed, _ = calls.go_live(alice, phone)
    until = placed.removed_can_open_until
    assert until == calls.now + SEND_DEADLINE_AFTER_REMOVAL
    calls.advance(600_000)
    assert placed.epoch == 3
    assert placed.removed_can_open_until == until
    assert len(alice.told(RemovalComplete)) == 1
