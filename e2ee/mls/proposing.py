"""What a member signs: its proposals, the own Update among them, and application data (RFC 9420 Sections 6.1 and 12.1).

Nothing here is stateful: ``group`` keeps the proposals of its epoch and the private keys of its Updates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from e2ee.crypto.entropy import Entropy
from e2ee.crypto.kem import KeyPair
from e2ee.mls.commit import Commit
from e2ee.mls.content_authentication import authenticate
from e2ee.mls.epoch import MemberKeys
from e2ee.mls.framing import (
    AuthenticatedContent,
    FramedContent,
    Sender,
    WireFormat,
)
from e2ee.mls.leaf_node import LeafNode, LeafNodeSource, sign_leaf_node
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Proposal, Update
from e2ee.mls.public_group import PublicGroup

__all__ = ["ProposedChange", "new_update", "sign"]


@dataclass(frozen=True, slots=True)
class ProposedChange:
    """An own proposal to send; a commit names it by ``reference`` (its ProposalRef)."""

    message: MLSMessage
    reference: bytes


def sign(
    group: PublicGroup,
    keys: MemberKeys,
    content: bytes | Proposal | Commit,
    authenticated_data: bytes,
    wire_format: WireFormat,
) -> AuthenticatedContent:
    """Content of this member, signed in the present epoch; a commit still lacks its confirmation tag."""
    sender = Sender.member(keys.leaf_index)
    framed = FramedContent.of(group.context, sender, content, authenticated_data)
    private_key = keys.signature_private_key
    return authenticate(group.suite, group.context, wire_format, framed, private_key)


def new_update(group: PublicGroup, keys: MemberKeys, entropy: Entropy) -> tuple[Update, KeyPair]:
    """An Update of the own leaf, and its new key pair, which is needed if somebody commits it."""
    key_pair = group.suite.hpke.kem.generate_key_pair(entropy)
    old: LeafNode = group.tree.leaf(keys.leaf_index)  # type: ignore[assignment]  # a member has a leaf
    unsigned = replace(
        old,
        encryption_key=key_pair.public,
        leaf_node_source=LeafNodeSource.UPDATE,
        details=None,
    )
    signed = sign_leaf_node(
        group.suite,
        unsigned,
        keys.signature_private_key,
        group.context.group_id,
        keys.leaf_index,
    )
    return Update(signed), key_pair
