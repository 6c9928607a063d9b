"""Path secrets: everybody but the newcomers learns them, and a receiver believes no key that it did not derive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.cipher_suite import CIPHER_SUITES, CipherSuite, cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.labels import HPKECiphertext, derive_secret
from e2ee.mls.leaf_node import LeafNodeSource
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.tree_private_keys import TreePrivateKeys
from e2ee.mls.treekem import (
    OwnPath,
    PathSecrets,
    derive_path,
    open_path,
    seal_path,
    update_direct_path,
)
from e2ee.mls.update_path import UpdatePath, UpdatePathNode
from e2ee.testing.mls_members import Client

SUITE = cipher_suite(0x0001)
CONTEXT = b"the provisional GroupContext"
Nodes = tuple[UpdatePathNode, ...]


@dataclass
class Tree:
    """A tree whose members were all added without a path, with everybody's keys."""

    size: int

    def __post_init__(self) -> None:
        self.entropy = SeededEntropy(b"treekem %d" % self.size)
        bundles = [
            Client.make(f"member {n}", SUITE, self.entropy).bundle(self.entropy)
            for n in range(self.size)
        ]
        self.public = RatchetTree.of_leaf(SUITE, bundles[0].key_package.leaf_node)
        for bundle in bundles[1:]:
            self.public, _ = self.public.add(bundle.key_package.leaf_node)
        self.keys = [
            TreePrivateKeys.of_leaf(leaf_index, bundle.leaf_key_pair)
            for leaf_index, bundle in enumerate(bundles)
        ]
        self.signature_keys = [bundle.signature_private_key for bundle in bundles]

    def new_path(self, committer: int) -> OwnPath:
        key = self.signature_keys[committer]
        return update_direct_path(self.public, committer, key, b"group", self.entropy)

    def seal(self, path: OwnPath, added: frozenset[int] = frozenset()) -> UpdatePath:
        return seal_path(path, CONTEXT, added, self.entropy)

    def open(
        self,
        receiver: int,
        committer: int,
        nodes: Nodes,
        context: bytes = CONTEXT,
        added: frozenset[int] = frozenset(),
    ) -> PathSecrets:
        keys = self.keys[receiver]
        return open_path(self.public, committer, nodes, keys, context, added)


sizes = st.integers(2, 9)


@given(st.data(), sizes)
def test_every_other_member_learns_the_commit_secret(data: st.DataObject, size: int) -> None:
    tree = Tree(size)
    committer = data.draw(st.integers(0, size - 1))
    path = tree.new_path(committer)
    sealed = tree.seal(path)

    for receiver in set(range(size)) - {committer}:
        opened = tree.open(receiver, committer, sealed.nodes)
        assert opened.commit_secret == path.secrets.commit_secret
        assert all(path.secrets.key_pairs[node] == pair for node, pair in opened.key_pairs.items())


@given(st.data(), sizes)
def test_a_receiver_learns_keys_above_itself_only(data: st.DataObject, size: int) -> None:
    tree = Tree(size)
    committer, receiver = data.draw(st.permutations(range(size)))[:2]

    opened = tree.open(receiver, committer, tree.seal(tree.new_path(committer)).nodes)

    above = {node for node, _ in tree.public.filtered_direct_path(receiver)}
    assert set(opened.key_pairs) <= above


def test_nothing_is_sealed_to_newcomers() -> None:
    tree = Tree(4)
    path = tree.new_path(0)

    sealed = tree.seal(path, added=frozenset({3}))

    # Node 1 is over leaves 0 and 1, node 3 over all: leaves 2 and 3 are its copath child's resolution.
    assert [len(node.encrypted_path_secret) for node in sealed.nodes] == [1, 1]
    opened = tree.open(2, 0, sealed.nodes, added=frozenset({3}))
    assert opened.commit_secret == path.secrets.commit_secret
    assert refusal(lambda: tree.open(3, 0, sealed.nodes, added=frozenset({3}))) is (
        Rule.PATH_SECRET_MISSING
    )


