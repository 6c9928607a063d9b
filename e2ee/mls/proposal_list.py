"""Proposal lists (RFC 9420 Sections 12.2 and 12.3): what one commit may change, and the tree after it.

``apply_proposals`` is called by who commits and by everybody who processes the commit, so both judge alike. It first
checks the list, each rule in a function that quotes it, then applies the proposals in the order of Section 12.3, each
checked where it is applied. It needs no secret and changes nothing: the result stands beside the old tree.

Add, Update, Remove and GroupContextExtensions are applied, and PreSharedKey, whose secrets are the members' affair.
ReInit is refused as unsupported here. There are no external commits, and with them no ExternalInit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from e2ee.mls.capabilities import ProposalType, required_capabilities
from e2ee.mls.commit import Commit
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.extension import Extension, ExtensionType, external_senders, find
from e2ee.mls.group_context import GroupContext
from e2ee.mls.key_package import KeyPackage, check_key_package
from e2ee.mls.leaf_node import LeafNode, LeafNodeSource, check_leaf_signature
from e2ee.mls.leaf_node_validation import (
    ValidationPolicy,
    check_compatible,
    check_leaf_node,
    check_leaf_source,
    check_successor,
)
from e2ee.mls.proposal import (
    Add,
    GroupContextExtensions,
    PreSharedKey,
    Proposal,
    Remove,
    Update,
)
from e2ee.mls.psk import PreSharedKeyID
from e2ee.mls.ratchet_tree import RatchetTree

__all__ = [
    "AddedMember",
    "AppliedProposals",
    "SentProposal",
    "apply_proposals",
    "check_external_senders",
    "check_path_present",
    "resolve_proposals",
]


@dataclass(frozen=True, slots=True)
class SentProposal:
    """A proposal and the leaf index of the member who sent it; the committer sent those that a commit holds by value."""

    proposal: Proposal
    sender: int


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
    def psks(self) -> tuple[PreSharedKeyID, ...]:
        """The pre-shared keys that come into the key schedule, in the order of their proposals."""
        contents = (sent.proposal.content for sent in self.proposals)
        return tuple(content.psk for content in contents if isinstance(content, PreSharedKey))


def resolve_proposals(
    commit: Commit, committer: int, sent: Mapping[bytes, SentProposal]
) -> tuple[SentProposal, ...]:
    """The proposals of a commit in their order; ``sent`` holds this epoch's by ProposalRef. Raises ValidationError."""
    return tuple(_resolve(item.value, committer, sent) for item in commit.proposals)


def _resolve(
    value: Proposal | bytes, committer: int, sent: Mapping[bytes, SentProposal]
) -> SentProposal:
    if isinstance(value, Proposal):
        return SentProposal(value, committer)
    if value not in sent:
        raise ValidationError(Rule.PROPOSAL_REFERENCE_UNKNOWN, value.hex())
    return sent[value]


_PATH_REQUIRED = {
    ProposalType.UPDATE,
    ProposalType.REMOVE,
    ProposalType.EXTERNAL_INIT,
    ProposalType.GROUP_CONTEXT_EXTENSIONS,
}


def check_path_present(commit: Commit, proposals: Iterable[SentProposal]) -> None:
    """A commit whose proposals ask for an UpdatePath has one. Raises ValidationError."""
    # "The path field MAY be omitted if (a) it covers at least one proposal and (b) none of the proposals covered by the
    # Commit are of "path required" types."
    types = {sent.proposal.proposal_type for sent in proposals}
    if commit.path is None and (not types or types & _PATH_REQUIRED):
        raise ValidationError(Rule.PATH_MISSING)


@dataclass(frozen=True, slots=True)
class _Changes:
    """A proposal list by type, in the list's order."""

    updates: list[tuple[int, LeafNode]]
    removes: list[int]
    adds: list[KeyPackage]
    extensions: list[tuple[Extension, ...]]
    psks: list[PreSharedKeyID]


