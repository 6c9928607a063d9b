"""Vectors of RFC 9420, Sections 7.5 and 7.6: the new keys on a committer's path, and the secrets of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from e2ee.crypto.kem import KeyPair
from e2ee.crypto.secret import Secret
from e2ee.mls.errors import Rule
from e2ee.mls.labels import HPKECiphertext, derive_secret
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.proposal import Add, Remove
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.tree_node import ParentNode
from e2ee.mls.update_path import UpdatePathNode
from e2ee.testing.mls_forge.clients import make_client
from e2ee.testing.mls_forge.commits import Committing, commit
from e2ee.testing.mls_forge.paths import Path, node_key_pair
from e2ee.testing.mls_forge.spoiling import flipped, malformed
from e2ee.testing.mls_forge.trees import with_nodes
from e2ee.vectorgen.mls_validation.groups import ALICE, BOB, CAROL
from e2ee.vectorgen.mls_validation.registry import Case, File, Flag, operation
from e2ee.vectorgen.mls_validation.scenes import Build
from e2ee.vectorgen.mls_validation.states import (
    bob_after_a_known_path,
    bob_among_colluders,
    bob_of_four,
    bob_of_three,
    carol_of_three,
)

__all__ = ["FILE"]

process = operation("process")

Nodes = tuple[UpdatePathNode, ...]


def committed(case: Case, build: Build, *items: Any, **changes: Any) -> None:
    """Alice commits, with these changes of her path."""
    epoch = case.at(build).epoch
    committing = Committing(path=Path(**changes))
    case.judge(commit(case.forge, epoch, ALICE, *items, committing=committing))


@process.vector(
    "RFC9420-7.5",
    each={
        "of-alice-to-bob": bob_of_three,
        "of-alice-to-carol": carol_of_three,
        "in-a-full-tree": bob_of_four,
        "beside-a-colluder": bob_among_colluders,
        "after-a-known-one": bob_after_a_known_path,
    },
)
def path(case: Case, build: Build) -> None:
    """Alice commits no proposal: new keys for her leaf and for the nodes on her path."""
    committed(case, build)


@process.vector("RFC9420-7.5")
def path_beside_an_add(case: Case) -> None:
    """The commit adds Dave at leaf 3, to whom nothing of the path is encrypted."""
    committed(case, bob_of_three, Add(make_client(case.forge, "dave").key_package))


@process.vector("RFC9420-4.1.2")
def path_without_the_node_above_who_is_removed(case: Case) -> None:
    """The commit removes Bob: below node 1 only Alice remains, so it is not on the filtered direct path."""
    committed(case, carol_of_three, Remove(BOB))


# ------------------------------------------------------------------------------------------------------------ shape


def shaped(case: Case, build: Build, change: Callable[[Nodes], Nodes], *items: Any) -> None:
    committed(case, build, *items, nodes=change)


@process.vector("RFC9420-7.5", reason=Rule.PATH_LENGTH, like="path-of-alice-to-carol")
def path_without_its_lowest_node(case: Case) -> None:
    """The UpdatePath lacks node 1; the leaf's parent hash is that of the whole path."""
    shaped(case, carol_of_three, lambda nodes: nodes[1:])


@process.vector("RFC9420-7.5", reason=Rule.PATH_LENGTH, like="path-of-alice-to-bob")
def path_without_its_root(case: Case) -> None:
    """The UpdatePath lacks node 3, the root."""
    shaped(case, bob_of_three, lambda nodes: nodes[:-1])


@process.vector("RFC9420-7.5", reason=Rule.PATH_LENGTH, like="path-of-alice-to-bob")
def path_without_nodes(case: Case) -> None:
    """The UpdatePath has a leaf and no node."""
    shaped(case, bob_of_three, lambda _: ())


@process.vector("RFC9420-7.5", reason=Rule.PATH_LENGTH, like="path-of-alice-to-bob")
def path_with_a_node_above_the_root(case: Case) -> None:
    """The UpdatePath has a third node, where the tree has none."""
    extra = UpdatePathNode(case.forge.key_pair().public, ())
    shaped(case, bob_of_three, lambda nodes: (*nodes, extra))


@process.vector(
    "RFC9420-4.1.2",
    "RFC9420-7.5",
    reason=Rule.PATH_LENGTH,
    like="path-without-the-node-above-who-is-removed",
)
def path_that_is_not_filtered(case: Case) -> None:
    """The commit removes Bob, and its path has node 1 all the same, without any ciphertext."""
    extra = UpdatePathNode(case.forge.key_pair().public, ())
    shaped(case, carol_of_three, lambda nodes: (extra, *nodes), Remove(BOB))


def with_root(change: Callable[[UpdatePathNode], UpdatePathNode]) -> Callable[[Nodes], Nodes]:
    return lambda nodes: (*nodes[:-1], change(nodes[-1]))


