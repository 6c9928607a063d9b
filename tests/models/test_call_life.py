"""The life of a call while the network and the service do what they like, on simulated time.

Alice calls Bob, who has two devices. People answer, decline, describe, talk, hang up and are on the phone with others whenever
they like; messages are delayed, repeated, lost and reordered; connections break and come back; time passes. A lying
service shows any commit and any message to anybody besides. Whatever happens:

* at most one device of Bob's ever becomes live (CALL-8);
* nothing is protected or opened under epochs 0 and 1 (CALL-6);
* no key encrypts two frames with one counter (FKEY-4);
* who is in the same epoch of a service that keeps one log shows the same call code; and whoever shows the same call code
  hears the other (CALL-14);
* no call goes back, and of a call that is over nothing is left (CALL-9, CALL-13);
* nothing raises but the documented errors, and no timer stays due.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar, TypeVar

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
from e2ee.call.configuration import Configuration
from e2ee.call.events import DescriptionWanted, Ended, Missed
from e2ee.call.states import State
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.protector import FrameProtector
from e2ee.sframe.header import decode_header
from e2ee.signalling import messages
from e2ee.signalling.messages import FromDevice, FromService
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice

ORDER = list(State)
NAMES = ("alice", "phone", "tablet")
DEVICES = st.sampled_from(NAMES)
CHOICE = st.integers(0, 1 << 16)
"""Which of those that there are, modulo their number."""

MEDIA = (State.ANSWERED, State.CONNECTING, State.DESCRIBING, State.LIVE)
DESCRIBES = (State.ANSWERED, State.DESCRIBING)
HANGS_UP = tuple(set(State) - {State.ENDED, State.CANCELLING})

T = TypeVar("T")


def chosen(some: Sequence[T], choice: int) -> T:
    return some[choice % len(some)]


class CallLife(RuleBasedStateMachine):
    """One call, its three devices, and all messages that there ever were."""

    suites: ClassVar[tuple[int, ...]] = (0x0001,)
    lying: ClassVar[bool] = False

    @initialize(begins=st.sampled_from([State.LOOKING_UP, State.RINGING, State.LIVE]))
    def begin(self, begins: State) -> None:
        entropy = SeededEntropy(b"a life", ML_KEM_768._encaps_internal)
        self.calls = SimulatedCalls(entropy)
        configuration = Configuration(epoch_lifetime=3_000)
        device = partial(self.calls.device, suites=self.suites, configuration=configuration)
        self.devices = {
            "alice": device("alice"),
            "phone": device("bob", device_id=1),
            "tablet": device("bob", device_id=2),
        }
        if begins is State.LIVE:
            placed, _ = self.calls.go_live(self.devices["alice"], self.devices["phone"])
        else:
            placed = self.devices["alice"].core.place_call("bob", self.calls.now)
        if begins is State.RINGING:
            self.calls.settle()
        self.call_id = placed.call_id
        self.seen: dict[str, Call] = {}
        self.states: dict[str, State] = {}
        self.were_live: set[str] = set()
        self.protectors: dict[str, FrameProtector] = {}
        self.streams: dict[str, IncomingStream] = {}
        self.used: set[tuple[str, int, int]] = set()
        self.pool: list[FromService] = []
        self.calls.send()

    # -------------------------------------------------------------------------------------------- what people do

    @precondition(lambda self: self.in_state(State.RINGING))
    @rule(choice=CHOICE)
    def answer(self, choice: int) -> None:
        _, call = chosen(self.in_state(State.RINGING), choice)
        call.answer(self.calls.now)

    @precondition(lambda self: self.in_state(State.RINGING))
    @rule(choice=CHOICE, patience=st.integers(0, 15))
    def decline(self, choice: int, patience: int) -> None:
        if patience == 15:
            _, call = chosen(self.in_state(State.RINGING), choice)
            call.decline(self.calls.now, "not now")

    @rule(name=DEVICES, eagerness=st.integers(0, 15))
    def somebody_is_on_the_phone(self, name: str, eagerness: int) -> None:
        """With somebody whom the service does not know, as it says when it is asked."""
        if eagerness == 15:
            self.devices[name].core.place_call("carol", self.calls.now)

    @precondition(lambda self: self.in_state(*DESCRIBES))
    @rule(choice=CHOICE)
    def describe(self, choice: int) -> None:
        name, call = chosen(self.in_state(*DESCRIBES), choice)
        call.describe(f"of {name}", self.calls.now)

    @precondition(lambda self: self.in_state(*HANGS_UP))
    @rule(choice=CHOICE, patience=st.integers(0, 15))
    def hang_up(self, choice: int, patience: int) -> None:
        if patience == 15:
            _, call = chosen(self.in_state(*HANGS_UP), choice)
            call.hang_up(self.calls.now)

    @precondition(lambda self: self.in_state(*MEDIA))
    @rule(choice=CHOICE, words=st.binary(min_size=1, max_size=40))
    def talk(self, choice: int, words: bytes) -> None:
        sender, call = chosen(self.in_state(*MEDIA), choice)
        if sender not in self.protectors:
            self.protectors[sender] = call.open_stream(Codec.OPUS, Kind.MICROPHONE)
        if not self.protectors[sender].ready:
            return
        protected = self.protectors[sender].protect(words)
        KID, CTR, _ = decode_header(protected, 0)
        self.remember_counter(call, KID, CTR)
        for receiver, at_receiver in self.in_state(*MEDIA):
            if receiver != sender:
                self.listen(sender, receiver, at_receiver, protected, words)

    # ------------------------------------------------------------------------------------- what happens to messages

    @rule()
    def everything_arrives(self) -> None:
        self.calls.settle()

    @precondition(lambda self: self.with_outbox())
    @rule(choice=CHOICE)
    def one_reaches_the_service(self, choice: int) -> None:
        self.calls.submit(chosen(self.with_outbox(), choice))
        self.remember_messages()

    @precondition(lambda self: self.with_inbox())
    @rule(choice=CHOICE, which=CHOICE)
    def one_arrives(self, choice: int, which: int) -> None:
        """Not the oldest, perhaps; then without its number, so that what is older may still come."""
        device = chosen(self.with_inbox(), choice)
        which %= len(device.inbox)
        if which > 0:
            device.inbox[which] = without_number(device.inbox[which])
        self.calls.deliver(device, which)

    @precondition(lambda self: self.with_inbox())
    @rule(choice=CHOICE, which=CHOICE)
    def one_is_repeated(self, choice: int, which: int) -> None:
        device = chosen(self.with_inbox(), choice)
        self.calls.give(device, without_number(device.inbox[which % len(device.inbox)]))

    @precondition(lambda self: self.with_inbox())
    @rule(choice=CHOICE, which=CHOICE, luck=st.integers(0, 7))
    def one_is_lost(self, choice: int, which: int, luck: int) -> None:
        device = chosen(self.with_inbox(), choice)
        if luck == 7:
            del device.inbox[which % len(device.inbox)]

    @rule(name=DEVICES, luck=st.integers(0, 7))
    def a_connection_breaks_or_comes_back(self, name: str, luck: int) -> None:
        device = self.devices[name]
        if not device.online:
            self.calls.reconnect(device)
        elif luck == 7:
            self.calls.disconnect(device)

    @precondition(lambda self: self.lying and self.pool)
    @rule(name=DEVICES, choice=CHOICE)
    def the_service_shows_whatever_it_likes(self, name: str, choice: int) -> None:
        if self.devices[name].online:
            self.calls.give(self.devices[name], chosen(self.pool, choice))

    @rule(milliseconds=st.sampled_from([1, 250, 1_000, 2_999, 3_000, 5_000, 10_000]))
    def time_passes_and_nothing_arrives(self, milliseconds: int) -> None:
        self.calls.advance(milliseconds, settle=False)

    @rule(milliseconds=st.sampled_from([20, 1_000, 3_000, 10_000]))
    def time_passes_in_a_good_network(self, milliseconds: int) -> None:
        self.calls.settle()
        self.calls.advance(milliseconds)

    # ------------------------------------------------------------------------------------------- what must hold

    @invariant()
    def no_call_goes_back(self) -> None:
        for name, call in self.calls_that_there_are().items():
            before = self.states.get(name, call.state)
            assert ORDER.index(call.state) >= ORDER.index(before)
            self.states[name] = call.state

    @invariant()
    def at_most_one_device_of_bobs_is_ever_live(self) -> None:
        for name, call in self.calls_that_there_are().items():
            if name != "alice" and call.state in {State.DESCRIBING, State.LIVE}:
                self.were_live.add(name)
        assert len(self.were_live) <= 1

    @invariant()
    def nothing_is_sent_under_the_epochs_of_ringing(self) -> None:
        for call in self.calls_that_there_are().values():
            epochs = call._actions.epochs
            if epochs is not None:
                sending = epochs.frame_keys.send.epoch
                assert sending is None or sending >= 2

    @invariant()
    def of_one_log_there_is_one_code_an_epoch(self) -> None:
        if self.lying:
            return
        codes: dict[int, set[str]] = {}
        for call in self.calls_that_there_are().values():
            if call._actions.epochs is not None:
                codes.setdefault(call.epoch, set()).add(call.call_code)
        assert all(len(of_epoch) == 1 for of_epoch in codes.values())

    @invariant()
    def of_a_call_that_is_over_nothing_is_left(self) -> None:
        for name, call in self.calls_that_there_are().items():
            if call.state is State.ENDED:
                assert call._actions.epochs is None
                assert self.call_id not in self.devices[name].core.calls
                if name in self.protectors:
                    assert not self.protectors[name].ready

    @invariant()
    def each_ends_once(self) -> None:
        for device in self.devices.values():
            for kind in (Ended, DescriptionWanted, Missed):
                told = [event for event in device.told(kind) if event.call_id == self.call_id]
                assert len(told) <= 1

    # -------------------------------------------------------------------------------------------------- their parts

    def calls_that_there_are(self) -> dict[str, Call]:
        """The call as each device has it, ended ones too."""
        for name, device in self.devices.items():
            if self.call_id in device.core.calls:
                self.seen[name] = device.core.calls[self.call_id]
        return self.seen

    def in_state(self, *states: State) -> list[tuple[str, Call]]:
        """The devices at which the call is in one of these states."""
        calls = self.calls_that_there_are().items()
        return [(name, call) for name, call in calls if call.state in states]

    def with_outbox(self) -> list[SimulatedDevice]:
        self.calls.send()
        self.remember_messages()
        return [device for device in self.devices.values() if device.outbox]

    def with_inbox(self) -> list[SimulatedDevice]:
        return [device for device in self.devices.values() if device.inbox]

    def remember_messages(self) -> None:
        """What a lying service can make of all that passes through its hands."""
        for device in self.devices.values():
            arriving = map(without_number, device.inbox)
            self.pool += [message for message in arriving if message not in self.pool]
            for message in device.outbox:
                self.pool += [shown for shown in shown_as(message) if shown not in self.pool]

    def remember_counter(self, call: Call, KID: int, CTR: int) -> None:
        """FKEY-4. The sending epoch's base_key names the key, whatever else is equal."""
        epochs = call._actions.epochs
        assert epochs is not None
        in_use = epochs.frame_keys.send._in_use
        assert in_use is not None
        assert in_use.epoch.number >= 2
        key = (bytes(in_use.epoch.base_key).hex(), KID, CTR)
        assert key not in self.used
        self.used.add(key)

    def listen(
        self, sender: str, receiver: str, call: Call, protected: bytes, words: bytes
    ) -> None:
        """What another device makes of a frame: these words, or nothing."""
        streams = self.streams.setdefault(receiver, IncomingStream(Codec.OPUS, Kind.MICROPHONE))
        heard = call.opener.open(streams, protected, self.calls.now)
        if isinstance(heard, OpenedFrame):
            assert heard.data == words
            assert heard.epoch >= 2
        elif self.seen[sender].call_code == call.call_code:
            assert sending_epoch(self.seen[sender]) < call.epoch  # it came late


