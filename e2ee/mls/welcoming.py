"""Adding members to the group (RFC 9420 Section 12.4.3.1): the Welcome that a committer sends to those whom it adds."""

from __future__ import annotations

from collections.abc import Iterator

from e2ee.crypto.entropy import Entropy
from e2ee.mls.applied_proposals import AddedMember
from e2ee.mls.commit_creation import CreatedCommit
from e2ee.mls.epoch import own_group_info
from e2ee.mls.extension import Extension
from e2ee.mls.group_secrets import GroupSecrets, PathSecret, seal_group_info, seal_group_secrets
from e2ee.mls.key_package import make_key_package_ref
from e2ee.mls.message import MLSMessage
from e2ee.mls.tree_math import common_ancestor, leaf_to_node
from e2ee.mls.welcome import EncryptedGroupSecrets, Welcome

__all__ = ["make_welcome"]


def make_welcome(
    created: CreatedCommit,
    *,
    ratchet_tree: bool,
    extensions: tuple[Extension, ...],
    entropy: Entropy,
) -> MLSMessage | None:
    """One Welcome for everybody whom the commit adds; None if it adds nobody.

    ``ratchet_tree`` puts the tree into its GroupInfo, beside the application's ``extensions``.
    """
    added_members, epoch = created.plan.applied.added, created.epoch
    if not added_members:
        return None
    suite = epoch.public.suite
    group_info = own_group_info(
        epoch.public,
        epoch.keys,
        ratchet_tree=ratchet_tree,
        external_pub=False,
        extensions=extensions,
    )
    sealed_info = seal_group_info(suite, created.welcome_secret, group_info)
    references = [make_key_package_ref(suite, added.key_package) for added in added_members]
    sealed = seal_group_secrets(suite, sealed_info, _group_secrets(created), entropy)
    secrets = tuple(map(EncryptedGroupSecrets, references, sealed))
    return MLSMessage.of(Welcome(suite.code_point, secrets, sealed_info))


def _group_secrets(created: CreatedCommit) -> Iterator[tuple[bytes, GroupSecrets]]:
    """The ``init_key`` of each new member, and what is sealed to it."""
    psks = created.plan.applied.psks
    for added in created.plan.applied.added:
        path_secret = _path_secret(created, added)
        yield added.key_package.init_key, GroupSecrets(created.joiner_secret, path_secret, psks)


def _path_secret(created: CreatedCommit, added: AddedMember) -> PathSecret | None:
    plan = created.plan
    if plan.path is None:
        return None
    # "Identify the lowest common ancestor in the tree of the new member's leaf node and the member sending the Commit.
    # [...] Compute the path secret corresponding to the common ancestor node."
    common = common_ancestor(leaf_to_node(added.leaf_index), leaf_to_node(plan.leaf_index))
    return PathSecret(plan.path.secrets.path_secrets[common])