@process.vector("RFC9420-7.6", reason=Rule.PATH_CIPHERTEXT_COUNT, like="path-of-alice-to-bob")
def ciphertext_missing(case: Case) -> None:
    """Nothing is encrypted for Carol, the only node in the resolution beside the path's root."""
    change = with_root(lambda root: replace(root, encrypted_path_secret=()))
    shaped(case, bob_of_three, change)


@process.vector("RFC9420-7.6", reason=Rule.PATH_CIPHERTEXT_COUNT, like="path-of-alice-to-bob")
def ciphertext_too_many(case: Case) -> None:
    """The path's root has two ciphertexts for a resolution of one node."""
    change = with_root(
        lambda root: replace(root, encrypted_path_secret=root.encrypted_path_secret * 2)
    )
    shaped(case, bob_of_three, change)


@process.vector("RFC9420-7.6", reason=Rule.PATH_CIPHERTEXT_COUNT, like="path-beside-an-add")
def ciphertext_for_who_is_added(case: Case) -> None:
    """The path's root has a second ciphertext, for Dave, whom the same commit adds."""
    change = with_root(
        lambda root: replace(root, encrypted_path_secret=root.encrypted_path_secret * 2)
    )
    shaped(case, bob_of_three, change, Add(make_client(case.forge, "dave").key_package))


# ------------------------------------------------------------------------------------------------------------- keys


def taken(case: Case, build: Build, public_key: bytes) -> None:
    """Alice's new leaf has a key that she need not have the private key of."""
    committed(case, build, leaf_key=KeyPair(Secret(b""), public_key))


@process.vector("RFC9420-12.4.2", reason=Rule.PATH_KEY_NOT_NEW, like="path-of-alice-to-bob")
def leaf_key_of_another_member(case: Case) -> None:
    """The committer's new leaf has Carol's encryption key."""
    taken(case, bob_of_three, case.at(bob_of_three).epoch.leaf(CAROL).encryption_key)


@process.vector("RFC9420-12.4.2", reason=Rule.PATH_KEY_NOT_NEW, like="path-in-a-full-tree")
def leaf_key_of_a_parent_node(case: Case) -> None:
    """The committer's new leaf has the encryption key of node 5, which the commit does not touch."""
    parent = case.at(bob_of_four).epoch.tree.parent_node(5)
    taken(case, bob_of_four, parent.encryption_key if parent else b"")


@process.vector("RFC9420-12.4.2", reason=Rule.PATH_KEY_NOT_NEW, like="path-beside-a-colluder")
def node_key_of_a_member(case: Case) -> None:
    """Node 1 of the path has Carol's encryption key, well derived: Alice and Carol agreed on it before."""
    committed(case, bob_among_colluders, first_secret=case.scene.forge("path").secret())


@process.vector("RFC9420-12.4.2", reason=Rule.PATH_KEY_NOT_NEW, like="path-after-a-known-one")
def path_once_again(case: Case) -> None:
    """The path secrets, and so the keys of nodes 1 and 3, are those that the tree has already; the leaf's key is new."""
    committed(case, bob_after_a_known_path, first_secret=case.scene.forge("path").secret())


@process.vector(
    "RFC9420-16.7",
    reason=Rule.PATH_KEY_NOT_NEW,
    like="path-of-alice-to-bob",
    flags=(Flag.STRICTER,),
)
def leaf_key_of_the_own_path(case: Case) -> None:
    """The committer's new leaf has the new key of node 1: one key in two nodes."""
    secret = case.forge.secret()
    key = node_key_pair(case.forge, secret)
    committed(case, bob_of_three, first_secret=secret, leaf_key=key)


@process.vector(
    "RFC9420-7.6",
    reason=Rule.PATH_KEY_MALFORMED,
    like="path-of-alice-to-carol",
    flags=(Flag.STRICTER,),
)
def node_key_malformed(case: Case) -> None:
    """The key of node 1, which Carol does not derive, is no public key; the parent hash covers it."""
    suite = case.forge.suite

    def change(x: int, parent: ParentNode) -> ParentNode:
        key = malformed(suite, parent.encryption_key) if x == 1 else parent.encryption_key
        return replace(parent, encryption_key=key)

    committed(case, carol_of_three, parent=change)


# ------------------------------------------------------------------------------------------------------ parent hash


PARENT_HASHES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut": lambda due: due[:-1],
    "of-another-path": lambda due: flipped(due, 0),
}


@process.vector(
    "RFC9420-7.9.2", reason=Rule.PATH_PARENT_HASH, like="path-of-alice-to-bob", each=PARENT_HASHES
)
def parent_hash(case: Case, change: Callable[[bytes], bytes]) -> None:
    """The parent hash in the committer's leaf, which is signed."""

    def changed(leaf: LeafNode) -> LeafNode:
        return replace(leaf, details=change(leaf.parent_hash or b""))

    committed(case, bob_of_three, leaf=changed)


