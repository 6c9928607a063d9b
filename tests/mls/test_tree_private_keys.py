"""A private key lives exactly as long as its public key stands in its node."""

from __future__ import annotations

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.mls.tree_math import leaf_to_node
from e2ee.mls.tree_private_keys import TreePrivateKeys
from e2ee.testing.mls_members import Assembly

SUITE = cipher_suite(0x0001)
PAIRS = [SUITE.hpke.kem.generate_key_pair(SeededEntropy(bytes([n]))) for n in range(3)]


def private_keys(assembly: Assembly, name: str) -> TreePrivateKeys:
    return assembly.groups[name]._require_keys().tree


def ancestors_known(assembly: Assembly, name: str) -> set[int]:
    keys = private_keys(assembly, name)
    return set(keys.key_pairs) - {leaf_to_node(keys.leaf_index)}


def test_the_newcomer_knows_what_the_committer_set_above_it(assembly: Assembly) -> None:
    # leaves 0 alice, 1 bob, 2 carol:   3      alice's commit set nodes 1 and 3
    #                                 1   5
    #                                0 2 4 6
    assert ancestors_known(assembly, "alice") == {1, 3}
    assert ancestors_known(assembly, "bob") == {1, 3}
    assert ancestors_known(assembly, "carol") == {3}


def test_a_removed_member_blanks_the_keys_above_it(assembly: Assembly) -> None:
    assembly.commit("carol", assembly.remove("bob"))

    # Carol's commit set node 3; bob's removal blanked node 1, and nobody set it since.
    assert ancestors_known(assembly, "alice") == {3}
    assert ancestors_known(assembly, "carol") == {3}


def test_no_key_outlives_its_epoch_in_the_new_group(assembly: Assembly) -> None:
    before = private_keys(assembly, "alice")

    assembly.commit("bob")

    after = private_keys(assembly, "alice")
    own_leaf = leaf_to_node(0)
    assert after.key_pairs[own_leaf] == before.key_pairs[own_leaf]
    for node in (1, 3):
        assert after.key_pairs[node].private != before.key_pairs[node].private


def test_every_key_is_that_of_its_node(assembly: Assembly) -> None:
    assembly.commit("carol", assembly.add("dave"), assembly.add("erin"))
    assembly.commit("erin", assembly.remove("alice"))
    assembly.commit("dave")

    for name, group in assembly.groups.items():
        for node, pair in private_keys(assembly, name).key_pairs.items():
            holder = group.tree.node(node)
            assert holder is not None
            assert holder.encryption_key == pair.public
            assert SUITE.hpke.kem.public_key(pair.private) == pair.public


def test_keys_of_a_part_of_the_tree_that_was_cut_off_are_gone(assembly: Assembly) -> None:
    assembly.commit("alice", assembly.add("dave"), assembly.add("erin"))
    assert assembly.groups["alice"].tree.leaf_count == 8
    assert 7 in ancestors_known(assembly, "alice")

    assembly.commit("bob", assembly.remove("erin"))

    assert assembly.groups["alice"].tree.leaf_count == 4
    assert max(ancestors_known(assembly, "alice")) == 3


def test_the_first_known_node_of_a_resolution_is_found() -> None:
    keys = TreePrivateKeys(0, {0: PAIRS[0], 3: PAIRS[1]})

    assert keys.first_of([5, 3, 0]) == (1, PAIRS[1].private)
    assert keys.first_of([5, 6]) is None


def test_an_update_of_ours_brings_its_key_when_it_is_in_the_tree(assembly: Assembly) -> None:
    keys = private_keys(assembly, "alice")
    updates = {PAIRS[0].public: PAIRS[0]}
    tree = assembly.groups["alice"].tree

    assert keys.kept_in(tree, updates).key_pairs == keys.key_pairs


def test_keys_are_not_printed() -> None:
    printed = repr(TreePrivateKeys.of_leaf(0, PAIRS[0]))

    assert PAIRS[0].private.hex() not in printed
    assert repr(bytes(PAIRS[0].private)) not in printed


def test_a_member_who_knows_less_than_it_should(assembly: Assembly) -> None:
    """Its own key, and those above it that are not blank, unless it came after them."""
    assembly.commit("alice", assembly.add("dave"))
    assembly.commit("bob", assembly.add("erin"))
    tree = assembly.groups["alice"].tree
    for name in ("alice", "bob", "carol", "dave", "erin"):
        keys = private_keys(assembly, name)
        assert keys.missing_in(tree) == []
        for x in keys.key_pairs:
            others = {y: pair for y, pair in keys.key_pairs.items() if y != x}
            assert TreePrivateKeys(keys.leaf_index, others).missing_in(tree) == [x]

    carols = private_keys(assembly, "carol")
    assert set(carols.key_pairs) == {4, 3, 7}
    assert tree.parent_node(5) is None


def test_a_member_that_came_after_a_node_was_set_need_not_know_it(assembly: Assembly) -> None:
    assembly.commit("alice", *map(assembly.add, ("dave", "erin", "frank", "grace")))
    assembly.commit("erin")  # sets node 11 above leaves 4 to 7
    assembly.commit("alice", assembly.add("heidi"))

    tree, keys = assembly.groups["alice"].tree, private_keys(assembly, "heidi")
    node = tree.parent_node(11)

    assert node is not None
    assert node.unmerged_leaves == (keys.leaf_index,)
    assert 11 not in keys.key_pairs
    assert keys.missing_in(tree) == []
