"""Linking a device: a certificate and the contacts, from the primary to a new device (IDENT-17, IDENT-20 to IDENT-23).

    new device   new = NewDevice.create(...)         shows new.link.text(), asks the server for new.link.link_id
    primary      link = read_link(text)              a person wants this device
                 sealed = seal_link(link, content, entropy)
    new device   opened = new.open(sealed, ...)      shows opened.account_id and opened.account_digits
                 linked = opened.confirmed()         a person saw the same on the primary

The text goes from screen to camera; what is sealed goes through a server, which learns neither. Only the holder of the
signature key can use the certificate, so who merely read the text cannot be the new device; such a reader can offer it
another account, and that is why a person looks at the account before anything of it is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from e2ee.crypto.aead import AES_256_GCM
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.errors import BadSignature, OpenError
from e2ee.crypto.kdf import HKDF_SHA256
from e2ee.crypto.secret import Secret
from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.identity.account import AccountKey
from e2ee.identity.attestation import NO_ATTESTATION, DirectoryKeys
from e2ee.identity.device_certificate import (
    Attestation,
    CodePoints,
    Dates,
    DeviceCertificate,
    Key,
    Role,
    Signature,
    VerifiedCertificate,
    check_dates,
    check_device,
    verify_certificate,
)
from e2ee.identity.errors import IdentityReason, IdentityUsageError, LinkError
from e2ee.identity.labels import SignatureLabel, label, sign_labelled, verify_labelled
from e2ee.identity.link_content import (
    MAX_LINK_CONTENT,
    MAX_SEALED,
    LinkContent,
    LinkedContact,
    check_contacts,
)
from e2ee.identity.safety_number import account_digits
from e2ee.identity.text_form import from_text, to_text
from e2ee.tls_syntax import (
    Codec,
    Struct,
    Uint8,
    Uint16,
    fixed,
    struct,
)
from e2ee.tls_syntax.form import Converted, Octets

__all__ = [
    "LINK_LIFETIME",
    "DeviceLink",
    "Linked",
    "NewDevice",
    "OpenedLink",
    "certify_link",
    "read_link",
    "seal_link",
]

PREFIX = "e2ee-link:"

LINK_VERSION = 1

LINK_LIFETIME = 600_000
"""IDENT-17: how long the secret of a link is kept, in milliseconds."""

_secret = fixed(32)
SecretKey = Annotated[
    Secret,
    Codec(
        lambda reader: Secret(_secret.read(reader)),
        _secret.write,
        32,
        form=Converted(Octets(32), Secret),
    ),
]


@struct
class DeviceLink(Struct):
    """What a new device shows (IDENT-17, IDENT-20). Its text is a secret: who reads it can open what is sealed to it."""

    version: Uint8
    signature_key: Key
    secret: SecretKey
    versions: CodePoints
    suites: CodePoints
    roles: Uint16
    signature: Signature

    def text(self) -> str:
        """The text form, for a QR code or to be pasted."""
        return to_text(PREFIX, self.encode())

    @property
    def link_id(self) -> bytes:
        """By what the server knows it, 16 bytes: ``HKDF-Expand(prk, label("Device link id"), 16)``."""
        return bytes(self._expand("Device link id", 16))

    def _expand(self, purpose: str, length: int) -> Secret:
        prk = HKDF_SHA256.extract(b"", self.secret)
        return HKDF_SHA256.expand(prk, label(purpose), length)

    def _signed(self) -> bytes:
        return self.encode()[: -len(self.signature)]

    def seal(self, content: bytes, entropy: Entropy) -> bytes:
        """``content`` for the device that shows this, in the form of ``Link.sealed``."""
        # IDENT-21: "with a fresh random nonce": the text may be read by several, and each seals with the same key
        nonce = entropy.random(AES_256_GCM.Nn)
        key = AES_256_GCM.key(self._expand("Device link key", AES_256_GCM.Nk))
        return nonce + key.seal(nonce, self._aad(), content)

    def open(self, sealed: bytes) -> bytes:
        """What ``seal`` sealed. Raises LinkError (LINK_NOT_AUTHENTIC)."""
        nonce, ciphertext = sealed[: AES_256_GCM.Nn], sealed[AES_256_GCM.Nn :]
        key = AES_256_GCM.key(self._expand("Device link key", AES_256_GCM.Nk))
        if len(sealed) > MAX_SEALED or len(ciphertext) < AES_256_GCM.Nt:
            raise LinkError(IdentityReason.LINK_NOT_AUTHENTIC, f"{len(sealed)} bytes")
        try:
            return key.open(nonce, self._aad(), ciphertext)
        except OpenError:
            raise LinkError(IdentityReason.LINK_NOT_AUTHENTIC) from None

    def _aad(self) -> bytes:
        return label("Device link") + self.encode()


def read_link(text: str) -> DeviceLink:
    """The link that ``text`` is, if the holder of its signature key made it. Raises DecodeError, LinkError, CertificateError."""
    link = DeviceLink.decode(from_text(PREFIX, text))
    if link.version != LINK_VERSION:
        raise LinkError(IdentityReason.BAD_VERSION, f"version {link.version}")
    # IDENT-20: "whose `versions`, `suites` or `roles` IDENT-1 refuses in a certificate"
    check_device(link.versions, link.suites, link.roles)
    try:
        verify_labelled(
            link.signature_key, SignatureLabel.NEW_DEVICE, link._signed(), link.signature
        )
    except BadSignature:
        # IDENT-20: "whose `signature` does not verify with its `signature_key`"
        raise LinkError(IdentityReason.BAD_LINK_SIGNATURE) from None
    return link


# The primary


def certify_link(
    account: AccountKey,
    link: DeviceLink,
    *,
    device_id: int,
    generation: int,
    now: int,
    attestation: Attestation = NO_ATTESTATION,
) -> DeviceCertificate:
    """The certificate of a device that a person wants in the account: all that it showed, and no more.

    ``now`` in milliseconds.
    """
    return account.certify(
        link.signature_key,
        device_id=device_id,
        generation=generation,
        now=now,
        versions=link.versions,
        suites=link.suites,
        roles=Role(link.roles),
        attestation=attestation,
    )


def seal_link(link: DeviceLink, content: LinkContent, entropy: Entropy) -> bytes:
    """``content`` sealed to the device that shows ``link``. Raises IdentityUsageError (LINK_TOO_LARGE)."""
    encoded = content.encode()
    if len(encoded) > MAX_LINK_CONTENT:
        raise IdentityUsageError(IdentityReason.LINK_TOO_LARGE, f"{len(encoded)} bytes")
    return link.seal(encoded, entropy)


# The new device


@dataclass(frozen=True, slots=True)
class Linked:
    """A device that belongs to an account, and what its primary gave it."""

    signing_key: SigningKey = field(repr=False)
    certificate: VerifiedCertificate
    delivery_key: bytes
    directory_keys: DirectoryKeys
    contacts: tuple[LinkedContact, ...]


@dataclass(frozen=True, slots=True)
class OpenedLink:
    """What came, before a person has looked at it (IDENT-23)."""

    account_id: str
    account_digits: str
    """30 digits: this account's half of a safety number."""
    _linked: Linked = field(repr=False)

    def confirmed(self) -> Linked:
        """A person saw this account and these digits on the primary."""
        return self._linked


