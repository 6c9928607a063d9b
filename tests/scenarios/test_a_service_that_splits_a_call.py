"""A service that shows each side another commit, keeps commits back or brings no word of the other: nobody sends on for long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from e2ee.call.alive import StopReason
from e2ee.call.call import Call
from e2ee.call.configuration import ALIVE_PERIOD, ALIVE_PERIODS, EPOCH_END, MAX_EPOCH_LIFETIME
from e2ee.call.events import Ended, PresenceChanged, SendingResumed, SendingStopped
from e2ee.call.sent_media import SentMedia
from e2ee.errors import LocalProtocolError
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.media.errors import MediaReason
from e2ee.mls.errors import Rule
from e2ee.signalling import messages
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice

if TYPE_CHECKING:
    from tests.scenarios.conftest import Microphone

SILENCE = ALIVE_PERIODS * ALIVE_PERIOD


@pytest.fixture
def alice(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("alice")


@pytest.fixture
def bob(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("bob")


@dataclass
class Relay:
    """A service in the place of the true one: it hands on what the two say, and takes their commits off the wire."""

    calls: SimulatedCalls
    alice: SimulatedDevice
    bob: SimulatedDevice

    def pass_on(self) -> None:
        self.calls.send()
        for sender, receiver in ((self.alice, self.bob), (self.bob, self.alice)):
            for said in sender.sending(messages.Send):
                self.calls.give(receiver, messages.Sent(said.call_id, said.message))
            sender.outbox.clear()

    def wait(self, milliseconds: int) -> None:
        """Time passes, and ``alive`` comes and goes."""
        for _ in range(milliseconds // ALIVE_PERIOD):
            self.calls.advance(ALIVE_PERIOD, settle=False)
            self.pass_on()
        self.calls.advance(milliseconds % ALIVE_PERIOD, settle=False)
        self.pass_on()

    def show_to_itself(self, device: SimulatedDevice) -> None:
        """A commit is made and shown to who made it, and to nobody else."""
        device.call._actions.send_commit(None, self.calls.now)
        self.calls.send()
        commit = device.take(messages.Commit)
        self.calls.give(device, messages.Committed(commit.call_id, commit.commit))


@pytest.fixture
def relay(calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice) -> Relay:
    return Relay(calls, alice, bob)


def stops(device: SimulatedDevice) -> list[tuple[StopReason, list[str]]]:
    """Why a device stopped, each time, and who was silent then."""
    stopped = device.told(SendingStopped)
    return [(event.reason, [member.account_id for member in event.silent]) for event in stopped]


@pytest.mark.requirement("CALL-23", "THREAT-1")
def test_in_two_branches_both_stop_within_three_periods(
    calls: SimulatedCalls,
    relay: Relay,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    microphone: Callable[[Call, Call], Microphone],
) -> None:
    placed, answered = calls.go_live(alice, bob)
    talking = [microphone(placed, answered), microphone(answered, placed)]
    relay.wait(30_000)
    for device in (alice, bob):
        relay.show_to_itself(device)
    assert placed.epoch == answered.epoch == 3
    assert placed.call_code != answered.call_code

    relay.wait(SILENCE - 1)
    assert (stops(alice), stops(bob)) == ([], [])
    relay.wait(1)
    assert stops(alice) == [(StopReason.ALONE, ["bob"])]
    assert stops(bob) == [(StopReason.ALONE, ["alice"])]
    assert [member.account_id for member in placed.silent(calls.now)] == ["bob"]
    for microphone_of in talking:
        with pytest.raises(LocalProtocolError) as refused:
            microphone_of.protector.protect(b"can you hear me?")
        assert refused.value.reason is MediaReason.NO_SEND_KEY
    assert {error.reason for error in alice.refused + bob.refused} == {
        Rule.SENDER_DATA_NOT_AUTHENTIC
    }
    assert [*alice.told(Ended), *bob.told(Ended)] == []


@pytest.mark.requirement("CALL-23")
def test_nothing_is_sent_that_is_opened_later_either(
    calls: SimulatedCalls, relay: Relay, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    """A stream that is opened while nobody is heard gets no key, nor does a new epoch bring one."""
    placed, _ = calls.go_live(alice, bob)
    calls.advance(SILENCE, settle=False)
    microphone = placed.open_stream(Codec.OPUS, Kind.MICROPHONE)
    assert not microphone.ready
    for device in (alice, bob):
        relay.show_to_itself(device)
    calls.advance(SILENCE, settle=False)
    assert placed.epoch == 3
    assert alice.told(SendingResumed) == []
    assert stops(alice) == [(StopReason.ALONE, ["bob"])]
    assert not microphone.ready


@pytest.mark.requirement("CALL-23")
def test_who_hears_nobody_stops_and_goes_on_with_the_first_alive(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    microphone: Callable[[Call, Call], Microphone],
) -> None:
    """The service keeps back what Bob says, and hands on what Alice says."""
    placed, answered = calls.go_live(alice, bob)
    video = placed.open_stream(Codec.VP8, Kind.CAMERA)
    talking, listening = microphone(placed, answered), microphone(answered, placed)
    heard_at = calls.now
    kept_back: list[messages.FromService] = []
    while calls.now < heard_at + SILENCE:
        calls.advance(ALIVE_PERIOD, settle=False)
        for device in (alice, bob):
            calls.submit_all(device)
        calls.deliver_all(bob)
        kept_back += alice.waiting(messages.Sent)
        alice.inbox.clear()
    assert stops(alice) == [(StopReason.ALONE, ["bob"])]
    assert stops(bob) == []
    with pytest.raises(LocalProtocolError):
        talking.protector.protect(b"anybody there?")
    assert isinstance(listening.say(b"here I am"), OpenedFrame)  # she hears him all the same

    calls.give(alice, kept_back[-1])
    assert alice.last(SendingResumed) == SendingResumed(placed.call_id)
    assert isinstance(talking.say(b"there you are"), OpenedFrame)
    assert video.takes_key_frame()
    assert talking.epochs == [2]


@pytest.mark.requirement("CALL-11", "CALL-23")
def test_nothing_but_alive_counts(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    """Neither what else a member says, nor the service's word that it is connected."""
    placed, answered = calls.go_live(alice, bob)
    calls.advance(SILENCE, settle=False)
    answered.send_media(SentMedia(camera=True), calls.now)
    calls.send()
    said = bob.sending(messages.Send)[-1]
    assert calls.give(alice, messages.Sent(placed.call_id, said.message)) is None
    assert calls.give(alice, messages.Presence(placed.call_id, 1, connected=True)) is None
    assert alice.last(PresenceChanged).connected
    assert alice.told(SendingResumed) == []
    assert [member.account_id for member in placed.silent(calls.now)] == ["bob"]


