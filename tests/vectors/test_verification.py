"""``vectors/verification.json`` against the implementation."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from e2ee.call.code_emoji import EMOJI
from e2ee.call.verification import code_commitment, export_sas_key, spoken_code
from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.errors import E2EEError
from e2ee.identity.safety_number import compare_safety_code, safety_code
from e2ee.mls.key_schedule import export

Vector = dict[str, Any]


def account(given: dict[str, str]) -> tuple[str, bytes]:
    return given["account_id"], bytes.fromhex(given["account_key"])


def secret(given: str) -> Secret:
    return Secret(bytes.fromhex(given))


@pytest.mark.vectors("verification", "safety-code")
def test_safety_code(vector: Vector) -> None:
    case = vector["input"]
    assert safety_code(account(case["own"]), account(case["contact"])) == vector["output"]["text"]


@pytest.mark.vectors("verification", "safety-code-scanned")
def test_safety_code_scanned(vector: Vector) -> None:
    case = vector["input"]
    accounts = account(case["own"]), account(case["contact"])
    if vector["result"] == "invalid":
        with pytest.raises(E2EEError) as refused:
            compare_safety_code(case["text"], *accounts)
        assert refused.value.reason == vector["reason"]
    else:
        assert compare_safety_code(case["text"], *accounts) == vector["output"]["compared"]


@pytest.mark.vectors("verification", "sas-key")
def test_sas_key(vector: Vector) -> None:
    kdf = cipher_suite(vector["input"]["mls_suite"]).kdf
    key = export_sas_key(partial(export, kdf, secret(vector["input"]["exporter_secret"])))
    assert key.hex() == vector["output"]["sas_key"]


@pytest.mark.vectors("verification", "code-commitment")
def test_code_commitment(vector: Vector) -> None:
    case = vector["input"]
    commitment = code_commitment(
        bytes.fromhex(case["call_id"]),
        secret(case["epoch_authenticator"]),
        case["leaf"],
        case["attempt"],
        bytes.fromhex(case["random"]),
    )
    assert commitment.hex() == vector["output"]["commitment"]


@pytest.mark.vectors("verification", "spoken-code")
def test_spoken_code(vector: Vector) -> None:
    case, expected = vector["input"], vector["output"]
    revealed = {each["leaf"]: bytes.fromhex(each["random"]) for each in case["revealed"]}
    code = spoken_code(secret(case["sas_key"]), case["attempt"], revealed)
    assert code.emoji == tuple(EMOJI[row] for row in expected["emoji"])
    assert code.digits == expected["digits"]


@pytest.mark.vectors("verification", "emoji")
def test_emoji(vector: Vector) -> None:
    rows = [EMOJI[row] for row in vector["input"]["rows"]]
    shown = [{"picture": emoji.picture, "name": emoji.name} for emoji in rows]
    assert shown == vector["output"]["emoji"]
