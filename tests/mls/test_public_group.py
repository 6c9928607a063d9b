"""RFC 9420 Section 12.4: a group as one who holds no secret follows it, a delivery service for example."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from e2ee.crypto.cipher_suite import CIPHER_SUITES
from e2ee.crypto.errors import UnsupportedCipherSuite
from e2ee.errors import RemoteProtocolError
from e2ee.mls.commit import Commit, ProposalOrRef
from e2ee.mls.credential import Credential
from e2ee.mls.errors import Rule, UsageError, ValidationError
from e2ee.mls.extension import Extension, ExtensionType, ExternalSender, external_senders
from e2ee.mls.leaf_node import LeafNodeSource
from e2ee.mls.message import MLSMessage
from e2ee.mls.parent_hash import check_parent_hashes
from e2ee.mls.proposal import Add, GroupContextExtensions, Proposal, Remove, Update
from e2ee.mls.public_group import PublicGroup
from e2ee.mls.public_message import PublicMessage
from e2ee.mls.tree_hash import tree_hash
from e2ee.mls.update_path import UpdatePath

if TYPE_CHECKING:
    from tests.mls.conftest import Client, Workshop

pytestmark = pytest.mark.parametrize("workshop", CIPHER_SUITES, indirect=True, ids="{:#06x}".format)

ALICE, BOB, CAROL, DAVE = range(4)


@pytest.fixture
def clients(workshop: Workshop) -> list[Client]:
    return [workshop.client(name) for name in ("alice", "bob", "carol", "dave")]


@pytest.fixture
def group(workshop: Workshop, clients: list[Client]) -> PublicGroup:
    """Epoch 2: alice added bob, who added carol."""
    return workshop.grown(clients[:3])


def refusal(workshop: Workshop, group: PublicGroup, message: PublicMessage) -> object:
    """Why the message does not become the next epoch; the group is as it was."""
    before = (group.context, group.tree.encode(), dict(group.proposals))
    with pytest.raises(RemoteProtocolError) as refused:
        workshop.enter(group, message)
    assert (group.context, group.tree.encode(), dict(group.proposals)) == before
    return refused.value.reason


def propose(
    workshop: Workshop, group: PublicGroup, client: Client, leaf_index: int, proposal: Proposal
) -> tuple[PublicGroup, bytes]:
    """The group with a proposal that was sent, and its ProposalRef."""
    message = workshop.sign(group, client, leaf_index, proposal)
    known = group.with_proposal(group.verify(message))
    (ref,) = known.proposals.keys() - group.proposals.keys()
    return known, ref


# -------------------------------------------------------------------------------------------------- how a group lives


def test_a_commit_leads_to_the_next_epoch(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    message = workshop.commit(group, clients[CAROL], CAROL, workshop.add(clients[DAVE]))
    received = MLSMessage.decode(MLSMessage.of(message).encode()).body
    assert isinstance(received, PublicMessage)
    staged = group.stage(group.verify(received), workshop.policy)
    after = group.merge(staged)
    assert (staged.committer, staged.applied.added_leaves) == (CAROL, frozenset([DAVE]))
    assert staged.path == message.content.content.path  # type: ignore[union-attr]  # it is a Commit
    assert staged.provisional_context == replace(
        group.context, epoch=3, tree_hash=tree_hash(after.tree)
    )
    assert after.context == replace(
        staged.provisional_context,
        confirmed_transcript_hash=after.context.confirmed_transcript_hash,
    )
    assert after.context.confirmed_transcript_hash != group.context.confirmed_transcript_hash
    assert after.interim_transcript_hash != group.interim_transcript_hash
    check_parent_hashes(after.tree)


def test_adds_may_come_without_a_path(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    add = workshop.add(clients[DAVE])
    staged = group.stage(
        group.verify(workshop.commit(group, clients[ALICE], ALICE, add, with_path=False)),
        workshop.policy,
    )
    assert staged.path is None
    assert staged.tree == staged.applied.tree
    assert staged.tree.leaf(DAVE) == add.key_package.leaf_node


def test_proposals_are_committed_by_reference(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    update = Proposal(Update(workshop.update(clients[BOB], BOB)))
    group, bobs = propose(workshop, group, clients[BOB], BOB, update)
    group, carols = propose(workshop, group, clients[CAROL], CAROL, Proposal(Remove(CAROL)))
    message = workshop.commit(
        group, clients[ALICE], ALICE, carols, bobs, workshop.add(clients[DAVE])
    )
    staged = group.stage(group.verify(message), workshop.policy)
    assert [sent.sender.leaf_index for sent in staged.applied.proposals] == [CAROL, BOB, ALICE]
    assert (staged.applied.updated, staged.applied.removed) == ((BOB,), (CAROL,))
    after = group.merge(staged)
    assert dict(after.proposals) == {}
    assert after.tree.leaf(CAROL) == staged.applied.added[0].key_package.leaf_node


def test_new_extensions_are_those_of_the_next_epoch(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    extensions = (Extension(ExtensionType.APPLICATION_ID, b"named"),)
    message = workshop.commit(group, clients[BOB], BOB, GroupContextExtensions(extensions))
    assert workshop.enter(group, message).context.extensions == extensions


def test_a_group_of_one_commits_alone(workshop: Workshop, clients: list[Client]) -> None:
    group = workshop.group(clients[ALICE])
    after = workshop.enter(group, workshop.commit(group, clients[ALICE], ALICE))
    assert after.context.epoch == 1
    assert after.tree.leaf(ALICE) != group.tree.leaf(ALICE)


# --------------------------------------------------------------------------------------- what is no commit of this epoch


def test_a_commit_is_for_one_epoch(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    message = workshop.commit(group, clients[BOB], BOB)
    after = workshop.enter(group, message)
    assert refusal(workshop, after, message) == Rule.WRONG_EPOCH


def test_a_commit_is_for_one_history(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    """Two branches of one group: the same epoch, but what one member signs for its branch is void in the other."""
    ours = workshop.enter(group, workshop.commit(group, clients[BOB], BOB))
    theirs = workshop.enter(group, workshop.commit(group, clients[CAROL], CAROL))
    message = workshop.commit(ours, clients[ALICE], ALICE)
    assert refusal(workshop, theirs, message) == Rule.CONTENT_SIGNATURE


def test_who_is_no_member_commits_nothing(workshop: Workshop, group: PublicGroup) -> None:
    mallory = workshop.client("mallory")
    message = workshop.sign(group, mallory, 3, Commit((), None))
    assert refusal(workshop, group, message) == Rule.SENDER_NOT_A_MEMBER
    as_bob = workshop.sign(group, mallory, BOB, Commit((), None))
    assert refusal(workshop, group, as_bob) == Rule.CONTENT_SIGNATURE


def test_a_proposal_is_no_commit_and_a_commit_no_proposal(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    proposal = workshop.sign(group, clients[BOB], BOB, Proposal(Remove(CAROL)))
    assert refusal(workshop, group, proposal) == Rule.NOT_A_COMMIT
    commit = workshop.commit(group, clients[BOB], BOB)
    with pytest.raises(RemoteProtocolError) as refused:
        group.with_proposal(group.verify(commit))
    assert refused.value.reason == Rule.NOT_A_PROPOSAL


def test_what_was_staged_elsewhere_is_not_merged(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    staged = group.stage(group.verify(workshop.commit(group, clients[BOB], BOB)), workshop.policy)
    after = group.merge(staged)
    with pytest.raises(UsageError) as refused:
        after.merge(staged)
    assert refused.value.reason == Rule.STAGED_ELSEWHERE


def test_what_was_verified_elsewhere_is_neither_staged_nor_kept(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    commit = group.verify(workshop.commit(group, clients[BOB], BOB))
    proposal = group.verify(workshop.sign(group, clients[BOB], BOB, Proposal(Remove(CAROL))))
    after = workshop.enter(group, workshop.commit(group, clients[CAROL], CAROL))
    with pytest.raises(UsageError) as staged:
        after.stage(commit, workshop.policy)
    with pytest.raises(UsageError) as kept:
        after.with_proposal(proposal)
    assert staged.value.reason == kept.value.reason == Rule.VERIFIED_ELSEWHERE


# -------------------------------------------------------------------------------------------- what a commit may not hold


def test_a_removal_needs_a_path(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    lone = workshop.commit(group, clients[ALICE], ALICE, Remove(BOB), with_path=False)
    assert refusal(workshop, group, lone) == Rule.PATH_MISSING
    empty = workshop.commit(group, clients[ALICE], ALICE, with_path=False)
    assert refusal(workshop, group, empty) == Rule.PATH_MISSING


def test_a_reference_to_another_epochs_proposal_is_unknown(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    known, ref = propose(workshop, group, clients[BOB], BOB, Proposal(Remove(CAROL)))
    later = workshop.enter(known, workshop.commit(known, clients[ALICE], ALICE))
    commit = Commit((ProposalOrRef.by_reference(ref),), None)
    message = workshop.sign(later, clients[ALICE], ALICE, commit)
    assert refusal(workshop, later, message) == Rule.PROPOSAL_REFERENCE_UNKNOWN


def committed_with(
    workshop: Workshop, group: PublicGroup, bob: Client, **leaf_changes: Any
) -> PublicMessage:
    """An empty commit by bob whose leaf has these changes."""
    path = workshop.path(group.tree, bob, BOB, **leaf_changes)
    return workshop.sign(group, bob, BOB, Commit((), path))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"leaf_node_source": LeafNodeSource.UPDATE, "details": None},
            Rule.LEAF_SOURCE_NOT_COMMIT,
        ),
        ({"encryption_key": b""}, Rule.LEAF_ENCRYPTION_KEY_MALFORMED),
        ({"extensions": (Extension(0x0A0A, b""),)}, Rule.LEAF_EXTENSION_NOT_LISTED),
        ({"credential": Credential.basic(b"mallory")}, "ANOTHER_IDENTITY"),
        ({"details": b""}, Rule.PATH_PARENT_HASH),
    ],
)
def test_the_committers_leaf_is_validated(
    workshop: Workshop,
    group: PublicGroup,
    clients: list[Client],
    changes: dict[str, Any],
    reason: str,
) -> None:
    message = committed_with(workshop, group, clients[BOB], **changes)
    assert refusal(workshop, group, message) == reason


def test_the_committers_leaf_supports_the_group(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    incapable = workshop.capabilities(cipher_suites=())
    message = committed_with(workshop, group, clients[BOB], capabilities=incapable)
    assert refusal(workshop, group, message) == Rule.LEAF_CIPHER_SUITE_NOT_LISTED


def test_the_committers_leaf_is_signed_for_its_place(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    path = workshop.path(group.tree, clients[BOB], BOB)
    elsewhere = workshop.signed(clients[BOB], path.leaf_node, b"another group", BOB)
    commit = Commit((), UpdatePath(elsewhere, path.nodes))
    message = workshop.sign(group, clients[BOB], BOB, commit)
    assert refusal(workshop, group, message) == Rule.LEAF_SIGNATURE


def test_the_committer_replaces_its_key(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    old = group.tree.leaf(BOB)
    assert old
    message = committed_with(workshop, group, clients[BOB], encryption_key=old.encryption_key)
    assert refusal(workshop, group, message) == Rule.LEAF_KEY_NOT_REPLACED


def test_the_committer_takes_nobodys_signature_key(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    """Bob would sign as carol from then on."""
    path = workshop.path(group.tree, clients[BOB], BOB)
    carols = replace(path.leaf_node, signature_key=clients[CAROL].signing.public)
    signed = workshop.signed(clients[CAROL], carols, leaf_index=BOB)
    message = workshop.sign(group, clients[BOB], BOB, Commit((), UpdatePath(signed, path.nodes)))
    assert refusal(workshop, group, message) == Rule.SIGNATURE_KEY_NOT_UNIQUE


def test_an_added_leaf_takes_no_key_of_the_tree(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    """Else nobody could join any more: joiners refuse such a tree."""
    root = group.tree.parent_node(group.tree.root)
    carol = group.tree.leaf(CAROL)
    assert root
    assert carol
    for key, rule in (
        (root.encryption_key, Rule.TREE_PARENT_KEY_NOT_UNIQUE),
        (carol.encryption_key, Rule.ENCRYPTION_KEY_NOT_UNIQUE),
    ):
        add = workshop.add(clients[DAVE], encryption_key=key)
        message = workshop.commit(group, clients[ALICE], ALICE, add, with_path=False)
        assert refusal(workshop, group, message) == rule


def test_the_path_is_encrypted_to_nobody_who_is_added(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    add = workshop.add(clients[DAVE])
    after, _ = group.tree.add(add.key_package.leaf_node)
    too_much = workshop.path(after, clients[ALICE], ALICE)
    commit = Commit((ProposalOrRef.by_value(Proposal(add)),), too_much)
    message = workshop.sign(group, clients[ALICE], ALICE, commit)
    assert refusal(workshop, group, message) == Rule.PATH_CIPHERTEXT_COUNT


def test_proposals_are_validated(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    key_package = workshop.key_package(clients[DAVE], cipher_suite=0xFFFF)
    message = workshop.commit(group, clients[ALICE], ALICE, Add(key_package), with_path=False)
    assert refusal(workshop, group, message) == Rule.KEY_PACKAGE_CIPHER_SUITE


# -------------------------------------------------------------------------------------- how a group is met for the first time


def test_a_group_is_joined_with_the_tree_inside_or_beside(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    tree = group.tree.encode()
    inside = workshop.group_info(
        group, clients[BOB], BOB, extensions=(Extension(ExtensionType.RATCHET_TREE, tree),)
    )
    beside = workshop.group_info(group, clients[BOB], BOB)
    assert PublicGroup.from_group_info(inside, workshop.policy) == group
    assert PublicGroup.from_group_info(beside, workshop.policy, tree) == group
    with pytest.raises(RemoteProtocolError) as refused:
        PublicGroup.from_group_info(beside, workshop.policy)
    assert refused.value.reason == Rule.RATCHET_TREE_MISSING


def test_who_has_joined_follows_like_everybody(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    group_info = workshop.group_info(group, clients[BOB], BOB)
    joined = PublicGroup.from_group_info(group_info, workshop.policy, group.tree.encode())
    message = workshop.commit(group, clients[ALICE], ALICE, workshop.add(clients[DAVE]))
    assert workshop.enter(joined, message) == workshop.enter(group, message)


def test_a_joiner_judges_the_external_senders(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    sender = ExternalSender(clients[DAVE].signing.public, Credential.basic(b"service"))
    extension = Extension(ExtensionType.EXTERNAL_SENDERS, external_senders.encode((sender,)))
    context = replace(group.context, extensions=(extension,))
    group_info = workshop.group_info(group, clients[BOB], BOB, group_context=context)
    PublicGroup.from_group_info(group_info, workshop.policy, group.tree.encode())
    workshop.application.unwelcome.add(b"service")
    with pytest.raises(RemoteProtocolError, match="NOT_WELCOME"):
        PublicGroup.from_group_info(group_info, workshop.policy, group.tree.encode())


def test_after_the_last_epoch_there_is_none(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    """A GroupInfo may claim any epoch."""
    last = replace(group.context, epoch=(1 << 64) - 1)
    group_info = workshop.group_info(group, clients[BOB], BOB, group_context=last)
    joined = PublicGroup.from_group_info(group_info, workshop.policy, group.tree.encode())
    with pytest.raises(ValidationError) as refused:
        joined.provisional_context(joined.tree, ())
    assert refused.value.reason is Rule.NO_NEXT_EPOCH


def test_a_group_info_is_checked(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    tree = group.tree.encode()
    other_suite = replace(group.context, cipher_suite=0xFFFF)
    other_tree = replace(group.context, tree_hash=bytes(32))
    unknown = replace(group.context, extensions=(Extension(0xF0C1, b""),))
    for changes, reason in (
        ({"group_context": other_tree}, Rule.TREE_HASH),
        ({"group_context": unknown}, Rule.LEAF_LACKS_GROUP_EXTENSION),
        ({"signer": ALICE}, Rule.GROUP_INFO_SIGNATURE),
        ({"signer": 3}, Rule.GROUP_INFO_SIGNER_BLANK),
    ):
        group_info = workshop.group_info(group, clients[BOB], BOB, **changes)
        with pytest.raises(RemoteProtocolError) as refused:
            PublicGroup.from_group_info(group_info, workshop.policy, tree)
        assert refused.value.reason == reason
    group_info = workshop.group_info(group, clients[BOB], BOB, group_context=other_suite)
    with pytest.raises(UnsupportedCipherSuite):
        PublicGroup.from_group_info(group_info, workshop.policy, tree)
