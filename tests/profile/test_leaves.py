"""What a leaf of a call lists, and how long its KeyPackage lives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.key_package import check_key_package
from e2ee.mls.leaf_node import Lifetime
from e2ee.mls.leaf_node_validation import ValidationPolicy
from e2ee.profile.call_profile import CALL_PROFILE
from e2ee.profile.leaves import (
    call_capabilities,
    committer_policy,
    key_package_lifetime,
    receiver_policy,
)

if TYPE_CHECKING:
    from tests.profile.conftest import Device, MakeDevice

SUITE = cipher_suite(0x0001)
DAY = 24 * 3600


def refusal(device: Device, policy: ValidationPolicy) -> str:
    with pytest.raises(ValidationError) as refused:
        check_key_package(SUITE, device.key_package, policy)
    return refused.value.reason


@pytest.mark.requirement("KEYS-8")
def test_a_key_package_begins_an_hour_ago(now: int) -> None:
    lifetime = key_package_lifetime(now)
    assert lifetime.not_before == now // 1000 - 3600
    assert lifetime.not_after - lifetime.not_before <= 31 * DAY


@pytest.mark.requirement("KEYS-8")
def test_a_key_package_lives_for_31_days_at_most(make_device: MakeDevice, now: int) -> None:
    begin = now // 1000
    longest = make_device("bob", lifetime=Lifetime(begin, begin + 31 * DAY))
    longer = make_device("bob", lifetime=Lifetime(begin, begin + 31 * DAY + 1))
    for policy in (committer_policy(now), receiver_policy(now)):
        check_key_package(SUITE, longest.key_package, policy)
        assert refusal(longer, policy) is Rule.LEAF_LIFETIME_TOO_LONG


@pytest.mark.requirement("KEYS-8")
@pytest.mark.parametrize(
    ("policy_at", "tolerance"),
    [(committer_policy, 0), (receiver_policy, DAY)],
    ids=["who adds", "who receives"],
)
def test_a_key_package_outside_its_lifetime_is_refused(
    make_device: MakeDevice, now: int, policy_at: type, tolerance: int
) -> None:
    begin = now // 1000
    bob = make_device("bob", lifetime=Lifetime(begin, begin + DAY))
    first, last = begin - tolerance, begin + DAY + tolerance
    for seconds in (first, last):
        check_key_package(SUITE, bob.key_package, policy_at(seconds * 1000))
    assert refusal(bob, policy_at(first * 1000 - 1)) is Rule.LEAF_NOT_YET_VALID
    assert refusal(bob, policy_at((last + 1) * 1000)) is Rule.LEAF_EXPIRED


@pytest.mark.requirement("KEYS-9")
def test_a_leaf_of_a_call_knows_the_call_profile() -> None:
    capabilities = call_capabilities([0x0001, 0xF0E2])
    assert CALL_PROFILE in capabilities.extensions
    assert capabilities.cipher_suites == (0x0001, 0xF0E2)
