"""The chapter Letters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from e2ee.call.configuration import Configuration
from e2ee.call.letters import open_letter
from e2ee.call.owner import Owner
from e2ee.conformance.adapter.judging import refusing
from e2ee.conformance.adapter.operations import Accepted, Answer, Given, operation
from e2ee.crypto.cipher_suite import CipherSuite, cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.identity.account import AccountKey
from e2ee.identity.attestation import DirectoryKeys
from e2ee.identity.device_certificate import verify_certificate
from e2ee.identity.trust import MemoryTrustStore, Trust
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.signalling.messages import Letter
from e2ee.signalling.wire import encode


@operation("letters/letter")
@refusing
def letter(given: Given) -> Answer:
    """A letter that comes to a device of the recipient: who wrote what."""
    seen = [bytes.fromhex(letter_id) for letter_id in given["seen"]]
    came = Letter(bytes.fromhex(given["key"]), bytes.fromhex(given["content"]))
    owner = _owner(given["recipient"], given["directory_keys"])
    for account_id in given["blocked"]:
        owner.trust.block(account_id)
    opened = open_letter(owner, _bundles(given).get, seen, came, given["now"])
    return Accepted(
        {
            "letter_id": opened.letter_id.hex(),
            "account_id": opened.sender.account_id,
            "account_key": opened.sender.account_key.hex(),
            "message": encode(opened.message).hex(),
        }
    )


@dataclass(frozen=True)
class _Bundle:
    """As much of a KeyPackageBundle as opens a letter: cases have no more."""

    suite: CipherSuite
    init_private_key: Secret


def _bundles(given: Given) -> dict[bytes, KeyPackageBundle]:
    private_key = Secret(bytes.fromhex(given["init_private_key"]))
    bundle = cast(KeyPackageBundle, _Bundle(cipher_suite(given["mls_suite"]), private_key))
    return {bytes.fromhex(given["key_package_ref"]): bundle}


def _owner(recipient: Mapping[str, str], directory_keys: Mapping[str, str]) -> Owner:
    """A device of the recipient, which has pinned nobody."""
    secret = Secret(bytes.fromhex(recipient["account_private_key"]))
    account = AccountKey(recipient["account_id"], SigningKey(secret, ED25519.public_key(secret)))
    entropy = SeededEntropy(b"a device of the recipient")  # nothing in an answer depends on it
    key = ED25519.generate(entropy)
    certificate = account.certify(key.public, device_id=1, now=0, versions=[1], suites=[1])
    keys = {int(key_id): bytes.fromhex(each) for key_id, each in directory_keys.items()}
    return Owner(
        certificate=verify_certificate(certificate.encode(), key.public),
        signing_key=key,
        trust=Trust(MemoryTrustStore(), DirectoryKeys(keys)),
        configuration=Configuration(),
        delivery_key=bytes(32),
        entropy=entropy,
    )
