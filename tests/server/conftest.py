"""A service to serve, and a device's side of the first messages."""

from __future__ import annotations

import pytest

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519
from e2ee.delivery.service import DeliveryService, ServiceIdentity
from e2ee.delivery.store import MemoryStore
from e2ee.identity.account import AccountKey
from e2ee.identity.login import login_signature, register_signature
from e2ee.signalling import messages

SERVER_NAME = "calls.example"
NOW = 1_800_000_000_000


class Device:
    """What a device says until it is logged in."""

    def __init__(self, account_id: str, now: int = NOW) -> None:
        entropy = SeededEntropy(f"tests/server {account_id}".encode())
        self.account = AccountKey.create(account_id, entropy)
        self.key = ED25519.generate(entropy)
        self.certificate = self.account.certify(
            self.key.public, device_id=1, now=now, versions=[0x0100], suites=[0x0001]
        )

    def register(self) -> messages.Register:
        signature = register_signature(self.account, SERVER_NAME)
        return messages.Register(self.account.account_id, self.account.public, signature)

    def login(self, welcome: messages.Welcome) -> messages.Login:
        nonce = bytes(32)
        signature = login_signature(self.key, SERVER_NAME, welcome.server_nonce, nonce)
        return messages.Login(self.certificate.encode(), self.key.public, nonce, signature)


@pytest.fixture
def service() -> DeliveryService:
    entropy = SeededEntropy(b"tests/server")
    return DeliveryService(ServiceIdentity.create(SERVER_NAME, entropy), MemoryStore(), entropy)


@pytest.fixture
def alice() -> Device:
    return Device("alice")