class NewDevice:
    """A device that waits to be linked. ``link`` is what it shows, None when it is over."""

    def __init__(self, signing_key: SigningKey, link: DeviceLink, now: int) -> None:
        """Use ``create``."""
        self._signing_key = signing_key
        self.link: DeviceLink | None = link
        self.expires_at = now + LINK_LIFETIME

    @classmethod
    def create(
        cls,
        *,
        versions: Sequence[int],
        suites: Sequence[int],
        roles: Role = Role.NONE,
        entropy: Entropy,
        now: int,
    ) -> NewDevice:
        """A device with a fresh signature key and a fresh secret. ``now`` in Unix milliseconds."""
        key = ED25519.generate(entropy)
        secret = Secret(entropy.random(32))  # IDENT-17
        shown = (LINK_VERSION, key.public, secret, tuple(versions), tuple(suites), int(roles))
        unsigned = DeviceLink(*shown, signature=bytes(64))
        signature = sign_labelled(key, SignatureLabel.NEW_DEVICE, unsigned._signed())
        return cls(key, DeviceLink(*shown, signature=signature), now)

    def handle_timer(self, now: int) -> None:
        """IDENT-17: "MUST drop it ... 10 minutes after it was made"; due at ``expires_at``."""
        if now >= self.expires_at:
            self.link = None

    def open(self, sealed: bytes, server_name: str, now: int) -> OpenedLink:
        """What came from ``server_name``, the server that this device connected to. Works once.

        Raises LinkError, CertificateError or DecodeError; then the device still waits, unless its time is over.
        """
        self.handle_timer(now)
        link = self.link
        if link is None:
            raise LinkError(IdentityReason.LINK_EXPIRED, "used already, or too late")
        content = LinkContent.decode(link.open(sealed), max_size=MAX_LINK_CONTENT)
        certificate = verify_certificate(content.certificate, link.signature_key)
        check_dates(certificate, now, Dates.RECEIVER)
        _check_content(link, certificate, content, server_name)
        keys = DirectoryKeys({each.directory_key_id: each.key for each in content.directory_keys})
        linked = Linked(
            self._signing_key, certificate, content.delivery_key, keys, content.contacts
        )
        digits = account_digits(certificate.account_id, certificate.account_key)
        self.link = None  # IDENT-17: one-time
        return OpenedLink(certificate.account_id, digits, linked)


def _check_content(
    link: DeviceLink, certificate: VerifiedCertificate, content: LinkContent, server_name: str
) -> None:
    """IDENT-22, what the certificate's own rules leave."""
    certified = (certificate.versions, certificate.suites, int(certificate.roles))
    if certified != (link.versions, link.suites, link.roles):
        raise LinkError(IdentityReason.LINK_NOT_AS_SHOWN, "other versions, suites or roles")
    if content.server_name != server_name.encode():
        raise LinkError(IdentityReason.WRONG_SERVER, "for another server")
    check_contacts(content.contacts)
