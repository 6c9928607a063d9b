"""RFC 9420 Sections 12.2 and 12.4.3.2: who joins by a commit of its own, and what this commit may hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from e2ee.errors import DecodeError, DecodeReason, Reason, RemoteProtocolError
from e2ee.mls.commit import Commit, ProposalOrRef
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.extension import Extension, ExtensionType, ExternalPub
from e2ee.mls.external_commit import external_pub
from e2ee.mls.framing import Sender
from e2ee.mls.leaf_node import LeafNodeSource, Lifetime
from e2ee.mls.proposal import (
    CustomProposal,
    ExternalInit,
    GroupContextExtensions,
    PreSharedKey,
    Proposal,
    ProposalContent,
    ReInit,
    Remove,
    Update,
)
from e2ee.mls.psk import PreSharedKeyID, PSKType, ResumptionPSK, ResumptionPSKUsage
from e2ee.mls.public_group import PublicGroup, StagedPublicCommit
from e2ee.mls.public_message import PublicMessage
from e2ee.testing.mls_members import snapshot

if TYPE_CHECKING:
    from tests.mls.conftest import Client, Workshop

ALICE, BOB, CAROL, DAVE, ERIN = range(5)

INIT = ExternalInit(b"kem_output")
PSK = PreSharedKey(PreSharedKeyID.external(b"link", bytes(32)))


@pytest.fixture
def clients(workshop: Workshop) -> list[Client]:
    return [workshop.client(name) for name in ("alice", "bob", "carol", "dave", "erin")]


@pytest.fixture
def group(workshop: Workshop, clients: list[Client]) -> PublicGroup:
    """Alice, Bob and Carol, each of whom committed: no parent is blank."""
    return workshop.grown(clients[:3])


@pytest.fixture
def dave(clients: list[Client]) -> Client:
    return clients[DAVE]


def stage(workshop: Workshop, group: PublicGroup, message: PublicMessage) -> StagedPublicCommit:
    return group.stage(group.verify(message), workshop.policy)


def refusal(workshop: Workshop, group: PublicGroup, message: PublicMessage) -> Reason:
    before = snapshot(group)
    with pytest.raises(RemoteProtocolError) as refused:
        stage(workshop, group, message)
    assert snapshot(group) == before
    return refused.value.reason


class TestJoining:
    def test_the_joiner_has_the_leftmost_blank_leaf(
        self, workshop: Workshop, group: PublicGroup, dave: Client
    ) -> None:
        staged = stage(workshop, group, workshop.external_commit(group, dave, INIT))

        assert (staged.external, staged.committer) == (True, DAVE)
        assert (staged.applied.added, staged.applied.removed, staged.applied.updated) == (
            (),
            (),
            (),
        )
        after = group.merge(staged)
        leaf_node = after.tree.leaf(DAVE)
        assert leaf_node is not None
        assert leaf_node.signature_key == dave.signing.public
        assert after.context.extensions == group.context.extensions

    def test_a_full_tree_grows(
        self, workshop: Workshop, clients: list[Client], dave: Client
    ) -> None:
        full = workshop.grown([*clients[:3], workshop.client("frank")])
        staged = stage(workshop, full, workshop.external_commit(full, dave, INIT))

        assert (staged.committer, full.tree.leaf_count, staged.tree.leaf_count) == (4, 4, 8)

    def test_whose_leaf_was_left_is_taken(
        self, workshop: Workshop, group: PublicGroup, clients: list[Client], dave: Client
    ) -> None:
        removal = workshop.commit(group, clients[CAROL], CAROL, Remove(BOB))
        without_bob = workshop.enter(group, removal)

        staged = stage(workshop, without_bob, workshop.external_commit(without_bob, dave, INIT))

        assert staged.committer == BOB

    def test_the_group_goes_on_with_the_joiner(
        self, workshop: Workshop, group: PublicGroup, clients: list[Client], dave: Client
    ) -> None:
        after = workshop.enter(group, workshop.external_commit(group, dave, INIT))
        after = workshop.enter(after, workshop.commit(after, dave, DAVE, Remove(BOB)))
        after = workshop.enter(after, workshop.commit(after, clients[ALICE], ALICE))

        assert [leaf_index for leaf_index, _ in after.tree.members()] == [ALICE, CAROL, DAVE]

    def test_a_members_commit_is_not_external(
        self, workshop: Workshop, group: PublicGroup, clients: list[Client]
    ) -> None:
        assert not stage(workshop, group, workshop.commit(group, clients[BOB], BOB)).external

    def test_pre_shared_keys_come_with_it(
        self, workshop: Workshop, group: PublicGroup, dave: Client
    ) -> None:
        staged = stage(workshop, group, workshop.external_commit(group, dave, PSK, INIT))

        assert staged.applied.psks == (PSK.psk,)
        assert {sent.sender for sent in staged.applied.proposals} == {Sender.new_member_commit()}


class TestComingBack:
    """ "resync": the joiner's Remove is of its own old leaf."""

    def test_the_old_leaf_goes_and_the_new_one_comes(
        self, workshop: Workshop, group: PublicGroup, clients: list[Client]
    ) -> None:
        message = workshop.external_commit(group, clients[BOB], INIT, Remove(BOB))
        staged = stage(workshop, group, message)

        assert (staged.committer, staged.applied.removed) == (BOB, (BOB,))
        old, new = group.tree.leaf(BOB), staged.tree.leaf(BOB)
        assert old is not None
        assert new is not None
        assert (old.credential, old.signature_key) == (new.credential, new.signature_key)
        assert old.encryption_key != new.encryption_key

    def test_to_another_leaf_if_one_was_free(
        self, workshop: Workshop, group: PublicGroup, clients: list[Client]
    ) -> None:
        removal = workshop.commit(group, clients[CAROL], CAROL, Remove(ALICE))
        group = workshop.enter(group, removal)
        message = workshop.external_commit(group, clients[CAROL], Remove(CAROL), INIT)
        staged = stage(workshop, group, message)

        assert (staged.committer, staged.applied.removed) == (ALICE, (CAROL,))
        assert [leaf_index for leaf_index, _ in staged.tree.members()] == [ALICE, BOB]

    def test_the_last_leaf_of_the_right_half(
        self, workshop: Workshop, group: PublicGroup, clients: list[Client]
    ) -> None:
        """Without it the tree is half as wide; with it again as wide as before."""
        message = workshop.external_commit(group, clients[CAROL], INIT, Remove(CAROL))
        staged = stage(workshop, group, message)

        assert (staged.committer, staged.tree.leaf_count) == (CAROL, group.tree.leaf_count)

    def test_a_group_of_one(self, workshop: Workshop, clients: list[Client]) -> None:
        alone = workshop.group(clients[ALICE])
        message = workshop.external_commit(alone, clients[ALICE], INIT, Remove(ALICE))

        assert stage(workshop, alone, message).committer == ALICE

    def test_a_new_signature_key_is_for_the_application_to_judge(
        self, workshop: Workshop, group: PublicGroup
    ) -> None:
        bobs_new_phone = workshop.client("bob")
        message = workshop.external_commit(group, bobs_new_phone, INIT, Remove(BOB))
        workshop.application.asked.clear()

        stage(workshop, group, message)

        assert workshop.application.asked == [(b"bob", bobs_new_phone.signing.public)]

    def test_nobody_comes_back_as_somebody_else(
        self, workshop: Workshop, group: PublicGroup, dave: Client
    ) -> None:
        """ "the credential in the LeafNode MUST present a set of identifiers that is acceptable to the application for
        the removed participant."
        """
        message = workshop.external_commit(group, dave, INIT, Remove(BOB))

        assert refusal(workshop, group, message) == "ANOTHER_IDENTITY"

    def test_with_another_encryption_key(
        self, workshop: Workshop, group: PublicGroup, clients: list[Client]
    ) -> None:
        old = group.tree.leaf(BOB)
        assert old is not None
        message = workshop.external_commit(
            group, clients[BOB], INIT, Remove(BOB), encryption_key=old.encryption_key
        )

        assert refusal(workshop, group, message) is Rule.LEAF_KEY_NOT_REPLACED

    def test_who_does_not_remove_its_old_leaf_is_there_twice(
        self, workshop: Workshop, group: PublicGroup, clients: list[Client]
    ) -> None:
        message = workshop.external_commit(group, clients[BOB], INIT)

        assert refusal(workshop, group, message) is Rule.SIGNATURE_KEY_NOT_UNIQUE


