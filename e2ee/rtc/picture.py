"""The test picture: which picture belongs to a frame number, for people and for machines.

    rows   0-31   the number as a barcode: 32 cells of 20 pixels, 16 bits and then the same 16 bits inverted
    rows  32-319  colour bars, and a disc that goes round
    rows 320-479  the number in seven-segment digits

A picture is a pure function of its number (modulo 2^16), so a receiver that reads the number knows every
luma sample that was sent. The inverted copy makes a barcode that was not sent (noise, a grey picture, a
picture torn between two numbers) unreadable: 2^16 of 2^32 patterns are barcodes.

Pictures are I420 as libav wants it: one array of HEIGHT * 3 / 2 rows, the luma rows first.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["BARCODE_CELLS", "BARCODE_ROWS", "CELL_WIDTH", "HEIGHT", "NUMBERS", "WIDTH", "picture"]

WIDTH, HEIGHT = 640, 480
NUMBERS = 1 << 16
"""Frame numbers count modulo this."""

BARCODE_ROWS, BARCODE_CELLS, CELL_WIDTH = 32, 32, 20
BLACK, WHITE = 16, 235  # the ends of video luma (ITU-R BT.601)

_BARS_TOP, _BARS_BOTTOM = BARCODE_ROWS, 320
_BARS = (
    # Y, U, V of the 75 % bars of ITU-R BT.601
    (180, 128, 128),
    (162, 44, 142),
    (131, 156, 44),
    (112, 72, 58),
    (84, 184, 198),
    (65, 100, 212),
    (35, 212, 114),
    (96, 128, 128),
)
_DISC_RADIUS = 40
_DISC_TURN = 150
"""Frames in which the disc goes round once."""

_DIGITS = 5
_DIGIT_WIDTH, _DIGIT_HEIGHT, _DIGIT_PITCH, _STROKE = 64, 112, 96, 14
_SEGMENTS = (
    "abcdef",
    "bc",
    "abged",
    "abgcd",
    "fgbc",
    "afgcd",
    "afgedc",
    "abc",
    "abcdefg",
    "abcdfg",
)

Plane = NDArray[np.uint8]


def picture(number: int) -> Plane:
    """The picture of a frame number: uint8, shape (HEIGHT * 3 // 2, WIDTH), I420."""
    number %= NUMBERS
    i420 = _background().copy()
    _draw_barcode(i420, number)
    _draw_disc(i420, number)
    _draw_digits(i420, number)
    return i420


@cache
def _background() -> Plane:
    i420 = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
    u, v = i420[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
    i420[:HEIGHT] = BLACK
    width = WIDTH // len(_BARS)
    for i, (luma, blue, red) in enumerate(_BARS):
        i420[_BARS_TOP:_BARS_BOTTOM, i * width : (i + 1) * width] = luma
        rows = slice(_BARS_TOP // 2, _BARS_BOTTOM // 2)
        columns = slice(i * width // 2, (i + 1) * width // 2)
        u[rows, columns], v[rows, columns] = blue, red
    i420.flags.writeable = False
    return i420


def _draw_barcode(i420: Plane, number: int) -> None:
    bits = np.unpackbits(np.frombuffer(number.to_bytes(2, "big"), np.uint8))
    cells = np.where(np.concatenate([bits, 1 - bits]), WHITE, BLACK).astype(np.uint8)
    i420[:BARCODE_ROWS] = np.repeat(cells, CELL_WIDTH)


def _draw_disc(i420: Plane, number: int) -> None:
    angle = 2 * np.pi * number / _DISC_TURN
    x = int(WIDTH / 2 + 250 * np.cos(angle)) - _DISC_RADIUS
    y = int((_BARS_TOP + _BARS_BOTTOM) / 2 + 90 * np.sin(angle)) - _DISC_RADIUS
    box = i420[y : y + 2 * _DISC_RADIUS, x : x + 2 * _DISC_RADIUS]
    box[_disc()] = WHITE


@cache
def _disc() -> NDArray[np.bool_]:
    y, x = np.mgrid[-_DISC_RADIUS:_DISC_RADIUS, -_DISC_RADIUS:_DISC_RADIUS] + 0.5
    return np.asarray(x * x + y * y <= _DISC_RADIUS**2)


def _draw_digits(i420: Plane, number: int) -> None:
    top = (_BARS_BOTTOM + HEIGHT - _DIGIT_HEIGHT) // 2
    left = (WIDTH - _DIGITS * _DIGIT_PITCH) // 2 + (_DIGIT_PITCH - _DIGIT_WIDTH) // 2
    for i, digit in enumerate(f"{number:0{_DIGITS}d}"):
        x = left + i * _DIGIT_PITCH
        i420[top : top + _DIGIT_HEIGHT, x : x + _DIGIT_WIDTH] = _digit(int(digit))


@cache
def _digit(value: int) -> Plane:
    """One digit, its segments named a to g clockwise from the top as on every data sheet."""
    box = np.full((_DIGIT_HEIGHT, _DIGIT_WIDTH), BLACK, np.uint8)
    middle, end = _DIGIT_HEIGHT // 2, slice(-_STROKE, None)
    segments = {
        "a": np.s_[:_STROKE, :],
        "b": np.s_[:middle, end],
        "c": np.s_[middle:, end],
        "d": np.s_[end, :],
        "e": np.s_[middle:, :_STROKE],
        "f": np.s_[:middle, :_STROKE],
        "g": np.s_[middle - _STROKE // 2 : middle + _STROKE // 2, :],
    }
    for name in _SEGMENTS[value]:
        box[segments[name]] = WHITE
    return box
