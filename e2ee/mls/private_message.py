"""PrivateMessage (RFC 9420 Section 6.3): content that is signed and encrypted.

Structures only. The keys come from the secret tree, so sealing and opening belong to the secret half.
"""

from __future__ import annotations

from typing import Annotated

from e2ee.mls.commit import Commit
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.framing import CONTENT, ContentType, FramedContentAuthData, auth_data
from e2ee.mls.proposal import Proposal
from e2ee.tls_syntax import (
    Opaque,
    Reader,
    Struct,
    Uint32,
    Uint64,
    enum,
    fixed,
    struct,
    uint8,
)

__all__ = [
    "PrivateContentAAD",
    "PrivateMessage",
    "SenderData",
    "SenderDataAAD",
    "decode_private_message_content",
    "encode_private_message_content",
    "guarded_nonce",
]

REUSE_GUARD_LENGTH = 4


@struct
class PrivateMessage(Struct):
    """RFC 9420 Section 6.3, as received: nothing in it is verified."""

    group_id: Opaque
    epoch: Uint64
    content_type: Annotated[ContentType, enum(ContentType, uint8)]
    authenticated_data: Opaque
    encrypted_sender_data: Opaque
    ciphertext: Opaque


@struct
class PrivateContentAAD(Struct):
    """RFC 9420 Section 6.3.1."""

    group_id: Opaque
    epoch: Uint64
    content_type: Annotated[ContentType, enum(ContentType, uint8)]
    authenticated_data: Opaque


@struct
class SenderData(Struct):
    """RFC 9420 Section 6.3.2."""

    leaf_index: Uint32
    generation: Uint32
    reuse_guard: Annotated[bytes, fixed(REUSE_GUARD_LENGTH)]


@struct
class SenderDataAAD(Struct):
    """RFC 9420 Section 6.3.2."""

    group_id: Opaque
    epoch: Uint64
    content_type: Annotated[ContentType, enum(ContentType, uint8)]


def encode_private_message_content(
    content_type: ContentType,
    content: bytes | Proposal | Commit,
    auth: FramedContentAuthData,
    padding: int,
) -> bytes:
    """PrivateMessageContent (RFC 9420 Section 6.3.1) with ``padding`` bytes of zeros."""
    out = bytearray()
    CONTENT[content_type].write(content, out)  # type: ignore[arg-type]  # the type goes with the content
    auth_data[content_type].write(auth, out)
    return bytes(out) + bytes(padding)


def decode_private_message_content(
    content_type: ContentType, plaintext: bytes
) -> tuple[bytes | Proposal | Commit, FramedContentAuthData]:
    """The content and auth data of a PrivateMessageContent. Raises DecodeError or ValidationError."""
    reader = Reader(plaintext)
    content = CONTENT[content_type].read(reader)
    auth = auth_data[content_type].read(reader)
    # "A receiver MUST verify that there are no non-zero bytes in the padding field, and if this check fails, the
    # enclosing PrivateMessage MUST be rejected as malformed."
    if any(plaintext[reader.position :]):
        raise ValidationError(Rule.NON_ZERO_PADDING)
    return content, auth


def guarded_nonce(nonce: bytes, reuse_guard: bytes) -> bytes:
    """The nonce with the reuse guard XORed into its first four bytes (RFC 9420 Section 6.3.1)."""
    guarded = bytes(a ^ b for a, b in zip(nonce, reuse_guard, strict=False))
    return guarded + nonce[len(reuse_guard) :]