@process.vector("RFC9420-7.9.2", reason=Rule.PATH_PARENT_HASH, like="path-of-alice-to-carol")
def node_key_that_the_leaf_did_not_sign(case: Case) -> None:
    """The key of node 1, which Carol does not derive, is not the one that the leaf's parent hash covers."""
    other = case.scene.forge("intruder").key_pair().public

    def exchanged(tree: RatchetTree) -> RatchetTree:
        parent = tree.parent_node(1)
        if parent is None:
            raise LookupError("node 1 is on the path")
        return with_nodes(tree, {1: replace(parent, encryption_key=other)})

    committed(case, carol_of_three, tree=exchanged)


# ---------------------------------------------------------------------------------------------------------- secrets


def for_bob(change: Callable[[HPKECiphertext], HPKECiphertext]) -> Callable[[Nodes], Nodes]:
    """A change of what Bob is to open: the one ciphertext of node 1."""

    def changed(nodes: Nodes) -> Nodes:
        (sealed,) = nodes[0].encrypted_path_secret
        return replace(nodes[0], encrypted_path_secret=(change(sealed),)), *nodes[1:]

    return changed


SEALED: dict[str, Callable[[HPKECiphertext], HPKECiphertext]] = {
    "with-a-flipped-bit": lambda s: replace(s, ciphertext=flipped(s.ciphertext, 0)),
    "with-another-kem-output": lambda s: replace(s, kem_output=flipped(s.kem_output, -1)),
    "with-a-kem-output-cut": lambda s: replace(s, kem_output=s.kem_output[:-1]),
    "without-its-tag": lambda s: replace(s, ciphertext=s.ciphertext[:-16]),
}


@process.vector(
    "RFC9420-7.5", reason=Rule.PATH_SECRET_NOT_AUTHENTIC, like="path-of-alice-to-bob", each=SEALED
)
def path_secret(case: Case, change: Callable[[HPKECiphertext], HPKECiphertext]) -> None:
    """What is encrypted for Bob does not open."""
    shaped(case, bob_of_three, for_bob(change))


@process.vector("RFC9420-7.5", reason=Rule.PATH_SECRET_NOT_AUTHENTIC, like="path-of-alice-to-bob")
def path_secret_encrypted_to_another_member(case: Case) -> None:
    """What is encrypted for Carol stands where Bob's is due."""

    def exchanged(nodes: Nodes) -> Nodes:
        first, second = nodes
        return replace(first, encrypted_path_secret=second.encrypted_path_secret), second

    shaped(case, bob_of_three, exchanged)


@process.vector(
    "RFC9420-7.6",
    "RFC9420-12.4.2",
    reason=Rule.PATH_SECRET_NOT_AUTHENTIC,
    like="path-of-alice-to-bob",
)
def path_secret_encrypted_in_the_old_context(case: Case) -> None:
    """group_context of the encryption is that of the present epoch, not the provisional one."""
    context = case.at(bob_of_three).epoch.context.encode()
    committed(case, bob_of_three, sealed_in=context)


@process.vector("RFC9420-7.5", reason=Rule.PATH_SECRET_WRONG_KEY, like="path-of-alice-to-bob")
def path_secret_of_another_key(case: Case) -> None:
    """What Bob opens is a secret, but not that of node 1."""
    other = case.forge.secret()
    committed(case, bob_of_three, sealed_secrets=lambda secrets: [other, *secrets[1:]])


@process.vector("RFC9420-7.5", reason=Rule.PATH_SECRET_WRONG_KEY, like="path-of-alice-to-bob")
def path_secret_that_is_empty(case: Case) -> None:
    """What Bob opens has no bytes."""
    committed(case, bob_of_three, sealed_secrets=lambda secrets: [Secret(b""), *secrets[1:]])


@process.vector("RFC9420-7.4", reason=Rule.PATH_SECRET_WRONG_KEY, like="path-of-alice-to-bob")
def path_secrets_that_are_no_chain(case: Case) -> None:
    """What Bob opens is the secret of node 1; that of node 3 does not follow from it, so Carol would go elsewhere."""
    forge, other = case.forge, case.forge.secret()

    def broken(secrets: list[Secret]) -> list[Secret]:
        return [secrets[0], other, derive_secret(forge.suite.kdf, other, "path")]

    committed(case, bob_of_three, secrets=broken)


FILE = File(
    "update-paths",
    "Update paths: RFC 9420, Sections 7.4 to 7.6 and 7.9.2. Shape, keys, parent hash and secrets.",
    (process,),
)
