"""The operating system's randomness: the one module that draws any."""

from __future__ import annotations

import os

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey

__all__ = ["SystemEntropy"]


class SystemEntropy:
    """``Entropy`` for use: os.urandom, and OpenSSL's own generator inside ML-KEM's encapsulation."""

    __slots__ = ()

    def random(self, length: int) -> bytes:
        """``length`` bytes of os.urandom."""
        return os.urandom(length)

    def mlkem768_encapsulate(self, public_key: bytes) -> tuple[bytes, bytes]:
        """ML-KEM.Encaps of FIPS 203, with its encapsulation key check (``ValueError``)."""
        return MLKEM768PublicKey.from_public_bytes(public_key).encapsulate()
