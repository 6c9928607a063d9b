"""The sender key scheme's ratchet and key ids (RFC 9605 Section 5.1). Calls use MLS (``e2ee.sframe.mls``).

     64-R bits         R bits
    +-----------------+--------------+
    | Key Generation  | Ratchet Step |
    +-----------------+--------------+

A receiver derives the key of a later step beside the one it has and keeps it only once a frame authenticated under
it: the step in a header is anybody's claim, and the ratchet does not turn back.
"""

from __future__ import annotations

from typing import NamedTuple

from e2ee.crypto.secret import Secret
from e2ee.sframe.cipher_suite import CipherSuite
from e2ee.sframe.errors import OutOfRange
from e2ee.sframe.header import MAX_VALUE

__all__ = ["SenderKeyId", "ratchet", "steps_ahead"]


class SenderKeyId(NamedTuple):
    """A KID of the scheme; ``ratchet_step`` holds only the low ``R`` bits when it comes from a KID."""

    key_generation: int
    ratchet_step: int

    def encode(self, R: int) -> int:  # noqa: N803 - the RFC's name
        """KID = (key_generation << R) + (ratchet_step % (1 << R)). Raises OutOfRange."""
        KID = (self.key_generation << R) + self.ratchet_step % (1 << R)
        if self.ratchet_step < 0 or not 0 <= KID <= MAX_VALUE:
            raise OutOfRange(f"{self} with R = {R}")
        return KID

    @classmethod
    def decode(cls, KID: int, R: int) -> SenderKeyId:  # noqa: N803
        """The parts of a KID. Every number is one."""
        return cls(KID >> R, KID & (1 << R) - 1)


def ratchet(suite: CipherSuite, base_key: bytes, steps: int = 1) -> Secret:
    """base_key[i + steps], ``Nh`` bytes, of base_key[i]."""
    for _ in range(steps):
        secret = suite.kdf.extract(b"", base_key)
        base_key = suite.kdf.expand(secret, b"SFrame 1.0 Ratchet", suite.kdf.Nh)
    return Secret(base_key)


def steps_ahead(ratchet_step: int, received_step: int, R: int) -> int:  # noqa: N803
    """How many steps lie between the step that a receiver is at and the low ``R`` bits that it received: below 2^R."""
    return (received_step - ratchet_step) % (1 << R)
