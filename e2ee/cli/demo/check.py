"""One thing that a demo has to show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["MIN_PSNR", "TONE_TOLERANCE", "Check", "passed"]

MIN_PSNR = 30.0
"""What a test picture that was received has at least, in dB."""

TONE_TOLERANCE = 5.0
"""Hz."""


@dataclass(frozen=True)
class Check:
    """One thing that has to hold, what was wanted and what was found."""

    name: str
    passed: bool
    wanted: str
    found: str


def passed(checks: Sequence[Check]) -> bool:
    """Whether the demo as a whole did."""
    return all(check.passed for check in checks)
