"""The chapter Verification."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from e2ee.call.code_emoji import EMOJI
from e2ee.call.verification import code_commitment, export_sas_key, spoken_code
from e2ee.conformance.adapter.judging import refusing
from e2ee.conformance.adapter.operations import Accepted, Answer, Given, operation
from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.identity import safety_number
from e2ee.mls.key_schedule import export


def _account(given: Mapping[str, str]) -> tuple[str, bytes]:
    return given["account_id"], bytes.fromhex(given["account_key"])


def _secret(given: str) -> Secret:
    return Secret(bytes.fromhex(given))


@operation("verification/safety-code")
def safety_code(given: Given) -> Answer:
    """VERIFY-1: what a device shows."""
    text = safety_number.safety_code(_account(given["own"]), _account(given["contact"]))
    return Accepted({"text": text})


@operation("verification/safety-code-scanned")
@refusing
def safety_code_scanned(given: Given) -> Answer:
    """VERIFY-2: what a device says to the code that it scanned."""
    accounts = _account(given["own"]), _account(given["contact"])
    compared = safety_number.compare_safety_code(given["text"], *accounts)
    return Accepted({"compared": compared.value})


@operation("verification/sas-key")
def sas_key(given: Given) -> Answer:
    """The secret of an epoch's spoken codes."""
    kdf = cipher_suite(given["mls_suite"]).kdf
    key = export_sas_key(partial(export, kdf, _secret(given["exporter_secret"])))
    return Accepted({"sas_key": key.hex()}, {"context_hash": kdf.hash(b"").hex()})


@operation("verification/code-commitment")
def commitment(given: Given) -> Answer:
    """VERIFY-3."""
    made = code_commitment(
        bytes.fromhex(given["call_id"]),
        _secret(given["epoch_authenticator"]),
        given["leaf"],
        given["attempt"],
        bytes.fromhex(given["random"]),
    )
    return Accepted({"commitment": made.hex()})


@operation("verification/spoken-code")
def spoken(given: Given) -> Answer:
    """VERIFY-5."""
    revealed = {each["leaf"]: bytes.fromhex(each["random"]) for each in given["revealed"]}
    code = spoken_code(_secret(given["sas_key"]), given["attempt"], revealed)
    rows = [EMOJI.index(emoji) for emoji in code.emoji]
    return Accepted({"emoji": rows, "digits": code.digits})


@operation("verification/emoji")
def emoji(given: Given) -> Answer:
    """VERIFY-6: the table."""
    rows = [EMOJI[row] for row in given["rows"]]
    return Accepted({"emoji": [{"picture": row.picture, "name": row.name} for row in rows]})
