"""What is sealed to a new device: its certificate, its server, and whom the account knows (IDENT-21, IDENT-22)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from enum import IntFlag
from typing import Annotated

from e2ee.identity.attestation import DirectoryKeys
from e2ee.identity.device_certificate import DeviceCertificate, Key
from e2ee.identity.errors import IdentityReason, LinkError
from e2ee.tls_syntax import Opaque, Struct, Uint8, Uint16, Uint32, fixed, optional, struct, vector

__all__ = [
    "MAX_LINK_CONTENT",
    "MAX_SEALED",
    "ContactFlag",
    "DirectoryKey",
    "LinkContent",
    "LinkedContact",
    "check_contacts",
]

MAX_SEALED = 1 << 16
"""IDENT-21: the longest ``sealed``, in bytes."""

MAX_LINK_CONTENT = MAX_SEALED - 12 - 16
"""The longest content, without nonce and tag: about 1,200 contacts."""

_LONGEST_LENGTH = 4
"""Bytes of the longest length of a vector (RFC 9420 Section 2.1.2)."""


class ContactFlag(IntFlag):
    """What the account's person did about a contact."""

    NONE = 0
    VERIFIED = 1
    BLOCKED = 2


@struct
class LinkedContact(Struct):
    """What the primary knows of an account; ``generation`` is the highest seen, ``highest_suite`` likewise, or 0."""

    account_id: Opaque
    account_key: Annotated[bytes | None, optional(fixed(32))]
    generation: Uint32
    highest_suite: Uint16
    flags: Uint8

    @property
    def verified(self) -> bool:
        """Whether people compared the account key."""
        return bool(self.flags & ContactFlag.VERIFIED)

    @property
    def blocked(self) -> bool:
        """Whether the person blocked the account."""
        return bool(self.flags & ContactFlag.BLOCKED)


@struct
class DirectoryKey(Struct):
    """A directory key that the client counts attestations with (IDENT-4)."""

    directory_key_id: Uint8
    key: Key


@struct
class LinkContent(Struct):
    """What is sealed to a new device (IDENT-21, IDENT-22)."""

    certificate: Opaque
    server_name: Opaque
    delivery_key: Key
    directory_keys: Annotated[tuple[DirectoryKey, ...], vector(DirectoryKey.codec())]
    contacts: Annotated[tuple[LinkedContact, ...], vector(LinkedContact.codec())]

    @classmethod
    def of(
        cls,
        certificate: DeviceCertificate,
        server_name: str,
        delivery_key: bytes,
        directory_keys: DirectoryKeys,
        contacts: Iterable[LinkedContact],
    ) -> LinkContent:
        """The content from its parts, with as many of the contacts as fit."""
        keys = (DirectoryKey(key_id, key) for key_id, key in sorted(directory_keys.keys.items()))
        name = server_name.encode()
        rest = cls(certificate.encode(), name, delivery_key, tuple(keys), ())
        return replace(rest, contacts=_that_fit(contacts, MAX_LINK_CONTENT - len(rest.encode())))


def _that_fit(contacts: Iterable[LinkedContact], space: int) -> tuple[LinkedContact, ...]:
    """Of more than fit "those that a person verified or blocked go first" (IDENT-21); ``space`` in bytes."""
    chosen, left = [], space - _LONGEST_LENGTH
    for contact in sorted(contacts, key=lambda each: not each.flags):
        left -= len(contact.encode())
        if left < 0:
            break
        chosen.append(contact)
    return tuple(chosen)


def check_contacts(contacts: tuple[LinkedContact, ...]) -> None:
    """IDENT-22: "contacts of which one comes twice, has an id that is not UTF-8, is verified without a key, or has an
    unassigned flag". Raises LinkError.
    """
    twice = len({contact.account_id for contact in contacts}) != len(contacts)
    if twice or not all(map(_in_order, contacts)):
        raise LinkError(IdentityReason.BAD_CONTACTS)


def _in_order(contact: LinkedContact) -> bool:
    known_flags = not contact.flags & ~int(ContactFlag.VERIFIED | ContactFlag.BLOCKED)
    try:
        contact.account_id.decode()
    except UnicodeDecodeError:
        return False
    return known_flags and not (contact.verified and contact.account_key is None)
