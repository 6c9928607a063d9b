"""A device's own KeyPackages: how many wait, in which suites, and how long."""

from __future__ import annotations

from collections import Counter

import pytest

from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.key_packages import KEPT_OF_A_SUITE, KeyPackages
from e2ee.call.mls_messages import body
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.message import MLSMessage
from e2ee.mls.welcome import Welcome
from e2ee.testing.simulated_calls import START, SimulatedCalls, SimulatedDevice

DAY = 24 * 3600 * 1000


def suites_of(published: tuple[bytes, ...]) -> Counter[int]:
    return Counter(body(KeyPackage, data).cipher_suite for data in published)


def test_there_are_enough_of_each_suite(calls: SimulatedCalls) -> None:
    device = calls.device("alice", suites=(0x0001, 0xF0E2))
    made = KeyPackages().replenish(device.owner, START)
    assert suites_of(made) == {0x0001: KEPT_OF_A_SUITE, 0xF0E2: KEPT_OF_A_SUITE}
    assert len(set(made)) == len(made)


def test_only_what_is_missing_is_made(alice: SimulatedDevice) -> None:
    kept = KeyPackages()
    kept.replenish(alice.owner, START)
    assert kept.replenish(alice.owner, START) == ()
    kept.drop(next(iter(kept._bundles.values())))
    assert len(kept.replenish(alice.owner, START)) == 1


@pytest.mark.requirement("KEYS-8")
def test_what_has_expired_is_dropped_and_made_anew(alice: SimulatedDevice) -> None:
    kept = KeyPackages()
    kept.replenish(alice.owner, START)
    assert kept.replenish(alice.owner, START + 27 * DAY) == ()
    renewed = kept.replenish(alice.owner, START + 29 * DAY)
    assert len(renewed) == len(kept) == KEPT_OF_A_SUITE
    for data in renewed:
        lifetime = body(KeyPackage, data).leaf_node.lifetime
        assert lifetime is not None
        assert lifetime.not_before == (START + 29 * DAY) // 1000 - 3600
        assert lifetime.not_after - lifetime.not_before <= 31 * 24 * 3600


def test_a_welcome_for_nobody_here(alice: SimulatedDevice) -> None:
    welcome = MLSMessage.of(Welcome(0x0001, (), b"")).body
    assert isinstance(welcome, Welcome)
    with pytest.raises(CallRefused) as refused:
        KeyPackages().find(welcome)
    assert refused.value.reason is CallReason.NO_SUCH_KEY_PACKAGE
