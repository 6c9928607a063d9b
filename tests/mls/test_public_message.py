"""RFC 9420 Section 6.2: membership tag and signature, each of them needed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from e2ee.crypto.secret import Secret
from e2ee.mls.errors import Rule, UsageError, ValidationError
from e2ee.mls.framing import (
    AuthenticatedContent,
    FramedContent,
    FramedContentAuthData,
    Sender,
    SenderType,
    WireFormat,
)
from e2ee.mls.proposal import Proposal, Remove
from e2ee.mls.public_group import PublicGroup
from e2ee.mls.public_message import PublicMessage, protect, unprotect, verify_as_outsider

if TYPE_CHECKING:
    from tests.mls.conftest import Client, Workshop

KEY = Secret(bytes(32))  # the workshop's membership key


@pytest.fixture
def alice(workshop: Workshop) -> Client:
    return workshop.client("alice")


@pytest.fixture
def group(workshop: Workshop, alice: Client) -> PublicGroup:
    return workshop.group(alice, workshop.client("bob"))


@pytest.fixture
def message(workshop: Workshop, group: PublicGroup, alice: Client) -> PublicMessage:
    return workshop.sign(group, alice, 0, Proposal(Remove(1)))


def refusal(group: PublicGroup, message: PublicMessage, key: Secret = KEY) -> object:
    with pytest.raises(ValidationError) as refused:
        unprotect(group.tree, group.context, message, key)
    return refused.value.reason


def test_a_member_reads_what_a_member_sent(
    group: PublicGroup, alice: Client, message: PublicMessage
) -> None:
    received = PublicMessage.decode(message.encode())
    verified = unprotect(group.tree, group.context, received, KEY)
    assert verified.content == Proposal(Remove(1))
    assert verified.leaf_index == 0
    assert verified == verify_as_outsider(group.tree, group.context, received)


def test_a_wrong_membership_tag_is_refused(
    group: PublicGroup, alice: Client, message: PublicMessage
) -> None:
    tag = message.membership_tag
    assert tag
    for wrong in (b"", tag[:-1], tag + b"\x00", bytes([tag[0] ^ 1]) + tag[1:], None):
        assert refusal(group, replace(message, membership_tag=wrong)) == Rule.MEMBERSHIP_TAG
    assert refusal(group, message, Secret(b"\x01" * 32)) == Rule.MEMBERSHIP_TAG


def test_a_wrong_signature_under_a_right_tag_is_refused(
    group: PublicGroup, alice: Client, message: PublicMessage
) -> None:
    """A member that forges another member's message can make the tag, but not the signature."""
    forged = AuthenticatedContent(
        WireFormat.PUBLIC_MESSAGE, message.content, FramedContentAuthData(bytes(64), None)
    )
    by_member = protect(group.suite, group.context, forged, KEY)
    assert refusal(group, by_member) == Rule.CONTENT_SIGNATURE
    with pytest.raises(ValidationError) as refused:
        verify_as_outsider(group.tree, group.context, by_member)
    assert refused.value.reason == Rule.CONTENT_SIGNATURE


def test_another_group_or_epoch_is_refused_first(
    group: PublicGroup, alice: Client, message: PublicMessage
) -> None:
    elsewhere = replace(message, content=replace(message.content, group_id=b"another"))
    earlier = replace(message, content=replace(message.content, epoch=7))
    assert refusal(group, elsewhere) == Rule.WRONG_GROUP
    assert refusal(group, earlier) == Rule.WRONG_EPOCH


def test_application_data_is_never_public(group: PublicGroup, alice: Client) -> None:
    content = FramedContent.of(group.context, Sender.member(0), b"hello")
    sent = AuthenticatedContent(
        WireFormat.PUBLIC_MESSAGE, content, FramedContentAuthData(bytes(64), None)
    )
    with pytest.raises(UsageError) as local:
        protect(group.suite, group.context, sent, KEY)
    assert local.value.reason == Rule.APPLICATION_DATA_IN_PUBLIC_MESSAGE
    received = PublicMessage(content, sent.auth, bytes(32))
    with pytest.raises(ValidationError) as refused:
        verify_as_outsider(group.tree, group.context, received)
    assert refused.value.reason == Rule.APPLICATION_DATA_IN_PUBLIC_MESSAGE


def test_who_is_no_member_carries_no_tag(group: PublicGroup) -> None:
    outsider = Sender(SenderType.NEW_MEMBER_PROPOSAL, None)
    content = FramedContent.of(group.context, outsider, Proposal(Remove(1)))
    message = PublicMessage(content, FramedContentAuthData(b"signature", None), None)
    assert PublicMessage.decode(message.encode()) == message
    assert message.encode().endswith(b"\x09signature")
