"""Proposals (RFC 9420 Section 12.1): requests for one change to a group.

All proposals of the RFC are read and written. Which of them may stand together in a commit is decided in
``proposal_list``.

A proposal has no length of its own, so the types that a reader knows decide what it can read at all. Two cases:

    private use range        an application's own proposal: ``CustomProposal``, whose data is one ``opaque<V>``, which is
                             how mls-rs and OpenMLS write theirs too; the application says what it means
    any other unknown type   does not decode. "Proposals with a non-default proposal type MUST NOT be included in a
                             commit unless the proposal type is supported by all the members of the group that will
                             process the Commit" (Section 13.2), and this client is such a member.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.errors import DecodeError
from e2ee.mls.capabilities import ProposalType
from e2ee.mls.errors import Rule, UsageError
from e2ee.mls.extension import Extensions
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.labels import ref_hash
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.psk import PreSharedKeyID
from e2ee.tls_syntax import (
    Codec,
    EncodeError,
    EncodeReason,
    Opaque,
    Reader,
    Struct,
    Uint16,
    Uint32,
    opaque,
    struct,
    uint16,
)

__all__ = [
    "PRIVATE_USE",
    "Add",
    "CustomProposal",
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


PRIVATE_USE = range(0xF000, 0x10000)
"""RFC 9420 Section 17.4: the proposal types that applications define among themselves."""


@dataclass(frozen=True, slots=True)
class CustomProposal:
    """A proposal that the application defined: its type is of ``PRIVATE_USE``, its data is the application's.

    It changes nothing of the group by itself. All members must list its type in their capabilities, and a commit of it
    has a path. Raises UsageError(CUSTOM_PROPOSAL_TYPE) for any other type.
    """

    proposal_type: int
    data: bytes

    def __post_init__(self) -> None:
        if self.proposal_type not in PRIVATE_USE:
            raise UsageError(Rule.CUSTOM_PROPOSAL_TYPE, f"{self.proposal_type:#06x}")


ProposalContent = (
    Add
    | Update
    | Remove
    | PreSharedKey
    | ReInit
    | ExternalInit
    | GroupContextExtensions
    | CustomProposal
)

_CONTENT: dict[int, type[Struct]] = {
    ProposalType.ADD: Add,
    ProposalType.UPDATE: Update,
    ProposalType.REMOVE: Remove,
    ProposalType.PSK: PreSharedKey,
    ProposalType.REINIT: ReInit,
    ProposalType.EXTERNAL_INIT: ExternalInit,
    ProposalType.GROUP_CONTEXT_EXTENSIONS: GroupContextExtensions,
}
_TYPE = {content: proposal_type for proposal_type, content in _CONTENT.items()}


def _read(reader: Reader) -> ProposalContent:
    proposal_type = uint16.read(reader)
    if proposal_type in _CONTENT:
        content: ProposalContent = _CONTENT[proposal_type].codec().read(reader)  # type: ignore[assignment]
        return content
    if proposal_type in PRIVATE_USE:
        return CustomProposal(proposal_type, opaque.read(reader))
    raise DecodeError(Rule.PROPOSAL_TYPE_UNKNOWN, f"{proposal_type:#06x}")


def _write(content: ProposalContent, out: bytearray) -> None:
    if isinstance(content, CustomProposal):
        uint16.write(content.proposal_type, out)
        opaque.write(content.data, out)
        return
    proposal_type = _TYPE.get(type(content))
    if proposal_type is None:
        raise EncodeError(EncodeReason.WRONG_TYPE, f"{type(content).__name__} is no proposal")
    uint16.write(proposal_type, out)
    _CONTENT[proposal_type].codec().write(content, out)


_depth = max(content.codec().depth for content in _CONTENT.values())


@struct
class Proposal(Struct):
    """RFC 9420 Section 12.1: ``proposal_type``, which follows from the content, and the content."""

    content: Annotated[ProposalContent, Codec(_read, _write, uint16.min_size, _depth)]

    @property
    def proposal_type(self) -> int:
        """A ``ProposalType``, or the type of a custom proposal."""
        content = self.content
        return (
            content.proposal_type if isinstance(content, CustomProposal) else _TYPE[type(content)]
        )


def make_proposal_ref(suite: CipherSuite, authenticated_content: bytes) -> bytes:
    """MakeProposalRef (RFC 9420 Section 5.2) of the encoded AuthenticatedContent that carried the proposal."""
    return ref_hash(suite.kdf, "MLS 1.0 Proposal Reference", authenticated_content)
