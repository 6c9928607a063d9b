"""Processing a commit of another member, or of a client that joins by it (RFC 9420 Section 12.4.2).

The public half has judged everything that needs no key (``PublicGroup.stage``). Here the path secret is opened, the
key schedule moves on beside the old one, and the confirmation tag shows that the committer arrived at the same
state. Only then is there a ``StagedCommit``; and nothing has been replaced by it yet.
"""

from __future__ import annotations

from collections.abc import Mapping

from e2ee.crypto.kem import KeyPair
from e2ee.crypto.secret import Secret
from e2ee.mls.content_authentication import VerifiedContent
from e2ee.mls.epoch import Epoch, MemberKeys
from e2ee.mls.external_init import receive_external_init
from e2ee.mls.key_schedule import (
    EpochSecrets,
    derive_epoch_secret,
    derive_joiner_secret,
    psk_secret_of,
    zero_secret,
)
from e2ee.mls.leaf_node_validation import ValidationPolicy
from e2ee.mls.psk import PskName
from e2ee.mls.public_group import PublicGroup, StagedPublicCommit
from e2ee.mls.received import StagedCommit
from e2ee.mls.transcript_hash import check_confirmation_tag
from e2ee.mls.tree_private_keys import TreePrivateKeys
from e2ee.mls.treekem import open_path

__all__ = ["process_commit"]


def process_commit(
    group: PublicGroup,
    keys: MemberKeys,
    own_updates: Mapping[bytes, KeyPair],
    verified: VerifiedContent,
    psks: Mapping[PskName, Secret],
    policy: ValidationPolicy,
) -> StagedCommit:
    """What the commit leads to. Raises ValidationError or what ``policy``'s authentication raises.

    ``own_updates`` are the key pairs of this member's Update proposals of the epoch, by public key; ``psks`` are all
    PSKs that the application has.
    """
    staged = group.stage(verified, policy)
    authenticated_data = verified.authenticated_data
    if keys.leaf_index in staged.applied.removed:
        return StagedCommit(staged, authenticated_data, next_epoch=None)
    tree, commit_secret = _follow_path(staged, keys.tree.kept_in(staged.applied.tree, own_updates))
    secrets = _next_secrets(group, keys, staged, commit_secret, psks)
    check_confirmation_tag(
        group.suite.kdf,
        secrets.confirmation_key,
        staged.context.confirmed_transcript_hash,
        staged.confirmation_tag,
    )
    epoch = Epoch.begin(group.merge(staged), tree, keys.signature_private_key, secrets)
    return StagedCommit(staged, authenticated_data, epoch)


def _follow_path(
    staged: StagedPublicCommit, tree: TreePrivateKeys
) -> tuple[TreePrivateKeys, Secret]:
    """The private keys and the ``commit_secret`` after the path; ``tree`` are those after the proposals."""
    applied = staged.applied
    if staged.path is None:
        # "If the path value is not populated, define commit_secret as the all-zero vector of length KDF.Nh"
        return tree, zero_secret(applied.tree.suite.kdf)
    context = staged.provisional_context.encode()
    opened = open_path(
        applied.tree, staged.committer, staged.path.nodes, tree, context, applied.added_leaves
    )
    return tree.with_key_pairs(opened.key_pairs), opened.commit_secret


def _next_secrets(
    group: PublicGroup,
    keys: MemberKeys,
    staged: StagedPublicCommit,
    commit_secret: Secret,
    psks: Mapping[PskName, Secret],
) -> EpochSecrets:
    kdf, context = group.suite.kdf, staged.context.encode()
    psk_secret = psk_secret_of(kdf, staged.applied.psks, psks)
    init_secret = _init_secret(group, keys, staged)
    joiner_secret = derive_joiner_secret(kdf, init_secret, commit_secret, context)
    return EpochSecrets.derive(kdf, derive_epoch_secret(kdf, joiner_secret, psk_secret, context))


def _init_secret(group: PublicGroup, keys: MemberKeys, staged: StagedPublicCommit) -> Secret:
    # Section 12.4.3.2: "When processing a Commit, both existing and new members MUST use the external init secret"
    kem_output = staged.applied.kem_output
    if kem_output is None:
        return keys.init_secret
    return receive_external_init(group.suite, keys.external_secret, kem_output)
