"""mls/secret-tree.json: sender data keys, and keys of both ratchets (RFC 9420 Sections 6.3.2 and 9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.mls.message_protection import sender_data_key_and_nonce
from e2ee.mls.ratchet_limits import RatchetLimits
from e2ee.mls.secret_tree import RatchetType, SecretTree

Case = dict[str, Any]
Cases = Callable[[str], list[tuple[int, Case]]]


def test_sender_data_keys(mls_cases: Cases, subtests: pytest.Subtests) -> None:
    for number, case in mls_cases("secret-tree"):
        with subtests.test(case=number):
            given = case["sender_data"]
            secret = Secret(bytes.fromhex(given["sender_data_secret"]))
            key, nonce = sender_data_key_and_nonce(
                cipher_suite(case["cipher_suite"]), secret, bytes.fromhex(given["ciphertext"])
            )
            assert (key.hex(), nonce.hex()) == (given["key"], given["nonce"])


def test_message_keys_of_all_leaves(mls_cases: Cases, subtests: pytest.Subtests) -> None:
    for number, case in mls_cases("secret-tree"):
        secret = Secret(bytes.fromhex(case["encryption_secret"]))
        tree = SecretTree.of_root(cipher_suite(case["cipher_suite"]), len(case["leaves"]), secret)
        for leaf_index, generations in enumerate(case["leaves"]):
            with subtests.test(case=number, leaf_index=leaf_index):
                for expected in generations:
                    check_generation(tree, leaf_index, expected)


def check_generation(tree: SecretTree, leaf_index: int, expected: Case) -> None:
    for ratchet in RatchetType:
        with tree.key(leaf_index, ratchet, expected["generation"], RatchetLimits()) as key:
            assert key.key.hex() == expected[f"{ratchet}_key"]
            assert key.nonce.hex() == expected[f"{ratchet}_nonce"]
