"""Sequence numbers of a stream that the unit receives."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.sfu.limits import HISTORY
from e2ee.sfu.sequence import ASK_EVERY, ASK_TIMES, MAX_GAP, ReceivedSequence

WRAPS = (1 << 16) - 3


def begun(first: int) -> ReceivedSequence:
    sequence = ReceivedSequence()
    assert sequence.take(first) == first
    return sequence


def take(sequence: ReceivedSequence, *numbers: int) -> list[int | None]:
    return [sequence.take(number & 0xFFFF) for number in numbers]


@given(first=st.integers(0, 0xFFFF), count=st.integers(1, 300))
def test_packets_in_order_have_the_next_index(first: int, count: int) -> None:
    sequence = begun(first)
    assert take(sequence, *range(first + 1, first + count)) == list(range(first + 1, first + count))
    assert (sequence.missing, sequence.expected, sequence.received) == (0, count, count)


@given(first=st.integers(0, 0xFFFF), order=st.permutations(range(1, 20)))
def test_each_packet_counts_once_in_whatever_order_they_come(first: int, order: list[int]) -> None:
    sequence = begun(first)
    indices = take(sequence, *(first + number for number in order))
    assert indices == [first + number for number in order]
    assert take(sequence, *(first + number for number in order)) == [None] * len(order)
    assert (sequence.missing, sequence.received) == (0, 20)


@pytest.mark.requirement("SFU-5")
def test_what_is_missing_is_asked_for_until_it_comes() -> None:
    sequence = begun(WRAPS)
    take(sequence, WRAPS + 1, WRAPS + 5)
    missing = [number & 0xFFFF for number in range(WRAPS + 2, WRAPS + 5)]
    assert sequence.to_ask_for(0) == missing
    assert sequence.to_ask_for(ASK_EVERY - 1) == []
    assert take(sequence, WRAPS + 3) == [WRAPS + 3]
    assert sequence.to_ask_for(ASK_EVERY) == [missing[0], missing[2]]


def test_a_new_loss_is_asked_for_at_once() -> None:
    sequence = begun(0)
    take(sequence, 2)
    assert sequence.to_ask_for(0) == [1]
    take(sequence, 4)
    assert sequence.to_ask_for(1) == [3]
    assert sequence.to_ask_for(ASK_EVERY) == [1]
    assert sequence.to_ask_for(ASK_EVERY + 1) == [3]


def test_what_never_comes_is_given_up() -> None:
    sequence = begun(0)
    take(sequence, 2)
    asked = [sequence.to_ask_for(time * ASK_EVERY) for time in range(ASK_TIMES + 1)]
    assert asked == [[1]] * ASK_TIMES + [[]]
    assert sequence.given_up == [1]
    assert (sequence.expected, sequence.received) == (3, 2)


def test_what_nobody_can_have_any_more_is_given_up() -> None:
    sequence = begun(0)
    take(sequence, 2, *range(3, HISTORY + 2))
    assert sequence.to_ask_for(0) == []
    assert sequence.given_up == [1]
    assert take(sequence, 1) == [None]


def test_a_large_gap_is_not_asked_for_and_shows_to_nobody() -> None:
    """The packet after the jump is believed when the next one has come too."""
    sequence = begun(10)
    far = 10 + MAX_GAP + 1
    assert take(sequence, far, far + 1, far + 2) == [None, 11, 12]
    assert sequence.missing == 0
    assert sequence.to_ask_for(0) == []
    take(sequence, far + 4)
    assert sequence.to_ask_for(0) == [far + 3], "as the sender numbers it"
    assert sequence.highest_sent & 0xFFFF == far + 4


def test_one_number_from_elsewhere_changes_nothing() -> None:
    sequence = begun(10)
    assert take(sequence, 40_000, 11, 41_000, 12) == [None, 11, None, 12]


@given(st.lists(st.integers(0, 0xFFFF), max_size=300))
def test_no_numbers_make_it_grow(numbers: list[int]) -> None:
    sequence = ReceivedSequence()
    for index in filter(None, take(sequence, *numbers)):
        assert index <= sequence.highest
    assert sequence.missing <= HISTORY + MAX_GAP


def test_many_gaps_do_not_make_it_grow_either() -> None:
    sequence, number = begun(0), 0
    gaps = random.Random(1)  # noqa: S311
    for _ in range(500):
        number += gaps.randint(2, MAX_GAP)
        take(sequence, number)
        assert sequence.missing <= HISTORY + MAX_GAP
