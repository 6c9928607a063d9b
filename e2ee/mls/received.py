"""What a member receives, verified: application data, a proposal, or a commit that can be merged.

No value of these types is made from anything that was not authenticated: ``processing`` and ``committing`` make staged
commits, ``group`` makes the others.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from e2ee.mls.applied_proposals import AddedMember
from e2ee.mls.epoch import Epoch
from e2ee.mls.extension import Extension
from e2ee.mls.framing import Sender
from e2ee.mls.group_context import GroupContext
from e2ee.mls.proposal import ProposalContent, ReInit
from e2ee.mls.proposal_list import SentProposal
from e2ee.mls.public_group import StagedPublicCommit

__all__ = ["ApplicationMessage", "ReceivedProposal", "StagedCommit"]


@dataclass(frozen=True, slots=True)
class ApplicationMessage:
    """Data from the member at leaf index ``sender``; ``generation`` counts that sender's messages in the epoch."""

    sender: int
    data: bytes = field(repr=False)
    authenticated_data: bytes
    generation: int


@dataclass(frozen=True, slots=True)
class ReceivedProposal:
    """A proposal from ``sender``, member or not; a commit names it by ``reference`` (its ProposalRef).

    Its sender is authentic; whether it may be committed is judged with the commit's whole list, and whether a stranger
    may propose it by the application, which otherwise discards it.
    """

    sender: Sender
    content: ProposalContent
    reference: bytes
    authenticated_data: bytes


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class StagedCommit:
    """A commit that passed every check of RFC 9420, with the epoch that it leads to; nothing has changed yet.

    ``next_epoch`` is None if the commit removes this member: then it holds no keys of the next epoch, and the
    confirmation tag is the one thing that it could not check.
    """

    public: StagedPublicCommit
    authenticated_data: bytes
    next_epoch: Epoch | None

    @property
    def committer(self) -> int:
        """The leaf index of who committed, in the next epoch."""
        return self.public.committer

    @property
    def external(self) -> bool:
        """Whether the committer joins by this commit, or comes back: then ``removed`` is its old leaf."""
        return self.public.external

    @property
    def proposals(self) -> tuple[SentProposal, ...]:
        """All that the commit does beside its path, in its order, each with its sender."""
        return self.public.applied.proposals

    @property
    def added(self) -> tuple[AddedMember, ...]:
        """The new members: leaf index and KeyPackage."""
        return self.public.applied.added

    @property
    def updated(self) -> tuple[int, ...]:
        """The leaf indices of members whose Update proposals are applied."""
        return self.public.applied.updated

    @property
    def removed(self) -> tuple[int, ...]:
        """The leaf indices of removed members, in the tree before the commit."""
        return self.public.applied.removed

    @property
    def reinit(self) -> ReInit | None:
        """The proposal that ends the group, if the commit is of one: whoever merges it waits for the next group's Welcome."""
        return self.public.applied.reinit

    @property
    def removes_own_leaf(self) -> bool:
        """Whether this member is out of the group; then there is nothing to merge."""
        return self.next_epoch is None

    @property
    def extensions(self) -> tuple[Extension, ...]:
        """The GroupContext extensions of the next epoch."""
        return self.public.applied.extensions

    @property
    def group_context(self) -> GroupContext:
        """That of the next epoch."""
        return self.public.context

    @property
    def epoch(self) -> int:
        """The next epoch's number."""
        return self.public.context.epoch
