"""MLKEM768-X25519, HPKE's KEM 0x647a: ML-KEM-768 (FIPS 203) and X25519, secure while either of the two is.

From draft-ietf-hpke-pq, which takes the construction from draft-irtf-cfrg-concrete-hybrid-kems; checked against both
of its vectors. In those drafts' notation, PQ is ML-KEM-768 and T is X25519:

    private key         seed, 32 bytes, from which dk_PQ and dk_T are expanded
    public key          ek_PQ || ek_T
    encapsulated key    ct_PQ || ct_T
    shared secret       SHA3-256(ss_PQ || ss_T || ct_T || ek_T || label)

All of this is X-Wing's (draft-connolly-cfrg-xwing-kem) as well, on the same KEM identifier. DeriveKeyPair is not: what
X-Wing's own draft derives from the same input are other keys. So the derivation is the one parameter of the class.
An X25519 part that agrees no secret is refused as it is everywhere else here, though ML-KEM alone would carry it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey

from e2ee.crypto.dh_group import X25519
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.errors import BadEncapsulation, BadLength, BadPublicKey
from e2ee.crypto.kem import Kem, KeyPair
from e2ee.crypto.secret import Secret

__all__ = ["MLKEM768_X25519", "Mlkem768X25519"]

_LABEL: Final = bytes.fromhex("5c2e2f2f5e5c")  # \.//^\
_KEM_ID: Final = 0x647A
_SEED: Final = 32
_MLKEM_SEED: Final = 64
_MLKEM_PUBLIC_KEY: Final = 1184
_MLKEM_CIPHERTEXT: Final = 1088


class Mlkem768X25519(Kem):
    """``derive_seed`` makes DeriveKeyPair's private key, a seed of 32 bytes, of its input keying material."""

    kem_id = _KEM_ID
    Nsecret = 32
    Nenc = 1120
    Npk = 1216
    Nsk = _SEED

    def __init__(self, name: str, derive_seed: Callable[[bytes], Secret]) -> None:
        self.name = name
        self._derive_seed = derive_seed

    def generate_key_pair(self, entropy: Entropy) -> KeyPair:
        return self._key_pair(Secret(entropy.random(self.Nsk)))

    def derive_key_pair(self, ikm: bytes) -> KeyPair:
        return self._key_pair(self._derive_seed(ikm))

    def public_key(self, private: bytes) -> bytes:
        dk_pq, dk_t = self._expand_key(private)
        return dk_pq.public_key().public_bytes_raw() + X25519.private_key(dk_t).public

    def check_public_key(self, public: bytes) -> None:
        ek_pq, ek_t = self._split_public_key(public)
        X25519.check_public_key(ek_t)
        try:
            MLKEM768PublicKey.from_public_bytes(ek_pq)
        except ValueError:
            raise BadPublicKey("not an ML-KEM-768 encapsulation key") from None

    def encap(self, public: bytes, entropy: Entropy) -> tuple[Secret, bytes]:
        ek_pq, ek_t = self._split_public_key(public)
        try:
            ss_pq, ct_pq = entropy.mlkem768_encapsulate(ek_pq)
        except ValueError:
            raise BadPublicKey("not an ML-KEM-768 encapsulation key") from None
        sk_e = Secret(entropy.random(X25519.Nsk))
        key = X25519.private_key(sk_e)
        ss_t, ct_t = key.exchange(ek_t), key.public
        return _combine(ss_pq, ss_t, ct_t, ek_t), ct_pq + ct_t

    def decap(self, enc: bytes, private: bytes) -> Secret:
        self.check_encapsulated_key(enc)
        dk_pq, dk_t = self._expand_key(private)
        ct_pq, ct_t = enc[:_MLKEM_CIPHERTEXT], enc[_MLKEM_CIPHERTEXT:]
        try:
            ss_t = X25519.private_key(dk_t).exchange(ct_t)
        except BadPublicKey as error:
            raise BadEncapsulation(error.detail) from None
        return _combine(dk_pq.decapsulate(ct_pq), ss_t, ct_t, X25519.private_key(dk_t).public)

    def _key_pair(self, seed: Secret) -> KeyPair:
        return KeyPair(seed, self.public_key(seed))

    def _expand_key(self, seed: bytes) -> tuple[MLKEM768PrivateKey, Secret]:
        """(dk_PQ, dk_T): the keys themselves, from SHAKE256(seed, 96)."""
        if len(seed) != self.Nsk:
            raise BadLength(f"a private key of {self.name} has {self.Nsk} bytes, not {len(seed)}")
        expanded = Secret(hashlib.shake_256(seed).digest(_MLKEM_SEED + X25519.Nsk))
        dk_pq = MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED])
        return dk_pq, Secret(expanded[_MLKEM_SEED:])

    def _split_public_key(self, public: bytes) -> tuple[bytes, bytes]:
        if len(public) != self.Npk:
            raise BadPublicKey(
                f"a public key of {self.name} has {self.Npk} bytes, not {len(public)}"
            )
        return public[:_MLKEM_PUBLIC_KEY], public[_MLKEM_PUBLIC_KEY:]


def _combine(ss_pq: bytes, ss_t: bytes, ct_t: bytes, ek_t: bytes) -> Secret:
    return Secret(hashlib.sha3_256(ss_pq + ss_t + ct_t + ek_t + _LABEL).digest())


def _labeled_derive(ikm: bytes, label: bytes, context: bytes, length: int) -> Secret:
    """SHAKE256.LabeledDerive of the one-stage KDFs in draft-ietf-hpke-hpke and draft-ietf-hpke-pq."""
    suite_id = b"KEM" + _KEM_ID.to_bytes(2, "big")
    prefixed_label = len(label).to_bytes(2, "big") + label
    labeled_ikm = ikm + b"HPKE-v1" + suite_id + prefixed_label + length.to_bytes(2, "big") + context
    return Secret(hashlib.shake_256(labeled_ikm).digest(length))


def _seed_of_hpke_pq(ikm: bytes) -> Secret:
    # KEYS-3: "MUST derive key pairs so (X-Wing's own draft derives them otherwise)"
    return _labeled_derive(ikm, b"DeriveKeyPair", b"", _SEED)


MLKEM768_X25519 = Mlkem768X25519("MLKEM768-X25519", _seed_of_hpke_pq)