def _sort(proposals: Iterable[SentProposal]) -> _Changes:
    changes = _Changes([], [], [], [], [])
    for sent in proposals:
        match sent.proposal.content:
            case Update(leaf_node):
                changes.updates.append((sent.sender, leaf_node))
            case Remove(removed):
                changes.removes.append(removed)
            case Add(key_package):
                changes.adds.append(key_package)
            case GroupContextExtensions(extensions):
                changes.extensions.append(extensions)
            case PreSharedKey(psk):
                changes.psks.append(psk)
            case _:
                _refuse(sent.proposal)
    return changes


def _refuse(proposal: Proposal) -> None:
    # "It contains an ExternalInit proposal."
    if proposal.proposal_type == ProposalType.EXTERNAL_INIT:
        raise ValidationError(Rule.EXTERNAL_INIT_BY_MEMBER)
    raise ValidationError(Rule.PROPOSAL_UNSUPPORTED_HERE, proposal.proposal_type.name.lower())


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
    changes = _sort(proposals)
    _check_list(tree, committer, changes)
    # "The new extensions MUST be used when evaluating other proposals in this list."
    extensions = changes.extensions[0] if changes.extensions else context.extensions
    for leaf_index, leaf_node in changes.updates:
        _check_update(tree, context.group_id, leaf_index, leaf_node, extensions, policy)
        tree = tree.update(leaf_index, leaf_node)
    for leaf_index in changes.removes:
        tree = tree.remove(leaf_index)
    if changes.extensions:
        _check_extensions(tree, extensions, policy)
    tree, added = _apply_adds(tree, changes.adds, extensions, policy)
    updated = tuple(leaf_index for leaf_index, _ in changes.updates)
    return AppliedProposals(proposals, tree, extensions, updated, tuple(changes.removes), added)


def _check_list(tree: RatchetTree, committer: int, changes: _Changes) -> None:
    """The rules of Section 12.2 about the list as a whole."""
    _check_committer(committer, changes)
    _check_one_change_a_leaf(changes)
    _check_removed(tree, changes)
    _check_added_once(changes)
    _check_not_in_group(tree, changes)
    _check_one_extension_list(changes)
    _check_psks(tree, changes)


def _apply_adds(
    tree: RatchetTree,
    key_packages: Iterable[KeyPackage],
    extensions: tuple[Extension, ...],
    policy: ValidationPolicy,
) -> tuple[RatchetTree, tuple[AddedMember, ...]]:
    added = []
    for key_package in key_packages:
        # Section 12.1.1: "An Add proposal is invalid if the KeyPackage is invalid according to Section 10.1."
        check_key_package(tree.suite, key_package, policy)
        check_compatible(tree.suite, key_package.leaf_node, extensions)
        tree, leaf_index = tree.add(key_package.leaf_node)
        added.append(AddedMember(leaf_index, key_package))
    return tree, tuple(added)


def _check_committer(committer: int, changes: _Changes) -> None:
    # "It contains an Update proposal generated by the committer."
    if any(leaf_index == committer for leaf_index, _ in changes.updates):
        raise ValidationError(Rule.UPDATE_BY_COMMITTER)
    # "It contains a Remove proposal that removes the committer."
    if committer in changes.removes:
        raise ValidationError(Rule.REMOVE_OF_COMMITTER)


def _check_one_change_a_leaf(changes: _Changes) -> None:
    # "It contains multiple Update and/or Remove proposals that apply to the same leaf."
    changed = Counter([*changes.removes, *(leaf_index for leaf_index, _ in changes.updates)])
    for leaf_index, times in changed.items():
        if times > 1:
            raise ValidationError(Rule.LEAF_CHANGED_TWICE, f"leaf {leaf_index}")


def _check_removed(tree: RatchetTree, changes: _Changes) -> None:
    # Section 12.1.3: "A Remove proposal is invalid if the removed field does not identify a non-blank leaf node."
    for leaf_index in changes.removes:
        if tree.leaf(leaf_index) is None:
            raise ValidationError(Rule.REMOVE_OF_BLANK_LEAF, f"leaf {leaf_index}")


