"""The registry "SFrame Cipher Suites" (RFC 9605 Sections 4.5 and 8.1), as data.

0x0006 to 0x0008 are the suites of 0x0001 to 0x0003 with AES-256 and SHA-512, registered after the RFC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from e2ee.crypto.aead import AES_128_GCM, AES_256_GCM
from e2ee.crypto.kdf import HKDF_SHA256, HKDF_SHA512, Kdf
from e2ee.sframe.aes_ctr_hmac import AesCtrHmac
from e2ee.sframe.errors import UnsupportedCipherSuite

__all__ = ["CIPHER_SUITES", "Aead", "Cipher", "CipherSuite", "Nn", "cipher_suite"]

Nn = 12
"""Length of a nonce and of a salt in bytes: the same in every suite."""


class Cipher(Protocol):
    """An AEAD key that is set up: the library's own object, or one of its shape.

    ``decrypt`` raises ``e2ee.crypto.aead.InvalidTag``. Nonces have ``Nn`` bytes.
    """

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes: ...


class Aead(Protocol):
    """GCM, or AES-CTR with HMAC: ``Nk`` and ``Nt`` are key and tag lengths in bytes."""

    @property
    def Nk(self) -> int: ...

    @property
    def Nt(self) -> int: ...

    @property
    def cipher(self) -> Callable[[bytes], Cipher]: ...


@dataclass(frozen=True, slots=True)
class CipherSuite:
    """A row of the registry."""

    code_point: int
    name: str
    kdf: Kdf
    aead: Aead


def _ctr_hmac(code_point: int, name: str, kdf: Kdf, Nka: int, Nt: int) -> CipherSuite:
    return CipherSuite(code_point, name, kdf, AesCtrHmac(name, kdf, Nka=Nka, Nt=Nt))


CIPHER_SUITES: Mapping[int, CipherSuite] = MappingProxyType(
    {
        suite.code_point: suite
        for suite in (
            _ctr_hmac(0x0001, "AES_128_CTR_HMAC_SHA256_80", HKDF_SHA256, Nka=16, Nt=10),
            _ctr_hmac(0x0002, "AES_128_CTR_HMAC_SHA256_64", HKDF_SHA256, Nka=16, Nt=8),
            _ctr_hmac(0x0003, "AES_128_CTR_HMAC_SHA256_32", HKDF_SHA256, Nka=16, Nt=4),
            CipherSuite(0x0004, "AES_128_GCM_SHA256_128", HKDF_SHA256, AES_128_GCM),
            CipherSuite(0x0005, "AES_256_GCM_SHA512_128", HKDF_SHA512, AES_256_GCM),
            _ctr_hmac(0x0006, "AES_256_CTR_HMAC_SHA512_80", HKDF_SHA512, Nka=32, Nt=10),
            _ctr_hmac(0x0007, "AES_256_CTR_HMAC_SHA512_64", HKDF_SHA512, Nka=32, Nt=8),
            _ctr_hmac(0x0008, "AES_256_CTR_HMAC_SHA512_32", HKDF_SHA512, Nka=32, Nt=4),
        )
    }
)


def cipher_suite(code_point: int) -> CipherSuite:
    """The suite of a code point, or UnsupportedCipherSuite."""
    try:
        return CIPHER_SUITES[code_point]
    except KeyError:
        raise UnsupportedCipherSuite(f"0x{code_point:04X}") from None
