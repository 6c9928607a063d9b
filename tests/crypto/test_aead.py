"""What was sealed opens with the same key, nonce and associated data, and with nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.aead import AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305, Aead, AesCtrKey
from e2ee.crypto.errors import BadLength, CryptoReason, OpenError
from e2ee.crypto.secret import Secret
from e2ee.errors import RemoteProtocolError

AEADS = [AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305]
each_aead = pytest.mark.parametrize("aead", AEADS, ids=lambda aead: aead.name)
any_aead = st.sampled_from(AEADS)
NONCE = bytes(range(12))


def flip(data: bytes, bit: int) -> bytes:
    at = bit % (8 * len(data))
    return bytes(byte ^ (1 << at % 8 if n == at // 8 else 0) for n, byte in enumerate(data))


@pytest.mark.parametrize(
    ("aead", "hpke_id", "lengths"),
    [
        (AES_128_GCM, 0x0001, (16, 12, 16)),
        (AES_256_GCM, 0x0002, (32, 12, 16)),
        (CHACHA20_POLY1305, 0x0003, (32, 12, 16)),
    ],
)
def test_ids_and_lengths_are_those_of_rfc_9180_section_7_3(
    aead: Aead, hpke_id: int, lengths: tuple[int, int, int]
) -> None:
    assert (aead.hpke_id, aead.Nk, aead.Nn, aead.Nt) == (hpke_id, *lengths)


@pytest.mark.parametrize(
    ("aead", "tag"),
    [
        (AES_128_GCM, "58e2fccefa7e3061367f1d57a4e7455a"),
        (AES_256_GCM, "530f8afbc74536b9a963b4f1c4cb738b"),
        (CHACHA20_POLY1305, "4eb972c9a8fb3a1b382bb4d36f5ffad1"),
    ],
)
def test_the_tag_of_nothing_under_a_zero_key(aead: Aead, tag: str) -> None:
    assert aead.key(bytes(aead.Nk)).seal(bytes(12), b"", b"").hex() == tag


@given(any_aead, st.data(), st.binary(max_size=64), st.binary(max_size=300))
def test_what_was_sealed_opens(aead: Aead, data: st.DataObject, aad: bytes, text: bytes) -> None:
    key = aead.key(data.draw(st.binary(min_size=aead.Nk, max_size=aead.Nk)))
    nonce = data.draw(st.binary(min_size=12, max_size=12))
    ciphertext = key.seal(nonce, aad, text)
    assert len(ciphertext) == len(text) + aead.Nt
    assert key.open(nonce, aad, ciphertext) == text


@given(any_aead, st.binary(max_size=100), st.integers(min_value=0))
def test_no_bit_can_be_flipped(aead: Aead, text: bytes, bit: int) -> None:
    key, aad = aead.key(bytes(aead.Nk)), b"associated data"
    sealed = key.seal(NONCE, aad, text)
    wrong_key = aead.key(flip(bytes(aead.Nk), bit))
    for opener, nonce, data, ciphertext in (
        (key, NONCE, aad, flip(sealed, bit)),
        (key, NONCE, flip(aad, bit), sealed),
        (key, flip(NONCE, bit), aad, sealed),
        (wrong_key, NONCE, aad, sealed),
    ):
        with pytest.raises(OpenError) as refused:
            opener.open(nonce, data, ciphertext)
        assert refused.value.reason is CryptoReason.NOT_AUTHENTIC


@given(any_aead, st.integers(min_value=0, max_value=35))
def test_a_truncated_ciphertext_is_refused(aead: Aead, length: int) -> None:
    key = aead.key(bytes(aead.Nk))
    sealed = key.seal(NONCE, b"", bytes(20))
    with pytest.raises(OpenError):
        key.open(NONCE, b"", sealed[:length])


@given(any_aead, st.binary(max_size=100))
def test_arbitrary_bytes_do_not_open(aead: Aead, ciphertext: bytes) -> None:
    with pytest.raises(OpenError):
        aead.key(bytes(aead.Nk)).open(NONCE, b"", ciphertext)


def test_the_other_side_is_blamed_and_told_nothing() -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        AES_128_GCM.key(Secret(b"sixteen byte key")).open(NONCE, b"", bytes(32))
    assert str(refused.value) == "NOT_AUTHENTIC"


@each_aead
def test_a_key_of_the_wrong_length_is_refused(aead: Aead) -> None:
    for length in {0, 8, 16, 24, 31, 32, 33} - {aead.Nk}:
        with pytest.raises(BadLength) as refused:
            aead.key(bytes(length))
        assert refused.value.reason is CryptoReason.BAD_LENGTH


@each_aead
@pytest.mark.parametrize("length", [0, 8, 11, 13, 16])
def test_a_nonce_of_the_wrong_length_is_refused(aead: Aead, length: int) -> None:
    key = aead.key(bytes(aead.Nk))
    with pytest.raises(BadLength):
        key.seal(bytes(length), b"", b"")
    with pytest.raises(BadLength):
        key.open(bytes(length), b"", bytes(16))


@pytest.mark.parametrize(
    ("key", "ciphertext"),
    [
        ("2b7e151628aed2a6abf7158809cf4f3c", "874d6191b620e3261bef6864990db6ce"),
        (
            "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
            "601ec313775789a5b7a7f504bbf3d228",
        ),
    ],
)
def test_aes_ctr_gives_the_values_of_nist_sp_800_38a_appendix_f_5(
    key: str, ciphertext: str
) -> None:
    plaintext = bytes.fromhex("6bc1bee22e409f96e93d7e117393172a")
    counter = bytes(range(0xF0, 0x100))
    assert AesCtrKey(bytes.fromhex(key)).apply(counter, plaintext).hex() == ciphertext


@given(st.sampled_from([16, 32]), st.binary(min_size=16, max_size=16), st.binary(max_size=100))
def test_aes_ctr_decrypts_by_encrypting(length: int, counter: bytes, text: bytes) -> None:
    key = AesCtrKey(bytes(range(length)))
    assert key.apply(counter, key.apply(counter, text)) == text


def test_aes_ctr_begins_each_call_at_its_own_counter() -> None:
    key = AesCtrKey(bytes(16))
    first = key.apply(bytes(16), bytes(40))
    key.apply(b"\x01" * 16, bytes(7))
    assert key.apply(bytes(16), bytes(40)) == first


@pytest.mark.parametrize("length", [0, 8, 15, 17, 24, 33])
def test_aes_ctr_refuses_other_key_lengths(length: int) -> None:
    with pytest.raises(BadLength):
        AesCtrKey(bytes(length))


@pytest.mark.parametrize("length", [0, 12, 15, 17])
def test_aes_ctr_refuses_other_counter_lengths(length: int) -> None:
    with pytest.raises(BadLength):
        AesCtrKey(bytes(16)).apply(bytes(length), b"data")