class TestTheList:
    """Section 12.2: "the list is valid if it contains only the following proposals"."""

    @pytest.mark.parametrize("inits", [(), (INIT, INIT), (INIT, ExternalInit(b"another"))])
    def test_exactly_one_external_init(
        self,
        workshop: Workshop,
        group: PublicGroup,
        dave: Client,
        inits: tuple[ProposalContent, ...],
    ) -> None:
        message = workshop.external_commit(group, dave, PSK, *inits)

        assert refusal(workshop, group, message) is Rule.EXTERNAL_INIT_NOT_ONCE

    def test_an_empty_list_has_none(
        self, workshop: Workshop, group: PublicGroup, dave: Client
    ) -> None:
        message = workshop.external_commit(group, dave)

        assert refusal(workshop, group, message) is Rule.EXTERNAL_INIT_NOT_ONCE

    @pytest.mark.parametrize("removes", [(Remove(BOB), Remove(CAROL)), (Remove(BOB), Remove(BOB))])
    def test_one_remove_at_most(
        self,
        workshop: Workshop,
        group: PublicGroup,
        clients: list[Client],
        removes: tuple[Remove, Remove],
    ) -> None:
        message = workshop.external_commit(group, clients[BOB], INIT, *removes)

        assert refusal(workshop, group, message) is Rule.EXTERNAL_COMMIT_REMOVES_SEVERAL

    def test_no_other_proposals(self, workshop: Workshop, group: PublicGroup, dave: Client) -> None:
        others: list[ProposalContent] = [
            workshop.add(workshop.client("frank")),
            Update(workshop.update(dave, DAVE)),
            ReInit(b"", 1, 1, ()),
            GroupContextExtensions(()),
            CustomProposal(0xF001, b"an application's own"),
        ]
        for content in others:
            message = workshop.external_commit(group, dave, INIT, content)

            assert refusal(workshop, group, message) is Rule.EXTERNAL_COMMIT_PROPOSAL_TYPE

    def test_none_by_reference(
        self, workshop: Workshop, group: PublicGroup, clients: list[Client], dave: Client
    ) -> None:
        """Not even of a proposal that everybody in the group has."""
        psk = Proposal(PSK)
        proposed = group.verify(workshop.sign(group, clients[ALICE], ALICE, psk))
        group = group.with_proposal(proposed)
        (reference,) = group.proposals
        tree, leaf_index = group.tree.with_room()
        items = (ProposalOrRef.by_value(Proposal(INIT)), ProposalOrRef.by_reference(reference))
        commit = Commit(items, workshop.path(tree, dave, leaf_index))
        message = workshop.sign_outside(group, dave, Sender.new_member_commit(), commit)

        assert refusal(workshop, group, message) is Rule.EXTERNAL_COMMIT_WITH_REFERENCE

    @pytest.mark.parametrize("leaf_index", [3, 4, 2**32 - 1])
    def test_only_a_member_is_removed(
        self, workshop: Workshop, group: PublicGroup, dave: Client, leaf_index: int
    ) -> None:
        message = workshop.external_commit(group, dave, INIT, Remove(leaf_index))

        assert refusal(workshop, group, message) is Rule.REMOVE_OF_BLANK_LEAF

    def test_pre_shared_keys_are_those_of_any_commit(
        self, workshop: Workshop, group: PublicGroup, dave: Client
    ) -> None:
        branch = ResumptionPSK(ResumptionPSKUsage.BRANCH, b"another", 1)
        for psks, rule in (
            ((PSK, PSK), Rule.PSK_TWICE),
            (
                (PreSharedKey(PreSharedKeyID.external(b"link", bytes(31))),),
                Rule.PSK_NONCE_LENGTH,
            ),
            (
                (PreSharedKey(PreSharedKeyID(PSKType.RESUMPTION, branch, bytes(32))),),
                Rule.PSK_USAGE,
            ),
        ):
            message = workshop.external_commit(group, dave, INIT, *psks)

            assert refusal(workshop, group, message) is rule

    def test_a_member_has_no_use_for_an_external_init(
        self, workshop: Workshop, group: PublicGroup
    ) -> None:
        assert workshop.refusal(group, (ALICE, INIT)) == Rule.EXTERNAL_INIT_BY_MEMBER


