"""RFC 9605 Section 9.1: each value once."""

from __future__ import annotations

import copy
import pickle
import threading
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.sframe.counter import MAX_LIMIT, Counter
from e2ee.sframe.errors import OutOfRange


@pytest.mark.requirement("FKEY-4")
@given(limit=st.integers(1, 50), more=st.integers(1, 5))
def test_each_value_is_given_once_and_then_none(limit: int, more: int) -> None:
    counter = Counter(limit)
    assert [counter.draw() for _ in range(limit)] == list(range(limit))
    for _ in range(more):
        with pytest.raises(StopIteration):
            counter.draw()
    assert counter.drawn == limit


@given(limit=st.integers(1, MAX_LIMIT), draws=st.integers(0, 20))
def test_it_tells_how_many_it_gave(limit: int, draws: int) -> None:
    counter = Counter(limit)
    for _ in range(min(draws, limit)):
        counter.draw()
    assert counter.drawn == min(draws, limit)


@pytest.mark.requirement("FKEY-5")
def test_it_cannot_be_copied_or_stored() -> None:
    counter = Counter(10)
    for copies in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="would repeat nonces"):
            copies(counter)


@pytest.mark.requirement("FKEY-5")
def test_it_cannot_be_set() -> None:
    with pytest.raises(TypeError):
        Counter(10, 5)  # type: ignore[call-arg]


def test_threads_that_draw_at_the_same_time_get_different_values() -> None:
    counter = Counter(40_000)
    given_to: list[list[int]] = [[] for _ in range(4)]

    def draw(values: list[int]) -> None:
        values.extend(counter.draw() for _ in range(10_000))

    threads = [threading.Thread(target=draw, args=(values,)) for values in given_to]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(chain.from_iterable(given_to)) == list(range(40_000))


@pytest.mark.parametrize("limit", [0, -1, MAX_LIMIT + 1])
def test_limits_out_of_range_are_refused(limit: int) -> None:
    with pytest.raises(OutOfRange):
        Counter(limit)
