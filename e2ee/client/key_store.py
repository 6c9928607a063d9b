"""The key store: what a device is, on disk, so that it is the same device after a restart.

    service          where its delivery service is, how that is named, and which keys it has
    account          the account's key, on the primary device only (Identity)
    signing key      the device's own, and the certificate that the account gave it
    devices          those that the account certified, on the primary device only
    key packages     those that wait for an invitation, with their private keys
    calls            the call_ids that were seen (CALL-3)
    letters          the ids of letters that were taken (LETTER-8)
    mailbox number   up to which the service's messages were taken

Private keys are in this file and in memory, nowhere else: no error, log or repr holds one. The keys of calls are never
stored; a device that restarts in a call has left it. What a KeyPackage leaves behind when it was used is ``sealed_store``'s
to say.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from e2ee.call.letters import LETTER_LIFETIME, OpenedLetter
from e2ee.call.seen_calls import SEEN_FOR
from e2ee.client.entries import Entries
from e2ee.client.store_errors import StoreError, StoreReason
from e2ee.client.stored_values import (
    StoredAccount,
    StoredBundle,
    StoredDevice,
    StoredDeviceList,
    StoredDirectoryKey,
    StoredService,
    as_damage,
    stored_number,
)
from e2ee.crypto.secret import Secret
from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.identity.account import AccountKey
from e2ee.identity.attestation import DirectoryKeys
from e2ee.identity.device_certificate import VerifiedCertificate, verify_certificate
from e2ee.identity.device_list import CertifiedDevice, DeviceList
from e2ee.mls.key_package_bundle import KeyPackageBundle

__all__ = ["KeyStore", "Service", "StoredKeyPackages", "StoredSeenCalls", "StoredSeenLetters"]

_DEVICE = "device"
_SERVICE = b"service"
_ACCOUNT = b"account"
_SIGNING_KEY = b"signing key"
_CERTIFICATE = b"certificate"
_DEVICES = b"devices"
_MAILBOX_NUMBER = b"mailbox number"

_KEY_PACKAGES = "key packages"
_CALLS = "calls"
_LETTERS = "letters"


@dataclass(frozen=True, slots=True)
class Service:
    """The delivery service of a device. ``delivery_key`` is the one that it had at the last login (KEYS-9)."""

    url: str
    server_name: str
    directory_keys: DirectoryKeys
    delivery_key: bytes | None = None


class KeyStore:
    """See the module. Every property may raise StoreError: NO_IDENTITY if it was not put yet, DAMAGED."""

    def __init__(self, store: Entries) -> None:
        self._store = store

    def transaction(self) -> AbstractContextManager[None]:
        """All that is put in it takes effect together, or not at all."""
        return self._store.transaction()

    # ------------------------------------------------------------------------------------- service

    @property
    def service(self) -> Service:
        """Where the device is registered."""
        with as_damage("the service"):
            stored = StoredService.decode(self._get(_SERVICE))
            keys = {row.directory_key_id: row.key for row in stored.directory_keys}
            return Service(
                stored.url.decode(),
                stored.server_name.decode(),
                DirectoryKeys(keys),
                stored.delivery_key,
            )

    def put_service(self, service: Service) -> None:
        """Keep it, in the place of an earlier one."""
        keys = service.directory_keys.keys.items()
        stored = StoredService(
            url=service.url.encode(),
            server_name=service.server_name.encode(),
            directory_keys=tuple(StoredDirectoryKey(number, key) for number, key in keys),
            delivery_key=service.delivery_key,
        )
        self._store.put(_DEVICE, _SERVICE, stored.encode())

    @property
    def mailbox_number(self) -> int:
        """The number of the last message that was taken from the mailbox; 0 if none was."""
        value = self._store.get(_DEVICE, _MAILBOX_NUMBER)
        with as_damage("the mailbox number"):
            return 0 if value is None else stored_number.decode(value)

    def put_mailbox_number(self, number: int) -> None:
        """All messages up to this one were taken, and what they changed is kept."""
        self._store.put(_DEVICE, _MAILBOX_NUMBER, stored_number.encode(number))

    # ------------------------------------------------------------------------------------- account

    @property
    def account(self) -> AccountKey | None:
        """The account's key, or None on a device that is not the primary one."""
        value = self._store.get(_DEVICE, _ACCOUNT)
        if value is None:
            return None
        with as_damage("the account"):
            stored = StoredAccount.decode(value)
            return AccountKey(stored.account_id.decode(), _signing_key(stored.private))

    def put_account(self, account: AccountKey) -> None:
        """Make this the account's primary device."""
        stored = StoredAccount(account.account_id.encode(), account.key.private)
        self._store.put(_DEVICE, _ACCOUNT, Secret(stored.encode()))

    @property
    def devices(self) -> DeviceList:
        """The devices that the account certified; none on a device that is not the primary one."""
        value = self._store.get(_DEVICE, _DEVICES)
        if value is None:
            return DeviceList()
        with as_damage("the devices"):
            stored = StoredDeviceList.decode(value)
            return DeviceList(stored.generation, tuple(map(_read_device, stored.devices)))

    def put_devices(self, devices: DeviceList) -> None:
        """Keep the list, in the place of an earlier one, before its certificates are given to anybody."""
        stored = StoredDeviceList(devices.generation, tuple(map(_write_device, devices.devices)))
        self._store.put(_DEVICE, _DEVICES, stored.encode())

    # -------------------------------------------------------------------------------------- device

    @property
    def signing_key(self) -> SigningKey:
        """The key that signs this device's leaves and logins."""
        return _signing_key(self._get(_SIGNING_KEY))

    def put_signing_key(self, key: SigningKey) -> None:
        """Make this another device: certificate and KeyPackages of an earlier key are erased with it."""
        with self._store.transaction():
            for name in (_SIGNING_KEY, _CERTIFICATE):
                self._store.delete(_DEVICE, name)
            for ref in self._store.items(_KEY_PACKAGES):
                self._store.delete(_KEY_PACKAGES, ref)
            self._store.put(_DEVICE, _SIGNING_KEY, key.private)

    @property
    def certificate(self) -> VerifiedCertificate:
        """The newest certificate for ``signing_key``."""
        with as_damage("the certificate"):
            return verify_certificate(self._get(_CERTIFICATE), self.signing_key.public)

    def put_certificate(self, certificate: VerifiedCertificate) -> None:
        """Keep a certificate for ``signing_key``, in the place of an earlier one."""
        self._store.put(_DEVICE, _CERTIFICATE, certificate.certificate.encode())

    def key_packages(self) -> StoredKeyPackages:
        """Where ``call.KeyPackages`` keeps its bundles."""
        return StoredKeyPackages(self._store, self.signing_key)

    def seen_calls(self) -> StoredSeenCalls:
        """Where ``call.Device`` keeps which calls it has seen."""
        return StoredSeenCalls(self._store)

    def seen_letters(self) -> StoredSeenLetters:
        """Where ``call.Device`` keeps which letters it has taken."""
        return StoredSeenLetters(self._store)

    def _get(self, name: bytes) -> Secret:
        value = self._store.get(_DEVICE, name)
        if value is None:
            raise StoreError(StoreReason.NO_IDENTITY, name.decode())
        return value


