"""RFC 9605 Appendix C, and the values of the suites with AES-256 (sframe/test-vectors*.json)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from e2ee.crypto.errors import OpenError
from e2ee.sframe.aes_ctr_hmac import AesCtrHmac, derive_subkeys
from e2ee.sframe.cipher_suite import CIPHER_SUITES, CipherSuite, cipher_suite
from e2ee.sframe.counter import Counter
from e2ee.sframe.encryption import decrypt, encrypt
from e2ee.sframe.header import decode_header, encode_header
from e2ee.sframe.key_derivation import derive_key_salt, key_label, salt_label
from e2ee.sframe.key_store import ReceiveKey, SendKey
from e2ee.sframe.replay import ReplayWindow

Case = dict[str, Any]


@pytest.fixture(scope="session")
def vectors(official_vectors: Path) -> dict[str, list[Case]]:
    return {
        section: cases
        for name in ("test-vectors.json", "test-vectors-aes256.json")
        for section, cases in json.loads((official_vectors / "sframe" / name).read_text()).items()
    }


def test_headers_encode_and_decode(vectors: dict[str, list[Case]]) -> None:
    assert len(vectors["header"]) == 289
    for case in vectors["header"]:
        encoded = bytes.fromhex(case["encoded"])
        assert encode_header(case["kid"], case["ctr"]) == encoded
        assert decode_header(encoded) == (case["kid"], case["ctr"], len(encoded))


def test_aes_ctr_hmac(vectors: dict[str, list[Case]], subtests: pytest.Subtests) -> None:
    cases = vectors["aes_ctr_hmac"] + vectors["aes_256_ctr_hmac"]
    assert [case["cipher_suite"] for case in cases] == [1, 2, 3, 6, 7, 8]
    for case in cases:
        with subtests.test(suite=case["cipher_suite"]):
            check_aes_ctr_hmac(case)


def check_aes_ctr_hmac(case: Case) -> None:
    aead = cipher_suite(case["cipher_suite"]).aead
    assert isinstance(aead, AesCtrHmac)
    enc_key, auth_key = derive_subkeys(octets(case, "key"), aead.Nka)
    assert (enc_key.hex(), auth_key.hex()) == (case["enc_key"], case["auth_key"])

    cipher, nonce, aad = (
        aead.cipher(octets(case, "key")),
        octets(case, "nonce"),
        octets(case, "aad"),
    )
    assert cipher.encrypt(nonce, octets(case, "pt"), aad).hex() == case["ct"]
    assert cipher.decrypt(nonce, octets(case, "ct"), aad).hex() == case["pt"]


def test_encryption_and_decryption(
    vectors: dict[str, list[Case]], subtests: pytest.Subtests
) -> None:
    cases = vectors["sframe"] + vectors["sframe_aes_256_ctr_hmac"]
    assert [case["cipher_suite"] for case in cases] == sorted(CIPHER_SUITES)
    for case in cases:
        suite = cipher_suite(case["cipher_suite"])
        with subtests.test(suite=suite.name):
            check_derivation(case, suite)
            check_encryption(case, suite)
            check_decryption(case, suite)


def check_derivation(case: Case, suite: CipherSuite) -> None:
    assert key_label(suite, case["kid"]).hex() == case["sframe_key_label"]
    assert salt_label(suite, case["kid"]).hex() == case["sframe_salt_label"]
    key, salt = derive_key_salt(suite, case["kid"], octets(case, "base_key"))
    assert (key.hex(), salt.hex()) == (case["sframe_key"], case["sframe_salt"])


def check_encryption(case: Case, suite: CipherSuite) -> None:
    counter = Counter(case["ctr"] + 1)
    send_key = SendKey.derive(suite, case["kid"], octets(case, "base_key"), counter)
    for _ in range(case["ctr"]):
        counter.draw()
    assert encrypt(send_key, octets(case, "metadata"), octets(case, "pt")).hex() == case["ct"]


def check_decryption(case: Case, suite: CipherSuite) -> None:
    ct, metadata = octets(case, "ct"), octets(case, "metadata")
    KID, CTR, end = decode_header(ct)
    assert (case["kid"], case["ctr"]) == (KID, CTR)
    assert (ct[:end] + metadata).hex() == case["aad"]
    receive_key = ReceiveKey(
        suite, KID, octets(case, "base_key"), epoch=0, window=ReplayWindow(128)
    )
    assert decrypt(receive_key, CTR, ct[:end] + metadata, ct[end:]).hex() == case["pt"]
    with pytest.raises(OpenError):
        decrypt(receive_key, CTR + 1, ct[:end] + metadata, ct[end:])


def octets(case: Case, name: str) -> bytes:
    return bytes.fromhex(case[name])
