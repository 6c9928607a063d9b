"""Alice calls Bob while Bob calls Alice: whatever comes first where, the larger call goes on and the other is forgotten."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kyber_py.ml_kem import ML_KEM_768

from e2ee.call.call import Call
from e2ee.call.configuration import RING_LIMIT, RINGING_TIMEOUT
from e2ee.call.errors import CallReason, CallUsageError
from e2ee.call.events import Ended, EndReason, Missed, Replaced, Ringing
from e2ee.call.states import State
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.signalling import messages
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice


@pytest.fixture
def alice(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("alice")


@pytest.fixture
def bob(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("bob")


def placed_below(
    calls: SimulatedCalls, device: SimulatedDevice, account_id: str, limit: bytes
) -> Call:
    """A call whose id is smaller than ``limit``."""
    while (call := device.core.place_call(account_id, calls.now)).call_id > limit:
        call.hang_up(calls.now)
    return call


def placed_above(
    calls: SimulatedCalls, device: SimulatedDevice, account_id: str, limit: bytes
) -> Call:
    """A call whose id is larger than ``limit``."""
    while (call := device.core.place_call(account_id, calls.now)).call_id < limit:
        call.hang_up(calls.now)
    return call


def reaches_the_log(calls: SimulatedCalls, call: Call, caller: SimulatedDevice) -> None:
    """Everything of a call's caller goes its way, until the log shows the invitation; nobody else receives anything."""
    while call.state is not State.CALLING:
        calls.submit_all(caller)
        calls.deliver(caller)
    calls.submit_all(caller)


