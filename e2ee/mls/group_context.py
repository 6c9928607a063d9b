"""GroupContext (RFC 9420 Section 8.1): the summary of a group's state that all members agree on."""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated

from e2ee.mls.extension import Extensions
from e2ee.tls_syntax import EncodedOnce, Opaque, Uint16, Uint64, enum, struct, uint16

__all__ = ["GroupContext", "ProtocolVersion"]


class ProtocolVersion(IntEnum):
    """RFC 9420 Section 6."""

    MLS10 = 1


@struct
class GroupContext(EncodedOnce):
    """RFC 9420 Section 8.1. ``cipher_suite`` is a code point; hashes are ``Nh`` bytes (or none before epoch 1)."""

    version: Annotated[ProtocolVersion, enum(ProtocolVersion, uint16)]
    cipher_suite: Uint16
    group_id: Opaque
    epoch: Uint64
    tree_hash: Opaque
    confirmed_transcript_hash: Opaque
    extensions: Extensions
