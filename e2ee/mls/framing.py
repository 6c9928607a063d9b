"""Framing (RFC 9420 Sections 6 and 6.1): who says what in which epoch, and the signature over it.

``AuthenticatedContent`` is what PublicMessage and PrivateMessage carry in their different wrappings; one that was
received proves nothing yet. ``verify_content`` turns it into ``VerifiedContent``, which is all that the rest of the
package acts on. Only members are heard: external senders and joiners who commit themselves are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.mls.commit import Commit
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.group_context import GroupContext, ProtocolVersion
from e2ee.mls.labels import sign_with_label, verify_with_label
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.proposal import Proposal
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.tls_syntax import (
    Codec,
    Opaque,
    Struct,
    Uint64,
    enum,
    nothing,
    opaque,
    select,
    struct,
    uint8,
    uint16,
    uint32,
)

__all__ = [
    "CONTENT",
    "AuthenticatedContent",
    "ContentType",
    "FramedContent",
    "FramedContentAuthData",
    "FramedContentTBS",
    "Sender",
    "SenderType",
    "VerifiedContent",
    "WireFormat",
    "auth_data",
    "check_group_and_epoch",
    "sender_leaf",
    "sign_content",
    "verify_content",
]


class WireFormat(IntEnum):
    """RFC 9420 Section 17.2."""

    PUBLIC_MESSAGE = 1
    PRIVATE_MESSAGE = 2
    WELCOME = 3
    GROUP_INFO = 4
    KEY_PACKAGE = 5


class ContentType(IntEnum):
    """RFC 9420 Section 6."""

    APPLICATION = 1
    PROPOSAL = 2
    COMMIT = 3


class SenderType(IntEnum):
    """RFC 9420 Section 6."""

    MEMBER = 1
    EXTERNAL = 2
    NEW_MEMBER_PROPOSAL = 3
    NEW_MEMBER_COMMIT = 4


CONTENT: dict[ContentType, Codec[bytes] | Codec[Proposal] | Codec[Commit]] = {
    ContentType.APPLICATION: opaque,
    ContentType.PROPOSAL: Proposal.codec(),
    ContentType.COMMIT: Commit.codec(),
}
"""How the content of each type is written."""


@struct
class Sender(Struct):
    """RFC 9420 Section 6. ``index`` is the leaf_index (member), the sender_index (external) or None."""

    sender_type: Annotated[SenderType, enum(SenderType, uint8)]
    index: Annotated[
        int | None,
        select(
            "sender_type",
            {
                SenderType.MEMBER: uint32,
                SenderType.EXTERNAL: uint32,
                SenderType.NEW_MEMBER_PROPOSAL: nothing,
                SenderType.NEW_MEMBER_COMMIT: nothing,
            },
        ),
    ]

    @classmethod
    def member(cls, leaf_index: int) -> Sender:
        """The member at this leaf."""
        return cls(SenderType.MEMBER, leaf_index)


@struct
class FramedContent(Struct):
    """RFC 9420 Section 6. Made with ``FramedContent.of``, so that type and content agree."""

    group_id: Opaque
    epoch: Uint64
    sender: Sender
    authenticated_data: Opaque
    content_type: Annotated[ContentType, enum(ContentType, uint8)]
    content: Annotated[bytes | Proposal | Commit, select("content_type", CONTENT)]

    @classmethod
    def of(
        cls,
        context: GroupContext,
        sender: Sender,
        content: bytes | Proposal | Commit,
        authenticated_data: bytes = b"",
    ) -> FramedContent:
        """``content`` from ``sender`` in the epoch of ``context``; bytes are application data."""
        return cls(
            context.group_id,
            context.epoch,
            sender,
            authenticated_data,
            _content_type(content),
            content,
        )


def _content_type(content: bytes | Proposal | Commit) -> ContentType:
    if isinstance(content, Commit):
        return ContentType.COMMIT
    if isinstance(content, Proposal):
        return ContentType.PROPOSAL
    return ContentType.APPLICATION


@struct
class FramedContentTBS(Struct):
    """RFC 9420 Section 6.1: what the signature covers. ``context`` is of the epoch in which it is sent."""

    version: Annotated[ProtocolVersion, enum(ProtocolVersion, uint16)]
    wire_format: Annotated[WireFormat, enum(WireFormat, uint16)]
    content: FramedContent
    context: Annotated[
        GroupContext | None,
        select(
            "content.sender.sender_type",
            {
                SenderType.MEMBER: GroupContext.codec(),
                SenderType.NEW_MEMBER_COMMIT: GroupContext.codec(),
                SenderType.EXTERNAL: nothing,
                SenderType.NEW_MEMBER_PROPOSAL: nothing,
            },
        ),
    ]


@dataclass(frozen=True, slots=True)
class FramedContentAuthData:
    """RFC 9420 Section 6.1. ``confirmation_tag`` stands in commits only."""

    signature: bytes
    confirmation_tag: bytes | None


def _auth_data(confirmation_tag: Codec[bytes] | Codec[None]) -> Codec[FramedContentAuthData]:
    """``FramedContentAuthData`` is laid out by the content's type, which stands outside of it."""
    read_tag, write_tag = confirmation_tag.read, confirmation_tag.write

    def write(value: FramedContentAuthData, out: bytearray) -> None:
        opaque.write(value.signature, out)
        write_tag(value.confirmation_tag, out)  # type: ignore[arg-type]  # a commit's auth data has a tag

    return Codec(
        lambda reader: FramedContentAuthData(opaque.read(reader), read_tag(reader)), write, 1
    )


