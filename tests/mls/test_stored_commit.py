"""An own commit outlives its client, and is merged in the epoch that it was made in and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.errors import LocalProtocolError
from e2ee.mls.committing import PendingCommit
from e2ee.mls.errors import Rule, StorageError, UsageError
from e2ee.mls.extension import Extension, ExtensionType
from e2ee.mls.framing import WireFormat
from e2ee.mls.group import Group
from e2ee.mls.proposal import GroupContextExtensions, ReInit, Remove
from e2ee.mls.stored_commit import StoredPendingCommit
from e2ee.mls.stored_format import StoredKind, unwrap, wrap
from e2ee.testing.mls_members import Assembly, receiving, snapshot


def stored_commit(pending: PendingCommit) -> StoredPendingCommit:
    return StoredPendingCommit.decode(unwrap(StoredKind.PENDING_COMMIT, pending.serialize()))


def refusal(group: Group, stored: bytes | StoredPendingCommit) -> Rule:
    if isinstance(stored, StoredPendingCommit):
        stored = wrap(StoredKind.PENDING_COMMIT, stored.encode())
    before = snapshot(group)
    with pytest.raises(LocalProtocolError) as refused:
        group.restore_commit(stored)
    assert snapshot(group) == before
    assert isinstance(refused.value.reason, Rule)
    return refused.value.reason


def crash(assembly: Assembly, pending: PendingCommit) -> PendingCommit:
    """Alice's client ends, and begins again with what was stored."""
    stored = assembly.groups["alice"].serialize(), pending.serialize()
    assembly.groups["alice"] = Group.deserialize(stored[0])
    return assembly.groups["alice"].restore_commit(stored[1])


@pytest.fixture
def pending(assembly: Assembly) -> PendingCommit:
    """Alice's commit that adds dave, removes carol and applies bob's Update."""
    bob = assembly.groups["bob"].propose_update(entropy=assembly.entropy)
    assembly.groups["alice"].receive(bob.message, policy=receiving())
    return assembly.pending(
        "alice",
        assembly.add("dave"),
        Remove(2),
        references=[bob.reference],
        authenticated_data=b"x",
    )


@pytest.mark.parametrize("wire_format", [WireFormat.PUBLIC_MESSAGE, WireFormat.PRIVATE_MESSAGE])
def test_after_a_crash_the_commit_is_merged(assembly: Assembly, wire_format: WireFormat) -> None:
    pending = assembly.pending(
        "alice", assembly.add("dave"), Remove(2), wire_format=wire_format, authenticated_data=b"x"
    )

    again = crash(assembly, pending)
    assembly.deliver("alice", again)

    assert set(assembly.groups) == {"alice", "bob", "dave"}
    assert assembly.agree()
    assembly.commit("dave")
    assembly.commit("alice")
    assert assembly.agree()


def test_all_of_it_comes_back(assembly: Assembly, pending: PendingCommit) -> None:
    before = snapshot(pending)

    again = crash(assembly, pending)

    assert snapshot(pending) == before
    assert snapshot(again) == before
    assert again.staged.removed == (2,)
    assert again.staged.updated == (1,)
    assert [added.leaf_index for added in again.staged.added] == [2]
    assert again.serialize() == pending.serialize()


def test_a_commit_without_a_path(assembly: Assembly) -> None:
    pending = assembly.pending("alice", assembly.add("dave"), update_path=False)

    again = crash(assembly, pending)

    assert again.staged.public.path is None
    assert snapshot(again) == snapshot(pending)


def test_a_commit_of_other_extensions(assembly: Assembly) -> None:
    required = Extension(ExtensionType.REQUIRED_CAPABILITIES, bytes(3))
    pending = assembly.pending("alice", GroupContextExtensions((required,)))

    again = crash(assembly, pending)

    assert again.staged.extensions == (required,)
    assert snapshot(again) == snapshot(pending)


def test_a_commit_that_ends_the_group(assembly: Assembly) -> None:
    reinit = ReInit(b"another group", 1, assembly.suite.code_point, ())

    again = crash(assembly, assembly.pending("alice", reinit))
    ended = assembly.groups["alice"].merge(again.staged)
    restored = Group.deserialize(ended.serialize())

    assert again.staged.reinit == restored.reinit == reinit
    assert snapshot(restored) == snapshot(ended)


def test_what_was_said_with_the_welcome_is_not_said_again(assembly: Assembly) -> None:
    """A commit is stored again after it protected data of its epoch, before these are sent."""
    pending = assembly.pending("alice", assembly.add("dave"))
    said = [pending.protect(b"0", entropy=assembly.entropy)]

    again = crash(assembly, pending)
    said.append(again.protect(b"1", entropy=assembly.entropy))
    assembly.deliver("alice", again)

    bob = assembly.groups["bob"]
    received: list[Any] = [bob.receive(message, policy=receiving()) for message in said]
    assert [(message.generation, message.data) for message in received] == [(0, b"0"), (1, b"1")]


