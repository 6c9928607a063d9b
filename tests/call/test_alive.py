"""`alive`: the acknowledgement of an epoch, the sign of who is in it, and the measure of how late somebody is heard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.call.alive import Aliveness, Lag, StopReason, alive_period
from e2ee.call.call import Call
from e2ee.call.configuration import ALIVE_PERIOD, ALIVE_PERIODS, EPOCH_END
from e2ee.call.errors import CallReason
from e2ee.call.events import SendingStopped
from e2ee.call.policy import Said
from e2ee.media.frame_keys import FrameKeys
from e2ee.mls.errors import Rule
from e2ee.signalling import messages
from e2ee.signalling.messages import CALL
from e2ee.signalling.wire import decode
from e2ee.testing.simulated_calls import START, SimulatedCalls, SimulatedDevice

SILENCE = ALIVE_PERIODS * ALIVE_PERIOD


def frame_keys(call: Call) -> FrameKeys:
    assert call._actions.epochs is not None
    return call._actions.epochs.frame_keys


def hear(alive: Aliveness, leaf: int, now: int, *, epoch: int = 2, clock: int = 0) -> Lag | None:
    message = messages.Alive(epoch, clock)
    return alive.heard(Said(leaf, epoch, generation=0, message=message), message, now)


# ------------------------------------------------------------------------------------------------- in a call of two


@pytest.mark.requirement("CALL-11")
def test_each_side_says_it_after_applying_an_epoch_and_not_while_it_rings(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    alice.core.place_call("bob", calls.now)
    calls.settle()
    bob.call.answer(calls.now)
    for epoch in (2, 3):
        calls.send()
        calls.submit(bob if epoch == 2 else alice)
        calls.deliver(alice)
        calls.deliver(bob)
        for sender, receiver in ((alice, bob), (bob, alice)):
            (send,) = sender.sending(messages.Send)
            epochs = receiver.call._actions.epochs
            assert epochs is not None
            said = epochs.open(send.message, calls.now)
            assert (said.epoch, said.message) == (epoch, messages.Alive(epoch, calls.now))
            sender.outbox.clear()
        alice.call._actions.send_commit(None, calls.now)


@pytest.mark.requirement("CALL-11")
def test_each_side_says_it_again_every_fifteen_seconds(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    calls.go_live(alice, bob)
    applied_at = calls.now
    for number in range(1, 5):
        calls.advance(ALIVE_PERIOD - 1)
        assert [len(device.outbox) for device in (alice, bob)] == [0, 0]
        calls.advance(1, settle=False)
        assert [len(device.sending(messages.Send)) for device in (alice, bob)] == [1, 1]
        calls.settle()
        assert calls.now == applied_at + number * ALIVE_PERIOD


@pytest.mark.requirement("CALL-11", "FKEY-7")
def test_the_next_epoch_is_sent_with_as_soon_as_the_other_side_has_it(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, answered = calls.go_live(alice, bob)
    calls.advance(1_000)
    placed._actions.send_commit(None, calls.now)
    calls.send()
    calls.submit(alice)
    calls.deliver(alice)
    assert placed.epoch == 3
    assert frame_keys(placed).send.epoch == 2
    calls.deliver(bob)
    calls.submit(bob)
    calls.deliver(alice)
    assert frame_keys(placed).send.epoch == 3
    assert frame_keys(answered).send.epoch == 2
    calls.settle()
    assert frame_keys(answered).send.epoch == 3


@pytest.mark.requirement("CALL-11")
def test_it_acknowledges_no_other_epoch(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    """Bob says in epoch 2 that he has epoch 3, which he has not."""
    placed, answered = calls.go_live(alice, bob)
    calls.advance(1_000)
    placed._actions.send_commit(None, calls.now)
    calls.send()
    calls.submit(alice)
    calls.deliver(alice)
    answered._actions._say(messages.Alive(3, calls.now))
    calls.send()
    calls.submit(bob)
    calls.deliver(alice)
    assert [error.reason for error in alice.refused] == [CallReason.WRONG_EPOCH]
    assert frame_keys(placed).send.epoch == 2


@pytest.mark.requirement("CALL-11")
def test_it_counts_once(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    _, answered = calls.go_live(alice, bob)
    answered._actions._say(messages.Alive(2, calls.now))
    calls.send()
    calls.submit(bob)
    (sent,) = alice.waiting(messages.Sent)
    again = messages.Sent(sent.call_id, sent.message)  # without the number by which it is known
    assert calls.give(alice, sent) is None
    refused = calls.give(alice, again)
    assert refused is not None
    assert refused.reason is Rule.GENERATION_CONSUMED


def test_it_is_a_call_message() -> None:
    encoded = b"\x93\xa5alive\x02\x00"
    assert decode(CALL, encoded) == messages.Alive(2, 0)


# -------------------------------------------------------------------------------------------------- among many others


@pytest.mark.requirement("CALL-11")
@pytest.mark.parametrize(
    ("members", "period"), [(2, 15_000), (60, 15_000), (61, 15_250), (64, 16_000), (800, 200_000)]
)
def test_the_more_members_the_less_often(members: int, period: int) -> None:
    assert alive_period(members) == period
    alive = Aliveness()
    alive.epoch_began(2, frozenset(range(1, members)), START)
    assert alive.due_at == START
    alive.said(START)
    assert alive.due_at == START + period
    assert alive.stopped(START + ALIVE_PERIODS * period - 1) is None
    assert alive.stopped(START + ALIVE_PERIODS * period) is StopReason.ALONE


@pytest.mark.requirement("CALL-11")
def test_when_somebody_was_away_the_next_one_comes_a_second_after_the_last() -> None:
    alive = Aliveness()
    alive.epoch_began(2, frozenset({1}), START)
    alive.said(START)
    for _ in range(2):  # once more changes nothing
        alive.hasten()
        assert alive.due_at == START + 1_000
    alive.said(START + 1_000)
    assert alive.due_at == START + 1_000 + ALIVE_PERIOD
    alive.hasten()
    alive.epoch_began(3, frozenset({1}), START + 1_500)
    alive.said(START + 1_500)
    assert alive.due_at == START + 1_500 + ALIVE_PERIOD


def among(members: int, *, may_speak: bool) -> Aliveness:
    """In epoch 2 since START, with so many members, and has said it then."""
    alive = Aliveness()
    alive.epoch_began(2, frozenset(range(1, members)), START, may_speak=may_speak)
    alive.said(START)
    return alive


@pytest.mark.requirement("CALL-11", "GROUP-19")
@pytest.mark.parametrize(
    ("members", "may_speak", "at_once"),
    [(2, True, True), (32, False, True), (33, False, False), (33, True, True), (1_000, True, True)],
)
def test_among_many_only_those_who_may_speak_say_at_once_that_they_have_an_epoch(
    members: int, may_speak: bool, at_once: bool
) -> None:
    alive = among(members, may_speak=may_speak)
    others = frozenset(range(1, members))
    alive.epoch_began(3, others, START + 2_000, may_speak=may_speak)
    due_at = START + 2_000 if at_once else START + alive_period(members)
    assert alive.due_at == due_at


@pytest.mark.requirement("GROUP-19")
def test_a_viewer_says_it_from_time_to_time_however_often_epochs_begin() -> None:
    alive = among(100, may_speak=False)
    others = frozenset(range(1, 100))
    for second in range(1, 25):
        alive.epoch_began(2 + second, others, START + 1_000 * second, may_speak=False)
    assert alive.due_at == START + alive_period(100) == START + 25_000


@pytest.mark.requirement("GROUP-19")
def test_a_viewer_among_many_who_just_came_says_it_after_a_period() -> None:
    alive = Aliveness()
    alive.epoch_began(7, frozenset(range(1, 100)), START, may_speak=False)
    assert alive.due_at == START + 25_000
    alive.hasten()  # nobody missed anything that it said
    assert alive.due_at == START + 25_000
    alive.epoch_began(8, frozenset(range(1, 33)), START + 1_000, may_speak=True)
    assert alive.due_at == START + 1_000


@pytest.mark.requirement("CALL-11")
@pytest.mark.parametrize(("may_speak", "due_after"), [(True, 15_000), (False, 250_000)])
def test_among_many_somebodys_absence_makes_no_storm(may_speak: bool, due_after: int) -> None:
    alive = among(1_000, may_speak=may_speak)
    alive.hasten()
    assert alive.due_at == START + due_after


@pytest.mark.requirement("CALL-23")
@pytest.mark.parametrize(
    ("others", "heard", "stopped"),
    [
        (1, 0, True),
        (1, 1, False),
        (2, 1, True),
        (2, 2, False),
        (3, 1, True),
        (3, 2, False),
        (4, 2, True),
        (4, 3, False),
    ],
)
def test_who_hears_of_at_most_half_of_the_others_stops(
    others: int, heard: int, stopped: bool
) -> None:
    alive = Aliveness()
    leaves = frozenset(range(1, others + 1))
    alive.epoch_began(2, leaves, START)
    for leaf in range(1, heard + 1):
        hear(alive, leaf, START + 1_000)
    assert alive.stopped(START + SILENCE - 1) is None
    assert (alive.stopped(START + SILENCE) is StopReason.ALONE) == stopped
    assert alive.silent(START + SILENCE) == leaves - set(range(1, heard + 1))
    assert alive.stopped(START + SILENCE + 1_000) is StopReason.ALONE


@pytest.mark.requirement("CALL-11", "CALL-23")
def test_an_alive_of_another_epoch_is_no_sign_of_life() -> None:
    """Somebody who stays behind, or who was led into another branch, is heard there and not here."""
    alive = Aliveness()
    alive.epoch_began(3, frozenset({1}), START)
    hear(alive, 1, START + 1_000, epoch=2)
    assert alive.stopped(START + SILENCE) is StopReason.ALONE
    hear(alive, 1, START + SILENCE, epoch=3)
    assert alive.stopped(START + SILENCE) is None


@pytest.mark.requirement("CALL-27")
def test_no_epoch_is_sent_with_for_more_than_eleven_minutes() -> None:
    alive = Aliveness()
    alive.epoch_began(2, frozenset({1}), START)
    hear(alive, 1, START + EPOCH_END - 1)
    assert EPOCH_END == 11 * 60 * 1000
    assert alive.stopped(START + EPOCH_END - 1) is None
    assert alive.stopped(START + EPOCH_END) is StopReason.EPOCH_TOO_OLD
    alive.epoch_began(3, frozenset({1}), START + EPOCH_END)
    assert alive.stopped(START + EPOCH_END) is None


@pytest.mark.requirement("CALL-24")
def test_only_growth_is_lag() -> None:
    """Bob's clock is an hour behind, or ahead; his messages take 100 ms, then 60, then 3,000, then 60 again."""
    for difference in (3_600_000, 0, -3_600_000):
        alive = Aliveness()
        alive.epoch_began(2, frozenset({1}), START)
        lags = []
        for at, takes in ((0, 100), (15_000, 60), (30_000, 3_000), (45_000, 60), (60_000, 60)):
            now = START + at
            lags.append(hear(alive, 1, now, clock=now - takes - difference))
        assert lags == [None, None, Lag(1, 2_940), Lag(1, 0), None]


