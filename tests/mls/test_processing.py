"""Commits of others: what is wrong is refused for its reason, and the group is as it was and goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from e2ee.crypto.errors import OpenError
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.errors import Reason
from e2ee.mls.commit import Commit, ProposalOrRef
from e2ee.mls.errors import Rule, UsageError, ValidationError
from e2ee.mls.framing import WireFormat
from e2ee.mls.group import StagedCommit
from e2ee.mls.labels import HPKECiphertext, decrypt_with_label
from e2ee.mls.leaf_node_validation import ValidationPolicy
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Add, PreSharedKey, Proposal, Remove
from e2ee.mls.psk import PreSharedKeyID, PskName
from e2ee.mls.public_message import PublicMessage
from e2ee.mls.update_path import UpdatePathNode
from e2ee.testing.mls_members import (
    EVERYBODY,
    NOW,
    Assembly,
    Client,
    Insider,
    receiving,
    sending,
    snapshot,
)

DAY = 24 * 60 * 60 * 1000


def refused(
    assembly: Assembly, name: str, message: MLSMessage, psks: dict[PskName, Secret] | None = None
) -> Reason:
    """Why the member refuses the commit, and that nothing of its group has changed."""
    group = assembly.groups[name]
    before = snapshot(group)
    with pytest.raises(ValidationError) as error:
        group.receive(message, policy=receiving(), psks=psks or {})
    assert snapshot(group) == before
    return error.value.reason


def commit_in(message: MLSMessage) -> Commit:
    assert isinstance(message.body, PublicMessage)
    assert isinstance(message.body.content.content, Commit)
    return message.body.content.content


def insider(assembly: Assembly, name: str) -> Insider:
    return Insider(assembly.groups[name], SeededEntropy(b"insider"))


class TestTheConfirmationTag:
    @pytest.mark.parametrize("length", [0, 31, 32, 33])
    def test_a_wrong_one_leaves_the_group_alive(self, assembly: Assembly, length: int) -> None:
        pending = assembly.pending("alice")
        forged = insider(assembly, "alice").with_auth(
            pending.message, lambda auth: replace(auth, confirmation_tag=bytes(length))
        )

        assert refused(assembly, "bob", forged) is Rule.CONFIRMATION_TAG
        assembly.deliver("alice", pending)
        assert assembly.agree()

    def test_it_shows_that_the_committer_had_the_same_pre_shared_key(
        self, assembly: Assembly
    ) -> None:
        psk = PreSharedKey(PreSharedKeyID.external(b"link", bytes(32)))
        pending = assembly.pending("alice", psk, psks={b"link": Secret(b"right")})

        wrong = refused(assembly, "bob", pending.message, {b"link": Secret(b"wrong")})

        assert wrong is Rule.CONFIRMATION_TAG

    def test_a_missing_pre_shared_key_is_not_replaced_by_anything(self, assembly: Assembly) -> None:
        psk = PreSharedKey(PreSharedKeyID.external(b"link", bytes(32)))
        for key in (b"", bytes(32)):
            pending = assembly.pending("alice", psk, psks={b"link": Secret(key)})

            assert refused(assembly, "bob", pending.message) is Rule.PSK_UNKNOWN


class TestThePath:
    """Alice commits; her path is changed, and signed again by her."""

    def forged(
        self, assembly: Assembly, change: Callable[[UpdatePathNode], UpdatePathNode]
    ) -> MLSMessage:
        commit = commit_in(assembly.pending("alice").message)
        assert commit.path is not None
        nodes = tuple(change(node) for node in commit.path.nodes)
        path = replace(commit.path, nodes=nodes)
        return insider(assembly, "alice").say(replace(commit, path=path))

    def test_with_secrets_that_do_not_open(self, assembly: Assembly) -> None:
        def spoil(node: UpdatePathNode) -> UpdatePathNode:
            spoiled = [
                HPKECiphertext(sealed.kem_output, bytes(len(sealed.ciphertext)))
                for sealed in node.encrypted_path_secret
            ]
            return replace(node, encrypted_path_secret=tuple(spoiled))

        message = self.forged(assembly, spoil)

        assert refused(assembly, "bob", message) is Rule.PATH_SECRET_NOT_AUTHENTIC

    def test_with_too_few_secrets(self, assembly: Assembly) -> None:
        message = self.forged(assembly, lambda node: replace(node, encrypted_path_secret=()))

        assert refused(assembly, "bob", message) is Rule.PATH_CIPHERTEXT_COUNT

    def test_with_a_key_that_its_leaf_did_not_sign(self, assembly: Assembly) -> None:
        kem = assembly.suite.hpke.kem

        def exchange(node: UpdatePathNode) -> UpdatePathNode:
            return replace(node, encryption_key=kem.generate_key_pair(assembly.entropy).public)

        assert refused(assembly, "bob", self.forged(assembly, exchange)) is Rule.PATH_PARENT_HASH

    def test_without_any_at_a_removal(self, assembly: Assembly) -> None:
        commit = Commit((ProposalOrRef.by_value(Proposal(Remove(1))),), path=None)

        message = insider(assembly, "alice").say(commit)

        assert refused(assembly, "bob", message) is Rule.PATH_MISSING


class TestRemoval:
    def test_who_is_removed_sees_it_and_can_go_no_further(self, assembly: Assembly) -> None:
        bob = assembly.groups["bob"]
        pending = assembly.commit("alice", Remove(1))

        staged = bob.receive(pending.message, policy=receiving())

        assert isinstance(staged, StagedCommit)
        assert staged.removes_own_leaf
        assert staged.removed == (1,)
        before = snapshot(bob)
        with pytest.raises(UsageError) as error:
            bob.merge(staged)
        assert error.value.reason is Rule.REMOVED_FROM_GROUP
        assert snapshot(bob) == before

    def test_who_is_removed_opens_nothing_of_the_next_epoch(self, assembly: Assembly) -> None:
        bob = assembly.groups["bob"]
        assembly.commit("alice", Remove(1))
        message = assembly.tell("carol", b"bob is gone")

        with pytest.raises(ValidationError) as error:
            bob.receive(message, policy=receiving())

        assert error.value.reason is Rule.WRONG_EPOCH

    def test_who_is_removed_opens_no_path_secret_with_any_key_it_has(
        self, assembly: Assembly
    ) -> None:
        bob = assembly.groups["bob"]._require_keys().tree
        pending = assembly.commit("alice", Remove(1))
        context = pending.staged.public.provisional_context.encode()

        path = commit_in(pending.message).path
        assert path is not None
        sealed = [one for node in path.nodes for one in node.encrypted_path_secret]
        assert len(sealed) == 1  # for Carol; node 1 above Alice and Bob has nobody else below it
        for pair in bob.key_pairs.values():
            with pytest.raises(OpenError):
                decrypt_with_label(
                    assembly.suite, pair.private, "UpdatePathNode", context, sealed[0]
                )

    def test_the_removed_leaf_is_free_for_the_next_member(self, assembly: Assembly) -> None:
        assembly.commit("alice", Remove(1), assembly.add("dave"))

        assert assembly.groups["dave"].own_leaf_index == 1
        assert assembly.agree()


class TestProposalsByReference:
    def test_an_update_brings_a_new_leaf_key_for_its_sender(self, assembly: Assembly) -> None:
        old = assembly.groups["bob"].tree.leaf(1)
        proposed = assembly.groups["bob"].propose_update(entropy=assembly.entropy)
        for name in ("alice", "carol"):
            assembly.groups[name].receive(proposed.message, policy=receiving())

        pending = assembly.commit("alice", references=(proposed.reference,))

        assert pending.staged.updated == (1,)
        assert assembly.groups["bob"].tree.leaf(1) != old
        assert assembly.agree()
        assembly.commit("carol")
        assembly.commit("bob")
        assert assembly.agree()

    def test_of_several_updates_the_committed_one_counts(self, assembly: Assembly) -> None:
        bob = assembly.groups["bob"]
        proposed = [bob.propose_update(entropy=assembly.entropy) for _ in range(3)]
        for one in proposed:
            for name in ("alice", "carol"):
                assembly.groups[name].receive(one.message, policy=receiving())

        assembly.commit("alice", references=(proposed[1].reference,))
        assembly.commit("carol")

        assert assembly.agree()

    def test_an_update_that_was_not_committed_is_forgotten(self, assembly: Assembly) -> None:
        bob = assembly.groups["bob"]
        bob.propose_update(entropy=assembly.entropy)

        assembly.commit("alice")

        assert bob._own_updates == {}
        assert assembly.groups["bob"]._own_updates == {}

    @pytest.mark.parametrize("wire_format", [WireFormat.PUBLIC_MESSAGE, WireFormat.PRIVATE_MESSAGE])
    def test_a_commit_that_comes_before_its_proposal_can_be_processed_after_it(
        self, assembly: Assembly, wire_format: WireFormat
    ) -> None:
        carol = assembly.groups["carol"]
        proposed = carol.propose(Remove(2), policy=sending(), entropy=assembly.entropy)
        assembly.groups["alice"].receive(proposed.message, policy=receiving())
        pending = assembly.pending(
            "alice", references=(proposed.reference,), wire_format=wire_format
        )

        assert refused(assembly, "bob", pending.message) is Rule.PROPOSAL_REFERENCE_UNKNOWN
        assembly.groups["bob"].receive(proposed.message, policy=receiving())
        assembly.deliver("alice", pending)

        assert assembly.groups.keys() == {"alice", "bob"}
        assert assembly.agree()


class TestTime:
    def message(self, assembly: Assembly, age: int) -> MLSMessage:
        """A commit that adds a KeyPackage which expired ``age`` milliseconds ago, by a committer who does not care."""
        client = Client.make("dave", assembly.suite, assembly.entropy)
        bundle = client.bundle(assembly.entropy, now=NOW - DAY - age)
        careless = ValidationPolicy(EVERYBODY, NOW, tolerance=30 * DAY)
        pending = assembly.groups["alice"].commit(
            proposals=[Add(bundle.key_package)], policy=careless, entropy=assembly.entropy
        )
        return pending.message

    def test_a_receiver_tolerates_a_day(self, assembly: Assembly) -> None:
        message = self.message(assembly, DAY - 1000)

        assert assembly.stage("bob", message).added

    def test_and_no_more(self, assembly: Assembly) -> None:
        message = self.message(assembly, DAY + 1000)

        assert refused(assembly, "bob", message) is Rule.LEAF_EXPIRED


class TestEpochs:
    def test_a_commit_of_an_epoch_that_is_over(self, assembly: Assembly) -> None:
        late = assembly.pending("bob")
        assembly.commit("alice")

        assert refused(assembly, "carol", late.message) is Rule.WRONG_EPOCH

    def test_a_commit_of_an_epoch_to_come(self, assembly: Assembly) -> None:
        first = assembly.pending("alice")
        bob = assembly.groups["bob"].merge(assembly.stage("bob", first.message))
        early = bob.commit(policy=sending(), entropy=assembly.entropy)

        assert refused(assembly, "carol", early.message) is Rule.WRONG_EPOCH

    def test_staging_changes_nothing_however_often(self, assembly: Assembly) -> None:
        pending = assembly.pending("alice", Remove(1))
        before = snapshot(assembly.groups["carol"])

        one, other = (assembly.stage("carol", pending.message) for _ in range(2))

        assert snapshot(assembly.groups["carol"]) == before
        assert one.group_context == other.group_context
