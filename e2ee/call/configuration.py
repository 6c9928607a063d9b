"""What an application may choose about its calls, and the times that it may not.

A constant here is a number that the specification fixes for everybody; a field of ``Configuration`` is one that it leaves to the
device, with the specification's limit as its default.
"""

from __future__ import annotations

from dataclasses import dataclass

from e2ee.call.errors import CallReason, CallUsageError
from e2ee.profile.suites import SUITES, X25519

__all__ = [
    "ACCEPTED_TIMEOUT",
    "ANSWER_DESCRIPTION_TIMEOUT",
    "LATE_MESSAGES",
    "MAX_EPOCH_LIFETIME",
    "OFFER_TOLERANCE",
    "RANK_DELAY",
    "Configuration",
]

OFFER_TOLERANCE = 90_000
"""CALL-3: how far an offer's ``created_at`` may be from the device's clock, on either side, in milliseconds."""

ACCEPTED_TIMEOUT = 5_000
"""CALL-9: how long the answering device waits for ``accepted``, in milliseconds."""

ANSWER_DESCRIPTION_TIMEOUT = 10_000
"""CALL-9: how long the caller waits for ``answer_description``, in milliseconds."""

LATE_MESSAGES = 10_000
"""CALL-12: how long application messages of an earlier epoch are opened, in milliseconds."""

MAX_EPOCH_LIFETIME = 600_000
"""KEYS-15: an epoch lasts at most this long, in milliseconds."""

RANK_DELAY = 1_500
"""KEYS-15: after how many milliseconds more the next rank makes the commit."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """One device's choices."""

    minimum_suite: int = X25519.mls
    """The lowest MLS suite, by the order of KEYS-1's table, in which this device calls and answers (KEYS-2)."""

    epoch_lifetime: int = MAX_EPOCH_LIFETIME
    """After how many milliseconds this device changes an epoch, when it is its turn (KEYS-15)."""

    def __post_init__(self) -> None:
        if not 0 < self.epoch_lifetime <= MAX_EPOCH_LIFETIME:
            detail = f"an epoch of {self.epoch_lifetime} ms"
            raise CallUsageError(CallReason.BAD_CONFIGURATION, detail)
        if self.minimum_suite not in {suite.mls for suite in SUITES}:  # KEYS-1
            detail = f"MLS suite {self.minimum_suite:#06x}"
            raise CallUsageError(CallReason.BAD_CONFIGURATION, detail)