class TestTheLeaf:
    """Section 12.4.2: "Validate the LeafNode as specified in Section 7.3"."""

    def test_it_came_by_a_commit(
        self, workshop: Workshop, group: PublicGroup, dave: Client
    ) -> None:
        lifetime = Lifetime(0, 2**64 - 1)
        for changes in (
            {"leaf_node_source": LeafNodeSource.KEY_PACKAGE, "details": lifetime},
            {"leaf_node_source": LeafNodeSource.UPDATE, "details": None},
        ):
            message = workshop.external_commit(group, dave, INIT, **changes)

            assert refusal(workshop, group, message) is Rule.LEAF_SOURCE_NOT_COMMIT

    def test_it_is_signed_for_its_place(
        self, workshop: Workshop, group: PublicGroup, dave: Client
    ) -> None:
        tree, leaf_index = group.tree.with_room()
        path = workshop.path(tree, dave, leaf_index)
        elsewhere = workshop.signed(dave, path.leaf_node, leaf_index=leaf_index + 1)
        items = (ProposalOrRef.by_value(Proposal(INIT)),)
        commit = Commit(items, replace(path, leaf_node=elsewhere))
        message = workshop.sign_outside(group, dave, Sender.new_member_commit(), commit)

        assert refusal(workshop, group, message) is Rule.LEAF_SIGNATURE

    def test_it_fits_the_group(self, workshop: Workshop, group: PublicGroup, dave: Client) -> None:
        rows: list[tuple[dict[str, Any], Rule]] = [
            ({"capabilities": workshop.capabilities(versions=())}, Rule.LEAF_VERSION_NOT_LISTED),
            (
                {"capabilities": workshop.capabilities(credentials=())},
                Rule.LEAF_CREDENTIAL_NOT_LISTED,
            ),
            ({"extensions": (Extension(0xF0F0, b""),)}, Rule.LEAF_EXTENSION_NOT_LISTED),
            ({"encryption_key": b"short"}, Rule.LEAF_ENCRYPTION_KEY_MALFORMED),
        ]
        for changes, rule in rows:
            message = workshop.external_commit(group, dave, INIT, **changes)

            assert refusal(workshop, group, message) is rule

    def test_it_supports_the_groups_extensions(self, workshop: Workshop, dave: Client) -> None:
        known = workshop.capabilities(extensions=(0xF0F0,))
        alice = workshop.client("alice")
        tree = workshop.tree(alice)
        tree = tree.update(ALICE, workshop.leaf_node(alice, capabilities=known))
        context = PublicGroup.initial_context(tree, b"the group", (Extension(0xF0F0, b""),))
        group = PublicGroup.at(context, tree, b"")
        stage(workshop, group, workshop.external_commit(group, dave, INIT, capabilities=known))

        message = workshop.external_commit(group, dave, INIT)

        assert refusal(workshop, group, message) is Rule.LEAF_LACKS_GROUP_EXTENSION

    def test_the_application_judges_who_joins(
        self, workshop: Workshop, group: PublicGroup, dave: Client
    ) -> None:
        message = workshop.external_commit(group, dave, INIT)
        workshop.application.asked.clear()
        stage(workshop, group, message)
        assert workshop.application.asked == [(b"dave", dave.signing.public)]
        workshop.application.unwelcome.add(b"dave")

        assert refusal(workshop, group, message) == "NOT_WELCOME"

    def test_its_path_is_that_of_any_commit(
        self, workshop: Workshop, group: PublicGroup, dave: Client
    ) -> None:
        tree, leaf_index = group.tree.with_room()
        path = workshop.path(tree, dave, leaf_index)
        first, *others = path.nodes
        root_key = group.tree.parent_node(group.tree.root)
        assert root_key is not None
        for changed, rule in (
            (replace(path, nodes=path.nodes[:-1]), Rule.PATH_LENGTH),
            (
                replace(path, nodes=(replace(first, encrypted_path_secret=()), *others)),
                Rule.PATH_CIPHERTEXT_COUNT,
            ),
            (
                replace(
                    path, nodes=(replace(first, encryption_key=workshop.public_key()), *others)
                ),
                Rule.PATH_PARENT_HASH,
            ),
            (
                replace(
                    path, nodes=(replace(first, encryption_key=root_key.encryption_key), *others)
                ),
                Rule.PATH_KEY_NOT_NEW,
            ),
        ):
            commit = Commit((ProposalOrRef.by_value(Proposal(INIT)),), changed)
            message = workshop.sign_outside(group, dave, Sender.new_member_commit(), commit)

            assert refusal(workshop, group, message) is rule