@pytest.mark.requirement("CALL-24")
def test_two_seconds_of_lag_are_borne_and_ten_are_rendered() -> None:
    assert [Lag(1, late).shown for late in (0, 2_000, 2_001)] == [False, False, True]
    assert [Lag(1, late).withheld for late in (2_001, 10_000, 10_001)] == [False, False, True]


@pytest.mark.requirement("CALL-24")
def test_who_comes_anew_is_measured_anew() -> None:
    alive = Aliveness()
    alive.epoch_began(2, frozenset({1, 2}), START)
    for leaf in (1, 2):
        hear(alive, leaf, START, clock=START)
    alive.epoch_began(3, frozenset({1}), START)
    alive.epoch_began(4, frozenset({1, 2}), START)
    assert hear(alive, 1, START + 5_000, epoch=4, clock=START) == Lag(1, 5_000)
    assert hear(alive, 2, START + 5_000, epoch=4, clock=START) is None


@pytest.mark.requirement("CALL-24")
def test_who_got_anothers_leaf_is_measured_anew() -> None:
    """Leaf 2 was Bob's; the commit that removed him gave it to Carol, whose clock is an hour behind his."""
    alive = Aliveness()
    alive.epoch_began(2, frozenset({1, 2}), START)
    assert hear(alive, 2, START, clock=START) is None
    alive.epoch_began(3, frozenset({1, 2}), START, newcomers=frozenset({2}))
    assert hear(alive, 2, START + 100, epoch=3, clock=START - 3_600_000) is None
    assert hear(alive, 2, START + 5_100, epoch=3, clock=START - 3_600_000) == Lag(2, 5_000)


