"""A reproducible source of randomness, for tests and vectors only.

Who knows the seed knows every key that was made with it. So it stands in a module of its own, which nothing that
makes or answers calls may import.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from e2ee.crypto.errors import NoEncapsulation

__all__ = ["Encapsulation", "SeededEntropy"]

Encapsulation = Callable[[bytes, bytes], tuple[bytes, bytes]]
"""ML-KEM.Encaps_internal(ek, m) of FIPS 203: (public key, 32 random bytes) -> (shared secret, ciphertext)."""


class SeededEntropy:
    """``Entropy`` that repeats itself: the same seed and the same requests give the same bytes.

    Request n, counted from 0, for ``length`` bytes gives
    SHAKE256("e2ee SeededEntropy random" || u64(len(seed)) || seed || u64(n) || u64(length)),
    so that no two requests overlap, whatever their lengths.
    """

    def __init__(self, seed: bytes, mlkem768_encapsulate: Encapsulation | None = None) -> None:
        self._seed = bytes(seed)
        self._requests = 0
        self._encapsulation = mlkem768_encapsulate

    def random(self, length: int) -> bytes:
        """``length`` bytes that no earlier request gave."""
        request = self._requests.to_bytes(8, "big") + length.to_bytes(8, "big")
        self._requests += 1
        return self._derive(b"random", request, length)

    def mlkem768_encapsulate(self, public_key: bytes) -> tuple[bytes, bytes]:
        """Encapsulate with 32 bytes of this stream, by the function that was handed in."""
        if self._encapsulation is None:
            raise NoEncapsulation("give SeededEntropy an ML-KEM-768 encapsulation")
        return self._encapsulation(public_key, self.random(32))

    def fork(self, label: bytes) -> SeededEntropy:
        """A stream of its own for ``label``, the same whatever this one has given or will give."""
        return SeededEntropy(self._derive(b"fork", label, 32), self._encapsulation)

    def _derive(self, purpose: bytes, context: bytes, length: int) -> bytes:
        seed = len(self._seed).to_bytes(8, "big") + self._seed
        return hashlib.shake_256(b"e2ee SeededEntropy " + purpose + seed + context).digest(length)
