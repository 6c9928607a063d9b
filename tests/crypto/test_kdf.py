"""HKDF is RFC 5869's, whatever library computes it."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.errors import BadLength, CryptoReason
from e2ee.crypto.kdf import HKDF_SHA256, HKDF_SHA384, HKDF_SHA512, Kdf, LabeledKdf
from e2ee.crypto.secret import Secret

KDFS = [HKDF_SHA256, HKDF_SHA384, HKDF_SHA512]
each_kdf = pytest.mark.parametrize("kdf", KDFS, ids=lambda kdf: kdf.name)


def expand_by_definition(hash_name: str, prk: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 Section 2.3: T(n) = HMAC-Hash(PRK, T(n-1) | info | n)."""
    block = output = b""
    n = 0
    while len(output) < length:
        n += 1
        block = hmac.digest(prk, block + info + bytes([n]), hash_name)
        output += block
    return output[:length]


def test_rfc_5869_test_case_1() -> None:
    prk = HKDF_SHA256.extract(bytes(range(13)), b"\x0b" * 22)
    okm = HKDF_SHA256.expand(prk, bytes(range(0xF0, 0xFA)), 42)
    assert prk.hex() == "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"
    assert okm.hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )


@each_kdf
def test_names_and_lengths_belong_together(kdf: Kdf) -> None:
    bits = kdf.name.removeprefix("HKDF-SHA")
    assert kdf.Nh * 8 == int(bits)
    assert len(kdf.hash(b"")) == len(kdf.hmac(b"", b"")) == len(kdf.extract(b"", b"")) == kdf.Nh


def test_hpke_ids_are_those_of_rfc_9180_section_7_2() -> None:
    assert [kdf.hpke_id for kdf in KDFS] == [0x0001, 0x0002, 0x0003]


@given(st.sampled_from(KDFS), st.binary(max_size=200), st.binary(max_size=200))
def test_hash_hmac_and_extract_are_the_standard_ones(kdf: Kdf, key: bytes, data: bytes) -> None:
    name = f"sha{kdf.Nh * 8}"
    assert kdf.hash(data) == hashlib.new(name, data).digest()
    assert kdf.hmac(key, data) == hmac.digest(key, data, name)
    assert kdf.extract(key, data) == hmac.digest(key, data, name)


@each_kdf
def test_an_empty_salt_stands_for_zero_bytes(kdf: Kdf) -> None:
    assert kdf.extract(b"", b"ikm") == kdf.extract(bytes(kdf.Nh), b"ikm")


@given(
    st.sampled_from(KDFS),
    st.binary(min_size=1, max_size=150),
    st.binary(max_size=100),
    st.integers(min_value=0, max_value=300),
)
def test_expand_is_rfc_5869_section_2_3(kdf: Kdf, prk: bytes, info: bytes, length: int) -> None:
    expected = expand_by_definition(f"sha{kdf.Nh * 8}", prk, info, length)
    assert kdf.expand(prk, info, length) == expected


@each_kdf
def test_what_comes_from_a_key_is_secret(kdf: Kdf) -> None:
    assert type(kdf.extract(b"salt", b"ikm")) is Secret
    assert type(kdf.expand(b"prk", b"info", 7)) is Secret


@each_kdf
def test_expand_gives_at_most_255_blocks(kdf: Kdf) -> None:
    most = 255 * kdf.Nh
    labeled = LabeledKdf(kdf, b"HPKE")
    assert len(kdf.expand(bytes(kdf.Nh), b"", most)) == most
    assert len(labeled.expand(bytes(kdf.Nh), b"label", b"", most)) == most
    for length in (most + 1, 1 << 16, -1):
        with pytest.raises(BadLength) as refused:
            kdf.expand(bytes(kdf.Nh), b"", length)
        assert refused.value.reason is CryptoReason.BAD_LENGTH
        with pytest.raises(BadLength):
            labeled.expand(bytes(kdf.Nh), b"label", b"", length)


def test_labels_are_put_as_in_rfc_9180_section_4() -> None:
    labeled = LabeledKdf(HKDF_SHA256, b"KEM\x00\x20")
    assert labeled.extract(b"salt", b"label", b"ikm") == HKDF_SHA256.extract(
        b"salt", b"HPKE-v1" + b"KEM\x00\x20" + b"label" + b"ikm"
    )
    assert labeled.expand(bytes(32), b"label", b"info", 258) == HKDF_SHA256.expand(
        bytes(32), b"\x01\x02" + b"HPKE-v1" + b"KEM\x00\x20" + b"label" + b"info", 258
    )
