"""Framing (RFC 9420 Section 6): who says what in which group and epoch.

Structures only. ``AuthenticatedContent`` is what PublicMessage and PrivateMessage carry in their different wrappings;
one that was received proves nothing until ``content_authentication`` has verified it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from e2ee.mls.commit import Commit
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.group_context import GroupContext
from e2ee.mls.proposal import Proposal
from e2ee.tls_syntax import (
    Codec,
    EncodedOnce,
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
    "Sender",
    "SenderType",
    "WireFormat",
    "auth_data",
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

    @classmethod
    def external(cls, sender_index: int) -> Sender:
        """The party at this place of the group's ``external_senders``."""
        return cls(SenderType.EXTERNAL, sender_index)

    @classmethod
    def new_member_proposal(cls) -> Sender:
        """A client that asks to be added."""
        return cls(SenderType.NEW_MEMBER_PROPOSAL, None)

    @classmethod
    def new_member_commit(cls) -> Sender:
        """A client that joins by its own commit."""
        return cls(SenderType.NEW_MEMBER_COMMIT, None)

    @property
    def is_member(self) -> bool:
        """Whether this is somebody in the group."""
        return self.sender_type is SenderType.MEMBER

    @property
    def leaf_index(self) -> int:
        """A member's. Raises ValidationError(SENDER_NOT_A_MEMBER) for everybody else."""
        if not self.is_member or self.index is None:
            raise ValidationError(Rule.SENDER_NOT_A_MEMBER, self.sender_type.name.lower())
        return self.index


@struct
class FramedContent(EncodedOnce):
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
