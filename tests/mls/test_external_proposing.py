"""RFC 9420 Section 12.1.8: a directory that a group listens to, and clients that ask to be let in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import SigningKey
from e2ee.errors import E2EEError, Reason
from e2ee.mls.credential import Credential
from e2ee.mls.errors import Rule, UsageError, ValidationError
from e2ee.mls.extension import Extension, ExtensionType, ExternalSender, external_senders
from e2ee.mls.external_proposing import propose_externally, propose_to_join
from e2ee.mls.framing import Sender
from e2ee.mls.group import Group, ReceivedProposal
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import (
    Add,
    CustomProposal,
    ExternalInit,
    GroupContextExtensions,
    ProposalContent,
    Remove,
    Update,
)
from e2ee.mls.public_group import PublicGroup
from e2ee.mls.public_message import PublicMessage
from e2ee.testing.mls_members import NOW, Assembly, receiving, sending, snapshot

ALICE, BOB, CAROL = range(3)
TOMORROW = NOW + 2 * 24 * 3_600_000


@pytest.fixture
def directory() -> SigningKey:
    return cipher_suite(0x0001).signature.generate(SeededEntropy(b"directory"))


@pytest.fixture
def assembly(directory: SigningKey) -> Assembly:
    """Alice, Bob and Carol, who listen to the directory."""
    assembly = Assembly(cipher_suite(0x0001), SeededEntropy(b"asked"), "alice", "bob", "carol")
    listed = (ExternalSender(directory.public, Credential.basic(b"directory")),)
    extension = Extension(ExtensionType.EXTERNAL_SENDERS, external_senders.encode(listed))
    assembly.commit("alice", GroupContextExtensions((extension,)))
    return assembly


def from_directory(
    assembly: Assembly, directory: SigningKey, content: ProposalContent, sender_index: int = 0
) -> MLSMessage:
    group = assembly.groups["alice"]
    return propose_externally(
        content,
        directory.private,
        suite=assembly.suite,
        group_id=group.group_id,
        epoch=group.epoch,
        sender_index=sender_index,
        policy=sending(),
        authenticated_data=b"ticket 17",
    )


def from_client(assembly: Assembly, name: str) -> MLSMessage:
    bundle, group = assembly.bundle(name), assembly.groups["alice"]
    return propose_to_join(
        bundle.key_package,
        bundle.signature_private_key,
        group_id=group.group_id,
        epoch=group.epoch,
        policy=sending(),
    )


def received(group: Group, message: MLSMessage) -> ReceivedProposal:
    proposal = group.receive(MLSMessage.decode(message.encode()), policy=receiving())
    assert isinstance(proposal, ReceivedProposal)
    return proposal


def refusal(group: Group, message: MLSMessage) -> Reason:
    before = snapshot(group)
    with pytest.raises(E2EEError) as refused:
        group.receive(message, policy=receiving())
    assert snapshot(group) == before
    return refused.value.reason


class TestTheDirectory:
    def test_what_it_proposes_a_member_commits(
        self, assembly: Assembly, directory: SigningKey
    ) -> None:
        removal = from_directory(assembly, directory, Remove(BOB))
        addition = from_directory(assembly, directory, assembly.add("dave"))
        references = []
        for message in (removal, addition):
            proposals = {name: received(g, message) for name, g in assembly.groups.items()}
            assert len({proposal.reference for proposal in proposals.values()}) == 1
            references.append(proposals["alice"].reference)
            assert proposals["alice"].sender == Sender.external(0)
            assert proposals["alice"].authenticated_data == b"ticket 17"

        pending = assembly.commit("carol", references=references)

        assert [sent.sender for sent in pending.staged.proposals] == [Sender.external(0)] * 2
        assert set(assembly.groups) == {"alice", "carol", "dave"}
        assert assembly.agree()

    def test_what_it_may_not_propose_it_does_not_send(
        self, assembly: Assembly, directory: SigningKey
    ) -> None:
        leaf_node = assembly.groups["alice"].tree.leaf(ALICE)
        assert isinstance(leaf_node, LeafNode)
        for content in (Update(leaf_node), ExternalInit(b""), CustomProposal(0xF001, b"")):
            with pytest.raises(UsageError) as refused:
                from_directory(assembly, directory, content)
            assert refused.value.reason is Rule.PROPOSAL_TYPE_NOT_FOR_EXTERNAL_SENDERS

    def test_whom_it_adds_is_valid_today(self, assembly: Assembly, directory: SigningKey) -> None:
        add = assembly.add("dave")
        group = assembly.groups["alice"]
        with pytest.raises(ValidationError) as refused:
            propose_externally(
                add,
                directory.private,
                suite=assembly.suite,
                group_id=group.group_id,
                epoch=group.epoch,
                sender_index=0,
                policy=sending(TOMORROW),
            )
        assert refused.value.reason is Rule.LEAF_EXPIRED

    def test_nobody_else_speaks_for_it(self, assembly: Assembly, directory: SigningKey) -> None:
        key = assembly.bundles["bob"].signature_private_key
        leaf_node = assembly.bundles["bob"].key_package.leaf_node
        bob = SigningKey(key, leaf_node.signature_key)
        for forged, rule in (
            (from_directory(assembly, bob, Remove(ALICE)), Rule.CONTENT_SIGNATURE),
            (
                from_directory(assembly, directory, Remove(ALICE), sender_index=1),
                Rule.EXTERNAL_SENDER_UNKNOWN,
            ),
        ):
            assert refusal(assembly.groups["alice"], forged) is rule

    def test_its_word_is_for_one_epoch(self, assembly: Assembly, directory: SigningKey) -> None:
        message = from_directory(assembly, directory, Remove(BOB))
        assembly.commit("alice")

        assert refusal(assembly.groups["carol"], message) is Rule.WRONG_EPOCH

    def test_a_group_that_stops_listening(self, assembly: Assembly, directory: SigningKey) -> None:
        assembly.commit("alice", GroupContextExtensions(()))
        message = from_directory(assembly, directory, Remove(BOB))

        assert refusal(assembly.groups["carol"], message) is Rule.EXTERNAL_SENDERS_MISSING

    def test_nobody_removes_the_committer_at_its_word(
        self, assembly: Assembly, directory: SigningKey
    ) -> None:
        message = from_directory(assembly, directory, Remove(BOB))
        reference = received(assembly.groups["bob"], message).reference
        with pytest.raises(ValidationError) as refused:
            assembly.pending("bob", references=[reference])
        assert refused.value.reason is Rule.REMOVE_OF_COMMITTER

    def test_a_delivery_service_keeps_it_too(
        self, assembly: Assembly, directory: SigningKey
    ) -> None:
        service = PublicGroup.from_group_info(assembly.group_info("alice"), receiving())
        message = from_directory(assembly, directory, Remove(BOB))
        assert isinstance(message.body, PublicMessage)
        service = service.with_proposal(service.verify(message.body))
        reference = received(assembly.groups["alice"], message).reference
        commit = assembly.pending("alice", references=[reference]).message.body
        assert isinstance(commit, PublicMessage)

        after = service.merge(service.stage(service.verify(commit), receiving()))

        assert [leaf_index for leaf_index, _ in after.tree.members()] == [ALICE, CAROL]


class TestAClientThatAsks:
    def test_it_is_let_in(self, assembly: Assembly) -> None:
        message = from_client(assembly, "dave")
        references = {received(g, message).reference for g in assembly.groups.values()}

        assembly.commit("bob", references=references)

        assert set(assembly.groups) == {"alice", "bob", "carol", "dave"}
        assert assembly.agree()

    def test_members_see_who_asks(self, assembly: Assembly) -> None:
        proposal = received(assembly.groups["bob"], from_client(assembly, "dave"))

        assert proposal.sender == Sender.new_member_proposal()
        assert isinstance(proposal.content, Add)
        identity = proposal.content.key_package.leaf_node.credential
        assert identity == Credential.basic(b"dave")

    def test_or_not(self, assembly: Assembly) -> None:
        """ "External proposals that are not authorized are considered invalid": the application forgets it."""
        group = assembly.groups["bob"]
        before = snapshot(group)
        proposal = received(group, from_client(assembly, "dave"))
        with pytest.raises(UsageError) as refused:
            assembly.tell("bob", b"hello")
        assert refused.value.reason is Rule.COMMIT_REQUIRED

        group.discard_proposal(proposal.reference)

        assert snapshot(group) == before
        assembly.tell("bob", b"hello")

    def test_it_asks_while_its_key_package_is_valid(self, assembly: Assembly) -> None:
        bundle, group = assembly.bundle("dave"), assembly.groups["alice"]
        with pytest.raises(ValidationError) as refused:
            propose_to_join(
                bundle.key_package,
                bundle.signature_private_key,
                group_id=group.group_id,
                epoch=group.epoch,
                policy=sending(TOMORROW),
            )
        assert refused.value.reason is Rule.LEAF_EXPIRED

    def test_nobody_asks_in_its_name(self, assembly: Assembly) -> None:
        key_package, group = assembly.bundle("dave").key_package, assembly.groups["alice"]
        forged = propose_to_join(
            key_package,
            assembly.bundles["bob"].signature_private_key,
            group_id=group.group_id,
            epoch=group.epoch,
            policy=sending(),
        )

        assert refusal(group, forged) is Rule.CONTENT_SIGNATURE


class TestFloods:
    """What strangers and members send is kept until the epoch ends, so it is bounded, for each of them by itself."""

    few = replace(receiving(), maximum_proposals=3)

    def test_strangers_share_one_bound(self, assembly: Assembly) -> None:
        group = assembly.groups["bob"]
        for number in range(3):
            group.receive(from_client(assembly, f"stranger {number}"), policy=self.few)
        one_more = from_client(assembly, "one more")
        before = snapshot(group)

        with pytest.raises(ValidationError) as refused:
            group.receive(one_more, policy=self.few)

        assert refused.value.reason is Rule.TOO_MANY_PROPOSALS
        assert snapshot(group) == before

    def test_others_are_still_heard(self, assembly: Assembly, directory: SigningKey) -> None:
        group = assembly.groups["bob"]
        for number in range(3):
            group.receive(from_client(assembly, f"stranger {number}"), policy=self.few)

        group.receive(from_directory(assembly, directory, Remove(CAROL)), policy=self.few)
        proposed = assembly.groups["alice"].propose_update(entropy=assembly.entropy)
        group.receive(proposed.message, policy=self.few)

        assert len(group.proposals) == 5

    def test_a_member_has_a_bound_of_its_own(self, assembly: Assembly) -> None:
        alice, bob = assembly.groups["alice"], assembly.groups["bob"]
        proposed = [alice.propose_update(entropy=assembly.entropy).message for _ in range(4)]
        for message in proposed[:3]:
            bob.receive(message, policy=self.few)
        before = snapshot(bob)

        with pytest.raises(ValidationError) as refused:
            bob.receive(proposed[3], policy=self.few)

        assert refused.value.reason is Rule.TOO_MANY_PROPOSALS
        assert snapshot(bob) == before

    def test_what_is_known_comes_again(self, assembly: Assembly) -> None:
        group, message = assembly.groups["bob"], from_client(assembly, "dave")
        few = replace(receiving(), maximum_proposals=1)
        group.receive(message, policy=few)

        group.receive(message, policy=few)

        assert len(group.proposals) == 1

    def test_discarding_makes_room(self, assembly: Assembly) -> None:
        group = assembly.groups["bob"]
        few = replace(receiving(), maximum_proposals=1)
        first = group.receive(from_client(assembly, "dave"), policy=few)
        assert isinstance(first, ReceivedProposal)
        group.discard_proposal(first.reference)

        group.receive(from_client(assembly, "erin"), policy=few)

        assert len(group.proposals) == 1

    def test_by_default_there_is_room_for_a_thousand(self) -> None:
        assert receiving().maximum_proposals == 1_000
