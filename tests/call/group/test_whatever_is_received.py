"""Whatever the service says to a member, a joiner or a host: documented errors, and nothing has changed after one.

Any message with any fields, some of them plausible; true messages once more, altered, or for somebody else; call messages that a
member seals whose software has no manners; and people who press any button meanwhile.
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

from e2ee.call.configuration import Configuration
from e2ee.call.group.group_call import GroupCall
from e2ee.call.group.states import State
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.errors import E2EEError
from e2ee.media.encoded_frame import Kind
from e2ee.profile.call_profile import JoinPolicy
from e2ee.signalling import fields, messages
from e2ee.signalling.messages import CALL, SERVICE, CallMessage, FromService
from e2ee.signalling.wire import encode
from e2ee.testing.mls_members import snapshot
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice
from e2ee.testing.strategies import messages_of
from tests.scenarios.meeting import COMMIT_PAUSE, Meeting

SMALL = st.integers(0, 4)
WORDS = st.sampled_from(
    [
        *("open", "join", "commit", "send", "leave", "ask_tree", "UNKNOWN_CALL", "GONE"),
        *("NOT_A_MEMBER", "KEY_PACKAGE_CIPHER_SUITE", "BANNED", "TOO_SOON", "opus", "VP8", "0"),
    ]
)
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

Step = Callable[["World"], None]


class World:
    """A meeting with a lobby: Alice and Bob are hosts, Carol is in, Dave asks, Erin knocks; and all that was sent so far."""

    def __init__(self, policy: JoinPolicy) -> None:
        self.calls = SimulatedCalls(SeededEntropy(b"whatever", ML_KEM_768._encaps_internal))
        configuration = Configuration(epoch_lifetime=60_000)
        names = ("alice", "bob", "carol", "dave", "erin")
        self.devices = [self.calls.device(name, configuration=configuration) for name in names]
        alice, bob, carol, dave, erin = self.devices
        accounts = [each.account.public for each in (bob, carol, dave)]
        options = {} if policy is JoinPolicy.LINK else {"accounts": tuple(accounts)}
        self.meeting = Meeting.open(self.calls, alice, join_policy=policy, **options)
        self.meeting.join(bob, carol)
        self.meeting.at(alice).make_host(self.meeting.leaf(bob), self.calls.now)
        self.meeting.pause()
        self.pool: list[FromService] = []
        for device in (dave, erin):
            self.meeting.ask(device)
            self.calls.submit_all(device)
        self.look()

    def device(self, number: int) -> SimulatedDevice:
        return self.devices[number % len(self.devices)]

    def call(self, number: int) -> GroupCall | None:
        return self.device(number).core.group_calls.get(self.meeting.call_id)

    def give(self, device: SimulatedDevice, message: FromService) -> None:
        """Whoever refuses a message is as it was before."""
        call = device.core.group_calls.get(self.meeting.call_id)
        before = None if call is None else snapshot_of(call, message)
        refused = self.calls.give(device, message)
        if refused is not None and call is not None:
            assert snapshot_of(call, message) == before

    def look(self) -> None:
        """What the devices have to send can be sent, and they can be asked for the time."""
        self.calls.send()
        for device in self.devices:
            for message in device.outbox:
                encode(message)
            self.pool += (message for message in device.inbox if message not in self.pool)
            device.core.get_timer()


def snapshot_of(call: GroupCall, given: FromService) -> Any:
    """All of a call but what it shares with its device: the generator, and the account keys it knows.

    What a member sealed has been opened before it is refused, and opens no second time (RFC 9420).
    """
    kept = dict(vars(call._actions))
    del kept["owner"], kept["asking"]
    participation = kept.pop("participation")
    if participation is not None:
        kept |= {name: value for name, value in vars(participation).items() if name != "_owner"}
        if isinstance(given, messages.Sent):
            del kept["epochs"]
        del kept["conversation"]
        kept["_removing_said"] = sorted(kept["_removing_said"])
    return call.state, snapshot(kept)


# ------------------------------------------------------------------------------------------------------ what happens


def the_service_says(message: FromService, number: int, *, of_the_call: bool) -> Step:
    def step(world: World) -> None:
        said: Any = message
        if of_the_call and any(each.name == "call_id" for each in fields_of(said)):
            said = replace(said, call_id=world.meeting.call_id)
        world.give(world.device(number), said)

    return step


def the_service_repeats(number: int, which: int, position: int, *, altered: bool) -> Step:
    """Something that was true once, to anybody, perhaps with a bit of it turned."""

    def step(world: World) -> None:
        if not world.pool:
            return
        said: Any = world.pool[which % len(world.pool)]
        if getattr(said, "number", 0) and not isinstance(said, messages.MediaOffer):
            said = replace(said, number=0)
        for name, check in said.checks:
            if altered and check is fields.Bytes.__metadata__[0] and getattr(said, name):  # type: ignore[attr-defined]
                data = bytearray(getattr(said, name))
                data[position % len(data)] ^= 1 << position % 8
                said = replace(said, **{name: bytes(data)})
        world.give(world.device(number), said)

    return step


def a_member_says(number: int, message: CallMessage) -> Step:
    """As a member's software may that has no manners."""

    def step(world: World) -> None:
        call = world.call(number)
        if call is not None and call.state in (State.IN_CALL, State.STRANDED):
            call._actions.inside.say(message)
            world.look()

    return step


