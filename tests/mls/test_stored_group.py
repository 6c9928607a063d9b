"""What is checked of a stored group, each rule by bytes that break it and nothing else."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.cipher_suite import CIPHER_SUITES, CipherSuite, cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.errors import E2EEError
from e2ee.mls.errors import Rule, StorageError
from e2ee.mls.framing import Sender, WireFormat
from e2ee.mls.group import Group
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Proposal, Remove
from e2ee.mls.stored_format import StoredKind, unwrap, wrap
from e2ee.mls.stored_group import StoredGroup, StoredMemberKeys
from e2ee.testing.mls_members import Assembly, receiving, sending, snapshot


def stored_group(group: Group) -> StoredGroup:
    return StoredGroup.decode(unwrap(StoredKind.GROUP, group.serialize()))


def refusal(stored: StoredGroup) -> Rule:
    """Why this is no group, though its envelope is in order."""
    with pytest.raises(StorageError) as refused:
        Group.deserialize(wrap(StoredKind.GROUP, stored.encode()))
    assert isinstance(refused.value.reason, Rule)
    return refused.value.reason


def with_keys(stored: StoredGroup, **changes: Any) -> StoredGroup:
    assert stored.keys is not None
    return replace(stored, keys=replace(stored.keys, **changes))


def keys_of(stored: StoredGroup) -> StoredMemberKeys:
    assert stored.keys is not None
    return stored.keys


@pytest.fixture
def lived(assembly: Assembly) -> Group:
    """Alice, among five, with two proposals of her own and one of bob's, and with messages that were overtaken."""
    assembly.commit("carol", assembly.add("dave"), assembly.add("erin"))
    alice, bob = assembly.groups["alice"], assembly.groups["bob"]
    said = [assembly.tell("bob", b"%d" % n) for n in range(3)]
    alice.receive(said[2], policy=receiving())
    assembly.tell("alice", b"mine")
    for _ in range(2):
        alice.propose_update(entropy=assembly.entropy)
    removal = bob.propose(
        Remove(2),
        policy=sending(),
        entropy=assembly.entropy,
        wire_format=WireFormat.PRIVATE_MESSAGE,
    )
    alice.receive(removal.message, policy=receiving())
    return alice


@pytest.fixture
def stored(lived: Group) -> StoredGroup:
    return stored_group(lived)


@pytest.mark.parametrize("suite", CIPHER_SUITES.values(), ids=lambda suite: suite.name)
def test_in_every_suite(suite: CipherSuite, hybrid_entropy: SeededEntropy) -> None:
    assembly = Assembly(suite, hybrid_entropy, "alice", "bob")
    alice = assembly.groups["alice"]

    again = Group.deserialize(alice.serialize())

    assert snapshot(again) == snapshot(alice)
    assert again.cipher_suite is suite


def test_all_of_it_comes_back(lived: Group) -> None:
    before = snapshot(lived)

    again = Group.deserialize(bytes(lived.serialize()))

    assert snapshot(lived) == before
    assert snapshot(again) == before
    assert list(again.proposals) == list(lived.proposals)
    assert again.serialize() == lived.serialize()


def test_what_it_holds(stored: StoredGroup, lived: Group) -> None:
    keys = keys_of(stored)

    assert len(stored.proposals) == 3
    assert len(keys.own_updates) == 2
    assert [key.node_index for key in keys.tree] == [0, 1, 3, 7]
    assert [leaf.leaf_index for leaf in stored.secret_tree.leaves] == [0, 1]


@cache
def example() -> tuple[bytes, tuple[MLSMessage, ...]]:
    """The body of a stored group, and messages that it can receive."""
    entropy = SeededEntropy(b"bytes")
    assembly = Assembly(cipher_suite(0x0001), entropy, "alice", "bob", "carol")
    alice = assembly.groups["alice"]
    overtaken, heard = assembly.tell("bob", b"overtaken"), assembly.tell("bob", b"heard")
    alice.receive(heard, policy=receiving())
    alice.propose_update(entropy=entropy)
    body = unwrap(StoredKind.GROUP, alice.serialize())
    return body, (overtaken, assembly.pending("carol").message)


