"""What an application may choose about its calls, and the times that it may not.

A constant here is a number that the specification fixes for everybody; a field of ``Configuration`` is one that it leaves to the
device, with the specification's limit as its default.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from e2ee.call.chat.configuration import ChatConfiguration
from e2ee.call.errors import CallReason, CallUsageError
from e2ee.profile.suites import SUITES, X25519
from e2ee.signalling.versions import VERSION_1_0

__all__ = [
    "ACCEPTED_TIMEOUT",
    "ALIVE_PAUSE",
    "ALIVE_PERIOD",
    "ALIVE_PERIODS",
    "ANSWER_DESCRIPTION_TIMEOUT",
    "EARLIER_KEPT",
    "EPOCH_END",
    "LAG_SHOWN",
    "LAG_WITHHELD",
    "LATE_MESSAGES",
    "MANY_MEMBERS",
    "MAX_DECLINE_TEXT",
    "MAX_EPOCH_LIFETIME",
    "MEMBERS_A_SECOND",
    "OFFER_TOLERANCE",
    "RANK_DELAY",
    "RINGING_TIMEOUT",
    "RING_LIMIT",
    "SERVICE_TIMEOUT",
    "Configuration",
]

SERVICE_TIMEOUT = 10_000
"""CALL-29: how long a device waits for the delivery service to do what a call cannot go on without, in milliseconds."""

RINGING_TIMEOUT = 60_000
"""CALL-19: how long the caller lets the callee's devices ring, in milliseconds."""

RING_LIMIT = 90_000
"""CALL-19: how long a device rings at most, whatever it hears, in milliseconds."""

MAX_DECLINE_TEXT = 1_000
"""CALL-20: the longest text of a ``hangup``, in bytes of UTF-8."""

OFFER_TOLERANCE = 90_000
"""CALL-3: how far an offer's ``created_at`` may be from the device's clock, on either side, in milliseconds."""

ACCEPTED_TIMEOUT = 5_000
"""CALL-9: how long the answering device waits for ``accepted``, in milliseconds."""

ANSWER_DESCRIPTION_TIMEOUT = 10_000
"""CALL-9: how long the caller waits for ``answer_description``, in milliseconds."""

LATE_MESSAGES = 10_000
"""CALL-12: how long application messages of an earlier epoch are opened, in milliseconds."""

EARLIER_KEPT = 2
"""CALL-12: "the two epochs before the newest"."""

MAX_EPOCH_LIFETIME = 600_000
"""KEYS-15: an epoch lasts at most this long, in milliseconds."""

RANK_DELAY = 1_500
"""KEYS-15: after how many milliseconds more the next rank makes the commit."""

ALIVE_PERIOD = 15_000
"""CALL-11: how often a member says that it is alive, in milliseconds, in groups of up to 60."""

MEMBERS_A_SECOND = 4
"""CALL-11: in larger groups as many members as these say it in a second."""

ALIVE_PAUSE = 1_000
"""CALL-11: how long after one ``alive`` the next is sent when somebody was away, in milliseconds."""

ALIVE_PERIODS = 3
"""CALL-23: after how many periods without an ``alive`` a member counts as silent."""

MANY_MEMBERS = 32
"""GROUP-19, CHAT-12, VERIFY-9: in larger groups not everybody says at once that an epoch was applied, and some things not at all."""

EPOCH_END = 660_000
"""CALL-27: how long after it was applied an epoch is sent with, in milliseconds: a minute more than it may last."""

LAG_SHOWN = 2_000
"""CALL-24: the growth of the delay from which on people are told, in milliseconds."""

LAG_WITHHELD = 10_000
"""CALL-24: the growth of the delay from which on nothing is rendered, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """One device's choices."""

    minimum_suite: int = X25519.mls
    """The lowest MLS suite, by the order of KEYS-1's table, in which this device calls and answers (KEYS-2)."""

    minimum_version: int = VERSION_1_0
    """The lowest version of the protocol in which this device calls and answers (KEYS-18)."""

    most_calls: int = 1
    """In so many calls the device is at a time, ringing ones included; for more it says that it is busy (CALL-18)."""

    chat: ChatConfiguration = field(default_factory=ChatConfiguration)
    """What its person keeps to themselves in chats."""

    leave_note: bool = True
    """Whether a call that nobody took, and that no device said it has, leaves a ``missed_call`` letter (LETTER-9)."""

    epoch_lifetime: int = MAX_EPOCH_LIFETIME
    """After how many milliseconds this device changes an epoch, when it is its turn (KEYS-15)."""

    def __post_init__(self) -> None:
        if not 0 < self.epoch_lifetime <= MAX_EPOCH_LIFETIME:
            detail = f"an epoch of {self.epoch_lifetime} ms"
            raise CallUsageError(CallReason.BAD_CONFIGURATION, detail)
        if self.minimum_suite not in {suite.mls for suite in SUITES}:  # KEYS-1
            detail = f"MLS suite {self.minimum_suite:#06x}"
            raise CallUsageError(CallReason.BAD_CONFIGURATION, detail)