class TestExternalPub:
    """What a GroupInfo must hold so that somebody can join by it."""

    def told(self, workshop: Workshop, group: PublicGroup, *extensions: Extension) -> bytes:
        alice = workshop.client("alice")
        group_info = workshop.group_info(group, alice, ALICE, extensions=extensions)
        return external_pub(workshop.suite, group_info)

    def test_it_stands_in_a_vector_within_the_extension(
        self, workshop: Workshop, group: PublicGroup
    ) -> None:
        key = workshop.public_key()
        data = (
            bytes([len(key)]) + key
        )  # the length of HPKEPublicKey, inside of extension_data's own
        assert ExternalPub(key).encode() == data

        assert self.told(workshop, group, Extension(ExtensionType.EXTERNAL_PUB, data)) == key

    def test_without_it_nobody_joins(self, workshop: Workshop, group: PublicGroup) -> None:
        tree = Extension(ExtensionType.RATCHET_TREE, group.tree.encode())
        with pytest.raises(ValidationError) as refused:
            self.told(workshop, group, tree)
        assert refused.value.reason is Rule.EXTERNAL_PUB_MISSING

    def test_what_stands_there_is_one_key(self, workshop: Workshop, group: PublicGroup) -> None:
        """A key without the inner length, as some have sent it, is none."""
        encoded = ExternalPub(bytes(32)).encode()
        for data, reason in (
            (bytes(32), DecodeReason.TRAILING_BYTES),
            (encoded[:-1], DecodeReason.TRUNCATED),
            (encoded + b"\x00", DecodeReason.TRAILING_BYTES),
        ):
            with pytest.raises(DecodeError) as undecodable:
                self.told(workshop, group, Extension(ExtensionType.EXTERNAL_PUB, data))
            assert undecodable.value.reason is reason

    def test_it_is_a_key_of_the_suite(self, workshop: Workshop, group: PublicGroup) -> None:
        data = ExternalPub(b"short").encode()
        with pytest.raises(ValidationError) as refused:
            self.told(workshop, group, Extension(ExtensionType.EXTERNAL_PUB, data))
        assert refused.value.reason is Rule.EXTERNAL_PUB_MALFORMED


def test_who_signed_the_commit_is_in_its_path(
    workshop: Workshop, group: PublicGroup, clients: list[Client], dave: Client
) -> None:
    """A member that has Dave's certificate, but not his key, joins nobody in his name."""
    message = workshop.external_commit(group, dave, INIT)
    assert isinstance(message.content.content, Commit)
    by_bob = workshop.sign_outside(
        group, clients[BOB], Sender.new_member_commit(), message.content.content
    )
    with pytest.raises(ValidationError) as refused:
        group.verify(by_bob)
    assert refused.value.reason is Rule.CONTENT_SIGNATURE
