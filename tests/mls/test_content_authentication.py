"""RFC 9420 Section 6.1: a signature is for one group, one epoch, one wire format, one sender, by that sender's key."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from e2ee.errors import E2EEError, Reason
from e2ee.mls.commit import Commit
from e2ee.mls.content_authentication import member_leaf, verify_content
from e2ee.mls.credential import Credential
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.extension import Extension, ExtensionType, ExternalSender, external_senders
from e2ee.mls.framing import AuthenticatedContent, FramedContentAuthData, Sender, WireFormat
from e2ee.mls.proposal import (
    Add,
    ExternalInit,
    GroupContextExtensions,
    PreSharedKey,
    Proposal,
    ProposalContent,
    ReInit,
    Remove,
    Update,
)
from e2ee.mls.psk import PreSharedKeyID
from e2ee.mls.public_group import PublicGroup

if TYPE_CHECKING:
    from tests.mls.conftest import Client, Workshop

ALICE, BOB = 0, 1
DIRECTORY, MODERATOR = 0, 1

REMOVE_ALICE = Proposal(Remove(ALICE))
NEW_MEMBER_PROPOSAL, NEW_MEMBER_COMMIT = Sender.new_member_proposal(), Sender.new_member_commit()


@pytest.fixture
def bob(workshop: Workshop) -> Client:
    return workshop.client("bob")


@pytest.fixture
def directory(workshop: Workshop) -> Client:
    return workshop.client("directory")


@pytest.fixture
def moderator(workshop: Workshop) -> Client:
    return workshop.client("moderator")


@pytest.fixture
def group(workshop: Workshop, bob: Client, directory: Client, moderator: Client) -> PublicGroup:
    """Alice and Bob, who listen to a directory and to a moderator outside."""
    listed = tuple(
        ExternalSender(client.signing.public, Credential.basic(client.name.encode()))
        for client in (directory, moderator)
    )
    extension = Extension(ExtensionType.EXTERNAL_SENDERS, external_senders.encode(listed))
    return workshop.group(workshop.client("alice"), bob, extensions=(extension,))


@pytest.fixture
def said_by_bob(workshop: Workshop, group: PublicGroup, bob: Client) -> AuthenticatedContent:
    said = (Sender.member(BOB), b"hello", WireFormat.PRIVATE_MESSAGE)
    return workshop.authenticated(group, bob, *said)


def refusal(group: PublicGroup, sent: AuthenticatedContent) -> Reason:
    with pytest.raises(E2EEError) as refused:
        verify_content(group.tree, group.context, sent)
    return refused.value.reason


class TestMembers:
    def test_what_bob_signed_is_bobs(
        self, group: PublicGroup, said_by_bob: AuthenticatedContent
    ) -> None:
        verified = verify_content(group.tree, group.context, said_by_bob)

        assert (verified.sender, verified.leaf_index) == (Sender.member(BOB), BOB)
        assert (verified.content, verified.authenticated_data) == (b"hello", b"")

    def test_nothing_of_it_can_change(
        self, group: PublicGroup, said_by_bob: AuthenticatedContent
    ) -> None:
        content = said_by_bob.content
        for forged in (
            replace(said_by_bob, wire_format=WireFormat.PUBLIC_MESSAGE),
            replace(said_by_bob, content=replace(content, content=b"bye")),
            replace(said_by_bob, content=replace(content, authenticated_data=b"more")),
            replace(said_by_bob, content=replace(content, sender=Sender.member(ALICE))),
            replace(said_by_bob, auth=FramedContentAuthData(b"", None)),
        ):
            assert refusal(group, forged) is Rule.CONTENT_SIGNATURE

    def test_it_is_for_this_group_and_epoch(
        self, group: PublicGroup, said_by_bob: AuthenticatedContent
    ) -> None:
        for context, rule in (
            (replace(group.context, group_id=b"another"), Rule.WRONG_GROUP),
            (replace(group.context, epoch=1), Rule.WRONG_EPOCH),
            (replace(group.context, tree_hash=bytes(32)), Rule.CONTENT_SIGNATURE),
            (replace(group.context, confirmed_transcript_hash=bytes(32)), Rule.CONTENT_SIGNATURE),
        ):
            assert refusal(replace(group, context=context), said_by_bob) is rule

    @pytest.mark.parametrize("leaf_index", [2, 2**32 - 1])
    def test_members_have_a_leaf(
        self, workshop: Workshop, group: PublicGroup, bob: Client, leaf_index: int
    ) -> None:
        sent = workshop.authenticated(group, bob, Sender.member(leaf_index), REMOVE_ALICE)

        assert refusal(group, sent) is Rule.SENDER_NOT_A_MEMBER

    def test_the_leaf_of_a_member(self, group: PublicGroup) -> None:
        assert member_leaf(group.tree, BOB) == group.tree.leaf(BOB)
        with pytest.raises(ValidationError) as refused:
            member_leaf(group.tree, 2)
        assert refused.value.reason is Rule.SENDER_NOT_A_MEMBER


class TestExternalSenders:
    def test_each_is_known_by_its_place(
        self, workshop: Workshop, group: PublicGroup, directory: Client, moderator: Client
    ) -> None:
        for index, client in ((DIRECTORY, directory), (MODERATOR, moderator)):
            sender = Sender.external(index)
            sent = workshop.authenticated(group, client, sender, REMOVE_ALICE)

            verified = verify_content(group.tree, group.context, sent)

            assert (verified.sender, verified.content) == (sender, REMOVE_ALICE)
            with pytest.raises(ValidationError):
                _ = verified.leaf_index

    def test_none_signs_for_the_other(
        self, workshop: Workshop, group: PublicGroup, directory: Client, bob: Client
    ) -> None:
        """Leaf 1 is Bob's, place 1 the moderator's: an index means nothing without its type."""
        for client in (directory, bob):
            sender = Sender.external(MODERATOR)
            sent = workshop.authenticated(group, client, sender, REMOVE_ALICE)

            assert refusal(group, sent) is Rule.CONTENT_SIGNATURE

    @pytest.mark.parametrize("sender_index", [2, 2**32 - 1])
    def test_nobody_has_a_place_after_the_last(
        self, workshop: Workshop, group: PublicGroup, directory: Client, sender_index: int
    ) -> None:
        sender = Sender.external(sender_index)
        sent = workshop.authenticated(group, directory, sender, REMOVE_ALICE)

        assert refusal(group, sent) is Rule.EXTERNAL_SENDER_UNKNOWN

    def test_a_group_without_the_extension_listens_to_nobody(
        self, workshop: Workshop, group: PublicGroup, directory: Client
    ) -> None:
        closed = replace(group, context=replace(group.context, extensions=()))
        sent = workshop.authenticated(closed, directory, Sender.external(DIRECTORY), REMOVE_ALICE)

        assert refusal(closed, sent) is Rule.EXTERNAL_SENDERS_MISSING

    @pytest.mark.parametrize("content", [b"hello", Commit((), None)])
    def test_they_only_propose(
        self, workshop: Workshop, group: PublicGroup, directory: Client, content: bytes | Commit
    ) -> None:
        sent = workshop.authenticated(group, directory, Sender.external(DIRECTORY), content)

        assert refusal(group, sent) is Rule.EXTERNAL_SENDER_NOT_PROPOSING

    def test_they_propose_what_the_registry_lets_them(
        self, workshop: Workshop, group: PublicGroup, directory: Client
    ) -> None:
        """RFC 9420 Section 17.4, column "Ext"."""
        carol = workshop.client("carol")
        update = Update(workshop.update(directory, ALICE))
        rows: list[tuple[ProposalContent, bool]] = [
            (workshop.add(carol), True),
            (update, False),
            (Remove(ALICE), True),
            (PreSharedKey(PreSharedKeyID.external(b"link", bytes(32))), True),
            (ReInit(b"", 1, 1, ()), True),
            (ExternalInit(b"kem_output"), False),
            (GroupContextExtensions(()), True),
        ]
        for content, allowed in rows:
            proposal = Proposal(content)
            sender = Sender.external(DIRECTORY)
            sent = workshop.authenticated(group, directory, sender, proposal)
            if allowed:
                assert verify_content(group.tree, group.context, sent).content == proposal
            else:
                assert refusal(group, sent) is Rule.PROPOSAL_TYPE_NOT_FOR_EXTERNAL_SENDERS

    def test_they_need_not_know_the_state_of_the_group(
        self, workshop: Workshop, group: PublicGroup, directory: Client
    ) -> None:
        sent = workshop.authenticated(group, directory, Sender.external(DIRECTORY), REMOVE_ALICE)
        elsewhere = replace(group.context, tree_hash=bytes(32), confirmed_transcript_hash=bytes(32))

        assert verify_content(group.tree, elsewhere, sent).content == REMOVE_ALICE


class TestNewMembersWhoPropose:
    def test_the_key_package_signs(self, workshop: Workshop, group: PublicGroup) -> None:
        carol = workshop.client("carol")
        proposal = Proposal(workshop.add(carol))
        sent = workshop.authenticated(group, carol, NEW_MEMBER_PROPOSAL, proposal)

        verified = verify_content(group.tree, group.context, sent)

        assert (verified.sender, verified.content) == (NEW_MEMBER_PROPOSAL, proposal)

    def test_nobody_asks_for_somebody_else(
        self, workshop: Workshop, group: PublicGroup, bob: Client
    ) -> None:
        add = Proposal(workshop.add(workshop.client("carol")))
        sent = workshop.authenticated(group, bob, NEW_MEMBER_PROPOSAL, add)

        assert refusal(group, sent) is Rule.CONTENT_SIGNATURE

    @pytest.mark.parametrize("content", [b"hello", Commit((), None), REMOVE_ALICE])
    def test_they_only_propose_their_own_add(
        self,
        workshop: Workshop,
        group: PublicGroup,
        bob: Client,
        content: bytes | Commit | Proposal,
    ) -> None:
        sent = workshop.authenticated(group, bob, NEW_MEMBER_PROPOSAL, content)

        assert refusal(group, sent) is Rule.NEW_MEMBER_PROPOSAL_NOT_AN_ADD


class TestNewMembersWhoCommit:
    def test_the_leaf_of_the_path_signs(self, workshop: Workshop, group: PublicGroup) -> None:
        carol = workshop.client("carol")
        tree, leaf_index = group.tree.add(workshop.leaf_node(carol))
        commit = Commit((), workshop.path(tree, carol, leaf_index))
        sent = workshop.authenticated(group, carol, NEW_MEMBER_COMMIT, commit)

        verified = verify_content(group.tree, group.context, sent)

        assert (verified.sender, verified.content) == (NEW_MEMBER_COMMIT, commit)
        other_tree = replace(group.context, tree_hash=bytes(32))
        with pytest.raises(ValidationError):
            verify_content(group.tree, other_tree, sent)

    def test_a_members_leaf_does_not_sign_for_another(
        self, workshop: Workshop, group: PublicGroup, bob: Client
    ) -> None:
        carol = workshop.client("carol")
        tree, leaf_index = group.tree.add(workshop.leaf_node(carol))
        commit = Commit((), workshop.path(tree, carol, leaf_index))
        sent = workshop.authenticated(group, bob, NEW_MEMBER_COMMIT, commit)

        assert refusal(group, sent) is Rule.CONTENT_SIGNATURE

    @pytest.mark.parametrize("content", [b"hello", REMOVE_ALICE])
    def test_they_only_commit(
        self, workshop: Workshop, group: PublicGroup, bob: Client, content: bytes | Proposal
    ) -> None:
        sent = workshop.authenticated(group, bob, NEW_MEMBER_COMMIT, content)

        assert refusal(group, sent) is Rule.NEW_MEMBER_COMMIT_NOT_A_COMMIT

    def test_without_a_path_there_is_no_key(
        self, workshop: Workshop, group: PublicGroup, bob: Client
    ) -> None:
        sent = workshop.authenticated(group, bob, NEW_MEMBER_COMMIT, Commit((), None))

        assert refusal(group, sent) is Rule.EXTERNAL_COMMIT_PATH_MISSING


def test_a_stranger_signs_for_one_wire_format(
    workshop: Workshop, group: PublicGroup, directory: Client
) -> None:
    """ "An external proposal MUST be sent as a PublicMessage object": a PrivateMessage names a leaf."""
    said = (Sender.external(DIRECTORY), REMOVE_ALICE, WireFormat.PRIVATE_MESSAGE)
    sent = workshop.authenticated(group, directory, *said)

    assert refusal(group, replace(sent, wire_format=WireFormat.PUBLIC_MESSAGE)) is (
        Rule.CONTENT_SIGNATURE
    )


def test_a_proposed_member_of_another_suite_is_refused(
    workshop: Workshop, group: PublicGroup
) -> None:
    """Its signature key may have any form; it verifies nothing, and no library's error comes through."""
    carol = workshop.client("carol")
    leaf_node = replace(workshop.leaf_node(carol), signature_key=b"not a key of this suite")
    add = Proposal(Add(workshop.key_package(carol, leaf_node)))
    sent = workshop.authenticated(group, carol, NEW_MEMBER_PROPOSAL, add)

    assert refusal(group, sent) is Rule.CONTENT_SIGNATURE