class StoredKeyPackages:
    """``call.key_packages.KeyPackageStore``, of the device that signs with ``signing_key``."""

    def __init__(self, store: Entries, signing_key: SigningKey) -> None:
        self._store = store
        self._signing_key = signing_key

    def bundles(self) -> Mapping[bytes, KeyPackageBundle]:
        stored = self._store.items(_KEY_PACKAGES).items()
        with as_damage("a KeyPackage"):
            return {ref: self._read(StoredBundle.decode(value)) for ref, value in stored}

    def keep(self, bundles: Mapping[bytes, KeyPackageBundle]) -> None:
        with self._store.transaction():
            for ref, bundle in bundles.items():
                stored = StoredBundle(
                    bundle.key_package, bundle.init_private_key, bundle.encryption_private_key
                )
                self._store.put(_KEY_PACKAGES, ref, Secret(stored.encode()))

    def forget(self, refs: Collection[bytes]) -> None:
        with self._store.transaction():
            for ref in refs:
                self._store.delete(_KEY_PACKAGES, ref)

    def _read(self, stored: StoredBundle) -> KeyPackageBundle:
        return KeyPackageBundle.of(
            stored.key_package,
            stored.init_private_key,
            stored.encryption_private_key,
            self._signing_key.private,
        )


class StoredSeenCalls:
    """``call.seen_calls.SeenCalls``."""

    def __init__(self, store: Entries) -> None:
        self._store = store

    def seen(self, call_id: bytes) -> bool:
        return self._store.get(_CALLS, call_id) is not None

    def note(self, call_id: bytes, now: int) -> None:
        with self._store.transaction():
            for each, at in self._store.items(_CALLS).items():
                with as_damage("a call"):
                    if stored_number.decode(at) < now - SEEN_FOR:
                        self._store.delete(_CALLS, each)
            self._store.put(_CALLS, call_id, stored_number.encode(now))


class StoredSeenLetters:
    """``call.letters.LetterStore``."""

    def __init__(self, store: Entries) -> None:
        self._store = store

    def __contains__(self, letter_id: object) -> bool:
        return isinstance(letter_id, bytes) and self._store.get(_LETTERS, letter_id) is not None

    def add(self, opened: OpenedLetter) -> None:
        until = opened.message.created_at + LETTER_LIFETIME
        self._store.put(_LETTERS, opened.letter_id, stored_number.encode(until))

    def forget(self, now: int) -> None:
        with self._store.transaction():
            for letter_id, until in self._store.items(_LETTERS).items():
                with as_damage("a letter"):
                    if stored_number.decode(until) < now:
                        self._store.delete(_LETTERS, letter_id)


def _signing_key(private: Secret) -> SigningKey:
    with as_damage("a private key"):
        return SigningKey(private, ED25519.public_key(private))


def _read_device(stored: StoredDevice) -> CertifiedDevice:
    certificate = verify_certificate(stored.certificate.encode(), stored.signature_key)
    return CertifiedDevice(stored.name.decode(), certificate, revoked=bool(stored.revoked))


def _write_device(device: CertifiedDevice) -> StoredDevice:
    certificate = device.certificate
    return StoredDevice(
        name=device.name.encode(),
        signature_key=certificate.signature_key,
        certificate=certificate.certificate,
        revoked=int(device.revoked),
    )
