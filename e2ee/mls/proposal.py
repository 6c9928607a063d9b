"""Proposals (RFC 9420 Section 12.1): requests for one change to a group.

All proposals of the RFC are read and written. Which of them may stand together in a commit is decided in
``proposal_list``. A proposal of an unknown type has no length of its own, so bytes that hold one do not decode.
"""

from __future__ import annotations

from typing import Annotated

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.mls.capabilities import ProposalType
from e2ee.mls.extension import Extensions
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.labels import ref_hash
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.psk import PreSharedKeyID
from e2ee.tls_syntax import Opaque, Struct, Uint16, Uint32, enum, select, struct, uint16

__all__ = [
    "Add",
    "ExternalInit",
    "GroupContextExtensions",
    "PreSharedKey",
    "Proposal",
    "ProposalContent",
    "ProposalType",
    "ReInit",
    "Remove",
    "Update",
    "make_proposal_ref",
]


@struct
class Add(Struct):
    """RFC 9420 Section 12.1.1: let the client of this KeyPackage in."""

    key_package: KeyPackage


@struct
class Update(Struct):
    """RFC 9420 Section 12.1.2: put this leaf in the place of the sender's."""

    leaf_node: LeafNode


@struct
class Remove(Struct):
    """RFC 9420 Section 12.1.3: blank the leaf with the leaf index ``removed``."""

    removed: Uint32


@struct
class PreSharedKey(Struct):
    """RFC 9420 Section 12.1.4: bring this pre-shared key into the key schedule."""

    psk: PreSharedKeyID


@struct
class ReInit(Struct):
    """RFC 9420 Section 12.1.5: start anew with other parameters."""

    group_id: Opaque
    version: Uint16
    cipher_suite: Uint16
    extensions: Extensions


@struct
class ExternalInit(Struct):
    """RFC 9420 Section 12.1.6: the joiner's KEM output in an external commit."""

    kem_output: Opaque


@struct
class GroupContextExtensions(Struct):
    """RFC 9420 Section 12.1.7: put these extensions in the place of all the group has."""

    extensions: Extensions


ProposalContent = (
    Add | Update | Remove | PreSharedKey | ReInit | ExternalInit | GroupContextExtensions
)

_CONTENT: dict[ProposalType, type[Struct]] = {
    ProposalType.ADD: Add,
    ProposalType.UPDATE: Update,
    ProposalType.REMOVE: Remove,
    ProposalType.PSK: PreSharedKey,
    ProposalType.REINIT: ReInit,
    ProposalType.EXTERNAL_INIT: ExternalInit,
    ProposalType.GROUP_CONTEXT_EXTENSIONS: GroupContextExtensions,
}
_TYPE = {content: proposal_type for proposal_type, content in _CONTENT.items()}


@struct
class Proposal(Struct):
    """RFC 9420 Section 12.1. Made with ``Proposal.of``, so that type and content agree."""

    proposal_type: Annotated[ProposalType, enum(ProposalType, uint16)]
    content: Annotated[
        ProposalContent,
        select("proposal_type", {tag: content.codec() for tag, content in _CONTENT.items()}),
    ]

    @classmethod
    def of(cls, content: ProposalContent) -> Proposal:
        """The proposal with this content."""
        return cls(_TYPE[type(content)], content)


def make_proposal_ref(suite: CipherSuite, authenticated_content: bytes) -> bytes:
    """MakeProposalRef (RFC 9420 Section 5.2) of the encoded AuthenticatedContent that carried the proposal."""
    return ref_hash(suite.kdf, "MLS 1.0 Proposal Reference", authenticated_content)
