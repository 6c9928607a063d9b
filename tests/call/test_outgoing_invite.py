"""Which devices of an account are invited, and which are left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from e2ee.call.configuration import Configuration
from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.outgoing_invite import choose_suite_to_claim, judge_key_packages, make_invite
from e2ee.call.owner import Owner
from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.errors import Reason
from e2ee.identity.device_certificate import (
    Attestation,
    DeviceCertificate,
    VerifiedCertificate,
    verify_certificate,
)
from e2ee.identity.errors import IdentityReason
from e2ee.identity.trust import ContactState
from e2ee.mls.credential import Credential
from e2ee.mls.errors import Rule
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.message import MLSMessage
from e2ee.profile.call_profile import CallKind
from e2ee.profile.errors import ProfileError, ProfileReason
from e2ee.profile.leaves import call_capabilities, key_package_lifetime
from e2ee.testing.simulated_calls import START, SimulatedCalls, SimulatedDevice

DAY = 24 * 3600 * 1000
HYBRID = (0x0001, 0xF0E2)


@pytest.fixture
def certified(calls: SimulatedCalls) -> Callable[..., Owner]:
    """A device as its account would have certified it, attested by the directory."""

    def make(device: SimulatedDevice, *, made: int = START, **fields: Any) -> Owner:
        account, key = device.account, device.owner.signing_key
        attestation = calls.identity.authority.attest(account.account_id, account.public, START)
        certificate = account.certify(
            key.public,
            now=made,
            attestation=attestation,
            **{"device_id": 1, "versions": (0x0100,), "suites": (0x0001,), **fields},
        )
        return replace(
            device.owner, certificate=verify_certificate(certificate.encode(), key.public)
        )

    return make


def published(owner: Owner, now: int = START, suite: int = 0x0001) -> bytes:
    return MLSMessage.of(owner.new_key_package(suite, now).key_package).encode()


def refusal(alice: SimulatedDevice, *key_packages: bytes) -> list[Reason]:
    """Why each of these, said to be Bob's devices, is not called."""
    judged = judge_key_packages(alice.owner, "bob", 0x0001, key_packages, START)
    assert len(judged.accepted) == len(judged.certificates)
    assert len(judged.accepted) + len(judged.refused) + len(judged.changed) == len(key_packages)
    return [error.reason for error in judged.refused]


