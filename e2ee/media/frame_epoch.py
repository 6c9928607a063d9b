"""What an MLS epoch brings for frames, checked once for both halves."""

from __future__ import annotations

from dataclasses import dataclass, field

from e2ee.crypto.secret import Secret
from e2ee.media import limits
from e2ee.media.errors import BadEpoch, MediaReason
from e2ee.sframe.cipher_suite import CipherSuite
from e2ee.sframe.mls import MAX_LEAF_INDEX

__all__ = ["FrameEpoch"]


@dataclass(frozen=True, slots=True)
class FrameEpoch:
    """One epoch of one call, as this device sees it. Leaves are named by their leaf index.

    Raises BadEpoch unless the suite has 16-byte tags, ``base_key`` has its ``Nk`` bytes and the leaves fit.
    """

    number: int
    suite: CipherSuite
    base_key: Secret = field(repr=False)
    """``e2ee.sframe.mls.export_base_key`` of this epoch (FKEY-1)."""
    own_leaf: int
    roster: frozenset[int]
    """All occupied leaves, the own one among them."""
    speakers: frozenset[int]
    """Those that may send media: all if the call's list is empty, else the listed ones and the hosts (FRAME-7)."""
    added: frozenset[int] = frozenset()
    """Leaves that the commit of this epoch added."""
    removed: frozenset[int] = frozenset()
    """Leaves that it removed; the same commit may have given one to somebody else."""

    def __post_init__(self) -> None:
        if self.suite.code_point not in limits.SUITES:  # FRAME-2
            raise BadEpoch(MediaReason.UNSUITABLE_SUITE, self.suite.name)
        if len(self.base_key) != self.suite.aead.Nk:
            raise BadEpoch(MediaReason.BAD_KEY_LENGTH, f"{len(self.base_key)} bytes")
        if not {self.own_leaf, *self.speakers, *self.added} <= self.roster:
            raise BadEpoch(MediaReason.LEAF_NOT_IN_ROSTER, f"epoch {self.number}")
        if not all(0 <= leaf <= MAX_LEAF_INDEX for leaf in self.roster):
            raise BadEpoch(MediaReason.LEAF_OUT_OF_RANGE, f"epoch {self.number}")
