"""The deletion schedule of RFC 9420 Section 9.2, the out-of-order window, and what a failure leaves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.mls.errors import Rule, UsageError, ValidationError
from e2ee.mls.labels import expand_with_label
from e2ee.mls.ratchet_limits import RatchetLimits
from e2ee.mls.secret_tree import END_OF_RATCHET, MessageKey, Ratchet, RatchetType, SecretTree
from e2ee.testing.mls_members import snapshot

SUITE = cipher_suite(0x0001)
ENCRYPTION_SECRET = Secret(bytes(range(32)))
LIMITS = RatchetLimits()
APPLICATION, HANDSHAKE = RatchetType.APPLICATION, RatchetType.HANDSHAKE

leaf_indices = st.integers(0, 7)
ratchet_types = st.sampled_from(RatchetType)


def new_tree(leaf_count: int = 8) -> SecretTree:
    return SecretTree.of_root(SUITE, leaf_count, ENCRYPTION_SECRET)


def use(
    tree: SecretTree,
    generation: int,
    leaf_index: int = 0,
    ratchet: RatchetType = APPLICATION,
    limits: RatchetLimits = LIMITS,
) -> tuple[bytes, bytes]:
    with tree.key(leaf_index, ratchet, generation, limits) as key:
        return plain(key)


def plain(key: MessageKey) -> tuple[bytes, bytes]:
    return bytes(key.key), bytes(key.nonce)


def refusal(
    tree: SecretTree, generation: int, leaf_index: int = 0, limits: RatchetLimits = LIMITS
) -> Rule:
    before = snapshot(tree)
    with pytest.raises(ValidationError) as refused:
        use(tree, generation, leaf_index, limits=limits)
    assert isinstance(refused.value.reason, Rule)
    assert snapshot(tree) == before
    return refused.value.reason


@pytest.fixture
def tree() -> SecretTree:
    return new_tree()


@given(leaf_indices, ratchet_types, st.integers(0, 100))
def test_sender_and_receiver_derive_the_same_keys(
    leaf_index: int, ratchet: RatchetType, generation: int
) -> None:
    sender, receiver = new_tree(), new_tree()
    for _ in range(generation + 1):
        with sender.next_key(leaf_index, ratchet) as sent:
            pass

    assert sent.generation == generation
    assert use(receiver, generation, leaf_index, ratchet) == plain(sent)


def test_no_two_messages_share_a_key_or_a_nonce(tree: SecretTree) -> None:
    pairs = [
        use(tree, generation, leaf_index, ratchet)
        for leaf_index in range(8)
        for ratchet in RatchetType
        for generation in range(3)
    ]

    assert len({key for key, _ in pairs}) == len({nonce for _, nonce in pairs}) == 48


@given(st.permutations(range(20)))
def test_messages_open_in_any_order_inside_the_window(order: list[int]) -> None:
    in_order, shuffled = new_tree(), new_tree()
    expected = {generation: use(in_order, generation) for generation in range(20)}

    assert {generation: use(shuffled, generation) for generation in order} == expected


@given(leaf_indices, st.lists(st.integers(0, 40), unique=True, min_size=1))
def test_a_used_key_is_gone(leaf_index: int, generations: list[int]) -> None:
    tree = new_tree()
    for generation in generations:
        use(tree, generation, leaf_index)

    for generation in generations:
        assert refusal(tree, generation, leaf_index) is Rule.GENERATION_CONSUMED


def test_a_block_that_fails_consumes_nothing(tree: SecretTree) -> None:
    before = snapshot(tree)
    with pytest.raises(RuntimeError, match="bad tag"), tree.key(3, APPLICATION, 5, LIMITS) as lent:
        raise RuntimeError("bad tag")
    assert snapshot(tree) == before

    assert use(tree, 5, leaf_index=3) == plain(lent)
    assert refusal(tree, 5, leaf_index=3) is Rule.GENERATION_CONSUMED
    use(tree, 0, leaf_index=3)


def test_a_send_that_fails_consumes_nothing(tree: SecretTree) -> None:
    with pytest.raises(RuntimeError, match="no entropy"), tree.next_key(3, APPLICATION):
        raise RuntimeError("no entropy")

    with tree.next_key(3, APPLICATION) as key:
        assert key.generation == 0


class TestTheWindow:
    """Section 15.3: how many keys are kept, and how far a ratchet is followed."""

    def test_it_forgets_keys_that_were_skipped_too_long_ago(self, tree: SecretTree) -> None:
        use(tree, LIMITS.out_of_order + 5)

        assert refusal(tree, 4) is Rule.GENERATION_CONSUMED
        use(tree, 5)

    def test_it_moves_with_every_newer_message(self, tree: SecretTree) -> None:
        use(tree, 1)
        for generation in range(2, LIMITS.out_of_order + 2):
            use(tree, generation)

        assert refusal(tree, 0) is Rule.GENERATION_CONSUMED

    def test_a_message_may_not_claim_to_be_far_ahead(self, tree: SecretTree) -> None:
        assert refusal(tree, LIMITS.jump + 1) is Rule.GENERATION_TOO_FAR_AHEAD
        assert refusal(tree, END_OF_RATCHET - 1) is Rule.GENERATION_TOO_FAR_AHEAD

        use(tree, LIMITS.jump)
        use(tree, 2 * LIMITS.jump + 1)

    @given(
        st.builds(RatchetLimits, st.integers(0, 6), st.integers(0, 9)),
        st.lists(st.integers(0, 20), min_size=1, max_size=20),
    )
    def test_it_is_what_the_limits_say(self, limits: RatchetLimits, generations: list[int]) -> None:
        """Against a model that knows nothing of keys: which generations were used, and where the ratchet stands."""
        tree, ahead, used = new_tree(), 0, set[int]()
        for generation in generations:
            if generation >= ahead + limits.jump + 1:
                due = Rule.GENERATION_TOO_FAR_AHEAD
            elif generation in used or generation < ahead - 1 - limits.out_of_order:
                due = Rule.GENERATION_CONSUMED
            else:
                use(tree, generation, limits=limits)
                used, ahead = used | {generation}, max(ahead, generation + 1)
                continue
            assert refusal(tree, generation, limits=limits) is due

        kept = tree.leaves[0][APPLICATION].skipped if used else {}
        assert len(kept) <= limits.out_of_order

    def test_a_narrower_one_forgets_with_the_next_newer_message(self, tree: SecretTree) -> None:
        use(tree, 10)
        use(tree, 11, limits=RatchetLimits(out_of_order=2))

        assert refusal(tree, 8) is Rule.GENERATION_CONSUMED
        use(tree, 9)

    def test_without_one_messages_come_in_order_or_not_at_all(self, tree: SecretTree) -> None:
        strict = RatchetLimits(out_of_order=0, jump=0)

        assert refusal(tree, 1, limits=strict) is Rule.GENERATION_TOO_FAR_AHEAD
        for generation in range(3):
            use(tree, generation, limits=strict)
        assert tree.leaves[0][APPLICATION].skipped == {}

    def test_the_last_generation_is_sent_and_then_no_more(self) -> None:
        last = Ratchet(Secret(bytes(32)), generation=END_OF_RATCHET - 1)

        key, after = last.use(SUITE, END_OF_RATCHET - 1, LIMITS)

        assert key.generation == END_OF_RATCHET - 1
        tree = SecretTree(SUITE, 1, {}, {0: {APPLICATION: after, HANDSHAKE: after}})
        with pytest.raises(UsageError) as refused, tree.next_key(0, APPLICATION):
            pytest.fail("a generation beyond uint32")  # pragma: no cover
        assert refused.value.reason is Rule.RATCHET_EXHAUSTED
        assert refusal(tree, END_OF_RATCHET - 1) is Rule.GENERATION_CONSUMED


def test_handshake_and_application_ratchets_are_apart(tree: SecretTree) -> None:
    application = use(tree, 0, 2, APPLICATION)

    assert use(tree, 0, 2, HANDSHAKE) != application


class TestDeletionSchedule:
    """Section 9.2's example: D's message of generation 1 is opened before that of generation 0."""

    def held(self, tree: SecretTree) -> set[bytes]:
        return set(every_secret(tree))

    def test_what_was_consumed_is_deleted_and_nothing_else(self) -> None:
        tree, kdf = new_tree(leaf_count=4), SUITE.kdf
        secret_f = expand_with_label(kdf, ENCRYPTION_SECRET, "tree", b"right", kdf.Nh)
        secret_e = expand_with_label(kdf, ENCRYPTION_SECRET, "tree", b"left", kdf.Nh)
        secret_d = expand_with_label(kdf, secret_f, "tree", b"right", kdf.Nh)
        secret_c = expand_with_label(kdf, secret_f, "tree", b"left", kdf.Nh)
        ratchet = [Ratchet(expand_with_label(kdf, secret_d, "application", b"", kdf.Nh))]
        keys = []
        for generation in range(2):
            key, after = ratchet[-1].use(SUITE, generation, LIMITS)
            keys.append(key)
            ratchet.append(after)
        handshake_0 = expand_with_label(kdf, secret_d, "handshake", b"", kdf.Nh)

        use(tree, 1, leaf_index=3)

        consumed = [ENCRYPTION_SECRET, secret_f, secret_d, ratchet[0].secret, ratchet[1].secret]
        consumed += [keys[1].key, keys[1].nonce]
        kept = [secret_e, secret_c, ratchet[2].secret, handshake_0, keys[0].key, keys[0].nonce]
        assert self.held(tree) == {bytes(secret) for secret in kept}
        assert self.held(tree).isdisjoint(bytes(secret) for secret in consumed)

    @given(st.lists(st.tuples(leaf_indices, st.integers(0, 6)), unique=True))
    def test_a_leaf_is_derived_only_when_its_member_speaks(
        self, messages: list[tuple[int, int]]
    ) -> None:
        tree = new_tree()
        for leaf_index, generation in messages:
            use(tree, generation, leaf_index)

        assert set(tree.leaves) == {leaf_index for leaf_index, _ in messages}
        assert all(2 * leaf not in tree.nodes for leaf in tree.leaves)


def every_secret(tree: SecretTree) -> Iterator[bytes]:
    yield from (bytes(secret) for secret in tree.nodes.values())
    for by_type in tree.leaves.values():
        for ratchet in by_type.values():
            yield bytes(ratchet.secret)
            for key in ratchet.skipped.values():
                yield from plain(key)
