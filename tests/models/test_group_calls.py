"""The life of a group call while people, the network and the service do what they like, on simulated time.

Alice opens a meeting. The others come by its link, leave, crash, are removed and banned, become hosts, go onto the stage and off
it, change the link; messages of different connections overtake each other, connections break and come back, time passes. A
lying service shows what it has seen to anybody besides, and withholds what it likes. Whatever happens:

* who is in the same epoch of an honest service agrees on members, profile and call code;
* whoever is out of the call has no keys of it: nothing that is protected later opens with what it had;
* no key encrypts two frames with one counter (FKEY-4);
* what one member says of itself, others say of nobody else: hands and streams are those of members;
* nothing raises but the documented errors, no timer stays due, and deliveries come to an end;
* and when everybody is connected again and some time has passed, all who are in the call are in one epoch of it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import Phase, settings
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

from e2ee.call.configuration import Configuration
from e2ee.call.device import Device
from e2ee.call.device_memory import DeviceMemory
from e2ee.call.errors import CallUsageError
from e2ee.call.group.group_call import GroupCall
from e2ee.call.group.link import GroupLink
from e2ee.call.group.states import State
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener
from e2ee.media.protector import FrameProtector
from e2ee.sframe.header import decode_header
from e2ee.signalling import messages
from e2ee.signalling.messages import FromDevice, FromService
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice

NAMES = ("alice", "bob", "carol", "dave")
DEVICES = st.sampled_from(NAMES)
CHOICE = st.integers(0, 1 << 16)
"""Which of those that there are, modulo their number."""

RARELY = st.integers(0, 15)
"""Something is done if this is 15."""

DELIVERIES = 5_000
"""More than any network of four needs to come to rest."""

IN_GROUP = (State.IN_CALL, State.STRANDED)

T = TypeVar("T")


def chosen(some: Sequence[T], choice: int) -> T:
    return some[choice % len(some)]


@dataclass
class Former:
    """What a device keeps of a call that it is not in any more, against all rules: the opener that it had."""

    opener: FrameOpener
    stream: IncomingStream


class GroupLife(RuleBasedStateMachine):
    """One group call, its devices, and all messages that there ever were."""

    suites: ClassVar[tuple[int, ...]] = (0x0001,)
    lying: ClassVar[bool] = False

    @initialize(crowd=st.integers(1, 4))
    def begin(self, crowd: int) -> None:
        entropy = SeededEntropy(b"a life of many", ML_KEM_768._encaps_internal)
        self.calls = SimulatedCalls(entropy)
        configuration = Configuration(epoch_lifetime=15_000)
        self.devices = {
            name: self.calls.device(name, suites=self.suites, configuration=configuration)
            for name in NAMES
        }
        call = self.devices["alice"].core.create_group_call(self.calls.now)
        self.calls.settle()
        assert call.link is not None
        self.call_id, self.link = call.call_id, call.link
        self.pool: list[FromService] = []
        self.former: list[Former] = []
        self.openers: dict[str, FrameOpener] = {}
        self.protectors: dict[str, tuple[GroupCall, FrameProtector, int]] = {}
        self.used: set[tuple[str, int, int]] = set()
        for name in NAMES[1:crowd]:
            self.join(name)
        self.rest()
        self.calls.advance(2_000)
        self.calls.send()

    # -------------------------------------------------------------------------------------------- what people do

    @rule(name=DEVICES)
    def join(self, name: str) -> None:
        """By the newest link that somebody in the call would show."""
        if self.call_id not in self.devices[name].core.group_calls:
            self.devices[name].core.join_group_call(self.newest_link(), self.calls.now)

    @rule(name=DEVICES, luck=RARELY)
    def leave(self, name: str, luck: int) -> None:
        if luck == 15 and (call := self.call_of(name)) is not None:
            call.leave(self.calls.now)

    @rule(name=DEVICES, luck=RARELY)
    def crash(self, name: str, luck: int) -> None:
        """Its process ends, and another one begins that knows nothing of the call."""
        device = self.devices[name]
        if luck == 15 and device.online:
            self.calls.disconnect(device)
            memory = DeviceMemory(seen_calls=device.core._seen)
            device.core = Device(device.owner, memory)
            self.protectors.pop(name, None)
            self.openers.pop(name, None)
            self.calls.reconnect(device)

    @rule(name=DEVICES, verb=st.sampled_from(["remove", "ban"]), choice=CHOICE, luck=RARELY)
    def a_host_takes_somebody_out(self, name: str, verb: str, choice: int, luck: int) -> None:
        if verb == "remove" or luck == 15:
            self.to_somebody(name, verb, choice)

    @rule(
        name=DEVICES,
        verb=st.sampled_from(
            ["make_host", "drop_host", "take_on_stage", "take_off_stage", "invite_to_stage"]
        ),
        choice=CHOICE,
    )
    def a_host_gives_roles(self, name: str, verb: str, choice: int) -> None:
        self.to_somebody(name, verb, choice)

    @rule(name=DEVICES, verb=st.sampled_from(["everybody_speaks", "change_link"]), luck=RARELY)
    def a_host_changes_the_call(self, name: str, verb: str, luck: int) -> None:
        if luck > 11:
            self.does(name, lambda call: getattr(call, verb)(self.calls.now))

    @rule(name=DEVICES, raised=st.booleans())
    def raise_a_hand(self, name: str, raised: bool) -> None:
        self.does(name, lambda call: call.raise_hand(raised, self.calls.now))

    @rule(name=DEVICES, accepted=st.booleans())
    def answer_an_invitation_to_the_stage(self, name: str, accepted: bool) -> None:
        self.does(name, lambda call: call.reply_to_stage(accepted, self.calls.now))

    @rule(name=DEVICES)
    def write(self, name: str) -> None:
        self.does(name, lambda call: call.chat.say("words"))

    @rule(name=DEVICES, words=st.binary(min_size=1, max_size=40))
    def talk(self, name: str, words: bytes) -> None:
        call = self.call_of(name)
        protector = None if call is None else self.protector(name, call)
        if protector is None or call is None or not protector.ready:
            return
        protected = protector.protect(words)
        self.remember_counter(call, protected)
        for listener, at_listener in self.in_group().items():
            if listener != name:
                self.listen(at_listener.opener, protected, words)
        in_use = call._actions.in_group.frame_keys.send.epoch
        if in_use == call.epoch:
            for former in self.former:
                heard = former.opener.open(former.stream, protected, self.calls.now)
                assert not isinstance(heard, OpenedFrame)

    # ------------------------------------------------------------------------------------- what happens to messages

    @rule()
    def everything_arrives(self) -> None:
        self.rest()

    @precondition(lambda self: self.with_outbox())
    @rule(choice=CHOICE)
    def one_reaches_the_service(self, choice: int) -> None:
        self.calls.submit(chosen(self.with_outbox(), choice))
        self.remember_messages()

    @precondition(lambda self: self.with_inbox())
    @rule(choice=CHOICE)
    def one_arrives(self, choice: int) -> None:
        self.calls.deliver(chosen(self.with_inbox(), choice))

    @precondition(lambda self: self.with_inbox())
    @rule(choice=CHOICE, which=CHOICE)
    def one_is_repeated(self, choice: int, which: int) -> None:
        device = chosen(self.with_inbox(), choice)
        self.calls.give(device, without_number(device.inbox[which % len(device.inbox)]))

    @precondition(lambda self: self.lying and self.with_inbox())
    @rule(choice=CHOICE, which=CHOICE)
    def the_service_keeps_one_back(self, choice: int, which: int) -> None:
        device = chosen(self.with_inbox(), choice)
        del device.inbox[which % len(device.inbox)]

    @precondition(lambda self: self.lying and self.pool)
    @rule(name=DEVICES, choice=CHOICE)
    def the_service_shows_whatever_it_likes(self, name: str, choice: int) -> None:
        if self.devices[name].online:
            self.calls.give(self.devices[name], chosen(self.pool, choice))

    @rule(name=DEVICES, luck=RARELY)
    def a_connection_breaks_or_comes_back(self, name: str, luck: int) -> None:
        device = self.devices[name]
        if not device.online:
            self.calls.reconnect(device)
        elif luck == 15:
            self.calls.disconnect(device)

    @rule(milliseconds=st.sampled_from([1, 250, 1_000, 1_500, 3_000, 10_000]))
    def time_passes_and_nothing_arrives(self, milliseconds: int) -> None:
        self.calls.advance(milliseconds, settle=False)

    @rule(milliseconds=st.sampled_from([20, 1_000, 3_000]))
    def time_passes_in_a_good_network(self, milliseconds: int) -> None:
        self.rest()
        self.calls.advance(milliseconds)

    # ------------------------------------------------------------------------------------------- what must hold

    @invariant()
    def of_one_log_there_is_one_group_an_epoch(self) -> None:
        if self.lying:
            return
        views: dict[int, set[Any]] = {}
        for call in self.in_group().values():
            view = call.call_code, call.members, call.profile
            views.setdefault(call.epoch, set()).add(view)
        assert all(len(of_epoch) == 1 for of_epoch in views.values())

    @invariant()
    def who_is_out_has_no_keys(self) -> None:
        self.note_former()
        for name, (call, protector, _) in list(self.protectors.items()):
            if call.state not in IN_GROUP:
                assert not protector.ready
                del self.protectors[name]

    @invariant()
    def what_is_shown_of_members_is_of_members(self) -> None:
        for call in self.in_group().values():
            others = {member.leaf_index for member in call.members} - {call.own_leaf}
            assert call.hands <= others
            assert call.left <= others
            assert set(call.streams) <= others

    @invariant()
    def an_end_is_an_end(self) -> None:
        for device in self.devices.values():
            for call in device.core.group_calls.values():
                assert call.state is not State.ENDED

    def teardown(self) -> None:
        """Everybody is connected again, and time passes."""
        if not hasattr(self, "devices") or self.lying:
            return
        for device in self.devices.values():
            if not device.online:
                self.calls.reconnect(device)
        self.rest()
        self.calls.advance(30_000)
        self.rest()
        self.calls.advance(30_000)
        self.rest()
        states = {name: call.state for name, call in self.in_call().items()}
        assert set(states.values()) <= {State.IN_CALL, State.ASKING}, states
        inside = list(self.in_group().values())
        if inside:
            assert State.ASKING not in states.values() or not self.is_known(inside), states
        assert len({(call.epoch, call.call_code) for call in inside}) <= 1
        keys = [{m.certificate.signature_key for m in call.members} for call in inside]
        owners = {self.devices[name].owner.signing_key.public for name in self.in_group()}
        assert all(each == owners for each in keys), (states, list(map(len, keys)))

    # -------------------------------------------------------------------------------------------------- their parts

    def is_known(self, inside: list[GroupCall]) -> bool:
        """Whether who asks has the link that the call has now."""
        links = [call.link for call in inside]
        asking = [
            call._actions.asking.entrance.link
            for call in self.in_call().values()
            if call.state is State.ASKING and call._actions.asking is not None
        ]
        return all(link in links for link in asking)

    def in_call(self) -> dict[str, GroupCall]:
        """The devices that are in the call, or want to be."""
        found = {name: self.call_of(name) for name in NAMES}
        return {name: call for name, call in found.items() if call is not None}

    def in_group(self) -> dict[str, GroupCall]:
        """The devices that are in an epoch of it."""
        return {name: call for name, call in self.in_call().items() if call.state in IN_GROUP}

    def call_of(self, name: str) -> GroupCall | None:
        return self.devices[name].core.group_calls.get(self.call_id)

    def newest_link(self) -> GroupLink:
        inside = sorted(self.in_group().values(), key=lambda call: call.epoch)
        if inside and (link := inside[-1].link) is not None:
            self.link = link
        return self.link

    def does(self, name: str, what: Any) -> None:
        """Somebody does something, if it goes now."""
        if (call := self.call_of(name)) is not None:
            try:
                what(call)
            except CallUsageError:
                return

    def to_somebody(self, name: str, verb: str, choice: int) -> None:
        def do(call: GroupCall) -> None:
            leaf = chosen(call.members, choice).leaf_index
            getattr(call, verb)(leaf, self.calls.now)

        self.does(name, do)

    def protector(self, name: str, call: GroupCall) -> FrameProtector | None:
        """A device's microphone; a new one for a new leaf."""
        if call.state not in IN_GROUP or not call.may_speak:
            return None
        known = self.protectors.get(name)
        entered = id(call._actions.participation)
        if known is None or known[0] is not call or known[2] != entered:
            opened = call.open_stream(Codec.OPUS, Kind.MICROPHONE)
            known = self.protectors[name] = (call, opened, entered)
        return known[1]

    def note_former(self) -> None:
        """Keep the openers of those who are in, and note those of whoever is not any more."""
        now = {name: call.opener for name, call in self.in_group().items()}
        for name, opener in self.openers.items():
            if now.get(name) is not opener:
                self.former.append(Former(opener, IncomingStream(Codec.OPUS, Kind.MICROPHONE)))
        self.openers = now

    def listen(self, opener: FrameOpener, protected: bytes, words: bytes) -> None:
        stream = IncomingStream(Codec.OPUS, Kind.MICROPHONE)
        heard = opener.open(stream, protected, self.calls.now)
        if isinstance(heard, OpenedFrame):
            assert heard.data == words

    def remember_counter(self, call: GroupCall, protected: bytes) -> None:
        """FKEY-4. The sending epoch's base_key names the key, whatever else is equal."""
        KID, CTR, _ = decode_header(protected, 0)
        in_use = call._actions.in_group.frame_keys.send._in_use
        assert in_use is not None
        key = (bytes(in_use.epoch.base_key).hex(), KID, CTR)
        assert key not in self.used
        self.used.add(key)

    def rest(self) -> None:
        """Everything arrives, and that comes to an end."""
        self.calls.send()
        for _ in range(DELIVERIES):
            if not self.with_outbox() and not self.with_inbox():
                return
            for device in self.with_outbox():
                self.calls.submit(device)
            for device in self.with_inbox():
                self.calls.deliver(device)
        raise AssertionError("messages beget messages without end")

    def with_outbox(self) -> list[SimulatedDevice]:
        self.calls.send()
        self.remember_messages()
        return [device for device in self.devices.values() if device.outbox]

    def with_inbox(self) -> list[SimulatedDevice]:
        return [device for device in self.devices.values() if device.inbox]

    def remember_messages(self) -> None:
        """What a lying service can make of all that passes through its hands."""
        if not self.lying:
            return
        for device in self.devices.values():
            arriving = map(without_number, device.inbox)
            self.pool += [message for message in arriving if message not in self.pool]
            for message in device.outbox:
                self.pool += [shown for shown in shown_as(message) if shown not in self.pool]


