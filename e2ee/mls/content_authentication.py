"""Content authentication (RFC 9420 Section 6.1): whose key signs a message, and what each sender may say.

``verify_content`` turns what was received into ``VerifiedContent``, which is all that the rest of the package acts on.
It finds the key itself, by the type of the sender, so that no caller can take another one:

    member                 its leaf                                     anything
    external               its place in ``external_senders``            proposals of certain types
    new_member_proposal    the KeyPackage of its Add                    this Add
    new_member_commit      the leaf in its UpdatePath                   this commit

Who is no member has no key of the group, so its messages are PublicMessages without a membership tag; a
PrivateMessage names a leaf, and is a member's by construction. Whether a stranger's proposal is welcome is the
application's to say: until it was committed it has changed nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.mls.capabilities import ProposalType
from e2ee.mls.commit import Commit
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.extension import ExtensionType, external_senders, find
from e2ee.mls.framing import (
    AuthenticatedContent,
    FramedContent,
    FramedContentAuthData,
    Sender,
    SenderType,
    WireFormat,
)
from e2ee.mls.group_context import GroupContext, ProtocolVersion
from e2ee.mls.labels import sign_with_label, verify_with_label
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.proposal import Add, Proposal
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.tls_syntax import Struct, enum, nothing, select, struct, uint16

__all__ = [
    "TYPES_FOR_EXTERNAL_SENDERS",
    "FramedContentTBS",
    "VerifiedContent",
    "authenticate",
    "check_group_and_epoch",
    "member_leaf",
    "sender_key",
    "sign_content",
    "verify_content",
]


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

    @classmethod
    def of(
        cls, wire_format: WireFormat, content: FramedContent, context: GroupContext | None
    ) -> FramedContentTBS:
        """What is signed of ``content`` in the epoch of ``context``."""
        signed_context = context if content.sender.sender_type in _SIGNS_CONTEXT else None
        return cls(ProtocolVersion.MLS10, wire_format, content, signed_context)


_SIGNS_CONTEXT = {SenderType.MEMBER, SenderType.NEW_MEMBER_COMMIT}
"""Who knows the GroupContext: who proposes from outside may know only group_id and epoch."""


@dataclass(frozen=True, slots=True)
class VerifiedContent:
    """Content that ``sender`` signed in the epoch of ``context``.

    Made by ``verify_content``, and of what this client has just signed itself; by nothing else.
    """

    context: GroupContext
    authenticated: AuthenticatedContent

    @property
    def sender(self) -> Sender:
        """Who signed it."""
        return self.authenticated.content.sender

    @property
    def leaf_index(self) -> int:
        """That of a member. Raises ValidationError(SENDER_NOT_A_MEMBER) if somebody else signed."""
        return self.sender.leaf_index

    @property
    def content(self) -> bytes | Proposal | Commit:
        """Application data, a proposal or a commit."""
        return self.authenticated.content.content

    @property
    def authenticated_data(self) -> bytes:
        """What the sender signed beside the content."""
        return self.authenticated.content.authenticated_data


def authenticate(
    suite: CipherSuite,
    context: GroupContext | None,
    wire_format: WireFormat,
    content: FramedContent,
    private: bytes,
) -> AuthenticatedContent:
    """``content`` with its sender's signature; a commit still lacks its confirmation tag.

    ``context`` is that of the epoch in which it is sent, or None if the sender proposes from outside and does not know it.
    """
    signature = sign_content(suite, context, wire_format, content, private)
    return AuthenticatedContent(wire_format, content, FramedContentAuthData(signature, None))


def sign_content(
    suite: CipherSuite,
    context: GroupContext | None,
    wire_format: WireFormat,
    content: FramedContent,
    private: bytes,
) -> bytes:
    """The signature of its sender over ``content`` in the epoch of ``context``."""
    signed = FramedContentTBS.of(wire_format, content, context)
    return sign_with_label(suite, private, "FramedContentTBS", signed.encode())


def verify_content(
    tree: RatchetTree, context: GroupContext, authenticated: AuthenticatedContent
) -> VerifiedContent:
    """``tree`` and ``context`` are those of the epoch in which it was sent. Raises ValidationError."""
    content = authenticated.content
    check_group_and_epoch(context, content.group_id, content.epoch)
    key = sender_key(tree, context, content)
    signed = FramedContentTBS.of(authenticated.wire_format, content, context)
    # "Recipients of an MLSMessage MUST verify the signature with the key depending on the sender_type of the sender"
    verify_with_label(
        tree.suite,
        key,
        "FramedContentTBS",
        signed.encode(),
        authenticated.auth.signature,
        Rule.CONTENT_SIGNATURE,
    )
    return VerifiedContent(context, authenticated)


def sender_key(tree: RatchetTree, context: GroupContext, content: FramedContent) -> bytes:
    """The key that must have signed ``content``. Raises ValidationError if its sender cannot say it."""
    return _SIGNATURE_KEY[content.sender.sender_type](tree, context, content)


def check_group_and_epoch(context: GroupContext, group_id: bytes, epoch: int) -> None:
    """A message is for this group and this epoch."""
    if group_id != context.group_id:
        raise ValidationError(Rule.WRONG_GROUP)
    # Section 12.4.2: "Verify that the epoch field of the enclosing FramedContent is equal to the epoch field of the
    # current GroupContext object."
    if epoch != context.epoch:
        raise ValidationError(Rule.WRONG_EPOCH, f"{epoch} in epoch {context.epoch}")


def member_leaf(tree: RatchetTree, leaf_index: int) -> LeafNode:
    """The leaf of a member. Raises ValidationError(SENDER_NOT_A_MEMBER)."""
    leaf_node = tree.leaf(leaf_index)
    if leaf_node is None:
        raise ValidationError(Rule.SENDER_NOT_A_MEMBER, f"leaf {leaf_index}")
    return leaf_node


def _key_of_member(tree: RatchetTree, _: GroupContext, content: FramedContent) -> bytes:
    # "The signature key contained in the LeafNode at the index indicated by leaf_index in the ratchet tree."
    return member_leaf(tree, content.sender.leaf_index).signature_key


TYPES_FOR_EXTERNAL_SENDERS = {
    ProposalType.ADD,
    ProposalType.REMOVE,
    ProposalType.PSK,
    ProposalType.REINIT,
    ProposalType.GROUP_CONTEXT_EXTENSIONS,
}
"""RFC 9420 Section 17.4, column "Ext"."""


def _key_of_external_sender(_: RatchetTree, context: GroupContext, content: FramedContent) -> bytes:
    proposal = content.content
    # "The content_type of the message MUST be proposal and the proposal_type MUST be a value that is allowed for
    # external senders."
    if not isinstance(proposal, Proposal):
        raise ValidationError(Rule.EXTERNAL_SENDER_NOT_PROPOSING, content.content_type.name.lower())
    # Section 12.1.8: "Messages from external senders containing proposal types other than the above MUST be rejected
    # as malformed."
    if proposal.proposal_type not in TYPES_FOR_EXTERNAL_SENDERS:
        detail = f"type {proposal.proposal_type:#06x}"
        raise ValidationError(Rule.PROPOSAL_TYPE_NOT_FOR_EXTERNAL_SENDERS, detail)
    # Section 12.1.8: "can only be used if the external_senders extension is present in the group's GroupContext."
    listed = find(context.extensions, ExtensionType.EXTERNAL_SENDERS)
    if listed is None:
        raise ValidationError(Rule.EXTERNAL_SENDERS_MISSING)
    # "The signature key at the index indicated by sender_index in the external_senders group context extension"
    senders = external_senders.decode(listed)
    index = content.sender.index
    if index is None or index >= len(senders):
        raise ValidationError(Rule.EXTERNAL_SENDER_UNKNOWN, f"{index} of {len(senders)}")
    return senders[index].signature_key


def _key_of_proposed_member(_: RatchetTree, __: GroupContext, content: FramedContent) -> bytes:
    proposal = content.content
    # "The content_type of the message MUST be proposal and the proposal_type of the Proposal MUST be add."
    if not isinstance(proposal, Proposal) or not isinstance(proposal.content, Add):
        raise ValidationError(Rule.NEW_MEMBER_PROPOSAL_NOT_AN_ADD)
    # "The signature key in the LeafNode in the KeyPackage embedded in an external Add proposal."
    return proposal.content.key_package.leaf_node.signature_key


def _key_of_joiner(_: RatchetTree, __: GroupContext, content: FramedContent) -> bytes:
    commit = content.content
    # "The content_type of the message MUST be commit."
    if not isinstance(commit, Commit):
        raise ValidationError(Rule.NEW_MEMBER_COMMIT_NOT_A_COMMIT)
    # Section 12.4.3.2: "External Commits MUST contain a path field (and is therefore a "full" Commit)."
    if commit.path is None:
        raise ValidationError(Rule.EXTERNAL_COMMIT_PATH_MISSING)
    # "The signature key in the LeafNode in the Commit's path"
    return commit.path.leaf_node.signature_key


_SIGNATURE_KEY: dict[SenderType, Callable[[RatchetTree, GroupContext, FramedContent], bytes]] = {
    SenderType.MEMBER: _key_of_member,
    SenderType.EXTERNAL: _key_of_external_sender,
    SenderType.NEW_MEMBER_PROPOSAL: _key_of_proposed_member,
    SenderType.NEW_MEMBER_COMMIT: _key_of_joiner,
}
