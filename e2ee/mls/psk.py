"""PreSharedKeyID (RFC 9420 Section 8.4): the name of a pre-shared key, never the key."""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated

from e2ee.tls_syntax import Opaque, Struct, Uint64, enum, opaque, select, struct, uint8

__all__ = ["PSKType", "PreSharedKeyID", "PskName", "ResumptionPSK", "ResumptionPSKUsage"]


class PSKType(IntEnum):
    """How the key was provisioned."""

    EXTERNAL = 1
    RESUMPTION = 2


class ResumptionPSKUsage(IntEnum):
    """What a key from the key schedule of an epoch is used for."""

    APPLICATION = 1
    REINIT = 2
    BRANCH = 3


@struct
class ResumptionPSK(Struct):
    """The epoch that a resumption PSK comes from, and its use."""

    usage: Annotated[ResumptionPSKUsage, enum(ResumptionPSKUsage, uint8)]
    psk_group_id: Opaque
    psk_epoch: Uint64


PskName = bytes | ResumptionPSK
"""What an application keeps a key under: the psk_id of an external key, or the epoch of a resumption key."""


@struct
class PreSharedKeyID(Struct):
    """RFC 9420 Section 8.4. ``psk`` is the psk_id (external) or the epoch (resumption)."""

    psktype: Annotated[PSKType, enum(PSKType, uint8)]
    psk: Annotated[
        PskName,
        select("psktype", {PSKType.EXTERNAL: opaque, PSKType.RESUMPTION: ResumptionPSK.codec()}),
    ]
    psk_nonce: Opaque

    @property
    def usage(self) -> ResumptionPSKUsage | None:
        """That of a resumption key."""
        return None if isinstance(self.psk, bytes) else self.psk.usage

    @classmethod
    def external(cls, psk_id: bytes, psk_nonce: bytes) -> PreSharedKeyID:
        """A key that the application provides under ``psk_id``; ``psk_nonce`` is ``Nh`` random bytes."""
        return cls(PSKType.EXTERNAL, psk_id, psk_nonce)
