"""Every store, empty: a test that asks for ``store`` runs once for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519
from e2ee.delivery.store import MemoryStore
from e2ee.delivery.transaction import Store
from e2ee.identity.account import AccountKey
from e2ee.identity.device_certificate import VerifiedCertificate, verify_certificate
from e2ee.server.stores.sqlite import SqliteStore

NOW = 1_800_000_000_000
SECONDS = NOW // 1000

STORES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda _: MemoryStore(),
    "sqlite": lambda directory: SqliteStore(directory / "service.db"),
}
"""A further store stands the suite by being entered here."""


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """One of the stores."""
    made = STORES[request.param](tmp_path)
    yield made
    if isinstance(made, SqliteStore):
        made.close()


def certificate(account_id: str, device_id: int = 1, now: int = NOW) -> VerifiedCertificate:
    """A device's, as its account makes it ``now``."""
    entropy = SeededEntropy(f"tests/server/stores {account_id} {device_id}".encode())
    account = AccountKey.create(account_id, SeededEntropy(account_id.encode()))
    signing_key = ED25519.generate(entropy)
    made = account.certify(
        signing_key.public, device_id=device_id, now=now, versions=[0x0100], suites=[0x0001]
    )
    return verify_certificate(made.encode(), signing_key.public)


@pytest.fixture
def phone(store: Store) -> VerifiedCertificate:
    """Alice's phone, which is registered."""
    return registered(store, certificate("alice"))


def registered(store: Store, device: VerifiedCertificate) -> VerifiedCertificate:
    """Its account and itself are in the store."""
    with store.transaction() as tx:
        tx.put_account(device.account_id, device.account_key)
        tx.put_device(device)
    return device
