"""The suite that is added for ts-mls has X-Wing's KEM (draft-connolly-cfrg-xwing-kem), and is not shipped."""

from __future__ import annotations

import hashlib

import pytest
from kyber_py.ml_kem import ML_KEM_768

from e2ee.crypto.cipher_suite import CIPHER_SUITES, cipher_suite
from e2ee.crypto.errors import UnsupportedCipherSuite
from e2ee.crypto.hybrid_kem import MLKEM768_X25519
from e2ee.crypto.seeded_entropy import SeededEntropy
from tests.foreign.our_peer import X_WING_SUITE

KEM = X_WING_SUITE.hpke.kem

# The first vector of the draft; of the long values, their SHA-256.
SEED = bytes.fromhex("7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26")
ENCAPSULATION_SEED = bytes.fromhex(
    "3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e2"
    "35b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2"
)
PUBLIC_SHA256 = "2e816deebcd76c5c80d0cd2d174478871658e8e2ff42bc9d4a6e486372e856bb"
CIPHERTEXT_SHA256 = "17cd532d657e44c897ca6583e548a5424fc70bf54f99515a4d2bcf99e3469f33"
SHARED_SECRET = "d2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384"


class Recorded:
    """The randomness of the vector's encapsulation: ML-KEM's 32 bytes, then X25519's."""

    def random(self, length: int) -> bytes:
        assert length == 32
        return ENCAPSULATION_SEED[32:]

    def mlkem768_encapsulate(self, public_key: bytes) -> tuple[bytes, bytes]:
        shared_secret, ciphertext = ML_KEM_768._encaps_internal(public_key, ENCAPSULATION_SEED[:32])
        return shared_secret, ciphertext


def test_the_drafts_known_answer() -> None:
    public = KEM.public_key(SEED)
    assert hashlib.sha256(public).hexdigest() == PUBLIC_SHA256
    shared_secret, enc = KEM.encap(public, Recorded())
    assert hashlib.sha256(enc).hexdigest() == CIPHERTEXT_SHA256
    assert shared_secret.hex() == KEM.decap(enc, SEED).hex() == SHARED_SECRET


def test_key_pairs_are_derived_as_in_the_drafts_section_on_hpke() -> None:
    """The one thing in which it differs from the shipped hybrid."""
    for ikm in (bytes(32), bytes(64), b"\x01" * 48):
        keys = KEM.derive_key_pair(ikm)
        assert keys.private == hashlib.shake_256(ikm).digest(32)
        assert keys.public == MLKEM768_X25519.public_key(keys.private)
        assert keys.public != MLKEM768_X25519.derive_key_pair(ikm).public


def test_what_was_sealed_opens() -> None:
    hpke, entropy = X_WING_SUITE.hpke, SeededEntropy(b"x-wing", ML_KEM_768._encaps_internal)
    keys = hpke.kem.generate_key_pair(entropy)
    enc, ciphertext = hpke.seal(keys.public, b"info", b"aad", b"text", entropy)
    assert hpke.open(enc, keys.private, b"info", b"aad", ciphertext) == b"text"


def test_it_is_not_shipped() -> None:
    assert X_WING_SUITE.code_point not in CIPHER_SUITES
    with pytest.raises(UnsupportedCipherSuite):
        cipher_suite(X_WING_SUITE.code_point)
