"""Creating a commit and its Welcome (RFC 9420 Section 12.4.1).

    proposals --apply--> tree --own path--> tree --sign--> transcript --key schedule--> confirmation tag --> Welcome

Every commit made here has an UpdatePath, also one that only adds or removes somebody: so the committer's keys heal, and
somebody who was removed can open nothing of the next epoch. "The generation of Commit messages MUST NOT modify a
client's state" (Section 14): the result stands beside the present epoch until it is merged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from e2ee.crypto.entropy import Entropy
from e2ee.crypto.secret import Secret
from e2ee.mls.commit import Commit, ProposalOrRef
from e2ee.mls.epoch import Epoch, MemberKeys, own_group_info
from e2ee.mls.errors import Rule, UsageError
from e2ee.mls.framing import WireFormat
from e2ee.mls.group_context import GroupContext
from e2ee.mls.group_secrets import (
    GroupSecrets,
    PathSecret,
    seal_group_info,
    seal_group_secrets,
)
from e2ee.mls.key_package import make_key_package_ref
from e2ee.mls.key_schedule import (
    EpochSecrets,
    derive_epoch_secret,
    derive_joiner_secret,
    derive_welcome_secret,
    psk_secret_of,
)
from e2ee.mls.leaf_node_validation import ValidationPolicy
from e2ee.mls.message import MLSMessage
from e2ee.mls.message_protection import MessageProtection
from e2ee.mls.proposal_list import AddedMember, AppliedProposals, resolve_proposals
from e2ee.mls.proposing import sign
from e2ee.mls.psk import PskName
from e2ee.mls.public_group import PublicGroup, StagedPublicCommit
from e2ee.mls.received import StagedCommit
from e2ee.mls.transcript_hash import confirmation_tag
from e2ee.mls.tree_math import common_ancestor, leaf_to_node
from e2ee.mls.tree_validation import check_together
from e2ee.mls.treekem import OwnPath, seal_path, update_direct_path
from e2ee.mls.welcome import EncryptedGroupSecrets, Welcome

__all__ = ["CommitRequest", "PendingCommit", "create_commit"]


@dataclass(frozen=True, slots=True, repr=False)
class CommitRequest:
    """What a caller wants committed. ``psks`` are all PSKs that the application has."""

    proposals: tuple[ProposalOrRef, ...]
    authenticated_data: bytes
    wire_format: WireFormat
    ratchet_tree_extension: bool
    psks: Mapping[PskName, Secret]


@dataclass(frozen=True, slots=True)
class PendingCommit:
    """An own commit to send, the Welcome for those whom it adds, and what to merge once the commit was taken."""

    message: MLSMessage
    welcome: MLSMessage | None
    staged: StagedCommit

    def protect(
        self, data: bytes, *, entropy: Entropy, authenticated_data: bytes = b""
    ) -> MLSMessage:
        """Application data of the epoch that this commit begins, to go out together with the Welcome.

        Raises UsageError: RATCHET_EXHAUSTED.
        """
        epoch = self.staged.next_epoch
        if epoch is None:
            raise UsageError(Rule.REMOVED_FROM_GROUP)
        signed = sign(
            epoch.public, epoch.keys, data, authenticated_data, WireFormat.PRIVATE_MESSAGE
        )
        return epoch.protection.protect(signed, entropy)


def create_commit(
    group: PublicGroup,
    keys: MemberKeys,
    protection: MessageProtection,
    request: CommitRequest,
    policy: ValidationPolicy,
    entropy: Entropy,
) -> PendingCommit:
    """A commit of this member. Raises ValidationError if the proposals are not valid together."""
    plan = _plan(group, keys, request, policy, entropy)
    # "Sign the FramedContent using the old GroupContext as context."
    signed = sign(group, keys, plan.commit, request.authenticated_data, request.wire_format)
    context = group.context_after(
        plan.provisional, signed.wire_format, signed.content, signed.auth.signature
    )
    secrets = _derive(group, keys, plan, context, request.psks)
    staged = _staged(group, keys, plan, context, secrets)
    epoch = _next_epoch(group, keys, plan, staged, secrets)
    welcome = _welcome(epoch, plan, secrets, request.ratchet_tree_extension, entropy)
    confirmed = replace(signed.auth, confirmation_tag=secrets.confirmation_tag)
    return PendingCommit(
        protection.protect(replace(signed, auth=confirmed), entropy),
        welcome,
        StagedCommit(staged, request.authenticated_data, epoch),
    )


@dataclass(frozen=True, slots=True, repr=False)
class _Plan:
    """The commit, and what it makes of the tree."""

    applied: AppliedProposals
    path: OwnPath
    provisional: GroupContext
    commit: Commit


def _plan(
    group: PublicGroup,
    keys: MemberKeys,
    request: CommitRequest,
    policy: ValidationPolicy,
    entropy: Entropy,
) -> _Plan:
    proposals = resolve_proposals(
        Commit(request.proposals, path=None), keys.leaf_index, group.proposals
    )
    applied = group.apply(keys.leaf_index, proposals, policy)
    path = update_direct_path(
        applied.tree, keys.leaf_index, keys.signature_private_key, group.context.group_id, entropy
    )
    check_together(path.tree)
    provisional = group.provisional_context(path.tree, applied.extensions)
    # "using the provisional group context as the context for HPKE encryption."
    update_path = seal_path(path, provisional.encode(), applied.added_leaves, entropy)
    return _Plan(applied, path, provisional, Commit(request.proposals, update_path))


@dataclass(frozen=True, slots=True, repr=False)
class _NewSecrets:
    """The key schedule of the next epoch, as far as its committer needs it."""

    joiner_secret: Secret
    welcome_secret: Secret
    epoch: EpochSecrets
    confirmation_tag: bytes


def _derive(
    group: PublicGroup,
    keys: MemberKeys,
    plan: _Plan,
    context: GroupContext,
    psks: Mapping[PskName, Secret],
) -> _NewSecrets:
    kdf, encoded = group.suite.kdf, context.encode()
    psk_secret = psk_secret_of(kdf, plan.applied.psks, psks)
    joiner_secret = derive_joiner_secret(
        kdf, keys.init_secret, plan.path.secrets.commit_secret, encoded
    )
    epoch = EpochSecrets.derive(kdf, derive_epoch_secret(kdf, joiner_secret, psk_secret, encoded))
    return _NewSecrets(
        joiner_secret,
        derive_welcome_secret(kdf, joiner_secret, psk_secret),
        epoch,
        confirmation_tag(kdf, epoch.confirmation_key, context.confirmed_transcript_hash),
    )


def _staged(
    group: PublicGroup,
    keys: MemberKeys,
    plan: _Plan,
    context: GroupContext,
    secrets: _NewSecrets,
) -> StagedPublicCommit:
    return StagedPublicCommit(
        before=group.context,
        committer=keys.leaf_index,
        applied=plan.applied,
        path=plan.commit.path,
        tree=plan.path.tree,
        provisional_context=plan.provisional,
        context=context,
        confirmation_tag=secrets.confirmation_tag,
    )


def _next_epoch(
    group: PublicGroup,
    keys: MemberKeys,
    plan: _Plan,
    staged: StagedPublicCommit,
    secrets: _NewSecrets,
) -> Epoch:
    own_leaf = {leaf_to_node(keys.leaf_index): plan.path.leaf_key_pair}
    tree = keys.tree.kept_in(staged.tree).with_key_pairs(own_leaf | plan.path.secrets.key_pairs)
    return Epoch.begin(group.merge(staged), tree, keys.signature_private_key, secrets.epoch)


def _welcome(
    epoch: Epoch,
    plan: _Plan,
    secrets: _NewSecrets,
    ratchet_tree_extension: bool,
    entropy: Entropy,
) -> MLSMessage | None:
    """One Welcome for everybody whom the commit adds."""
    if not plan.applied.added:
        return None
    suite = epoch.public.suite
    group_info = own_group_info(epoch.public, epoch.keys, ratchet_tree=ratchet_tree_extension)
    sealed_info = seal_group_info(suite, secrets.welcome_secret, group_info)
    sealed = tuple(
        EncryptedGroupSecrets(
            make_key_package_ref(suite, added.key_package),
            seal_group_secrets(
                suite,
                added.key_package.init_key,
                sealed_info,
                _group_secrets(epoch.keys.leaf_index, plan, added, secrets),
                entropy,
            ),
        )
        for added in plan.applied.added
    )
    return MLSMessage.of(Welcome(suite.code_point, sealed, sealed_info))


def _group_secrets(
    committer: int, plan: _Plan, added: AddedMember, secrets: _NewSecrets
) -> GroupSecrets:
    # "Identify the lowest common ancestor in the tree of the new member's leaf node and the member sending the Commit.
    # [...] Compute the path secret corresponding to the common ancestor node."
    common = common_ancestor(leaf_to_node(added.leaf_index), leaf_to_node(committer))
    path_secret = PathSecret(plan.path.secrets.path_secrets[common])
    return GroupSecrets(secrets.joiner_secret, path_secret, plan.applied.psks)
