"""A secret tree comes back from its store as it was, or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.errors import E2EEError
from e2ee.mls.errors import Rule, StorageError
from e2ee.mls.ratchet_limits import RatchetLimits
from e2ee.mls.secret_tree import END_OF_RATCHET, RatchetType, SecretTree
from e2ee.mls.stored_secret_tree import StoredLeaf, StoredSecretTree
from e2ee.testing.mls_members import snapshot

SUITE = cipher_suite(0x0001)
LEAVES = 8
ROOT = Secret(bytes(range(32)))
APPLICATION, HANDSHAKE = RatchetType.APPLICATION, RatchetType.HANDSHAKE

messages = st.lists(
    st.tuples(st.integers(0, LEAVES - 1), st.sampled_from(RatchetType), st.integers(0, 5))
)


def new_tree() -> SecretTree:
    return SecretTree.of_root(SUITE, LEAVES, ROOT)


def use(tree: SecretTree, leaf_index: int, ratchet: RatchetType, generation: int) -> Any:
    """The key, or the reason why there is none."""
    try:
        with tree.key(leaf_index, ratchet, generation, RatchetLimits()) as key:
            return snapshot(key)
    except E2EEError as error:
        return error.reason


def restored(tree: SecretTree) -> SecretTree:
    stored = StoredSecretTree.decode(StoredSecretTree.of(tree).encode())
    return stored.restore(SUITE, LEAVES)


def refusal(stored: StoredSecretTree, leaf_count: int = LEAVES) -> Rule:
    with pytest.raises(StorageError) as refused:
        stored.restore(SUITE, leaf_count)
    assert isinstance(refused.value.reason, Rule)
    return refused.value.reason


@given(messages, messages)
def test_it_gives_the_keys_that_it_would_have_given(before: Any, after: Any) -> None:
    tree = new_tree()
    for message in before:
        use(tree, *message)

    again = restored(tree)

    assert snapshot(again) == snapshot(tree)
    assert [use(again, *message) for message in after] == [use(tree, *m) for m in after]
    assert snapshot(again) == snapshot(tree)


def test_an_exhausted_ratchet_stays_exhausted() -> None:
    stored = of_messages((0, APPLICATION, 0))

    changed = with_ratchet(stored, generation=END_OF_RATCHET, skipped=())

    tree = changed.restore(SUITE, LEAVES)
    assert tree.leaves[0][APPLICATION].generation == END_OF_RATCHET
    assert snapshot(restored(tree)) == snapshot(tree)
    assert refusal(with_ratchet(stored, generation=END_OF_RATCHET + 1)) is Rule.STORED_GENERATION


def of_messages(*used: tuple[int, RatchetType, int]) -> StoredSecretTree:
    tree = new_tree()
    for message in used:
        use(tree, *message)
    return StoredSecretTree.of(tree)


def with_leaf(stored: StoredSecretTree, **changes: Any) -> StoredSecretTree:
    """The first leaf changed."""
    return replace(stored, leaves=(replace(stored.leaves[0], **changes), *stored.leaves[1:]))


def with_ratchet(stored: StoredSecretTree, **changes: Any) -> StoredSecretTree:
    """The first leaf's application ratchet changed."""
    return with_leaf(stored, application=replace(stored.leaves[0].application, **changes))


@pytest.fixture
def spoken() -> StoredSecretTree:
    """Leaf 2 has sent its generations 0 to 3, of which 0 and 2 were overtaken; leaf 3 its first handshake."""
    return of_messages((2, APPLICATION, 1), (2, APPLICATION, 3), (3, HANDSHAKE, 0))


