"""Proposal lists (RFC 9420 Section 12.2): which proposals one commit may hold together.

``check_list`` judges the list of a regular commit, each rule in a function that quotes it, before anything is applied.
What each proposal holds is checked where it is applied, in ``applied_proposals``; the list of an external commit in
``external_commit``. Who commits and everybody who processes the commit ask the same functions, so all judge alike.
Nothing here needs a secret.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.mls.capabilities import ProposalType
from e2ee.mls.commit import Commit
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.extension import Extension
from e2ee.mls.framing import Sender
from e2ee.mls.group_context import GroupContext
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.proposal import (
    Add,
    CustomProposal,
    ExternalInit,
    GroupContextExtensions,
    PreSharedKey,
    Proposal,
    ReInit,
    Remove,
    Update,
)
from e2ee.mls.psk import PreSharedKeyID, ResumptionPSKUsage
from e2ee.mls.ratchet_tree import RatchetTree

__all__ = [
    "ProposalList",
    "SentProposal",
    "check_list",
    "check_path_present",
    "check_psks",
    "check_removed",
    "path_required",
    "resolve_proposals",
]


@dataclass(frozen=True, slots=True)
class SentProposal:
    """A proposal and who sent it: of those that a commit holds by value, the committer."""

    proposal: Proposal
    sender: Sender


def resolve_proposals(
    commit: Commit, committer: Sender, sent: Mapping[bytes, SentProposal]
) -> tuple[SentProposal, ...]:
    """The proposals of a commit in their order; ``sent`` holds this epoch's by ProposalRef. Raises ValidationError."""
    return tuple(_resolve(item.value, committer, sent) for item in commit.proposals)


def _resolve(
    value: Proposal | bytes, committer: Sender, sent: Mapping[bytes, SentProposal]
) -> SentProposal:
    if isinstance(value, Proposal):
        return SentProposal(value, committer)
    if value not in sent:
        raise ValidationError(Rule.PROPOSAL_REFERENCE_UNKNOWN, value.hex())
    return sent[value]


_PATH_NOT_REQUIRED = {ProposalType.ADD, ProposalType.PSK, ProposalType.REINIT}
"""RFC 9420 Section 17.4, column "Path", without the types for which it is "Y"."""


def path_required(proposals: Iterable[SentProposal]) -> bool:
    """Whether a commit of these proposals must have an UpdatePath; the empty commit must."""
    types = {sent.proposal.proposal_type for sent in proposals}
    return not types or bool(types - _PATH_NOT_REQUIRED)


def check_path_present(commit: Commit, proposals: Iterable[SentProposal]) -> None:
    """A commit whose proposals ask for an UpdatePath has one. Raises ValidationError."""
    # "By default, the path field of a Commit MUST be populated. The path field MAY be omitted if (a) it covers at least
    # one proposal and (b) none of the proposals covered by the Commit are of "path required" types."
    if commit.path is None and path_required(proposals):
        raise ValidationError(Rule.PATH_MISSING)


@dataclass(frozen=True, slots=True)
class ProposalList:
    """The proposals of one commit by type, each type in the order of the commit."""

    updates: list[tuple[int, LeafNode]] = field(default_factory=list)
    """Each with the leaf index of its sender."""
    removes: list[int] = field(default_factory=list)
    adds: list[KeyPackage] = field(default_factory=list)
    extensions: list[tuple[Extension, ...]] = field(default_factory=list)
    psks: list[PreSharedKeyID] = field(default_factory=list)
    reinits: list[ReInit] = field(default_factory=list)
    external_inits: list[ExternalInit] = field(default_factory=list)
    customs: list[CustomProposal] = field(default_factory=list)

    @classmethod
    def of(cls, proposals: Iterable[SentProposal]) -> ProposalList:
        """Raises ValidationError(SENDER_NOT_A_MEMBER) for an Update of a sender who has no leaf."""
        found = cls()
        for sent in proposals:
            found._append(sent)
        return found

    def _append(self, sent: SentProposal) -> None:
        match sent.proposal.content:
            case Update(leaf_node):
                self.updates.append((sent.sender.leaf_index, leaf_node))
            case Remove(removed):
                self.removes.append(removed)
            case Add(key_package):
                self.adds.append(key_package)
            case GroupContextExtensions(extensions):
                self.extensions.append(extensions)
            case PreSharedKey(psk):
                self.psks.append(psk)
            case ReInit() as reinit:
                self.reinits.append(reinit)
            case ExternalInit() as external_init:
                self.external_inits.append(external_init)
            case CustomProposal() as custom:
                self.customs.append(custom)

    @property
    def count(self) -> int:
        """The number of all proposals."""
        return sum(len(getattr(self, name)) for name in self.__slots__)


def check_list(
    tree: RatchetTree, context: GroupContext, committer: int, proposals: ProposalList
) -> None:
    """The list of a regular commit by the member at ``committer``, in the epoch of ``context``. Raises ValidationError."""
    _check_no_external_init(proposals)
    _check_reinit(context, proposals)
    _check_committer(committer, proposals)
    _check_one_change_a_leaf(proposals)
    check_removed(tree, proposals.removes)
    _check_added_once(proposals)
    _check_not_in_group(tree, proposals)
    _check_one_extension_list(proposals)
    check_psks(tree.suite, proposals.psks, initial_commit=context.epoch == 0)
    _check_types_supported(tree, proposals)


