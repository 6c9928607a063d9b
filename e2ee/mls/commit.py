"""Commit (RFC 9420 Section 12.4): the proposals that begin a new epoch, and the committer's new keys."""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated

from e2ee.mls.proposal import Proposal
from e2ee.mls.update_path import UpdatePath
from e2ee.tls_syntax import Struct, enum, opaque, optional, select, struct, uint8, vector

__all__ = ["MAX_PROPOSALS", "Commit", "ProposalOrRef", "ProposalOrRefType"]


MAX_PROPOSALS = 1 << 12
"""Of a commit: more are nobody's, and 500,000 empty references would be seconds to read."""


class ProposalOrRefType(IntEnum):
    """Whether a commit carries a proposal itself or names one that was sent before."""

    PROPOSAL = 1
    REFERENCE = 2


@struct
class ProposalOrRef(Struct):
    """RFC 9420 Section 12.4. ``value`` is the proposal, or the ProposalRef of one sent in this epoch."""

    type: Annotated[ProposalOrRefType, enum(ProposalOrRefType, uint8)]
    value: Annotated[
        Proposal | bytes,
        select(
            "type",
            {
                ProposalOrRefType.PROPOSAL: Proposal.codec(),
                ProposalOrRefType.REFERENCE: opaque,
            },
        ),
    ]

    @classmethod
    def by_value(cls, proposal: Proposal) -> ProposalOrRef:
        """The proposal itself."""
        return cls(ProposalOrRefType.PROPOSAL, proposal)

    @classmethod
    def by_reference(cls, proposal_ref: bytes) -> ProposalOrRef:
        """The ProposalRef of a proposal that was sent in this epoch."""
        return cls(ProposalOrRefType.REFERENCE, proposal_ref)


@struct
class Commit(Struct):
    """RFC 9420 Section 12.4."""

    proposals: Annotated[
        tuple[ProposalOrRef, ...], vector(ProposalOrRef.codec(), most=MAX_PROPOSALS)
    ]
    path: Annotated[UpdatePath | None, optional(UpdatePath.codec())]
