"""How often something may be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.delivery import limits
from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.delivery.rates import Rate, Rates
from e2ee.signalling import messages

if TYPE_CHECKING:
    from tests.delivery.conftest import Device, Town

NOW = 1_800_000_000_000
THREE_A_SECOND = Rate(3, 1_000)


def allows(rates: Rates[str], key: str, now: int, count: int = 1) -> bool:
    try:
        rates.spend(key, now, count)
    except DeliveryError as error:
        assert error.reason is DeliveryReason.RATE_LIMITED
        return False
    return True


@pytest.mark.requirement("DS-12")
class TestRates:
    """A bucket that holds so much and is filled in one period."""

    def test_so_much_at_once_and_so_much_a_period(self) -> None:
        rates: Rates[str] = Rates("things", THREE_A_SECOND)
        assert [allows(rates, "a", NOW) for _ in range(4)] == [True, True, True, False]
        assert [allows(rates, "b", NOW) for _ in range(4)] == [True, True, True, False]
        assert not allows(rates, "a", NOW + 333)
        assert allows(rates, "a", NOW + 334)
        assert not allows(rates, "a", NOW + 334)
        assert [allows(rates, "a", NOW + 9_999) for _ in range(4)] == [True, True, True, False]

    def test_what_is_refused_is_not_spent(self) -> None:
        rates: Rates[str] = Rates("bytes", Rate(100, 1_000))
        assert not allows(rates, "a", NOW, 101)
        assert allows(rates, "a", NOW, 100)
        assert not allows(rates, "a", NOW + 500, 51)
        assert allows(rates, "a", NOW + 500, 50)

    @given(st.lists(st.tuples(st.integers(0, 900), st.sampled_from("abc"), st.integers(1, 4))))
    def test_nobody_has_more_than_twice_the_amount_in_a_period(
        self, asked: list[tuple[int, str, int]]
    ) -> None:
        rates: Rates[str] = Rates("things", THREE_A_SECOND)
        now, spent = NOW, []
        for later, key, count in asked:
            now += later
            if allows(rates, key, now, count):
                spent.append((now, key, count))
        for begin, key, _ in spent:
            in_period = [c for at, k, c in spent if k == key and begin <= at < begin + 1_000]
            assert sum(in_period) < 2 * 3

    @given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 50)), max_size=100))
    def test_who_owes_nothing_is_forgotten(self, asked: list[tuple[int, int]]) -> None:
        rates: Rates[str] = Rates("things", THREE_A_SECOND)
        now = NOW
        for later, key in asked:
            now += later
            allows(rates, str(key), now)
        allows(rates, "last", now + 1_000)
        assert len(rates) == 1


@pytest.mark.requirement("DS-12")
class TestClaims:
    """Nobody exhausts a stranger's KeyPackages."""

    def test_10_a_minute_of_one_account(self, town: Town, alice: Device) -> None:
        bob = town.member("bob", key_packages=12)
        for _ in range(10):
            assert len(alice.claim("bob")) == 1
        claim = messages.Claim("bob", 0x0001)
        assert alice.refused(claim) == DeliveryReason.RATE_LIMITED
        assert town.member("alice", 2).refused(claim) == DeliveryReason.RATE_LIMITED
        assert len(town.member("carol").claim("bob")) == 1
        town.now += 6_000
        assert len(alice.claim("bob")) == 1
        assert alice.refused(claim) == DeliveryReason.RATE_LIMITED
        assert bob.publish(0) == [messages.Published(0)]

    def test_30_a_minute_in_all(self, town: Town, alice: Device) -> None:
        """Of strangers, whether there are any or not."""
        assert Rate(30, 60_000) == limits.CLAIMS
        for n in range(30):
            unknown = messages.Claim(f"nobody {n}", 0x0001)
            assert alice.refused(unknown) == DeliveryReason.UNKNOWN_ACCOUNT
        town.member("bob", key_packages=1)
        claim = messages.Claim("bob", 0x0001)
        assert alice.refused(claim) == DeliveryReason.RATE_LIMITED
        town.now += 2_000
        assert len(alice.claim("bob")) == 1
