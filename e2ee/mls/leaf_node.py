"""LeafNode (RFC 9420 Section 7.2): one client's place in a group, signed by that client.

The structures and the signature. What else must hold of a leaf stands in ``leaf_node_validation``.
"""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum
from typing import Annotated

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.mls.capabilities import Capabilities
from e2ee.mls.credential import Credential
from e2ee.mls.errors import Rule
from e2ee.mls.extension import Extensions
from e2ee.mls.labels import sign_with_label, verify_with_label
from e2ee.tls_syntax import (
    EncodedOnce,
    Opaque,
    Struct,
    Uint64,
    enum,
    nothing,
    opaque,
    select,
    struct,
    uint8,
    uint32,
)

__all__ = [
    "LeafNode",
    "LeafNodeSource",
    "Lifetime",
    "check_leaf_signature",
    "sign_leaf_node",
]


class LeafNodeSource(IntEnum):
    """How a leaf came into the tree."""

    KEY_PACKAGE = 1
    UPDATE = 2
    COMMIT = 3


@struct
class Lifetime(Struct):
    """Unix seconds between which a leaf from a KeyPackage is acceptable, both included."""

    not_before: Uint64
    not_after: Uint64


@struct
class LeafNode(EncodedOnce):
    """RFC 9420 Section 7.2.

    ``details`` follows ``leaf_node_source``: the Lifetime (key_package), None (update), the parent hash (commit).
    """

    encryption_key: Opaque
    signature_key: Opaque
    credential: Credential
    capabilities: Capabilities
    leaf_node_source: Annotated[LeafNodeSource, enum(LeafNodeSource, uint8)]
    details: Annotated[
        Lifetime | bytes | None,
        select(
            "leaf_node_source",
            {
                LeafNodeSource.KEY_PACKAGE: Lifetime.codec(),
                LeafNodeSource.UPDATE: nothing,
                LeafNodeSource.COMMIT: opaque,
            },
        ),
    ]
    extensions: Extensions
    signature: Opaque

    @property
    def lifetime(self) -> Lifetime | None:
        """The lifetime of a leaf from a KeyPackage."""
        return self.details if isinstance(self.details, Lifetime) else None

    @property
    def parent_hash(self) -> bytes | None:
        """The parent hash of a leaf from a Commit."""
        return self.details if isinstance(self.details, bytes) else None


def sign_leaf_node(
    suite: CipherSuite, unsigned: LeafNode, private: bytes, group_id: bytes, leaf_index: int
) -> LeafNode:
    """``unsigned`` with its signature; a leaf for a KeyPackage is signed for no group and no place."""
    content = _to_be_signed(unsigned, group_id, leaf_index)
    return replace(unsigned, signature=sign_with_label(suite, private, "LeafNodeTBS", content))


def check_leaf_signature(
    suite: CipherSuite, leaf_node: LeafNode, group_id: bytes, leaf_index: int
) -> None:
    """The owner of the leaf's signature key signed it, for this group and place. Raises ValidationError."""
    # "Verify that the signature on the LeafNode is valid using signature_key."
    verify_with_label(
        suite,
        leaf_node.signature_key,
        "LeafNodeTBS",
        _to_be_signed(leaf_node, group_id, leaf_index),
        leaf_node.signature,
        Rule.LEAF_SIGNATURE,
    )


def _to_be_signed(leaf_node: LeafNode, group_id: bytes, leaf_index: int) -> bytes:
    """LeafNodeTBS: the fields above the signature, then the place in the group of a leaf that was made in one."""
    fields = leaf_node.encode().removesuffix(opaque.encode(leaf_node.signature))
    if leaf_node.leaf_node_source == LeafNodeSource.KEY_PACKAGE:
        return fields
    return fields + opaque.encode(group_id) + uint32.encode(leaf_index)
