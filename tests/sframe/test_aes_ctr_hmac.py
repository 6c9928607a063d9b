"""RFC 9605 Section 4.5.1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.aead import InvalidTag
from e2ee.crypto.errors import BadLength
from e2ee.crypto.kdf import HKDF_SHA256
from e2ee.sframe.aes_ctr_hmac import AesCtrHmac, derive_subkeys

AEAD = AesCtrHmac("AES_128_CTR_HMAC_SHA256_80", HKDF_SHA256, Nka=16, Nt=10)
KEY, NONCE = bytes(range(AEAD.Nk)), bytes(range(12))


@given(plaintext=st.binary(max_size=100), aad=st.binary(max_size=30))
def test_what_was_encrypted_is_decrypted(plaintext: bytes, aad: bytes) -> None:
    ciphertext = AEAD.cipher(KEY).encrypt(NONCE, plaintext, aad)
    assert AEAD.cipher(KEY).decrypt(NONCE, ciphertext, aad) == plaintext


@given(plaintext=st.binary(max_size=20), data=st.data())
def test_a_bit_changed_anywhere_is_refused(plaintext: bytes, data: st.DataObject) -> None:
    cipher = AEAD.cipher(KEY)
    ciphertext = cipher.encrypt(NONCE, plaintext, b"aad")
    bit = data.draw(st.integers(0, 8 * len(ciphertext) - 1))
    changed = int.from_bytes(ciphertext, "big") ^ 1 << bit
    with pytest.raises(InvalidTag):
        cipher.decrypt(NONCE, changed.to_bytes(len(ciphertext), "big"), b"aad")


def test_nonce_and_aad_are_authenticated_and_told_apart() -> None:
    cipher = AEAD.cipher(KEY)
    ciphertext = cipher.encrypt(NONCE, b"frame", b"aad")
    for nonce, aad in ((bytes(12), b"aad"), (NONCE, b"aae"), (NONCE, b""), (NONCE, b"aad\0")):
        with pytest.raises(InvalidTag):
            cipher.decrypt(nonce, ciphertext, aad)
    with pytest.raises(InvalidTag):  # a byte moved from the ciphertext to the aad
        cipher.decrypt(NONCE, ciphertext[1:], b"aad" + ciphertext[:1])


@given(st.binary(max_size=AEAD.Nt - 1))
def test_less_than_a_tag_is_refused(ciphertext: bytes) -> None:
    with pytest.raises(InvalidTag):
        AEAD.cipher(KEY).decrypt(NONCE, ciphertext, b"")


def test_tags_of_different_lengths_have_nothing_in_common() -> None:
    shorter = AesCtrHmac("shorter", HKDF_SHA256, Nka=16, Nt=8)
    ciphertext = AEAD.cipher(KEY).encrypt(NONCE, b"frame", b"aad")
    with pytest.raises(InvalidTag):  # RFC 9605 authenticates the tag's length
        shorter.cipher(KEY).decrypt(NONCE, ciphertext[:-2], b"aad")


def test_a_key_is_two() -> None:
    assert derive_subkeys(KEY, 16) == (KEY[:16], KEY[16:])
    with pytest.raises(BadLength):
        AEAD.cipher(KEY[1:])
