"""mls/treekem.json, both halves: following the given UpdatePaths, and making one that everybody can follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from e2ee.crypto.cipher_suite import CipherSuite, cipher_suite
from e2ee.crypto.kem import KeyPair
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.mls.group_context import GroupContext, ProtocolVersion
from e2ee.mls.parent_hash import set_path
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.tree_hash import tree_hash
from e2ee.mls.tree_private_keys import TreePrivateKeys
from e2ee.mls.treekem import PathSecrets, derive_path, open_path, seal_path, update_direct_path
from e2ee.mls.update_path import UpdatePath
from tests.official.conftest import CASES

Case = dict[str, Any]
Cases = Callable[[str], list[tuple[int, Case]]]


@dataclass
class Group:
    """A case's public tree and every member's private keys."""

    case: Case

    def __post_init__(self) -> None:
        self.suite: CipherSuite = cipher_suite(self.case["cipher_suite"])
        self.tree = RatchetTree.decode(self.suite, octets(self.case["ratchet_tree"]))
        self.private_keys = {
            leaf["index"]: self.keys_of(leaf) for leaf in self.case["leaves_private"]
        }
        self.signature_keys = {
            leaf["index"]: Secret(octets(leaf["signature_priv"]))
            for leaf in self.case["leaves_private"]
        }

    def keys_of(self, leaf: Case) -> TreePrivateKeys:
        node = self.tree.leaf(leaf["index"])
        assert node is not None
        private = Secret(octets(leaf["encryption_priv"]))
        public = self.suite.hpke.kem.public_key(private)
        assert public == node.encryption_key
        keys = TreePrivateKeys.of_leaf(leaf["index"], KeyPair(private, public))
        for known in leaf["path_secrets"]:
            secret = Secret(octets(known["path_secret"]))
            keys = keys.with_key_pairs(derive_path(self.suite, secret, [known["node"]]).key_pairs)
        return keys

    def context(self, tree: RatchetTree) -> bytes:
        return GroupContext(
            version=ProtocolVersion.MLS10,
            cipher_suite=self.suite.code_point,
            group_id=octets(self.case["group_id"]),
            epoch=self.case["epoch"],
            tree_hash=tree_hash(tree),
            confirmed_transcript_hash=octets(self.case["confirmed_transcript_hash"]),
            extensions=(),
        ).encode()

    def after(self, sender: int, path: UpdatePath) -> RatchetTree:
        with_path, parent_hash = set_path(
            self.tree, sender, [node.encryption_key for node in path.nodes]
        )
        assert path.leaf_node.parent_hash == parent_hash
        return with_path.with_leaf(sender, path.leaf_node)

    def open(self, receiver: int, sender: int, path: UpdatePath, tree: RatchetTree) -> PathSecrets:
        keys = self.private_keys[receiver].kept_in(tree)
        return open_path(tree, sender, path.nodes, keys, self.context(tree), frozenset())


def octets(value: str) -> bytes:
    return bytes.fromhex(value)


@pytest.fixture(params=CASES["treekem"], ids="{:#06x}".format)
def groups(mls_cases: Cases, request: pytest.FixtureRequest) -> list[tuple[int, Group]]:
    """The cases of one suite after the other."""
    return [
        (number, Group(case))
        for number, case in mls_cases("treekem")
        if case["cipher_suite"] == request.param
    ]


def test_private_keys_belong_to_the_tree(
    groups: list[tuple[int, Group]], subtests: pytest.Subtests
) -> None:
    for number, group in groups:
        for leaf_index, keys in group.private_keys.items():
            with subtests.test(case=number, leaf_index=leaf_index):
                assert keys.kept_in(group.tree).key_pairs == keys.key_pairs


def test_every_member_follows_the_update_paths_of_others(
    groups: list[tuple[int, Group]], subtests: pytest.Subtests
) -> None:
    for number, group in groups:
        for given in group.case["update_paths"]:
            with subtests.test(case=number, sender=given["sender"]):
                follow(group, given)


def follow(group: Group, given: Case) -> None:
    sender, path = given["sender"], UpdatePath.decode(octets(given["update_path"]))
    tree = group.after(sender, path)
    assert tree_hash(tree).hex() == given["tree_hash_after"]
    for receiver in group.private_keys.keys() - {sender}:
        opened = group.open(receiver, sender, path, tree)
        first = next(iter(opened.path_secrets.values()))
        assert first.hex() == given["path_secrets"][receiver]
        assert opened.commit_secret.hex() == given["commit_secret"]


def test_every_member_follows_the_update_paths_that_we_make(
    groups: list[tuple[int, Group]], subtests: pytest.Subtests
) -> None:
    for number, group in groups:
        for sender in group.private_keys:
            with subtests.test(case=number, sender=sender):
                make(group, sender)


def make(group: Group, sender: int) -> None:
    entropy = SeededEntropy(b"treekem")
    own = update_direct_path(
        group.tree, sender, group.signature_keys[sender], octets(group.case["group_id"]), entropy
    )
    made = seal_path(own, group.context(own.tree), frozenset(), entropy)
    tree = group.after(sender, UpdatePath.decode(made.encode()))
    assert tree == own.tree
    for receiver in group.private_keys.keys() - {sender}:
        opened = group.open(receiver, sender, made, tree)
        assert opened.commit_secret == own.secrets.commit_secret
