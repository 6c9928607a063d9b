"""KeyPackages: whose the service takes, and that each is handed out once (DS-2)."""

from __future__ import annotations

from collections.abc import Sequence

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.delivery.limits import MAX_KEY_PACKAGES, MAX_REMEMBERED_KEY_PACKAGES
from e2ee.delivery.mls_messages import body
from e2ee.delivery.store import HeldKeyPackage, Store
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.mls.key_package import KeyPackage, check_key_package, make_key_package_ref
from e2ee.profile.leaves import committer_policy
from e2ee.profile.roster import leaf_certificate
from e2ee.profile.suites import sframe_suite

__all__ = ["callable_devices", "claim", "generation", "publish"]


def publish(store: Store, device: VerifiedCertificate, encoded: Sequence[bytes], now: int) -> int:
    """Keep these KeyPackages of ``device``, all or none; gives how many are held then.

    Raises DeliveryError, or what is wrong with a KeyPackage.
    """
    offered = [_checked(device, data, now) for data in encoded]
    held = store.held(device.signature_key, now)
    handed_out = store.handed_out(device.signature_key, now)
    refs = [key_package.ref for key_package in (*held, *offered)]
    # DS-2: "MUST hand out each of them once"
    if len({*refs, *handed_out}) < len(refs) + len(handed_out):
        raise DeliveryError(DeliveryReason.KEY_PACKAGE_KNOWN, "published before")
    # DS-7: "at most 100 KeyPackages a device"
    if len(refs) > MAX_KEY_PACKAGES:
        raise DeliveryError(DeliveryReason.TOO_MANY_KEY_PACKAGES, f"at most {MAX_KEY_PACKAGES}")
    if len(refs) + len(handed_out) > MAX_REMEMBERED_KEY_PACKAGES:
        detail = f"at most {MAX_REMEMBERED_KEY_PACKAGES} that are not expired, handed out or not"
        raise DeliveryError(DeliveryReason.TOO_MANY_KEY_PACKAGES, detail)
    store.hold(device.signature_key, offered)
    return len(refs)


def claim(store: Store, account_id: str, suite: int, now: int) -> tuple[bytes, ...]:
    """One KeyPackage of this suite of each device of the account that has one. Raises DeliveryError."""
    devices = callable_devices(store, account_id, now)
    taken = [store.take(device.signature_key, suite, now) for device in devices]
    return tuple(key_package.encoded for key_package in taken if key_package is not None)


def callable_devices(store: Store, account_id: str, now: int) -> list[VerifiedCertificate]:
    """The devices of an account that have KeyPackages and are not revoked. Raises DeliveryError (UNKNOWN_ACCOUNT)."""
    if store.account_key(account_id) is None:
        raise DeliveryError(DeliveryReason.UNKNOWN_ACCOUNT)
    newest = generation(store, account_id)
    return [
        device
        for device in store.devices(account_id)
        if device.generation == newest and store.held(device.signature_key, now)
    ]


def generation(store: Store, account_id: str) -> int:
    """The highest generation of a device of this account: devices of lower ones are revoked (IDENT-7, DS-1)."""
    return max((device.generation for device in store.devices(account_id)), default=0)


def _checked(device: VerifiedCertificate, encoded: bytes, now: int) -> HeldKeyPackage:
    key_package = body(KeyPackage, encoded)
    sframe_suite(key_package.cipher_suite)  # KEYS-1
    suite = cipher_suite(key_package.cipher_suite)
    check_key_package(suite, key_package, committer_policy(now))
    leaf_node = key_package.leaf_node
    # DS-2: "MUST accept KeyPackages only from the device whose certificate and signature key they carry"
    if leaf_certificate(leaf_node) != device:
        raise DeliveryError(DeliveryReason.NOT_THIS_DEVICE, "of another device or certificate")
    lifetime = leaf_node.lifetime
    not_after = 0 if lifetime is None else lifetime.not_after
    return HeldKeyPackage(
        make_key_package_ref(suite, key_package), suite.code_point, not_after, encoded
    )