@pytest.mark.requirement("CALL-2")
def test_every_device_that_is_in_order_is_invited(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    tablet = calls.device("bob", device_id=2)
    both = (published(bob.owner), published(tablet.owner))
    judged = judge_key_packages(alice.owner, "bob", 0x0001, both, START)
    assert [certificate.device_id for certificate in judged.certificates] == [1, 2]
    invite = make_invite(
        alice.owner, CallKind.ONE_TO_ONE, b"sixteen byte id.", 0x0001, judged, START
    )
    assert len(invite.pending.staged.added) == 2
    assert invite.group.epoch == 0


@pytest.mark.requirement("CALL-2")
def test_another_accounts_device_is_left_out(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    mallory = calls.device("mallory")
    assert refusal(alice, published(mallory.owner), published(bob.owner)) == [
        CallReason.WRONG_ACCOUNT
    ]


@pytest.mark.requirement("IDENT-11")
def test_a_device_that_comes_twice_is_invited_once(
    alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    assert refusal(alice, published(bob.owner), published(bob.owner)) == [CallReason.DEVICE_TWICE]


@pytest.mark.requirement("IDENT-11")
def test_two_devices_of_one_number_are_not_both_invited(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    certified: Callable[..., Owner],
) -> None:
    tablet = certified(calls.device("bob", device_id=2), device_id=1)
    assert refusal(alice, published(bob.owner), published(tablet)) == [CallReason.DEVICE_TWICE]


@pytest.mark.requirement("IDENT-11")
def test_of_two_account_keys_under_one_name_only_the_first_is_invited(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    """The directory attested both, and neither is pinned."""
    behind = SimulatedCalls(SeededEntropy(b"behind"), calls.identity)
    other = behind.device("bob", device_id=2)
    assert refusal(alice, published(bob.owner), published(other.owner)) == [
        CallReason.WRONG_ACCOUNT
    ]


@pytest.mark.requirement("CALL-2")
def test_no_more_devices_are_invited_than_one_welcome_is_for(alice: SimulatedDevice) -> None:
    judged = judge_key_packages(alice.owner, "bob", 0x0001, [b""] * 1_024, START)
    assert len(judged.refused) == 63  # with the caller's, 64 leaves


@pytest.mark.requirement("CALL-2")
def test_a_device_that_does_not_know_calls_is_left_out_and_the_others_ring(
    alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    """Its KeyPackage would make the commit of all of them invalid."""
    owner = bob.owner
    odd = KeyPackageBundle.generate(
        cipher_suite(0x0001),
        owner.signing_key,
        Credential.basic(owner.certificate.certificate.encode()),
        replace(call_capabilities((0x0001,)), extensions=()),
        key_package_lifetime(START),
        owner.entropy,
    )
    encoded = MLSMessage.of(odd.key_package).encode()
    judged = judge_key_packages(alice.owner, "bob", 0x0001, [encoded, published(owner)], START)
    assert [error.reason for error in judged.refused] == [Rule.LEAF_LACKS_GROUP_EXTENSION]
    assert len(judged.accepted) == 1


@pytest.mark.requirement("IDENT-5")
@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (START - 28 * DAY, None),
        (START - 28 * DAY - 1_000, IdentityReason.EXPIRED),
        (START + 3_600_000, None),
        (START + 3_601_000, IdentityReason.NOT_YET_VALID),
    ],
)
def test_a_certificate_out_of_date_is_left_out_without_tolerance(
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    certified: Callable[..., Owner],
    made: int,
    reason: Reason | None,
) -> None:
    reasons = refusal(alice, published(certified(bob, made=made)))
    assert reasons == ([] if reason is None else [reason])


@pytest.mark.requirement("KEYS-8")
@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (START - 28 * DAY - 1_000, Rule.LEAF_EXPIRED),
        (START + 3_601_000, Rule.LEAF_NOT_YET_VALID),
    ],
)
def test_a_key_package_out_of_date_is_left_out_without_tolerance(
    alice: SimulatedDevice, bob: SimulatedDevice, made: int, reason: Reason
) -> None:
    assert refusal(alice, published(bob.owner, now=made)) == [reason]


@pytest.mark.requirement("IDENT-7")
def test_revoked_devices_are_left_out_in_whatever_order_they_come(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    certified: Callable[..., Owner],
) -> None:
    tablet = certified(calls.device("bob", device_id=2), device_id=2, generation=1)
    assert refusal(alice, published(bob.owner), published(tablet)) == [IdentityReason.REVOKED]
    assert refusal(alice, published(bob.owner)) == [IdentityReason.REVOKED]


@pytest.mark.requirement("IDENT-9")
def test_a_device_that_nobody_attests_is_left_out(
    alice: SimulatedDevice, bob: SimulatedDevice, certified: Callable[..., Owner]
) -> None:
    unattested = without_attestation(certified(bob))
    assert refusal(alice, published(unattested)) == [IdentityReason.NOT_ATTESTED]


@pytest.mark.requirement("IDENT-9")
def test_a_pinned_account_needs_no_attestation(
    alice: SimulatedDevice, bob: SimulatedDevice, certified: Callable[..., Owner]
) -> None:
    alice.core.trust.mark_verified("bob", bob.account.public)
    assert refusal(alice, published(without_attestation(certified(bob)))) == []


def without_attestation(owner: Owner) -> Owner:
    certificate: VerifiedCertificate = owner.certificate
    bare = replace(certificate.certificate, attestation=Attestation(0, 0, bytes(64)))
    assert isinstance(bare, DeviceCertificate)
    return replace(owner, certificate=verify_certificate(bare.encode(), owner.signing_key.public))


@pytest.mark.requirement("IDENT-10")
def test_a_device_of_a_changed_account_key_is_reported_and_left_out(
    alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    alice.core.trust.mark_verified("bob", bytes(32))
    judged = judge_key_packages(alice.owner, "bob", 0x0001, (published(bob.owner),), START)
    assert [certificate.account_key for certificate in judged.changed] == [bob.account.public]
    assert judged.accepted == []


@pytest.mark.requirement("IDENT-8")
def test_judging_pins_nobody_and_inviting_does(
    alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    judged = judge_key_packages(alice.owner, "bob", 0x0001, (published(bob.owner),), START)
    unattested = without_attestation(bob.owner).certificate
    with pytest.raises(Exception, match=IdentityReason.NOT_ATTESTED):
        alice.core.trust.judge(unattested, START)
    make_invite(alice.owner, CallKind.ONE_TO_ONE, b"sixteen byte id.", 0x0001, judged, START)
    assert alice.core.trust.judge(unattested, START) is ContactState.UNVERIFIED


def test_junk_in_the_place_of_a_key_package(alice: SimulatedDevice, bob: SimulatedDevice) -> None:
    key_package = bytearray(published(bob.owner))
    key_package[-1] ^= 1
    good = published(bob.owner)
    assert len(refusal(alice, b"", b"junk", bytes(key_package), good)) == 3


def test_a_key_package_of_another_suite(calls: SimulatedCalls, alice: SimulatedDevice) -> None:
    bob = calls.device("bob", suites=HYBRID)
    other = published(bob.owner, suite=0xF0E2)
    assert refusal(alice, other) == [Rule.KEY_PACKAGE_CIPHER_SUITE]


# ------------------------------------------------------------------------------------------------- which suite


@pytest.mark.requirement("KEYS-2")
@pytest.mark.parametrize(
    ("own", "theirs", "chosen"),
    [
        (HYBRID, [HYBRID, HYBRID], 0xF0E2),
        (HYBRID, [HYBRID, (0x0001,)], 0x0001),
        ((0x0001,), [HYBRID], 0x0001),
        ((0x0001,), [(0x0001, 0x0003)], 0x0001),
    ],
)
def test_the_highest_suite_that_everybody_has(
    calls: SimulatedCalls, own: tuple[int, ...], theirs: list[tuple[int, ...]], chosen: int
) -> None:
    alice = calls.device("alice", suites=own)
    account = calls.account("bob")
    certificates = [
        account.certify(
            bytes([number] * 32), device_id=number, now=START, versions=(0x0100,), suites=suites
        ).encode()
        for number, suites in enumerate(theirs)
    ]
    assert choose_suite_to_claim(alice.owner, "bob", certificates, START) == chosen


@pytest.mark.requirement("KEYS-2")
def test_a_minimum_above_what_they_have(calls: SimulatedCalls, bob: SimulatedDevice) -> None:
    careful = calls.device(
        "alice", suites=HYBRID, configuration=Configuration(minimum_suite=0xF0E2)
    )
    certificates = [bob.owner.certificate.certificate.encode()]
    with pytest.raises(ProfileError) as refused:
        choose_suite_to_claim(careful.owner, "bob", certificates, START)
    assert refused.value.reason is ProfileReason.NO_COMMON_SUITE


def test_devices_that_cannot_be_called_have_no_say_in_the_suite(
    calls: SimulatedCalls, alice: SimulatedDevice, certified: Callable[..., Owner]
) -> None:
    """An old device that was not renewed must not hold everybody on the lower suite, nor make calls impossible."""
    alice = calls.device("alice", device_id=2, suites=HYBRID)
    new = calls.device("bob", suites=HYBRID)
    old = certified(new, made=START - 40 * DAY, suites=(0x0001,))
    other = calls.device("mallory")
    certificates = [
        b"junk",
        *(owner.certificate.certificate.encode() for owner in (old, new.owner, other.owner)),
    ]
    assert choose_suite_to_claim(alice.owner, "bob", certificates, START) == 0xF0E2


def test_no_device_at_all(alice: SimulatedDevice) -> None:
    with pytest.raises(CallRefused) as refused:
        choose_suite_to_claim(alice.owner, "bob", [], START)
    assert refused.value.reason is CallReason.NO_DEVICE


def test_a_fresh_key_package_is_valid_at_once(alice: SimulatedDevice) -> None:
    bundle = alice.owner.new_key_package(0x0001, START)
    assert bundle.suite is cipher_suite(0x0001)
    assert isinstance(bundle.key_package, KeyPackage)
    lifetime = bundle.key_package.leaf_node.lifetime
    assert lifetime is not None
    assert lifetime.not_before < START // 1000 < lifetime.not_after
