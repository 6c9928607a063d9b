"""The table of cipher suites holds the rows that it should, and says so when a row is missing."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.cipher_suite import CIPHER_SUITES, CipherSuite, cipher_suite
from e2ee.crypto.errors import CryptoReason, UnsupportedCipherSuite
from e2ee.errors import RemoteProtocolError


def row(suite: CipherSuite) -> tuple[str, int, int, int, str, str, str]:
    hpke = suite.hpke
    ids = (hpke.kem.kem_id, hpke.kdf.hpke_id, hpke.aead.hpke_id)
    return (suite.name, *ids, suite.kdf.name, suite.aead.name, suite.signature.name)


def test_0x0001_is_the_row_of_rfc_9420_section_17_1() -> None:
    assert row(cipher_suite(0x0001)) == (
        "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519",
        0x0020,
        0x0001,
        0x0001,
        "HKDF-SHA256",
        "AES-128-GCM",
        "Ed25519",
    )


def test_0xf0e2_is_the_row_of_the_post_quantum_draft() -> None:
    assert row(cipher_suite(0xF0E2)) == (
        "MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519",
        0x647A,
        0x0002,
        0x0002,
        "HKDF-SHA384",
        "AES-256-GCM",
        "Ed25519",
    )


def test_each_row_is_found_by_its_own_code_point(suite: CipherSuite) -> None:
    assert cipher_suite(suite.code_point) is CIPHER_SUITES[suite.code_point] is suite
    assert str(suite) == suite.name


def test_rows_agree_with_their_names(suite: CipherSuite) -> None:
    """MLS_LVL_KEM_AEAD_HASH_SIG: the HPKE suite's KDF and AEAD are those of MLS."""
    _, _, _, aead, hash_name, signature = suite.name.split("_")
    assert suite.aead.name.replace("-", "") == suite.hpke.aead.name.replace("-", "") == aead
    assert suite.kdf.name.removeprefix("HKDF-") == hash_name
    assert suite.hpke.kdf is suite.kdf
    assert suite.signature.name == signature


def test_the_table_cannot_be_changed(suite: CipherSuite) -> None:
    with pytest.raises(TypeError):
        CIPHER_SUITES[0x0001] = suite  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        suite.name = "another"  # type: ignore[misc]


@given(st.integers(min_value=0, max_value=0xFFFF).filter(lambda n: n not in CIPHER_SUITES))
def test_an_unknown_code_point_is_refused(code_point: int) -> None:
    with pytest.raises(UnsupportedCipherSuite) as refused:
        cipher_suite(code_point)
    assert isinstance(refused.value, RemoteProtocolError)
    assert refused.value.reason is CryptoReason.UNSUPPORTED_CIPHER_SUITE
    assert refused.value.detail == f"0x{code_point:04X}"
