"""The test picture: what its number makes of it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from e2ee.rtc.measure import luma
from e2ee.rtc.picture import HEIGHT, NUMBERS, WIDTH, picture

numbers = st.integers(0, NUMBERS - 1)


@given(numbers)
def test_a_picture_is_a_function_of_its_number(number: int) -> None:
    assert picture(number).shape == (HEIGHT * 3 // 2, WIDTH)
    assert np.array_equal(picture(number), picture(number))
    assert np.array_equal(picture(number), picture(number + NUMBERS))


@given(numbers, numbers)
def test_two_numbers_have_two_pictures(one: int, other: int) -> None:
    assert np.array_equal(picture(one), picture(other)) == (one == other)


def test_drawing_on_a_picture_does_not_change_the_next_one() -> None:
    before = picture(7)
    picture(7)[:] = 0
    assert np.array_equal(picture(7), before)


def test_the_digits_are_readable_by_people() -> None:
    """The rows of digits differ between numbers, and only there does a person look for the number."""
    digits = slice(330, 470)
    assert not np.array_equal(luma(picture(1))[digits], luma(picture(2))[digits])
    assert luma(picture(0))[digits].max() - luma(picture(0))[digits].min() > 200
