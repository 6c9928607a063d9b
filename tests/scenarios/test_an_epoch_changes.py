"""Epochs end in turn, or by whoever is there; what comes late is opened for a while, what comes early is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pytest

from e2ee.call.call import Call
from e2ee.call.configuration import LATE_MESSAGES, MAX_EPOCH_LIFETIME, RANK_DELAY
from e2ee.call.errors import CallReason
from e2ee.call.events import EpochChanged, RequestRefused
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import Rejected
from e2ee.media.reasons import RejectReason
from e2ee.mls.errors import Rule
from e2ee.signalling import messages
from e2ee.testing.mls_members import snapshot
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice

if TYPE_CHECKING:
    from tests.scenarios.conftest import Microphone


@pytest.fixture
def alice(calls: SimulatedCalls, suites: Sequence[int]) -> SimulatedDevice:
    return calls.device("alice", suites=suites)


@pytest.fixture
def bob(calls: SimulatedCalls, suites: Sequence[int]) -> SimulatedDevice:
    return calls.device("bob", suites=suites)


def commits(device: SimulatedDevice) -> int:
    return len(device.sending(messages.Commit))


def a_commit_is_due(calls: SimulatedCalls) -> None:
    """The epoch that has just begun lasts as long as it may; who commits has done so, and nothing of it is sent."""
    calls.advance(MAX_EPOCH_LIFETIME - 1)
    calls.advance(1, settle=False)


@pytest.mark.requirement("KEYS-15")
def test_the_member_whose_turn_it_is_commits_after_ten_minutes_and_then_the_next(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, answered = calls.go_live(alice, bob)
    applied_at = calls.now
    calls.advance(MAX_EPOCH_LIFETIME - 1)
    assert (commits(alice), commits(bob)) == (0, 0)
    calls.advance(1, settle=False)
    assert (commits(alice), commits(bob)) == (1, 0)  # epoch 2, rank 0
    calls.advance(RANK_DELAY - 1, settle=False)
    assert (commits(alice), commits(bob)) == (1, 0)
    calls.advance(1, settle=False)
    assert (commits(alice), commits(bob)) == (1, 1)
    assert calls.now == applied_at + MAX_EPOCH_LIFETIME + RANK_DELAY
    assert placed.epoch == answered.epoch == 2


@pytest.mark.requirement("KEYS-15")
def test_a_commit_that_the_service_refused_is_made_again(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, answered = calls.go_live(alice, bob)
    a_commit_is_due(calls)
    assert commits(alice) == 1
    alice.outbox.clear()
    refusal = messages.Refused("commit", placed.call_id, "OVERLOADED", "later")
    assert calls.give(alice, refusal) is None
    assert placed.epoch == 2
    bob.outbox.clear()
    calls.advance(RANK_DELAY)
    assert placed.epoch == answered.epoch == 3


@pytest.mark.requirement("KEYS-17", "DS-5")
def test_an_own_commit_is_applied_when_the_log_shows_it_and_not_before(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, _ = calls.go_live(alice, bob)
    code = placed.call_code
    a_commit_is_due(calls)
    calls.submit(alice)
    assert (placed.epoch, placed.call_code) == (2, code)
    calls.deliver(alice)
    assert placed.epoch == 3
    assert placed.call_code != code


@pytest.mark.requirement("KEYS-17", "DS-4")
def test_of_two_commits_the_one_in_the_log_is_the_epochs(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, answered = calls.go_live(alice, bob)
    a_commit_is_due(calls)
    calls.advance(RANK_DELAY, settle=False)
    calls.submit_all(bob)
    calls.settle()
    assert placed.epoch == answered.epoch == 3
    assert placed.call_code == answered.call_code
    assert alice.last(EpochChanged).committer.account_id == "bob"
    assert alice.last(RequestRefused).request == "commit"
    calls.advance(MAX_EPOCH_LIFETIME)
    assert placed.epoch == answered.epoch == 4
    assert alice.refused == bob.refused == []


@pytest.mark.requirement("KEYS-17")
def test_a_commit_that_another_overtook_is_never_applied(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, _ = calls.go_live(alice, bob)
    a_commit_is_due(calls)
    calls.advance(RANK_DELAY, settle=False)
    (overtaken,) = alice.sending(messages.Commit)
    calls.submit_all(bob)
    calls.settle()
    refused = calls.give(alice, messages.Committed(placed.call_id, overtaken.commit))
    assert refused is not None
    assert refused.reason is Rule.WRONG_EPOCH
    assert placed.epoch == 3


@pytest.mark.requirement("KEYS-17", "DS-5")
def test_a_refusal_of_an_earlier_commit_loses_no_later_one(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    """Bob's commit of epoch 2 was overtaken; that it is refused he hears when he has made one of epoch 3 already."""
    placed, answered = calls.go_live(alice, bob)
    for device in (alice, bob):
        device.call._actions.send_commit(None, calls.now)
    calls.submit_all(alice)
    calls.send()
    overtaken = bob.take(messages.Commit)
    calls.settle()
    assert placed.epoch == answered.epoch == 3
    answered._actions.send_commit(None, calls.now)
    calls.send()
    bob.outbox.appendleft(overtaken)
    calls.submit(bob)
    calls.deliver(bob)
    assert bob.last(RequestRefused).request == "commit"
    calls.settle()
    assert placed.epoch == answered.epoch == 4
    assert placed.call_code == answered.call_code
    assert bob.refused == []


