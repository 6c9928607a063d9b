"""A device loses its connection to the service: the call goes on, and when it is there again nothing is lost and nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kyber_py.ml_kem import ML_KEM_768

from e2ee.call.call import Call
from e2ee.call.configuration import (
    ALIVE_PERIOD,
    MAX_EPOCH_LIFETIME,
    SERVICE_TIMEOUT,
    Configuration,
)
from e2ee.call.errors import CallReason
from e2ee.call.events import (
    Calling,
    Ended,
    EndReason,
    EpochChanged,
    LagChanged,
    MediaChanged,
    PresenceChanged,
    RequestRefused,
    Ringing,
    SendingStopped,
)
from e2ee.call.sent_media import SentMedia
from e2ee.call.states import State
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.media.encoded_frame import OpenedFrame
from e2ee.signalling import messages
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice

if TYPE_CHECKING:
    from tests.scenarios.conftest import Microphone

CAMERA = SentMedia(camera=True)


@pytest.fixture
def alice(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("alice")


@pytest.fixture
def bob(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("bob")


def camera_changes(device: SimulatedDevice) -> list[bool]:
    return [event.sent.camera for event in device.told(MediaChanged)]


# ------------------------------------------------------------------------------------------------ a call that is on


@pytest.mark.requirement("DS-9", "DS-11")
def test_media_go_on_and_what_was_said_is_heard_later(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    microphone: Callable[[Call, Call], Microphone],
) -> None:
    placed, answered = calls.go_live(alice, bob)
    talking, listening = microphone(placed, answered), microphone(answered, placed)
    calls.disconnect(bob)
    calls.settle()
    assert not alice.last(PresenceChanged).connected
    placed.send_media(CAMERA, calls.now)
    answered.send_media(CAMERA, calls.now)
    calls.settle()
    assert camera_changes(alice) == camera_changes(bob) == []
    assert isinstance(talking.say(b"hello"), OpenedFrame)
    assert isinstance(listening.say(b"hello"), OpenedFrame)

    calls.advance(20_000)
    calls.reconnect(bob)
    calls.settle()
    assert alice.last(PresenceChanged).connected
    assert camera_changes(alice) == camera_changes(bob) == [True]
    assert alice.refused == bob.refused == []
    assert [*alice.told(RequestRefused), *bob.told(RequestRefused)] == []


@pytest.mark.requirement("DS-9")
@pytest.mark.parametrize("arrived", [False, True])
def test_what_the_service_did_not_confirm_is_sent_again(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, arrived: bool
) -> None:
    """The connection breaks before ``stored`` comes back; whether the message had arrived, nobody can tell."""
    placed, _ = calls.go_live(alice, bob)
    placed.send_media(CAMERA, calls.now)
    calls.send()
    if arrived:
        calls.submit_all(alice)
    calls.disconnect(alice)
    calls.settle()
    assert camera_changes(bob) == ([True] if arrived else [])
    calls.reconnect(alice)
    calls.settle()
    assert camera_changes(bob) == [True]
    assert len(bob.refused) == arrived  # the second one is a repetition, as MLS knows it
    calls.disconnect(alice)
    calls.reconnect(alice)
    assert alice.sending(messages.Send) == []  # confirmed now


@pytest.mark.requirement("DS-9", "KEYS-17")
@pytest.mark.parametrize("arrived", [False, True])
def test_so_is_a_commit(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, arrived: bool
) -> None:
    placed, answered = calls.go_live(alice, bob)
    placed._actions.send_commit(None, calls.now)
    calls.send()
    if arrived:
        calls.submit_all(alice)
    calls.disconnect(alice)
    calls.settle()
    assert answered.epoch == (3 if arrived else 2)
    calls.reconnect(alice)
    calls.settle()
    assert placed.epoch == answered.epoch == 3
    assert placed.call_code == answered.call_code
    assert [event.epoch for event in alice.told(EpochChanged)] == [2, 3]


@pytest.mark.requirement("DS-9")
def test_what_is_said_while_there_is_no_connection_is_sent_once(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, _ = calls.go_live(alice, bob)
    calls.disconnect(alice)
    placed.send_media(CAMERA, calls.now)
    alice.core.next_event()
    calls.reconnect(alice)
    assert len(alice.sending(messages.Send)) == 1


@pytest.mark.requirement("DS-9")
def test_messages_keep_their_order(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    """Some were on their way when the connection broke, some were said while there was none."""
    placed, answered = calls.go_live(alice, bob)
    for camera in (True, False, True):
        placed.send_media(SentMedia(camera=camera), calls.now)
    calls.send()
    calls.submit(alice)
    calls.disconnect(alice)
    placed.send_media(SentMedia(camera=False), calls.now)
    calls.reconnect(alice)
    placed.send_media(SentMedia(camera=True), calls.now)
    calls.settle()
    assert camera_changes(bob) == [True, False, True, False, True]
    assert answered.received_media == CAMERA


@pytest.mark.requirement("CALL-13", "DS-9")
def test_a_device_that_comes_back_hears_that_the_call_is_over(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, _ = calls.go_live(alice, bob)
    calls.disconnect(bob)
    placed.hang_up(calls.now)
    calls.settle()
    calls.reconnect(bob)
    calls.settle()
    assert bob.last(Ended) == Ended(placed.call_id, EndReason.DONE, remote=True)


@pytest.mark.requirement("CALL-13", "DS-9")
def test_who_hangs_up_without_a_connection_says_so_later(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, _ = calls.go_live(alice, bob)
    calls.disconnect(alice)
    placed.hang_up(calls.now)
    calls.settle()
    assert alice.last(Ended).reason is EndReason.DONE
    assert bob.told(Ended) == []
    calls.reconnect(alice)
    calls.settle()
    assert bob.last(Ended) == Ended(placed.call_id, EndReason.DONE, remote=True)


@pytest.mark.requirement("CALL-23")
def test_who_is_away_for_long_stops_sending_and_goes_on_when_it_is_back(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, answered = calls.go_live(alice, bob)
    calls.disconnect(bob)
    calls.advance(3 * ALIVE_PERIOD)
    assert len(alice.told(SendingStopped)) == len(bob.told(SendingStopped)) == 1
    calls.reconnect(bob)
    calls.settle()
    for call in (placed, answered):
        assert call.silent(calls.now) == ()
    assert placed.epoch == answered.epoch


@pytest.mark.requirement("CALL-11", "CALL-24")
@pytest.mark.parametrize("away", ["alice", "bob"])
def test_who_was_away_is_not_taken_for_late(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, away: str
) -> None:
    """What was said meanwhile comes 12 s late; both say at once that they are there, so nothing is withheld for long."""
    calls.go_live(alice, bob)
    device = alice if away == "alice" else bob
    calls.advance(ALIVE_PERIOD - 500)
    calls.disconnect(device)
    calls.advance(12_500)  # each has said that it is alive, and one of them was not heard
    calls.reconnect(device)
    calls.settle()
    calls.advance(1_000)
    for each in (alice, bob):
        lags = [event.lag for event in each.told(LagChanged)]
        assert not lags or (lags[-1].milliseconds, lags[-1].shown) == (0, False)
    assert any(event.lag.withheld for each in (alice, bob) for event in each.told(LagChanged))


@pytest.mark.requirement("CALL-11")
def test_a_service_that_says_so_all_the_time_makes_nobody_talkative(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, _ = calls.go_live(alice, bob)
    for _ in range(100):
        calls.give(alice, messages.Presence(placed.call_id, 1, connected=True))
        calls.advance(100, settle=False)
    assert 1 <= len(alice.sending(messages.Send)) <= 10


# ---------------------------------------------------------------------------------------------- numbers of the mailbox


@pytest.mark.requirement("DS-9")
def test_what_was_taken_is_acknowledged_refused_or_not(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    bob.core.trust.block("alice")
    alice.core.place_call("bob", calls.now)
    while not bob.waiting(messages.Invited):
        calls.submit_all(alice)
        calls.deliver_all(alice)
    number = bob.waiting(messages.Invited)[0].number
    calls.deliver_all(bob)
    assert [error.reason for error in bob.refused] == [CallReason.MAY_NOT_RING]
    assert bob.sending(messages.Acknowledge) == [messages.Acknowledge(number)]
    calls.settle()
    calls.disconnect(bob)
    calls.reconnect(bob)
    assert list(bob.inbox) == []  # the mailbox is empty


@pytest.mark.requirement("DS-9")
def test_a_number_is_taken_once_a_connection(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, _ = calls.go_live(alice, bob)
    placed.send_media(CAMERA, calls.now)
    calls.submit_all(alice)
    (sent,) = bob.waiting(messages.Sent)
    for _ in range(3):
        assert calls.give(bob, sent) is None
    assert camera_changes(bob) == [True]


@pytest.mark.requirement("DS-9")
def test_what_was_not_acknowledged_comes_again_and_is_a_repetition(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    """The connection breaks between taking and acknowledging: an invitation, a message, a commit."""
    placed = alice.core.place_call("bob", calls.now)
    while not bob.waiting(messages.Invited):
        calls.submit_all(alice)
        calls.deliver_all(alice)
    calls.deliver_all(bob)
    breaks_and_comes_back(calls, bob)
    assert [error.reason for error in bob.refused] == [CallReason.CALL_ALREADY_SEEN]
    assert len(bob.told(Ringing)) == 1
    bob.refused.clear()

    bob.call.answer(calls.now)
    calls.settle()
    placed.describe("offer", calls.now)
    calls.settle()
    bob.call.describe("answer", calls.now)
    calls.settle()
    placed.send_media(CAMERA, calls.now)
    placed._actions.send_commit(None, calls.now)
    calls.submit_all(alice)
    calls.deliver_all(bob)
    breaks_and_comes_back(calls, bob)
    assert len(bob.refused) == 2
    assert placed.epoch == bob.call.epoch == 3
    assert camera_changes(bob) == [True]


def breaks_and_comes_back(calls: SimulatedCalls, device: SimulatedDevice) -> None:
    calls.disconnect(device)
    calls.reconnect(device)
    calls.settle()


# ------------------------------------------------------------------------------------------- a call that is beginning


@pytest.mark.requirement("CALL-29")
@pytest.mark.parametrize("answered", [0, 1])
def test_a_call_without_a_group_ends_with_the_connection(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, answered: int
) -> None:
    placed = alice.core.place_call("bob", calls.now)
    for _ in range(answered):
        calls.submit_all(alice)
        calls.deliver_all(alice)
    calls.disconnect(alice)
    calls.send()
    assert alice.last(Ended) == Ended(placed.call_id, EndReason.LOST, remote=True)
    again = alice.core.place_call("bob", calls.now)  # before it is back
    calls.reconnect(alice)
    calls.settle()
    assert again.state is State.CALLING
    assert alice.refused == []
    assert len(bob.told(Ringing)) == 1


@pytest.mark.requirement("CALL-16", "CALL-29")
@pytest.mark.parametrize("arrived", [False, True])
def test_an_invitation_that_was_on_its_way_is_taken_back(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, arrived: bool
) -> None:
    placed = alice.core.place_call("bob", calls.now)
    for _ in range(2):
        calls.submit_all(alice)
        calls.deliver_all(alice)
    calls.send()
    if arrived:
        calls.submit_all(alice)
    calls.disconnect(alice)
    calls.settle()
    assert len(bob.told(Ringing)) == arrived
    calls.advance(1_000)
    calls.reconnect(alice)
    calls.settle()
    assert placed.state is State.ENDED
    assert alice.last(Ended).reason is EndReason.LOST
    assert bob.core.calls == {}
    assert len(bob.told(Ended)) == len(bob.told(Ringing))
    assert alice.told(Calling) == []


@pytest.mark.requirement("CALL-16", "CALL-29")
def test_an_invitation_that_nobody_waits_for_any_more_is_not_sent(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    """The log knows the call, the invitation was lost; when Alice is back she has long given up. It must not ring."""
    placed = alice.core.place_call("bob", calls.now)
    for _ in range(2):
        calls.submit_all(alice)
        calls.deliver_all(alice)
    calls.send()
    calls.submit(alice)  # `open`, without the commit
    calls.disconnect(alice)
    calls.advance(SERVICE_TIMEOUT)
    assert placed.state is State.ENDED
    calls.advance(10_000)
    calls.reconnect(alice)
    calls.settle()
    assert bob.told(Ringing) == []


@pytest.mark.requirement("DS-9", "CALL-9")
@pytest.mark.parametrize("arrived", [False, True])
def test_a_device_that_answers_as_its_connection_breaks_answers_when_it_is_back(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, arrived: bool
) -> None:
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    bob.call.answer(calls.now)
    calls.send()
    if arrived:
        calls.submit_all(bob)
    calls.disconnect(bob)
    calls.advance(3_000)
    calls.reconnect(bob)
    calls.settle()
    assert (placed.state, bob.call.state) == (State.ANSWERED, State.ACCEPTING)
    assert placed.call_code == bob.call.call_code


# -------------------------------------------------------------------------------------------- whatever happens to both

BREAKS = st.lists(
    st.tuples(
        st.sampled_from(["alice breaks", "bob breaks", "alice is back", "bob is back", "settle"])
        | st.sampled_from(["alice says", "bob says", "one to the service", "one to a device"]),
        st.integers(0, 2_000),
    ),
    max_size=40,
)


def different_each_time(number: int) -> SentMedia:
    return SentMedia(*(bool(number & bit) for bit in (1, 2, 4, 8)))


class BadConnections:
    """Alice and Bob in a call, who say something now and then, and what they heard."""

    def __init__(self, epoch_lifetime: int) -> None:
        self.calls = SimulatedCalls(SeededEntropy(b"breaks", ML_KEM_768._encaps_internal))
        configuration = Configuration(epoch_lifetime=epoch_lifetime)
        alice, bob = (self.calls.device(name, configuration=configuration) for name in NAMES)
        placed, answered = self.calls.go_live(alice, bob)
        self.devices = {"alice": alice, "bob": bob}
        self.call = {"alice": placed, "bob": answered}
        self.said: dict[str, list[SentMedia]] = {"alice": [], "bob": []}

    def play(self, steps: list[tuple[str, int]]) -> None:
        for what, milliseconds in steps:
            self.step(*what.split(maxsplit=1))
            self.calls.advance(milliseconds, settle=False)
        for device in self.devices.values():
            if not device.online:
                self.calls.reconnect(device)
        self.calls.settle()

    def step(self, who: str, does: str = "") -> None:
        calls, device = self.calls, self.devices.get(who)
        if who == "settle":
            calls.settle()
        elif device is None:
            self.move_one(does)
        elif does == "says":
            self.said[who].append(different_each_time(len(self.said[who])))
            self.call[who].send_media(self.said[who][-1], calls.now)
        elif does == "breaks" and device.online:
            calls.disconnect(device)
        elif does == "is back" and not device.online:
            calls.reconnect(device)

    def move_one(self, where: str) -> None:
        self.calls.send()
        with_outbox = [device for device in self.calls.devices if device.outbox]
        with_inbox = [device for device in self.calls.devices if device.inbox]
        if where == "to the service" and with_outbox:
            self.calls.submit(with_outbox[0])
        elif where == "to a device" and with_inbox:
            self.calls.deliver(with_inbox[-1])

    def heard(self, who: str) -> list[SentMedia]:
        """What the other one heard of somebody."""
        (other,) = self.devices.keys() - {who}
        return [event.sent for event in self.devices[other].told(MediaChanged)]


NAMES = ("alice", "bob")
FEWER = settings(max_examples=max(10, settings().max_examples // 4))


@pytest.mark.requirement("DS-9")
@FEWER
@given(steps=BREAKS)
def test_however_connections_break_in_the_end_both_have_heard_everything_once(
    steps: list[tuple[str, int]],
) -> None:
    """And in its order: the service is honest, the connections are not good."""
    both = BadConnections(epoch_lifetime=MAX_EPOCH_LIFETIME)
    both.play(steps)
    for name in NAMES:
        assert both.heard(name) == both.said[name]
        assert both.call[name].state is State.LIVE


@pytest.mark.requirement("CALL-12", "DS-9", "KEYS-15", "KEYS-17")
@FEWER
@given(steps=BREAKS)
def test_however_connections_break_both_are_in_one_epoch_in_the_end(
    steps: list[tuple[str, int]],
) -> None:
    """Epochs change as soon as they can. What was said in one that ended ten seconds ago is lost; nothing comes twice."""
    both = BadConnections(epoch_lifetime=3_000)
    both.play(steps)
    for name in NAMES:
        to_come = iter(both.said[name])
        assert all(heard in to_come for heard in both.heard(name))
    both.calls.advance(10_000)
    placed, answered = both.call.values()
    assert placed.call_code == answered.call_code
    assert placed.state is answered.state is State.LIVE