@pytest.mark.requirement("CALL-23")
def test_new_epochs_by_one_who_is_here_do_not_bring_the_others_back() -> None:
    """Mallory was removed. The service shows the removal to Bob and Carol only; in Alice's branch Mallory commits and commits."""
    alive, mallory, others = Aliveness(), 3, frozenset({1, 2, 3})
    alive.epoch_began(2, others, START)
    for leaf in others:
        hear(alive, leaf, START)
    for number in range(1, 45):
        now = START + 1_000 * number
        alive.epoch_began(2 + number, others, now)
        hear(alive, mallory, now, epoch=2 + number)
        assert alive.stopped(now) is None
    assert alive.stopped(START + SILENCE) is StopReason.ALONE
    assert alive.silent(START + SILENCE) == {1, 2}


@pytest.mark.requirement("CALL-23")
def test_who_is_slow_among_many_new_epochs_is_not_silent() -> None:
    """A new epoch each second; what Bob says comes when it is not the newest any more."""
    alive, others = Aliveness(), frozenset({1})
    alive.epoch_began(2, others, START)
    for number in range(1, 100):
        now = START + 1_000 * number
        alive.epoch_began(2 + number, others, now)
        hear(alive, 1, now + 10, epoch=1 + number)
        assert alive.stopped(now) is None
    assert alive.stopped(now + SILENCE - 1) is None
    assert alive.stopped(now + SILENCE) is StopReason.ALONE


