"""Profile: what makes a device the same device tomorrow: its keys, its account, and whom it knows.

profile = Profile.in_memory()                      as long as the process
with Profile.open(path, passphrase=...) as profile: on disk, in one file that only this user can read

profile.create(account_id, service)                a new account, of which this is the primary device
profile.take(linked, service)                      a device that an account's primary has linked (IDENT-17)
profile.link(...)                                  the other side of that, at the primary
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from e2ee.call.device_memory import DeviceMemory
from e2ee.client.changed_keys import ChangedKeys
from e2ee.client.entries import Entries, MemoryEntries
from e2ee.client.errors import ClientReason, ClientUsageError
from e2ee.client.key_store import KeyStore, Service
from e2ee.client.sealed_store import SealedStore
from e2ee.client.trust_store import StoredTrust
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.signature import ED25519
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.identity.account import AccountKey
from e2ee.identity.device_certificate import Role
from e2ee.identity.device_link import DeviceLink, Linked, seal_link
from e2ee.identity.device_list import DeviceList
from e2ee.identity.link_content import ContactFlag, LinkContent, LinkedContact
from e2ee.identity.trust import Contact, Trust

__all__ = ["Profile"]


class Profile:
    """See the module."""

    def __init__(self, entries: Entries) -> None:
        self._entries = entries
        self.keys = KeyStore(entries)
        self.contacts = StoredTrust(entries)
        self.changed_keys = ChangedKeys(entries)

    @classmethod
    def in_memory(cls) -> Profile:
        """A profile that ends with the process."""
        return cls(MemoryEntries())

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: Path, passphrase: str | None = None) -> Iterator[Profile]:
        """The profile in the file at ``path``, which is made if there is none. Raises StoreError."""
        with SealedStore.open(path, SystemEntropy(), passphrase) as store:
            yield cls(store)

    @property
    def is_new(self) -> bool:
        """Whether there is no device in it yet."""
        return not self._entries.items("device")

    @property
    def is_primary(self) -> bool:
        """Whether this device holds the account's key."""
        return self.keys.account is not None

    def create(self, account_id: str, service: Service, entropy: Entropy | None = None) -> None:
        """A new account with fresh keys, at ``service``. Raises ClientUsageError if there is a device already."""
        entropy = entropy or SystemEntropy()
        self._require_new()
        with self.keys.transaction():
            self.keys.put_service(service)
            self.keys.put_signing_key(ED25519.generate(entropy))
            self.keys.put_account(AccountKey.create(account_id, entropy))

    def take(self, linked: Linked, service: Service) -> None:
        """Become the device that a primary linked, with its contacts. Raises ClientUsageError."""
        self._require_new()
        with self.keys.transaction():
            self.keys.put_service(
                Service(
                    service.url, service.server_name, linked.directory_keys, linked.delivery_key
                )
            )
            self.keys.put_signing_key(linked.signing_key)
            self.keys.put_certificate(linked.certificate)
            for contact in linked.contacts:
                self._take_contact(contact)

    def _take_contact(self, linked: LinkedContact) -> None:
        contact = Contact(
            linked.account_id.decode(),
            linked.account_key,
            verified=linked.verified,
            blocked=linked.blocked,
            highest_suite=linked.highest_suite,
        )
        self.contacts.put_contact(contact)
        if linked.account_key is not None:
            self.contacts.put_generation(linked.account_key, linked.generation)

    def link(
        self, link: DeviceLink, name: str, delivery_key: bytes, now: int, entropy: Entropy
    ) -> bytes:
        """Certify the device that shows ``link`` and call it ``name``; gives what is sealed to it. ``now`` in milliseconds.

        Raises ClientUsageError on a device that is not the primary; CertificateError, IdentityUsageError.
        """
        account, service = self.require_primary(), self.keys.service
        devices = self.keys.devices.add(
            account,
            name,
            link.signature_key,
            now=now,
            versions=link.versions,
            suites=link.suites,
            roles=Role(link.roles),
            attestation=self.keys.certificate.certificate.attestation,
        )
        content = LinkContent.of(
            devices.devices[-1].certificate.certificate,
            service.server_name,
            delivery_key,
            service.directory_keys,
            map(self._linked_contact, self.contacts.contacts()),
        )
        sealed = seal_link(link, content, entropy)
        self.keys.put_devices(devices)
        return sealed

    def _linked_contact(self, contact: Contact) -> LinkedContact:
        flags = ContactFlag.VERIFIED if contact.verified else ContactFlag.NONE
        key = contact.account_key
        return LinkedContact(
            account_id=contact.account_id.encode(),
            account_key=key,
            generation=0 if key is None else self.contacts.generation(key),
            highest_suite=contact.highest_suite,
            flags=flags | (ContactFlag.BLOCKED if contact.blocked else ContactFlag.NONE),
        )

    def revoke(self, device_id: int, now: int) -> DeviceList:
        """The account's devices without that one, kept; the others' new certificates are to be given to the service.

        Raises ClientUsageError on a device that is not the primary, and for the primary itself; IdentityUsageError.
        """
        account = self.require_primary()
        if device_id == self.keys.certificate.device_id:
            raise ClientUsageError(ClientReason.THIS_DEVICE, f"device {device_id}")
        devices = self.keys.devices.revoke(account, device_id, now=now)
        self.put_devices(devices)
        return devices

    def put_devices(self, devices: DeviceList) -> None:
        """Keep the list, and this device's own certificate out of it."""
        own = self.keys.signing_key.public
        with self.keys.transaction():
            self.keys.put_devices(devices)
            for device in devices.active:
                if device.certificate.signature_key == own:
                    self.keys.put_certificate(device.certificate)

    def trust(self) -> Trust:
        """The judgement of this device's person."""
        return Trust(self.contacts, self.keys.service.directory_keys)

    def memory(self) -> DeviceMemory:
        """What the call core keeps here."""
        keys = self.keys
        return DeviceMemory(keys.key_packages(), keys.seen_calls(), keys.seen_letters())

    def require_primary(self) -> AccountKey:
        """The account's key. Raises ClientUsageError if another device has it."""
        account = self.keys.account
        if account is None:
            raise ClientUsageError(
                ClientReason.NOT_THE_PRIMARY, "the account's key is on another device"
            )
        return account

    def _require_new(self) -> None:
        if not self.is_new:
            raise ClientUsageError(ClientReason.DEVICE_EXISTS, "this profile has a device")
