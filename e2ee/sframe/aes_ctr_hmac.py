"""The AEAD of AES-CTR and HMAC with a truncated tag (RFC 9605 Section 4.5.1).

Encrypt-then-MAC: the tag is checked, in constant time, before a byte is decrypted. Suites with these tags are
for other uses of SFrame; calls refuse them (FRAME-2).
"""

from __future__ import annotations

from dataclasses import dataclass

from e2ee.crypto.aead import AesCtrKey, InvalidTag
from e2ee.crypto.errors import BadLength
from e2ee.crypto.kdf import Kdf
from e2ee.crypto.secret import Secret, equal

__all__ = ["AesCtrHmac", "AesCtrHmacCipher", "derive_subkeys"]


@dataclass(frozen=True, slots=True)
class AesCtrHmac:
    """One AEAD of the family: ``Nka`` is the AES key's length, ``kdf`` has the hash of the HMAC. In bytes."""

    name: str
    kdf: Kdf
    Nka: int
    Nt: int

    @property
    def Nk(self) -> int:
        """Length of the AEAD key: "the AEAD key is Nka + Nh"."""
        return self.Nka + self.kdf.Nh

    def cipher(self, key: bytes) -> AesCtrHmacCipher:
        """Set up ``key``, which has ``Nk`` bytes."""
        if len(key) != self.Nk:
            raise BadLength(f"a key of {self.name} has {self.Nk} bytes, not {len(key)}")
        return AesCtrHmacCipher(self, key)


class AesCtrHmacCipher:
    """A key that is set up. Immutable; several threads may use it at once."""

    __slots__ = ("_aead", "_auth_key", "_enc_key")

    def __init__(self, aead: AesCtrHmac, key: bytes) -> None:
        self._aead = aead
        enc_key, self._auth_key = derive_subkeys(key, aead.Nka)
        self._enc_key = AesCtrKey(enc_key)

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        """AEAD.Encrypt: ciphertext || tag. ``nonce`` has 12 bytes."""
        ciphertext = self._enc_key.apply(nonce + bytes(4), data)
        return ciphertext + self._tag(nonce, associated_data, ciphertext)

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        """AEAD.Decrypt: the plaintext, or InvalidTag."""
        ciphertext, tag = data[: -self._aead.Nt], data[-self._aead.Nt :]
        if not equal(tag, self._tag(nonce, associated_data, ciphertext)):
            raise InvalidTag
        return self._enc_key.apply(nonce + bytes(4), ciphertext)

    def _tag(self, nonce: bytes, aad: bytes, ciphertext: bytes) -> bytes:
        lengths = (len(aad), len(ciphertext), self._aead.Nt)
        auth_data = b"".join(n.to_bytes(8, "big") for n in lengths) + nonce + aad + ciphertext
        return self._aead.kdf.hmac(self._auth_key, auth_data)[: self._aead.Nt]


def derive_subkeys(key: bytes, Nka: int) -> tuple[Secret, Secret]:
    """(enc_key, auth_key): "the first Nka bytes" and "the remaining Nh bytes"."""
    return Secret(key[:Nka]), Secret(key[Nka:])
