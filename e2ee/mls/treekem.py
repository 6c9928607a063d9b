"""TreeKEM's secrets (RFC 9420 Sections 7.4 to 7.6): a chain of path secrets, sealed to everybody else.

    path_secret[0] ("path")-> path_secret[1] ("path")-> ... ("path")-> commit_secret
         | "node"                  | "node"
      key pair of path[0]       key pair of path[1]            path = the committer's filtered direct path

The committer draws the first secret and seals each to the resolution of its node's copath child; a receiver opens
the one that is sealed to a node it knows, and derives the rest. Which nodes those are and what the public tree
becomes is the public half's work (``ratchet_tree``, ``parent_hash``); this module is handed the tree and works on
secrets. All functions give new values and change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.errors import BadEncapsulation, OpenError
from e2ee.crypto.kem import KeyPair
from e2ee.crypto.secret import Secret
from e2ee.mls import tree_math
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.labels import decrypt_with_label, derive_secret, encryption_with_label
from e2ee.mls.leaf_node import LeafNode, LeafNodeSource, sign_leaf_node
from e2ee.mls.parent_hash import set_path
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.tree_private_keys import TreePrivateKeys
from e2ee.mls.update_path import UpdatePath, UpdatePathNode

__all__ = [
    "OwnPath",
    "PathSecrets",
    "derive_path",
    "open_path",
    "seal_path",
    "update_direct_path",
]


@dataclass(frozen=True, slots=True, repr=False)
class PathSecrets:
    """The part of a path that somebody knows: all of it, or from some node up to the root."""

    path_secrets: dict[int, Secret]
    key_pairs: dict[int, KeyPair]
    commit_secret: Secret

    @property
    def public_keys(self) -> list[bytes]:
        """Of the nodes, lowest first."""
        return [pair.public for pair in self.key_pairs.values()]


def derive_path(suite: CipherSuite, path_secret: Secret, nodes: Sequence[int]) -> PathSecrets:
    """RFC 9420 Section 7.4: what follows from the ``path_secret`` of the first of ``nodes`` (lowest first)."""
    path_secrets, key_pairs = {}, {}
    for node in nodes:
        path_secrets[node] = path_secret
        node_secret = derive_secret(suite.kdf, path_secret, "node")
        key_pairs[node] = suite.hpke.kem.derive_key_pair(node_secret)
        path_secret = derive_secret(suite.kdf, path_secret, "path")
    return PathSecrets(path_secrets, key_pairs, commit_secret=path_secret)


@dataclass(frozen=True, slots=True, repr=False)
class OwnPath:
    """A committer's new direct path: the tree with its public keys, and what the committer alone knows."""

    tree: RatchetTree
    leaf_index: int
    leaf_node: LeafNode
    leaf_key_pair: KeyPair
    secrets: PathSecrets


def update_direct_path(
    tree: RatchetTree,
    leaf_index: int,
    signature_private_key: Secret,
    group_id: bytes,
    entropy: Entropy,
    joiner: LeafNode | None = None,
) -> OwnPath:
    """RFC 9420 Section 7.5, "updates their direct path": fresh keys for the own leaf and all above it.

    The new leaf is the old one with other keys; who joins by its commit has none, and brings ``joiner``.
    """
    suite = tree.suite
    nodes = [node for node, _ in tree.filtered_direct_path(leaf_index)]
    leaf_key_pair = suite.hpke.kem.generate_key_pair(entropy)
    secrets = derive_path(suite, Secret(entropy.random(suite.kdf.Nh)), nodes)
    with_path, parent_hash = set_path(tree, leaf_index, secrets.public_keys)
    old: LeafNode = joiner or tree.leaf(leaf_index)  # type: ignore[assignment]  # who does not join is a member
    unsigned = replace(
        old,
        encryption_key=leaf_key_pair.public,
        leaf_node_source=LeafNodeSource.COMMIT,
        details=parent_hash,
    )
    leaf_node = sign_leaf_node(suite, unsigned, signature_private_key, group_id, leaf_index)
    with_leaf = with_path.with_leaf(leaf_index, leaf_node)
    return OwnPath(with_leaf, leaf_index, leaf_node, leaf_key_pair, secrets)


def seal_path(
    path: OwnPath, group_context: bytes, added: frozenset[int], entropy: Entropy
) -> UpdatePath:
    """The path for all members but those at the leaf indices ``added`` by the same commit.

    ``group_context`` is the encoded provisional GroupContext.
    """
    tree, secrets = path.tree, path.secrets
    encrypt = encryption_with_label(tree.suite, "UpdatePathNode", group_context)
    nodes = tuple(
        UpdatePathNode(
            secrets.key_pairs[node].public,
            tuple(
                encrypt(_public_key(tree, recipient), secrets.path_secrets[node], entropy)
                for recipient in tree.resolution(copath_child, exclude=added)
            ),
        )
        for node, copath_child in tree.filtered_direct_path(path.leaf_index)
    )
    return UpdatePath(path.leaf_node, nodes)


def _public_key(tree: RatchetTree, x: int) -> bytes:
    return tree.node(x).encryption_key  # type: ignore[union-attr]  # resolutions hold no blank node


def open_path(
    tree: RatchetTree,
    committer: int,
    nodes: Sequence[UpdatePathNode],
    private_keys: TreePrivateKeys,
    group_context: bytes,
    added: frozenset[int],
) -> PathSecrets:
    """RFC 9420 Section 7.5, "decrypts the path secrets": what a receiver learns from an UpdatePath.

    ``tree`` may be the one before or after the path was set, since the copath is the same.
    ``nodes`` were checked by the public half: one for each node of the path, one ciphertext for each recipient.
    Raises ValidationError: PATH_SECRET_MISSING, PATH_SECRET_NOT_AUTHENTIC, PATH_SECRET_WRONG_KEY.
    """
    path = tree.filtered_direct_path(committer)
    own_leaf = tree_math.leaf_to_node(private_keys.leaf_index)
    common = tree_math.common_ancestor(own_leaf, tree_math.leaf_to_node(committer))
    height = [node for node, _ in path].index(common)
    resolution = tree.resolution(path[height][1], exclude=added)
    path_secret = _open(tree, nodes[height], resolution, private_keys, group_context)
    opened = derive_path(tree.suite, path_secret, [node for node, _ in path[height:]])
    # "Verify that the derived public keys are the same as the corresponding public keys sent in the UpdatePath."
    if opened.public_keys != [node.encryption_key for node in nodes[height:]]:
        raise ValidationError(Rule.PATH_SECRET_WRONG_KEY)
    return opened


def _open(
    tree: RatchetTree,
    sealed: UpdatePathNode,
    resolution: Sequence[int],
    private_keys: TreePrivateKeys,
    group_context: bytes,
) -> Secret:
    known = private_keys.first_of(resolution)
    if known is None:
        raise ValidationError(Rule.PATH_SECRET_MISSING, "no key of ours is among the recipients")
    position, private_key = known
    ciphertext = sealed.encrypted_path_secret[position]
    try:
        path_secret = decrypt_with_label(
            tree.suite, private_key, "UpdatePathNode", group_context, ciphertext
        )
    except (OpenError, BadEncapsulation) as error:
        raise ValidationError(Rule.PATH_SECRET_NOT_AUTHENTIC, error.detail) from None
    return Secret(path_secret)
