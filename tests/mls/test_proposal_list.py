"""RFC 9420 Sections 12.2 and 12.3: each rule about the proposals of one commit, broken alone; and their order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from e2ee.errors import RemoteProtocolError
from e2ee.mls.capabilities import RequiredCapabilities
from e2ee.mls.commit import Commit, ProposalOrRef
from e2ee.mls.credential import Credential
from e2ee.mls.errors import Rule
from e2ee.mls.extension import Extension, ExtensionType, ExternalSender, external_senders
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.leaf_node import LeafNode
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
from e2ee.mls.proposal_list import (
    AppliedProposals,
    SentProposal,
    check_path_present,
    resolve_proposals,
)
from e2ee.mls.psk import PreSharedKeyID, PSKType, ResumptionPSK, ResumptionPSKUsage
from e2ee.mls.public_group import PublicGroup

if TYPE_CHECKING:
    from tests.mls.conftest import Client, Workshop

ALICE, BOB, CAROL, DAVE = range(4)
From = tuple[int, ProposalContent]


@pytest.fixture
def clients(workshop: Workshop) -> list[Client]:
    return [workshop.client(name) for name in ("alice", "bob", "carol", "dave")]


@pytest.fixture
def group(workshop: Workshop, clients: list[Client]) -> PublicGroup:
    return workshop.group(*clients)


def by_alice(workshop: Workshop, group: PublicGroup, *sent: From) -> AppliedProposals:
    """Alice commits these proposals, each sent by the member at its leaf index."""
    proposals = tuple(SentProposal(Proposal.of(content), sender) for sender, content in sent)
    return group.apply(ALICE, proposals, workshop.policy)


def refusal(workshop: Workshop, group: PublicGroup, *sent: From) -> object:
    before = group.tree.encode()
    with pytest.raises(RemoteProtocolError) as refused:
        by_alice(workshop, group, *sent)
    assert group.tree.encode() == before
    return refused.value.reason


def psk(psk_id: bytes, nonce_length: int = 32, nonce: int = 0) -> PreSharedKey:
    return PreSharedKey(PreSharedKeyID.external(psk_id, bytes([nonce]) * nonce_length))


def required(*extension_types: int) -> Extension:
    data = RequiredCapabilities(extension_types, (), ()).encode()
    return Extension(ExtensionType.REQUIRED_CAPABILITIES, data)


# ------------------------------------------------------------------------------------------ what a list may do


def test_updates_then_removes_then_adds(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    """The order is that of Section 12.3, not the list's; Adds keep theirs."""
    erin, frank = workshop.client("erin"), workshop.client("frank")
    updated = workshop.update(clients[CAROL], CAROL)
    adds = [workshop.add(erin), workshop.add(frank)]
    sent: list[From] = [(ALICE, adds[0]), (ALICE, Remove(BOB)), (ALICE, adds[1])]
    applied = by_alice(workshop, group, *sent, (CAROL, Update(updated)))
    assert [(member.leaf_index, member.key_package) for member in applied.added] == [
        (1, adds[0].key_package),
        (4, adds[1].key_package),
    ]
    assert (applied.updated, applied.removed) == ((CAROL,), (BOB,))
    assert applied.added_leaves == {1, 4}
    assert applied.tree.leaf(CAROL) == updated
    assert applied.tree.leaf(1) == adds[0].key_package.leaf_node
    assert applied.extensions == group.context.extensions
    assert [sent.sender for sent in applied.proposals] == [ALICE, ALICE, ALICE, CAROL]


def test_no_proposals_change_nothing(workshop: Workshop, group: PublicGroup) -> None:
    assert by_alice(workshop, group).tree == group.tree


