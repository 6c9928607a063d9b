"""Clients: who has a KeyPackage and its private keys, and the leaves that clients sign."""

from __future__ import annotations

from dataclasses import dataclass, replace

from e2ee.crypto.kem import KeyPair
from e2ee.crypto.signature import SigningKey
from e2ee.mls.capabilities import Capabilities
from e2ee.mls.credential import Credential, CredentialType
from e2ee.mls.group_context import ProtocolVersion
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.leaf_node import LeafNode, LeafNodeSource, Lifetime
from e2ee.testing.mls_forge.forge import Change, Forge, same
from e2ee.tls_syntax import opaque, uint32

__all__ = [
    "NOW",
    "Client",
    "fields_above_signature",
    "make_client",
    "next_leaf",
    "sign_key_package",
    "sign_leaf",
]

NOW = 1_700_000_000
"""The time at which clients make their KeyPackages, Unix seconds."""

_HOUR, _DAY = 3_600, 86_400


@dataclass(frozen=True, slots=True)
class Client:
    """A client with one KeyPackage."""

    key_package: KeyPackage
    signing_key: SigningKey
    init: KeyPair
    encryption: KeyPair

    @property
    def leaf_node(self) -> LeafNode:
        """That of the KeyPackage."""
        return self.key_package.leaf_node


def make_client(
    forge: Forge,
    name: str,
    *,
    signing_key: SigningKey | None = None,
    encryption: KeyPair | None = None,
    init: KeyPair | None = None,
    leaf: Change[LeafNode] = same,
    signed_leaf: Change[LeafNode] = same,
    key_package: Change[KeyPackage] = same,
    signed: Change[KeyPackage] = same,
) -> Client:
    """A client with a basic credential, whose KeyPackage is valid from an hour before ``NOW`` for a day.

    ``leaf`` and ``key_package`` are changed before they are signed, ``signed_leaf`` and ``signed`` afterwards. The keys
    are new where none are given.
    """
    signing_key = signing_key or forge.signing_key()
    encryption, init = encryption or forge.key_pair(), init or forge.key_pair()
    suite = forge.suite.code_point
    unsigned_leaf = LeafNode(
        encryption_key=encryption.public,
        signature_key=signing_key.public,
        credential=Credential.basic(name.encode()),
        capabilities=Capabilities(
            (ProtocolVersion.MLS10,), (suite,), (), (), (CredentialType.BASIC,)
        ),
        leaf_node_source=LeafNodeSource.KEY_PACKAGE,
        details=Lifetime(NOW - _HOUR, NOW + _DAY),
        extensions=(),
        signature=b"",
    )
    unsigned = KeyPackage(
        version=ProtocolVersion.MLS10,
        cipher_suite=suite,
        init_key=init.public,
        leaf_node=signed_leaf(sign_leaf(forge, leaf(unsigned_leaf))),
        extensions=(),
        signature=b"",
    )
    made = signed(sign_key_package(forge, key_package(unsigned)))
    return Client(made, signing_key, init, encryption)


def fields_above_signature(value: LeafNode | KeyPackage) -> bytes:
    """The encoding without the signature, which is the last field."""
    return value.encode().removesuffix(opaque.encode(value.signature))


def sign_leaf(
    forge: Forge,
    unsigned: LeafNode,
    group_id: bytes = b"",
    leaf_index: int = 0,
    signing_key: bytes | None = None,
) -> LeafNode:
    """LeafNodeTBS, signed by the leaf's own key or the private key of another public one."""
    tbs = fields_above_signature(unsigned)
    if unsigned.leaf_node_source != LeafNodeSource.KEY_PACKAGE:
        tbs += opaque.encode(group_id) + uint32.encode(leaf_index)
    signature = forge.sign(signing_key or unsigned.signature_key, "LeafNodeTBS", tbs)
    return replace(unsigned, signature=signature)


def sign_key_package(
    forge: Forge, unsigned: KeyPackage, signing_key: bytes | None = None
) -> KeyPackage:
    """KeyPackageTBS, signed by the leaf's own key or the private key of another public one."""
    tbs = fields_above_signature(unsigned)
    public_key = signing_key or unsigned.leaf_node.signature_key
    return replace(unsigned, signature=forge.sign(public_key, "KeyPackageTBS", tbs))


def next_leaf(
    old: LeafNode, encryption_key: bytes, source: LeafNodeSource, parent_hash: bytes | None = None
) -> LeafNode:
    """``old`` with a new key, for an Update or for an UpdatePath; not signed."""
    return replace(
        old,
        encryption_key=encryption_key,
        leaf_node_source=source,
        details=parent_hash,
        signature=b"",
    )
