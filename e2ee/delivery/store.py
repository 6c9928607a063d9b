"""What the service keeps beyond a connection: the directory of accounts and devices, and their KeyPackages.

``Store`` is the protocol, ``MemoryStore`` the one that forgets when its process ends. A write has happened when its
call returns, so the service acknowledges nothing that is not kept; each request makes at most one write for a device.
Calls are not here: they live as long as their members, who hold all that matters.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from e2ee.identity.device_certificate import VerifiedCertificate

__all__ = ["HeldKeyPackage", "MemoryStore", "Store"]


@dataclass(frozen=True, slots=True)
class HeldKeyPackage:
    """A KeyPackage of a device. ``ref`` is its KeyPackageRef; ``not_after`` is Unix seconds."""

    ref: bytes
    suite: int
    not_after: int
    encoded: bytes


class Store(Protocol):
    """Accounts by id, devices by account, KeyPackages by the device's signature key. ``now`` is Unix milliseconds."""

    def account_key(self, account_id: str) -> bytes | None:
        """The key that this account registered."""

    def put_account(self, account_id: str, account_key: bytes) -> None:
        """Register an account."""

    def devices(self, account_id: str) -> Sequence[VerifiedCertificate]:
        """The newest certificate of each device of this account."""

    def put_device(self, certificate: VerifiedCertificate) -> None:
        """Keep a certificate in the place of the device's last one, whose KeyPackages go with it."""

    def held(self, signature_key: bytes, now: int) -> Sequence[HeldKeyPackage]:
        """The KeyPackages of this device that are not expired, oldest first."""

    def handed_out(self, signature_key: bytes, now: int) -> Collection[bytes]:
        """The KeyPackageRefs of those that were taken and are not expired."""

    def hold(self, signature_key: bytes, key_packages: Sequence[HeldKeyPackage]) -> None:
        """Keep all of these."""

    def take(self, signature_key: bytes, suite: int, now: int) -> HeldKeyPackage | None:
        """The oldest of this suite, which nobody else will get."""


@dataclass(slots=True)
class _Shelf:
    """KeyPackages of one device."""

    held: list[HeldKeyPackage] = field(default_factory=list)
    handed_out: dict[bytes, int] = field(default_factory=dict)

    def without_expired(self, now: int) -> _Shelf:
        seconds = now // 1000
        self.held = [k for k in self.held if k.not_after >= seconds]
        self.handed_out = {ref: end for ref, end in self.handed_out.items() if end >= seconds}
        return self


class MemoryStore:
    """A store of one process."""

    def __init__(self) -> None:
        self._accounts: dict[str, bytes] = {}
        self._devices: dict[str, dict[int, VerifiedCertificate]] = {}
        self._shelves: dict[bytes, _Shelf] = {}

    def account_key(self, account_id: str) -> bytes | None:
        return self._accounts.get(account_id)

    def put_account(self, account_id: str, account_key: bytes) -> None:
        self._accounts[account_id] = account_key

    def devices(self, account_id: str) -> Sequence[VerifiedCertificate]:
        return list(self._devices.get(account_id, {}).values())

    def put_device(self, certificate: VerifiedCertificate) -> None:
        devices = self._devices.setdefault(certificate.account_id, {})
        last = devices.get(certificate.device_id)
        if last is not None:
            self._shelf(last.signature_key).held.clear()
        devices[certificate.device_id] = certificate

    def held(self, signature_key: bytes, now: int) -> Sequence[HeldKeyPackage]:
        return list(self._shelf(signature_key).without_expired(now).held)

    def handed_out(self, signature_key: bytes, now: int) -> Collection[bytes]:
        return list(self._shelf(signature_key).without_expired(now).handed_out)

    def hold(self, signature_key: bytes, key_packages: Sequence[HeldKeyPackage]) -> None:
        self._shelf(signature_key).held.extend(key_packages)

    def take(self, signature_key: bytes, suite: int, now: int) -> HeldKeyPackage | None:
        shelf = self._shelf(signature_key).without_expired(now)
        for key_package in shelf.held:
            if key_package.suite == suite:
                shelf.held.remove(key_package)
                shelf.handed_out[key_package.ref] = key_package.not_after
                return key_package
        return None

    def _shelf(self, signature_key: bytes) -> _Shelf:
        return self._shelves.setdefault(signature_key, _Shelf())