class TestBytes:
    """Refused, or a group that stands for just these bytes and fails, where it does, with documented errors."""

    @given(st.data())
    def test_a_bit_of_the_body(self, data: st.DataObject) -> None:
        stored = bytearray(example()[0])
        bit = data.draw(st.integers(0, 8 * len(stored) - 1))
        stored[bit // 8] ^= 1 << bit % 8
        self.judge(bytes(stored))

    @given(st.data())
    def test_a_part_of_the_body(self, data: st.DataObject) -> None:
        stored = bytearray(example()[0])
        start = data.draw(st.integers(0, len(stored) - 1))
        del stored[start : data.draw(st.integers(start + 1, len(stored)))]
        self.judge(bytes(stored))

    @given(st.binary(max_size=200))
    def test_any_body(self, body: bytes) -> None:
        self.judge(body)

    def judge(self, body: bytes) -> None:
        stored, entropy = wrap(StoredKind.GROUP, body), SeededEntropy(b"judge")
        try:
            group = Group.deserialize(stored)
        except StorageError:
            return
        assert group.serialize() == stored
        with suppress(E2EEError):
            group.commit(policy=sending(), entropy=entropy)
        for message in example()[1]:
            with suppress(E2EEError):
                group.receive(message, policy=receiving())
        for reference in group.proposals:
            with suppress(E2EEError):
                group.discard_proposal(reference)
        with suppress(E2EEError):
            group.protect(b"data", entropy=entropy)


class TestThePublicGroup:
    def test_a_suite_that_we_do_not_have(self, stored: StoredGroup) -> None:
        context = replace(stored.group_context, cipher_suite=0x7777)
        assert refusal(replace(stored, group_context=context)) is Rule.STORED_CIPHER_SUITE

    def test_no_tree(self, stored: StoredGroup) -> None:
        for tree in (b"", b"\x00", b"\x01\x00", stored.ratchet_tree[:-1]):
            assert refusal(replace(stored, ratchet_tree=tree)) is Rule.STORED_TREE

    def test_the_tree_of_another_epoch(self, stored: StoredGroup, assembly: Assembly) -> None:
        assembly.groups["alice"] = Group.deserialize(assembly.groups["alice"].serialize())
        another = assembly.pending("bob").staged.public.tree.encode()
        assert refusal(replace(stored, ratchet_tree=another)) is Rule.STORED_TREE

    def test_nobody_at_the_own_leaf(self, stored: StoredGroup) -> None:
        for leaf_index in (5, 7, 8, (1 << 32) - 1):
            changed = replace(stored, leaf_index=leaf_index, keys=None)
            assert refusal(changed) is Rule.STORED_TREE

    def test_hashes_of_another_length(self, stored: StoredGroup) -> None:
        for length in (0, 31, 33):
            value = bytes(length)
            assert refusal(replace(stored, confirmation_tag=value)) is Rule.STORED_LENGTH
            context = replace(stored.group_context, confirmed_transcript_hash=value)
            assert refusal(replace(stored, group_context=context)) is Rule.STORED_LENGTH

    def test_nothing_is_confirmed_in_epoch_0(self) -> None:
        alone = Assembly(cipher_suite(0x0001), SeededEntropy(b"alone"), "alice").groups["alice"]
        again = Group.deserialize(alone.serialize())
        assert again.group_context.confirmed_transcript_hash == b""

        stored = stored_group(alone)
        context = replace(stored.group_context, confirmed_transcript_hash=bytes(32))
        assert refusal(replace(stored, group_context=context)) is Rule.STORED_LENGTH


class TestProposals:
    def changed(self, stored: StoredGroup, **changes: Any) -> StoredGroup:
        """Bob's proposal changed."""
        *own, of_bob = stored.proposals
        return replace(stored, proposals=(*own, replace(of_bob, **changes)))

    def sent(self, stored: StoredGroup, **changes: Any) -> StoredGroup:
        return self.changed(stored, sent=replace(stored.proposals[-1].sent, **changes))

    def test_of_nobody(self, stored: StoredGroup) -> None:
        for sender in (
            Sender.member(6),
            Sender.member(1 << 20),
            Sender.external(0),
            Sender.new_member_proposal(),
            Sender.new_member_commit(),
        ):
            assert refusal(self.sent(stored, sender=sender)) is Rule.STORED_PROPOSAL

    def test_one_twice(self, stored: StoredGroup) -> None:
        again = stored.proposals[0].reference
        assert refusal(self.changed(stored, reference=again)) is Rule.STORED_PROPOSAL

    def test_a_reference_of_another_length(self, stored: StoredGroup) -> None:
        assert refusal(self.changed(stored, reference=bytes(31))) is Rule.STORED_LENGTH

    def test_what_cannot_be_checked(self, stored: StoredGroup) -> None:
        """The reference is a hash of a message that was not kept: nothing shows that it is this proposal's."""
        changed = self.sent(stored, proposal=Proposal(Remove(3)))
        Group.deserialize(wrap(StoredKind.GROUP, changed.encode()))


class TestSecrets:
    @pytest.mark.parametrize(
        "name", ["epoch_authenticator", "membership_key", "sender_data_secret"]
    )
    @pytest.mark.parametrize("length", [0, 31, 33])
    def test_of_the_epoch(self, stored: StoredGroup, name: str, length: int) -> None:
        change: dict[str, Any] = {name: Secret(bytes(length))}
        assert refusal(replace(stored, **change)) is Rule.STORED_LENGTH

    @pytest.mark.parametrize(
        "name", ["init_secret", "resumption_psk", "external_secret", "exporter_secret"]
    )
    @pytest.mark.parametrize("length", [0, 31, 33])
    def test_of_the_next_one(self, stored: StoredGroup, name: str, length: int) -> None:
        assert refusal(with_keys(stored, **{name: Secret(bytes(length))})) is Rule.STORED_LENGTH

    def test_of_the_secret_tree(self, stored: StoredGroup) -> None:
        tree = replace(stored.secret_tree, nodes=())
        assert refusal(replace(stored, secret_tree=tree)) is Rule.STORED_SECRET_TREE

    def test_an_erased_exporter_stays_erased(self, lived: Group) -> None:
        lived.erase_exporter()

        again = Group.deserialize(lived.serialize())

        with pytest.raises(E2EEError) as refused:
            again.export("label", b"", 32)
        assert refused.value.reason is Rule.EXPORTER_ERASED
        assert snapshot(again) == snapshot(lived)


class TestKeys:
    def key(self, stored: StoredGroup, place: int, **changes: Any) -> StoredGroup:
        tree = list(keys_of(stored).tree)
        tree[place] = replace(tree[place], **changes)
        return with_keys(stored, tree=tuple(tree))

    @pytest.mark.parametrize("place", range(4))
    def test_of_another_node(self, stored: StoredGroup, place: int) -> None:
        other = keys_of(stored).tree[(place + 1) % 4].private_key
        assert refusal(self.key(stored, place, private_key=other)) is Rule.STORED_KEY

    @pytest.mark.parametrize("length", [0, 31, 33])
    def test_that_is_none(self, stored: StoredGroup, length: int) -> None:
        none = Secret(bytes(length))
        assert refusal(self.key(stored, 0, private_key=none)) is Rule.STORED_KEY
        assert refusal(with_keys(stored, own_updates=(none,))) is Rule.STORED_KEY
        assert refusal(with_keys(stored, signature_private_key=none)) is Rule.STORED_KEY

    def test_of_a_node_that_is_blank_or_not_there(self, stored: StoredGroup) -> None:
        for x in (9, 13, 14, 15, 1 << 20):
            assert refusal(self.key(stored, 3, node_index=x)) is Rule.STORED_KEY

    def test_of_a_node_that_is_not_above_us(self, stored: StoredGroup, assembly: Assembly) -> None:
        """The tree invariant: it is the key of that node, and it is not ours to know."""
        bob = assembly.groups["bob"]._require_keys().tree.key_pairs[2]
        *others, above, top = keys_of(stored).tree
        theirs = replace(top, node_index=2, private_key=bob.private)
        assert refusal(with_keys(stored, tree=(*others, theirs, above, top))) is Rule.STORED_KEY

    @pytest.mark.parametrize("place", range(4))
    def test_that_is_missing(self, stored: StoredGroup, place: int) -> None:
        tree = keys_of(stored).tree
        changed = with_keys(stored, tree=tree[:place] + tree[place + 1 :])
        assert refusal(changed) is Rule.STORED_KEY_MISSING

    def test_in_order(self, stored: StoredGroup) -> None:
        keys = keys_of(stored)
        assert refusal(with_keys(stored, tree=keys.tree[::-1])) is Rule.STORED_ORDER
        swapped = with_keys(stored, own_updates=keys.own_updates[::-1])
        assert refusal(swapped) is Rule.STORED_ORDER

    def test_the_signature_key_of_somebody_else(
        self, stored: StoredGroup, assembly: Assembly
    ) -> None:
        theirs = assembly.groups["bob"]._require_keys().signature_private_key
        assert refusal(with_keys(stored, signature_private_key=theirs)) is Rule.STORED_KEY

    def test_as_if_we_were_somebody_else(self, stored: StoredGroup) -> None:
        assert refusal(replace(stored, leaf_index=1)) is Rule.STORED_KEY

    def test_of_the_own_updates(self, stored: StoredGroup, assembly: Assembly) -> None:
        one, other = keys_of(stored).own_updates
        fresh = assembly.suite.hpke.kem.generate_key_pair(assembly.entropy).private
        for own in ((), (one,), (other,), (fresh,)):
            assert refusal(with_keys(stored, own_updates=own)) is Rule.STORED_KEY
        surplus = replace(stored, proposals=stored.proposals[1:])
        assert refusal(surplus) is Rule.STORED_KEY

    def test_an_update_of_somebody_else_needs_no_key(
        self, lived: Group, assembly: Assembly
    ) -> None:
        theirs = assembly.groups["erin"].propose_update(entropy=assembly.entropy)
        lived.receive(theirs.message, policy=receiving())

        assert snapshot(Group.deserialize(lived.serialize())) == snapshot(lived)


class TestTheEndOfAnEpoch:
    def test_it_opens_what_comes_late_and_nothing_else(self, assembly: Assembly) -> None:
        late, old = assembly.tell("bob", b"late"), assembly.groups["alice"]
        assembly.commit("carol")

        again = Group.deserialize(old.serialize())

        assert snapshot(again) == snapshot(old)
        assert again.is_over
        assert again.receive(late, policy=receiving()).data == b"late"  # type: ignore[union-attr]
        with pytest.raises(E2EEError) as refused:
            again.commit(policy=sending(), entropy=assembly.entropy)
        assert refused.value.reason is Rule.EPOCH_IS_OVER
        assert stored_group(again).keys is None
