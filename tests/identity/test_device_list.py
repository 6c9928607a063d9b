"""An account's devices: certified one by one, renewed together, and revoked by everybody else's new certificate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519
from e2ee.identity.account import AccountKey
from e2ee.identity.attestation import AttestationAuthority
from e2ee.identity.device_certificate import Role
from e2ee.identity.device_list import MAX_GENERATION, DeviceList
from e2ee.identity.errors import IdentityReason, IdentityUsageError, TrustError
from e2ee.identity.trust import Trust

DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def keys(entropy: SeededEntropy) -> list[bytes]:
    """The signature keys of four devices."""
    return [ED25519.generate(entropy).public for _ in range(4)]


@pytest.fixture
def devices(
    alice: AccountKey, keys: Sequence[bytes], authority: AttestationAuthority, now: int
) -> DeviceList:
    """Alice's phone, her laptop and her bot."""
    attestation = authority.attest("alice", alice.public, now)
    listed = DeviceList()
    for name, key, suites, roles in (
        ("phone", keys[0], [1, 0xF0E2], Role.NONE),
        ("laptop", keys[1], [1], Role.NONE),
        ("bot", keys[2], [1], Role.BOT),
    ):
        listed = listed.add(
            alice,
            name,
            key,
            now=now,
            versions=[0x0100],
            suites=suites,
            roles=roles,
            attestation=attestation,
        )
    return listed


def add(devices: DeviceList, account: AccountKey, key: bytes, now: int) -> DeviceList:
    return devices.add(account, "tablet", key, now=now, versions=[0x0100], suites=[1])


def test_each_device_has_a_number_of_its_own(devices: DeviceList, keys: Sequence[bytes]) -> None:
    assert [(each.device_id, each.name) for each in devices.devices] == [
        (1, "phone"),
        (2, "laptop"),
        (3, "bot"),
    ]
    assert [each.certificate.signature_key for each in devices.devices] == keys[:3]
    assert {each.certificate.generation for each in devices.devices} == {0}


@pytest.mark.requirement("IDENT-7")
def test_revoking_raises_the_generation_of_all_others(
    devices: DeviceList, alice: AccountKey, now: int
) -> None:
    after = devices.revoke(alice, 2, now=now + DAY_MS)
    assert [each.name for each in after.active] == ["phone", "bot"]
    assert [each.certificate.generation for each in after.devices] == [1, 0, 1]
    for old, new in zip(devices.devices, after.devices, strict=True):
        statement = new.certificate.certificate.statement
        assert new.certificate.signature_key == old.certificate.signature_key
        assert (statement.suites, statement.roles, statement.device_id) == (
            old.certificate.suites,
            old.certificate.roles,
            old.device_id,
        )
        assert new.certificate.certificate.attestation == old.certificate.certificate.attestation
    assert devices.generation == 0  # what was before is whole


@pytest.mark.requirement("IDENT-7")
def test_who_was_revoked_stays_so_when_another_is(
    devices: DeviceList, alice: AccountKey, now: int
) -> None:
    after = devices.revoke(alice, 2, now=now).revoke(alice, 3, now=now)
    assert [each.certificate.generation for each in after.devices] == [2, 0, 1]
    assert [each.name for each in after.active] == ["phone"]


@pytest.mark.requirement("IDENT-7")
def test_who_sees_one_of_the_others_refuses_the_revoked_device(
    devices: DeviceList, alice: AccountKey, trust: Trust, now: int
) -> None:
    lost = devices.find(2).certificate
    trust.accept(lost, now)
    after = devices.revoke(alice, 2, now=now)
    trust.accept(after.find(1).certificate, now)
    with pytest.raises(TrustError) as refused:
        trust.judge(lost, now)
    assert refused.value.reason is IdentityReason.REVOKED
    trust.accept(after.find(3).certificate, now)


@pytest.mark.requirement("IDENT-7")
def test_the_generation_stays_risen_when_nobody_else_is_left(
    alice: AccountKey, keys: Sequence[bytes], now: int
) -> None:
    only = add(DeviceList(), alice, keys[0], now)
    after = add(only.revoke(alice, 1, now=now), alice, keys[1], now)
    assert [(each.device_id, each.certificate.generation) for each in after.active] == [(2, 1)]


def test_a_number_is_given_once(
    devices: DeviceList, alice: AccountKey, keys: Sequence[bytes], now: int
) -> None:
    after = add(devices.revoke(alice, 3, now=now), alice, keys[3], now)
    assert after.devices[-1].device_id == 4
    assert after.devices[-1].certificate.generation == 1


@pytest.mark.requirement("IDENT-2")
def test_all_are_renewed_but_the_revoked(
    devices: DeviceList, alice: AccountKey, authority: AttestationAuthority, now: int
) -> None:
    before, later = devices.revoke(alice, 2, now=now), now + 20 * DAY_MS
    fresh = authority.attest("alice", alice.public, later)
    after = before.renew(alice, now=later, attestation=fresh)
    assert after.generation == before.generation
    assert after.find(2) == before.find(2)
    for each in after.active:
        certificate = each.certificate.certificate
        assert certificate.attestation == fresh
        assert certificate.statement.not_after == later // 1000 + 28 * 24 * 3600


@pytest.mark.parametrize("device_id", [0, 4])
def test_a_device_that_is_none(devices: DeviceList, alice: AccountKey, device_id: int) -> None:
    with pytest.raises(IdentityUsageError) as refused:
        devices.revoke(alice, device_id, now=0)
    assert refused.value.reason is IdentityReason.NO_SUCH_DEVICE


def test_a_device_is_revoked_once(devices: DeviceList, alice: AccountKey, now: int) -> None:
    after = devices.revoke(alice, 1, now=now)
    with pytest.raises(IdentityUsageError) as refused:
        after.revoke(alice, 1, now=now)
    assert refused.value.reason is IdentityReason.ALREADY_REVOKED


def test_a_key_is_certified_as_one_device(
    devices: DeviceList, alice: AccountKey, keys: Sequence[bytes], now: int
) -> None:
    """Also a revoked one's: who revoked a device does not let it in again by the same key."""
    after = devices.revoke(alice, 2, now=now)
    with pytest.raises(IdentityUsageError) as refused:
        add(after, alice, keys[1], now)
    assert refused.value.reason is IdentityReason.DEVICE_KNOWN


def test_generations_end(devices: DeviceList, alice: AccountKey, now: int) -> None:
    last = replace(devices, generation=MAX_GENERATION - 1).revoke(alice, 1, now=now)
    assert {each.certificate.generation for each in last.active} == {MAX_GENERATION}
    with pytest.raises(IdentityUsageError) as refused:
        last.revoke(alice, 2, now=now)
    assert refused.value.reason is IdentityReason.NO_GENERATION_LEFT
