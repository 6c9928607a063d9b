"""Authenticated encryption with associated data, and the bare AES-CTR that SFrame builds an AEAD of its own from.

An ``Aead`` is a row of data. ``Aead.key`` sets a key up once; what it returns seals and opens with one call into
the library, because every media frame passes here. Nonces are the caller's: RFC 9180, RFC 9420 and RFC 9605 each
say how theirs are made and kept from repeating.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from e2ee.crypto.errors import BadLength, OpenError

__all__ = [
    "AES_128_GCM",
    "AES_256_GCM",
    "CHACHA20_POLY1305",
    "Aead",
    "AeadKey",
    "AesCtrKey",
    "InvalidTag",
]

_NONCE = 12
_COUNTER_BLOCK = 16


class _Cipher(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...


class AeadKey:
    """A key that is set up. Immutable; several threads may use it at once."""

    __slots__ = ("_decrypt", "_encrypt")

    def __init__(self, cipher: _Cipher) -> None:
        self._encrypt = cipher.encrypt
        self._decrypt = cipher.decrypt

    def seal(self, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes:
        """Ciphertext || tag, ``Nt`` bytes longer than ``plaintext``; ``nonce`` has ``Nn`` bytes."""
        if len(nonce) != _NONCE:
            raise BadLength(f"a nonce has {_NONCE} bytes, not {len(nonce)}")
        return self._encrypt(nonce, plaintext, aad)

    def open(self, nonce: bytes, aad: bytes, ciphertext: bytes) -> bytes:
        """The plaintext; ``OpenError`` if nonce, aad or ciphertext || tag is not what was sealed with this key."""
        if len(nonce) != _NONCE:
            raise BadLength(f"a nonce has {_NONCE} bytes, not {len(nonce)}")
        try:
            return self._decrypt(nonce, ciphertext, aad)
        except InvalidTag:
            raise OpenError from None


@dataclass(frozen=True, slots=True)
class Aead:
    """An AEAD of RFC 5116: key, nonce and tag lengths in bytes; ``hpke_id`` is RFC 9180 Section 7.3's value."""

    name: str
    hpke_id: int
    Nk: int
    Nn: int
    Nt: int
    cipher: Callable[[bytes], _Cipher]

    def key(self, key: bytes) -> AeadKey:
        """Set up ``key``, which has ``Nk`` bytes."""
        if len(key) != self.Nk:
            raise BadLength(f"a key of {self.name} has {self.Nk} bytes, not {len(key)}")
        return AeadKey(self.cipher(key))


class AesCtrKey:
    """AES-CTR (NIST SP 800-38A Section 6.5) with a key of 16 or 32 bytes. It authenticates nothing.

    Only for a construction that adds a tag of its own and checks it before it uses what this returns. Each call
    makes a context of its own, since two threads sharing one could encrypt two frames with the same key stream.
    """

    __slots__ = ("_aes",)

    def __init__(self, key: bytes) -> None:
        if len(key) not in (16, 32):
            raise BadLength(f"a key of AES-CTR has 16 or 32 bytes, not {len(key)}")
        self._aes = AES(key)

    def apply(self, initial_counter: bytes, data: bytes) -> bytes:
        """Encrypt or decrypt: ``data`` xor the key stream that begins at the 16-byte ``initial_counter``."""
        if len(initial_counter) != _COUNTER_BLOCK:
            raise BadLength(f"a counter has {_COUNTER_BLOCK} bytes, not {len(initial_counter)}")
        return Cipher(self._aes, CTR(initial_counter)).encryptor().update(data)


AES_128_GCM = Aead("AES-128-GCM", 0x0001, Nk=16, Nn=_NONCE, Nt=16, cipher=AESGCM)
AES_256_GCM = Aead("AES-256-GCM", 0x0002, Nk=32, Nn=_NONCE, Nt=16, cipher=AESGCM)
CHACHA20_POLY1305 = Aead(
    "ChaCha20Poly1305", 0x0003, Nk=32, Nn=_NONCE, Nt=16, cipher=ChaCha20Poly1305
)
