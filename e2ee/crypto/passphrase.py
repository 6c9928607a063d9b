"""Sealing by a passphrase: Argon2id (RFC 9106) makes a key of it, XChaCha20-Poly1305 seals what is stored under that key.

A passphrase is guessed, so each guess is made dear: 64 MiB and 3 passes, RFC 9106 Section 4's second recommended option,
at least. The cost and the salt are stored beside what is sealed; those that are cheaper, or so dear that a changed file
could stop the machine, are refused. Nonces are 192 random bits, so that no count of what was sealed needs to be kept.

Each sealing is bound to where it is stored: moved to another place it does not open. That an older sealing of the same
place was put back, nobody can tell from it.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Self

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError

from e2ee.crypto.entropy import Entropy
from e2ee.crypto.errors import BadLength, OpenError
from e2ee.crypto.kdf import HKDF_SHA256
from e2ee.crypto.secret import Secret

__all__ = ["Cost", "SealingKey"]

_KEY = 32
_SALT = 16
_NONCE = 24
_TAG = 16


@dataclass(frozen=True, slots=True)
class Cost:
    """What a guess costs: ``memory`` in KiB, ``passes`` over it, in ``lanes`` at once. Raises BadLength out of bounds."""

    memory: int = 1 << 16
    passes: int = 3
    lanes: int = 4

    def __post_init__(self) -> None:
        # RFC 9106 Section 4: "t=3 iterations, p=4 lanes, m=2^(16) (64 MiB of RAM)"
        if not (
            1 << 16 <= self.memory <= 1 << 20 and 3 <= self.passes <= 16 and 1 <= self.lanes <= 16
        ):
            raise BadLength("Argon2id takes 64 MiB to 1 GiB, 3 to 16 passes, 1 to 16 lanes")


class SealingKey:
    """A key that was made of a passphrase. It is in memory only, and prints nothing."""

    __slots__ = ("_names", "_values")

    def __init__(self, key: Secret) -> None:
        self._values = HKDF_SHA256.expand(key, b"E2EE store values", _KEY)
        self._names = HKDF_SHA256.expand(key, b"E2EE store names", _KEY)

    @staticmethod
    def new_salt(entropy: Entropy) -> bytes:
        """16 bytes, fresh for each passphrase that is set."""
        return entropy.random(_SALT)

    @classmethod
    def of(cls, passphrase: str, salt: bytes, cost: Cost) -> Self:
        """The key of a passphrase. Takes some tenths of a second.

        The passphrase is taken in Normalization Form C, in which keyboards and systems agree about accents.
        """
        if len(salt) != _SALT:
            raise BadLength(f"a salt has {_SALT} bytes, not {len(salt)}")
        argon2id = Argon2id(
            salt=salt,
            length=_KEY,
            iterations=cost.passes,
            lanes=cost.lanes,
            memory_cost=cost.memory,
        )
        text = unicodedata.normalize("NFC", passphrase)
        return cls(Secret(argon2id.derive(text.encode(errors="surrogatepass"))))

    def name(self, place: bytes) -> bytes:
        """A name for ``place`` that does not tell it, the same every time; 32 bytes."""
        return HKDF_SHA256.hmac(self._names, place)

    def seal(self, place: bytes, value: bytes, entropy: Entropy) -> bytes:
        """``value``, to be stored at ``place``: nonce || ciphertext || tag, 40 bytes longer."""
        nonce = entropy.random(_NONCE)
        return nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(
            bytes(value), place, nonce, bytes(self._values)
        )

    def open(self, place: bytes, sealed: bytes) -> Secret:
        """What was sealed for ``place``. Raises OpenError for anything that ``seal`` did not make for it."""
        if len(sealed) < _NONCE + _TAG:
            raise OpenError("too short")
        nonce, ciphertext = sealed[:_NONCE], sealed[_NONCE:]
        try:
            return Secret(
                crypto_aead_xchacha20poly1305_ietf_decrypt(
                    ciphertext, place, nonce, bytes(self._values)
                )
            )
        except CryptoError:
            raise OpenError from None
