"""What is left for a device that cannot log in yet: given once, to who knows its id, within minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2ee.delivery import limits
from e2ee.delivery.errors import DeliveryReason
from e2ee.signalling import messages

if TYPE_CHECKING:
    from tests.delivery.conftest import Device, Town

LINK_ID = bytes(range(16))
LINK = messages.Link(LINK_ID, b"sealed")
AWAIT = messages.AwaitLink(LINK_ID)
LINKED = messages.Linked(LINK_ID, b"sealed")
STORED = messages.Stored("link", None)
MINUTE = 60 * 1000

pytestmark = pytest.mark.requirement("DS-15")


def greeted(town: Town, device_id: int = 7) -> Device:
    device = town.device("alice", device_id)
    device.hello()
    return device


def test_who_waits_gets_it_at_once(town: Town, alice: Device) -> None:
    new = greeted(town)
    assert new.send(AWAIT) == []
    assert alice.send(LINK) == [STORED]
    assert new.take() == [LINKED]


def test_who_comes_later_finds_it(town: Town, alice: Device) -> None:
    assert alice.send(LINK) == [STORED]
    town.restart()
    new = greeted(town)
    new.connection = town.connect()
    new.hello()
    assert new.send(AWAIT) == [LINKED]


def test_it_is_given_once(town: Town, alice: Device) -> None:
    first, second = greeted(town), greeted(town, 8)
    alice.send(LINK)
    assert first.send(AWAIT) == [LINKED]
    assert second.send(AWAIT) == []
    alice.send(LINK)
    assert second.take() == [LINKED]
    assert first.send(AWAIT) == []
    assert second.take() == []


def test_who_waits_last_gets_it(town: Town, alice: Device) -> None:
    """The new device had to connect again."""
    first, second = greeted(town), greeted(town, 8)
    for device in (first, second):
        assert device.send(AWAIT) == []
    first.disconnect()
    assert alice.send(LINK) == [STORED]
    assert second.take() == [LINKED]


def test_a_connection_that_ended_waits_no_more(town: Town, alice: Device) -> None:
    new = greeted(town)
    new.send(AWAIT)
    new.disconnect()
    assert alice.send(LINK) == [STORED]
    assert greeted(town).send(AWAIT) == [LINKED]


def test_both_wait_10_minutes_at_most(town: Town, alice: Device) -> None:
    alice.send(LINK)
    town.now += 10 * MINUTE
    new = greeted(town)
    assert new.send(AWAIT) == []
    town.now += 10 * MINUTE
    assert alice.send(LINK) == [STORED]
    assert new.take() == []
    assert new.send(AWAIT) == [LINKED]


def test_who_has_not_said_hello_waits_for_nothing(town: Town) -> None:
    assert town.device("alice", 7).refused(AWAIT) == DeliveryReason.NOT_GREETED


def test_an_id_is_used_for_one(town: Town, alice: Device) -> None:
    alice.send(LINK)
    mallory = town.member("mallory")
    assert mallory.refused(messages.Link(LINK_ID, b"other")) == DeliveryReason.LINK_ID_USED
    assert greeted(town).send(AWAIT) == [LINKED]


@pytest.mark.requirement("DS-7")
class TestBounds:
    """Of what is kept, and of what is awaited."""

    def test_64_kib(self, alice: Device) -> None:
        longest = messages.Link(LINK_ID, bytes(64 << 10))
        assert alice.refused(messages.Link(LINK_ID, longest.sealed + b"x")) == (
            DeliveryReason.TOO_MANY_BYTES
        )
        assert alice.send(longest) == [STORED]

    def test_8_an_account(self, town: Town, alice: Device) -> None:
        for number in range(limits.MAX_LINKS):
            assert alice.send(messages.Link(bytes([number] * 16), b"sealed")) == [STORED]
        assert limits.MAX_LINKS == 8
        laptop = town.member("alice", 2)
        more = messages.Link(bytes([99] * 16), b"sealed")
        assert laptop.refused(more) == DeliveryReason.TOO_MANY_LINKS
        town.now += 10 * MINUTE
        assert laptop.send(more) == [STORED]

    def test_4_awaited_by_a_connection(self, town: Town) -> None:
        new = greeted(town)
        for number in (1, 2, 3, 4, 4):
            assert new.send(messages.AwaitLink(bytes([number] * 16))) == []
        fifth = messages.AwaitLink(bytes([5] * 16))
        town.now += 10 * MINUTE - 1
        assert new.refused(fifth) == DeliveryReason.TOO_MANY_LINKS
        town.now += 1
        assert new.send(fifth) == []  # the others have expired
