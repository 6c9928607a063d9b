"""Figures from pictures and sounds: right where there is something to measure, silent where there is nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from e2ee.rtc.measure import (
    IDENTICAL,
    dominant_frequency,
    is_tone,
    largest_step,
    luma,
    psnr,
    read_number,
)
from e2ee.rtc.picture import HEIGHT, NUMBERS, WIDTH, picture

RATE = 48_000
numbers = st.integers(0, NUMBERS - 1)
seeds = st.integers(0, 2**32 - 1)


def noise(seed: int, low: int, high: int, shape: tuple[int, ...]) -> NDArray[np.int16]:
    return np.random.default_rng(seed).integers(low, high, shape, dtype=np.int16)


def sine(frequency: float, amplitude: float = 8000, seconds: float = 1) -> NDArray[np.int16]:
    time = np.arange(int(seconds * RATE)) / RATE
    return (amplitude * np.sin(2 * np.pi * frequency * time)).astype(np.int16)


@given(numbers)
def test_the_number_that_was_drawn_is_read(number: int) -> None:
    assert read_number(luma(picture(number))) == number


@given(numbers, seeds, st.integers(0, 60))
def test_the_number_survives_the_noise_of_a_codec(number: int, seed: int, depth: int) -> None:
    plane = luma(picture(number))
    noisy = np.clip(plane + noise(seed, -depth, depth + 1, plane.shape), 0, 255).astype(np.uint8)
    assert read_number(noisy) == number


@given(seeds)
def test_noise_holds_no_number(seed: int) -> None:
    assert read_number(noise(seed, 0, 256, (HEIGHT, WIDTH)).astype(np.uint8)) is None


@given(st.integers(0, 255))
def test_a_plain_picture_holds_no_number(level: int) -> None:
    assert read_number(np.full((HEIGHT, WIDTH), level, np.uint8)) is None


@given(numbers, st.integers(0, 31))
def test_a_barcode_with_one_wrong_cell_is_no_number(number: int, cell: int) -> None:
    plane = luma(picture(number))
    plane[:32, 20 * cell : 20 * (cell + 1)] = 251 - plane[:32, 20 * cell : 20 * (cell + 1)]
    assert read_number(plane) is None


def test_a_picture_of_another_size_holds_no_number() -> None:
    assert read_number(np.zeros((240, 320), np.uint8)) is None


@given(numbers, st.integers(1, 100))
def test_psnr_of_a_constant_difference(number: int, difference: int) -> None:
    plane = np.full((HEIGHT, WIDTH), 100, np.uint8)
    moved = (plane + difference).astype(np.uint8)
    assert psnr(moved, plane) == pytest.approx(20 * math.log10(255 / difference), abs=1e-3)
    assert psnr(moved, plane) == psnr(plane, moved)
    assert psnr(picture(number), picture(number)) == IDENTICAL


def test_noise_is_far_from_any_picture() -> None:
    """The bound that separates what was seen from what was not: protected pictures stay below 12 dB."""
    random = noise(1, 0, 256, (HEIGHT, WIDTH)).astype(np.uint8)
    assert psnr(random, luma(picture(0))) < 12


@given(st.integers(100, 20_000), st.floats(0, 0.99), st.integers(200, 30_000))
def test_a_sine_is_found_to_a_fraction_of_a_hertz(
    hertz: int, fraction: float, amplitude: int
) -> None:
    peak = dominant_frequency(sine(hertz + fraction, amplitude), RATE)
    assert peak.frequency == pytest.approx(hertz + fraction, abs=0.2)
    assert is_tone(peak, hertz + fraction)
    assert not is_tone(peak, hertz + 20)


@given(seeds)
def test_noise_is_no_tone(seed: int) -> None:
    peak = dominant_frequency(noise(seed, -20_000, 20_000, (RATE,)), RATE)
    assert not is_tone(peak, peak.frequency)


@given(st.integers(0, 5000), st.integers(-3000, 3000))
def test_silence_is_no_tone(length: int, offset: int) -> None:
    peak = dominant_frequency(np.full(length, offset, np.int16), RATE)
    assert not is_tone(peak, 1000)


@given(numbers, st.lists(st.integers(1, 100), max_size=20))
def test_the_largest_step_is_found_across_the_wrap(first: int, steps: list[int]) -> None:
    received = [(first + sum(steps[:i])) % NUMBERS for i in range(len(steps) + 1)]
    assert largest_step(received) == max(steps, default=0)
