"""A device that restarts is the same device, with the same KeyPackages; what was used is gone for good."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kyber_py.ml_kem import ML_KEM_768

from e2ee.call.key_packages import KEPT_OF_A_SUITE, KeyPackages
from e2ee.call.seen_calls import SEEN_FOR, MemorySeenCalls, SeenCalls
from e2ee.client.key_store import KeyStore, Service
from e2ee.client.sealed_store import SealedStore
from e2ee.client.store_errors import StoreError, StoreReason
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519
from e2ee.identity.attestation import DirectoryKeys
from e2ee.identity.device_list import DeviceList
from e2ee.testing.simulated_calls import START, SimulatedCalls, SimulatedDevice

PASSPHRASE = "correct horse battery staple"
ENTROPY = SeededEntropy(b"tests of key stores", ML_KEM_768._encaps_internal)
SERVICE = Service(
    url="wss://calls.example/v1",
    server_name="calls.example",
    directory_keys=DirectoryKeys({1: bytes(32), 2: bytes([2]) * 32}),
)


@pytest.fixture(scope="module")
def alice() -> SimulatedDevice:
    """A device of both suites, which is its account's primary one."""
    return SimulatedCalls(ENTROPY).device("alice", suites=(0x0001, 0xF0E2))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "client.db"


@pytest.fixture
def store(path: Path) -> Iterator[SealedStore]:
    with SealedStore.open(path, ENTROPY) as opened:
        yield opened


@pytest.fixture
def keys(store: SealedStore) -> KeyStore:
    return KeyStore(store)


def refusal(act: Callable[[], object]) -> StoreReason:
    with pytest.raises(StoreError) as refused:
        act()
    assert isinstance(refused.value.reason, StoreReason)
    return refused.value.reason


def device_list(alice: SimulatedDevice) -> DeviceList:
    """Alice's three devices, of which one is revoked."""
    devices = DeviceList()
    for name in ("phone", "laptop", "Küche"):
        key = ED25519.generate(ENTROPY).public
        devices = devices.add(
            alice.account, name, key, now=START, versions=[0x0100], suites=[1, 0xF0E2]
        )
    return devices.revoke(alice.account, 2, now=START)


def fill(keys: KeyStore, alice: SimulatedDevice) -> DeviceList:
    """All that a primary device keeps; gives its list of devices."""
    devices = device_list(alice)
    with keys.transaction():
        keys.put_service(SERVICE)
        keys.put_account(alice.account)
        keys.put_signing_key(alice.owner.signing_key)
        keys.put_certificate(alice.owner.certificate)
        keys.put_devices(devices)
        keys.put_mailbox_number(2**40)
    KeyPackages(keys.key_packages()).replenish(alice.owner, START)
    return devices


# -------------------------------------------------------------------------------------- the device


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_a_device_is_the_same_after_a_restart(
    path: Path, alice: SimulatedDevice, passphrase: str | None
) -> None:
    with SealedStore.open(path, ENTROPY, passphrase) as store:
        devices = fill(KeyStore(store), alice)
        bundles = KeyStore(store).key_packages().bundles()
    with SealedStore.open(path, ENTROPY, passphrase) as store:
        keys = KeyStore(store)
        assert keys.service == SERVICE
        assert keys.account == alice.account
        assert keys.signing_key == alice.owner.signing_key
        assert keys.certificate == alice.owner.certificate
        assert keys.devices == devices
        assert keys.mailbox_number == 2**40
        assert len(bundles) == 2 * (KEPT_OF_A_SUITE + 1)
        assert keys.key_packages().bundles() == bundles
        assert KeyPackages(keys.key_packages()).replenish(alice.owner, START) == ()


def test_what_is_not_there_yet(keys: KeyStore) -> None:
    for read in (
        lambda: keys.service,
        lambda: keys.signing_key,
        lambda: keys.certificate,
        keys.key_packages,
    ):
        assert refusal(read) is StoreReason.NO_IDENTITY
    assert keys.account is None
    assert keys.devices == DeviceList()
    assert keys.mailbox_number == 0


def test_another_signing_key_is_another_device(keys: KeyStore, alice: SimulatedDevice) -> None:
    fill(keys, alice)
    keys.put_signing_key(ED25519.generate(ENTROPY))
    assert refusal(lambda: keys.certificate) is StoreReason.NO_IDENTITY
    assert keys.key_packages().bundles() == {}
    assert keys.service == SERVICE


def test_a_certificate_for_another_key_is_damage(keys: KeyStore, alice: SimulatedDevice) -> None:
    keys.put_signing_key(ED25519.generate(ENTROPY))
    keys.put_certificate(alice.owner.certificate)
    assert refusal(lambda: keys.certificate) is StoreReason.DAMAGED


