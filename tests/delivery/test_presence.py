"""The service's word on who of a call is connected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2ee.signalling import messages

if TYPE_CHECKING:
    from tests.delivery.conftest import Device, Town

CALL_ID = bytes(range(16))

pytestmark = pytest.mark.requirement("DS-11")


def gone(leaf: int) -> messages.Presence:
    return messages.Presence(CALL_ID, leaf, connected=False)


def back(leaf: int) -> messages.Presence:
    return messages.Presence(CALL_ID, leaf, connected=True)


@pytest.fixture
def phone(in_call: None, bobs: list[Device]) -> Device:
    """Bob's phone is in the call as leaf 1, Alice as leaf 0, and both have taken their mail."""
    phone = bobs[0]
    phone.acknowledge(phone.numbers())
    return phone


def test_the_other_member_is_told_of_going_and_coming(alice: Device, phone: Device) -> None:
    alice.acknowledge(alice.numbers())
    phone.disconnect()
    assert alice.take() == [gone(1)]
    assert alice.numbers() == []  # in no mailbox
    assert phone.reconnect() == [messages.LoggedIn()]
    assert alice.take() == [back(1)]


def test_who_comes_back_is_told_who_is_away(alice: Device, phone: Device) -> None:
    alice.acknowledge(alice.numbers())
    phone.disconnect()
    alice.disconnect()
    assert alice.reconnect() == [messages.LoggedIn(), gone(1)]
    assert phone.reconnect() == [messages.LoggedIn()]
    assert alice.take() == [back(1)]


def test_nobody_else_is_told(town: Town, alice: Device, bobs: list[Device], phone: Device) -> None:
    """Who was removed from the call, and who never was in it."""
    mallory = town.member("mallory")
    phone.disconnect()
    assert alice.take() == [gone(1)]
    assert [device.take() for device in (*bobs[1:], mallory)] == [[], [], []]
    bobs[1].disconnect()
    assert alice.take() == []


@pytest.mark.usefixtures("ringing")
def test_who_only_rings_somebody_is_not_told_when_they_are_there(
    alice: Device, bobs: list[Device]
) -> None:
    """Whom Bob has blocked gets no answer (CALL-5), and would still learn when each of his devices is connected."""
    phone, laptop, _ = bobs
    for device in (alice, phone, laptop):
        device.acknowledge(device.numbers())
    laptop.disconnect()
    assert alice.take() == phone.take() == []
    alice.disconnect()
    assert alice.reconnect() == [messages.LoggedIn()]
    assert laptop.reconnect() == [messages.LoggedIn()]
    assert alice.take() == []


def test_a_connection_that_takes_the_place_of_another_is_no_news(
    town: Town, alice: Device, phone: Device
) -> None:
    old = phone.connection
    phone.reconnect()
    phone.login()
    town.disconnect(old)
    assert alice.take() == []


def test_a_session_that_ends_is_told(town: Town, alice: Device, phone: Device) -> None:
    """Revoked, or another device on the connection."""
    other = town.device("bob", 4)
    other.connection = phone.connection
    other.login()
    assert alice.take() == [gone(1)]
    phone.reconnect()
    assert alice.take() == [back(1)]
    laptop = town.device("bob", 2)
    laptop.certificate = laptop.certify(generation=1)
    laptop.login()
    assert alice.take() == [gone(1)]


def test_a_call_that_is_over_tells_nothing(town: Town, alice: Device, phone: Device) -> None:
    town.now += 11 * 60 * 1000 + 1
    phone.disconnect()
    assert alice.take() == []


@pytest.mark.requirement("DS-4")
def test_it_decides_nothing(alice: Device, phone: Device) -> None:
    """Who is said to be away is as much a member as before."""
    commit = phone.request(phone.commit())
    alice.disconnect()
    assert phone.take() == [gone(0)]
    assert phone.send(commit) == [messages.Committed(CALL_ID, commit.commit)]
