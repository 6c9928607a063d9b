"""The chapter Identity."""

from __future__ import annotations

from typing import Any

from e2ee.conformance.adapter.judging import expect, refusing
from e2ee.conformance.adapter.operations import Accepted, Answer, Given, operation
from e2ee.crypto.secret import Secret
from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.identity.account import AccountKey
from e2ee.identity.attestation import DirectoryKeys
from e2ee.identity.device_certificate import (
    Dates,
    VerifiedCertificate,
    certified_content,
    check_dates,
    verify_certificate,
)
from e2ee.identity.device_link import DeviceLink, NewDevice, read_link
from e2ee.identity.labels import SignatureLabel, label
from e2ee.identity.link_content import LinkedContact
from e2ee.identity.login import (
    check_server_name,
    login_signature,
    register_signature,
    verify_login,
    verify_register,
)
from e2ee.identity.renewal import newer_certificate
from e2ee.identity.safety_number import safety_number


def _verified(given: Given) -> VerifiedCertificate:
    return verify_certificate(
        bytes.fromhex(given["identity"]), bytes.fromhex(given["leaf_signature_key"])
    )


def _steps(certificate: VerifiedCertificate) -> dict[str, str]:
    statement = certificate.certificate.statement
    content = certified_content(statement, certificate.signature_key)
    return {
        "statement": statement.encode().hex(),
        "signed": (label(SignatureLabel.DEVICE) + content).hex(),
    }


def _signing_key(private: str) -> SigningKey:
    secret = Secret(bytes.fromhex(private))
    return SigningKey(secret, ED25519.public_key(secret))


@operation("identity/certificate")
@refusing
def certificate(given: Given) -> Answer:
    """IDENT-1 to IDENT-3: what everybody judges alike."""
    found = _verified(given)
    output = {
        "account_id": found.account_id,
        "account_key": found.account_key.hex(),
        "device_id": found.device_id,
        "generation": found.generation,
        "versions": list(found.versions),
        "suites": list(found.suites),
        "roles": int(found.roles),
    }
    return Accepted(output, _steps(found))


@operation("identity/dates")
@refusing
def dates(given: Given) -> Answer:
    """IDENT-5: what depends on the clock."""
    found = _verified(given)
    check_dates(found, given["now"], Dates[given["judge"].upper()])
    return Accepted({}, _steps(found))


@operation("identity/attestation")
def attestation(given: Given) -> Answer:
    """IDENT-4: whether the directory's word counts."""
    keys = DirectoryKeys({int(n): bytes.fromhex(key) for n, key in given["directory_keys"].items()})
    found = _verified(given)
    return Accepted({"counts": keys.attests(found, given["now"])}, _steps(found))


@operation("identity/login")
def login(given: Given) -> Answer:
    """IDENT-14: a device's proof, which the service must take."""
    nonces = bytes.fromhex(given["server_nonce"]), bytes.fromhex(given["client_nonce"])
    key = _signing_key(given["signature_private_key"])
    signature = login_signature(key, given["server_name"], *nonces)
    verify_login(given["server_name"], key.public, *nonces, signature)
    return Accepted({"public_key": key.public.hex(), "signature": signature.hex()})


@operation("identity/register")
def register(given: Given) -> Answer:
    """IDENT-15: an account's consent, which the directory must take."""
    account = AccountKey(given["account_id"], _signing_key(given["account_private_key"]))
    signature = register_signature(account, given["server_name"])
    verify_register(given["server_name"], account.account_id, account.public, signature)
    return Accepted({"public_key": account.public.hex(), "signature": signature.hex()})


@operation("identity/challenge")
@refusing
def challenge(given: Given) -> Answer:
    """IDENT-14: a device signs for nobody but the server that it connected to."""
    check_server_name(given["connected_to"], given["server_name"])
    return Accepted()


@operation("identity/login-proof")
@refusing
def login_proof(given: Given) -> Answer:
    """IDENT-14: what the service makes of a proof."""
    names = ("leaf_signature_key", "server_nonce", "client_nonce", "signature")
    key, *nonces, signature = (bytes.fromhex(given[name]) for name in names)
    verify_login(given["server_name"], key, nonces[0], nonces[1], signature)
    return Accepted()


@operation("identity/register-proof")
@refusing
def register_proof(given: Given) -> Answer:
    """IDENT-15: what the directory makes of a consent."""
    account_key, signature = (bytes.fromhex(given[name]) for name in ("account_key", "signature"))
    verify_register(given["server_name"], given["account_id"], account_key, signature)
    return Accepted()


@operation("identity/renewal")
@refusing
def renewal(given: Given) -> Answer:
    """IDENT-16: the certificate that a device has afterwards."""
    newer_certificate(_verified(given), bytes.fromhex(given["offered"]))
    return Accepted()


@operation("identity/safety-number")
def digits(given: Given) -> Answer:
    """IDENT-12, in either order."""
    one, other = (
        (account["account_id"], bytes.fromhex(account["account_key"]))
        for account in given["accounts"]
    )
    found = safety_number(one, other)
    expect(safety_number(other, one), found, "the safety number in the other order")
    return Accepted({"safety_number": found})


@operation("identity/device-link")
@refusing
def device_link(given: Given) -> Answer:
    """IDENT-20: what a new device shows. The text must come back."""
    link = read_link(given["text"])
    expect(link.text(), given["text"], "the text of the link")
    output = {
        "link_id": link.link_id.hex(),
        "signature_key": link.signature_key.hex(),
        "versions": list(link.versions),
        "suites": list(link.suites),
        "roles": link.roles,
    }
    return Accepted(output, {"signed": _signed(link)})


def _signed(link: DeviceLink) -> str:
    signed = link.encode()[: -len(link.signature)]
    return (label(SignatureLabel.NEW_DEVICE) + signed).hex()


@operation("identity/device-link-opening")
@refusing
def device_link_opening(given: Given) -> Answer:
    """IDENT-21 to IDENT-23: what comes to it, once a person has looked at the account."""
    sealed, link = bytes.fromhex(given["sealed"]), read_link(given["text"])
    device = NewDevice(_signing_key(given["signature_private_key"]), link, given["made_at"])
    opened = device.open(sealed, given["server_name"], given["now"])
    linked = opened.confirmed()
    output = {
        "account_id": opened.account_id,
        "account_digits": opened.account_digits,
        "device_id": linked.certificate.device_id,
        "delivery_key": linked.delivery_key.hex(),
        "directory_keys": {str(n): key.hex() for n, key in linked.directory_keys.keys.items()},
        "contacts": [_contact(contact) for contact in linked.contacts],
    }
    return Accepted(output, {"content": link.open(sealed).hex()})


def _contact(contact: LinkedContact) -> dict[str, Any]:
    return {
        "account_id": contact.account_id.decode(),
        "account_key": contact.account_key and contact.account_key.hex(),
        "generation": contact.generation,
        "highest_suite": contact.highest_suite,
        "flags": contact.flags,
    }
