"""DeviceList: the devices that an account has certified, as its primary device keeps them (IDENT-7, IDENT-16).

Each operation gives a new list; the old one is whole until the caller keeps the new. The list, not its entries, has the
``generation``: it stays risen when the last of the others was revoked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from e2ee.identity.account import AccountKey
from e2ee.identity.attestation import NO_ATTESTATION
from e2ee.identity.device_certificate import (
    Attestation,
    Role,
    VerifiedCertificate,
    verify_certificate,
)
from e2ee.identity.errors import IdentityReason, IdentityUsageError

__all__ = ["MAX_GENERATION", "CertifiedDevice", "DeviceList"]

MAX_GENERATION = (1 << 32) - 1
"""A certificate has no room for more (IDENT-1)."""


@dataclass(frozen=True, slots=True)
class CertifiedDevice:
    """A device, its newest certificate, and what the person calls it."""

    name: str
    certificate: VerifiedCertificate
    revoked: bool = False

    @property
    def device_id(self) -> int:
        """Which device of the account."""
        return self.certificate.device_id


@dataclass(frozen=True, slots=True)
class DeviceList:
    """See the module. Certificates come from the operations below only, so all verify."""

    generation: int = 0
    devices: tuple[CertifiedDevice, ...] = ()

    @property
    def active(self) -> tuple[CertifiedDevice, ...]:
        """Those that are not revoked."""
        return tuple(device for device in self.devices if not device.revoked)

    def find(self, device_id: int) -> CertifiedDevice:
        """The device of this number, revoked or not. Raises IdentityUsageError (NO_SUCH_DEVICE)."""
        for device in self.devices:
            if device.device_id == device_id:
                return device
        raise IdentityUsageError(IdentityReason.NO_SUCH_DEVICE, f"device {device_id}")

    def add(
        self,
        account: AccountKey,
        name: str,
        signature_key: bytes,
        *,
        now: int,
        versions: Sequence[int],
        suites: Sequence[int],
        roles: Role = Role.NONE,
        attestation: Attestation = NO_ATTESTATION,
    ) -> DeviceList:
        """With one device more, last, under a ``device_id`` that none had before. ``now`` in milliseconds.

        Raises CertificateError like ``AccountKey.certify``; IdentityUsageError (DEVICE_KNOWN) for a key that is here.
        """
        if any(device.certificate.signature_key == signature_key for device in self.devices):
            raise IdentityUsageError(IdentityReason.DEVICE_KNOWN, "certified before")
        certificate = account.certify(
            signature_key,
            device_id=max((device.device_id for device in self.devices), default=0) + 1,
            now=now,
            versions=versions,
            suites=suites,
            generation=self.generation,
            roles=roles,
            attestation=attestation,
        )
        verified = verify_certificate(certificate.encode(), signature_key)
        return replace(self, devices=(*self.devices, CertifiedDevice(name, verified)))

    def revoke(
        self,
        account: AccountKey,
        device_id: int,
        *,
        now: int,
        attestation: Attestation | None = None,
    ) -> DeviceList:
        """Without that device: IDENT-7's "raising `generation` and signing the others' certificates anew".

        The certificates of ``active`` are the new ones, for the directory and for their devices. Without a fresh
        ``attestation`` each keeps the one that it had. Raises IdentityUsageError: NO_SUCH_DEVICE, ALREADY_REVOKED,
        NO_GENERATION_LEFT.
        """
        if self.find(device_id).revoked:
            raise IdentityUsageError(IdentityReason.ALREADY_REVOKED, f"device {device_id}")
        if self.generation == MAX_GENERATION:
            raise IdentityUsageError(IdentityReason.NO_GENERATION_LEFT)
        without = tuple(
            replace(device, revoked=device.revoked or device.device_id == device_id)
            for device in self.devices
        )
        return DeviceList(self.generation + 1, without).renew(
            account, now=now, attestation=attestation
        )

    def renew(
        self, account: AccountKey, *, now: int, attestation: Attestation | None = None
    ) -> DeviceList:
        """The same devices, with certificates of the list's generation that are valid from ``now`` (IDENT-16)."""
        renewed = tuple(
            device
            if device.revoked
            else replace(device, certificate=self._anew(account, device, now, attestation))
            for device in self.devices
        )
        return replace(self, devices=renewed)

    def _anew(
        self,
        account: AccountKey,
        device: CertifiedDevice,
        now: int,
        attestation: Attestation | None,
    ) -> VerifiedCertificate:
        old = device.certificate
        certificate = account.certify(
            old.signature_key,
            device_id=old.device_id,
            now=now,
            versions=old.versions,
            suites=old.suites,
            generation=self.generation,
            roles=old.roles,
            attestation=attestation or old.certificate.attestation,
        )
        return verify_certificate(certificate.encode(), old.signature_key)