@pytest.mark.parametrize(
    ("name", "read"),
    [
        (b"service", lambda keys: keys.service),
        (b"account", lambda keys: keys.account),
        (b"signing key", lambda keys: keys.signing_key),
        (b"certificate", lambda keys: keys.certificate),
        (b"devices", lambda keys: keys.devices),
        (b"mailbox number", lambda keys: keys.mailbox_number),
    ],
)
def test_what_does_not_read_is_damage(
    store: SealedStore, alice: SimulatedDevice, name: bytes, read: Callable[[KeyStore], object]
) -> None:
    keys = KeyStore(store)
    fill(keys, alice)
    assert store.get("device", name) is not None
    store.put("device", name, b"\x00\x01")
    assert refusal(lambda: read(keys)) is StoreReason.DAMAGED


def test_a_bundle_that_does_not_read_or_fit_is_damage(
    store: SealedStore, alice: SimulatedDevice
) -> None:
    keys = KeyStore(store)
    fill(keys, alice)
    (ref, stored), *_ = store.items("key packages").items()
    for changed in (stored[:-1], stored[:-1] + bytes([stored[-1] ^ 1])):
        store.put("key packages", ref, changed)
        assert refusal(keys.key_packages().bundles) is StoreReason.DAMAGED


# ------------------------------------------------------------------------------------- its secrets


def secrets_of(keys: KeyStore) -> list[bytes]:
    assert keys.account is not None
    secrets = [keys.account.key.private, keys.signing_key.private]
    for bundle in keys.key_packages().bundles().values():
        secrets += [bundle.init_private_key, bundle.encryption_private_key]
    assert len(secrets) == 2 + 2 * 2 * (KEPT_OF_A_SUITE + 1)
    return [bytes(secret) for secret in secrets]


def on_disk(path: Path) -> bytes:
    return b"".join(each.read_bytes() for each in sorted(path.parent.iterdir()))


def test_a_sealed_file_holds_no_secret_in_plain(path: Path, alice: SimulatedDevice) -> None:
    with SealedStore.open(path, ENTROPY, PASSPHRASE) as store:
        fill(KeyStore(store), alice)
        secrets = secrets_of(KeyStore(store))
        open_file = on_disk(path)
    closed_file = on_disk(path)
    for secret in [*secrets, b"calls.example", b"alice", b"laptop"]:
        assert secret not in open_file
        assert secret not in closed_file


def test_no_secret_in_what_is_printed(keys: KeyStore, alice: SimulatedDevice) -> None:
    fill(keys, alice)
    printed = repr([keys.account, keys.signing_key, keys.devices, keys.service])
    printed += repr(keys.key_packages().bundles())
    for secret in secrets_of(keys):
        assert repr(secret)[2:-1] not in printed
        assert secret.hex() not in printed


def test_the_private_keys_of_a_used_key_package_leave_the_disk(
    path: Path, keys: KeyStore, alice: SimulatedDevice
) -> None:
    """The file is open meanwhile, and plain."""
    fill(keys, alice)
    key_packages = KeyPackages(keys.key_packages())
    used = next(
        bundle
        for bundle in keys.key_packages().bundles().values()
        if not bundle.key_package.is_last_resort
    )
    secrets = [bytes(used.init_private_key), bytes(used.encryption_private_key)]
    assert all(secret in on_disk(path) for secret in secrets)
    key_packages.drop(used)
    assert not any(secret in on_disk(path) for secret in secrets)


# ------------------------------------------------------------------------------------- seen calls


@pytest.fixture(params=["memory", "disk"])
def seen(request: pytest.FixtureRequest, keys: KeyStore) -> SeenCalls:
    stores: dict[str, SeenCalls] = {"memory": MemorySeenCalls(), "disk": keys.seen_calls()}
    return stores[request.param]


@pytest.mark.requirement("CALL-3")
def test_a_call_that_was_noted_was_seen(seen: SeenCalls) -> None:
    first, second, third = (bytes([number]) * 16 for number in range(3))
    assert not seen.seen(first)
    seen.note(first, START)
    seen.note(second, START + SEEN_FOR)
    assert seen.seen(first)
    assert not seen.seen(third)
    seen.note(third, START + SEEN_FOR + 1)  # and now the first is old enough
    assert [seen.seen(call_id) for call_id in (first, second, third)] == [False, True, True]


@pytest.mark.requirement("CALL-3")
def test_a_call_was_seen_also_after_a_restart(path: Path) -> None:
    with SealedStore.open(path, ENTROPY) as store:
        KeyStore(store).seen_calls().note(b"sixteen byte id.", START)
    with SealedStore.open(path, ENTROPY) as store:
        assert KeyStore(store).seen_calls().seen(b"sixteen byte id.")
