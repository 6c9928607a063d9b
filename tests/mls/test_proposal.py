"""RFC 9420 Sections 12.1 and 13.2: proposals that we know, an application's own, and all others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.errors import DecodeError
from e2ee.mls.commit import Commit, ProposalOrRef
from e2ee.mls.errors import Rule, UsageError, ValidationError
from e2ee.mls.framing import FramedContent, Sender
from e2ee.mls.group_context import GroupContext, ProtocolVersion
from e2ee.mls.proposal import PRIVATE_USE, CustomProposal, Proposal, ProposalType, Remove
from e2ee.mls.received import ReceivedProposal
from e2ee.testing.mls_members import Assembly, Insider, receiving, sending, snapshot
from e2ee.tls_syntax import EncodeError, EncodeReason, Struct, opaque, uint16

UNKNOWN = st.integers(0, 0xFFFF).filter(lambda x: x not in {*ProposalType, *PRIVATE_USE})


def test_an_applications_own_proposal_is_its_type_and_one_vector() -> None:
    proposal = Proposal(CustomProposal(0xF001, b"data"))
    assert proposal.proposal_type == 0xF001
    assert proposal.encode() == uint16.encode(0xF001) + opaque.encode(b"data")
    assert Proposal.decode(proposal.encode()) == proposal


@pytest.mark.parametrize("proposal_type", [0, 1, 7, 8, 0x0A0A, 0xEFFF, 0x10000])
def test_applications_have_the_private_use_range(proposal_type: int) -> None:
    with pytest.raises(UsageError) as refused:
        CustomProposal(proposal_type, b"")
    assert refused.value.reason is Rule.CUSTOM_PROPOSAL_TYPE


def test_type_and_content_agree() -> None:
    assert Proposal(Remove(3)).proposal_type == ProposalType.REMOVE
    with pytest.raises(EncodeError) as refused:
        Proposal(b"no proposal").encode()  # type: ignore[arg-type]  # what a caller can get wrong
    assert refused.value.reason is EncodeReason.WRONG_TYPE
    assert "bytes is no proposal" in refused.value.detail


@given(UNKNOWN, st.binary(max_size=40))
def test_an_unknown_proposal_is_named_and_nothing_of_it_is_guessed(
    proposal_type: int, rest: bytes
) -> None:
    """Neither alone, nor in a commit or a message, where what follows it could not be found."""
    encoding = uint16.encode(proposal_type) + rest
    context = GroupContext(ProtocolVersion.MLS10, 1, b"group", 1, b"", b"", ())
    commit = b"\x01" + encoding  # a ProposalOrRef by value
    framed = FramedContent.of(context, Sender.member(0), Proposal(Remove(0)))
    known = Proposal(Remove(0)).encode()
    structures: list[tuple[type[Struct], bytes]] = [
        (Proposal, encoding),
        (ProposalOrRef, commit),
        (Commit, opaque.encode(commit) + b"\x00"),
        (FramedContent, framed.encode().removesuffix(known) + encoding),
    ]
    for structure, data in structures:
        with pytest.raises(DecodeError) as refused:
            structure.decode(data)
        assert refused.value.reason is Rule.PROPOSAL_TYPE_UNKNOWN
        assert f"{proposal_type:#06x}" in refused.value.detail


def test_members_who_all_list_it_commit_an_applications_own_proposal() -> None:
    entropy = SeededEntropy(b"custom")
    assembly = Assembly(cipher_suite(0x0001), entropy, "alice", "bob", proposals=(0xF001,))
    custom = CustomProposal(0xF001, b"whatever they agreed on")
    alice, bob = assembly.groups["alice"], assembly.groups["bob"]

    proposed = alice.propose(custom, policy=sending(), entropy=entropy)
    received = bob.receive(proposed.message, policy=receiving())
    pending = assembly.commit("bob", references=[proposed.reference], update_path=False)

    assert isinstance(received, ReceivedProposal)
    assert received.content == custom
    assert [sent.proposal.content for sent in pending.staged.proposals] == [custom]
    assert pending.staged.public.path is not None
    assert assembly.agree()


@pytest.mark.parametrize("by_reference", [False, True])
def test_members_who_do_not_list_it_refuse_it(assembly: Assembly, by_reference: bool) -> None:
    custom = CustomProposal(0xF001, b"")
    alice, bob = assembly.groups["alice"], assembly.groups["bob"]
    proposed = alice.propose(custom, policy=sending(), entropy=assembly.entropy)
    bob.receive(proposed.message, policy=receiving())
    before = snapshot(alice), snapshot(bob)
    path = assembly.pending("alice").staged.public.path
    item = ProposalOrRef.by_value(Proposal(custom))
    if by_reference:
        item = ProposalOrRef.by_reference(proposed.reference)
    message = Insider(alice, assembly.entropy).say(Commit((item,), path))

    with pytest.raises(ValidationError) as refused:
        bob.receive(message, policy=receiving())
    assert refused.value.reason is Rule.PROPOSAL_TYPE_NOT_SUPPORTED
    with pytest.raises(ValidationError) as refused:
        alice.commit(proposals=[custom], policy=sending(), entropy=assembly.entropy)
    assert refused.value.reason is Rule.PROPOSAL_TYPE_NOT_SUPPORTED
    assert (snapshot(alice), snapshot(bob)) == before