@pytest.mark.requirement("DS-11")
def test_who_is_said_to_be_away_is_in_the_call_all_the_same(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, _ = calls.go_live(alice, bob)
    calls.give(alice, messages.Presence(placed.call_id, 1, connected=False))
    away = alice.last(PresenceChanged)
    assert (away.member.account_id, away.connected) == ("bob", False)
    calls.advance(SILENCE)
    assert stops(alice) == []
    assert placed.open_stream(Codec.OPUS, Kind.MICROPHONE).ready


@pytest.mark.requirement("CALL-27", "KEYS-15", "THREAT-1")
def test_a_service_that_swallows_every_commit_ends_the_sending_and_not_the_healing(
    calls: SimulatedCalls, relay: Relay, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, answered = calls.go_live(alice, bob)
    relay.wait(MAX_EPOCH_LIFETIME - 1)
    calls.advance(1, settle=False)
    commit = alice.take(messages.Commit)
    relay.pass_on()
    relay.wait(EPOCH_END - MAX_EPOCH_LIFETIME - 1)
    assert placed.open_stream(Codec.OPUS, Kind.MICROPHONE).ready
    assert placed.epoch == answered.epoch == 2
    assert (stops(alice), stops(bob)) == ([], [])
    relay.wait(1)
    for device in (alice, bob):
        assert stops(device) == [(StopReason.EPOCH_TOO_OLD, [])]
        assert not device.call.open_stream(Codec.OPUS, Kind.SCREEN_AUDIO).ready
    relay.wait(60_000)  # hearing each other does not help
    assert [*alice.told(SendingResumed), *bob.told(SendingResumed)] == []

    for device in (alice, bob):  # the commit comes after all
        calls.give(device, messages.Committed(placed.call_id, commit.commit))
    assert placed.epoch == answered.epoch == 3
    assert len(alice.told(SendingResumed)) == len(bob.told(SendingResumed)) == 1


@pytest.mark.requirement("CALL-23")
def test_nobody_stops_in_a_call_that_is_served_well(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, _ = calls.go_live(alice, bob)
    calls.advance(3 * MAX_EPOCH_LIFETIME)
    assert placed.epoch == 5
    assert (stops(alice), stops(bob)) == ([], [])
    assert placed.silent(calls.now) == ()