def _check_added_once(changes: _Changes) -> None:
    # "It contains multiple Add proposals that contain KeyPackages that represent the same client according to the
    # application (for example, identical signature keys)."
    if len({added.leaf_node.signature_key for added in changes.adds}) != len(changes.adds):
        raise ValidationError(Rule.CLIENT_ADDED_TWICE)


def _check_not_in_group(tree: RatchetTree, changes: _Changes) -> None:
    # "It contains an Add proposal with a KeyPackage that represents a client already in the group according to the
    # application, unless there is a Remove proposal in the list removing the matching client from the group."
    added = {key_package.leaf_node.signature_key for key_package in changes.adds}
    for leaf_index, leaf_node in tree.members() if added else ():
        if leaf_node.signature_key in added and leaf_index not in changes.removes:
            raise ValidationError(Rule.CLIENT_ALREADY_IN_GROUP, f"leaf {leaf_index}")


def _check_one_extension_list(changes: _Changes) -> None:
    # "It contains multiple GroupContextExtensions proposals."
    if len(changes.extensions) > 1:
        raise ValidationError(Rule.SEVERAL_GROUP_CONTEXT_EXTENSIONS)


def _check_psks(tree: RatchetTree, changes: _Changes) -> None:
    # Section 12.1.4: a PreSharedKey proposal is invalid if it "is not being processed as part of a reinitialization of
    # the group [...], and the PreSharedKeyID has psktype set to resumption and usage set to reinit", and likewise for
    # branch.
    if not all(psk.brings_a_key_into_a_living_group for psk in changes.psks):
        raise ValidationError(Rule.PSK_USAGE)
    # "The psk_nonce is not of length KDF.Nh."
    if any(len(psk.psk_nonce) != tree.suite.kdf.Nh for psk in changes.psks):
        raise ValidationError(Rule.PSK_NONCE_LENGTH)
    # "It contains multiple PreSharedKey proposals that reference the same PreSharedKeyID."
    if len(set(changes.psks)) != len(changes.psks):
        raise ValidationError(Rule.PSK_TWICE)


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
    old = tree.leaf(leaf_index)
    if old is None:
        raise ValidationError(Rule.SENDER_NOT_A_MEMBER, f"leaf {leaf_index}")
    check_leaf_source(leaf_node, LeafNodeSource.UPDATE)
    check_leaf_node(tree.suite, leaf_node, policy)
    check_compatible(tree.suite, leaf_node, extensions)
    check_leaf_signature(tree.suite, leaf_node, leaf_node.encode(), group_id, leaf_index)
    check_successor(old, leaf_node, policy)


def _check_extensions(
    tree: RatchetTree, extensions: tuple[Extension, ...], policy: ValidationPolicy
) -> None:
    """New GroupContext extensions, against the members who stay; those who are added are checked by their Adds."""
    required = required_capabilities(extensions)
    for leaf_index, leaf_node in tree.members():
        # Section 12.1.7: "A GroupContextExtensions proposal is invalid if it includes a required_capabilities extension
        # and some members of the group do not support some of the required capabilities (including those added in the
        # same Commit, and excluding those removed)."
        if not leaf_node.capabilities.meet(required):
            raise ValidationError(Rule.MEMBER_LACKS_REQUIRED_CAPABILITY, f"leaf {leaf_index}")
        # Section 13.4: "an extension in use by the group MUST be supported by all members of the group."
        types = (extension.extension_type for extension in extensions)
        if not all(map(leaf_node.capabilities.supports_extension, types)):
            raise ValidationError(Rule.MEMBER_LACKS_GROUP_EXTENSION, f"leaf {leaf_index}")
    check_external_senders(extensions, policy)


def check_external_senders(extensions: tuple[Extension, ...], policy: ValidationPolicy) -> None:
    """Everybody who may send from outside is accepted by the application."""
    # Section 5.3.1: credentials are validated "When an external_senders extension is added to the group" and "When an
    # existing external_senders extension is updated".
    senders = find(extensions, ExtensionType.EXTERNAL_SENDERS)
    for sender in external_senders.decode(senders) if senders is not None else ():
        policy.authentication.check(sender.credential, sender.signature_key)