def without_number(message: FromService) -> FromService:
    """The same, of which a device does not know whether it was taken (DS-9)."""
    if getattr(message, "number", 0):
        changed: Any = message
        return replace(changed, number=0)  # type: ignore[no-any-return]
    return message


def shown_as(message: FromDevice) -> list[FromService]:
    """What a service can show of a request to others, without asking whether it may."""
    match message:
        case messages.Commit():
            entry: list[FromService] = [messages.Committed(message.call_id, message.commit)]
            if message.welcome is not None:
                entry.append(messages.Added(message.call_id, message.welcome))
            return entry
        case messages.Send():
            return [messages.Sent(message.call_id, message.message)]
        case messages.Join():
            return [
                messages.JoinRequested(message.call_id, message.key_package, 0, lobby=False),
                messages.Voided(message.call_id, 1),
                messages.Refused("send", message.call_id, "NOT_A_MEMBER", ""),
                messages.Refused("", message.call_id, "GONE", ""),
            ]
        case _:
            return []


class HybridGroupLife(GroupLife):
    suites = (0x0001, 0xF0E2)


class LiedToGroupLife(GroupLife):
    lying = True


@pytest.mark.requirement(
    "GROUP-8", "GROUP-16", "GROUP-17", "GROUP-20", "GROUP-21", "GROUP-24", "FKEY-4", "CALL-14"
)
@pytest.mark.parametrize("life", [GroupLife, HybridGroupLife, LiedToGroupLife])
def test_whatever_happens(life: type[GroupLife]) -> None:
    examples = max(2, settings().max_examples // 6)  # each is a whole life
    # a life is long: to shorten one takes longer than a test may
    shortens = os.environ.get("HYPOTHESIS_PROFILE") == "explore"
    phases = [each for each in settings().phases if shortens or each is not Phase.shrink]
    run_state_machine_as_test(
        life, settings=settings(max_examples=examples, stateful_step_count=60, phases=phases)
    )