auth_data: dict[ContentType, Codec[FramedContentAuthData]] = {
    ContentType.APPLICATION: _auth_data(nothing),
    ContentType.PROPOSAL: _auth_data(nothing),
    ContentType.COMMIT: _auth_data(opaque),
}
"""The codec of FramedContentAuthData for each content type."""


@struct
class AuthenticatedContent(Struct):
    """RFC 9420 Section 6."""

    wire_format: Annotated[WireFormat, enum(WireFormat, uint16)]
    content: FramedContent
    auth: Annotated[FramedContentAuthData, select("content.content_type", auth_data)]


@dataclass(frozen=True, slots=True)
class VerifiedContent:
    """Content that the member at ``leaf_index`` signed in the epoch of ``context``.

    Made by ``verify_content``, and by a member of what it has just signed itself; by nothing else.
    """

    context: GroupContext
    authenticated: AuthenticatedContent
    leaf_index: int

    @property
    def content(self) -> bytes | Proposal | Commit:
        """Application data, a proposal or a commit."""
        return self.authenticated.content.content

    @property
    def authenticated_data(self) -> bytes:
        """What the sender signed beside the content."""
        return self.authenticated.content.authenticated_data


def sign_content(
    suite: CipherSuite,
    context: GroupContext,
    wire_format: WireFormat,
    content: FramedContent,
    private: bytes,
) -> bytes:
    """The signature of a member over ``content`` in the epoch of ``context``."""
    signed = FramedContentTBS(ProtocolVersion.MLS10, wire_format, content, context)
    return sign_with_label(suite, private, "FramedContentTBS", signed.encode())


def verify_content(
    suite: CipherSuite,
    context: GroupContext,
    authenticated: AuthenticatedContent,
    signature_key: bytes,
) -> VerifiedContent:
    """``signature_key`` is that of ``sender_leaf``. Raises ValidationError."""
    content = authenticated.content
    check_group_and_epoch(context, content.group_id, content.epoch)
    signed = FramedContentTBS(ProtocolVersion.MLS10, authenticated.wire_format, content, context)
    # "Recipients of an MLSMessage MUST verify the signature with the key depending on the sender_type of the sender"
    verify_with_label(
        suite,
        signature_key,
        "FramedContentTBS",
        signed.encode(),
        authenticated.auth.signature,
        Rule.CONTENT_SIGNATURE,
    )
    return VerifiedContent(context, authenticated, _member_index(content.sender))


def sender_leaf(tree: RatchetTree, sender: Sender) -> LeafNode:
    """The leaf whose signature key must verify what ``sender`` says. Raises ValidationError."""
    # Of a member "the signature key contained in the LeafNode at the index indicated by leaf_index in the ratchet tree".
    leaf_node = tree.leaf(_member_index(sender))
    if leaf_node is None:
        raise ValidationError(Rule.SENDER_NOT_A_MEMBER, f"leaf {sender.index}")
    return leaf_node


def _member_index(sender: Sender) -> int:
    if sender.sender_type != SenderType.MEMBER or sender.index is None:
        raise ValidationError(Rule.SENDER_TYPE_UNSUPPORTED_HERE, sender.sender_type.name.lower())
    return sender.index


def check_group_and_epoch(context: GroupContext, group_id: bytes, epoch: int) -> None:
    """A message is for this group and this epoch."""
    if group_id != context.group_id:
        raise ValidationError(Rule.WRONG_GROUP)
    # Section 12.4.2: "Verify that the epoch field of the enclosing FramedContent is equal to the epoch field of the
    # current GroupContext object."
    if epoch != context.epoch:
        raise ValidationError(Rule.WRONG_EPOCH, f"{epoch} in epoch {context.epoch}")
