"""Applying a proposal list (RFC 9420 Section 12.3): the tree and the extensions after the proposals of one commit.

``apply_proposals`` is called by who commits and by everybody who processes the commit. It first judges the list
(``proposal_list``), then applies the proposals in the order of the section, each checked by the rules of Section 12.1
where it is applied. It needs no secret and changes nothing: the result stands beside the old tree.

What the members do with PreSharedKey, ReInit and ExternalInit proposals is their affair, and what an application's own
proposals mean is the application's: here they are only handed on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from e2ee.mls.content_authentication import member_leaf
from e2ee.mls.extension import Extension
from e2ee.mls.group_context import GroupContext
from e2ee.mls.group_context_extensions import check_external_senders, check_members_support
from e2ee.mls.key_package import KeyPackage, check_key_package
from e2ee.mls.leaf_node import LeafNode, LeafNodeSource, check_leaf_signature
from e2ee.mls.leaf_node_validation import (
    ValidationPolicy,
    check_compatible,
    check_leaf_node,
    check_leaf_source,
    check_successor,
)
from e2ee.mls.proposal import ExternalInit, PreSharedKey, ProposalContent, ReInit
from e2ee.mls.proposal_list import ProposalList, SentProposal, check_list
from e2ee.mls.psk import PreSharedKeyID
from e2ee.mls.ratchet_tree import RatchetTree

__all__ = ["AddedMember", "AppliedProposals", "apply_proposals"]


@dataclass(frozen=True, slots=True)
class AddedMember:
    """Where a new member was put."""

    leaf_index: int
    key_package: KeyPackage


@dataclass(frozen=True, slots=True)
class AppliedProposals:
    """The group as the proposals make it, before the committer's path; ``updated`` and ``removed`` are leaf indices."""

    proposals: tuple[SentProposal, ...]
    tree: RatchetTree
    extensions: tuple[Extension, ...]
    updated: tuple[int, ...]
    removed: tuple[int, ...]
    added: tuple[AddedMember, ...]

    @property
    def added_leaves(self) -> frozenset[int]:
        """The leaf indices of the new members, to whom the path is not encrypted."""
        return frozenset(member.leaf_index for member in self.added)

    @property
    def _contents(self) -> Iterable[ProposalContent]:
        return (sent.proposal.content for sent in self.proposals)

    @property
    def psks(self) -> tuple[PreSharedKeyID, ...]:
        """The pre-shared keys that come into the key schedule, in the order of their proposals."""
        return tuple(content.psk for content in self._contents if isinstance(content, PreSharedKey))

    @property
    def kem_output(self) -> bytes | None:
        """That of the ExternalInit proposal: an external commit has one, a member's has none."""
        return next((c.kem_output for c in self._contents if isinstance(c, ExternalInit)), None)

    @property
    def reinit(self) -> ReInit | None:
        """The proposal that ends the group, if it is this one."""
        return next((c for c in self._contents if isinstance(c, ReInit)), None)


def apply_proposals(
    tree: RatchetTree,
    context: GroupContext,
    committer: int,
    proposals: tuple[SentProposal, ...],
    policy: ValidationPolicy,
) -> AppliedProposals:
    """The tree and the extensions after these proposals of a regular commit. Raises ValidationError.

    ``tree`` and ``context`` are of the epoch in which the member at ``committer`` commits.
    """
    changes = ProposalList.of(proposals)
    check_list(tree, context, committer, changes)
    # "The new extensions MUST be used when evaluating other proposals in this list."
    extensions = changes.extensions[0] if changes.extensions else context.extensions
    for leaf_index, leaf_node in changes.updates:
        _check_update(tree, context.group_id, leaf_index, leaf_node, extensions, policy)
        tree = tree.update(leaf_index, leaf_node)
    tree = tree.remove(*changes.removes)
    if changes.extensions:
        check_members_support(tree, extensions, committer)
        check_external_senders(extensions, policy)
    tree, added = _apply_adds(tree, changes.adds, extensions, policy)
    updated = tuple(leaf_index for leaf_index, _ in changes.updates)
    return AppliedProposals(proposals, tree, extensions, updated, tuple(changes.removes), added)


def _check_update(
    tree: RatchetTree,
    group_id: bytes,
    leaf_index: int,
    leaf_node: LeafNode,
    extensions: tuple[Extension, ...],
    policy: ValidationPolicy,
) -> None:
    # Section 12.1.2: "An Update proposal is invalid if the LeafNode is invalid for an Update proposal according to
    # Section 7.3."
    old = member_leaf(tree, leaf_index)
    check_leaf_source(leaf_node, LeafNodeSource.UPDATE)
    check_leaf_node(tree.suite, leaf_node, policy)
    check_compatible(tree.suite, leaf_node, extensions)
    check_leaf_signature(tree.suite, leaf_node, group_id, leaf_index)
    check_successor(old, leaf_node, policy)


def _apply_adds(
    tree: RatchetTree,
    key_packages: Sequence[KeyPackage],
    extensions: tuple[Extension, ...],
    policy: ValidationPolicy,
) -> tuple[RatchetTree, tuple[AddedMember, ...]]:
    for key_package in key_packages:
        # Section 12.1.1: "An Add proposal is invalid if the KeyPackage is invalid according to Section 10.1."
        check_key_package(tree.suite, key_package, policy)
        check_compatible(tree.suite, key_package.leaf_node, extensions)
    tree, leaf_indices = tree.add_all([added.leaf_node for added in key_packages])
    return tree, tuple(map(AddedMember, leaf_indices, key_packages))