class TestTheTreeIsCoveredOnce:
    def test_as_it_is(self, spoken: StoredSecretTree) -> None:
        assert [node.node_index for node in spoken.nodes] == [1, 11]
        assert [leaf.leaf_index for leaf in spoken.leaves] == [2, 3]

    def test_no_node_is_missing(self, spoken: StoredSecretTree) -> None:
        assert refusal(replace(spoken, nodes=spoken.nodes[:1])) is Rule.STORED_SECRET_TREE
        assert refusal(replace(spoken, nodes=())) is Rule.STORED_SECRET_TREE

    def test_no_leaf_is_missing(self, spoken: StoredSecretTree) -> None:
        assert refusal(replace(spoken, leaves=spoken.leaves[:1])) is Rule.STORED_SECRET_TREE

    def test_no_secret_of_a_used_key_is_back(self, spoken: StoredSecretTree) -> None:
        """Two keys for one generation: the ratchet's, and that of the node which it came from."""
        for x in (3, 4, 7):
            old = replace(spoken.nodes[0], node_index=x)
            nodes = sorted((*spoken.nodes, old), key=lambda node: node.node_index)
            assert refusal(replace(spoken, nodes=tuple(nodes))) is Rule.STORED_SECRET_TREE

    def test_it_is_that_of_the_ratchet_tree(self, spoken: StoredSecretTree) -> None:
        assert refusal(spoken, LEAVES * 2) is Rule.STORED_SECRET_TREE
        assert refusal(spoken, LEAVES // 2) is Rule.STORED_SECRET_TREE
        beyond = replace(spoken.nodes[1], node_index=2 * LEAVES - 1)
        changed = replace(spoken, nodes=(*spoken.nodes, beyond))
        assert refusal(changed) is Rule.STORED_SECRET_TREE

    def test_a_huge_index_costs_nothing(self, spoken: StoredSecretTree) -> None:
        beyond = replace(spoken.nodes[1], node_index=(1 << 31) - 1)
        changed = replace(spoken, nodes=(*spoken.nodes, beyond))
        assert refusal(changed) is Rule.STORED_SECRET_TREE

    def test_in_order(self, spoken: StoredSecretTree) -> None:
        assert refusal(replace(spoken, nodes=spoken.nodes[::-1])) is Rule.STORED_ORDER
        assert refusal(replace(spoken, leaves=spoken.leaves[::-1])) is Rule.STORED_ORDER
        assert refusal(replace(spoken, leaves=spoken.leaves[:1] * 2)) is Rule.STORED_ORDER


class TestRatchets:
    def test_what_was_skipped_was_skipped(self, spoken: StoredSecretTree) -> None:
        application = spoken.leaves[0].application
        assert application.generation == 4
        assert [key.generation for key in application.skipped] == [0, 2]

        for generation in (0, 1, 2):
            assert refusal(with_ratchet(spoken, generation=generation)) is Rule.STORED_GENERATION
        with_ratchet(spoken, generation=3).restore(SUITE, LEAVES)

    def test_each_key_is_kept_once_and_in_order(self, spoken: StoredSecretTree) -> None:
        skipped = spoken.leaves[0].application.skipped

        assert refusal(with_ratchet(spoken, skipped=skipped[::-1])) is Rule.STORED_ORDER
        assert refusal(with_ratchet(spoken, skipped=skipped[:1] * 2)) is Rule.STORED_ORDER

    @pytest.mark.parametrize("field", ["key", "nonce"])
    def test_keys_and_nonces_have_their_lengths(self, spoken: StoredSecretTree, field: str) -> None:
        first, second = spoken.leaves[0].application.skipped
        for length in (0, 11, 13, 15, 17, 32):
            change: dict[str, Any] = {field: Secret(bytes(length))}
            changed = (first, replace(second, **change))
            assert refusal(with_ratchet(spoken, skipped=changed)) is Rule.STORED_LENGTH

    def test_secrets_have_their_lengths(self, spoken: StoredSecretTree) -> None:
        for length in (0, 31, 33):
            short = Secret(bytes(length))
            nodes = (spoken.nodes[0], replace(spoken.nodes[1], secret=short))
            assert refusal(replace(spoken, nodes=nodes)) is Rule.STORED_LENGTH
            assert refusal(with_ratchet(spoken, secret=short)) is Rule.STORED_LENGTH
            handshake = replace(spoken.leaves[0].handshake, secret=short)
            assert refusal(with_leaf(spoken, handshake=handshake)) is Rule.STORED_LENGTH

    def test_the_two_ratchets_are_not_exchanged(self) -> None:
        tree = new_tree()
        due = use(new_tree(), 2, APPLICATION, 1)
        use(tree, 2, APPLICATION, 0)
        leaf: StoredLeaf = StoredSecretTree.of(tree).leaves[0]

        assert (leaf.application.generation, leaf.handshake.generation) == (1, 0)
        assert use(restored(tree), 2, APPLICATION, 1) == due
