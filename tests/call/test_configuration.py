"""What a device may choose about its calls, and what not."""

from __future__ import annotations

import pytest

from e2ee.call import configuration
from e2ee.call.configuration import Configuration
from e2ee.call.errors import CallReason, CallUsageError


@pytest.mark.requirement("KEYS-15")
@pytest.mark.parametrize("lifetime", [0, -1, 600_001])
def test_an_epoch_lasts_at_most_ten_minutes(lifetime: int) -> None:
    with pytest.raises(CallUsageError) as refused:
        Configuration(epoch_lifetime=lifetime)
    assert refused.value.reason is CallReason.BAD_CONFIGURATION


@pytest.mark.requirement("KEYS-1", "KEYS-2")
def test_the_minimum_is_a_suite_of_calls() -> None:
    with pytest.raises(CallUsageError) as refused:
        Configuration(minimum_suite=0x0002)
    assert refused.value.reason is CallReason.BAD_CONFIGURATION


@pytest.mark.requirement(
    "CALL-3",
    "CALL-9",
    "CALL-11",
    "CALL-12",
    "CALL-19",
    "CALL-23",
    "CALL-24",
    "CALL-27",
    "CALL-29",
    "KEYS-15",
)
def test_the_times_are_the_specifications() -> None:
    assert configuration.SERVICE_TIMEOUT == 10_000
    assert configuration.RINGING_TIMEOUT == 60_000
    assert configuration.RING_LIMIT == 90_000
    assert (configuration.ALIVE_PERIOD, configuration.ALIVE_PERIODS) == (15_000, 3)
    assert configuration.ALIVE_PAUSE == 1_000
    assert configuration.EPOCH_END == 660_000
    assert (configuration.LAG_SHOWN, configuration.LAG_WITHHELD) == (2_000, 10_000)
    assert configuration.OFFER_TOLERANCE == 90_000
    assert configuration.ACCEPTED_TIMEOUT == 5_000
    assert configuration.ANSWER_DESCRIPTION_TIMEOUT == 10_000
    assert configuration.LATE_MESSAGES == 10_000
    assert configuration.RANK_DELAY == 1_500
    assert Configuration().epoch_lifetime == 600_000
