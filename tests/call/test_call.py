"""What an application may ask of a call, and what of it is refused; time as a call sees it."""

from __future__ import annotations

from collections import deque

import pytest

from e2ee.call.errors import CallReason, CallUsageError
from e2ee.call.events import DescriptionReceived, Ended, EndReason, IdentityChanged
from e2ee.call.states import State
from e2ee.identity.safety_number import safety_number
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.errors import BadStream
from e2ee.signalling import messages
from e2ee.signalling.errors import MessageError
from e2ee.testing.mls_members import snapshot
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice


@pytest.mark.parametrize(
    "shown",
    ["epoch", "suite", "members", "call_code", "safety_number", "removed_can_open_until"],
)
def test_before_there_is_a_group_there_is_nothing_to_show(
    calls: SimulatedCalls, alice: SimulatedDevice, shown: str
) -> None:
    placed = alice.core.place_call("bob", calls.now)
    with pytest.raises(CallUsageError) as refused:
        getattr(placed, shown)
    assert refused.value.reason is CallReason.NO_GROUP


@pytest.mark.requirement("IDENT-12")
def test_the_safety_number_is_that_of_the_two_accounts(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, answered = calls.go_live(alice, bob)
    expected = safety_number(("alice", alice.account.public), ("bob", bob.account.public))
    assert placed.safety_number == answered.safety_number == expected


def test_verbs_out_of_turn_are_refused_and_change_nothing(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, answered = calls.go_live(alice, bob)
    before = [snapshot(placed), snapshot(answered)]
    for call in (placed, answered):
        for verb in (call.answer, lambda now, c=call: c.describe("again", now)):
            with pytest.raises(CallUsageError) as refused:
                verb(calls.now)
            assert refused.value.reason is CallReason.NOT_IN_THIS_STATE
    assert [snapshot(placed), snapshot(answered)] == before


@pytest.mark.requirement("CALL-7")
def test_accepted_carries_the_description_and_comes_once(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    bob.call.answer(calls.now)
    calls.settle()
    placed.describe("v=0", calls.now)
    with pytest.raises(CallUsageError):
        placed.describe("v=1", calls.now)
    calls.send()
    assert len(alice.sending(messages.Send)) == 1


@pytest.mark.requirement("CALL-7")
def test_a_caller_that_has_ended_the_call_accepts_nobody(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    bob.call.answer(calls.now)
    calls.settle()
    placed.hang_up(calls.now)
    with pytest.raises(CallUsageError):
        placed.describe("v=0", calls.now)
    calls.settle()
    assert bob.last(Ended).reason is EndReason.DONE


def test_a_description_that_no_message_can_carry_changes_nothing(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    bob.call.answer(calls.now)
    calls.settle()
    before = snapshot(placed)
    with pytest.raises(MessageError):
        placed.describe("v" * (1 << 16), calls.now)
    assert snapshot(placed) == before
    placed.describe("v" * 60_000, calls.now)
    calls.settle()
    assert bob.call.state is State.DESCRIBING


@pytest.mark.requirement("FKEY-3")
def test_two_streams_of_a_kind_take_two_instances(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, _ = calls.go_live(alice, bob)
    placed.open_stream(Codec.VP8, Kind.CAMERA)
    with pytest.raises(BadStream):
        placed.open_stream(Codec.VP8, Kind.CAMERA)
    placed.open_stream(Codec.VP8, Kind.CAMERA, instance=1)


def test_handling_a_timer_early_or_twice_does_nothing(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, _ = calls.go_live(alice, bob)
    calls.advance(20_000)
    told = len(alice.events)
    placed.handle_timer(calls.now)
    before = snapshot(placed)
    placed.handle_timer(calls.now)
    assert snapshot(placed) == before
    calls.send()
    assert (len(alice.events), alice.outbox) == (told, deque())
    calls.advance(10_000, settle=False)
    assert len(alice.sending(messages.Send)) == 1  # `alive`
    placed.handle_timer(calls.now)
    calls.send()
    assert len(alice.sending(messages.Send)) == 1


def test_a_call_whose_callee_has_no_devices_ends(
    calls: SimulatedCalls, alice: SimulatedDevice
) -> None:
    placed = alice.core.place_call("bob", calls.now)
    calls.send()
    calls.give(alice, messages.Devices("bob", ()))
    assert placed.state is State.ENDED
    ended = alice.last(Ended)
    assert (ended.reason, ended.remote) == (EndReason.UNREACHABLE, False)
    assert CallReason.NO_DEVICE in ended.detail
    assert alice.told(IdentityChanged) == []


def test_the_service_refuses_to_open_the_call(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed = alice.core.place_call("bob", calls.now)
    for _ in "looks up", "claims":
        calls.send()
        calls.submit(alice)
        calls.deliver(alice)
    refusal = messages.Refused("open", placed.call_id, "TOO_MANY_CALLS", "at most 64")
    calls.give(alice, refusal)
    ended = alice.last(Ended)
    assert (ended.reason, ended.remote) == (EndReason.REFUSED, True)
    assert ended.detail == "open: TOO_MANY_CALLS at most 64"
    calls.settle()
    assert alice.core.calls == {}
    assert bob.refused == []


def test_a_description_s_password_is_not_printed() -> None:
    event = DescriptionReceived(bytes(16), "a=ice-pwd:a long password")
    assert "password" not in repr(event)
