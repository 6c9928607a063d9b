"""UpdatePaths (RFC 9420 Sections 7.5 and 7.6), and the tree with one in it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from e2ee.crypto.errors import BadPublicKey
from e2ee.crypto.kem import KeyPair
from e2ee.crypto.secret import Secret
from e2ee.mls.labels import HPKECiphertext, derive_secret, encrypt_with_label
from e2ee.mls.leaf_node import LeafNode, LeafNodeSource
from e2ee.mls.parent_hash import parent_hash
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.tree_node import ParentNode
from e2ee.mls.update_path import UpdatePathNode
from e2ee.testing.mls_forge.clients import next_leaf, sign_leaf
from e2ee.testing.mls_forge.forge import Change, Forge, same

__all__ = ["MadePath", "Path", "make_path", "node_key_pair", "parent_as_it_is", "seal_path"]


def parent_as_it_is(_: int, parent: ParentNode) -> ParentNode:
    """No change of any parent node."""
    return parent


@dataclass(frozen=True, slots=True)
class Path:
    """What a committer changes of its path.

    ``leaf`` is changed before it is signed, ``signed_leaf`` afterwards; ``secrets`` are the path secrets, lowest first,
    with the commit secret as the last; ``parent`` changes the parent node with this node index; ``tree`` is the whole
    tree with the path in it; ``sealed_secrets`` are what is encrypted; ``sealed_in`` is the encoded GroupContext under
    the encryption; ``nodes`` are changed last.
    """

    first_secret: Secret | None = None
    secrets: Change[list[Secret]] = same
    leaf_key: KeyPair | None = None
    leaf: Change[LeafNode] = same
    signed_leaf: Change[LeafNode] = same
    parent: Callable[[int, ParentNode], ParentNode] = parent_as_it_is
    tree: Change[RatchetTree] = same
    sealed_secrets: Change[list[Secret]] = same
    sealed_in: bytes | None = None
    nodes: Change[tuple[UpdatePathNode, ...]] = same


@dataclass(frozen=True, slots=True)
class MadePath:
    """``secrets`` are by node index."""

    tree: RatchetTree
    leaf_index: int
    leaf_node: LeafNode
    secrets: dict[int, Secret]
    commit_secret: Secret


def node_key_pair(forge: Forge, path_secret: Secret) -> KeyPair:
    """The key pair of the node with this path secret."""
    suite = forge.suite
    return suite.hpke.kem.derive_key_pair(derive_secret(suite.kdf, path_secret, "node"))


def make_path(
    forge: Forge, tree: RatchetTree, leaf_index: int, old: LeafNode, group_id: bytes, path: Path
) -> MadePath:
    """The tree with new keys on the filtered direct path of ``leaf_index``, whose leaf was ``old``."""
    nodes = [node for node, _ in tree.filtered_direct_path(leaf_index)]
    secrets = [path.first_secret or forge.secret()]
    for _ in nodes:
        secrets.append(derive_secret(forge.suite.kdf, secrets[-1], "path"))
    *path_secrets, commit_secret = path.secrets(secrets)
    keys = [node_key_pair(forge, secret).public for secret in path_secrets]
    with_path, due = _set_parents(tree, leaf_index, keys, path.parent)
    leaf_key = path.leaf_key or forge.key_pair()
    unsigned = path.leaf(next_leaf(old, leaf_key.public, LeafNodeSource.COMMIT, due))
    leaf_node = path.signed_leaf(sign_leaf(forge, unsigned, group_id, leaf_index))
    made = path.tree(with_path.with_leaf(leaf_index, leaf_node))
    return MadePath(
        made, leaf_index, leaf_node, dict(zip(nodes, path_secrets, strict=True)), commit_secret
    )


def _set_parents(
    tree: RatchetTree,
    leaf_index: int,
    public_keys: Sequence[bytes],
    change: Callable[[int, ParentNode], ParentNode],
) -> tuple[RatchetTree, bytes]:
    """RFC 9420 Section 7.9: from the root down, and the parent hash for the leaf."""
    parents, above = {}, b""
    path = tree.filtered_direct_path(leaf_index)
    for (x, sibling), public_key in zip(reversed(path), reversed(public_keys), strict=True):
        parents[x] = change(x, ParentNode(public_key, above, ()))
        above = parent_hash(tree, parents[x], sibling)
    return tree.with_path(leaf_index, parents), above


def seal_path(
    forge: Forge, made: MadePath, group_context: bytes, added: Collection[int], path: Path
) -> tuple[UpdatePathNode, ...]:
    """The path for everybody but the leaf indices ``added``; ``group_context`` is the encoded provisional one."""
    tree, context = made.tree, path.sealed_in or group_context
    sealed_secrets = path.sealed_secrets(list(made.secrets.values()))
    filtered = tree.filtered_direct_path(made.leaf_index)
    nodes = [
        UpdatePathNode(
            tree.node(x).encryption_key,  # type: ignore[union-attr]  # the path has just been set
            tuple(
                _seal(forge, tree, recipient, secret, context)
                for recipient in tree.resolution(copath_child, exclude=frozenset(added))
            ),
        )
        for (x, copath_child), secret in zip(filtered, sealed_secrets, strict=True)
    ]
    return path.nodes(tuple(nodes))


def _seal(
    forge: Forge, tree: RatchetTree, x: int, secret: Secret, context: bytes
) -> HPKECiphertext:
    """To a key that nobody can encrypt to: something that nobody can open."""
    public_key = tree.node(x).encryption_key  # type: ignore[union-attr]  # resolutions hold no blank node
    try:
        forge.suite.hpke.kem.check_public_key(public_key)
    except BadPublicKey:
        public_key = forge.key_pair().public
    return encrypt_with_label(
        forge.suite, public_key, "UpdatePathNode", context, secret, forge.entropy
    )
