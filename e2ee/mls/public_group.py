"""PublicGroup: all of a group's state that needs no secret (RFC 9420 Sections 8.1, 8.2 and 12.4).

This is what a delivery service holds of a group, and the public half of what a member holds: both process a commit by
the same functions, and a member adds the steps that need its keys.

    who receives    verified = group.verify(message)              a delivery service; a member unprotects instead
                    staged = group.stage(verified, policy)        every rule that needs no secret; nothing has changed
                    group = group.merge(staged)                   the next epoch

    who commits     applied = group.apply(own_leaf_index, proposals, policy)
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
from e2ee.mls.commit import Commit
from e2ee.mls.errors import Rule, UsageError, ValidationError
from e2ee.mls.extension import Extension, ExtensionType, find
from e2ee.mls.framing import FramedContent, Sender, VerifiedContent, WireFormat, sender_leaf
from e2ee.mls.group_context import GroupContext, ProtocolVersion
from e2ee.mls.group_info import GroupInfo, check_group_info_signature
from e2ee.mls.leaf_node import LeafNode, LeafNodeSource, check_leaf_signature
from e2ee.mls.leaf_node_validation import (
    ValidationPolicy,
    check_compatible,
    check_leaf_node,
    check_leaf_source,
    check_successor,
)
from e2ee.mls.proposal import Proposal, make_proposal_ref
from e2ee.mls.proposal_list import (
    AppliedProposals,
    SentProposal,
    apply_proposals,
    check_external_senders,
    check_path_present,
    resolve_proposals,
)
from e2ee.mls.public_message import PublicMessage, verify_as_outsider
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.transcript_hash import confirmed_transcript_hash, interim_transcript_hash
from e2ee.mls.tree_hash import tree_hash
from e2ee.mls.tree_validation import check_joined_tree, check_together
from e2ee.mls.update_path import UpdatePath, merge_path

__all__ = ["PublicGroup", "StagedPublicCommit"]


@dataclass(frozen=True, slots=True)
class StagedPublicCommit:
    """The next epoch as a commit makes it, not yet entered.

    ``before`` is the GroupContext of the epoch that the commit ends; ``committer`` is a leaf index;
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


@dataclass(frozen=True, slots=True)
class PublicGroup:
    """One epoch of a group.

    ``confirmation_tag`` is that of the commit which began the epoch: a member has checked it, an outsider cannot.
    ``proposals`` are those sent in this epoch, by ProposalRef.
    """

    suite: CipherSuite
    tree: RatchetTree
    context: GroupContext
    confirmation_tag: bytes
    interim_transcript_hash: bytes
    proposals: Mapping[bytes, SentProposal] = field(default_factory=dict)

    @staticmethod
    def initial_context(
        tree: RatchetTree, group_id: bytes, extensions: tuple[Extension, ...]
    ) -> GroupContext:
        """The GroupContext of epoch 0 (RFC 9420 Section 11), with which the creator goes on to ``at``."""
        return GroupContext(
            version=ProtocolVersion.MLS10,
            cipher_suite=tree.suite.code_point,
            group_id=group_id,
            epoch=0,
            tree_hash=tree_hash(tree),
            confirmed_transcript_hash=b"",
            extensions=extensions,
        )

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
        """What a member of this epoch signed. The membership tag is not checked: that takes a member's key."""
        signer = sender_leaf(self.tree, message.content.sender)
        return verify_as_outsider(self.suite, self.context, message, signer.signature_key)

    def with_proposal(self, verified: VerifiedContent) -> PublicGroup:
        """The group with a proposal of this epoch at hand, so that a commit can refer to it."""
        self._check_own(verified)
        if not isinstance(verified.content, Proposal):
            raise ValidationError(Rule.NOT_A_PROPOSAL)
        ref = make_proposal_ref(self.suite, verified.authenticated.encode())
        sent = SentProposal(verified.content, verified.leaf_index)
        return replace(self, proposals={**self.proposals, ref: sent})

    def _check_own(self, verified: VerifiedContent) -> None:
        """A signature that was verified in one epoch says nothing in another."""
        if verified.context != self.context:
            raise UsageError(Rule.VERIFIED_ELSEWHERE)

    def stage(self, verified: VerifiedContent, policy: ValidationPolicy) -> StagedPublicCommit:
        """What the commit makes of this group, by all rules that need no secret. Raises ValidationError."""
        self._check_own(verified)
        commit, committer = verified.content, verified.leaf_index
        if not isinstance(commit, Commit):
            raise ValidationError(Rule.NOT_A_COMMIT)
        proposals = resolve_proposals(commit, committer, self.proposals)
        check_path_present(commit, proposals)
        applied = self.apply(committer, proposals, policy)
        tree = self._with_path(committer, commit.path, applied, policy)
        check_together(tree)
        signed = verified.authenticated
        provisional = self.provisional_context(tree, applied.extensions)
        return StagedPublicCommit(
            before=self.context,
            committer=committer,
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
        committer: int,
        path: UpdatePath | None,
        applied: AppliedProposals,
        policy: ValidationPolicy,
    ) -> RatchetTree:
        if path is None:
            return applied.tree
        self._check_path_leaf(committer, path.leaf_node, applied, policy)
        return merge_path(applied.tree, committer, path, applied.added_leaves)

    def apply(
        self, committer: int, proposals: tuple[SentProposal, ...], policy: ValidationPolicy
    ) -> AppliedProposals:
        """The group as these proposals of one commit make it, before its path. Raises ValidationError."""
        return apply_proposals(self.tree, self.context, committer, proposals, policy)

    def _check_path_leaf(
        self,
        committer: int,
        leaf_node: LeafNode,
        applied: AppliedProposals,
        policy: ValidationPolicy,
    ) -> None:
        """RFC 9420 Section 12.4.2: "Validate the LeafNode as specified in Section 7.3"."""
        old = sender_leaf(self.tree, Sender.member(committer))
        check_leaf_source(leaf_node, LeafNodeSource.COMMIT)
        check_leaf_node(self.suite, leaf_node, policy)
        check_compatible(self.suite, leaf_node, applied.extensions)
        check_leaf_signature(
            self.suite, leaf_node, leaf_node.encode(), self.context.group_id, committer
        )
        # "Verify that the encryption_key value in the LeafNode is different from the committer's current leaf node."
        check_successor(old, leaf_node, policy)

    def provisional_context(
        self, tree: RatchetTree, extensions: tuple[Extension, ...]
    ) -> GroupContext:
        """The next epoch's GroupContext with the old confirmed transcript hash (RFC 9420 Section 12.4.1)."""
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
        return PublicGroup.at(staged.context, staged.tree, staged.confirmation_tag)
