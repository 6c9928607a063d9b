"""Key encapsulation mechanisms, with the interface of RFC 9180 Section 4, and DHKEM of its Section 4.1.

Keys and encapsulated keys are bytes in the form that goes on the wire. What ``encap`` and ``decap`` compute is the
same in every implementation; how they refuse is said here: a bad public key is ``BadPublicKey``, a bad encapsulated
key ``BadEncapsulation``, both the other side's fault; a private key of the wrong length is ``BadLength``, ours.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial

from e2ee.crypto.dh_group import (
    ECDH_P256,
    ECDH_P384,
    ECDH_P521,
    X448,
    X25519,
    DhGroup,
)
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.errors import BadEncapsulation, BadPublicKey
from e2ee.crypto.kdf import HKDF_SHA256, HKDF_SHA384, HKDF_SHA512, Kdf, LabeledKdf
from e2ee.crypto.secret import Secret

__all__ = [
    "DHKEM_P256_HKDF_SHA256",
    "DHKEM_P384_HKDF_SHA384",
    "DHKEM_P521_HKDF_SHA512",
    "DHKEM_X448_HKDF_SHA512",
    "DHKEM_X25519_HKDF_SHA256",
    "Dhkem",
    "Kem",
    "KeyPair",
]


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A KEM key pair."""

    private: Secret
    public: bytes


class Kem(ABC):
    """A KEM. ``Nsecret``, ``Nenc``, ``Npk``, ``Nsk``: bytes of a shared secret, encapsulated, public, private key."""

    name: str
    kem_id: int
    Nsecret: int
    Nenc: int
    Npk: int
    Nsk: int

    @abstractmethod
    def generate_key_pair(self, entropy: Entropy) -> KeyPair:
        """GenerateKeyPair(): a fresh key pair."""

    @abstractmethod
    def derive_key_pair(self, ikm: bytes) -> KeyPair:
        """DeriveKeyPair(ikm): always the same key pair; ``ikm`` should hold ``Nsk`` bytes of entropy."""

    @abstractmethod
    def public_key(self, private: bytes) -> bytes:
        """pk(skX): the public key of ``private``."""

    @abstractmethod
    def check_public_key(self, public: bytes) -> None:
        """``BadPublicKey`` exactly if ``encap`` refuses ``public``."""

    @abstractmethod
    def encap(self, public: bytes, entropy: Entropy) -> tuple[Secret, bytes]:
        """Encap(pkR): (a fresh shared secret, its encapsulated key) for the holder of ``public``."""

    @abstractmethod
    def decap(self, enc: bytes, private: bytes) -> Secret:
        """Decap(enc, skR): the shared secret."""

    def check_encapsulated_key(self, enc: bytes) -> None:
        """``BadEncapsulation`` unless ``enc`` has ``Nenc`` bytes."""
        if len(enc) != self.Nenc:
            raise BadEncapsulation(f"{self.name} encapsulates in {self.Nenc} bytes, not {len(enc)}")


class Dhkem(Kem):
    """DHKEM(Group, KDF) of RFC 9180 Section 4.1."""

    def __init__(self, kem_id: int, group: DhGroup, kdf: Kdf) -> None:
        self.name = f"DHKEM({group.name}, {kdf.name})"
        self.kem_id = kem_id
        self.Nsecret = kdf.Nh
        self.Nenc = self.Npk = group.Npk
        self.Nsk = group.Nsk
        self._group = group
        self._labeled = LabeledKdf(kdf, b"KEM" + kem_id.to_bytes(2, "big"))

    def generate_key_pair(self, entropy: Entropy) -> KeyPair:
        # "Note that GenerateKeyPair can be implemented as DeriveKeyPair(random(Nsk))." (RFC 9180 Section 4)
        return self.derive_key_pair(entropy.random(self.Nsk))

    def derive_key_pair(self, ikm: bytes) -> KeyPair:
        private = self._derive_private_key(ikm)
        return KeyPair(private, self._group.private_key(private).public)

    def public_key(self, private: bytes) -> bytes:
        return self._group.private_key(private).public

    def check_public_key(self, public: bytes) -> None:
        self._group.check_public_key(public)

    def encap(self, public: bytes, entropy: Entropy) -> tuple[Secret, bytes]:
        ephemeral = self._derive_private_key(entropy.random(self.Nsk))  # GenerateKeyPair()
        key = self._group.private_key(ephemeral)
        enc = key.public
        return self._extract_and_expand(key.exchange(public), enc + public), enc

    def decap(self, enc: bytes, private: bytes) -> Secret:
        self.check_encapsulated_key(enc)
        key = self._group.private_key(private)
        try:
            dh = key.exchange(enc)
        except BadPublicKey as error:
            raise BadEncapsulation(error.detail) from None
        return self._extract_and_expand(dh, enc + key.public)

    def _derive_private_key(self, ikm: bytes) -> Secret:
        dkp_prk = self._labeled.extract(b"", b"dkp_prk", ikm)
        return self._group.derive_private_key(partial(self._labeled.expand, dkp_prk))

    def _extract_and_expand(self, dh: bytes, kem_context: bytes) -> Secret:
        eae_prk = self._labeled.extract(b"", b"eae_prk", dh)
        return self._labeled.expand(eae_prk, b"shared_secret", kem_context, self.Nsecret)


DHKEM_P256_HKDF_SHA256 = Dhkem(0x0010, ECDH_P256, HKDF_SHA256)
DHKEM_P384_HKDF_SHA384 = Dhkem(0x0011, ECDH_P384, HKDF_SHA384)
DHKEM_P521_HKDF_SHA512 = Dhkem(0x0012, ECDH_P521, HKDF_SHA512)
DHKEM_X25519_HKDF_SHA256 = Dhkem(0x0020, X25519, HKDF_SHA256)
DHKEM_X448_HKDF_SHA512 = Dhkem(0x0021, X448, HKDF_SHA512)
