"""Joining a group by a Welcome (RFC 9420 Section 12.4.3.1).

The steps are those of the section, in an order that lets nothing be used before it was authenticated: the sealed
GroupSecrets and GroupInfo are opened; the signer's signature, the whole ratchet tree and the own leaf in it are
checked; then the private keys that the path secret gives are compared with the tree, and the confirmation tag shows
that the committer had the same secrets. Only then is there a Group.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.crypto.secret import Secret
from e2ee.mls.epoch import Epoch
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.group import Group
from e2ee.mls.group_info import GroupInfo, check_joinable
from e2ee.mls.group_secrets import (
    GroupSecrets,
    PathSecret,
    open_group_info,
    open_group_secrets,
)
from e2ee.mls.key_package import make_key_package_ref
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.key_schedule import (
    EpochSecrets,
    derive_epoch_secret,
    derive_welcome_secret,
    psk_secret_of,
)
from e2ee.mls.labels import HPKECiphertext
from e2ee.mls.leaf_node_validation import ValidationPolicy
from e2ee.mls.predecessor import Predecessor
from e2ee.mls.proposal_list import check_psks
from e2ee.mls.psk import PskName
from e2ee.mls.public_group import PublicGroup
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.succession import Succession, check_successor_group, find_succession
from e2ee.mls.transcript_hash import check_confirmation_tag
from e2ee.mls.tree_math import common_ancestor, direct_path, leaf_to_node
from e2ee.mls.tree_private_keys import TreePrivateKeys
from e2ee.mls.treekem import derive_path
from e2ee.mls.welcome import Welcome

__all__ = ["join", "read_group_info"]

_NO_PSKS: Mapping[PskName, Secret] = MappingProxyType({})


def join(
    welcome: Welcome,
    bundle: KeyPackageBundle,
    *,
    policy: ValidationPolicy,
    ratchet_tree: bytes | None = None,
    psks: Mapping[PskName, Secret] = _NO_PSKS,
    required_psks: Collection[PskName] = (),
    predecessors: Collection[Predecessor] = (),
    group_ids_in_use: Container[bytes] = (),
) -> Group:
    """The group, in the epoch that the commit with this Welcome began.

    ``bundle`` is the KeyPackage that was added, with its private keys; ``policy`` has a receiver's tolerance;
    ``ratchet_tree`` is the encoded tree if it came out of band, and then the one that counts; ``psks`` are all PSKs that
    the client has, ``required_psks`` those without which it joins nothing; ``predecessors`` are the epochs of which it may be asked to join a successor (``successor``);
    ``group_ids_in_use`` are those of the groups that this client is in. Raises ValidationError, DecodeError, or what ``policy``'s authentication raises.
    """
    opened = _open(welcome, bundle, psks, required_psks, predecessors)
    suite, group_info, group_secrets = bundle.suite, opened.group_info, opened.group_secrets
    check_joinable(group_info, suite, group_ids_in_use)
    public = PublicGroup.from_group_info(group_info, policy, ratchet_tree)
    check_successor_group(public.context, public.tree, opened.succession, predecessors, policy)
    tree = _private_keys(public.tree, bundle, group_info.signer, group_secrets.path_secret)
    secrets = _epoch_secrets(group_info, suite, group_secrets, opened.psk_secret)
    return Group(Epoch.begin(public, tree, bundle.signature_private_key, secrets))


def read_group_info(
    welcome: Welcome,
    bundle: KeyPackageBundle,
    *,
    psks: Mapping[PskName, Secret] = _NO_PSKS,
    required_psks: Collection[PskName] = (),
) -> GroupInfo:
    """What a Welcome says of the group, for who has to fetch the tree first. Who signed it only ``join`` finds out.

    Raises ValidationError, DecodeError.
    """
    return _open(welcome, bundle, psks, required_psks, ()).group_info


@dataclass(frozen=True, slots=True)
class _Opened:
    """What was sealed in a Welcome."""

    group_secrets: GroupSecrets
    group_info: GroupInfo
    psk_secret: Secret
    succession: Succession | None


def _open(
    welcome: Welcome,
    bundle: KeyPackageBundle,
    psks: Mapping[PskName, Secret],
    required_psks: Collection[PskName],
    predecessors: Collection[Predecessor],
) -> _Opened:
    suite, sealed = bundle.suite, _sealed_for(bundle, welcome)
    group_secrets = open_group_secrets(
        suite, bundle.init_private_key, welcome.encrypted_group_info, sealed
    )
    check_psks(suite, group_secrets.psks, initial_commit=True)
    _check_required(group_secrets, required_psks)
    succession = find_succession(group_secrets.psks, predecessors)
    known = psks if succession is None else {**psks, **succession.psks}
    psk_secret = psk_secret_of(suite.kdf, group_secrets.psks, known)
    welcome_secret = derive_welcome_secret(suite.kdf, group_secrets.joiner_secret, psk_secret)
    group_info = open_group_info(suite, welcome_secret, welcome.encrypted_group_info)
    return _Opened(group_secrets, group_info, psk_secret, succession)


def _sealed_for(bundle: KeyPackageBundle, welcome: Welcome) -> HPKECiphertext:
    # "Identify an entry in the secrets array where the new_member value corresponds to one of this client's
    # KeyPackages [...] If no such field exists, or if the cipher suite indicated in the KeyPackage does not match the
    # one in the Welcome message, return an error."
    if welcome.cipher_suite != bundle.key_package.cipher_suite:
        raise ValidationError(Rule.WELCOME_CIPHER_SUITE, f"{welcome.cipher_suite:#06x}")
    own_ref = make_key_package_ref(bundle.suite, bundle.key_package)
    for entry in welcome.secrets:
        if entry.new_member == own_ref:
            return entry.encrypted_group_secrets
    raise ValidationError(Rule.WELCOME_NOT_FOR_THIS_KEY_PACKAGE)


def _check_required(group_secrets: GroupSecrets, required: Collection[PskName]) -> None:
    """What the application asks for beyond the RFC: that who made this epoch had these keys."""
    named = [each.psk for each in group_secrets.psks]
    for name in required:
        if name not in named:
            raise ValidationError(Rule.REQUIRED_PSK_MISSING, "not named in the Welcome")


def _epoch_secrets(
    group_info: GroupInfo, suite: CipherSuite, group_secrets: GroupSecrets, psk_secret: Secret
) -> EpochSecrets:
    """The epoch's secrets, once the confirmation tag has shown them to be the committer's."""
    context = group_info.group_context
    epoch_secret = derive_epoch_secret(
        suite.kdf, group_secrets.joiner_secret, psk_secret, context.encode()
    )
    secrets = EpochSecrets.derive(suite.kdf, epoch_secret)
    # "Verify the confirmation tag in the GroupInfo using the derived confirmation key and the
    # confirmed_transcript_hash from the GroupInfo."
    check_confirmation_tag(
        suite.kdf,
        secrets.confirmation_key,
        context.confirmed_transcript_hash,
        group_info.confirmation_tag,
    )
    return secrets


def _private_keys(
    tree: RatchetTree, bundle: KeyPackageBundle, signer: int, path_secret: PathSecret | None
) -> TreePrivateKeys:
    own = _own_leaf_index(tree, bundle)
    keys = TreePrivateKeys.of_leaf(own, bundle.leaf_key_pair)
    if path_secret is not None:
        keys = _with_path(tree, keys, signer, path_secret.path_secret)
    _check_complete(tree, keys)
    return keys


def _own_leaf_index(tree: RatchetTree, bundle: KeyPackageBundle) -> int:
    # "Identify a leaf whose LeafNode is identical to the one in the KeyPackage. If no such field exists, return an
    # error."
    for leaf_index, leaf_node in tree.members():
        if leaf_node == bundle.key_package.leaf_node:
            return leaf_index
    raise ValidationError(Rule.OWN_LEAF_NOT_IN_TREE)


def _with_path(
    tree: RatchetTree, keys: TreePrivateKeys, signer: int, path_secret: Secret
) -> TreePrivateKeys:
    """The keys of the nodes that the committer set above both leaves: the others of its direct path are blank."""
    common = common_ancestor(leaf_to_node(keys.leaf_index), leaf_to_node(signer))
    above = [common, *direct_path(common, tree.leaf_count)]
    nodes = [x for x in above if x == common or tree.node(x) is not None]
    key_pairs = derive_path(tree.suite, path_secret, nodes).key_pairs
    with_path = keys.with_key_pairs(key_pairs)
    # "The private key MUST be the private key that corresponds to the public key in the node."
    if with_path.kept_in(tree).key_pairs.keys() != with_path.key_pairs.keys():
        raise ValidationError(Rule.PATH_SECRET_WRONG_KEY)
    return with_path


def _check_complete(tree: RatchetTree, keys: TreePrivateKeys) -> None:
    if missing := keys.missing_in(tree):
        raise ValidationError(Rule.PATH_SECRET_MISSING, f"node {missing[0]}")
