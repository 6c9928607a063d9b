"""Key ids and base keys from MLS (RFC 9605 Section 5.2), as calls use them: S = 10, E = 4.

     63            22 21      18  17  16    14 13            4 3        0
    +----------------+----------+----+--------+---------------+----------+
    |       0        | instance |live|  kind  |  leaf_index   |  epoch   |
    |                |  4 bits  | 1  | 3 bits |    10 bits    |  4 bits  |
    +----------------+----------+----+--------+---------------+----------+
                      '------- context ------'

Who sent a frame is the leaf in its KID, and what it shows is the kind: both are authenticated with the frame.
This module never sees an MLS group: the exporter comes in as a function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from e2ee.crypto.secret import Secret
from e2ee.sframe.cipher_suite import CipherSuite
from e2ee.sframe.errors import KeyIdError, OutOfRange, SFrameReason
from e2ee.sframe.header import MAX_VALUE

__all__ = [
    "BASE_KEY_LABEL",
    "EPOCH_BITS",
    "MAX_INSTANCE",
    "MAX_LEAF_INDEX",
    "Exporter",
    "KeyId",
    "Kind",
    "compose_kid",
    "export_base_key",
]

S = 10
E = 4

EPOCH_BITS = E
"""How many low bits of the epoch a KID holds."""

MAX_LEAF_INDEX = (1 << S) - 1
MAX_INSTANCE = 15

BASE_KEY_LABEL = "SFrame 1.0 Base Key"

Exporter = Callable[[str, bytes, int], Secret]
"""MLS-Exporter of one epoch: (label, context, length) -> secret (RFC 9420 Section 8.5)."""


class Kind(IntEnum):
    """What a stream carries."""

    MICROPHONE = 0
    CAMERA = 1
    SCREEN_VIDEO = 2
    SCREEN_AUDIO = 3
    CONTROL = 4
    """Reliable data, never RTP."""


_KINDS = {int(kind): kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class KeyId:
    """A KID of a call, taken apart. ``epoch_bits`` is the epoch modulo 16."""

    kind: Kind
    instance: int
    leaf_index: int
    epoch_bits: int

    @classmethod
    def of_epoch(cls, kind: Kind, instance: int, leaf_index: int, epoch: int) -> KeyId:
        """The key id of a stream in ``epoch``, a full epoch number. Raises OutOfRange."""
        if not 0 <= instance <= MAX_INSTANCE:
            raise OutOfRange(f"instance {instance}")
        if not 0 <= leaf_index <= MAX_LEAF_INDEX:
            raise OutOfRange(f"leaf index {leaf_index}")
        return cls(kind, instance, leaf_index, epoch % (1 << E))

    def encode(self) -> int:
        """The KID."""
        return compose_kid(self.kind | self.instance << 4, self.leaf_index, self.epoch_bits)

    @classmethod
    def decode(cls, KID: int) -> KeyId:
        """The parts of ``KID``. Raises KeyIdError."""
        context = KID >> S + E
        # FKEY-2: "A KID with a bit set above bit 21, with `live` set, or with an unassigned kind MUST be refused."
        if context >> 8:
            raise KeyIdError(SFrameReason.UNUSED_BITS, f"KID {KID:#x}")
        if context & 8:
            raise KeyIdError(SFrameReason.LIVE, f"KID {KID:#x}")
        kind = _KINDS.get(context & 7)
        if kind is None:
            raise KeyIdError(SFrameReason.UNKNOWN_KIND, f"kind {context & 7}")
        return cls(kind, context >> 4, KID >> E & MAX_LEAF_INDEX, KID & (1 << E) - 1)


def compose_kid(context: int, sender_index: int, epoch: int, S: int = S, E: int = E) -> int:  # noqa: N803
    """KID = (context << (S + E)) + (sender_index << E) + (epoch % (1 << E)). Raises OutOfRange."""
    KID = (context << S + E) + (sender_index << E) + epoch % (1 << E)
    if context < 0 or not 0 <= sender_index < 1 << S or KID > MAX_VALUE:
        raise OutOfRange(f"context {context}, sender index {sender_index}")
    return KID


def export_base_key(export: Exporter, suite: CipherSuite) -> Secret:
    """base_key = MLS-Exporter("SFrame 1.0 Base Key", "", AEAD.Nk) (FKEY-1)."""
    return export(BASE_KEY_LABEL, b"", suite.aead.Nk)
