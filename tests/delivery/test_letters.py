"""Letters go to the devices of the KeyPackages that they name, or to nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2ee.delivery import limits
from e2ee.delivery.errors import DeliveryReason
from e2ee.delivery.rates import Rate
from e2ee.errors import DecodeReason
from e2ee.mls.leaf_node import Lifetime
from e2ee.mls.message import MLSMessage
from e2ee.signalling import messages

if TYPE_CHECKING:
    from tests.delivery.conftest import Device, Town

pytestmark = pytest.mark.requirement("DS-14")

STORED = messages.Stored("post", None)


def test_each_device_gets_its_key_and_the_content(alice: Device, bobs: list[Device]) -> None:
    bobs[1].disconnect()
    keys = [alice.letter_key(key_package) for key_package in alice.claim("bob")]
    assert alice.send(messages.Post(tuple(keys), b"content")) == [STORED]
    assert bobs[0].take() == [messages.Letter(keys[0], b"content")]
    assert bobs[2].take() == [messages.Letter(keys[2], b"content")]
    assert bobs[1].reconnect() == [messages.LoggedIn(), messages.Letter(keys[1], b"content")]


def test_a_key_package_that_is_held_names_its_device_too(alice: Device, bobs: list[Device]) -> None:
    """One that somebody else was given, or that came another way."""
    key = alice.letter_key(bobs[0].bundles[0].key_package)
    assert alice.send(messages.Post((key,), b"content")) == [STORED]
    assert bobs[0].take() == [messages.Letter(key, b"content")]


def test_nobody_gets_a_letter_for_somebody_who_is_unknown(
    alice: Device, bobs: list[Device]
) -> None:
    known = alice.letter_key(bobs[0].bundles[0].key_package)
    unknown = alice.letter_key(bobs[1].bundle().key_package)
    assert alice.refused(messages.Post((known, unknown), b"")) == DeliveryReason.UNKNOWN_KEY_PACKAGE


def test_a_key_package_that_has_expired_names_nobody(town: Town, alice: Device) -> None:
    bob, seconds = town.member("bob"), town.now // 1000
    short = bob.bundle(lifetime=Lifetime(seconds, seconds + 60)).key_package
    bob.send(messages.Publish((MLSMessage.of(short).encode(),)))
    letter = messages.Post((alice.letter_key(short),), b"content")
    town.now += 60_999
    assert alice.send(letter) == [STORED]
    town.now += 1
    assert alice.refused(letter) == DeliveryReason.UNKNOWN_KEY_PACKAGE


@pytest.mark.parametrize("key", [b"", b"\x20", b"\xc0" + bytes(40), b"\x40\x01\x00"])
def test_bytes_that_name_nothing_are_refused(alice: Device, key: bytes) -> None:
    assert alice.refused(messages.Post((key,), b"content")) in {*DecodeReason}


class TestBounds:
    """DS-7's."""

    pytestmark = pytest.mark.requirement("DS-7")

    @pytest.fixture
    def key(self, alice: Device, bobs: list[Device]) -> bytes:
        return alice.letter_key(bobs[0].bundles[0].key_package)

    def test_a_letter_has_a_receiver_and_not_too_many(self, alice: Device, key: bytes) -> None:
        assert limits.MAX_LETTER_KEYS == 128
        assert alice.refused(messages.Post((), b"content")) == DeliveryReason.NO_RECEIVER
        many = messages.Post((key,) * 129, b"content")
        assert alice.refused(many) == DeliveryReason.TOO_MANY_RECEIVERS
        assert alice.send(messages.Post((key,) * 128, b"content")) == [STORED]

    def test_key_and_content_are_bounded(self, alice: Device, key: bytes) -> None:
        longest_key = key + bytes(4096 - len(key))
        assert alice.send(messages.Post((longest_key,), bytes(520 << 10))) == [STORED]
        long_key = messages.Post((longest_key + b"x",), b"")
        assert alice.refused(long_key) == DeliveryReason.TOO_MANY_BYTES
        long_content = messages.Post((key,), bytes((520 << 10) + 1))
        assert alice.refused(long_content) == DeliveryReason.TOO_MANY_BYTES

    def test_10_a_minute_to_one_account(self, town: Town, alice: Device, key: bytes) -> None:
        letter = messages.Post((key,), b"content")
        for _ in range(10):
            assert alice.send(letter) == [STORED]
        assert alice.refused(letter) == DeliveryReason.RATE_LIMITED
        carol = town.member("carol", key_packages=1)
        to_carol = alice.letter_key(carol.bundles[0].key_package)
        assert alice.send(messages.Post((to_carol,), b"content")) == [STORED]
        town.now += 6_000
        assert alice.send(letter) == [STORED]
        assert alice.refused(letter) == DeliveryReason.RATE_LIMITED

    def test_30_a_minute_in_all(self, town: Town, alice: Device) -> None:
        receivers = [town.member(f"receiver {n}", key_packages=1) for n in range(4)]
        keys = [alice.letter_key(each.bundles[0].key_package) for each in receivers]
        for n in range(30):
            assert alice.send(messages.Post((keys[n % 4],), b"content")) == [STORED]
        last = messages.Post((keys[3],), b"content")
        assert alice.refused(last) == DeliveryReason.RATE_LIMITED
        laptop = town.member("alice", 2)
        assert laptop.refused(last) == DeliveryReason.RATE_LIMITED

    def test_what_they_take_in_mailboxes(self, alice: Device, key: bytes) -> None:
        assert Rate(64 << 20, 600_000) == limits.LETTER_BYTES
        large = messages.Post((key,) * 126, bytes(520 << 10))  # each takes 64 MiB less 48 KiB
        assert alice.send(large) == [STORED]  # as many as there is room for
        assert alice.refused(large) == DeliveryReason.RATE_LIMITED
