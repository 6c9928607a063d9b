"""A service that delays what people say is noticed by the clocks in it: shown above two seconds, not rendered above ten."""

from __future__ import annotations

import pytest

from e2ee.call.configuration import ALIVE_PERIOD
from e2ee.call.events import LagChanged
from e2ee.signalling import messages
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice


@pytest.fixture
def alice(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("alice")


@pytest.fixture
def bob(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("bob")


def lags(device: SimulatedDevice) -> list[int]:
    return [event.lag.milliseconds for event in device.told(LagChanged)]


def alive_comes_after(calls: SimulatedCalls, delay: int) -> None:
    """All that is due happens; then what is on its way is kept for so long."""
    calls.advance(ALIVE_PERIOD, settle=False)
    for device in calls.devices:
        calls.submit_all(device)
    calls.advance(delay, settle=False)
    calls.settle()


@pytest.mark.requirement("CALL-24")
@pytest.mark.parametrize(
    ("delay", "shown", "withheld"),
    [
        (2_000, False, False),
        (2_001, True, False),
        (10_000, True, False),
        (10_001, True, True),
        (14_000, True, True),
    ],
)
def test_how_late_somebody_is_heard_is_shown(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    delay: int,
    shown: bool,
    withheld: bool,
) -> None:
    calls.go_live(alice, bob)
    alive_comes_after(calls, delay)
    if not shown:
        assert bob.told(LagChanged) == []
        return
    changed = bob.last(LagChanged)
    assert (changed.member.account_id, changed.lag.milliseconds) == ("alice", delay)
    assert (changed.lag.shown, changed.lag.withheld) == (shown, withheld)


@pytest.mark.requirement("CALL-24")
def test_when_it_is_over_people_are_told(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    calls.go_live(alice, bob)
    alive_comes_after(calls, 12_000)
    calls.advance(2 * ALIVE_PERIOD)
    assert lags(bob) == [12_000, 0]
    assert not bob.last(LagChanged).lag.shown


@pytest.mark.requirement("CALL-24")
def test_a_delay_that_grows_slowly_is_noticed_as_well(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    """A second more each time: what counts is the best that there ever was, not the last."""
    calls.go_live(alice, bob)
    for seconds in range(1, 12):
        calls.advance(ALIVE_PERIOD, settle=False)
        calls.submit_all(alice)
        bob.outbox.clear()
        late = bob.waiting(messages.Sent)
        bob.inbox.clear()
        calls.now += seconds * 1_000
        for sent in late:
            calls.give(bob, sent)
        calls.now -= seconds * 1_000
    assert lags(bob) == [seconds * 1_000 for seconds in range(3, 12)]
    assert bob.last(LagChanged).lag.withheld


@pytest.mark.requirement("CALL-24")
@pytest.mark.parametrize("difference", [-3_600_000, 3_600_000])
def test_clocks_that_differ_do_no_harm(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, difference: int
) -> None:
    """Alice's clock is an hour off in whatever she says from the beginning of an epoch on."""
    placed, _ = calls.go_live(alice, bob)
    first = bob.call._actions.in_group.alive
    first.epoch_began(2, frozenset(), calls.now)  # as if she came anew
    first.epoch_began(2, frozenset({0}), calls.now)
    for _ in range(3):
        placed._actions._say(messages.Alive(2, calls.now + difference))
        calls.settle()
        calls.now += 1_000
    assert lags(bob) == []
    placed._actions._say(messages.Alive(2, calls.now + difference - 5_000))
    calls.settle()
    assert lags(bob) == [5_000]