def _check_no_external_init(proposals: ProposalList) -> None:
    # "It contains an ExternalInit proposal."
    if proposals.external_inits:
        raise ValidationError(Rule.EXTERNAL_INIT_BY_MEMBER)


def _check_reinit(context: GroupContext, proposals: ProposalList) -> None:
    # "It contains a ReInit proposal together with any other proposal."
    if proposals.reinits and proposals.count > 1:
        raise ValidationError(Rule.REINIT_NOT_ALONE)
    # Section 12.1.5: "A ReInit proposal is invalid if the version field is less than the version for the current
    # group."
    for reinit in proposals.reinits:
        if reinit.version < context.version:
            raise ValidationError(Rule.REINIT_VERSION_LOWER, f"{reinit.version:#06x}")


def _check_committer(committer: int, proposals: ProposalList) -> None:
    # "It contains an Update proposal generated by the committer."
    if any(leaf_index == committer for leaf_index, _ in proposals.updates):
        raise ValidationError(Rule.UPDATE_BY_COMMITTER)
    # "It contains a Remove proposal that removes the committer."
    if committer in proposals.removes:
        raise ValidationError(Rule.REMOVE_OF_COMMITTER)


def _check_one_change_a_leaf(proposals: ProposalList) -> None:
    # "It contains multiple Update and/or Remove proposals that apply to the same leaf."
    changed = Counter([*proposals.removes, *(leaf_index for leaf_index, _ in proposals.updates)])
    for leaf_index, times in changed.items():
        if times > 1:
            raise ValidationError(Rule.LEAF_CHANGED_TWICE, f"leaf {leaf_index}")


def check_removed(tree: RatchetTree, removes: Iterable[int]) -> None:
    """These leaves, which Remove proposals name, are members'. Raises ValidationError."""
    # Section 12.1.3: "A Remove proposal is invalid if the removed field does not identify a non-blank leaf node."
    for leaf_index in removes:
        if tree.leaf(leaf_index) is None:
            raise ValidationError(Rule.REMOVE_OF_BLANK_LEAF, f"leaf {leaf_index}")


def _check_added_once(proposals: ProposalList) -> None:
    # "It contains multiple Add proposals that contain KeyPackages that represent the same client according to the
    # application (for example, identical signature keys)."
    if len({added.leaf_node.signature_key for added in proposals.adds}) != len(proposals.adds):
        raise ValidationError(Rule.CLIENT_ADDED_TWICE)


def _check_not_in_group(tree: RatchetTree, proposals: ProposalList) -> None:
    # "It contains an Add proposal with a KeyPackage that represents a client already in the group according to the
    # application, unless there is a Remove proposal in the list removing the matching client from the group."
    leaving = {leaf.signature_key for leaf in map(tree.leaf, proposals.removes) if leaf}
    for added in proposals.adds:
        signature_key = added.leaf_node.signature_key
        if signature_key in tree.index.signature_keys and signature_key not in leaving:
            raise ValidationError(Rule.CLIENT_ALREADY_IN_GROUP, signature_key.hex())


def _check_one_extension_list(proposals: ProposalList) -> None:
    # "It contains multiple GroupContextExtensions proposals."
    if len(proposals.extensions) > 1:
        raise ValidationError(Rule.SEVERAL_GROUP_CONTEXT_EXTENSIONS)


def check_psks(
    suite: CipherSuite, psks: Sequence[PreSharedKeyID], *, initial_commit: bool = False
) -> None:
    """The PreSharedKey proposals of one commit. Raises ValidationError.

    ``initial_commit``: of epoch 0, in which the creator is alone. This is the one commit that reinitializes a group or
    branches from it, and nobody else ever processes it.
    """
    # Section 12.1.4: a PreSharedKey proposal is invalid if it "is not being processed as part of a reinitialization of
    # the group [...], and the PreSharedKeyID has psktype set to resumption and usage set to reinit", and likewise for
    # branch.
    if not initial_commit and any(psk.usage in _OF_INITIAL_COMMITS for psk in psks):
        raise ValidationError(Rule.PSK_USAGE)
    # "The psk_nonce is not of length KDF.Nh."
    if any(len(psk.psk_nonce) != suite.kdf.Nh for psk in psks):
        raise ValidationError(Rule.PSK_NONCE_LENGTH)
    # "It contains multiple PreSharedKey proposals that reference the same PreSharedKeyID."
    if len(set(psks)) != len(psks):
        raise ValidationError(Rule.PSK_TWICE)
    # Section 8.4: "the count field contains the total number of PSKs", and it is a uint16.
    if len(psks) > 0xFFFF:
        raise ValidationError(Rule.PSK_COUNT, f"{len(psks)}")


_OF_INITIAL_COMMITS = {ResumptionPSKUsage.REINIT, ResumptionPSKUsage.BRANCH}


def _check_types_supported(tree: RatchetTree, proposals: ProposalList) -> None:
    # "It contains a Proposal with a non-default proposal type that is not supported by some members of the group that
    # will process the Commit (i.e., members being added or removed by the Commit do not need to support the proposal
    # type)."
    types = {custom.proposal_type for custom in proposals.customs}
    for leaf_index, leaf_node in tree.members() if types else ():
        if leaf_index not in proposals.removes and not types.issubset(
            leaf_node.capabilities.proposals
        ):
            raise ValidationError(Rule.PROPOSAL_TYPE_NOT_SUPPORTED, f"leaf {leaf_index}")
