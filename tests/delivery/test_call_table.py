"""Calls end when their log does not grow, and a device has not too many of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2ee.delivery import call_table
from e2ee.delivery.errors import DeliveryReason
from e2ee.delivery.limits import (
    CALL_ID_REMEMBERED,
    CALL_IDLE,
    MAX_ACCOUNT_CALLS,
    MAX_OPEN_CALLS,
    SWEEP_INTERVAL,
)
from e2ee.signalling import messages

if TYPE_CHECKING:
    from tests.delivery.conftest import Device, Town

CALL_ID = bytes(range(16))


def call_ids(count: int) -> list[bytes]:
    return [n.to_bytes(16, "big") for n in range(count)]


def open_calls(alice: Device, bob: Device, count: int) -> None:
    for call_id in call_ids(count):
        alice.create(bob.account, call_id=call_id)
        assert alice.send(alice.opening(call_id)) == []


@pytest.mark.requirement("DS-7")
def test_a_device_opens_64_calls_at_most(town: Town, alice: Device) -> None:
    bob = town.member("bob")
    open_calls(alice, bob, MAX_OPEN_CALLS)
    alice.create(bob.account)
    opening = alice.opening()
    assert alice.refused(opening) == DeliveryReason.TOO_MANY_CALLS
    bob.create(alice.account, call_id=bytes(15) + b"\xff")
    assert bob.send(bob.opening(bytes(15) + b"\xff")) == []  # another device has its own 64
    town.now += CALL_IDLE + 1
    assert alice.send(opening) == []


@pytest.mark.requirement("DS-7")
def test_an_account_opens_256_calls_at_most(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_ACCOUNT_CALLS == 256
    monkeypatch.setattr(call_table, "MAX_ACCOUNT_CALLS", 2)
    phone, laptop, bob = town.member("alice"), town.member("alice", 2), town.member("bob")
    open_calls(phone, bob, 2)
    laptop.create(bob.account)
    assert laptop.refused(laptop.opening()) == DeliveryReason.TOO_MANY_CALLS


@pytest.mark.requirement("DS-7")
@pytest.mark.usefixtures("in_call")
def test_a_call_whose_log_does_not_grow_is_over(town: Town, alice: Device) -> None:
    said = alice.say(b"still there")
    town.now += CALL_IDLE
    commit = alice.request(alice.commit())
    assert alice.send(commit) == [messages.Committed(CALL_ID, commit.commit)]
    alice.apply_own()
    town.now += CALL_IDLE
    assert alice.send(said) == [messages.Stored("send", CALL_ID)]
    town.now += 1
    late = alice.request(alice.commit())
    (answer,) = alice.send(late)
    assert isinstance(answer, messages.Refused)
    assert answer.reason == DeliveryReason.UNKNOWN_CALL


@pytest.mark.requirement("DS-3")
def test_the_id_of_a_call_that_is_over_is_not_opened_again(town: Town, alice: Device) -> None:
    bob = town.member("bob")
    alice.create(bob.account)
    opening = alice.opening()
    assert alice.send(opening) == []
    town.now += CALL_IDLE + 1
    (answer,) = alice.send(opening)
    assert isinstance(answer, messages.Refused)
    assert answer.reason == DeliveryReason.CALL_ID_USED
    town.now += CALL_ID_REMEMBERED - 1
    assert alice.refused(opening) == DeliveryReason.CALL_ID_USED
    town.now += SWEEP_INTERVAL
    assert alice.send(opening) == []
