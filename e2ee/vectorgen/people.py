"""Devices of accounts with KeyPackages of MLS, for cases in which several meet.

Certificates are written byte by byte; leaves, KeyPackages and their signatures are those of ``e2ee.testing.mls_forge``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from kyber_py.ml_kem import ML_KEM_768

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.mls.capabilities import Capabilities
from e2ee.mls.credential import Credential
from e2ee.mls.extension import Extension
from e2ee.mls.key_package import LAST_RESORT, KeyPackage
from e2ee.mls.leaf_node import LeafNode, Lifetime
from e2ee.testing.mls_forge.clients import Client, make_client
from e2ee.testing.mls_forge.forge import Change, Forge, same
from e2ee.vectorgen.certificates import (
    DAY,
    NO_ATTESTATION,
    NOW,
    Statement,
    label,
    opaque16,
    vector,
)
from e2ee.vectorgen.models import u64
from e2ee.vectorgen.registry import Case

__all__ = ["JOIN", "Person", "join_content"]

CALL_PROFILE, JOIN = 0xF0C1, 0xF0C2

MLS_SUITE = 0x0001


def join_content(call_id: bytes, link_proof: bytes, created_at: int = NOW * 1000) -> bytes:
    """KEYS-21: Join."""
    return call_id + u64(created_at) + vector(link_proof)


@dataclass(frozen=True)
class Person:
    """A device of somebody in a case: ``account`` is its account's key, ``leaf`` its leaf's."""

    forge: Forge
    account: SigningKey
    leaf: SigningKey
    certificate: bytes

    @classmethod
    def of(
        cls,
        case: Case,
        name: str,
        device_id: int = 1,
        *,
        account: str | None = None,
        suite: int = MLS_SUITE,
        **certified: Any,
    ) -> Person:
        """A device of the account ``name``, certified with the key of ``account`` if that is another, with these fields."""
        key = ED25519.generate(case.entropy.fork(f"account {account or name}".encode()))
        device = case.entropy.fork(f"{account or name} {name} {device_id}".encode())
        if suite != MLS_SUITE:
            device = SeededEntropy(device.random(32), ML_KEM_768._encaps_internal)
        forge = Forge(cipher_suite(suite), device)
        leaf = forge.signing_key()
        fields: dict[str, Any] = {"account_id": name.encode(), "device_id": device_id} | certified
        statement = Statement(key.public, **fields).encode()
        content = label("Device") + statement + opaque16(leaf.public)
        signature = ED25519.sign(key.private, content)
        return cls(forge, key, leaf, statement + signature + NO_ATTESTATION)

    @property
    def account_key(self) -> bytes:
        """The public one."""
        return self.account.public

    def key_package(self, *extensions: Extension, certificate: bytes | None = None) -> KeyPackage:
        """A KeyPackage with these extensions, which its leaf lists; for a directory if there are none."""
        return self.client(*extensions, certificate=certificate).key_package

    def client(
        self,
        *extensions: Extension,
        certificate: bytes | None = None,
        change_leaf: Change[LeafNode] = same,
        change: Change[KeyPackage] = same,
    ) -> Client:
        """The same with its private keys; leaf and KeyPackage may be changed before they are signed."""
        listed = (CALL_PROFILE, *(extension.extension_type for extension in extensions))

        def leaf(plain: LeafNode) -> LeafNode:
            old = plain.capabilities
            return change_leaf(
                replace(
                    plain,
                    credential=Credential.basic(
                        self.certificate if certificate is None else certificate
                    ),
                    capabilities=Capabilities(
                        old.versions, old.cipher_suites, listed, (), old.credentials
                    ),
                    details=Lifetime(NOW - 3600, NOW + 28 * DAY),
                )
            )

        def package(plain: KeyPackage) -> KeyPackage:
            return change(replace(plain, extensions=extensions))

        return make_client(
            self.forge.fork(b"key package"),
            "",
            signing_key=self.leaf,
            leaf=leaf,
            key_package=package,
        )

    def joining(self, call_id: bytes, link_proof: bytes) -> KeyPackage:
        """A KeyPackage that is made to join a call."""
        return self.key_package(Extension(JOIN, join_content(call_id, link_proof)))

    def joining_again_and_again(self, call_id: bytes, link_proof: bytes) -> KeyPackage:
        """The same, marked as one for several uses."""
        mark = Extension(JOIN, join_content(call_id, link_proof))
        return self.key_package(mark, LAST_RESORT)
