"""mls/psk_secret.json: none to ten external PSKs (RFC 9420 Section 8.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.mls.key_schedule import derive_psk_secret
from e2ee.mls.psk import PreSharedKeyID


def test_psk_secret_chains_all_keys(
    mls_cases: Callable[[str], list[tuple[int, dict[str, Any]]]], subtests: pytest.Subtests
) -> None:
    for number, case in mls_cases("psk_secret"):
        with subtests.test(case=number):
            psks = [
                (
                    PreSharedKeyID.external(
                        bytes.fromhex(psk["psk_id"]), bytes.fromhex(psk["psk_nonce"])
                    ),
                    bytes.fromhex(psk["psk"]),
                )
                for psk in case["psks"]
            ]
            kdf = cipher_suite(case["cipher_suite"]).kdf
            assert derive_psk_secret(kdf, psks).hex() == case["psk_secret"]
