"""mls/crypto-basics.json: the labelled functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.mls.errors import Rule
from e2ee.mls.labels import (
    HPKECiphertext,
    decrypt_with_label,
    derive_secret,
    derive_tree_secret,
    encrypt_with_label,
    expand_with_label,
    ref_hash,
    sign_with_label,
    verify_with_label,
)

Cases = Callable[[str], list[tuple[int, dict[str, Any]]]]


def test_crypto_basics(mls_cases: Cases, subtests: pytest.Subtests) -> None:
    for number, case in mls_cases("crypto-basics"):
        with subtests.test(case=number):
            _check_derivations(case)
            _check_signature(case)
            _check_encryption(case)


def _check_derivations(case: dict[str, Any]) -> None:
    kdf = cipher_suite(case["cipher_suite"]).kdf
    given = case["ref_hash"]
    assert ref_hash(kdf, given["label"], _bytes(given["value"])) == _bytes(given["out"])
    given = case["expand_with_label"]
    assert expand_with_label(
        kdf, _bytes(given["secret"]), given["label"], _bytes(given["context"]), given["length"]
    ) == _bytes(given["out"])
    given = case["derive_secret"]
    assert derive_secret(kdf, _bytes(given["secret"]), given["label"]) == _bytes(given["out"])
    given = case["derive_tree_secret"]
    assert derive_tree_secret(
        kdf, _bytes(given["secret"]), given["label"], given["generation"], given["length"]
    ) == _bytes(given["out"])


def _check_signature(case: dict[str, Any]) -> None:
    suite = cipher_suite(case["cipher_suite"])
    given = case["sign_with_label"]
    public, label, content = _bytes(given["pub"]), given["label"], _bytes(given["content"])
    made = sign_with_label(suite, _bytes(given["priv"]), label, content)
    for signature in (_bytes(given["signature"]), made):
        verify_with_label(suite, public, label, content, signature, Rule.CONTENT_SIGNATURE)


def _check_encryption(case: dict[str, Any]) -> None:
    suite = cipher_suite(case["cipher_suite"])
    given = case["encrypt_with_label"]
    private, public, label = _bytes(given["priv"]), _bytes(given["pub"]), given["label"]
    context, plaintext = _bytes(given["context"]), _bytes(given["plaintext"])
    theirs = HPKECiphertext(_bytes(given["kem_output"]), _bytes(given["ciphertext"]))
    entropy = SeededEntropy(b"crypto-basics")
    ours = encrypt_with_label(suite, public, label, context, plaintext, entropy)
    for sealed in (theirs, ours):
        assert decrypt_with_label(suite, private, label, context, sealed) == plaintext


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text)
