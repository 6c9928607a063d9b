"""RFC 9420 Section 12.2: each rule about which proposals a commit may hold together, broken alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from e2ee.errors import RemoteProtocolError
from e2ee.mls.commit import Commit, ProposalOrRef
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.framing import Sender
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
from e2ee.mls.proposal_list import SentProposal, check_path_present, check_psks, resolve_proposals
from e2ee.mls.psk import PreSharedKeyID, PSKType, ResumptionPSK, ResumptionPSKUsage
from e2ee.mls.public_group import PublicGroup

if TYPE_CHECKING:
    from tests.mls.conftest import Client, Workshop

ALICE, BOB, CAROL, DAVE = range(4)


@pytest.fixture
def clients(workshop: Workshop) -> list[Client]:
    return [workshop.client(name) for name in ("alice", "bob", "carol", "dave")]


@pytest.fixture
def group(workshop: Workshop, clients: list[Client]) -> PublicGroup:
    return workshop.group(*clients)


def psk(psk_id: bytes, nonce_length: int = 32, nonce: int = 0) -> PreSharedKey:
    return PreSharedKey(PreSharedKeyID.external(psk_id, bytes([nonce]) * nonce_length))


# ------------------------------------------------------------------------------------------ what a list may do


def test_a_client_can_be_added_again_where_it_is_removed(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    applied = workshop.applied(group, (ALICE, Remove(BOB)), (ALICE, workshop.add(clients[BOB])))
    assert [member.leaf_index for member in applied.added] == [BOB]


def test_external_keys_are_accepted(workshop: Workshop, group: PublicGroup) -> None:
    applied = workshop.applied(group, (ALICE, psk(b"link")), (ALICE, psk(b"link", nonce=1)))
    assert applied.tree == group.tree
    assert [psk_id.psk_nonce[0] for psk_id in applied.psks] == [0, 1]


# --------------------------------------------------------------------------------------- what a list must not do


def test_the_committer_updates_by_its_path(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    update = Update(workshop.update(clients[ALICE], ALICE))
    assert workshop.refusal(group, (ALICE, update)) == Rule.UPDATE_BY_COMMITTER


def test_the_committer_stays(workshop: Workshop, group: PublicGroup) -> None:
    assert workshop.refusal(group, (BOB, Remove(ALICE))) == Rule.REMOVE_OF_COMMITTER


def test_a_leaf_changes_once(workshop: Workshop, group: PublicGroup, clients: list[Client]) -> None:
    first, second = (Update(workshop.update(clients[BOB], BOB)) for _ in range(2))
    remove = Remove(BOB)
    for pair in ([(BOB, first), (BOB, second)], [(BOB, first), (CAROL, remove)]):
        assert workshop.refusal(group, *pair) == Rule.LEAF_CHANGED_TWICE
    assert workshop.refusal(group, (ALICE, remove), (CAROL, remove)) == Rule.LEAF_CHANGED_TWICE


@pytest.mark.parametrize("leaf_index", [4, 7, 8, 2**32 - 1])
def test_only_members_are_removed(
    workshop: Workshop, clients: list[Client], leaf_index: int
) -> None:
    group = workshop.group(*clients, workshop.client("erin"))
    if leaf_index == 4:
        group = replace(group, tree=workshop.forged(group.tree, 8, None))
    assert workshop.refusal(group, (ALICE, Remove(leaf_index))) == Rule.REMOVE_OF_BLANK_LEAF


def test_a_client_is_added_once(workshop: Workshop, group: PublicGroup) -> None:
    erin = workshop.client("erin")
    twice = [(ALICE, workshop.add(erin)), (BOB, workshop.add(erin))]
    assert workshop.refusal(group, *twice) == Rule.CLIENT_ADDED_TWICE


def test_a_member_is_not_added_again(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    add = workshop.add(clients[BOB])
    assert workshop.refusal(group, (ALICE, add)) == Rule.CLIENT_ALREADY_IN_GROUP
    other_removed = (ALICE, Remove(CAROL))
    assert workshop.refusal(group, (ALICE, add), other_removed) == Rule.CLIENT_ALREADY_IN_GROUP


def test_extensions_are_replaced_once(workshop: Workshop, group: PublicGroup) -> None:
    twice = [(ALICE, GroupContextExtensions(()))] * 2
    assert workshop.refusal(group, *twice) == Rule.SEVERAL_GROUP_CONTEXT_EXTENSIONS


def test_nonces_of_pre_shared_keys(workshop: Workshop, group: PublicGroup) -> None:
    for length in (0, 31, 33):
        assert workshop.refusal(group, (ALICE, psk(b"link", length))) == Rule.PSK_NONCE_LENGTH
    assert workshop.refusal(group, *[(ALICE, psk(b"link"))] * 2) == Rule.PSK_TWICE


def test_pre_shared_keys_are_counted_by_two_bytes(workshop: Workshop) -> None:
    psks = [PreSharedKeyID.external(n.to_bytes(3, "big"), bytes(32)) for n in range(0x10000)]
    check_psks(workshop.suite, psks[:0xFFFF])
    with pytest.raises(ValidationError) as refused:
        check_psks(workshop.suite, psks)
    assert refused.value.reason is Rule.PSK_COUNT


def test_joiners_alone_send_external_init(workshop: Workshop, group: PublicGroup) -> None:
    content = ExternalInit(b"kem output")
    assert workshop.refusal(group, (ALICE, content)) == Rule.EXTERNAL_INIT_BY_MEMBER


def test_a_reinitialization_is_proposed_alone(workshop: Workshop, group: PublicGroup) -> None:
    reinit = ReInit(b"new group", 1, 0x0001, ())
    assert workshop.applied(group, (BOB, reinit)).reinit == reinit
    assert workshop.applied(group, (BOB, Remove(BOB))).reinit is None
    for other in (reinit, psk(b"link"), Remove(BOB), CustomProposal(0xF001, b"")):
        assert workshop.refusal(group, (BOB, reinit), (CAROL, other)) == Rule.REINIT_NOT_ALONE
        assert workshop.refusal(group, (CAROL, other), (BOB, reinit)) == Rule.REINIT_NOT_ALONE


def test_a_reinitialization_does_not_go_back_to_an_older_version(
    workshop: Workshop, group: PublicGroup
) -> None:
    older = ReInit(b"new group", 0, 0x0001, ())
    assert workshop.refusal(group, (ALICE, older)) == Rule.REINIT_VERSION_LOWER
    newer = replace(older, version=2)
    assert workshop.applied(group, (ALICE, newer)).reinit == newer


def resumption(usage: ResumptionPSKUsage) -> PreSharedKey:
    psk = ResumptionPSK(usage, b"the group", 1)
    return PreSharedKey(PreSharedKeyID(PSKType.RESUMPTION, psk, bytes(32)))


def test_keys_of_reinitialization_and_branching_begin_groups_and_nothing_else(
    workshop: Workshop, group: PublicGroup
) -> None:
    """So they are for commits of epoch 0, in which nobody but the creator is there to send them."""
    later = replace(group, context=replace(group.context, epoch=1))
    for usage in (ResumptionPSKUsage.REINIT, ResumptionPSKUsage.BRANCH):
        assert workshop.refusal(later, (ALICE, resumption(usage))) == Rule.PSK_USAGE
        assert workshop.applied(group, (ALICE, resumption(usage))).psks[0].usage is usage
    applied = workshop.applied(later, (ALICE, resumption(ResumptionPSKUsage.APPLICATION)))
    assert applied.tree == group.tree


def test_all_who_process_a_commit_support_the_types_of_its_proposals(workshop: Workshop) -> None:
    alice, bob, erin = (workshop.client(name) for name in ("alice", "bob", "erin"))
    capable = {"capabilities": workshop.capabilities(proposals=(0xF001,))}
    group = workshop.group(alice, bob)
    tree = workshop.forged(group.tree, 0, workshop.leaf_node(alice, **capable))
    group = workshop.retold(group, tree)
    custom = (ALICE, CustomProposal(0xF001, b"of the application"))
    assert workshop.refusal(group, custom) == Rule.PROPOSAL_TYPE_NOT_SUPPORTED
    # "members being added or removed by the Commit do not need to support the proposal type"
    remove, add = (ALICE, Remove(BOB)), (ALICE, workshop.add(erin))
    assert workshop.applied(group, custom, remove, add).proposals[0].proposal.content == custom[1]
    both = workshop.forged(tree, 2, workshop.leaf_node(bob, **capable))
    group = workshop.retold(group, both)
    assert workshop.applied(group, custom).tree == both
    other = (ALICE, CustomProposal(0xF002, b""))
    assert workshop.refusal(group, custom, other) == Rule.PROPOSAL_TYPE_NOT_SUPPORTED


# ---------------------------------------------------------------------------------------- by value, by reference


def test_references_are_resolved_in_the_order_of_the_commit() -> None:
    alice, bob = Sender.member(ALICE), Sender.member(BOB)
    remove, psks = Proposal(Remove(1)), Proposal(psk(b"link"))
    commit = Commit((ProposalOrRef.by_reference(b"ref"), ProposalOrRef.by_value(psks)), None)
    sent = {b"ref": SentProposal(remove, bob), b"other": SentProposal(remove, Sender.external(0))}
    assert resolve_proposals(commit, alice, sent) == (
        SentProposal(remove, bob),
        SentProposal(psks, alice),
    )


def test_a_reference_to_nothing_is_refused() -> None:
    commit = Commit((ProposalOrRef.by_reference(b"ref"),), None)
    with pytest.raises(RemoteProtocolError) as refused:
        resolve_proposals(commit, Sender.member(ALICE), {})
    assert refused.value.reason == Rule.PROPOSAL_REFERENCE_UNKNOWN


@pytest.mark.parametrize(
    ("contents", "needed"),
    [
        ([], True),
        ([Remove(1)], True),
        ([GroupContextExtensions(())], True),
        ([ExternalInit(b"")], True),
        ([psk(b"link")], False),
        ([ReInit(b"", 1, 1, ())], False),
        ([CustomProposal(0xF001, b"")], True),
        ([psk(b"link"), Remove(1)], True),
    ],
)
def test_a_path_is_present_where_it_is_needed(
    workshop: Workshop, contents: list[ProposalContent], needed: bool
) -> None:
    proposals = [SentProposal(Proposal(content), Sender.member(ALICE)) for content in contents]
    alice = workshop.client("alice")
    path = workshop.path(workshop.tree(alice), alice, 0)
    check_path_present(Commit((), path), proposals)
    if not needed:
        check_path_present(Commit((), None), proposals)
        return
    with pytest.raises(RemoteProtocolError) as refused:
        check_path_present(Commit((), None), proposals)
    assert refused.value.reason == Rule.PATH_MISSING


def test_adds_and_updates_differ_in_needing_a_path(workshop: Workshop) -> None:
    alice = workshop.client("alice")
    add, update = workshop.add(alice), Update(workshop.update(alice, 1))
    check_path_present(Commit((), None), [SentProposal(Proposal(add), Sender.member(0))])
    with pytest.raises(RemoteProtocolError) as refused:
        check_path_present(Commit((), None), [SentProposal(Proposal(update), Sender.member(1))])
    assert refused.value.reason == Rule.PATH_MISSING
