"""Requests of the directory: publish, find, claim. Whose KeyPackages the service takes, and to whom it gives them (DS-2, DS-12)."""

from __future__ import annotations

from collections.abc import Sequence

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.delivery.accounts import generation
from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.delivery.handling import Handling
from e2ee.delivery.limits import (
    MAX_KEY_PACKAGE,
    MAX_KEY_PACKAGES,
    MAX_REMEMBERED_KEY_PACKAGES,
)
from e2ee.delivery.mls_messages import body
from e2ee.delivery.transaction import HeldKeyPackage, Shelf
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.mls.key_package import KeyPackage, check_key_package, make_key_package_ref
from e2ee.profile.join import check_no_join
from e2ee.profile.leaves import committer_policy
from e2ee.profile.roster import leaf_certificate
from e2ee.profile.suites import sframe_suite
from e2ee.signalling import messages

__all__ = ["claim", "find", "publish"]


def publish(at: Handling, device: VerifiedCertificate, request: messages.Publish) -> None:
    """Keep these KeyPackages of ``device``, all or none; says how many are held then."""
    offered = [_checked(device, data, at.now) for data in request.key_packages]
    refs = {each.ref for each in offered}
    # DS-29: "as a whole, if one of its KeyPackages was published before or stands in it twice"
    known = any(at.tx.device_of_key_package(ref, at.now) is not None for ref in refs)
    if known or len(refs) < len(offered):
        raise DeliveryError(DeliveryReason.KEY_PACKAGE_KNOWN, "published before")
    shelf = at.tx.shelf(device.signature_key, at.now)
    held = _held_with(shelf, offered)
    # DS-7: "100 KeyPackages"
    if held > MAX_KEY_PACKAGES:
        raise DeliveryError(DeliveryReason.TOO_MANY_KEY_PACKAGES, f"at most {MAX_KEY_PACKAGES}")
    if shelf.held + shelf.handed_out + len(offered) > MAX_REMEMBERED_KEY_PACKAGES:
        detail = f"at most {MAX_REMEMBERED_KEY_PACKAGES} that are not expired, handed out or not"
        raise DeliveryError(DeliveryReason.TOO_MANY_KEY_PACKAGES, detail)
    at.tx.hold(device.signature_key, offered)
    at.answer(messages.Published(held))


def find(at: Handling, _device: VerifiedCertificate, request: messages.Find) -> None:
    """The devices of an account that can be called."""
    devices = _callable_devices(at, request.account_id)
    certificates = tuple(device.certificate.encode() for device in devices)
    at.answer(messages.Devices(request.account_id, certificates))


def claim(at: Handling, device: VerifiedCertificate, request: messages.Claim) -> None:
    """One KeyPackage of this suite of each device of the account that has one."""
    # DS-12: "30 claims a minute of an account, 10 of them for one and the same account"
    caller, callee = device.account_id, request.account_id
    at.service.spending.claims.spend(caller, at.now)
    at.service.spending.claims_of_one.spend((caller, callee), at.now)
    taken = [
        at.tx.take_key_package(each.signature_key, request.suite, at.now)
        for each in _callable_devices(at, callee)
    ]
    encoded = tuple(each.encoded for each in taken if each is not None)
    # DS-29: "if it holds no KeyPackage of that suite of any of the account's devices"
    if not encoded:
        raise DeliveryError(DeliveryReason.NO_KEY_PACKAGES, f"of suite {request.suite:#06x}")
    at.answer(messages.KeyPackages(callee, encoded))


def _callable_devices(at: Handling, account_id: str) -> list[VerifiedCertificate]:
    """The devices of an account that have KeyPackages and are not revoked. Raises DeliveryError (UNKNOWN_ACCOUNT)."""
    # DS-29: "of an account that nobody registered"
    if at.tx.account_key(account_id) is None:
        raise DeliveryError(DeliveryReason.UNKNOWN_ACCOUNT)
    devices = list(at.tx.devices(account_id))
    newest = generation(devices)
    return [
        device
        for device in devices
        if device.generation == newest and at.tx.shelf(device.signature_key, at.now).held
    ]


def _held_with(shelf: Shelf, offered: Sequence[HeldKeyPackage]) -> int:
    """How many are held with these; a last resort takes the place of the one of its suite."""
    last_resorts = {*shelf.last_resorts, *(each.suite for each in offered if each.last_resort)}
    single_use = sum(not each.last_resort for each in offered)
    return shelf.held - len(shelf.last_resorts) + single_use + len(last_resorts)


def _checked(device: VerifiedCertificate, encoded: bytes, now: int) -> HeldKeyPackage:
    # DS-7: "a KeyPackage | 8 KiB": else who claims those of many devices gets them in a message that is none (SIG-3)
    if len(encoded) > MAX_KEY_PACKAGE:
        raise DeliveryError(DeliveryReason.TOO_MANY_BYTES, f"at most {MAX_KEY_PACKAGE}")
    key_package = body(KeyPackage, encoded)
    sframe_suite(key_package.cipher_suite)  # KEYS-1
    suite = cipher_suite(key_package.cipher_suite)
    check_key_package(suite, key_package, committer_policy(now))
    check_no_join(key_package)  # KEYS-21
    leaf_node = key_package.leaf_node
    # DS-2: "MUST accept KeyPackages only from the device whose certificate and signature key they carry"
    if leaf_certificate(leaf_node) != device:
        raise DeliveryError(DeliveryReason.NOT_THIS_DEVICE, "of another device or certificate")
    lifetime = leaf_node.lifetime
    ends = device.certificate.statement.not_after
    return HeldKeyPackage(
        ref=make_key_package_ref(suite, key_package),
        suite=suite.code_point,
        not_after=ends if lifetime is None else min(lifetime.not_after, ends),
        encoded=encoded,
        last_resort=key_package.is_last_resort,
    )
