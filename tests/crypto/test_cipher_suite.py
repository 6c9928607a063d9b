"""The table of cipher suites holds the rows that it should, and says so when a row is missing."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import e2ee
from e2ee.crypto import cipher_suite as shipped
from e2ee.crypto.cipher_suite import CIPHER_SUITES, CipherSuite, cipher_suite
from e2ee.crypto.errors import CryptoReason, UnsupportedCipherSuite
from e2ee.errors import RemoteProtocolError
from e2ee.testing.cipher_suites import added_cipher_suite


def row(suite: CipherSuite) -> tuple[str, int, int, int, str, str, str]:
    hpke = suite.hpke
    ids = (hpke.kem.kem_id, hpke.kdf.hpke_id, hpke.aead.hpke_id)
    return (suite.name, *ids, suite.kdf.name, suite.aead.name, suite.signature.name)


ROWS = {
    0x0001: ("MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519", 0x0020, 0x0001, 0x0001),
    0x0002: ("MLS_128_DHKEMP256_AES128GCM_SHA256_P256", 0x0010, 0x0001, 0x0001),
    0x0003: ("MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519", 0x0020, 0x0001, 0x0003),
    0x0004: ("MLS_256_DHKEMX448_AES256GCM_SHA512_Ed448", 0x0021, 0x0003, 0x0002),
    0x0005: ("MLS_256_DHKEMP521_AES256GCM_SHA512_P521", 0x0012, 0x0003, 0x0002),
    0x0006: ("MLS_256_DHKEMX448_CHACHA20POLY1305_SHA512_Ed448", 0x0021, 0x0003, 0x0003),
    0x0007: ("MLS_256_DHKEMP384_AES256GCM_SHA384_P384", 0x0011, 0x0002, 0x0002),
    0xF0E2: ("MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519", 0x647A, 0x0002, 0x0002),
}
"""Name, HPKE's KEM, KDF and AEAD: RFC 9420 Section 17.1's tables, and the post-quantum draft's row."""

HASHES = {0x0001: "HKDF-SHA256", 0x0002: "HKDF-SHA384", 0x0003: "HKDF-SHA512"}
AEADS = {0x0001: "AES-128-GCM", 0x0002: "AES-256-GCM", 0x0003: "ChaCha20Poly1305"}


def test_the_table_is_rfc_9420_section_17_1_and_the_hybrid() -> None:
    assert set(CIPHER_SUITES) == set(ROWS)
    for code_point, (name, kem_id, kdf_id, aead_id) in ROWS.items():
        signature = name.rpartition("_")[2]
        parts = (HASHES[kdf_id], AEADS[aead_id], signature)
        assert row(cipher_suite(code_point)) == (name, kem_id, kdf_id, aead_id, *parts)


def test_each_row_is_found_by_its_own_code_point(suite: CipherSuite) -> None:
    assert cipher_suite(suite.code_point) is CIPHER_SUITES[suite.code_point] is suite
    assert str(suite) == suite.name


def test_rows_agree_with_their_names(suite: CipherSuite) -> None:
    """MLS_LVL_KEM_AEAD_HASH_SIG: the HPKE suite's KDF and AEAD are those of MLS."""
    _, _, _, aead, hash_name, signature = suite.name.split("_")
    assert suite.aead.name.replace("-", "").upper() == aead
    assert suite.hpke.aead is suite.aead
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


def test_nothing_that_is_shipped_adds_a_suite() -> None:
    """``e2ee.testing.cipher_suites`` is for tests: nobody else in the package names it, or the table behind the view."""
    package = Path(e2ee.__file__).parent
    adding = package / "testing" / "cipher_suites.py"
    sources = set(package.rglob("*.py")) - {adding, Path(shipped.__file__)}
    assert adding.exists()
    for source in sources:
        text = source.read_text()
        assert "testing.cipher_suites" not in text, source
        assert "added_cipher_suite" not in text, source
        assert "cipher_suite._TABLE" not in text, source


def test_a_suite_is_added_for_the_length_of_a_block(suite: CipherSuite) -> None:
    added = replace(suite, code_point=0xFF01)
    with added_cipher_suite(added):
        assert cipher_suite(0xFF01) is CIPHER_SUITES[0xFF01] is added
    with pytest.raises(UnsupportedCipherSuite):
        cipher_suite(0xFF01)
    with pytest.raises(ZeroDivisionError), added_cipher_suite(added):
        raise ZeroDivisionError
    assert 0xFF01 not in CIPHER_SUITES


def test_a_suite_that_is_there_is_not_replaced(suite: CipherSuite) -> None:
    with pytest.raises(ValueError, match="is taken"), added_cipher_suite(suite):
        pytest.fail("the block was entered")
    assert cipher_suite(suite.code_point) is suite
