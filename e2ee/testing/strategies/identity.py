"""Accounts, the certificates of their devices, and the proofs that they give; each with the keys that made it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.identity.account import AccountKey
from e2ee.identity.attestation import NO_ATTESTATION, AttestationAuthority
from e2ee.identity.device_certificate import (
    MAX_LIFETIME,
    Attestation,
    DeviceStatement,
    Role,
    VerifiedCertificate,
    verify_certificate,
)
from e2ee.identity.device_link import NewDevice
from e2ee.identity.errors import IdentityReason
from e2ee.identity.login import login_signature, register_signature
from e2ee.testing.strategies.octets import account_ids, entropies, octets, unsigned

__all__ = [
    "NOW",
    "AlmostCertificate",
    "LoginProof",
    "Registration",
    "accounts",
    "almost_certificates",
    "attestation_authorities",
    "attestations",
    "certificates",
    "device_links",
    "login_proofs",
    "registrations",
    "safety_accounts",
    "signing_keys",
]

NOW = 1_800_000_000_000
"""When everything here is made, in Unix milliseconds."""

_ROLES = st.sampled_from([Role.NONE, Role.BOT, Role.RECORDER, Role.BOT | Role.TRANSCRIBER])


def signing_keys() -> st.SearchStrategy[SigningKey]:
    """Ed25519 keys of devices and directories.

    ``signing_keys()`` draws ``SigningKey(...)``; its ``public`` is the leaf's signature key.
    """
    return entropies().map(lambda entropy: ED25519.generate(entropy.fork(b"signing key")))


def accounts(names: st.SearchStrategy[str] | None = None) -> st.SearchStrategy[AccountKey]:
    """Accounts with their keys.

    ``accounts(st.just("alice"))`` draws Alices: who they are is the key, not the name.
    """
    return st.builds(
        lambda name, entropy: AccountKey.create(name, entropy.fork(b"account " + name.encode())),
        account_ids() if names is None else names,
        entropies(),
    )


def safety_accounts() -> st.SearchStrategy[tuple[str, bytes]]:
    """Accounts as safety numbers see them (IDENT-12): the id and the account key.

    ``safety_accounts()`` draws ``("alice", b"...")``.
    """
    return st.tuples(account_ids(), octets(32))


def attestation_authorities() -> st.SearchStrategy[AttestationAuthority]:
    """Directories that attest accounts (IDENT-4); ``directory_keys()`` of one is what a client is shipped with."""
    return st.builds(AttestationAuthority, st.integers(0, 255), signing_keys())


def attestations(
    authority: AttestationAuthority, account: AccountKey, now: int = NOW
) -> st.SearchStrategy[Attestation]:
    """What a certificate may carry of a directory: its word for this account, fresh or of any time, or nothing.

    ``attestations(authority, alice)`` draws ``Attestation(7, 1_802_505_600, b"...")`` and ``NO_ATTESTATION``.
    """
    days = st.integers(0, 60).map(lambda age: now - age * 24 * 3600 * 1000)
    made = days.map(lambda at: authority.attest(account.account_id, account.public, at))
    return st.just(NO_ATTESTATION) | made


@st.composite
def _statements(draw: st.DrawFn, account: AccountKey, now: int) -> DeviceStatement:
    begin = now // 1000 - draw(st.integers(0, 24 * 3600))
    code_points = st.lists(unsigned(16), min_size=1, max_size=4, unique=True).map(tuple)
    return DeviceStatement(
        version=1,
        account_id=account.account_id.encode(),
        account_key=account.public,
        device_id=draw(unsigned(32)),
        generation=draw(unsigned(32)),
        not_before=begin,
        not_after=begin + draw(st.integers(2 * 24 * 3600, MAX_LIFETIME)),
        versions=draw(st.just((0x0100,)) | code_points),
        suites=draw(st.just((0x0001,)) | code_points),
        roles=int(draw(_ROLES)),
    )


@st.composite
def certificates(
    draw: st.DrawFn,
    *,
    account: AccountKey | None = None,
    key: SigningKey | None = None,
    now: int = NOW,
) -> VerifiedCertificate:
    """DeviceCertificates that their accounts signed (IDENT-1 to IDENT-3), valid at ``now``.

    ``certificates(account=alice)`` draws those of Alice's devices; ``.certificate.encode()`` is what a leaf carries.
    """
    account = account or draw(accounts())
    key = key or draw(signing_keys())
    statement = draw(_statements(account, now))
    authority = draw(attestation_authorities())
    certificate = account.sign(statement, key.public, draw(attestations(authority, account, now)))
    return verify_certificate(certificate.encode(), key.public)


@dataclass(frozen=True, slots=True)
class AlmostCertificate:
    """A certificate that a leaf with ``signature_key`` carries and everybody must refuse, for this reason."""

    identity: bytes
    signature_key: bytes
    reason: IdentityReason


_SPOILT_FIELDS: Mapping[IdentityReason, Callable[[DeviceStatement], Mapping[str, Any]]] = {
    IdentityReason.BAD_VERSION: lambda _: {"version": 2},
    IdentityReason.BAD_ACCOUNT_ID: lambda s: {"account_id": s.account_id + b"\n"},
    IdentityReason.BAD_VERSIONS: lambda s: {"versions": (*s.versions, s.versions[0])},
    IdentityReason.BAD_SUITES: lambda _: {"suites": ()},
    IdentityReason.BAD_ROLES: lambda s: {"roles": s.roles | 8},
    IdentityReason.BAD_LIFETIME: lambda s: {"not_after": s.not_before + MAX_LIFETIME + 1},
}


@st.composite
def almost_certificates(draw: st.DrawFn) -> AlmostCertificate:
    """Certificates that break one rule, well signed but for those whose signature is the fault.

    ``almost_certificates()`` draws ``AlmostCertificate(b"...", b"...", IdentityReason.BAD_LIFETIME)``.
    """
    account, key = draw(accounts()), draw(signing_keys())
    statement = draw(_statements(account, NOW))
    unsigned_faults = [IdentityReason.BAD_ACCOUNT_SIGNATURE, IdentityReason.BAD_SIGNATURE_KEY]
    reason = draw(st.sampled_from([*_SPOILT_FIELDS, *unsigned_faults]))
    if reason in _SPOILT_FIELDS:
        statement = replace(statement, **_SPOILT_FIELDS[reason](statement))
    made = account.sign(statement, key.public, NO_ATTESTATION)
    signature_key = key.public
    if reason is IdentityReason.BAD_ACCOUNT_SIGNATURE:
        signature_key = ED25519.generate(draw(entropies()).fork(b"another device")).public
    elif reason is IdentityReason.BAD_SIGNATURE_KEY:
        signature_key = signature_key[:31]
    return AlmostCertificate(made.encode(), signature_key, reason)


@dataclass(frozen=True, slots=True)
class Registration:
    """What an account proves to a directory (IDENT-15)."""

    server_name: str
    account: AccountKey
    signature: bytes


def registrations(server_name: str = "calls.example") -> st.SearchStrategy[Registration]:
    """Registrations at a server: ``verify_register(each.server_name, each.account.account_id, each.account.public, each.signature)``."""
    return accounts().map(
        lambda account: Registration(server_name, account, register_signature(account, server_name))
    )


@dataclass(frozen=True, slots=True)
class LoginProof:
    """A device's answer to a server's challenge (IDENT-14)."""

    server_name: str
    signature_key: bytes
    server_nonce: bytes
    client_nonce: bytes
    signature: bytes


@st.composite
def login_proofs(draw: st.DrawFn, server_name: str = "calls.example") -> LoginProof:
    """Login statements: ``verify_login(each.server_name, each.signature_key, each.server_nonce, each.client_nonce, each.signature)``."""
    key, server_nonce, client_nonce = draw(signing_keys()), draw(octets(32)), draw(octets(32))
    signature = login_signature(key, server_name, server_nonce, client_nonce)
    return LoginProof(server_name, key.public, server_nonce, client_nonce, signature)


@st.composite
def device_links(draw: st.DrawFn, now: int = NOW) -> NewDevice:
    """Devices that wait to be linked (IDENT-20): ``each.link.text()`` is what they show.

    ``device_links()`` draws a ``NewDevice``, which can ``open`` what ``seal_link(each.link, ...)`` made.
    """
    code_points = st.lists(unsigned(16), min_size=1, max_size=3, unique=True)
    return NewDevice.create(
        versions=draw(code_points),
        suites=draw(code_points),
        roles=draw(_ROLES),
        entropy=draw(entropies()).fork(b"new device"),
        now=now,
    )
