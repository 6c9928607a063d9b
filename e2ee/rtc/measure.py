"""What a received picture or sound says about itself: pure functions over arrays.

Nothing here knows how media arrived, and nothing trusts it: a picture of another size, noise or silence gives
"no number" or "no tone", never an exception.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from e2ee.rtc.picture import BARCODE_CELLS, BARCODE_ROWS, CELL_WIDTH, HEIGHT, NUMBERS, WIDTH

__all__ = [
    "IDENTICAL",
    "Peak",
    "dominant_frequency",
    "is_tone",
    "largest_step",
    "luma",
    "psnr",
    "read_number",
]

IDENTICAL = 100.0
"""The PSNR, in dB, that stands for no difference at all; every real one of 8-bit pictures is below 85."""

_MARGIN = 40
"""A cell's mean luma is a bit when it is at least this far from the middle (a clean cell: 109)."""

_TONE_TOLERANCE_HZ = 5.0
_TONE_PURITY = 0.5


def luma(i420: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The luma rows of an I420 array of shape (height * 3 // 2, width)."""
    return i420[: i420.shape[0] * 2 // 3]


def read_number(plane: NDArray[np.uint8]) -> int | None:
    """The frame number in a luma plane of the test picture; None if it holds no barcode."""
    if plane.shape != (HEIGHT, WIDTH):
        return None
    cells = plane[:BARCODE_ROWS].reshape(BARCODE_ROWS, BARCODE_CELLS, CELL_WIDTH)
    means = cells[8:-8, :, 5:-5].mean(axis=(0, 2)) - 125.5
    if np.abs(means).min() < _MARGIN:
        return None
    number, inverse = np.packbits(means > 0).view(">u2")
    return int(number) if number ^ inverse == NUMBERS - 1 else None


def psnr(received: NDArray[np.uint8], sent: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio in dB of two 8-bit planes of one shape."""
    difference = np.subtract(received, sent, dtype=np.int16).ravel().astype(np.float32)
    squared_error = float(np.dot(difference, difference)) / difference.size
    return IDENTICAL if squared_error == 0 else float(10 * np.log10(255**2 / squared_error))


def largest_step(numbers: Iterable[int]) -> int:
    """The largest step from one frame number to the next: 1 for a picture without gaps, 0 for fewer than two."""
    return max(((after - before) % NUMBERS for before, after in pairwise(numbers)), default=0)


@dataclass(frozen=True)
class Peak:
    """The strongest frequency of a sound: where it is, in Hz, and which part of the whole energy is there."""

    frequency: float
    purity: float


SILENCE = Peak(0.0, 0.0)


def dominant_frequency(samples: NDArray[np.int16], sample_rate: int) -> Peak:
    """The strongest frequency of mono samples, to a fraction of one FFT bin (sample_rate / len(samples) Hz)."""
    if len(samples) < 8:
        return SILENCE
    level = samples - samples.mean()  # no constant offset, nor what rounding would leave of it
    spectrum = np.abs(np.fft.rfft(level * np.hanning(len(samples)))) ** 2
    spectrum[:2] = 0
    total = float(spectrum.sum())
    if total == 0:
        return SILENCE
    peak = int(spectrum.argmax())
    frequency = (peak + _peak_offset(spectrum, peak)) * sample_rate / len(samples)
    return Peak(frequency, float(spectrum[max(0, peak - 3) : peak + 4].sum()) / total)


def _peak_offset(spectrum: NDArray[np.float64], peak: int) -> float:
    """How far, in bins, the top of a parabola through three logarithms lies from the middle one."""
    if not 0 < peak < len(spectrum) - 1:
        return 0.0
    before, top, after = np.log(spectrum[peak - 1 : peak + 2] + np.finfo(float).tiny)
    bend = before - 2 * top + after
    return float((before - after) / (2 * bend)) if bend else 0.0


def is_tone(peak: Peak, frequency: float) -> bool:
    """Whether a sound is the tone that was sent: within 5 Hz, and more than everything else together."""
    return abs(peak.frequency - frequency) <= _TONE_TOLERANCE_HZ and peak.purity >= _TONE_PURITY
