"""HPKE of the suites of calls, a step a line: the KEMs (KEYS-3, RFC 9180 Section 4.1), EncryptWithLabel (RFC 9420, Section 5.1.3).

What is shared with the code under test is KDF, AEAD and X25519; ML-KEM is kyber-py's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kyber_py.ml_kem import ML_KEM_768

from e2ee.crypto.aead import AES_128_GCM, AES_256_GCM, Aead
from e2ee.crypto.dh_group import X25519
from e2ee.crypto.kdf import HKDF_SHA256, HKDF_SHA384, Kdf
from e2ee.vectorgen.certificates import vector
from e2ee.vectorgen.models import u16

__all__ = ["MLKEM_CIPHERTEXT", "MLKEM_PUBLIC_KEY", "SUITES", "Made", "Suite", "labelled"]

MLKEM_PUBLIC_KEY, MLKEM_CIPHERTEXT = 1184, 1088

XWING_LABEL = bytes.fromhex("5c2e2f2f5e5c")


@dataclass(frozen=True)
class Made:
    """What comes out of a formula, and its steps."""

    output: dict[str, bytes]
    steps: dict[str, bytes]


def labeled_extract(kdf: Kdf, suite_id: bytes, salt: bytes, label: bytes, ikm: bytes) -> bytes:
    """RFC 9180, Section 4."""
    return kdf.extract(salt, b"HPKE-v1" + suite_id + label + ikm)


def labeled_expand(
    kdf: Kdf, suite_id: bytes, prk: bytes, label: bytes, info: bytes, length: int
) -> bytes:
    """RFC 9180, Section 4."""
    return kdf.expand(prk, u16(length) + b"HPKE-v1" + suite_id + label + info, length)


class X25519Kem:
    """DHKEM(X25519, HKDF-SHA256)."""

    id = 0x0020
    suite_id = b"KEM" + u16(id)

    def derive(self, ikm: bytes) -> Made:
        """RFC 9180, Section 7.1.3."""
        dkp_prk = labeled_extract(HKDF_SHA256, self.suite_id, b"", b"dkp_prk", ikm)
        private = labeled_expand(HKDF_SHA256, self.suite_id, dkp_prk, b"sk", b"", 32)
        pair = {"private_key": private, "public_key": X25519.private_key(private).public}
        return Made(pair, {"dkp_prk": dkp_prk})

    def encapsulate(self, public_key: bytes, randomness: bytes) -> Made:
        """``randomness`` is the ikm of the ephemeral key pair."""
        ephemeral = self.derive(randomness).output
        enc = ephemeral["public_key"]
        dh = X25519.private_key(ephemeral["private_key"]).exchange(public_key)
        made = self._shared(dh, enc, public_key)
        steps = {"ephemeral_private_key": ephemeral["private_key"], **made.steps}
        return Made({"enc": enc, **made.output}, steps)

    def decapsulate(self, enc: bytes, private_key: bytes) -> Made:
        key = X25519.private_key(private_key)
        return self._shared(key.exchange(enc), enc, key.public)

    def _shared(self, dh: bytes, enc: bytes, public_key: bytes) -> Made:
        kem_context = enc + public_key
        eae_prk = labeled_extract(HKDF_SHA256, self.suite_id, b"", b"eae_prk", dh)
        shared = labeled_expand(
            HKDF_SHA256, self.suite_id, eae_prk, b"shared_secret", kem_context, 32
        )
        steps = {"x25519_secret": dh, "kem_context": kem_context, "eae_prk": eae_prk}
        return Made({"shared_secret": shared}, steps)


class HybridKem:
    """0x647A of draft-ietf-hpke-pq."""

    id = 0x647A
    suite_id = b"KEM" + u16(id)

    def derive(self, ikm: bytes) -> Made:
        """KEYS-3."""
        label = b"DeriveKeyPair"
        labeled = ikm + b"HPKE-v1" + self.suite_id + u16(len(label)) + label + u16(32)
        seed = hashlib.shake_256(labeled).digest(32)
        public_key, steps = self.expand(seed)
        return Made(
            {"private_key": seed, "public_key": public_key}, {"labeled_ikm": labeled, **steps}
        )

    def expand(self, seed: bytes) -> tuple[bytes, dict[str, bytes]]:
        """The public key, and all private parts."""
        x = hashlib.shake_256(seed).digest(96)
        ml_kem_public_key, _ = ML_KEM_768.key_derive(x[:64])
        x25519_public_key = X25519.private_key(x[64:]).public
        steps = {
            "x": x,
            "ml_kem_d": x[:32],
            "ml_kem_z": x[32:64],
            "ml_kem_public_key": ml_kem_public_key,
            "x25519_private_key": x[64:],
            "x25519_public_key": x25519_public_key,
        }
        return ml_kem_public_key + x25519_public_key, steps

    def encapsulate(self, public_key: bytes, randomness: bytes) -> Made:
        """``randomness``: 32 bytes for ML-KEM (m of FIPS 203), then the ephemeral X25519 private key."""
        m, ephemeral = randomness[:32], X25519.private_key(randomness[32:])
        ml_kem, x25519 = public_key[:MLKEM_PUBLIC_KEY], public_key[MLKEM_PUBLIC_KEY:]
        ml_kem_secret, ciphertext = ML_KEM_768._encaps_internal(ml_kem, m)
        made = _combined(ml_kem_secret, ephemeral.exchange(x25519), ephemeral.public, x25519)
        return Made({"enc": ciphertext + ephemeral.public, **made.output}, made.steps)

    def decapsulate(self, enc: bytes, private_key: bytes) -> Made:
        x = hashlib.shake_256(private_key).digest(96)
        _, decapsulation_key = ML_KEM_768.key_derive(x[:64])
        ml_kem_secret = ML_KEM_768.decaps(decapsulation_key, enc[:MLKEM_CIPHERTEXT])
        key, ephemeral = X25519.private_key(x[64:]), enc[MLKEM_CIPHERTEXT:]
        return _combined(ml_kem_secret, key.exchange(ephemeral), ephemeral, key.public)


def _combined(ml_kem: bytes, x25519: bytes, ephemeral: bytes, public_key: bytes) -> Made:
    hashed = ml_kem + x25519 + ephemeral + public_key + XWING_LABEL
    steps = {"ml_kem_secret": ml_kem, "x25519_secret": x25519, "hashed": hashed}
    return Made({"shared_secret": hashlib.sha3_256(hashed).digest()}, steps)


def labelled(label: str, content: bytes) -> bytes:
    """EncryptContext of RFC 9420, Section 5.1.3."""
    return vector(b"MLS 1.0 " + label.encode()) + vector(content)


@dataclass(frozen=True)
class Suite:
    """HPKE of a row of KEYS-1."""

    kem: X25519Kem | HybridKem
    kdf: Kdf
    kdf_id: int
    aead: Aead
    aead_id: int

    def message_key(self, shared_secret: bytes, info: bytes) -> dict[str, bytes]:
        """RFC 9180, Section 5.1: the key schedule in mode_base, as far as one message goes."""
        suite_id = b"HPKE" + u16(self.kem.id) + u16(self.kdf_id) + u16(self.aead_id)
        kdf, aead = self.kdf, self.aead
        psk_id_hash = labeled_extract(kdf, suite_id, b"", b"psk_id_hash", b"")
        info_hash = labeled_extract(kdf, suite_id, b"", b"info_hash", info)
        context = b"\0" + psk_id_hash + info_hash
        secret = labeled_extract(kdf, suite_id, shared_secret, b"secret", b"")
        return {
            "info": info,
            "shared_secret": shared_secret,
            "key_schedule_context": context,
            "secret": secret,
            "key": labeled_expand(kdf, suite_id, secret, b"key", context, aead.Nk),
            "base_nonce": labeled_expand(kdf, suite_id, secret, b"base_nonce", context, aead.Nn),
        }

    def seal(self, given: Mapping[str, Any]) -> Made:
        """EncryptWithLabel with given randomness."""
        encapsulated = self.kem.encapsulate(given["public_key"], given["randomness"]).output
        info = labelled(given["label"], given["context"])
        steps = self.message_key(encapsulated["shared_secret"], info)
        ciphertext = self.aead.key(steps["key"]).seal(steps["base_nonce"], b"", given["plaintext"])
        return Made({"kem_output": encapsulated["enc"], "ciphertext": ciphertext}, steps)


SUITES: Mapping[int, Suite] = {
    0x0001: Suite(X25519Kem(), HKDF_SHA256, 0x0001, AES_128_GCM, 0x0001),
    0xF0E2: Suite(HybridKem(), HKDF_SHA384, 0x0002, AES_256_GCM, 0x0002),
}
"""MLS suite -> its HPKE."""
