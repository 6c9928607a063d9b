"""Whatever the service and other members say and people do: documented errors, and messages that a wire can carry.

Any message with any fields, some of them plausible; true messages once more, mixed, to whom they are not for; call messages
that a member seals whose software has no manners; people who press any button. Nothing else comes of it than a refusal.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import fields as fields_of
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kyber_py.ml_kem import ML_KEM_768

from e2ee.call.call import Call
from e2ee.call.configuration import Configuration
from e2ee.call.end_reason import EndReason
from e2ee.call.medium import Medium
from e2ee.call.sent_media import SentMedia
from e2ee.call.states import State
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.errors import E2EEError
from e2ee.signalling import fields, messages
from e2ee.signalling.messages import CALL, SERVICE, CallMessage, FromService
from e2ee.signalling.wire import encode
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice
from e2ee.testing.strategies import messages_of

# ------------------------------------------------------------------------------------------------------- any message

SMALL = st.integers(0, 4)
WORDS = st.sampled_from([*(reason.value for reason in EndReason), *SERVICE.messages, "video", "en"])
USUAL = {
    fields.U32: SMALL,
    fields.U64: SMALL,
    fields.Text: WORDS,
    fields.Name: st.sampled_from(["alice", "bob", "carol"]),
    fields.ListOfU32: st.lists(SMALL, max_size=4).map(tuple),
    fields.ListOfText: st.lists(WORDS, max_size=4).map(tuple),
}


def any_of(kinds: list[type[Any]]) -> st.SearchStrategy[Any]:
    """Any message of these classes, with fields that are plausible more often than not."""
    return messages_of(kinds, USUAL)


FROM_SERVICE = [kind for kind in SERVICE.messages.values() if issubclass(kind, FromService)]
NUMBER = st.integers(0, 1 << 16)
TEXT = st.text(max_size=20) | st.just("a" * (1 << 16)) | st.just("\ud83c")

# ---------------------------------------------------------------------------------------------------------- the world

Step = Callable[["World"], None]


class World:
    """Three devices, two of them Bob's, and all that was ever sent to them."""

    def __init__(self, calls: SimulatedCalls, pool: list[FromService]) -> None:
        self.calls = calls
        self.pool = pool

    def device(self, number: int) -> SimulatedDevice:
        return self.calls.devices[number % len(self.calls.devices)]

    def call(self, number: int) -> Call | None:
        """A call of a device, if it has one."""
        calls = list(self.device(number).core.calls.values())
        return calls[number % len(calls)] if calls else None

    def look(self) -> None:
        """What the devices have to send can be sent, and they can be asked for the time."""
        self.calls.send()
        for device in self.calls.devices:
            for message in device.outbox:
                encode(message)
            self.pool += (message for message in device.inbox if message not in self.pool)
            timer = device.core.get_timer()
            assert timer is None or timer <= self.calls.now + 700_000


def in_state(state: State | None) -> World:
    """A world in which a call of Alice's came so far; None for one without a call."""
    calls = SimulatedCalls(SeededEntropy(b"whatever", ML_KEM_768._encaps_internal))
    configuration = Configuration(epoch_lifetime=60_000)
    alice, bob, _ = (
        calls.device(name, device_id=number, configuration=configuration)
        for name, number in (("alice", 1), ("bob", 1), ("bob", 2))
    )
    world = World(calls, [])
    match state:
        case None:
            pass
        case State.LIVE:
            calls.go_live(alice, bob)
        case _:
            placed = alice.core.place_call("bob", calls.now)
            world.look()
            while placed.state is not state and any(d.inbox or d.outbox for d in calls.devices):
                for device in calls.devices:
                    calls.submit_all(device)
                    world.look()
                for device in calls.devices:
                    calls.deliver_all(device)
                    world.look()
                if bob.core.calls and bob.call.state is State.RINGING and state is State.ANSWERED:
                    bob.call.answer(calls.now)
                    calls.send()
    world.look()
    return world


STATES = [None, State.LOOKING_UP, State.CLAIMING, State.INVITING, State.CALLING, State.ANSWERED]
WORLDS = st.sampled_from([*STATES, State.LIVE])


# ------------------------------------------------------------------------------------------------------ what happens


def the_service_says(message: FromService, number: int, *, of_a_call: bool) -> Step:
    def step(world: World) -> None:
        call, said = world.call(number), message
        if of_a_call and call is not None and any(f.name == "call_id" for f in fields_of(said)):  # type: ignore[arg-type]
            said = replace(said, call_id=call.call_id)  # type: ignore[type-var]
        world.calls.give(world.device(number), said)

    return step


