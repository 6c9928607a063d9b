"""DeviceCertificate: an account's word that a signature key is one of its devices (IDENT-1 to IDENT-5).

Two types: a ``DeviceCertificate`` is bytes that decoded and says nothing yet; a ``VerifiedCertificate`` comes
from ``verify_certificate`` alone, and whatever decides about people asks for one. Verification is timeless and
uses public bytes only, so that everybody who sees a leaf judges it alike (KEYS-6). What depends on the clock is
asked apart, once, when somebody is added (``check_dates``): a certificate that expires during a call removes
nobody (IDENT-6). Whether the account is known or attested is ``trust``'s and ``attestation``'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Annotated

from e2ee.account_id import flaw
from e2ee.crypto.errors import BadSignature
from e2ee.identity.errors import CertificateError, IdentityReason
from e2ee.identity.labels import SignatureLabel, opaque16, verify_labelled
from e2ee.tls_syntax import (
    EncodedOnce,
    Opaque,
    Struct,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    fixed,
    struct,
    uint16,
    vector,
)

__all__ = [
    "CERTIFICATE_VERSION",
    "MAX_CERTIFICATE",
    "MAX_LIFETIME",
    "Attestation",
    "Dates",
    "DeviceCertificate",
    "DeviceStatement",
    "Role",
    "VerifiedCertificate",
    "certified_content",
    "check_dates",
    "check_device",
    "verify_certificate",
]

CERTIFICATE_VERSION = 1

MAX_LIFETIME = 30 * 24 * 3600
"""Longest validity of a certificate, in seconds (IDENT-2)."""

MAX_CERTIFICATE = 1 << 12
"""Longest encoding that is looked at, in bytes: an account id and 900 versions and suites."""

CodePoints = Annotated[tuple[int, ...], vector(uint16)]
Key = Annotated[bytes, fixed(32)]
Signature = Annotated[bytes, fixed(64)]


class Role(IntFlag):
    """What a device is, beside a person's."""

    NONE = 0
    BOT = 1
    RECORDER = 2
    TRANSCRIBER = 4


_ASSIGNED_ROLES = int(Role.BOT | Role.RECORDER | Role.TRANSCRIBER)


class Dates(IntEnum):
    """IDENT-5: by how many seconds dates may be wrong, for who commits or invites, and for who receives it."""

    COMMITTER = 0
    RECEIVER = 24 * 3600


@struct
class DeviceStatement(Struct):
    """What the account signs: the certificate's fields before ``account_signature`` (IDENT-1, IDENT-2). Times are Unix seconds."""

    version: Uint8
    account_id: Opaque
    account_key: Key
    device_id: Uint32
    generation: Uint32
    not_before: Uint64
    not_after: Uint64
    versions: CodePoints
    suites: CodePoints
    roles: Uint16


@struct
class Attestation(Struct):
    """What the directory signs: the certificate's fields after ``account_signature`` (IDENT-4)."""

    directory_key_id: Uint8
    attested_until: Uint64
    attestation: Signature


@struct
class DeviceCertificate(EncodedOnce):
    """The spec's structure (IDENT-3), not verified. Nesting its parts writes the same bytes as writing them in a row."""

    statement: DeviceStatement
    account_signature: Signature
    attestation: Attestation


@dataclass(frozen=True, slots=True)
class VerifiedCertificate:
    """A certificate that its account signed for ``signature_key``. Made by ``verify_certificate`` only."""

    certificate: DeviceCertificate
    signature_key: bytes
    account_id: str

    @property
    def account_key(self) -> bytes:
        """The account's Ed25519 public key, 32 bytes."""
        return self.certificate.statement.account_key

    @property
    def device_id(self) -> int:
        """Which device of the account."""
        return self.certificate.statement.device_id

    @property
    def generation(self) -> int:
        """How often the account has revoked devices (IDENT-7)."""
        return self.certificate.statement.generation

    @property
    def versions(self) -> tuple[int, ...]:
        """The protocol versions that the device speaks."""
        return self.certificate.statement.versions

    @property
    def suites(self) -> tuple[int, ...]:
        """The MLS cipher suites that the device has."""
        return self.certificate.statement.suites

    @property
    def roles(self) -> Role:
        """What the device says it is."""
        return Role(self.certificate.statement.roles)