def test_a_client_can_be_added_again_where_it_is_removed(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    applied = by_alice(workshop, group, (ALICE, Remove(BOB)), (ALICE, workshop.add(clients[BOB])))
    assert [member.leaf_index for member in applied.added] == [BOB]


def test_external_keys_are_accepted(workshop: Workshop, group: PublicGroup) -> None:
    applied = by_alice(workshop, group, (ALICE, psk(b"link")), (ALICE, psk(b"link", nonce=1)))
    assert applied.tree == group.tree
    assert [psk_id.psk_nonce[0] for psk_id in applied.psks] == [0, 1]


def test_new_extensions_replace_all_old_ones(workshop: Workshop, clients: list[Client]) -> None:
    group = workshop.group(*clients, extensions=(Extension(1, b"old"),))
    applied = by_alice(workshop, group, (BOB, GroupContextExtensions((required(),))))
    assert applied.extensions == (required(),)


# --------------------------------------------------------------------------------------- what a list must not do


def test_the_committer_updates_by_its_path(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    update = Update(workshop.update(clients[ALICE], ALICE))
    assert refusal(workshop, group, (ALICE, update)) == Rule.UPDATE_BY_COMMITTER


def test_the_committer_stays(workshop: Workshop, group: PublicGroup) -> None:
    assert refusal(workshop, group, (BOB, Remove(ALICE))) == Rule.REMOVE_OF_COMMITTER


def test_a_leaf_changes_once(workshop: Workshop, group: PublicGroup, clients: list[Client]) -> None:
    first, second = (Update(workshop.update(clients[BOB], BOB)) for _ in range(2))
    remove = Remove(BOB)
    for pair in ([(BOB, first), (BOB, second)], [(BOB, first), (CAROL, remove)]):
        assert refusal(workshop, group, *pair) == Rule.LEAF_CHANGED_TWICE
    assert refusal(workshop, group, (ALICE, remove), (CAROL, remove)) == Rule.LEAF_CHANGED_TWICE


@pytest.mark.parametrize("leaf_index", [4, 7, 8, 2**32 - 1])
def test_only_members_are_removed(
    workshop: Workshop, clients: list[Client], leaf_index: int
) -> None:
    group = workshop.group(*clients, workshop.client("erin"))
    if leaf_index == 4:
        group = replace(group, tree=workshop.forged(group.tree, 8, None))
    assert refusal(workshop, group, (ALICE, Remove(leaf_index))) == Rule.REMOVE_OF_BLANK_LEAF


def test_a_client_is_added_once(workshop: Workshop, group: PublicGroup) -> None:
    erin = workshop.client("erin")
    twice = [(ALICE, workshop.add(erin)), (BOB, workshop.add(erin))]
    assert refusal(workshop, group, *twice) == Rule.CLIENT_ADDED_TWICE


def test_a_member_is_not_added_again(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    add = workshop.add(clients[BOB])
    assert refusal(workshop, group, (ALICE, add)) == Rule.CLIENT_ALREADY_IN_GROUP
    other_removed = (ALICE, Remove(CAROL))
    assert refusal(workshop, group, (ALICE, add), other_removed) == Rule.CLIENT_ALREADY_IN_GROUP


def test_extensions_are_replaced_once(workshop: Workshop, group: PublicGroup) -> None:
    twice = [(ALICE, GroupContextExtensions(()))] * 2
    assert refusal(workshop, group, *twice) == Rule.SEVERAL_GROUP_CONTEXT_EXTENSIONS


def test_nonces_of_pre_shared_keys(workshop: Workshop, group: PublicGroup) -> None:
    for length in (0, 31, 33):
        assert refusal(workshop, group, (ALICE, psk(b"link", length))) == Rule.PSK_NONCE_LENGTH
    assert refusal(workshop, group, *[(ALICE, psk(b"link"))] * 2) == Rule.PSK_TWICE


def test_joiners_alone_send_external_init(workshop: Workshop, group: PublicGroup) -> None:
    content = ExternalInit(b"kem output")
    assert refusal(workshop, group, (ALICE, content)) == Rule.EXTERNAL_INIT_BY_MEMBER


def test_reinitialization_is_not_supported_here(workshop: Workshop, group: PublicGroup) -> None:
    content = ReInit(b"new group", 1, 1, ())
    assert refusal(workshop, group, (ALICE, content)) == Rule.PROPOSAL_UNSUPPORTED_HERE


def resumption(usage: ResumptionPSKUsage) -> PreSharedKey:
    psk = ResumptionPSK(usage, b"the group", 1)
    return PreSharedKey(PreSharedKeyID(PSKType.RESUMPTION, psk, bytes(32)))


def test_keys_of_reinitialization_and_branching_are_for_these_alone(
    workshop: Workshop, group: PublicGroup
) -> None:
    for usage in (ResumptionPSKUsage.REINIT, ResumptionPSKUsage.BRANCH):
        assert refusal(workshop, group, (ALICE, resumption(usage))) == Rule.PSK_USAGE
    applied = by_alice(workshop, group, (ALICE, resumption(ResumptionPSKUsage.APPLICATION)))
    assert applied.tree == group.tree


# ------------------------------------------------------------------------------------------- what stands in them


def test_added_key_packages_are_validated(workshop: Workshop, group: PublicGroup) -> None:
    erin = workshop.client("erin")
    for key_package, rule in (
        (workshop.key_package(erin, version=2), Rule.KEY_PACKAGE_VERSION),
        (replace(workshop.key_package(erin), signature=bytes(64)), Rule.KEY_PACKAGE_SIGNATURE),
        (workshop.add(erin, encryption_key=b"").key_package, Rule.LEAF_ENCRYPTION_KEY_MALFORMED),
    ):
        assert isinstance(key_package, KeyPackage)
        assert refusal(workshop, group, (ALICE, Add(key_package))) == rule


def test_added_clients_support_the_group(workshop: Workshop) -> None:
    alice = workshop.client("alice")
    group = workshop.group(alice, extensions=(Extension(0xF0C1, b""),))
    erin = workshop.client("erin")
    assert refusal(workshop, group, (ALICE, workshop.add(erin))) == Rule.LEAF_LACKS_GROUP_EXTENSION
    capable = workshop.add(erin, capabilities=workshop.capabilities(extensions=(0xF0C1,)))
    assert by_alice(workshop, group, (ALICE, capable)).added


def test_new_extensions_hold_for_the_adds_beside_them(
    workshop: Workshop, group: PublicGroup
) -> None:
    capable = {"capabilities": workshop.capabilities(extensions=(0xF0C1,))}
    group = workshop.group(workshop.client("alice"))
    alice = workshop.leaf_node(workshop.client("alice"), **capable)
    group = workshop.retold(group, workshop.forged(group.tree, 0, alice))
    erin = workshop.client("erin")
    extended = (ALICE, GroupContextExtensions((required(0xF0C1),)))
    assert (
        refusal(workshop, group, (ALICE, workshop.add(erin)), extended)
        == Rule.LEAF_LACKS_REQUIRED_CAPABILITY
    )
    assert by_alice(workshop, group, (ALICE, workshop.add(erin, **capable)), extended).added


def test_members_support_new_extensions(workshop: Workshop, group: PublicGroup) -> None:
    for extension, rule in (
        (required(0xF0C1), Rule.MEMBER_LACKS_REQUIRED_CAPABILITY),
        (Extension(0xF0C1, b""), Rule.MEMBER_LACKS_GROUP_EXTENSION),
        (Extension(0x0A0A, b""), Rule.MEMBER_LACKS_GROUP_EXTENSION),
    ):
        assert refusal(workshop, group, (ALICE, GroupContextExtensions((extension,)))) == rule


def test_members_who_are_removed_need_not_support_new_extensions(workshop: Workshop) -> None:
    alice, bob = workshop.client("alice"), workshop.client("bob")
    group = workshop.group(alice, bob)
    capable = workshop.leaf_node(alice, capabilities=workshop.capabilities(extensions=(0xF0C1,)))
    group = workshop.retold(group, workshop.forged(group.tree, 0, capable))
    extended = (ALICE, GroupContextExtensions((Extension(0xF0C1, b""),)))
    assert refusal(workshop, group, extended) == Rule.MEMBER_LACKS_GROUP_EXTENSION
    assert by_alice(workshop, group, extended, (ALICE, Remove(1))).removed == (1,)


def test_the_application_judges_external_senders(workshop: Workshop, group: PublicGroup) -> None:
    key = workshop.client("service").signing.public
    senders = external_senders.encode((ExternalSender(key, Credential.basic(b"service")),))
    proposal = GroupContextExtensions((Extension(ExtensionType.EXTERNAL_SENDERS, senders),))
    by_alice(workshop, group, (ALICE, proposal))
    assert workshop.application.asked == [(b"service", key)]
    workshop.application.unwelcome.add(b"service")
    assert refusal(workshop, group, (ALICE, proposal)) == "NOT_WELCOME"


def bad_update(workshop: Workshop, bob: Client, case: str) -> LeafNode:
    changes: dict[str, dict[str, Any]] = {
        "key": {"encryption_key": b""},
        "extension": {"extensions": (Extension(0x0A0A, b""),)},
        "version": {"capabilities": workshop.capabilities(versions=())},
        "identity": {"credential": Credential.basic(b"mallory")},
    }
    if case == "source":
        return workshop.leaf_node(bob)
    if case == "place":
        return workshop.update(bob, CAROL)
    return workshop.update(bob, BOB, **changes[case])


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("source", Rule.LEAF_SOURCE_NOT_UPDATE),
        ("place", Rule.LEAF_SIGNATURE),
        ("key", Rule.LEAF_ENCRYPTION_KEY_MALFORMED),
        ("extension", Rule.LEAF_EXTENSION_NOT_LISTED),
        ("version", Rule.LEAF_VERSION_NOT_LISTED),
        ("identity", "ANOTHER_IDENTITY"),
    ],
)
def test_updates_are_validated(
    workshop: Workshop, group: PublicGroup, clients: list[Client], case: str, reason: str
) -> None:
    leaf = bad_update(workshop, clients[BOB], case)
    assert refusal(workshop, group, (BOB, Update(leaf))) == reason


def test_an_update_brings_a_new_key(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    old = group.tree.leaf(BOB)
    assert old
    same = workshop.update(clients[BOB], BOB, encryption_key=old.encryption_key)
    assert refusal(workshop, group, (BOB, Update(same))) == Rule.LEAF_KEY_NOT_REPLACED


def test_who_is_no_member_updates_nothing(workshop: Workshop, group: PublicGroup) -> None:
    leaf = workshop.update(workshop.client("erin"), 9)
    assert refusal(workshop, group, (9, Update(leaf))) == Rule.SENDER_NOT_A_MEMBER


# ---------------------------------------------------------------------------------------- by value, by reference


def test_references_are_resolved_in_the_order_of_the_commit() -> None:
    remove, psks = Proposal.of(Remove(1)), Proposal.of(psk(b"link"))
    commit = Commit((ProposalOrRef.by_reference(b"ref"), ProposalOrRef.by_value(psks)), None)
    sent = {b"ref": SentProposal(remove, BOB), b"other": SentProposal(remove, CAROL)}
    assert resolve_proposals(commit, ALICE, sent) == (
        SentProposal(remove, BOB),
        SentProposal(psks, ALICE),
    )


def test_a_reference_to_nothing_is_refused() -> None:
    commit = Commit((ProposalOrRef.by_reference(b"ref"),), None)
    with pytest.raises(RemoteProtocolError) as refused:
        resolve_proposals(commit, ALICE, {})
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
        ([psk(b"link"), Remove(1)], True),
    ],
)
def test_a_path_is_present_where_it_is_needed(
    workshop: Workshop, contents: list[ProposalContent], needed: bool
) -> None:
    proposals = [SentProposal(Proposal.of(content), ALICE) for content in contents]
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
    check_path_present(Commit((), None), [SentProposal(Proposal.of(workshop.add(alice)), 0)])
    update = SentProposal(Proposal.of(Update(workshop.update(alice, 1))), 1)
    with pytest.raises(RemoteProtocolError) as refused:
        check_path_present(Commit((), None), [update])
    assert refused.value.reason == Rule.PATH_MISSING
