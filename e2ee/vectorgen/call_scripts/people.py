"""Accounts and devices, the same in all scripts: certificates byte by byte, KeyPackages with the private keys that go with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kyber_py.ml_kem import ML_KEM_768

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.kdf import HKDF_SHA256
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.mls.capabilities import Capabilities
from e2ee.mls.credential import Credential, CredentialType
from e2ee.mls.extension import Extension
from e2ee.mls.group_context import ProtocolVersion
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.leaf_node import Lifetime
from e2ee.mls.message import MLSMessage
from e2ee.vectorgen.certificates import (
    DAY,
    NO_ATTESTATION,
    NOW,
    Statement,
    label,
    opaque16,
)
from e2ee.vectorgen.models import u64
from e2ee.vectorgen.people import CALL_PROFILE, JOIN, join_content

__all__ = ["CLOCK", "DELIVERY", "DIRECTORY", "SUITE", "Actor", "Link", "bundle_document", "entropy"]

CLOCK = NOW * 1000
"""Unix milliseconds at the beginning of every script."""

SUITE, HYBRID = 0x0001, 0xF0E2

DIRECTORY_KEY_ID = 1

_SEED = SeededEntropy(b"E2EE Call 1.0 call scripts", ML_KEM_768._encaps_internal)


def entropy(*names: str) -> SeededEntropy:
    """A stream of its own for this name."""
    return _SEED.fork("/".join(names).encode())


DIRECTORY = ED25519.generate(entropy("directory"))
DELIVERY = ED25519.generate(entropy("delivery service"))


@dataclass(frozen=True)
class Link:
    """GROUP-3, by its formulas."""

    call_id: bytes
    secret: bytes

    def _expanded(self, name: str, length: int) -> bytes:
        prk = HKDF_SHA256.extract(b"", self.secret)
        return bytes(HKDF_SHA256.expand(prk, label(name), length))

    @property
    def psk_id(self) -> bytes:
        """``link_id`` of the profile."""
        return label("Link") + self._expanded("Link id", 16)

    def psk(self, length: int) -> bytes:
        """The PSK that it names."""
        return self._expanded("Link PSK", length)

    def proof(self, init_key: bytes, signature_key: bytes) -> bytes:
        """``link_proof`` of a KeyPackage."""
        content = label("Link proof") + self.call_id + init_key + signature_key
        return HKDF_SHA256.hmac(self._expanded("Link proof", 32), content)


class Actor:
    """A device of an account. ``key`` names the account's key if it is not the account's own, ``copy`` another signature key
    than the device's, ``leaf`` the one of another device, ``certified`` are fields of its certificate that are not as usual."""

    def __init__(
        self,
        account_id: str,
        device_id: int = 1,
        *,
        key: str | None = None,
        attested: bool = True,
        attested_by: SigningKey = DIRECTORY,
        suites: tuple[int, ...] = (SUITE,),
        copy: str = "",
        leaf: SigningKey | None = None,
        **certified: Any,
    ) -> None:
        self.account_id, self.device_id = account_id, device_id
        self.account = ED25519.generate(entropy("account", key or account_id))
        device = (key or account_id, account_id, f"{device_id}", *([copy] if copy else []))
        self.leaf = leaf or ED25519.generate(entropy("device", *device))
        self.suites = suites
        statement = Statement(
            self.account.public,
            account_id=account_id.encode(),
            device_id=device_id,
            suites=suites,
            **certified,
        ).encode()
        content = label("Device") + statement + opaque16(self.leaf.public)
        signature = ED25519.sign(self.account.private, content)
        vouched = self._attestation(attested_by) if attested else NO_ATTESTATION
        self.certificate = statement + signature + vouched

    def _attestation(self, directory: SigningKey) -> bytes:
        until = NOW + 28 * DAY
        statement = opaque16(self.account_id.encode()) + self.account.public + u64(until)
        signature = ED25519.sign(directory.private, label("Account") + statement)
        return bytes([DIRECTORY_KEY_ID]) + u64(until) + signature

    @property
    def account_key(self) -> bytes:
        """The public one."""
        return self.account.public

    def bundle(
        self,
        *names: str,
        suite: int = SUITE,
        marks: tuple[Extension, ...] = (),
        lifetime: Lifetime | None = None,
    ) -> KeyPackageBundle:
        """A KeyPackage, the same for the same ``names``."""
        return KeyPackageBundle.generate(
            cipher_suite(suite),
            self.leaf,
            Credential.basic(self.certificate),
            Capabilities(
                (ProtocolVersion.MLS10,),
                self.suites,
                (CALL_PROFILE, *(mark.extension_type for mark in marks)),
                (),
                (CredentialType.BASIC,),
            ),
            lifetime or Lifetime(NOW - 3600, NOW + 28 * DAY),
            entropy("key package", self.account_id, f"{self.device_id}", f"{suite}", *names),
            extensions=marks,
        )

    def joining(
        self,
        call_id: bytes,
        link: Link | None,
        *names: str,
        created_at: int = CLOCK,
        **how: Any,
    ) -> KeyPackageBundle:
        """A KeyPackage with which it asks to join a call."""
        plain = self.bundle("join", *names, marks=(Extension(JOIN, b""),), **how).key_package
        proof = b"" if link is None else link.proof(plain.init_key, self.leaf.public)
        mark = Extension(JOIN, join_content(call_id, proof, created_at))
        return self.bundle("join", *names, marks=(mark,), **how)


def bundle_document(bundle: KeyPackageBundle) -> dict[str, Any]:
    """A KeyPackage and its private keys, as an input has them."""
    return {
        "key_package": MLSMessage.of(bundle.key_package).encode(),
        "init_private_key": bundle.init_private_key,
        "encryption_private_key": bundle.encryption_private_key,
    }
