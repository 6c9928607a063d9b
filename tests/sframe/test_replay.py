"""The replay window against a set of all counters that were accepted."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from e2ee.sframe.errors import OutOfRange
from e2ee.sframe.replay import ReplayWindow
from e2ee.testing.strategies import replay_histories


class EveryCounter:
    """What a window of ``size`` says, computed from all that was accepted."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.accepted: set[int] = set()

    def is_new(self, CTR: int) -> bool:
        highest = max(self.accepted, default=-1)
        return CTR > highest - self.size and CTR not in self.accepted

    def accept(self, CTR: int) -> None:
        self.accepted.add(CTR)


@pytest.mark.requirement("FRAME-9")
@given(size=st.sampled_from([1, 2, 7, 32, 128]), history=replay_histories())
@example(
    size=2, history=[0, 1, 2, 0]
)  # a counter just before the window, in a slot that another one took
@example(size=32, history=[5, 5 + (1 << 20), 5 + (1 << 20), (1 << 20) - 26, (1 << 20) - 27])
def test_it_agrees_with_a_set_of_everything(size: int, history: list[int]) -> None:
    window, model = ReplayWindow(size), EveryCounter(size)
    for CTR in history:
        assert window.is_new(CTR) == model.is_new(CTR)
        if model.is_new(CTR):
            window.accept(CTR)
            model.accept(CTR)


@pytest.mark.requirement("FRAME-9")
@pytest.mark.parametrize("size", [128, 1_024])
def test_a_late_counter_is_accepted_up_to_the_window_s_edge(size: int) -> None:
    window = ReplayWindow(size)
    window.accept(5_000)
    assert window.is_new(5_000 - size + 1)
    assert not window.is_new(5_000 - size)
    assert not window.is_new(5_000)


@pytest.mark.requirement("FRAME-10")
@given(asked=st.lists(st.integers(0, 1 << 64), max_size=20))
def test_asking_changes_nothing(asked: list[int]) -> None:
    window = ReplayWindow(128)
    for CTR in (3, 4, 9):
        window.accept(CTR)
    for CTR in asked:
        window.is_new(CTR)
    assert [CTR for CTR in range(12) if not window.is_new(CTR)] == [3, 4, 9]


def test_the_largest_counter_costs_no_more_than_the_next() -> None:
    window = ReplayWindow(1_024)
    window.accept(0)
    window.accept((1 << 64) - 1)
    assert not window.is_new((1 << 64) - 1)
    assert not window.is_new(1)


def test_a_window_remembers_something() -> None:
    with pytest.raises(OutOfRange):
        ReplayWindow(0)
