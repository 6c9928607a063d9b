"""Transcript hashes (RFC 9420 Section 8.2): running hashes over all commits of a group.

The confirmed hash ends with the latest commit's signature; the interim hash adds its confirmation tag, so that the
next commit confirms everything before it.
"""

from __future__ import annotations

from typing import Annotated

from e2ee.crypto.kdf import Kdf
from e2ee.crypto.secret import Secret, equal
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.framing import FramedContent, WireFormat
from e2ee.tls_syntax import Opaque, Struct, enum, struct, uint16

__all__ = [
    "check_confirmation_tag",
    "confirmation_tag",
    "confirmed_transcript_hash",
    "interim_transcript_hash",
]


@struct
class ConfirmedTranscriptHashInput(Struct):
    """RFC 9420 Section 8.2."""

    wire_format: Annotated[WireFormat, enum(WireFormat, uint16)]
    content: FramedContent
    signature: Opaque


@struct
class InterimTranscriptHashInput(Struct):
    """RFC 9420 Section 8.2."""

    confirmation_tag: Opaque


def confirmed_transcript_hash(
    kdf: Kdf,
    interim_before: bytes,
    wire_format: WireFormat,
    content: FramedContent,
    signature: bytes,
) -> bytes:
    """The hash with this signed commit added to the interim hash of the epoch in which it was sent."""
    signed = ConfirmedTranscriptHashInput(wire_format, content, signature)
    return kdf.hash(interim_before + signed.encode())


def interim_transcript_hash(kdf: Kdf, confirmed: bytes, tag: bytes) -> bytes:
    """The hash with the confirmation tag added, to which the next commit will be added."""
    return kdf.hash(confirmed + InterimTranscriptHashInput(tag).encode())


def confirmation_tag(kdf: Kdf, confirmation_key: Secret, confirmed: bytes) -> bytes:
    """MAC(confirmation_key, confirmed_transcript_hash) of RFC 9420 Section 6.1; both are of the new epoch."""
    return kdf.hmac(confirmation_key, confirmed)


def check_confirmation_tag(
    kdf: Kdf, confirmation_key: Secret, confirmed: bytes, tag: bytes
) -> None:
    """RFC 9420 Section 12.4.2."""
    # "Use the confirmation_key for the new epoch to compute the confirmation tag for this message, as described
    # below, and verify that it is the same as the confirmation_tag field in the FramedContentAuthData object."
    if not equal(confirmation_tag(kdf, confirmation_key, confirmed), tag):
        raise ValidationError(Rule.CONFIRMATION_TAG)
