"""The newest certificates of an account's devices, and what revocation ends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from e2ee.delivery import limits
from e2ee.delivery.errors import DeliveryReason
from e2ee.identity.account import AccountKey
from e2ee.identity.device_certificate import DeviceCertificate
from e2ee.identity.errors import IdentityReason
from e2ee.signalling import messages

if TYPE_CHECKING:
    from tests.delivery.conftest import Device, Town

DAY = 24 * 3600 * 1000

pytestmark = pytest.mark.requirement("DS-13")


@pytest.fixture
def tablet(town: Town) -> Device:
    """Alice's other device."""
    return town.member("alice", 2, key_packages=1)


def renewal(device: Device, **fields: Any) -> tuple[messages.Renew, DeviceCertificate]:
    certificate = device.certify(**fields)
    return messages.Renew(device.key.public, certificate.encode()), certificate


def renewed(device: Device) -> messages.Renewed:
    return messages.Renewed(device.key.public)


def said(arrived: object) -> str:
    """The reason of a refusal."""
    assert isinstance(arrived, messages.Refused)
    return arrived.reason


@pytest.mark.requirement("IDENT-16")
def test_a_renewed_certificate_waits_for_its_device(
    town: Town, alice: Device, tablet: Device
) -> None:
    """It was away until its own certificate had expired, and logs in with that."""
    tablet.disconnect()
    town.now += 25 * DAY
    request, certificate = renewal(tablet)
    assert alice.send(request) == [renewed(tablet)]
    town.now += 27 * DAY
    assert tablet.reconnect() == [
        messages.LoggedIn(),
        messages.Certificate(certificate.encode()),
    ]
    assert tablet.publish(0) == [messages.Published(0)]
    tablet.certificate = certificate
    assert tablet.publish(1) == [messages.Published(1)]


def test_without_a_renewal_an_expired_device_stays_out(town: Town, tablet: Device) -> None:
    tablet.disconnect()
    town.now += 30 * DAY
    assert said(tablet.reconnect()[0]) == IdentityReason.EXPIRED


def test_one_that_is_there_gets_it_at_once(town: Town, alice: Device, tablet: Device) -> None:
    town.now += DAY
    request, certificate = renewal(tablet)
    assert alice.send(request) == [renewed(tablet)]
    assert tablet.take() == [messages.Certificate(certificate.encode())]


def test_what_says_nothing_new_changes_nothing(town: Town, alice: Device, tablet: Device) -> None:
    """The account's signature does not cover the attestation: a stolen device could fill its siblings' mailboxes with
    variants of their certificates, and keep them from publishing."""
    said_before = tablet.certificate
    other = replace(said_before.attestation, attestation=bytes(64))
    variant = replace(said_before, attestation=other)
    assert alice.send(messages.Renew(tablet.key.public, variant.encode())) == [renewed(tablet)]
    assert tablet.take() == []
    assert [each.certificate for each in town.devices("alice")][1] == said_before
    assert tablet.publish(1) == [messages.Published(2)]


@pytest.mark.requirement("DS-2")
def test_key_packages_outlive_a_renewal_of_the_dates_alone(
    town: Town, alice: Device, tablet: Device
) -> None:
    town.now += DAY
    bob = town.member("bob")
    alice.send(renewal(tablet)[0])
    assert bob.claim("alice") == [tablet.bundles[0].key_package]
    tablet.publish(0)
    alice.send(renewal(tablet, generation=0, roles=1)[0])
    assert bob.refused(messages.Claim("alice", 0x0001)) == DeliveryReason.NO_KEY_PACKAGES


def test_but_not_the_certificate_that_they_carry(town: Town, alice: Device, tablet: Device) -> None:
    town.now += 20 * DAY
    assert tablet.publish(1) == [messages.Published(2)]  # it would live for 28 days
    alice.send(renewal(tablet)[0])
    bob = town.member("bob")
    end = tablet.certificate.statement.not_after * 1000
    town.now = end + 999
    assert len(bob.claim("alice")) == 1
    tablet.take()
    tablet.certificate = renewal(tablet)[1]
    town.now = end + 1000
    assert bob.refused(messages.Claim("alice", 0x0001)) == DeliveryReason.NO_KEY_PACKAGES