def certified_content(statement: DeviceStatement, signature_key: bytes) -> bytes:
    """What ``account_signature`` is made over, after its label."""
    return statement.encode() + opaque16(signature_key)


def verify_certificate(identity: bytes, signature_key: bytes) -> VerifiedCertificate:
    """The certificate that ``identity`` encodes, verified for the leaf that has ``signature_key``.

    Raises DecodeError, or CertificateError with the reason.
    """
    certificate = DeviceCertificate.decode(identity, max_size=MAX_CERTIFICATE)
    statement = certificate.statement
    if len(signature_key) != 32:
        raise CertificateError(IdentityReason.BAD_SIGNATURE_KEY, f"{len(signature_key)} bytes")
    account_id = _check_structure(statement)
    _check_lifetime(statement)
    try:
        verify_labelled(
            statement.account_key,
            SignatureLabel.DEVICE,
            certified_content(statement, signature_key),
            certificate.account_signature,
        )
    except BadSignature:
        # IDENT-3: "MUST be refused if `account_signature` does not verify with its `account_key` for the
        # signature key of the leaf that carries it"
        raise CertificateError(IdentityReason.BAD_ACCOUNT_SIGNATURE) from None
    return VerifiedCertificate(certificate, signature_key, account_id)


def check_dates(certificate: VerifiedCertificate, now: int, dates: Dates) -> None:
    """IDENT-5: refuse who is added outside its validity. ``now`` in Unix milliseconds. Raises CertificateError."""
    statement = certificate.certificate.statement
    # IDENT-5: "the time is in whole seconds, what is begun of one left out"
    seconds = now // 1000
    if seconds < statement.not_before - dates:
        raise CertificateError(
            IdentityReason.NOT_YET_VALID, f"{statement.not_before - seconds} s too early"
        )
    if seconds > statement.not_after + dates:
        raise CertificateError(IdentityReason.EXPIRED, f"since {seconds - statement.not_after} s")


def check_device(versions: Sequence[int], suites: Sequence[int], roles: int) -> None:
    """IDENT-1, of what a device says that it is; also before there is a certificate (IDENT-20). Raises CertificateError."""
    for reason, listed in (
        (IdentityReason.BAD_VERSIONS, versions),
        (IdentityReason.BAD_SUITES, suites),
    ):
        if not listed or len(set(listed)) != len(listed):
            raise CertificateError(reason, "empty, or something named twice")
    if roles & ~_ASSIGNED_ROLES:
        raise CertificateError(IdentityReason.BAD_ROLES, f"roles {roles:#06x}")


def _check_structure(statement: DeviceStatement) -> str:
    """IDENT-1, every clause; gives the account id as text."""
    if statement.version != CERTIFICATE_VERSION:
        raise CertificateError(IdentityReason.BAD_VERSION, f"version {statement.version}")
    account_id = _account_id(statement.account_id)
    check_device(statement.versions, statement.suites, statement.roles)
    return account_id


def _account_id(encoded: bytes) -> str:
    try:
        text = encoded.decode()
    except UnicodeDecodeError:
        raise CertificateError(IdentityReason.BAD_ACCOUNT_ID, "not UTF-8") from None
    wrong = flaw(text)
    if wrong is not None:
        raise CertificateError(IdentityReason.BAD_ACCOUNT_ID, wrong)
    return text


def _check_lifetime(statement: DeviceStatement) -> None:
    # IDENT-2: "MUST be refused if `not_after - not_before` is negative or above 30 days (2,592,000 s)"
    if not 0 <= statement.not_after - statement.not_before <= MAX_LIFETIME:
        raise CertificateError(
            IdentityReason.BAD_LIFETIME, f"{statement.not_before} to {statement.not_after}"
        )
