"""The cipher suites, as data: to add one is to add a row.

A suite (RFC 9420 Section 5.1) names an HPKE suite, a hash with its HMAC and HKDF, an AEAD and a signature scheme.
Drafts still move, and so do the code points they are given: rows change here and nowhere else.

All of these are for groups that an application makes. Calls choose among ``e2ee.profile.suites``, which is a shorter
list: a row here allows nothing there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from e2ee.crypto.aead import AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305, Aead
from e2ee.crypto.errors import UnsupportedCipherSuite
from e2ee.crypto.hpke import Hpke
from e2ee.crypto.hybrid_kem import MLKEM768_X25519
from e2ee.crypto.kdf import HKDF_SHA256, HKDF_SHA384, HKDF_SHA512, Kdf
from e2ee.crypto.kem import (
    DHKEM_P256_HKDF_SHA256,
    DHKEM_P384_HKDF_SHA384,
    DHKEM_P521_HKDF_SHA512,
    DHKEM_X448_HKDF_SHA512,
    DHKEM_X25519_HKDF_SHA256,
)
from e2ee.crypto.signature import (
    ECDSA_P256,
    ECDSA_P384,
    ECDSA_P521,
    ED448,
    ED25519,
    SignatureScheme,
)

__all__ = ["CIPHER_SUITES", "CipherSuite", "cipher_suite"]


@dataclass(frozen=True)
class CipherSuite:
    """An MLS cipher suite; ``kdf`` is also its hash and its MAC, and ``kdf.Nh`` its KDF.Nh."""

    code_point: int
    name: str
    hpke: Hpke
    kdf: Kdf
    aead: Aead
    signature: SignatureScheme

    def __str__(self) -> str:
        return self.name


_ROWS = (
    # RFC 9420 Section 17.1
    CipherSuite(
        code_point=0x0001,
        name="MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519",
        hpke=Hpke(DHKEM_X25519_HKDF_SHA256, HKDF_SHA256, AES_128_GCM),
        kdf=HKDF_SHA256,
        aead=AES_128_GCM,
        signature=ED25519,
    ),
    CipherSuite(
        code_point=0x0002,
        name="MLS_128_DHKEMP256_AES128GCM_SHA256_P256",
        hpke=Hpke(DHKEM_P256_HKDF_SHA256, HKDF_SHA256, AES_128_GCM),
        kdf=HKDF_SHA256,
        aead=AES_128_GCM,
        signature=ECDSA_P256,
    ),
    CipherSuite(
        code_point=0x0003,
        name="MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519",
        hpke=Hpke(DHKEM_X25519_HKDF_SHA256, HKDF_SHA256, CHACHA20_POLY1305),
        kdf=HKDF_SHA256,
        aead=CHACHA20_POLY1305,
        signature=ED25519,
    ),
    CipherSuite(
        code_point=0x0004,
        name="MLS_256_DHKEMX448_AES256GCM_SHA512_Ed448",
        hpke=Hpke(DHKEM_X448_HKDF_SHA512, HKDF_SHA512, AES_256_GCM),
        kdf=HKDF_SHA512,
        aead=AES_256_GCM,
        signature=ED448,
    ),
    CipherSuite(
        code_point=0x0005,
        name="MLS_256_DHKEMP521_AES256GCM_SHA512_P521",
        hpke=Hpke(DHKEM_P521_HKDF_SHA512, HKDF_SHA512, AES_256_GCM),
        kdf=HKDF_SHA512,
        aead=AES_256_GCM,
        signature=ECDSA_P521,
    ),
    CipherSuite(
        code_point=0x0006,
        name="MLS_256_DHKEMX448_CHACHA20POLY1305_SHA512_Ed448",
        hpke=Hpke(DHKEM_X448_HKDF_SHA512, HKDF_SHA512, CHACHA20_POLY1305),
        kdf=HKDF_SHA512,
        aead=CHACHA20_POLY1305,
        signature=ED448,
    ),
    CipherSuite(
        code_point=0x0007,
        name="MLS_256_DHKEMP384_AES256GCM_SHA384_P384",
        hpke=Hpke(DHKEM_P384_HKDF_SHA384, HKDF_SHA384, AES_256_GCM),
        kdf=HKDF_SHA384,
        aead=AES_256_GCM,
        signature=ECDSA_P384,
    ),
    # draft-ietf-mls-pq-ciphersuites-06, on a private-use code point until it has one of its own
    CipherSuite(
        code_point=0xF0E2,
        name="MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519",
        hpke=Hpke(MLKEM768_X25519, HKDF_SHA384, AES_256_GCM),
        kdf=HKDF_SHA384,
        aead=AES_256_GCM,
        signature=ED25519,
    ),
)

_TABLE = {row.code_point: row for row in _ROWS}

CIPHER_SUITES: Mapping[int, CipherSuite] = MappingProxyType(_TABLE)
"""Code point -> suite. Nobody changes it but ``e2ee.testing.cipher_suites``, which tests add foreign rows with."""


def cipher_suite(code_point: int) -> CipherSuite:
    """The suite of a code point, or ``UnsupportedCipherSuite``."""
    suite = CIPHER_SUITES.get(code_point)
    if suite is None:
        raise UnsupportedCipherSuite(f"0x{code_point:04X}")
    return suite