def everything_arrives(world: World) -> None:
    world.look()
    for device in world.devices:
        while device.outbox:
            world.calls.submit(device)
    world.look()
    for device in world.devices:
        while device.inbox:
            message = device.inbox.popleft()
            world.give(device, message)


def time_passes(milliseconds: int) -> Step:
    def step(world: World) -> None:
        world.calls.advance(milliseconds, settle=False)

    return step


def somebody_presses(number: int, button: str, leaf: int, *, yes: bool) -> Step:
    def step(world: World) -> None:
        call = world.call(number)
        if call is not None:
            with contextlib.suppress(E2EEError):
                BUTTONS[button](call, leaf, yes, world.calls.now)

    return step


BUTTONS: dict[str, Callable[[GroupCall, int, bool, int], object]] = {
    "remove": lambda call, leaf, _, now: call.remove(leaf, now),
    "ban": lambda call, leaf, _, now: call.ban(leaf, now),
    "make host": lambda call, leaf, _, now: call.make_host(leaf, now),
    "drop host": lambda call, leaf, _, now: call.drop_host(leaf, now),
    "invite": lambda call, leaf, _, now: call.invite_to_stage(leaf, now),
    "reply": lambda call, _, yes, now: call.reply_to_stage(yes, now),
    "on": lambda call, leaf, _, now: call.take_on_stage(leaf, now),
    "off": lambda call, leaf, _, now: call.take_off_stage(leaf, now),
    "mute": lambda call, leaf, _, now: call.request_mute(leaf, Kind.CAMERA, now),
    "hand": lambda call, _, yes, now: call.raise_hand(yes, now),
    "link": lambda call, _, __, now: call.change_link(now),
    "close": lambda call, _, yes, now: call.set_join_policy(
        JoinPolicy.CLOSED if yes else JoinPolicy.LINK, now
    ),
    "admit": lambda call, _, yes, now: (call.admit if yes else call.turn_away)("erin", now),
    "leave": lambda call, _, yes, now: call.leave(now) if yes else None,
}

STEPS = st.one_of(
    st.builds(the_service_says, any_of(FROM_SERVICE), NUMBER, of_the_call=st.booleans()),
    st.builds(the_service_repeats, NUMBER, NUMBER, NUMBER, altered=st.booleans()),
    st.builds(a_member_says, NUMBER, any_of(list(CALL.messages.values()))),
    st.just(everything_arrives),
    st.builds(time_passes, st.sampled_from([1, 1_000, 3_000, 8_000])),
    st.builds(
        somebody_presses,
        NUMBER,
        st.sampled_from(list(BUTTONS)),
        st.integers(0, 5),
        yes=st.booleans(),
    ),
)


@pytest.mark.requirement("GROUP-24", "GROUP-20", "GROUP-11", "GROUP-9")
@settings(max_examples=max(5, settings().max_examples // 2))
@given(
    policy=st.sampled_from([JoinPolicy.LINK, JoinPolicy.ADMITTED]),
    steps=st.lists(STEPS, max_size=25),
)
def test_whatever_happens_is_refused_or_done(policy: JoinPolicy, steps: list[Step]) -> None:
    world = World(policy)
    for step in steps:
        step(world)
        world.look()
    world.calls.advance(COMMIT_PAUSE, settle=False)
