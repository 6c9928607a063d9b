"""``vectors/identity.json`` against the implementation."""

from __future__ import annotations

from typing import Any

import pytest

from e2ee.crypto.secret import Secret
from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.errors import E2EEError
from e2ee.identity.account import AccountKey
from e2ee.identity.attestation import DirectoryKeys
from e2ee.identity.device_certificate import (
    Dates,
    VerifiedCertificate,
    check_dates,
    verify_certificate,
)
from e2ee.identity.device_link import NewDevice, read_link
from e2ee.identity.login import (
    login_signature,
    register_signature,
    verify_login,
    verify_register,
)
from e2ee.identity.safety_number import safety_number

Vector = dict[str, Any]


def verified(vector: Vector) -> VerifiedCertificate:
    case = vector["input"]
    return verify_certificate(
        bytes.fromhex(case["identity"]), bytes.fromhex(case["leaf_signature_key"])
    )


def signing_key(private: str) -> SigningKey:
    secret = Secret(bytes.fromhex(private))
    return SigningKey(secret, ED25519.public_key(secret))


@pytest.mark.vectors("identity", "certificate")
def test_certificate(vector: Vector) -> None:
    if vector["result"] == "invalid":
        with pytest.raises(E2EEError) as refused:
            verified(vector)
        assert refused.value.reason == vector["reason"]
        return
    certificate, expected = verified(vector), vector["output"]
    assert certificate.certificate.statement.encode().hex() == vector["intermediate"]["statement"]
    assert certificate.account_key.hex() == expected.pop("account_key")
    assert {name: getattr(certificate, name) for name in expected} == {
        name: tuple(value) if isinstance(value, list) else value for name, value in expected.items()
    }


@pytest.mark.vectors("identity", "dates")
def test_dates(vector: Vector) -> None:
    certificate, now = verified(vector), vector["input"]["now"]
    dates = Dates[vector["input"]["judge"].upper()]
    if vector["result"] == "valid":
        check_dates(certificate, now, dates)
    else:
        with pytest.raises(E2EEError) as refused:
            check_dates(certificate, now, dates)
        assert refused.value.reason == vector["reason"]


@pytest.mark.vectors("identity", "attestation")
def test_attestation(vector: Vector) -> None:
    case = vector["input"]
    keys = DirectoryKeys({int(n): bytes.fromhex(key) for n, key in case["directory_keys"].items()})
    assert keys.attests(verified(vector), case["now"]) is vector["output"]["counts"]


@pytest.mark.vectors("identity", "login")
def test_login(vector: Vector) -> None:
    case, expected = vector["input"], vector["output"]
    nonces = bytes.fromhex(case["server_nonce"]), bytes.fromhex(case["client_nonce"])
    key = signing_key(case["signature_private_key"])
    signature = login_signature(key, case["server_name"], *nonces)
    assert (key.public.hex(), signature.hex()) == (expected["public_key"], expected["signature"])
    verify_login(case["server_name"], key.public, *nonces, signature)


@pytest.mark.vectors("identity", "register")
def test_register(vector: Vector) -> None:
    case, expected = vector["input"], vector["output"]
    account = AccountKey(case["account_id"], signing_key(case["account_private_key"]))
    signature = register_signature(account, case["server_name"])
    assert (account.public.hex(), signature.hex()) == (
        expected["public_key"],
        expected["signature"],
    )
    verify_register(case["server_name"], account.account_id, account.public, signature)


@pytest.mark.vectors("identity", "safety-number")
def test_safety_number(vector: Vector) -> None:
    one, other = (
        (account["account_id"], bytes.fromhex(account["account_key"]))
        for account in vector["input"]["accounts"]
    )
    assert safety_number(one, other) == vector["output"]["safety_number"]
    assert safety_number(other, one) == vector["output"]["safety_number"]


@pytest.mark.vectors("identity", "device-link")
def test_device_link(vector: Vector) -> None:
    text, expected = vector["input"]["text"], vector.get("output", {})
    if vector["result"] == "invalid":
        with pytest.raises(E2EEError) as refused:
            read_link(text)
        assert refused.value.reason == vector["reason"]
        return
    link = read_link(text)
    assert link.text() == text
    assert link.link_id.hex() == expected["link_id"]
    assert link.signature_key.hex() == expected["signature_key"]
    assert (list(link.versions), list(link.suites)) == (expected["versions"], expected["suites"])
    assert link.roles == expected["roles"]


@pytest.mark.vectors("identity", "device-link-opening")
def test_device_link_opening(vector: Vector) -> None:
    case, expected = vector["input"], vector.get("output", {})
    key = signing_key(case["signature_private_key"])
    device = NewDevice(key, read_link(case["text"]), case["now"])
    sealed = bytes.fromhex(case["sealed"])
    if vector["result"] == "invalid":
        with pytest.raises(E2EEError) as refused:
            device.open(sealed, case["server_name"], case["now"])
        assert refused.value.reason == vector["reason"]
        return
    opened = device.open(sealed, case["server_name"], case["now"])
    linked = opened.confirmed()
    assert opened.account_id == expected["account_id"]
    assert opened.account_digits == expected["account_digits"]
    assert linked.certificate.device_id == expected["device_id"]
    assert linked.delivery_key.hex() == expected["delivery_key"]
    keys = {str(key_id): key.hex() for key_id, key in linked.directory_keys.keys.items()}
    assert keys == expected["directory_keys"]
    assert [
        {
            "account_id": contact.account_id.decode(),
            "account_key": contact.account_key and contact.account_key.hex(),
            "generation": contact.generation,
            "highest_suite": contact.highest_suite,
            "flags": contact.flags,
        }
        for contact in linked.contacts
    ] == expected["contacts"]
