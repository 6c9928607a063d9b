"""Proposals of types that the library does not make."""

from __future__ import annotations

from e2ee.mls.proposal import PRIVATE_USE, CustomProposal, Proposal

__all__ = ["custom_proposal"]


def custom_proposal(proposal_type: int, data: bytes) -> Proposal:
    """A proposal of any type, whose data is one ``opaque<V>``."""
    content = CustomProposal(PRIVATE_USE.start, data)
    object.__setattr__(content, "proposal_type", proposal_type)
    return Proposal(content)
