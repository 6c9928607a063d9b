"""A device's certificate: made at the account's primary device when there is none, and renewed before it ends (IDENT-16)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from e2ee.client.errors import ServiceLost, ServiceRefused
from e2ee.client.profile import Profile
from e2ee.client.session import Session
from e2ee.identity.device_certificate import Role, VerifiedCertificate
from e2ee.identity.device_list import DeviceList
from e2ee.profile.suites import SUITES
from e2ee.signalling.versions import SUPPORTED_VERSIONS
from e2ee.system_clock import Clock

__all__ = ["RENEWED_BEFORE", "NewDevice", "certified", "stay_certified"]

_log = logging.getLogger(__name__)

RENEWED_BEFORE = 10 * 24 * 3600
"""How long before its end a certificate or its attestation is renewed, in seconds."""

_LOOKED_AT = 3600.0
"""Seconds between two looks at whether that is due, at most: a machine that sleeps does not count them."""

_TRIED_AGAIN = 300.0
"""Seconds after which a renewal that failed is tried again."""


@dataclass(frozen=True, slots=True)
class NewDevice:
    """What a primary device is, when it is certified for the first time. ``token`` is for the service, if it asks for one."""

    name: str = "this device"
    roles: Role = Role.NONE
    suites: Sequence[int] = tuple(suite.mls for suite in SUITES)
    token: str = ""


async def certified(
    profile: Profile, session: Session, new: NewDevice, now: int
) -> VerifiedCertificate:
    """The certificate to log in with; ``now`` in Unix milliseconds.

    Raises ServiceRefused, ServiceLost; StoreError (NO_IDENTITY) on a device without account key and certificate.
    """
    account = profile.keys.account
    if account is None:
        return profile.keys.certificate
    devices, own = profile.keys.devices, profile.keys.signing_key.public
    known = any(each.certificate.signature_key == own for each in devices.devices)
    if known and now < _due(devices):
        return profile.keys.certificate
    attestation = await session.register(account, new.token)
    if not known:
        devices = devices.add(
            account,
            new.name,
            own,
            now=now,
            versions=SUPPORTED_VERSIONS,
            suites=new.suites,
            roles=new.roles,
            attestation=attestation,
        )
    profile.put_devices(devices.renew(account, now=now, attestation=attestation))
    return profile.keys.certificate


async def stay_certified(
    profile: Profile,
    open_session: Callable[[], AbstractAsyncContextManager[Session]],
    clock: Clock,
    renewed: Callable[[], None],
) -> None:
    """At an account's primary device, renew all of its certificates whenever that is due, and tell.

    Over a connection of its own: on the device's, where much is under way, no answer could be waited for.
    """
    while profile.is_primary:
        left = (_due(profile.keys.devices) - clock()) / 1000
        if left > 0:
            await asyncio.sleep(min(left, _LOOKED_AT))
            continue
        try:
            async with open_session() as session:
                await certified(profile, session, NewDevice(), clock())
        except (ServiceLost, ServiceRefused) as error:
            _log.warning("not renewed yet: %s", error)
            await asyncio.sleep(_TRIED_AGAIN)
        else:
            renewed()


def _due(devices: DeviceList) -> int:
    """When the first of them is to be renewed, in Unix milliseconds."""
    certificates = [device.certificate.certificate for device in devices.active]
    ends = [min(each.statement.not_after, each.attestation.attested_until) for each in certificates]
    return (min(ends, default=0) - RENEWED_BEFORE) * 1000
