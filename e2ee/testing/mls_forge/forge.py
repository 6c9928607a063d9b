"""The forge itself: a cipher suite, a source of randomness, and the private key of every public key that it made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.crypto.kem import KeyPair
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import SigningKey
from e2ee.mls.labels import sign_with_label

__all__ = ["Change", "Forge", "same"]

T = TypeVar("T")

Change = Callable[[T], T]
"""What is done to one value before all that follows is made of it."""


def same(value: T) -> T:
    """No change."""
    return value


@dataclass(frozen=True, slots=True)
class Forge:
    """``signing_keys`` are private keys by public key; forks of one forge share them."""

    suite: CipherSuite
    entropy: SeededEntropy
    signing_keys: dict[bytes, Secret] = field(default_factory=dict, repr=False)

    def fork(self, label: bytes) -> Forge:
        """The same keys, and randomness of its own."""
        return Forge(self.suite, self.entropy.fork(label), self.signing_keys)

    def signing_key(self) -> SigningKey:
        """A new signature key, which ``sign`` knows from now on."""
        key = self.suite.signature.generate(self.entropy)
        self.signing_keys[key.public] = key.private
        return key

    def key_of(self, public_key: bytes) -> SigningKey:
        """The signature key pair with this public key."""
        return SigningKey(self.signing_keys[public_key], public_key)

    def key_pair(self) -> KeyPair:
        """A new HPKE key pair."""
        return self.suite.hpke.kem.generate_key_pair(self.entropy)

    def secret(self) -> Secret:
        """``Nh`` new random bytes."""
        return Secret(self.entropy.random(self.suite.kdf.Nh))

    def sign(self, public_key: bytes, label: str, content: bytes) -> bytes:
        """SignWithLabel with the private key of ``public_key``."""
        return sign_with_label(self.suite, self.signing_keys[public_key], label, content)
