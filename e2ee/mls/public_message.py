"""PublicMessage (RFC 9420 Section 6.2): content that is signed but not encrypted.

A ``PublicMessage`` that was received is unverified. A member turns it into ``VerifiedContent`` by ``unprotect``, which
checks membership tag and signature; who is no member carries no tag, and its signature alone says who it is. The
delivery service has no membership key: ``verify_as_outsider`` checks the signature alone, and its name says so at
every call.
"""

from __future__ import annotations

from typing import Annotated

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.crypto.secret import Secret, equal
from e2ee.mls.content_authentication import (
    FramedContentTBS,
    VerifiedContent,
    check_group_and_epoch,
    verify_content,
)
from e2ee.mls.errors import Rule, UsageError, ValidationError
from e2ee.mls.framing import (
    AuthenticatedContent,
    ContentType,
    FramedContent,
    FramedContentAuthData,
    SenderType,
    WireFormat,
    auth_data,
)
from e2ee.mls.group_context import GroupContext
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.tls_syntax import Struct, nothing, opaque, select, struct

__all__ = ["PublicMessage", "protect", "unprotect", "verify_as_outsider"]


@struct
class PublicMessage(Struct):
    """RFC 9420 Section 6.2, as received: nothing in it is verified. ``membership_tag`` is of members only."""

    content: FramedContent
    auth: Annotated[FramedContentAuthData, select("content.content_type", auth_data)]
    membership_tag: Annotated[
        bytes | None,
        select(
            "content.sender.sender_type",
            {
                SenderType.MEMBER: opaque,
                SenderType.EXTERNAL: nothing,
                SenderType.NEW_MEMBER_PROPOSAL: nothing,
                SenderType.NEW_MEMBER_COMMIT: nothing,
            },
        ),
    ]


@struct
class AuthenticatedContentTBM(Struct):
    """RFC 9420 Section 6.2: what the membership tag covers."""

    content_tbs: FramedContentTBS
    auth: Annotated[FramedContentAuthData, select("content_tbs.content.content_type", auth_data)]


def _membership_tag(
    suite: CipherSuite,
    context: GroupContext,
    content: FramedContent,
    auth: FramedContentAuthData,
    membership_key: Secret,
) -> bytes:
    """ "membership_tag = MAC(membership_key, AuthenticatedContentTBM)"."""
    tbs = FramedContentTBS.of(WireFormat.PUBLIC_MESSAGE, content, context)
    return suite.kdf.hmac(membership_key, AuthenticatedContentTBM(tbs, auth).encode())


def protect(
    suite: CipherSuite,
    context: GroupContext,
    authenticated: AuthenticatedContent,
    membership_key: Secret,
) -> PublicMessage:
    """A member's signed handshake message, as it is sent. Raises UsageError for application data."""
    content, auth = authenticated.content, authenticated.auth
    if content.content_type == ContentType.APPLICATION:
        raise UsageError(Rule.APPLICATION_DATA_IN_PUBLIC_MESSAGE)
    tag = _membership_tag(suite, context, content, auth, membership_key)
    return PublicMessage(content, auth, tag)


def unprotect(
    tree: RatchetTree, context: GroupContext, message: PublicMessage, membership_key: Secret
) -> VerifiedContent:
    """What somebody sent in the epoch of ``tree`` and ``context``. Raises ValidationError."""
    content = message.content
    check_group_and_epoch(context, content.group_id, content.epoch)
    if content.sender.is_member:
        _check_membership_tag(tree.suite, context, message, membership_key)
    return verify_as_outsider(tree, context, message)


def _check_membership_tag(
    suite: CipherSuite, context: GroupContext, message: PublicMessage, membership_key: Secret
) -> None:
    due = _membership_tag(suite, context, message.content, message.auth, membership_key)
    # "When decoding a PublicMessage into an AuthenticatedContent, the application MUST check membership_tag and MUST
    # check that the FramedContentAuthData is valid."
    if message.membership_tag is None or not equal(due, message.membership_tag):
        raise ValidationError(Rule.MEMBERSHIP_TAG)


def verify_as_outsider(
    tree: RatchetTree, context: GroupContext, message: PublicMessage
) -> VerifiedContent:
    """The signature alone, for who has no membership key. Raises ValidationError."""
    # "Applications MUST use PrivateMessage to encrypt application messages"
    if message.content.content_type == ContentType.APPLICATION:
        raise ValidationError(Rule.APPLICATION_DATA_IN_PUBLIC_MESSAGE)
    authenticated = AuthenticatedContent(WireFormat.PUBLIC_MESSAGE, message.content, message.auth)
    return verify_content(tree, context, authenticated)
