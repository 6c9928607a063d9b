"""``vectors/letters.json`` against the implementation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pytest

from e2ee.call.configuration import Configuration
from e2ee.call.letters import OpenedLetter, open_letter
from e2ee.call.owner import Owner
from e2ee.crypto.cipher_suite import CipherSuite, cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.errors import E2EEError
from e2ee.identity.account import AccountKey
from e2ee.identity.attestation import DirectoryKeys
from e2ee.identity.device_certificate import verify_certificate
from e2ee.identity.trust import MemoryTrustStore, Trust
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.signalling.messages import Letter
from e2ee.signalling.wire import encode

Vector = dict[str, Any]


@dataclass(frozen=True)
class Bundle:
    """As much of a KeyPackageBundle as opens a letter."""

    suite: CipherSuite
    init_private_key: Secret


def owner_of(recipient: dict[str, str], directory_keys: dict[str, str]) -> Owner:
    """A device of the recipient."""
    secret = Secret(bytes.fromhex(recipient["account_private_key"]))
    account = AccountKey(recipient["account_id"], SigningKey(secret, ED25519.public_key(secret)))
    entropy = SeededEntropy(b"a device of the recipient")
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


def opened(case: dict[str, Any]) -> OpenedLetter:
    owner = owner_of(case["recipient"], case["directory_keys"])
    private_key = Secret(bytes.fromhex(case["init_private_key"]))
    bundle = cast(KeyPackageBundle, Bundle(cipher_suite(case["mls_suite"]), private_key))
    bundles = {bytes.fromhex(case["key_package_ref"]): bundle}
    seen = [bytes.fromhex(letter_id) for letter_id in case["seen"]]
    letter = Letter(bytes.fromhex(case["key"]), bytes.fromhex(case["content"]))
    return open_letter(owner, bundles.get, seen, letter, case["now"])


@pytest.mark.vectors("letters", "letter")
def test_letter(vector: Vector) -> None:
    if vector["result"] == "invalid":
        with pytest.raises(E2EEError) as refused:
            opened(vector["input"])
        assert refused.value.reason == vector["reason"]
        return
    letter, expected = opened(vector["input"]), vector["output"]
    assert letter.letter_id.hex() == expected["letter_id"]
    assert letter.sender.account_id == expected["account_id"]
    assert letter.sender.account_key.hex() == expected["account_key"]
    assert encode(letter.message).hex() == expected["message"]
