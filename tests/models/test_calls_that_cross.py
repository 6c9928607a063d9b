"""Two people who may call each other at any time, on simulated time: calls cross, find somebody busy, are given up and come back.

Bob has two devices. Nobody calls while in a call. Messages come in any order between devices, connections break. Whatever
happens:

* of each call at most one device of the callee ever becomes live (CALL-8);
* no device is in two calls at a time: what crosses its own call waits, or takes its place (CALL-18, CALL-21);
* no call goes back, and each ends once, with or without a note that it was missed (CALL-9, CALL-13);
* in a good network all calls are answered or over after a while, and both sides of an answered one are in it (CALL-19, CALL-29).
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from kyber_py.ml_kem import ML_KEM_768

from e2ee.call.call import Call
from e2ee.call.errors import CallUsageError
from e2ee.call.events import Ended, Missed, Replaced, Ringing
from e2ee.call.states import State
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice

ORDER = list(State)
CHOICE = st.integers(0, 1 << 16)
LUCK = st.integers(0, 7)

IN_CALL = frozenset(
    {State.ANSWERED, State.CONNECTING, State.ACCEPTING, State.DESCRIBING, State.LIVE}
)
WAITS = frozenset({State.INVITED, State.CANCELLING})
"""The states of a call that keeps its device from no other one: held back, or being taken back."""

T = TypeVar("T")


def chosen(some: Sequence[T], choice: int) -> T:
    return some[choice % len(some)]


class CallsThatCross(RuleBasedStateMachine):
    """Three devices, and every call that there ever was, as each device has it."""

    @initialize()
    def begin(self) -> None:
        self.calls = SimulatedCalls(SeededEntropy(b"crossing", ML_KEM_768._encaps_internal))
        self.devices = [
            self.calls.device(name, device_id=number)
            for name, number in (("alice", 1), ("bob", 1), ("bob", 2))
        ]
        self.known: list[dict[bytes, Call]] = [{} for _ in self.devices]
        self.states: dict[tuple[int, bytes], State] = {}
        self.were_live: dict[bytes, set[int]] = {}

    # -------------------------------------------------------------------------------------------- what people do

    @rule(choice=CHOICE)
    def place(self, choice: int) -> None:
        device = chosen(self.devices, choice)
        other = "bob" if device.account.account_id == "alice" else "alice"
        if all(call.state in WAITS for call in device.core.calls.values()):
            with contextlib.suppress(CallUsageError):  # it rings here already
                device.core.place_call(other, self.calls.now)

    @precondition(lambda self: self.in_state(State.RINGING))
    @rule(choice=CHOICE)
    def answer(self, choice: int) -> None:
        chosen(self.in_state(State.RINGING), choice).answer(self.calls.now)

    @precondition(lambda self: self.in_state(State.RINGING))
    @rule(choice=CHOICE, luck=LUCK)
    def decline(self, choice: int, luck: int) -> None:
        if luck == 7:
            chosen(self.in_state(State.RINGING), choice).decline(self.calls.now)

    @precondition(lambda self: self.in_state(State.ANSWERED, State.DESCRIBING))
    @rule(choice=CHOICE)
    def describe(self, choice: int) -> None:
        call = chosen(self.in_state(State.ANSWERED, State.DESCRIBING), choice)
        call.describe("v=0", self.calls.now)

    @precondition(lambda self: self.in_state(*(set(State) - {State.ENDED, State.CANCELLING})))
    @rule(choice=CHOICE, luck=LUCK)
    def hang_up(self, choice: int, luck: int) -> None:
        if luck == 7:
            active = self.in_state(*(set(State) - {State.ENDED, State.CANCELLING}))
            chosen(active, choice).hang_up(self.calls.now)

    # ------------------------------------------------------------------------------------------- what messages do

    @rule(choice=CHOICE)
    def one_reaches_the_service(self, choice: int) -> None:
        self.calls.send()
        if waiting := [device for device in self.devices if device.outbox]:
            self.calls.submit(chosen(waiting, choice))

    @rule(choice=CHOICE)
    def one_reaches_a_device(self, choice: int) -> None:
        if waiting := [device for device in self.devices if device.inbox]:
            self.calls.deliver(chosen(waiting, choice))

    @rule()
    def everything_arrives(self) -> None:
        self.calls.settle()

    @rule(choice=CHOICE, luck=LUCK)
    def a_connection_breaks_or_comes_back(self, choice: int, luck: int) -> None:
        device = chosen(self.devices, choice)
        if not device.online:
            self.calls.reconnect(device)
        elif luck == 7:
            self.calls.disconnect(device)

    @rule(milliseconds=st.sampled_from([1, 1_000, 5_000, 10_000, 30_000]), arrives=st.booleans())
    def time_passes(self, milliseconds: int, arrives: bool) -> None:
        self.calls.advance(milliseconds, settle=arrives)

    # ------------------------------------------------------------------------------------------- what must hold

    @invariant()
    def no_call_goes_back(self) -> None:
        for number, calls in enumerate(self.look()):
            for call_id, call in calls.items():
                before = self.states.get((number, call_id), call.state)
                assert ORDER.index(call.state) >= ORDER.index(before)
                self.states[number, call_id] = call.state

    @invariant()
    def at_most_one_device_of_the_callee_is_ever_live(self) -> None:
        for number, calls in enumerate(self.look()):
            for call_id, call in calls.items():
                if not call.is_caller and call.state in {State.DESCRIBING, State.LIVE}:
                    self.were_live.setdefault(call_id, set()).add(number)
        assert all(len(devices) == 1 for devices in self.were_live.values())

    @invariant()
    def nobody_is_in_two_calls(self) -> None:
        for device in self.devices:
            active = [c for c in device.core.calls.values() if c.state not in WAITS]
            assert len(active) <= 1

    @invariant()
    def each_call_is_told_once(self) -> None:
        for device in self.devices:
            for kind in (Ringing, Missed, Replaced, Ended):
                told = [event.call_id for event in device.told(kind)]
                assert len(told) == len(set(told))

    def teardown(self) -> None:
        """The network is good again, and nobody does anything more."""
        if not hasattr(self, "calls"):
            return
        for device in self.devices:
            if not device.online:
                self.calls.reconnect(device)
        self.calls.settle()
        self.calls.advance(200_000)
        for device in self.devices:
            for call_id, call in device.core.calls.items():
                assert call.state is State.LIVE
                others = [each for each in self.devices if each is not device]
                assert sum(call_id in each.core.calls for each in others) == 1

    # ------------------------------------------------------------------------------------------------ their parts

    def look(self) -> list[dict[bytes, Call]]:
        """Every call that there is or was, by device."""
        self.calls.send()
        for calls, device in zip(self.known, self.devices, strict=True):
            calls.update(device.core.calls)
        return self.known

    def in_state(self, *states: State) -> list[Call]:
        devices: list[SimulatedDevice] = self.devices
        return [
            call
            for device in devices
            for call in device.core.calls.values()
            if call.state in states
        ]


@pytest.mark.requirement("CALL-8", "CALL-9", "CALL-18", "CALL-19", "CALL-21", "CALL-29")
def test_whatever_crosses() -> None:
    examples = settings().max_examples // 2
    run_state_machine_as_test(
        CallsThatCross, settings=settings(max_examples=examples, stateful_step_count=40)
    )