def play(calls: SimulatedCalls, devices: list[SimulatedDevice], schedule: list[int]) -> None:
    """One step after the other: a device's next message reaches the service, or the service's next one a device."""
    calls.send()
    for step in schedule:
        device = devices[step // 2 % len(devices)]
        if step % 2 and device.inbox:
            calls.deliver(device)
        elif device.outbox:
            calls.submit(device)
    calls.settle()


SCHEDULES = st.lists(st.integers(0, 7), max_size=60)
FEWER = settings(max_examples=max(10, settings().max_examples // 3))


@pytest.mark.requirement("CALL-21")
@FEWER
@given(schedule=SCHEDULES)
def test_the_larger_call_goes_on_in_whatever_order_things_happen(schedule: list[int]) -> None:
    calls = SimulatedCalls(SeededEntropy(b"glare", ML_KEM_768._encaps_internal))
    devices = [calls.device("alice"), calls.device("bob")]
    alice, bob = devices
    by_id = {
        alice.core.place_call("bob", calls.now).call_id: alice,
        bob.core.place_call("alice", calls.now).call_id: bob,
    }
    play(calls, devices, schedule)

    lost, won = sorted(by_id)
    loser, winner = by_id[lost], by_id[won]
    assert set(loser.core.calls) == set(winner.core.calls) == {won}
    assert (winner.call.state, loser.call.state) == (State.ANSWERED, State.ACCEPTING)
    assert loser.told(Ended) == [Ended(lost, EndReason.REPLACED, remote=False)]
    assert loser.told(Replaced) == [Replaced(lost, won)]
    for device in devices:
        assert [*device.told(Missed), *device.told(Ringing)] == []

    winner.call.describe("offer", calls.now)
    calls.settle()
    loser.call.describe("answer", calls.now)
    calls.settle()
    assert winner.call.state is loser.call.state is State.LIVE


@pytest.mark.requirement("CALL-8", "CALL-10", "CALL-20", "CALL-21")
@FEWER
@given(schedule=SCHEDULES)
def test_with_two_devices_each_it_is_the_two_that_called_who_talk(schedule: list[int]) -> None:
    calls = SimulatedCalls(SeededEntropy(b"glare", ML_KEM_768._encaps_internal))
    devices = [calls.device(name, device_id=of) for name in ("alice", "bob") for of in (1, 2)]
    alice, _, _, bob = devices  # Bob calls with his second device
    by_id = {
        alice.core.place_call("bob", calls.now).call_id: alice,
        bob.core.place_call("alice", calls.now).call_id: bob,
    }
    play(calls, devices, schedule)

    lost, won = sorted(by_id)
    loser, winner = by_id[lost], by_id[won]
    assert (winner.call.state, loser.call.state) == (State.ANSWERED, State.ACCEPTING)
    assert set(loser.core.calls) == set(winner.core.calls) == {won}
    for device in devices:
        if device not in (loser, winner):
            assert device.core.calls == {}  # neither rings on
        assert device.told(Missed) == []  # CALL-20: `replaced`
    for device in (loser, winner):
        assert device.told(Ringing) == []


@pytest.mark.requirement("CALL-21")
def test_the_smaller_call_waits_for_the_larger_one_and_does_not_ring(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    larger = alice.core.place_call("bob", calls.now)
    smaller = placed_below(calls, bob, "alice", larger.call_id)
    reaches_the_log(calls, smaller, bob)
    (invited,) = alice.waiting(messages.Invited)
    calls.give(alice, invited)
    assert larger.state is State.LOOKING_UP
    assert alice.core.calls[smaller.call_id].state is State.INVITED
    assert alice.told(Ringing) == []
    assert alice.sending(messages.Send) == []  # neither `ringing` nor `busy`


@pytest.mark.requirement("CALL-21")
@pytest.mark.parametrize("how", ["hangs up", "no device", "refused"])
def test_what_was_held_back_rings_when_the_own_call_leads_nowhere(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, how: str
) -> None:
    larger = alice.core.place_call("bob", calls.now)
    smaller = placed_below(calls, bob, "alice", larger.call_id)
    reaches_the_log(calls, smaller, bob)
    calls.give(alice, alice.waiting(messages.Invited)[0])
    alice.outbox.clear()
    match how:
        case "hangs up":
            larger.hang_up(calls.now)
        case "no device":
            calls.give(alice, messages.Devices("bob", ()))
        case _:
            calls.give(alice, messages.Refused("find", None, "RATE_LIMITED", ""))
    assert larger.state is State.ENDED
    calls.advance(0)
    calls.settle()
    assert alice.call.state is State.RINGING
    assert len(alice.told(Ringing)) == 1
    alice.call.answer(calls.now)
    calls.settle()
    assert smaller.state is State.ANSWERED


@pytest.mark.requirement("CALL-18", "CALL-21")
def test_what_was_held_back_finds_the_device_busy_when_the_own_call_is_answered(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    """Bob's other device answered Alice's call before the one that calls her heard of it."""
    tablet = calls.device("bob", device_id=2)
    larger = alice.core.place_call("bob", calls.now)
    smaller = placed_below(calls, bob, "alice", larger.call_id)
    reaches_the_log(calls, smaller, bob)
    reaches_the_log(calls, larger, alice)
    calls.deliver_all(alice)
    assert alice.core.calls[smaller.call_id].state is State.INVITED
    calls.deliver_all(tablet)
    tablet.core.calls[larger.call_id].answer(calls.now)
    calls.submit_all(tablet)
    calls.deliver_all(alice)
    assert larger.state is State.ANSWERED
    assert set(alice.core.calls) == {larger.call_id}
    calls.submit_all(alice)
    calls.settle()
    assert bob.core.calls == {}
    assert alice.told(Missed) == []


@pytest.mark.requirement("CALL-18", "CALL-21")
def test_of_two_that_were_held_back_one_rings_and_the_other_finds_the_device_busy(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    """Both of Bob's devices call, and Alice gives her own call up."""
    tablet = calls.device("bob", device_id=2)
    larger = alice.core.place_call("bob", calls.now)
    callers = (bob, tablet)
    smaller = [placed_below(calls, each, "alice", larger.call_id) for each in callers]
    for call, caller in zip(smaller, callers, strict=True):
        reaches_the_log(calls, call, caller)
    calls.deliver_all(alice)
    alice.outbox.clear()
    assert [alice.core.calls[each.call_id].state for each in smaller] == 2 * [State.INVITED]
    larger.hang_up(calls.now)
    calls.advance(0)
    calls.settle()
    assert alice.call.state is State.RINGING
    assert [each.state for each in smaller] == [State.CALLING, State.ENDED]
    assert tablet.last(Ended).reason is EndReason.BUSY


@pytest.mark.requirement("CALL-19", "CALL-21")
def test_the_ninety_seconds_begin_when_the_invitation_is_taken_not_when_it_rings(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    """The service shows Alice's call to nobody, and brings her nothing more of Bob's."""
    larger = alice.core.place_call("bob", calls.now)
    reaches_the_log(calls, larger, alice)
    bob.inbox.clear()
    smaller = placed_below(calls, bob, "alice", larger.call_id)
    reaches_the_log(calls, smaller, bob)
    calls.deliver_all(alice)
    taken_at = calls.now
    calls.advance(RINGING_TIMEOUT, settle=False)
    assert alice.call.state is State.RINGING
    calls.advance(taken_at + RING_LIMIT - 1 - calls.now, settle=False)
    assert alice.call.state is State.RINGING
    calls.advance(1, settle=False)
    assert alice.core.calls == {}
    assert alice.last(Missed).reason is EndReason.TIMEOUT


@pytest.mark.requirement("CALL-21", "IDENT-10")
def test_with_another_account_key_it_is_a_call_like_any_other(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    """Somebody who calls himself Bob calls while Alice calls Bob; Alice knows Bob by another key. Nothing is answered."""
    alice.core.trust.mark_verified("bob", bytes(32))
    smaller = alice.core.place_call("bob", calls.now)
    larger = placed_above(calls, bob, "alice", smaller.call_id)
    reaches_the_log(calls, larger, bob)
    calls.give(alice, alice.waiting(messages.Invited)[0])
    assert smaller.state is State.LOOKING_UP
    assert set(alice.core.calls) == {smaller.call_id}
    assert alice.told(Replaced) == []
    calls.settle()
    assert bob.last(Ended).reason is EndReason.BUSY


@pytest.mark.requirement("CALL-18", "CALL-21")
def test_somebody_else_who_calls_meanwhile_finds_the_device_busy(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    carol = calls.device("carol")
    smaller = alice.core.place_call("bob", calls.now)
    calls.settle()
    placed_above(calls, carol, "alice", smaller.call_id)
    calls.settle()
    assert carol.last(Ended).reason is EndReason.BUSY
    assert smaller.state is State.CALLING


@pytest.mark.requirement("CALL-21")
def test_a_call_that_was_answered_is_not_replaced(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    """Bob's other device calls Alice while she talks to him: she is busy."""
    smaller, _ = calls.go_live(alice, bob)
    tablet = calls.device("bob", device_id=2)
    placed_above(calls, tablet, "alice", smaller.call_id)
    calls.settle()
    assert tablet.last(Ended).reason is EndReason.BUSY
    assert smaller.state is State.LIVE


@pytest.mark.requirement("CALL-21")
def test_nobody_calls_an_account_that_rings_here(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    """Two calls that wait for each other would both be lost: answer the one that there is."""
    alice.core.place_call("bob", calls.now)
    calls.settle()
    with pytest.raises(CallUsageError) as refused:
        bob.core.place_call("alice", calls.now)
    assert refused.value.reason is CallReason.RINGS_HERE
    assert set(bob.core.calls) == set(alice.core.calls)
    bob.core.place_call("carol", calls.now)  # anybody else may be called
    bob.core.calls[alice.call.call_id].answer(calls.now)
    calls.settle()
    assert alice.call.state is State.ANSWERED
    bob.core.place_call("alice", calls.now)