class TestElsewhere:
    def test_in_another_epoch(self, assembly: Assembly, pending: PendingCommit) -> None:
        stored, old = pending.serialize(), assembly.groups["alice"]
        assembly.commit("bob")

        assert refusal(assembly.groups["alice"], stored) is Rule.STAGED_ELSEWHERE
        assert refusal(old, stored) is Rule.EPOCH_IS_OVER

    def test_of_another_member(self, assembly: Assembly, pending: PendingCommit) -> None:
        assert refusal(assembly.groups["bob"], pending.serialize()) is Rule.STORED_COMMIT

    def test_it_is_merged_once(self, assembly: Assembly, pending: PendingCommit) -> None:
        alice = assembly.groups["alice"]
        again = alice.restore_commit(pending.serialize())
        alice.merge(again.staged)

        with pytest.raises(UsageError) as refused:
            alice.merge(pending.staged)
        assert refused.value.reason is Rule.EPOCH_IS_OVER

    def test_a_commit_that_was_made_before_the_crash_belongs_to_the_group_before_it(
        self, assembly: Assembly, pending: PendingCommit
    ) -> None:
        again = Group.deserialize(assembly.groups["alice"].serialize())
        with pytest.raises(UsageError) as refused:
            again.merge(pending.staged)
        assert refused.value.reason is Rule.STAGED_ELSEWHERE


class TestWhatIsChecked:
    def changed(self, pending: PendingCommit, **changes: Any) -> StoredPendingCommit:
        stored = stored_commit(pending)
        return replace(stored, next_epoch=replace(stored.next_epoch, **changes))

    def test_the_next_epoch_is_a_group(self, assembly: Assembly, pending: PendingCommit) -> None:
        alice, short = assembly.groups["alice"], Secret(bytes(31))
        for changes, due in (
            ({"membership_key": short}, Rule.STORED_LENGTH),
            ({"ratchet_tree": assembly.groups["alice"].tree.encode()}, Rule.STORED_TREE),
            ({"keys": None}, Rule.STORED_COMMIT),
        ):
            assert refusal(alice, self.changed(pending, **changes)) is due

    def test_its_exporter_is_not_erased_yet(
        self, assembly: Assembly, pending: PendingCommit
    ) -> None:
        keys = stored_commit(pending).next_epoch.keys
        assert keys is not None
        changed = self.changed(pending, keys=replace(keys, exporter_secret=None))
        assert refusal(assembly.groups["alice"], changed) is Rule.STORED_COMMIT

    def test_it_follows_the_present_one(self, assembly: Assembly, pending: PendingCommit) -> None:
        alice, after = assembly.groups["alice"], pending.staged.group_context
        for context in (
            replace(after, epoch=after.epoch + 1),
            replace(after, group_id=b"another"),
        ):
            changed = self.changed(pending, group_context=context)
            assert refusal(alice, changed) is Rule.STORED_COMMIT

    def test_what_it_applies(self, assembly: Assembly, pending: PendingCommit) -> None:
        stored = stored_commit(pending)
        applied = replace(stored.applied, ratchet_tree=b"\x00")
        alice = assembly.groups["alice"]
        assert refusal(alice, replace(stored, applied=applied)) is Rule.STORED_TREE

    def test_a_group_is_no_commit(self, assembly: Assembly, pending: PendingCommit) -> None:
        alice = assembly.groups["alice"]
        assert refusal(alice, alice.serialize()) is Rule.STORED_KIND
        with pytest.raises(StorageError) as refused:
            Group.deserialize(pending.serialize())
        assert refused.value.reason is Rule.STORED_KIND


@cache
def example() -> tuple[Group, bytes]:
    """A group, and the body of a stored commit of it."""
    assembly = Assembly(cipher_suite(0x0001), SeededEntropy(b"bytes"), "alice", "bob")
    pending = assembly.pending("alice", assembly.add("carol"))
    return assembly.groups["alice"], unwrap(StoredKind.PENDING_COMMIT, pending.serialize())


class TestBytes:
    """Refused, or a commit that stands for just these bytes."""

    @given(st.binary(max_size=100))
    def test_any_body(self, body: bytes) -> None:
        self.judge(body)

    @given(st.data())
    def test_a_bit_of_the_body(self, data: st.DataObject) -> None:
        body = bytearray(example()[1])
        bit = data.draw(st.integers(0, 8 * len(body) - 1))
        body[bit // 8] ^= 1 << bit % 8
        self.judge(bytes(body))

    def judge(self, body: bytes) -> None:
        stored = wrap(StoredKind.PENDING_COMMIT, body)
        try:
            again = example()[0].restore_commit(stored)
        except (StorageError, UsageError):
            return
        assert again.serialize() == stored


def test_nothing_is_stored_of_a_commit_that_leads_nowhere(
    assembly: Assembly, pending: PendingCommit
) -> None:
    removed = replace(
        pending, staged=assembly.stage("bob", assembly.pending("alice", Remove(1)).message)
    )

    with pytest.raises(UsageError) as refused:
        removed.serialize()
    assert refused.value.reason is Rule.REMOVED_FROM_GROUP
