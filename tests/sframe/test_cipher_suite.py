"""RFC 9605 Section 4.5, Table 1, and the suites registered later."""

from __future__ import annotations

import pytest

from e2ee.sframe.aes_ctr_hmac import AesCtrHmac
from e2ee.sframe.cipher_suite import CIPHER_SUITES, Nn, cipher_suite
from e2ee.sframe.errors import SFrameReason, UnsupportedCipherSuite

TABLE = {  # name: (code point, Nh, Nka, Nk, Nt)
    "AES_128_CTR_HMAC_SHA256_80": (0x0001, 32, 16, 48, 10),
    "AES_128_CTR_HMAC_SHA256_64": (0x0002, 32, 16, 48, 8),
    "AES_128_CTR_HMAC_SHA256_32": (0x0003, 32, 16, 48, 4),
    "AES_128_GCM_SHA256_128": (0x0004, 32, None, 16, 16),
    "AES_256_GCM_SHA512_128": (0x0005, 64, None, 32, 16),
    "AES_256_CTR_HMAC_SHA512_80": (0x0006, 64, 32, 96, 10),
    "AES_256_CTR_HMAC_SHA512_64": (0x0007, 64, 32, 96, 8),
    "AES_256_CTR_HMAC_SHA512_32": (0x0008, 64, 32, 96, 4),
}


def test_the_table_is_the_registry() -> None:
    ours = {
        suite.name: (
            code_point,
            suite.kdf.Nh,
            suite.aead.Nka if isinstance(suite.aead, AesCtrHmac) else None,
            suite.aead.Nk,
            suite.aead.Nt,
        )
        for code_point, suite in CIPHER_SUITES.items()
    }
    assert ours == TABLE


@pytest.mark.parametrize("code_point", CIPHER_SUITES)
def test_ciphertexts_are_longer_by_the_tag(code_point: int) -> None:
    aead = cipher_suite(code_point).aead
    cipher = aead.cipher(bytes(aead.Nk))
    assert len(cipher.encrypt(bytes(Nn), b"frame", b"header")) == len(b"frame") + aead.Nt


@pytest.mark.parametrize("code_point", [0x0000, 0x0009, 0xF000, 0xFFFF])
def test_other_code_points_are_refused(code_point: int) -> None:
    with pytest.raises(UnsupportedCipherSuite) as refused:
        cipher_suite(code_point)
    assert refused.value.reason == SFrameReason.UNSUPPORTED_CIPHER_SUITE
