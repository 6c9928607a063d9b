"""A device's certificate: made at the account's primary device when there is none, and renewed before it ends (IDENT-16)."""

from __future__ import annotations

from e2ee.client.profile import Profile
from e2ee.client.session import Session
from e2ee.identity.device_certificate import Role, VerifiedCertificate
from e2ee.identity.device_list import DeviceList
from e2ee.signalling.versions import SUPPORTED_VERSIONS

__all__ = ["RENEWED_BEFORE", "certified"]

RENEWED_BEFORE = 10 * 24 * 3600
"""How long before its end a certificate or its attestation is renewed, in seconds."""


async def certified(
    profile: Profile,
    session: Session,
    token: str,
    device: tuple[str, Role, tuple[int, ...]],
    now: int,
) -> VerifiedCertificate:
    """The certificate to log in with. ``device`` is its name, roles and suites; ``now`` in Unix milliseconds.

    Raises ServiceRefused, ServiceLost; StoreError (NO_IDENTITY) on a device without account key and certificate.
    """
    account = profile.keys.account
    if account is None:
        return profile.keys.certificate
    devices, own = profile.keys.devices, profile.keys.signing_key.public
    known = any(each.certificate.signature_key == own for each in devices.devices)
    if known and not _is_due(devices, now):
        return profile.keys.certificate
    attestation = await session.register(account, token)
    if not known:
        name, roles, suites = device
        devices = devices.add(
            account,
            name,
            own,
            now=now,
            versions=SUPPORTED_VERSIONS,
            suites=suites,
            roles=roles,
            attestation=attestation,
        )
    profile.put_devices(devices.renew(account, now=now, attestation=attestation))
    return profile.keys.certificate


def _is_due(devices: DeviceList, now: int) -> bool:
    certificates = [device.certificate.certificate for device in devices.active]
    ends = [min(each.statement.not_after, each.attestation.attested_until) for each in certificates]
    return min(ends, default=0) < now // 1000 + RENEWED_BEFORE