@pytest.mark.requirement("KEYS-17")
def test_what_the_log_shows_counts_and_not_what_the_service_said_before(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    """A service that refuses a commit and logs it all the same leaves nobody behind; nor if another was made meanwhile."""
    placed, answered = calls.go_live(alice, bob)
    a_commit_is_due(calls)
    first = alice.take(messages.Commit)
    for _ in range(2):
        calls.give(alice, messages.Refused("commit", placed.call_id, "OVERLOADED", "later"))
        calls.advance(RANK_DELAY, settle=False)
    assert commits(alice) == 2
    for device in (alice, bob):
        entry = messages.Committed(placed.call_id, first.commit)
        assert calls.give(device, entry) is None
    assert placed.epoch == answered.epoch == 3
    assert placed.call_code == answered.call_code


@pytest.mark.requirement("CALL-15", "KEYS-17")
def test_an_entry_that_is_refused_takes_no_commit_off_its_way(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, answered = calls.go_live(alice, bob)
    placed._actions.send_commit(None, calls.now)
    calls.disconnect(alice)
    assert calls.give(alice, messages.Committed(placed.call_id, b"no commit")) is not None
    calls.reconnect(alice)
    calls.settle()
    assert placed.epoch == answered.epoch == 3


@pytest.mark.requirement("CALL-12")
def test_a_message_of_an_earlier_epoch_is_opened_for_ten_seconds(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    _, answered = calls.go_live(alice, bob)
    for _ in range(3):
        alice.call._actions._say(messages.Alive(2, calls.now))
    calls.send()
    late = [alice.outbox.popleft() for _ in range(3)]
    alice.call._actions.send_commit(None, calls.now)
    calls.settle()
    assert answered.epoch == 3
    in_time, just_in_time, too_late = (
        messages.Sent(answered.call_id, m.message) for m in late if isinstance(m, messages.Send)
    )
    assert calls.give(bob, in_time) is None
    calls.advance(LATE_MESSAGES - 1)
    assert calls.give(bob, just_in_time) is None
    calls.now += 1  # and no timer was handled yet
    refused = calls.give(bob, too_late)
    assert refused is not None
    assert refused.reason is CallReason.EPOCH_NOT_KEPT


@pytest.mark.requirement("CALL-12")
def test_two_earlier_epochs_are_kept_and_no_third(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, answered = calls.go_live(alice, bob)
    late = []
    for epoch in (2, 3, 4):
        placed._actions._say(messages.Alive(epoch, calls.now))
        calls.send()
        late.append(alice.outbox.popleft())
        placed._actions.send_commit(None, calls.now)
        calls.settle()
    assert answered.epoch == 5
    outcomes = [
        calls.give(bob, messages.Sent(answered.call_id, message.message))
        for message in late
        if isinstance(message, messages.Send)
    ]
    assert [error and error.reason for error in outcomes] == [CallReason.EPOCH_NOT_KEPT, None, None]


@pytest.mark.requirement("CALL-12", "CALL-15")
def test_a_message_of_an_epoch_that_is_yet_to_come_is_refused(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, answered = calls.go_live(alice, bob)
    placed._actions.send_commit(None, calls.now)
    calls.send()
    calls.submit(alice)
    calls.deliver(alice)
    calls.submit(alice)  # `alive` in epoch 3
    early = bob.inbox.pop()
    before = snapshot(answered)
    refused = calls.give(bob, early)
    assert refused is not None
    assert refused.reason is CallReason.EPOCH_NOT_KEPT
    assert snapshot(answered) == before


@pytest.mark.requirement("FKEY-7", "FKEY-8", "CALL-11")
def test_without_alive_the_next_epoch_is_sent_with_after_its_deadline(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    microphone: Callable[[Call, Call], Microphone],
) -> None:
    placed, answered = calls.go_live(alice, bob)
    calls.advance(1_000)
    talking = microphone(placed, answered)
    talking.say(b"before")
    placed._actions.send_commit(None, calls.now)
    calls.send()
    calls.submit(alice)
    calls.deliver(alice)
    calls.deliver(bob)
    for device in (alice, bob):
        device.outbox.clear()  # nobody's `alive` arrives
    talking.say(b"unacknowledged")
    calls.advance(999, settle=False)
    talking.say(b"still unacknowledged")
    calls.advance(1, settle=False)
    talking.say(b"past the deadline")
    assert talking.epochs == [2, 2, 2, 3]


@pytest.mark.requirement("FKEY-13")
def test_a_sender_that_was_heard_in_a_newer_epoch_has_a_second_for_the_earlier_one(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    microphone: Callable[[Call, Call], Microphone],
) -> None:
    placed, answered = calls.go_live(alice, bob)
    calls.advance(1_000)
    talking = microphone(placed, answered)
    talking.say(b"hello")
    under_way = [talking.protector.protect(b"under way"), talking.protector.protect(b"too late")]
    placed._actions.send_commit(None, calls.now)
    calls.settle()  # and with it Alice's `alive` of epoch 3
    calls.advance(999)
    opener = answered.opener
    assert isinstance(opener.open(talking.stream, under_way[0], calls.now), OpenedFrame)
    calls.advance(1)
    assert not isinstance(opener.open(talking.stream, under_way[1], calls.now), OpenedFrame)


@pytest.mark.requirement("FKEY-13")
def test_a_commit_is_heard_like_a_message(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    microphone: Callable[[Call, Call], Microphone],
) -> None:
    """Alice's `alive` of epoch 3 is lost; that she commits in epoch 3 shows as well that she has it."""
    placed, answered = calls.go_live(alice, bob)
    calls.advance(1_000)
    talking = microphone(placed, answered)
    talking.say(b"hello")
    under_way = talking.protector.protect(b"under way")
    for _ in "epoch 3", "epoch 4":
        placed._actions.send_commit(None, calls.now)
        calls.send()
        calls.submit(alice)
        calls.deliver(alice)
        calls.deliver(bob)
        for device in (alice, bob):
            device.outbox.clear()
    calls.advance(1_000, settle=False)
    heard = answered.opener.open(talking.stream, under_way, calls.now)
    assert heard == Rejected(RejectReason.EXPIRED)


@pytest.mark.requirement("FKEY-13")
def test_every_message_is_heard(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    """Bob's `alive` of epoch 3 is lost, but his description comes in epoch 3."""
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    bob.call.answer(calls.now)
    calls.settle()
    placed.describe("offer", calls.now)
    calls.settle()
    under_way = bob.call.open_stream(Codec.OPUS, Kind.MICROPHONE).protect(b"under way")
    placed._actions.send_commit(None, calls.now)
    calls.send()
    calls.submit(alice)
    calls.deliver(alice)
    calls.deliver(bob)
    for device in (alice, bob):
        device.outbox.clear()
    bob.call.describe("answer", calls.now)
    calls.settle()
    calls.advance(1_000, settle=False)
    heard = placed.opener.open(IncomingStream(Codec.OPUS, Kind.MICROPHONE), under_way, calls.now)
    assert heard == Rejected(RejectReason.EXPIRED)