def the_service_repeats(number: int, which: int, other: int, *, mixed: bool) -> Step:
    """Something that was true once, perhaps with the contents of something else."""

    def step(world: World) -> None:
        if not world.pool:
            return
        said, donor = (world.pool[each % len(world.pool)] for each in (which, other))
        if mixed and type(said) is type(donor):
            name = said.checks[other % len(said.checks)][0] if said.checks else None
            said = replace(said, **{name: getattr(donor, name)}) if name else said  # type: ignore[type-var]
        if hasattr(said, "number"):
            said = replace(said, number=other % 3)  # type: ignore[type-var]
        world.calls.give(world.device(number), said)

    return step


def a_member_says(message: CallMessage, number: int, receiver: int) -> Step:
    def step(world: World) -> None:
        call = world.call(number)
        if call is None or call._actions.epochs is None:
            return
        sealed = call._actions.epochs.protect(message, world.device(number).owner.entropy)
        world.calls.give(world.device(receiver), messages.Sent(call.call_id, sealed))

    return step


def a_person(number: int, does: Callable[[Call, int], object]) -> Step:
    def step(world: World) -> None:
        call = world.call(number)
        if call is not None:
            with contextlib.suppress(E2EEError):
                does(call, world.calls.now)

    return step


def a_device(number: int, does: Callable[[SimulatedCalls, SimulatedDevice], object]) -> Step:
    def step(world: World) -> None:
        with contextlib.suppress(E2EEError):
            does(world.calls, world.device(number))

    return step


def breaks_or_is_back(calls: SimulatedCalls, device: SimulatedDevice) -> None:
    (calls.disconnect if device.online else calls.reconnect)(device)


def posts(text: str) -> Callable[[SimulatedCalls, SimulatedDevice], object]:
    return lambda calls, device: device.core.post_letter("bob", messages.Note(calls.now, text))


BUTTONS: st.SearchStrategy[Callable[[Call, int], object]] = st.one_of(
    st.just(lambda call, now: call.answer(now)),
    TEXT.map(lambda text: lambda call, now: call.decline(now, text)),
    st.sampled_from(EndReason).map(lambda reason: lambda call, now: call.hang_up(now, reason)),
    TEXT.map(lambda text: lambda call, now: call.describe(text, now)),
    st.builds(SentMedia).map(lambda sent: lambda call, now: call.send_media(sent, now)),
    TEXT.map(lambda text: lambda call, now: call.reconnect(text, now)),
    st.tuples(SMALL, TEXT).map(lambda of: lambda call, now: call.reconnected(*of, now)),
    st.just(lambda call, now: call.begin_code(now)),
    st.just(lambda call, _now: call.mark_verified()),
    TEXT.map(lambda text: lambda call, _now: call.chat.say(text)),
    TEXT.map(lambda text: lambda call, now: call.chat.write(text, now)),
    st.tuples(SMALL, SMALL, TEXT).map(lambda of: lambda call, _now: call.chat.react(*of)),
    st.tuples(SMALL, SMALL).map(lambda of: lambda call, now: call.chat.read(*of, now)),
    st.tuples(TEXT, TEXT).map(lambda of: lambda call, _now: call.chat.caption(*of)),
)
STEP: st.SearchStrategy[Step] = st.one_of(
    st.builds(the_service_says, any_of(FROM_SERVICE), NUMBER, of_a_call=st.booleans()),
    st.builds(the_service_repeats, NUMBER, NUMBER, NUMBER, mixed=st.booleans()),
    st.builds(a_member_says, any_of([*CALL.messages.values()]), NUMBER, NUMBER),
    st.builds(a_person, NUMBER, BUTTONS),
    st.builds(
        a_device,
        NUMBER,
        st.sampled_from(["alice", "bob", "nobody"]).map(
            lambda name: lambda calls, device: device.core.place_call(name, calls.now, Medium.TEXT)
        ),
    ),
    st.builds(a_device, NUMBER, st.just(breaks_or_is_back)),
    st.builds(a_device, NUMBER, st.text(max_size=20).map(posts)),
    st.integers(0, 20_000).map(lambda ms: lambda world: world.calls.advance(ms, settle=False)),
    st.just(lambda world: world.calls.settle()),
)


@pytest.mark.requirement("CALL-15", "SIG-2")
@settings(max_examples=max(25, settings().max_examples // 2))
@given(state=WORLDS, steps=st.lists(STEP, max_size=12))
def test_it_is_refused_as_documented_or_it_is_done(state: State | None, steps: list[Step]) -> None:
    world = in_state(state)
    for step in steps:
        step(world)
        world.look()
    world.calls.settle()
    world.calls.advance(130_000)