@pytest.mark.requirement("CALL-23")
def test_who_stays_behind_was_here_until_then() -> None:
    """Three members; the service keeps epoch 3 from Bob, who goes on saying that he is in epoch 2."""
    alive = Aliveness()
    alive.epoch_began(2, frozenset({1, 2}), START)
    alive.epoch_began(3, frozenset({1, 2}), START + 5_000)
    hear(alive, 2, START + 6_000, epoch=3)
    hear(alive, 1, START + 14_000, epoch=2)
    assert alive.silent(START + 5_000 + SILENCE - 1) == frozenset()
    assert alive.silent(START + 5_000 + SILENCE) == {1}
    assert alive.get_timer(START + 5_000 + SILENCE) == START + 6_000 + SILENCE


@pytest.mark.requirement("CALL-23")
def test_who_comes_has_three_periods() -> None:
    alive = Aliveness()
    alive.epoch_began(2, frozenset({1}), START)
    hear(alive, 1, START + 40_000)
    alive.epoch_began(3, frozenset({1, 2}), START + 44_000, newcomers=frozenset({2}))
    assert alive.silent(START + 44_000 + SILENCE - 1) == {1}
    assert alive.silent(START + 44_000 + SILENCE) == {1, 2}
    alive.epoch_began(4, frozenset({1, 2}), START + 100_000, newcomers=frozenset({1}))
    assert alive.silent(START + 100_000) == {2}  # leaf 1 is somebody else's now


@pytest.mark.requirement("CALL-23")
def test_while_it_rings_nobody_is_expected_to_say_anything(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    alice.core.place_call("bob", calls.now)
    calls.settle()
    calls.advance(59_000)
    bob.call.answer(calls.now)
    calls.settle()
    assert [device.told(SendingStopped) for device in (alice, bob)] == [[], []]


STEPS = st.lists(
    st.tuples(st.integers(1, 20_000), st.sampled_from(["pass", "epoch", 1, 2, 3])), max_size=40
)


@pytest.mark.requirement("CALL-23", "CALL-27")
@given(steps=STEPS)
def test_the_timer_tells_when_the_answers_change(steps: list[tuple[int, str | int]]) -> None:
    """A shell that looks when the timer says so, and when something was heard, misses nothing."""
    alive, now, epoch = Aliveness(), START, 2
    others = frozenset({1, 2, 3})
    alive.epoch_began(epoch, others, now)
    for later, what in steps:
        timer = alive.get_timer(now)
        assert timer > now
        known = alive.stopped(now), alive.silent(now)
        last_look = min(now + later, timer - 1)
        assert (alive.stopped(last_look), alive.silent(last_look)) == known
        if now + later >= timer:
            assert (alive.stopped(timer), alive.silent(timer)) != known
        now += later
        if what == "epoch":
            epoch += 1
            alive.epoch_began(epoch, others, now)
        elif isinstance(what, int):
            hear(alive, what, now, epoch=epoch)
