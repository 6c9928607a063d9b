"""An own commit as it is stored between its sending and its merging, for a client that ends in between.

A commit cannot be made a second time, and its committer cannot open it: who sent one and lost it is out of the group
once the delivery service has taken it. Stored are the messages, what the commit does, and the whole next epoch, which
is checked like a stored group and against the epoch that it follows. That the message leads to this epoch cannot be
checked: its ciphertext is for the others.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from e2ee.crypto.secret import Secret
from e2ee.mls.applied_proposals import AddedMember, AppliedProposals
from e2ee.mls.epoch import Epoch, MemberKeys
from e2ee.mls.errors import Rule, StorageError, UsageError
from e2ee.mls.group_context import GroupContext
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.message import MLSMessage
from e2ee.mls.public_group import PublicGroup, StagedPublicCommit
from e2ee.mls.received import StagedCommit
from e2ee.mls.stored_format import StoredKind, refused_as, unwrap, wrap
from e2ee.mls.stored_group import KeptEpoch, StoredGroup, StoredProposal, restore_tree
from e2ee.mls.update_path import UpdatePath
from e2ee.tls_syntax import Opaque, Struct, Uint32, optional, struct, uint32, vector

__all__ = ["CommitParts", "restore_commit", "store_commit"]

CommitParts = tuple[MLSMessage, MLSMessage | None, StagedCommit]
"""What a ``PendingCommit`` consists of: the commit, the Welcome, and what is to be merged."""


@struct
class StoredAddedMember(Struct):
    """A new member and its leaf."""

    leaf_index: Uint32
    key_package: KeyPackage


@struct
class StoredAppliedProposals(Struct):
    """What the commit does beside its path; ``ratchet_tree`` is the tree before the path."""

    proposals: Annotated[tuple[StoredProposal, ...], vector(StoredProposal.codec())]
    ratchet_tree: Opaque
    updated: Annotated[tuple[int, ...], vector(uint32)]
    removed: Annotated[tuple[int, ...], vector(uint32)]
    added: Annotated[tuple[StoredAddedMember, ...], vector(StoredAddedMember.codec())]

    @classmethod
    def of(cls, applied: AppliedProposals) -> StoredAppliedProposals:
        """What is stored of ``applied``."""
        return cls(
            tuple(map(StoredProposal.of, applied.proposals)),
            applied.tree.encode(),
            applied.updated,
            applied.removed,
            tuple(StoredAddedMember(new.leaf_index, new.key_package) for new in applied.added),
        )

    def restore(self, after: PublicGroup) -> AppliedProposals:
        """The proposals as they were applied; ``after`` is the epoch that they lead to. Raises StorageError."""
        return AppliedProposals(
            tuple(stored.restore() for stored in self.proposals),
            restore_tree(after.suite, self.ratchet_tree),
            after.context.extensions,
            self.updated,
            self.removed,
            tuple(AddedMember(new.leaf_index, new.key_package) for new in self.added),
        )


@struct
class StoredPendingCommit(Struct):
    """See the module. ``before`` is the GroupContext of the epoch that the commit ends."""

    before: GroupContext
    message: MLSMessage
    welcome: Annotated[MLSMessage | None, optional(MLSMessage.codec())]
    authenticated_data: Opaque
    applied: StoredAppliedProposals
    path: Annotated[UpdatePath | None, optional(UpdatePath.codec())]
    next_epoch: StoredGroup

    def restore(self, group: PublicGroup, keys: MemberKeys) -> CommitParts:
        """The commit of the member with these keys. Raises StorageError, UsageError(STAGED_ELSEWHERE)."""
        if self.before != group.context:
            raise UsageError(Rule.STAGED_ELSEWHERE)
        epoch = _epoch(self.next_epoch.restore())
        after, provisional = epoch.public, _provisional(group, epoch.public)
        if epoch.keys.leaf_index != keys.leaf_index:
            raise StorageError(
                Rule.STORED_COMMIT, f"leaf {epoch.keys.leaf_index} is not the own one"
            )
        staged = StagedPublicCommit(
            before=group.context,
            committer=keys.leaf_index,
            applied=self.applied.restore(after),
            path=self.path,
            tree=after.tree,
            provisional_context=provisional,
            context=after.context,
            confirmation_tag=after.confirmation_tag,
        )
        return self.message, self.welcome, StagedCommit(staged, self.authenticated_data, epoch)


def _epoch(state: KeptEpoch) -> Epoch:
    if state.keys is None or state.exporter_secret is None:
        raise StorageError(Rule.STORED_COMMIT, "the next epoch has no keys")
    return Epoch(
        state.public,
        state.keys,
        state.protection,
        state.exporter_secret,
        state.epoch_authenticator,
    )


def _provisional(group: PublicGroup, after: PublicGroup) -> GroupContext:
    """The provisional GroupContext of a commit in ``group`` that leads to ``after``."""
    provisional = group.provisional_context(after.tree, after.context.extensions)
    confirmed = after.context.confirmed_transcript_hash
    if replace(provisional, confirmed_transcript_hash=confirmed) != after.context:
        raise StorageError(Rule.STORED_COMMIT, "it does not lead from this epoch to the next")
    return provisional


def store_commit(message: MLSMessage, welcome: MLSMessage | None, staged: StagedCommit) -> Secret:
    """The bytes of an own commit."""
    public, epoch = staged.public, staged.next_epoch
    if epoch is None:
        raise UsageError(Rule.REMOVED_FROM_GROUP)
    stored = StoredPendingCommit(
        public.before,
        message,
        welcome,
        staged.authenticated_data,
        StoredAppliedProposals.of(public.applied),
        public.path,
        StoredGroup.of(epoch),
    )
    return wrap(StoredKind.PENDING_COMMIT, stored.encode())


def restore_commit(stored: bytes, group: PublicGroup, keys: MemberKeys) -> CommitParts:
    """The own commit of these bytes. Raises StorageError, UsageError(STAGED_ELSEWHERE)."""
    body = unwrap(StoredKind.PENDING_COMMIT, stored)
    with refused_as(Rule.STORED_MALFORMED):
        decoded = StoredPendingCommit.decode(body)
    return decoded.restore(group, keys)
