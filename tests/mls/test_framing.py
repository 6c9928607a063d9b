"""RFC 9420 Section 6: who sends, and which auth data goes with which content."""

from __future__ import annotations

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
    WireFormat,
)
from e2ee.mls.proposal import Proposal, Remove
from e2ee.mls.public_group import PublicGroup
from e2ee.tls_syntax import EncodeError

if TYPE_CHECKING:
    from tests.mls.conftest import Workshop


@pytest.fixture
def group(workshop: Workshop) -> PublicGroup:
    return workshop.group(workshop.client("alice"), workshop.client("bob"))


def test_a_member_has_a_leaf() -> None:
    assert Sender.member(3).leaf_index == 3
    for sender in (
        Sender.external(3),
        Sender.new_member_proposal(),
        Sender.new_member_commit(),
    ):
        with pytest.raises(ValidationError) as refused:
            _ = sender.leaf_index
        assert refused.value.reason == Rule.SENDER_NOT_A_MEMBER
        assert Sender.decode(sender.encode()) == sender


def test_a_type_goes_with_its_content(group: PublicGroup) -> None:
    for content, content_type in (
        (b"data", ContentType.APPLICATION),
        (Proposal(Remove(1)), ContentType.PROPOSAL),
        (Commit((), None), ContentType.COMMIT),
    ):
        framed = FramedContent.of(group.context, Sender.member(0), content)
        assert framed.content_type == content_type
        assert FramedContent.decode(framed.encode()) == framed


def test_commits_alone_carry_a_confirmation_tag(group: PublicGroup) -> None:
    commit = FramedContent.of(group.context, Sender.member(0), Commit((), None))
    proposal = FramedContent.of(group.context, Sender.member(0), Proposal(Remove(1)))
    with_tag, without = FramedContentAuthData(b"s", b"tag"), FramedContentAuthData(b"s", None)
    wire_format = WireFormat.PUBLIC_MESSAGE
    assert AuthenticatedContent(wire_format, commit, with_tag).encode().endswith(b"\x01s\x03tag")
    assert AuthenticatedContent(wire_format, proposal, without).encode().endswith(b"\x01s")
    for content, auth in ((commit, without), (proposal, with_tag)):
        with pytest.raises(EncodeError):
            AuthenticatedContent(wire_format, content, auth).encode()
