"""KeyPackages: only the device's own, each handed out once, and not too many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519
from e2ee.delivery import key_packages, limits
from e2ee.delivery.errors import DeliveryReason
from e2ee.errors import DecodeReason
from e2ee.identity.errors import IdentityReason
from e2ee.mls.credential import Credential
from e2ee.mls.errors import Rule
from e2ee.mls.extension import Extension
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.leaf_node import Lifetime
from e2ee.mls.message import MLSMessage
from e2ee.profile.leaves import call_capabilities, key_package_lifetime
from e2ee.signalling import messages, wire

if TYPE_CHECKING:
    from tests.delivery.conftest import Device, Town

DAY = 24 * 3600


@pytest.fixture
def bob(town: Town) -> Device:
    return town.member("bob")


def publishing(*key_packages: KeyPackage) -> messages.Publish:
    return messages.Publish(tuple(MLSMessage.of(k).encode() for k in key_packages))


@pytest.mark.requirement("DS-2")
def test_each_is_handed_out_once(alice: Device, bob: Device) -> None:
    bob.publish(3)
    taken = [key_package for _ in range(3) for key_package in alice.claim("bob")]
    assert taken == [bundle.key_package for bundle in bob.bundles]
    assert alice.refused(messages.Claim("bob", 0x0001)) == DeliveryReason.NO_KEY_PACKAGES


@pytest.mark.requirement("DS-2")
def test_one_of_each_device_is_claimed(alice: Device, bobs: list[Device]) -> None:
    assert alice.claim("bob") == [bob.bundles[0].key_package for bob in bobs]
    assert alice.claim("bob") == [bob.bundles[1].key_package for bob in bobs]


@pytest.mark.requirement("DS-2", "DS-29")
def test_one_is_not_published_twice(alice: Device, bob: Device) -> None:
    once, other = bob.bundle().key_package, bob.bundle().key_package
    assert bob.refused(publishing(once, once)) == DeliveryReason.KEY_PACKAGE_KNOWN
    assert bob.send(publishing(once)) == [messages.Published(1)]
    assert bob.refused(publishing(other, once)) == DeliveryReason.KEY_PACKAGE_KNOWN
    assert alice.claim("bob") == [once]
    assert bob.refused(publishing(once)) == DeliveryReason.KEY_PACKAGE_KNOWN


@pytest.mark.requirement("DS-2")
def test_another_devices_is_refused(town: Town, bob: Device) -> None:
    tablet = town.member("bob", 2)
    theirs = publishing(tablet.bundle().key_package)
    assert bob.refused(theirs) == DeliveryReason.NOT_THIS_DEVICE
    assert tablet.send(theirs) == [messages.Published(1)]


@pytest.mark.requirement("DS-2")
def test_one_with_another_certificate_is_refused(bob: Device) -> None:
    renewed = bob.bundle(certificate=bob.certify(generation=1)).key_package
    assert bob.refused(publishing(renewed)) == DeliveryReason.NOT_THIS_DEVICE


@pytest.mark.requirement("KEYS-6", "DS-2")
def test_one_with_a_bad_certificate_is_refused_and_none_beside_it_is_kept(bob: Device) -> None:
    other_key = ED25519.generate(SeededEntropy(b"another key"))
    bad = bob.bundle(key=other_key).key_package
    request = publishing(bob.bundle().key_package, bad)
    assert bob.refused(request) == IdentityReason.BAD_ACCOUNT_SIGNATURE


@pytest.mark.requirement("KEYS-8")
@pytest.mark.parametrize(
    ("begin", "end", "reason"),
    [
        (-2 * DAY, -1, Rule.LEAF_EXPIRED),
        (1, 2 * DAY, Rule.LEAF_NOT_YET_VALID),
        (0, 31 * DAY + 1, Rule.LEAF_LIFETIME_TOO_LONG),
    ],
)
def test_one_outside_its_lifetime_is_refused(
    bob: Device, begin: int, end: int, reason: Rule
) -> None:
    seconds = bob.town.now // 1000
    wrong = bob.bundle(lifetime=Lifetime(seconds + begin, seconds + end))
    assert bob.refused(publishing(wrong.key_package)) == reason


def test_a_forged_one_is_refused(bob: Device) -> None:
    data = bytearray(MLSMessage.of(bob.bundle().key_package).encode())
    data[-1] ^= 1
    assert bob.refused(messages.Publish((bytes(data),))) == Rule.KEY_PACKAGE_SIGNATURE


def test_bytes_that_are_no_key_package_are_refused(bob: Device) -> None:
    key_package = bob.bundle().key_package
    naked = key_package.encode()
    for data, reason in (
        (b"", DecodeReason.TRUNCATED),
        (MLSMessage.of(key_package).encode() + b"\x00", DecodeReason.TRAILING_BYTES),
    ):
        assert bob.refused(messages.Publish((data,))) == reason
    assert bob.refused(messages.Publish((naked,))) in {*DecodeReason, *Rule, *DeliveryReason}


@pytest.mark.requirement("KEYS-1")
def test_one_of_a_suite_without_sframe_suite_is_refused(bob: Device) -> None:
    data = bytearray(MLSMessage.of(bob.bundle().key_package).encode())
    data[6:8] = b"\x00\x02"  # version, wire format, KeyPackage version, cipher suite
    assert bob.refused(messages.Publish((bytes(data),))) == "UNPAIRED_SUITE"


@pytest.mark.requirement("DS-7")
def test_a_device_has_100_at_most(bob: Device) -> None:
    assert bob.publish(100) == [messages.Published(100)]
    request = publishing(bob.bundle().key_package)
    assert bob.refused(request) == DeliveryReason.TOO_MANY_KEY_PACKAGES


@pytest.mark.requirement("DS-7", "SIG-3")
def test_those_of_a_whole_account_fit_into_one_message(town: Town, bob: Device) -> None:
    """Else one account could have the service make a message that it cannot send."""
    marks = (Extension(0xF999, bytes(limits.MAX_KEY_PACKAGE)),)
    package = KeyPackageBundle.generate(
        cipher_suite(0x0001),
        bob.key,
        Credential.basic(bob.certificate.encode()),
        call_capabilities(bob.suites, marks),
        key_package_lifetime(town.now),
        bob.entropy,
        extensions=marks,
    ).key_package
    assert bob.refused(publishing(package)) == DeliveryReason.TOO_MANY_BYTES
    longest = messages.KeyPackages("x" * 64, (bytes(limits.MAX_KEY_PACKAGE),) * limits.MAX_DEVICES)
    assert len(wire.encode(longest)) <= messages.SERVICE.max_size


@pytest.mark.requirement("DS-7")
def test_what_was_handed_out_is_remembered_up_to_a_bound(
    bob: Device, alice: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_packages, "MAX_REMEMBERED_KEY_PACKAGES", 4)
    bob.publish(3)
    for _ in range(3):
        alice.claim("bob")
    assert bob.publish(1) == [messages.Published(1)]
    request = publishing(bob.bundle().key_package)
    assert bob.refused(request) == DeliveryReason.TOO_MANY_KEY_PACKAGES
    bob.town.now += 30 * DAY * 1000  # all are expired, and forgotten
    bob.certificate = bob.certify()
    bob.login()
    assert bob.publish(4) == [messages.Published(4)]


def test_expired_ones_are_neither_counted_nor_handed_out(bob: Device, alice: Device) -> None:
    seconds = bob.town.now // 1000
    short = bob.bundle(lifetime=Lifetime(seconds, seconds + 60)).key_package
    bob.send(publishing(short))
    bob.town.now += 60_999
    assert alice.send(messages.Find("bob")) == [
        messages.Devices("bob", (bob.certificate.encode(),))
    ]
    bob.town.now += 1
    assert alice.send(messages.Find("bob")) == [messages.Devices("bob", ())]
    assert alice.refused(messages.Claim("bob", 0x0001)) == DeliveryReason.NO_KEY_PACKAGES
    assert bob.publish(1) == [messages.Published(1)]


def test_a_new_certificate_makes_the_old_key_packages_void(bob: Device, alice: Device) -> None:
    bob.publish(2)
    bob.certificate = bob.certify(generation=1)
    bob.login()
    assert alice.refused(messages.Claim("bob", 0x0001)) == DeliveryReason.NO_KEY_PACKAGES
    assert bob.publish(1) == [messages.Published(1)]
    (claimed,) = alice.claim("bob")
    assert claimed.leaf_node.credential.value == bob.certificate.encode()


def test_find_names_the_devices_that_can_be_called(
    town: Town, alice: Device, bobs: list[Device]
) -> None:
    town.member("bob", 4)  # which publishes nothing
    certificates = tuple(bob.certificate.encode() for bob in bobs)
    assert alice.send(messages.Find("bob")) == [messages.Devices("bob", certificates)]


@pytest.mark.requirement("DS-1", "IDENT-7")
def test_a_revoked_device_is_neither_found_nor_claimed(alice: Device, bobs: list[Device]) -> None:
    phone = bobs[0]
    phone.certificate = phone.certify(generation=1)
    phone.login()
    assert alice.refused(messages.Claim("bob", 0x0001)) == DeliveryReason.NO_KEY_PACKAGES
    phone.publish(1)
    found = alice.send(messages.Find("bob"))
    assert found == [messages.Devices("bob", (phone.certificate.encode(),))]
    assert alice.claim("bob") == [phone.bundles[-1].key_package]


def test_nobody_is_found_who_is_not_registered(alice: Device) -> None:
    assert alice.refused(messages.Find("nobody")) == DeliveryReason.UNKNOWN_ACCOUNT
    assert alice.refused(messages.Claim("nobody", 1)) == DeliveryReason.UNKNOWN_ACCOUNT


def test_another_suite_has_other_key_packages(alice: Device, bob: Device) -> None:
    bob.publish(1)
    assert alice.refused(messages.Claim("bob", 0xF0E2)) == DeliveryReason.NO_KEY_PACKAGES
    assert len(alice.claim("bob")) == 1


def test_our_own_key_packages_are_accepted_at_once(bob: Device) -> None:
    lifetime = key_package_lifetime(bob.town.now)
    assert lifetime.not_before * 1000 < bob.town.now
    assert bob.publish(1) == [messages.Published(1)]


class TestLastResort:
    """What is handed out when nothing else is left, and again after that."""

    @pytest.mark.requirement("DS-2")
    def test_it_comes_last_and_stays(self, alice: Device, bob: Device) -> None:
        last, single = bob.bundle(last_resort=True).key_package, bob.bundle().key_package
        assert bob.send(publishing(last, single)) == [messages.Published(2)]
        assert [alice.claim("bob") for _ in range(3)] == [[single], [last], [last]]
        assert bob.publish(1) == [messages.Published(2)]
        assert alice.claim("bob") == [bob.bundles[0].key_package]
        assert alice.send(messages.Find("bob")) == [
            messages.Devices("bob", (bob.certificate.encode(),))
        ]

    @pytest.mark.requirement("DS-2")
    def test_a_newer_one_takes_its_place(self, alice: Device, bob: Device) -> None:
        first, second = (bob.bundle(last_resort=True).key_package for _ in range(2))
        assert bob.send(publishing(first)) == [messages.Published(1)]
        assert bob.send(publishing(second)) == [messages.Published(1)]
        assert alice.claim("bob") == [second]
        assert bob.refused(publishing(first)) == DeliveryReason.KEY_PACKAGE_KNOWN
        letter = messages.Post((alice.letter_key(first),), b"to whom the first was handed out")
        assert alice.send(letter) == [messages.Stored("post", None)]

    @pytest.mark.requirement("DS-7")
    def test_it_counts_once(self, bob: Device) -> None:
        last = bob.bundle(last_resort=True).key_package
        bob.send(publishing(last))
        assert bob.publish(99) == [messages.Published(100)]
        newer = bob.bundle(last_resort=True).key_package
        assert bob.send(publishing(newer)) == [messages.Published(100)]
        assert bob.refused(publishing(bob.bundle().key_package)) == (
            DeliveryReason.TOO_MANY_KEY_PACKAGES
        )

    @pytest.mark.requirement("DS-2")
    def test_it_goes_with_its_certificate(self, alice: Device, bob: Device) -> None:
        bob.send(publishing(bob.bundle(last_resort=True).key_package))
        bob.certificate = bob.certify(generation=1)
        bob.login()
        assert alice.refused(messages.Claim("bob", 0x0001)) == DeliveryReason.NO_KEY_PACKAGES
