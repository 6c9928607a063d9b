"""Creating a commit (RFC 9420 Section 12.4.1): what a member and a client that joins from outside do alike.

    proposals --apply--> tree --own path--> tree --sign--> transcript --key schedule--> confirmation tag, next epoch

A ``Committer`` is either of them: ``committing`` makes one of a member, ``external_joining`` of a joiner. Only what
differs stands there: how the signed commit is wrapped, and who is told of it. Nothing here changes anything: "The
generation of Commit messages MUST NOT modify a client's state" (Section 14).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from e2ee.crypto.entropy import Entropy
from e2ee.crypto.kem import KeyPair
from e2ee.crypto.secret import Secret
from e2ee.mls.applied_proposals import AppliedProposals
from e2ee.mls.commit import Commit, ProposalOrRef
from e2ee.mls.content_authentication import authenticate
from e2ee.mls.epoch import Epoch
from e2ee.mls.framing import AuthenticatedContent, FramedContent, Sender, WireFormat
from e2ee.mls.group_context import GroupContext
from e2ee.mls.key_schedule import (
    EpochSecrets,
    derive_epoch_secret,
    derive_joiner_secret,
    derive_welcome_secret,
    psk_secret_of,
    zero_secret,
)
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.leaf_node_validation import ValidationPolicy
from e2ee.mls.proposal_list import path_required, resolve_proposals
from e2ee.mls.psk import PskName
from e2ee.mls.public_group import PublicGroup, StagedPublicCommit, committer_leaf_index
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.received import StagedCommit
from e2ee.mls.transcript_hash import confirmation_tag
from e2ee.mls.tree_math import leaf_to_node
from e2ee.mls.tree_private_keys import TreePrivateKeys
from e2ee.mls.tree_validation import check_together
from e2ee.mls.treekem import OwnPath, seal_path, update_direct_path

__all__ = ["CommitPlan", "CommitRequest", "Committer", "CreatedCommit", "create"]


@dataclass(frozen=True, slots=True, repr=False)
class CommitRequest:
    """What a caller wants committed. ``psks`` are all PSKs that the application has.

    Without ``update_path`` there is a path where RFC 9420 asks for one, else none.
    """

    proposals: tuple[ProposalOrRef, ...]
    authenticated_data: bytes
    wire_format: WireFormat
    psks: Mapping[PskName, Secret]
    update_path: bool = True


@dataclass(frozen=True, slots=True, repr=False)
class Committer:
    """Who commits: a member with its state, or a joiner, which has none yet but its leaf and a fresh ``init_secret``."""

    sender: Sender
    signature_private_key: Secret
    init_secret: Secret
    key_pairs: Mapping[int, KeyPair]
    joiner: LeafNode | None = None


@dataclass(frozen=True, slots=True, repr=False)
class CommitPlan:
    """The commit, and what it makes of the tree. ``leaf_index`` is the committer's in the new ``tree``."""

    applied: AppliedProposals
    leaf_index: int
    path: OwnPath | None
    tree: RatchetTree
    provisional: GroupContext
    commit: Commit

    @property
    def commit_secret(self) -> Secret:
        """That of the path."""
        # "If not populating the path field: [...] Define commit_secret as the all-zero vector of length KDF.Nh"
        return self.path.secrets.commit_secret if self.path else zero_secret(self.tree.suite.kdf)

    @property
    def new_key_pairs(self) -> Mapping[int, KeyPair]:
        """The committer's, by node index: of its leaf, and of what is above it."""
        if self.path is None:
            return {}
        leaf = {leaf_to_node(self.leaf_index): self.path.leaf_key_pair}
        return leaf | self.path.secrets.key_pairs


@dataclass(frozen=True, slots=True, repr=False)
class CreatedCommit:
    """A signed commit with its confirmation tag, the secrets for a Welcome, and the epoch that it leads to."""

    authenticated: AuthenticatedContent
    plan: CommitPlan
    joiner_secret: Secret
    welcome_secret: Secret
    epoch: Epoch
    staged: StagedCommit


def create(
    group: PublicGroup,
    committer: Committer,
    request: CommitRequest,
    policy: ValidationPolicy,
    entropy: Entropy,
) -> CreatedCommit:
    """A commit of ``committer`` in the epoch of ``group``. Raises ValidationError if the proposals are not valid."""
    plan = _plan(group, committer, request, policy, entropy)
    signed = _sign(group, committer, request, plan.commit)
    context = group.context_after(
        plan.provisional, signed.wire_format, signed.content, signed.auth.signature
    )
    secrets = _derive(group, committer, plan, context, request.psks)
    staged = _staged(group, plan, context, secrets)
    epoch = _next_epoch(group, committer, plan, staged, secrets)
    confirmed = replace(signed.auth, confirmation_tag=secrets.confirmation_tag)
    return CreatedCommit(
        replace(signed, auth=confirmed),
        plan,
        secrets.joiner_secret,
        secrets.welcome_secret,
        epoch,
        StagedCommit(staged, request.authenticated_data, epoch),
    )


