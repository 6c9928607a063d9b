"""The chapter Key agreement: key pairs, encapsulation, and HPKE with labels."""

from __future__ import annotations

from dataclasses import dataclass, field

from e2ee.conformance.adapter.judging import refusing
from e2ee.conformance.adapter.operations import Accepted, Answer, Given, operation
from e2ee.crypto.cipher_suite import CipherSuite, cipher_suite
from e2ee.mls.labels import HPKECiphertext, decrypt_with_label, encrypt_with_label


def _suite(given: Given) -> CipherSuite:
    return cipher_suite(given["mls_suite"])


def _bytes(given: Given, name: str) -> bytes:
    return bytes.fromhex(given[name])


@dataclass(slots=True)
class _GivenRandomness:
    """The ``Entropy`` that gives a case's bytes, in their order."""

    left: bytes = field(repr=False)

    def random(self, length: int) -> bytes:
        given, self.left = self.left[:length], self.left[length:]
        return given

    def mlkem768_encapsulate(self, public_key: bytes) -> tuple[bytes, bytes]:
        from kyber_py.ml_kem import ML_KEM_768  # noqa: PLC0415  # optional: OpenSSL takes no randomness

        secret, ciphertext = ML_KEM_768._encaps_internal(public_key, self.random(32))
        return secret, ciphertext


@operation("key-agreement/derive-key-pair")
@refusing
def derive_key_pair(given: Given) -> Answer:
    """KEYS-3: the same key pair for everybody."""
    pair = _suite(given).hpke.kem.derive_key_pair(_bytes(given, "ikm"))
    return Accepted({"private_key": pair.private.hex(), "public_key": pair.public.hex()})


@operation("key-agreement/public-key")
@refusing
def public_key(given: Given) -> Answer:
    """KEYS-26: whether there is anything to encapsulate to."""
    _suite(given).hpke.kem.check_public_key(_bytes(given, "public_key"))
    return Accepted()


@operation("key-agreement/encapsulation")
@refusing
def encapsulation(given: Given) -> Answer:
    """Encap with the case's randomness."""
    by = _GivenRandomness(_bytes(given, "randomness"))
    shared_secret, enc = _suite(given).hpke.kem.encap(_bytes(given, "public_key"), by)
    return Accepted({"enc": enc.hex(), "shared_secret": shared_secret.hex()})


@operation("key-agreement/decapsulation")
@refusing
def decapsulation(given: Given) -> Answer:
    """Decap."""
    shared_secret = _suite(given).hpke.kem.decap(_bytes(given, "enc"), _bytes(given, "private_key"))
    return Accepted({"shared_secret": shared_secret.hex()})


@operation("key-agreement/encrypt-with-label")
@refusing
def encrypting(given: Given) -> Answer:
    """EncryptWithLabel with the case's randomness."""
    sealed = encrypt_with_label(
        _suite(given),
        _bytes(given, "public_key"),
        given["label"],
        _bytes(given, "context"),
        _bytes(given, "plaintext"),
        _GivenRandomness(_bytes(given, "randomness")),
    )
    return Accepted({"kem_output": sealed.kem_output.hex(), "ciphertext": sealed.ciphertext.hex()})


@operation("key-agreement/decrypt-with-label")
@refusing
def decrypting(given: Given) -> Answer:
    """DecryptWithLabel."""
    sealed = HPKECiphertext(_bytes(given, "kem_output"), _bytes(given, "ciphertext"))
    private_key, context = _bytes(given, "private_key"), _bytes(given, "context")
    opened = decrypt_with_label(_suite(given), private_key, given["label"], context, sealed)
    return Accepted({"plaintext": opened.hex()})
