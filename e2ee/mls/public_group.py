"""PublicGroup: all of a group's state that needs no secret (RFC 9420 Sections 8.1, 8.2 and 12.4).

This is what a delivery service holds of a group, and the public half of what a member holds: both process a commit by
the same functions, and a member adds the steps that need its keys.

    who receives    verified = group.verify(message)              a delivery service; a member unprotects instead
                    staged = group.stage(verified, policy)        every rule that needs no secret; nothing has changed
                    group = group.merge(staged)                   the next epoch

    who commits     applied = group.apply(sender, proposals, policy)
                    the path, if any, is put into applied.tree
                    provisional = group.provisional_context(tree, applied.extensions)
                    context = group.context_after(provisional, wire_format, content, signature)
                    group = PublicGroup.at(context, tree, confirmation_tag)

A ``PublicGroup`` never changes; each of these gives a new one. Without secrets the confirmation tag cannot be checked:
a delivery service takes it from the commit as it is, a member checks it between ``stage`` and ``merge``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from e2ee.crypto.cipher_suite import CipherSuite, cipher_suite
from e2ee.mls.applied_proposals import AppliedProposals, apply_proposals
from e2ee.mls.commit import Commit
from e2ee.mls.content_authentication import VerifiedContent, member_leaf
from e2ee.mls.errors import Rule, UsageError, ValidationError
from e2ee.mls.extension import Extension, ExtensionType, find
from e2ee.mls.external_commit import apply_external_proposals, check_by_value
from e2ee.mls.framing import FramedContent, Sender, WireFormat
from e2ee.mls.group_context import GroupContext, ProtocolVersion
from e2ee.mls.group_context_extensions import check_external_senders
from e2ee.mls.group_info import GroupInfo, check_group_info_signature
from e2ee.mls.leaf_node import LeafNode, LeafNodeSource, check_leaf_signature
from e2ee.mls.leaf_node_validation import (
    ValidationPolicy,
    check_compatible,
    check_leaf_node,
    check_leaf_source,
    check_successor,
)
from e2ee.mls.proposal import Proposal, ReInit, make_proposal_ref
from e2ee.mls.proposal_list import SentProposal, check_path_present, resolve_proposals
from e2ee.mls.public_message import PublicMessage, verify_as_outsider
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.transcript_hash import confirmed_transcript_hash, interim_transcript_hash
from e2ee.mls.tree_hash import tree_hash
from e2ee.mls.tree_validation import check_joined_tree, check_together
from e2ee.mls.update_path import UpdatePath, merge_path

__all__ = ["PublicGroup", "StagedPublicCommit", "committer_leaf_index"]

LAST_EPOCH = (1 << 64) - 1
"""RFC 9420 Section 8.1: an epoch is a uint64."""


@dataclass(frozen=True, slots=True)
class StagedPublicCommit:
    """The next epoch as a commit makes it, not yet entered.

    ``before`` is the GroupContext of the epoch that the commit ends; ``committer`` is a leaf index in the new epoch;
    ``provisional_context`` is what path secrets are encrypted under; ``context`` is the new epoch's GroupContext;
    ``confirmation_tag`` is the commit's claim, checked by nobody yet.
    """

    before: GroupContext
    committer: int
    applied: AppliedProposals
    path: UpdatePath | None
    tree: RatchetTree
    provisional_context: GroupContext
    context: GroupContext
    confirmation_tag: bytes

    @property
    def external(self) -> bool:
        """Whether the committer joins, or comes back, by this commit."""
        return self.applied.kem_output is not None


@dataclass(frozen=True, slots=True)
class PublicGroup:
    """One epoch of a group.

    ``confirmation_tag`` is that of the commit which began the epoch: a member has checked it, an outsider cannot.
    ``proposals`` are those sent in this epoch, by ProposalRef; ``reinit`` is the proposal whose commit began the epoch and
    ended the group.
    """

    suite: CipherSuite
    tree: RatchetTree
    context: GroupContext
    confirmation_tag: bytes
    interim_transcript_hash: bytes
    proposals: Mapping[bytes, SentProposal] = field(default_factory=dict)
    reinit: ReInit | None = None

    @staticmethod
    def initial_context(
        tree: RatchetTree, group_id: bytes, extensions: tuple[Extension, ...]
    ) -> GroupContext:
        """The GroupContext of epoch 0 (RFC 9420 Section 11), with which the creator goes on to ``at``.

        Raises UsageError(DUPLICATE_EXTENSION).
        """
        context = GroupContext(
            version=ProtocolVersion.MLS10,
            cipher_suite=tree.suite.code_point,
            group_id=group_id,
            epoch=0,
            tree_hash=tree_hash(tree),
            confirmed_transcript_hash=b"",
            extensions=extensions,
        )
        context.encode()  # a context that cannot be sent, with an extension twice, begins no group
        return context

    @classmethod
    def at(cls, context: GroupContext, tree: RatchetTree, confirmation_tag: bytes) -> PublicGroup:
        """The group at the beginning of the epoch of ``context``, whose commit carried this tag."""
        confirmed = context.confirmed_transcript_hash
        interim = interim_transcript_hash(tree.suite.kdf, confirmed, confirmation_tag)
        return cls(tree.suite, tree, context, confirmation_tag, interim)

    @classmethod
    def from_group_info(
        cls, group_info: GroupInfo, policy: ValidationPolicy, ratchet_tree: bytes | None = None
    ) -> PublicGroup:
        """The group that a GroupInfo describes; ``ratchet_tree`` is the encoded tree if it came out of band.

        Raises UnsupportedCipherSuite, DecodeError, ValidationError, or what the application's judgement of credentials
        raises.
        """
        context = group_info.group_context
        if ratchet_tree is None:
            ratchet_tree = find(group_info.extensions, ExtensionType.RATCHET_TREE)
        if ratchet_tree is None:
            raise ValidationError(Rule.RATCHET_TREE_MISSING)
        tree = RatchetTree.decode(
            cipher_suite(context.cipher_suite), ratchet_tree, maximum_leaves=policy.maximum_leaves
        )
        check_group_info_signature(group_info, tree)
        check_joined_tree(tree, context, policy)
        check_external_senders(context.extensions, policy)
        return cls.at(context, tree, group_info.confirmation_tag)

    def verify(self, message: PublicMessage) -> VerifiedContent:
        """What somebody signed in this epoch. The membership tag is not checked: that takes a member's key."""
        return verify_as_outsider(self.tree, self.context, message)

    def with_proposal(self, verified: VerifiedContent, most: int | None = None) -> PublicGroup:
        """The group with a proposal of this epoch at hand, so that a commit can refer to it.

        ``most`` is how many of one sender are kept: the policy's ``maximum_proposals`` of what others send, None of what
        this client proposes itself. Raises ValidationError.
        """
        self._check_own(verified)
        if not isinstance(verified.content, Proposal):
            raise ValidationError(Rule.NOT_A_PROPOSAL)
        ref = make_proposal_ref(self.suite, verified.authenticated.encode())
        if most is not None and ref not in self.proposals:
            self._check_room(verified.sender, most)
        sent = SentProposal(verified.content, verified.sender)
        return replace(self, proposals={**self.proposals, ref: sent})

    def _check_room(self, sender: Sender, most: int) -> None:
        """Section 12.1 says to keep every proposal; nobody may fill the memory of the others with them."""
        if sum(sent.sender == sender for sent in self.proposals.values()) >= most:
            raise ValidationError(Rule.TOO_MANY_PROPOSALS, f"{most} of this sender are kept")

    def _check_own(self, verified: VerifiedContent) -> None:
        """What was verified is of this epoch, and the group goes on: a signature says nothing in another epoch."""
        if verified.context != self.context:
            raise UsageError(Rule.VERIFIED_ELSEWHERE)
        # "If the Commit included a ReInit proposal, the client MUST NOT use the group to send messages anymore."
        if self.reinit is not None:
            raise ValidationError(Rule.GROUP_REINITIALIZED)

    def stage(self, verified: VerifiedContent, policy: ValidationPolicy) -> StagedPublicCommit:
        """What the commit makes of this group, by all rules that need no secret. Raises ValidationError."""
        self._check_own(verified)
        commit, sender = verified.content, verified.sender
        if not isinstance(commit, Commit):
            raise ValidationError(Rule.NOT_A_COMMIT)
        if not sender.is_member:
            check_by_value(commit)
        proposals = resolve_proposals(commit, sender, self.proposals)
        check_path_present(commit, proposals)
        applied = self.apply(sender, proposals, policy)
        tree = self._with_path(sender, commit.path, applied, policy)
        check_together(tree)
        signed = verified.authenticated
        provisional = self.provisional_context(tree, applied.extensions)
        return StagedPublicCommit(
            before=self.context,
            committer=committer_leaf_index(sender, applied),
            applied=applied,
            path=commit.path,
            tree=tree,
            provisional_context=provisional,
            context=self.context_after(
                provisional, signed.wire_format, signed.content, signed.auth.signature
            ),
            confirmation_tag=signed.auth.confirmation_tag or b"",
        )

    def _with_path(
        self,
        sender: Sender,
        path: UpdatePath | None,
        applied: AppliedProposals,
        policy: ValidationPolicy,
    ) -> RatchetTree:
        if path is None:
            return applied.tree
        self.check_path_leaf(sender, path.leaf_node, applied, policy)
        committer = committer_leaf_index(sender, applied)
        return merge_path(applied.tree, committer, path, applied.added_leaves)

    def apply(
        self, sender: Sender, proposals: tuple[SentProposal, ...], policy: ValidationPolicy
    ) -> AppliedProposals:
        """The group as these proposals of one commit make it, before its path. Raises ValidationError."""
        if sender.is_member:
            return apply_proposals(self.tree, self.context, sender.leaf_index, proposals, policy)
        return apply_external_proposals(self.tree, self.context.extensions, proposals)

    def check_path_leaf(
        self,
        sender: Sender,
        leaf_node: LeafNode,
        applied: AppliedProposals,
        policy: ValidationPolicy,
    ) -> None:
        """RFC 9420 Section 12.4.2: "Validate the LeafNode as specified in Section 7.3". Raises ValidationError."""
        check_leaf_source(leaf_node, LeafNodeSource.COMMIT)
        check_leaf_node(self.suite, leaf_node, policy)
        check_compatible(self.suite, leaf_node, applied.extensions)
        committer = committer_leaf_index(sender, applied)
        check_leaf_signature(self.suite, leaf_node, self.context.group_id, committer)
        replaced = self._replaced_leaf(sender, applied)
        if replaced is None:
            policy.authentication.check(leaf_node.credential, leaf_node.signature_key)
        else:
            # "Verify that the encryption_key value in the LeafNode is different from the committer's current leaf
            # node." Section 12.2: "If a Remove proposal is present, then the LeafNode in the path field of the
            # external Commit MUST meet the same criteria as would the LeafNode in an Update for the removed leaf".
            check_successor(replaced, leaf_node, policy)

    def _replaced_leaf(self, sender: Sender, applied: AppliedProposals) -> LeafNode | None:
        """The committer's leaf until now: a member's own, or the one that a joiner takes back by a Remove."""
        if sender.is_member:
            return member_leaf(self.tree, sender.leaf_index)
        return self.tree.leaf(applied.removed[0]) if applied.removed else None

    def provisional_context(
        self, tree: RatchetTree, extensions: tuple[Extension, ...]
    ) -> GroupContext:
        """The next epoch's GroupContext with the old confirmed transcript hash (RFC 9420 Section 12.4.1).

        Raises ValidationError if there is none: a GroupInfo may claim any epoch.
        """
        if self.context.epoch == LAST_EPOCH:
            raise ValidationError(Rule.NO_NEXT_EPOCH, f"after {LAST_EPOCH}")
        return replace(
            self.context,
            epoch=self.context.epoch + 1,
            tree_hash=tree_hash(tree),
            extensions=extensions,
        )

    def context_after(
        self,
        provisional: GroupContext,
        wire_format: WireFormat,
        content: FramedContent,
        signature: bytes,
    ) -> GroupContext:
        """The next epoch's GroupContext, which confirms the signed commit."""
        confirmed = confirmed_transcript_hash(
            self.suite.kdf, self.interim_transcript_hash, wire_format, content, signature
        )
        return replace(provisional, confirmed_transcript_hash=confirmed)

    def merge(self, staged: StagedPublicCommit) -> PublicGroup:
        """The next epoch. Raises UsageError if ``staged`` was staged in another epoch or group."""
        if staged.before != self.context:
            raise UsageError(Rule.STAGED_ELSEWHERE)
        entered = PublicGroup.at(staged.context, staged.tree, staged.confirmation_tag)
        return replace(entered, reinit=staged.applied.reinit)


def committer_leaf_index(sender: Sender, applied: AppliedProposals) -> int:
    """Where the committer's leaf is in the new epoch: a joiner's was blank until then."""
    return sender.leaf_index if sender.is_member else applied.tree.with_room()[1]