def _plan(
    group: PublicGroup,
    committer: Committer,
    request: CommitRequest,
    policy: ValidationPolicy,
    entropy: Entropy,
) -> CommitPlan:
    sender = committer.sender
    proposals = resolve_proposals(Commit(request.proposals, path=None), sender, group.proposals)
    applied = group.apply(sender, proposals, policy)
    leaf_index = committer_leaf_index(sender, applied)
    path = None
    # "If the path field is required based on the proposals that are in the Commit (see above), then it MUST be
    # populated. Otherwise, the sender MAY omit the path field at its discretion."
    if request.update_path or path_required(proposals):
        path = _path(group, committer, applied, policy, entropy)
    tree = path.tree if path else applied.tree
    check_together(tree)
    provisional = group.provisional_context(tree, applied.extensions)
    # "using the provisional group context as the context for HPKE encryption."
    added = applied.added_leaves
    sealed = seal_path(path, provisional.encode(), added, entropy) if path else None
    commit = Commit(request.proposals, sealed)
    return CommitPlan(applied, leaf_index, path, tree, provisional, commit)


def _path(
    group: PublicGroup,
    committer: Committer,
    applied: AppliedProposals,
    policy: ValidationPolicy,
    entropy: Entropy,
) -> OwnPath:
    path = update_direct_path(
        applied.tree,
        committer_leaf_index(committer.sender, applied),
        committer.signature_private_key,
        group.context.group_id,
        entropy,
        committer.joiner,
    )
    if committer.joiner is not None:  # a member's leaf was judged when it came into the group
        group.check_path_leaf(committer.sender, path.leaf_node, applied, policy)
    return path


def _sign(
    group: PublicGroup, committer: Committer, request: CommitRequest, commit: Commit
) -> AuthenticatedContent:
    # "Sign the FramedContent using the old GroupContext as context."
    context, data = group.context, request.authenticated_data
    content = FramedContent.of(context, committer.sender, commit, data)
    private_key = committer.signature_private_key
    return authenticate(group.suite, context, request.wire_format, content, private_key)


@dataclass(frozen=True, slots=True, repr=False)
class _NewSecrets:
    """The key schedule of the next epoch, as far as its committer needs it."""

    joiner_secret: Secret
    welcome_secret: Secret
    epoch: EpochSecrets
    confirmation_tag: bytes


def _derive(
    group: PublicGroup,
    committer: Committer,
    plan: CommitPlan,
    context: GroupContext,
    psks: Mapping[PskName, Secret],
) -> _NewSecrets:
    kdf, encoded = group.suite.kdf, context.encode()
    psk_secret = psk_secret_of(kdf, plan.applied.psks, psks)
    joiner_secret = derive_joiner_secret(kdf, committer.init_secret, plan.commit_secret, encoded)
    epoch = EpochSecrets.derive(kdf, derive_epoch_secret(kdf, joiner_secret, psk_secret, encoded))
    return _NewSecrets(
        joiner_secret,
        derive_welcome_secret(kdf, joiner_secret, psk_secret),
        epoch,
        confirmation_tag(kdf, epoch.confirmation_key, context.confirmed_transcript_hash),
    )


def _staged(
    group: PublicGroup, plan: CommitPlan, context: GroupContext, secrets: _NewSecrets
) -> StagedPublicCommit:
    return StagedPublicCommit(
        before=group.context,
        committer=plan.leaf_index,
        applied=plan.applied,
        path=plan.commit.path,
        tree=plan.tree,
        provisional_context=plan.provisional,
        context=context,
        confirmation_tag=secrets.confirmation_tag,
    )


def _next_epoch(
    group: PublicGroup,
    committer: Committer,
    plan: CommitPlan,
    staged: StagedPublicCommit,
    secrets: _NewSecrets,
) -> Epoch:
    old = TreePrivateKeys(plan.leaf_index, committer.key_pairs)
    tree = old.kept_in(plan.tree).with_key_pairs(plan.new_key_pairs)
    private_key = committer.signature_private_key
    return Epoch.begin(group.merge(staged), tree, private_key, secrets.epoch)
