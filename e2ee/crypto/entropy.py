"""Where randomness comes from: an argument, like time and bytes.

Everything that draws takes an ``Entropy``: in use ``system_entropy.SystemEntropy``; in tests and vectors
``seeded_entropy.SeededEntropy``, so that every run makes the same keys, nonces and ciphertexts.
"""

from __future__ import annotations

from typing import Protocol

__all__ = ["Entropy"]


class Entropy(Protocol):
    """A source of randomness that nobody else can predict (except a seeded one, in tests).

    ML-KEM's encapsulation is part of it because OpenSSL's draws its own randomness and cannot be seeded.
    """

    def random(self, length: int) -> bytes:
        """``length`` fresh bytes."""

    def mlkem768_encapsulate(self, public_key: bytes) -> tuple[bytes, bytes]:
        """ML-KEM-768 (FIPS 203): (a fresh shared secret of 32 bytes, its ciphertext of 1,088 bytes).

        Raises ``ValueError`` if ``public_key`` fails FIPS 203's encapsulation key check.
        """