def sending_epoch(call: Call) -> int:
    epochs = call._actions.epochs
    assert epochs is not None
    assert epochs.frame_keys.send.epoch is not None
    return epochs.frame_keys.send.epoch


def without_number(message: FromService) -> FromService:
    """The same, of which a device does not know whether it was taken (DS-9)."""
    match message:
        case messages.Invited() | messages.Committed() | messages.Sent():
            return replace(message, number=0)
        case _:
            return message


def shown_as(message: FromDevice) -> list[FromService]:
    """What a service can show of a request to others, without asking whether it may."""
    match message:
        case messages.Commit():
            entry: list[FromService] = [messages.Committed(message.call_id, message.commit)]
            if message.welcome is not None and message.offer is not None:
                entry.append(messages.Invited(message.call_id, message.welcome, message.offer))
            return entry
        case messages.Send():
            return [messages.Sent(message.call_id, message.message)]
        case _:
            return []


class HybridCallLife(CallLife):
    suites = (0x0001, 0xF0E2)


class LiedToCallLife(CallLife):
    lying = True


class HybridLiedToCallLife(HybridCallLife):
    lying = True


@pytest.mark.requirement("CALL-6", "CALL-8", "CALL-9", "CALL-13", "CALL-14", "CALL-15", "FKEY-4")
@pytest.mark.parametrize("life", [CallLife, HybridCallLife, LiedToCallLife, HybridLiedToCallLife])
def test_whatever_happens(life: type[CallLife]) -> None:
    examples = settings().max_examples // 4  # each is a whole life
    run_state_machine_as_test(
        life, settings=settings(max_examples=examples, stateful_step_count=60)
    )
