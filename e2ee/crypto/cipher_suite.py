"""The cipher suites, as data: to add one is to add a row.

A suite (RFC 9420 Section 5.1) names an HPKE suite, a hash with its HMAC and HKDF, an AEAD and a signature scheme.
Drafts still move, and so do the code points they are given: rows change here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from e2ee.crypto.aead import AES_128_GCM, AES_256_GCM, Aead
from e2ee.crypto.errors import UnsupportedCipherSuite
from e2ee.crypto.hpke import Hpke
from e2ee.crypto.hybrid_kem import MLKEM768_X25519
from e2ee.crypto.kdf import HKDF_SHA256, HKDF_SHA384, Kdf
from e2ee.crypto.kem import DHKEM_X25519_HKDF_SHA256
from e2ee.crypto.signature import ED25519, SignatureScheme

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

CIPHER_SUITES: Mapping[int, CipherSuite] = MappingProxyType({row.code_point: row for row in _ROWS})
"""Code point -> suite."""


def cipher_suite(code_point: int) -> CipherSuite:
    """The suite of a code point, or ``UnsupportedCipherSuite``."""
    suite = CIPHER_SUITES.get(code_point)
    if suite is None:
        raise UnsupportedCipherSuite(f"0x{code_point:04X}")
    return suite