class TestRevocation:
    """The generation rises."""

    @pytest.mark.requirement("DS-1", "IDENT-7")
    def test_who_is_not_renewed_loses_session_and_key_packages(
        self, town: Town, alice: Device, tablet: Device
    ) -> None:
        bob = town.member("bob")
        own, certificate = renewal(alice, generation=1)
        assert alice.send(own) == [renewed(alice)]
        assert [said(each) for each in tablet.take()] == [DeliveryReason.REVOKED]
        assert tablet.refused(messages.Find("bob")) == DeliveryReason.NOT_LOGGED_IN
        assert said(tablet.login()[0]) == DeliveryReason.REVOKED
        with town.store.transaction() as tx:
            assert tx.shelf(tablet.key.public, town.now).held == 0
        assert bob.refused(messages.Claim("alice", 0x0001)) == DeliveryReason.NO_KEY_PACKAGES
        alice.certificate = certificate
        assert alice.publish(1) == [messages.Published(1)]

    def test_who_is_renewed_comes_back_with_its_old_certificate(
        self, alice: Device, tablet: Device
    ) -> None:
        alice.send(renewal(alice, generation=1)[0])
        tablet.take()
        request, certificate = renewal(tablet, generation=1)
        assert alice.send(request) == [renewed(tablet)]
        assert tablet.login() == [
            messages.LoggedIn(),
            messages.Certificate(certificate.encode()),
        ]

    def test_who_renews_others_first_is_out_itself(self, alice: Device, tablet: Device) -> None:
        answers = alice.send(renewal(tablet, generation=1)[0])
        assert answers[0] == renewed(tablet)
        assert said(answers[1]) == DeliveryReason.REVOKED
        assert alice.refused(messages.Find("alice")) == DeliveryReason.NOT_LOGGED_IN

    @pytest.mark.requirement("DS-9")
    def test_a_mailbox_outlives_a_revocation_that_is_of_another_device(
        self, town: Town, alice: Device, tablet: Device
    ) -> None:
        bob = town.member("bob")
        (claimed,) = bob.claim("alice")
        tablet.disconnect()
        bob.send(messages.Post((bob.letter_key(claimed),), b"content"))
        alice.send(renewal(alice, generation=1)[0])
        alice.send(renewal(tablet, generation=1)[0])
        arrived = [message.name for message in tablet.reconnect()]
        assert arrived == ["logged_in", "letter", "certificate"]


class TestRefused:
    """What is no renewal."""

    def test_another_accounts_device(self, town: Town, alice: Device) -> None:
        bob = town.member("bob")
        assert alice.refused(renewal(bob)[0]) == DeliveryReason.WRONG_ACCOUNT_KEY

    def test_another_account_of_the_same_key(self, town: Town, alice: Device) -> None:
        town.accounts["twin"] = AccountKey("twin", alice.account.key)
        twin = town.member("twin", 5)
        assert alice.refused(renewal(twin)[0]) == DeliveryReason.WRONG_ACCOUNT_KEY

    def test_a_device_that_the_service_does_not_know(self, town: Town, alice: Device) -> None:
        new = town.device("alice", 3)
        assert alice.refused(renewal(new)[0]) == DeliveryReason.UNKNOWN_DEVICE

    def test_another_place_for_a_device(self, alice: Device, tablet: Device) -> None:
        tablet.device_id = 3
        assert alice.refused(renewal(tablet)[0]) == DeliveryReason.UNKNOWN_DEVICE

    def test_a_certificate_for_another_key(self, alice: Device, tablet: Device) -> None:
        request = replace(renewal(tablet)[0], signature_key=alice.key.public)
        assert alice.refused(request) == IdentityReason.BAD_ACCOUNT_SIGNATURE

    def test_a_lower_generation(self, alice: Device, tablet: Device) -> None:
        old = renewal(tablet)[0]
        alice.send(renewal(alice, generation=1)[0])
        assert alice.refused(old) == DeliveryReason.REVOKED

    def test_an_older_certificate(self, town: Town, alice: Device, tablet: Device) -> None:
        older = renewal(tablet)[0]
        town.now += DAY
        alice.send(renewal(tablet)[0])
        assert alice.refused(older) == DeliveryReason.NOT_NEWER

    def test_an_expired_certificate(self, town: Town, alice: Device, tablet: Device) -> None:
        old = renewal(tablet)[0]
        alice.send(renewal(alice)[0])
        town.now += 29 * DAY + 3_600_000
        assert alice.send(messages.AskRelays()) != []  # and what has expired is swept
        assert alice.refused(old) == IdentityReason.EXPIRED

    def test_a_key_that_is_another_accounts_device(self, town: Town, alice: Device) -> None:
        bob = town.member("bob")
        bob.key = alice.key
        bob.certificate = bob.certify()
        assert said(bob.login()[0]) == DeliveryReason.NOT_THIS_DEVICE


class TestPlaces:
    """Each device id has one device."""

    def test_a_new_key_takes_the_place_of_the_old_one(self, town: Town, alice: Device) -> None:
        again = town.device("alice", 1)
        again.key = town.device("mallory").key
        again.certificate = again.certify()
        assert again.login() == [messages.LoggedIn()]
        assert [said(each) for each in alice.take()] == [DeliveryReason.SUPERSEDED]
        assert alice.refused(messages.Find("alice")) == DeliveryReason.NOT_LOGGED_IN

    @pytest.mark.requirement("DS-7")
    @pytest.mark.parametrize("why", ["revoked", "expired"])
    def test_a_device_that_cannot_come_back_makes_room(
        self, town: Town, monkeypatch: pytest.MonkeyPatch, why: str
    ) -> None:
        monkeypatch.setattr(limits, "MAX_DEVICES", 3)
        first, second, _ = (town.member("carol", n) for n in (1, 2, 3))
        fourth = town.device("carol", 4)
        assert said(fourth.login()[-1]) == DeliveryReason.TOO_MANY_DEVICES
        if why == "revoked":
            for device in (first, second):
                device.take()
                device.certificate = device.certify(generation=1)
                device.login()
            fourth.certificate = fourth.certify(generation=1)
        else:
            town.now += 20 * DAY
            for device in (first, second):
                device.certificate = device.certify()
                device.login()
            town.now += 10 * DAY
            fourth.certificate = fourth.certify()
        assert fourth.login() == [messages.LoggedIn()]
        known = {device.device_id for device in town.devices("carol")}
        assert known == {1, 2, 4}
