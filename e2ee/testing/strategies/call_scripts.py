"""Call scripts: what people and the network do in a call, step by step, on simulated time.

    @given(call_scripts())
    def test_mine(script):
        calls = play(script)
        ...

A script is data: it shrinks to the few steps that matter, and prints as them. Steps that cannot be done where a call stands
are left out when it is played, so every script can be played to its end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from hypothesis import strategies as st
from kyber_py.ml_kem import ML_KEM_768

from e2ee.call.call import Call
from e2ee.call.configuration import Configuration
from e2ee.call.states import State
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.signalling import messages
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice

__all__ = ["DEVICES", "CallScript", "Step", "call_scripts", "play"]

DEVICES = ("alice", "bob's phone", "bob's tablet")
"""Who is in a script: Alice, who has one device, and Bob, who has two."""

_EPOCH_LIFETIME = 3_000
_CHOICES = st.integers(0, 255)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Step:
    """Something happens to or by ``device``, an index of ``DEVICES``; ``choice`` says to which of several, or for how long."""

    action: str
    device: int = 0
    choice: int = 0


@dataclass(frozen=True, slots=True)
class CallScript:
    """Steps, beginning at what ``begins`` names: nothing, a call that rings, or one that is live."""

    begins: str
    steps: tuple[Step, ...]


def call_scripts(*, most: int = 25) -> st.SearchStrategy[CallScript]:
    """Scripts of at most so many steps.

    ``call_scripts()`` draws ``CallScript("ringing", (Step("answer", 1, 0), Step("settle", 0, 0), Step("hang up", 0, 0)))``.
    """
    steps = st.builds(
        Step, st.sampled_from([*_ACTIONS]), st.integers(0, len(DEVICES) - 1), _CHOICES
    )
    begins = st.sampled_from(["nothing", "ringing", "live"])
    return st.builds(CallScript, begins, st.lists(steps, max_size=most).map(tuple))


def play(script: CallScript) -> SimulatedCalls:
    """The calls after all that the script says. ``devices`` are in the order of ``DEVICES``.

    What a device refuses is in its ``refused``; whatever else is raised is a fault, and comes out.
    """
    calls = SimulatedCalls(SeededEntropy(b"call scripts", ML_KEM_768._encaps_internal))
    configuration = Configuration(epoch_lifetime=_EPOCH_LIFETIME)
    alice = calls.device("alice", configuration=configuration)
    phone, _ = (
        calls.device("bob", device_id=number, configuration=configuration) for number in (1, 2)
    )
    if script.begins == "ringing":
        alice.core.place_call("bob", calls.now)
        calls.settle()
    elif script.begins == "live":
        calls.go_live(alice, phone)
    for step in script.steps:
        _ACTIONS[step.action](calls, calls.devices[step.device], step.choice)
        calls.send()
    return calls


# What can happen


def _call_in(device: SimulatedDevice, *states: State) -> Call | None:
    return next((call for call in device.core.calls.values() if call.state in states), None)


def _place(calls: SimulatedCalls, device: SimulatedDevice, _: int) -> None:
    if not device.core.calls:
        other = "alice" if device.account.account_id == "bob" else "bob"
        device.core.place_call(other, calls.now)


def _answer(calls: SimulatedCalls, device: SimulatedDevice, _: int) -> None:
    if (call := _call_in(device, State.RINGING)) is not None:
        call.answer(calls.now)


def _decline(calls: SimulatedCalls, device: SimulatedDevice, _: int) -> None:
    if (call := _call_in(device, State.RINGING)) is not None:
        call.decline(calls.now, "not now")


def _describe(calls: SimulatedCalls, device: SimulatedDevice, _: int) -> None:
    if (call := _call_in(device, State.ANSWERED, State.DESCRIBING)) is not None:
        call.describe("a description", calls.now)


def _hang_up(calls: SimulatedCalls, device: SimulatedDevice, _: int) -> None:
    if (call := _call_in(device, *(set(State) - {State.ENDED, State.CANCELLING}))) is not None:
        call.hang_up(calls.now)


def _settle(calls: SimulatedCalls, _: SimulatedDevice, __: int) -> None:
    calls.settle()


def _submit(calls: SimulatedCalls, device: SimulatedDevice, _: int) -> None:
    if device.outbox:
        calls.submit(device)


def _deliver(calls: SimulatedCalls, device: SimulatedDevice, choice: int) -> None:
    """Any that is on its way: not the oldest, perhaps, and then without its number, so that what is older may still come."""
    if device.inbox:
        which = choice % len(device.inbox)
        if which:
            device.inbox[which] = _without_number(device.inbox[which])
        calls.deliver(device, which)


def _repeat(calls: SimulatedCalls, device: SimulatedDevice, choice: int) -> None:
    if device.inbox:
        calls.give(device, _without_number(device.inbox[choice % len(device.inbox)]))


def _lose(_: SimulatedCalls, device: SimulatedDevice, choice: int) -> None:
    if device.inbox:
        del device.inbox[choice % len(device.inbox)]


def _without_number(message: messages.FromService) -> messages.FromService:
    if isinstance(message, messages.Invited | messages.Committed | messages.Sent):
        return replace(message, number=0)
    return message


def _disconnect(calls: SimulatedCalls, device: SimulatedDevice, _: int) -> None:
    if device.online:
        calls.disconnect(device)


def _reconnect(calls: SimulatedCalls, device: SimulatedDevice, _: int) -> None:
    if not device.online:
        calls.reconnect(device)


_PAUSES = (1, 250, 1_000, 2_999, 3_000, 10_000)


def _wait(calls: SimulatedCalls, _: SimulatedDevice, choice: int) -> None:
    calls.advance(_chosen(_PAUSES, choice), settle=bool(choice & 64))


def _chosen(some: Sequence[T], choice: int) -> T:
    return some[choice % len(some)]


_ACTIONS: Mapping[str, Callable[[SimulatedCalls, SimulatedDevice, int], None]] = {
    "settle": _settle,
    "place": _place,
    "answer": _answer,
    "decline": _decline,
    "describe": _describe,
    "hang up": _hang_up,
    "submit": _submit,
    "deliver": _deliver,
    "repeat": _repeat,
    "lose": _lose,
    "disconnect": _disconnect,
    "reconnect": _reconnect,
    "wait": _wait,
}
