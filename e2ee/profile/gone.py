"""GoneStatement: the delivery service's signed word that a member is gone, so that anybody may remove it (KEYS-24).

A commit carries its statements in ``authenticated_data``, where every member judges the same bytes. A statement is for
one leaf in one epoch: it says nothing about who has the leaf later. The worst that a lying service does with it is to
have somebody removed, as it may cut anybody's connection anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from e2ee.crypto.errors import BadSignature
from e2ee.crypto.signature import SigningKey
from e2ee.errors import DecodeError
from e2ee.identity.labels import SignatureLabel, opaque16, sign_labelled, verify_labelled
from e2ee.profile.errors import ProfileError, ProfileReason
from e2ee.tls_syntax import Opaque, Struct, Uint32, Uint64, fixed, struct, vector

__all__ = ["GoneStatement", "check", "decode_statements", "encode_statements", "signed"]

Signature = Annotated[bytes, fixed(64)]


@struct
class GoneStatement(Struct):
    """KEYS-24. ``gone_since`` is in Unix milliseconds. One that was decoded proves nothing before ``check``."""

    group_id: Opaque
    epoch: Uint64
    leaf: Uint32
    gone_since: Uint64
    signature: Signature


_statements = vector(GoneStatement.codec())


def signed(
    delivery_key: SigningKey, group_id: bytes, epoch: int, leaf: int, gone_since: int
) -> GoneStatement:
    """The service's statement that the member at ``leaf`` is gone."""
    content = _content(group_id, epoch, leaf, gone_since)
    signature = sign_labelled(delivery_key, SignatureLabel.GONE, content)
    return GoneStatement(group_id, epoch, leaf, gone_since, signature)


def check(statement: GoneStatement, delivery_key: bytes, group_id: bytes, epoch: int) -> None:
    """Refuse a statement of another group or epoch, or that this service did not sign. Raises ProfileError."""
    # KEYS-24: "It counts for one leaf in one epoch"
    if (statement.group_id, statement.epoch) != (group_id, epoch):
        raise ProfileError(ProfileReason.GONE_ELSEWHERE, f"of epoch {statement.epoch}")
    content = _content(group_id, epoch, statement.leaf, statement.gone_since)
    try:
        verify_labelled(delivery_key, SignatureLabel.GONE, content, statement.signature)
    except BadSignature:
        raise ProfileError(ProfileReason.BAD_GONE_SIGNATURE, f"leaf {statement.leaf}") from None


def encode_statements(statements: Sequence[GoneStatement]) -> bytes:
    """The ``authenticated_data`` of a commit with these statements; nothing for none."""
    return _statements.encode(tuple(statements)) if statements else b""


def decode_statements(authenticated_data: bytes) -> tuple[GoneStatement, ...]:
    """The statements that a commit carries, as they came. Raises ProfileError."""
    if not authenticated_data:
        return ()
    try:
        statements = _statements.decode(authenticated_data)
    except DecodeError as error:
        raise ProfileError(ProfileReason.BAD_GONE_STATEMENTS, str(error)) from None
    # KEYS-24: "A commit of a group call whose `authenticated_data` is neither empty nor a list of at least one"
    if not statements:
        raise ProfileError(ProfileReason.BAD_GONE_STATEMENTS, "a list of none")
    return statements


def _content(group_id: bytes, epoch: int, leaf: int, gone_since: int) -> bytes:
    """What is signed, after the label."""
    numbers = epoch.to_bytes(8, "big") + leaf.to_bytes(4, "big") + gone_since.to_bytes(8, "big")
    return opaque16(group_id) + numbers