@pytest.mark.parametrize("suite", CIPHER_SUITES.values(), ids=lambda suite: suite.name)
def test_the_chain_of_path_secrets(suite: CipherSuite) -> None:
    first = Secret(bytes(suite.kdf.Nh))

    path = derive_path(suite, first, [1, 3])

    second = derive_secret(suite.kdf, first, "path")
    assert path.path_secrets == {1: first, 3: second}
    assert path.commit_secret == derive_secret(suite.kdf, second, "path")
    node_secret = derive_secret(suite.kdf, second, "node")
    assert path.key_pairs[3] == suite.hpke.kem.derive_key_pair(node_secret)


def test_the_committers_leaf_is_new_and_signed_for_its_place() -> None:
    tree = Tree(3)
    old = tree.public.leaf(1)
    assert old is not None

    leaf_node = tree.new_path(1).leaf_node

    assert leaf_node.leaf_node_source is LeafNodeSource.COMMIT
    assert leaf_node.encryption_key != old.encryption_key
    assert (leaf_node.signature_key, leaf_node.credential) == (old.signature_key, old.credential)


def test_two_paths_of_one_member_share_no_key() -> None:
    tree = Tree(3)
    one, other = tree.new_path(0), tree.new_path(0)

    assert set(one.secrets.public_keys).isdisjoint(other.secrets.public_keys)
    assert one.leaf_key_pair.public != other.leaf_key_pair.public


def test_secrets_of_a_path_are_not_printed() -> None:
    path = Tree(3).new_path(0)

    for secret in (path.secrets.commit_secret, path.leaf_key_pair.private):
        assert repr(bytes(secret)) not in repr(path) + repr(path.secrets)


class TestAPathThatLies:
    """Leaf 0 commits in a tree of four; leaf 2 receives."""

    def refused(self, change: Callable[[Nodes], Nodes], context: bytes = CONTEXT) -> Rule:
        tree = Tree(4)
        nodes = change(tree.seal(tree.new_path(0)).nodes)
        return refusal(lambda: tree.open(2, 0, nodes, context))

    def test_with_another_public_key_at_the_root(self) -> None:
        other = SUITE.hpke.kem.generate_key_pair(SeededEntropy(b"other")).public

        def exchange(nodes: Nodes) -> Nodes:
            return (*nodes[:-1], replace(nodes[-1], encryption_key=other))

        assert self.refused(exchange) is Rule.PATH_SECRET_WRONG_KEY

    def test_with_a_changed_ciphertext(self) -> None:
        def flip(nodes: Nodes) -> Nodes:
            sealed = nodes[-1].encrypted_path_secret
            changed = [
                HPKECiphertext(one.kem_output, bytes([one.ciphertext[0] ^ 1]) + one.ciphertext[1:])
                for one in sealed
            ]
            return (*nodes[:-1], replace(nodes[-1], encrypted_path_secret=tuple(changed)))

        assert self.refused(flip) is Rule.PATH_SECRET_NOT_AUTHENTIC

    def test_with_what_is_no_encapsulation(self) -> None:
        def shorten(nodes: Nodes) -> Nodes:
            sealed = (HPKECiphertext(b"", b""),) * len(nodes[-1].encrypted_path_secret)
            return (*nodes[:-1], replace(nodes[-1], encrypted_path_secret=sealed))

        assert self.refused(shorten) is Rule.PATH_SECRET_NOT_AUTHENTIC

    def test_with_the_ciphertexts_of_two_members_exchanged(self) -> None:
        def swap(nodes: Nodes) -> Nodes:
            sealed = nodes[-1].encrypted_path_secret[::-1]
            return (*nodes[:-1], replace(nodes[-1], encrypted_path_secret=sealed))

        assert self.refused(swap) is Rule.PATH_SECRET_NOT_AUTHENTIC

    def test_sealed_in_another_context(self) -> None:
        assert self.refused(lambda nodes: nodes, b"other") is Rule.PATH_SECRET_NOT_AUTHENTIC


def refusal(action: Callable[[], object]) -> Rule:
    with pytest.raises(ValidationError) as refused:
        action()
    assert isinstance(refused.value.reason, Rule)
    return refused.value.reason
