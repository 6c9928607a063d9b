"""RFC 9420 Sections 6 and 6.1: a signature is for one group, one epoch, one wire format, one sender."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from e2ee.mls.commit import Commit
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.framing import (
    AuthenticatedContent,
    ContentType,
    FramedContent,
    FramedContentAuthData,
    Sender,
    SenderType,
    WireFormat,
    sender_leaf,
    sign_content,
    verify_content,
)
from e2ee.mls.proposal import Proposal, Remove
from e2ee.mls.public_group import PublicGroup
from e2ee.tls_syntax import EncodeError

if TYPE_CHECKING:
    from tests.mls.conftest import Client, Workshop


@pytest.fixture
def bob(workshop: Workshop) -> Client:
    return workshop.client("bob")


@pytest.fixture
def group(workshop: Workshop, bob: Client) -> PublicGroup:
    return workshop.group(workshop.client("alice"), bob)


def sent_by_bob(group: PublicGroup, bob: Client, content: bytes) -> AuthenticatedContent:
    framed = FramedContent.of(group.context, Sender.member(1), content, b"authenticated data")
    private = bob.signing.private
    wire_format = WireFormat.PRIVATE_MESSAGE
    signature = sign_content(group.suite, group.context, wire_format, framed, private)
    return AuthenticatedContent(wire_format, framed, FramedContentAuthData(signature, None))


def refusal(group: PublicGroup, bob: Client, sent: AuthenticatedContent) -> object:
    with pytest.raises(ValidationError) as refused:
        verify_content(group.suite, group.context, sent, bob.signing.public)
    return refused.value.reason


def test_what_bob_signed_is_bobs(group: PublicGroup, bob: Client) -> None:
    sent = sent_by_bob(group, bob, b"hello")
    verified = verify_content(group.suite, group.context, sent, bob.signing.public)
    assert (verified.leaf_index, verified.content) == (1, b"hello")
    assert verified.authenticated_data == b"authenticated data"


def test_nothing_of_it_can_change(group: PublicGroup, bob: Client) -> None:
    sent = sent_by_bob(group, bob, b"hello")
    content = sent.content
    for forged in (
        replace(sent, wire_format=WireFormat.PUBLIC_MESSAGE),
        replace(sent, content=replace(content, content=b"bye")),
        replace(sent, content=replace(content, authenticated_data=b"")),
        replace(sent, content=replace(content, sender=Sender.member(0))),
        replace(sent, auth=FramedContentAuthData(b"", None)),
    ):
        assert refusal(group, bob, forged) == Rule.CONTENT_SIGNATURE


def test_it_is_for_this_group_and_epoch(group: PublicGroup, bob: Client) -> None:
    sent = sent_by_bob(group, bob, b"hello")
    for context, rule in (
        (replace(group.context, group_id=b"another"), Rule.WRONG_GROUP),
        (replace(group.context, epoch=1), Rule.WRONG_EPOCH),
        (replace(group.context, tree_hash=bytes(32)), Rule.CONTENT_SIGNATURE),
        (replace(group.context, confirmed_transcript_hash=bytes(32)), Rule.CONTENT_SIGNATURE),
    ):
        assert refusal(replace(group, context=context), bob, sent) == rule


def test_senders_are_members(group: PublicGroup) -> None:
    for sender in (Sender.member(1), Sender.member(0)):
        assert sender_leaf(group.tree, sender) == group.tree.leaf(sender.index or 0)
    for sender, rule in (
        (Sender.member(2), Rule.SENDER_NOT_A_MEMBER),
        (Sender.member(2**32 - 1), Rule.SENDER_NOT_A_MEMBER),
        (Sender(SenderType.EXTERNAL, 0), Rule.SENDER_TYPE_UNSUPPORTED_HERE),
        (Sender(SenderType.NEW_MEMBER_COMMIT, None), Rule.SENDER_TYPE_UNSUPPORTED_HERE),
        (Sender(SenderType.NEW_MEMBER_PROPOSAL, None), Rule.SENDER_TYPE_UNSUPPORTED_HERE),
    ):
        with pytest.raises(ValidationError) as refused:
            sender_leaf(group.tree, sender)
        assert refused.value.reason == rule


def test_a_type_goes_with_its_content(group: PublicGroup) -> None:
    for content, content_type in (
        (b"data", ContentType.APPLICATION),
        (Proposal.of(Remove(1)), ContentType.PROPOSAL),
        (Commit((), None), ContentType.COMMIT),
    ):
        framed = FramedContent.of(group.context, Sender.member(0), content)
        assert framed.content_type == content_type
        assert FramedContent.decode(framed.encode()) == framed


def test_commits_alone_carry_a_confirmation_tag(group: PublicGroup) -> None:
    commit = FramedContent.of(group.context, Sender.member(0), Commit((), None))
    proposal = FramedContent.of(group.context, Sender.member(0), Proposal.of(Remove(1)))
    with_tag, without = FramedContentAuthData(b"s", b"tag"), FramedContentAuthData(b"s", None)
    wire_format = WireFormat.PUBLIC_MESSAGE
    assert AuthenticatedContent(wire_format, commit, with_tag).encode().endswith(b"\x01s\x03tag")
    assert AuthenticatedContent(wire_format, proposal, without).encode().endswith(b"\x01s")
    for content, auth in ((commit, without), (proposal, with_tag)):
        with pytest.raises(EncodeError):
            AuthenticatedContent(wire_format, content, auth).encode()
