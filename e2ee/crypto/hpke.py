"""Hybrid public key encryption (RFC 9180), base mode, single-shot: seal, open, and the two exports.

MLS uses nothing else of HPKE: EncryptWithLabel seals one message per encapsulation (RFC 9420 Section 5.1.3), and
an external init exports one secret (Section 8.3). There is no context object whose sequence number could repeat.
"""

from __future__ import annotations

from dataclasses import dataclass

from e2ee.crypto.aead import Aead
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.kdf import Kdf, LabeledKdf
from e2ee.crypto.kem import Kem, KeyPair
from e2ee.crypto.secret import Secret

__all__ = ["Hpke", "Kem", "KeyPair", "MessageKey"]

_MODE_BASE = b"\x00"


@dataclass(frozen=True, slots=True)
class MessageKey:
    """What one message is sealed with."""

    key: Secret
    base_nonce: Secret


class Hpke:
    """One HPKE suite: a KEM, a KDF and an AEAD."""

    def __init__(self, kem: Kem, kdf: Kdf, aead: Aead) -> None:
        self.kem = kem
        self.kdf = kdf
        self.aead = aead
        ids = (kem.kem_id, kdf.hpke_id, aead.hpke_id)
        suite_id = b"HPKE" + b"".join(i.to_bytes(2, "big") for i in ids)
        self._labeled = LabeledKdf(kdf, suite_id)
        self._psk_id_hash = self._labeled.extract(b"", b"psk_id_hash", b"")

    def seal(
        self, public_key: bytes, info: bytes, aad: bytes, plaintext: bytes, entropy: Entropy
    ) -> tuple[bytes, bytes]:
        """(encapsulated key, ciphertext || tag) for the holder of ``public_key``, or ``BadPublicKey``."""
        return self.seal_in(self.key_schedule_context(info), public_key, aad, plaintext, entropy)

    def seal_in(
        self, context: bytes, public_key: bytes, aad: bytes, plaintext: bytes, entropy: Entropy
    ) -> tuple[bytes, bytes]:
        """``seal`` with the ``key_schedule_context`` of an ``info`` that many messages have in common."""
        shared_secret, enc = self.kem.encap(public_key, entropy)
        by = self.message_key(shared_secret, context)
        return enc, self.aead.key(by.key).seal(by.base_nonce, aad, plaintext)

    def open(
        self, enc: bytes, private_key: bytes, info: bytes, aad: bytes, ciphertext: bytes
    ) -> bytes:
        """The plaintext, or ``BadEncapsulation``, or ``OpenError``."""
        shared_secret = self.kem.decap(enc, private_key)
        by = self.message_key(shared_secret, self.key_schedule_context(info))
        return self.aead.key(by.key).open(by.base_nonce, aad, ciphertext)

    def send_export(
        self,
        public_key: bytes,
        info: bytes,
        exporter_context: bytes,
        length: int,
        entropy: Entropy,
    ) -> tuple[bytes, Secret]:
        """(encapsulated key, secret of ``length`` bytes) shared with the holder of ``public_key``."""
        shared_secret, enc = self.kem.encap(public_key, entropy)
        return enc, self._export(shared_secret, info, exporter_context, length)

    def receive_export(
        self, enc: bytes, private_key: bytes, info: bytes, exporter_context: bytes, length: int
    ) -> Secret:
        """The secret that ``send_export`` gave its caller, or ``BadEncapsulation``."""
        shared_secret = self.kem.decap(enc, private_key)
        return self._export(shared_secret, info, exporter_context, length)

    def key_schedule_context(self, info: bytes) -> bytes:
        """That of mode_base with the default psk and psk_id (RFC 9180 Section 5.1)."""
        info_hash = self._labeled.extract(b"", b"info_hash", info)
        return _MODE_BASE + self._psk_id_hash + info_hash

    def message_key(self, shared_secret: bytes, context: bytes) -> MessageKey:
        """KeySchedule as far as sealing goes; ``context`` is a ``key_schedule_context``."""
        secret = self._secret(shared_secret)
        return MessageKey(
            key=self._labeled.expand(secret, b"key", context, self.aead.Nk),
            base_nonce=self._labeled.expand(secret, b"base_nonce", context, self.aead.Nn),
        )

    def exporter_secret(self, shared_secret: bytes, context: bytes) -> Secret:
        """The same KeySchedule, as far as exporting goes."""
        return self._labeled.expand(self._secret(shared_secret), b"exp", context, self.kdf.Nh)

    def _secret(self, shared_secret: bytes) -> Secret:
        return self._labeled.extract(shared_secret, b"secret", b"")

    def _export(
        self, shared_secret: bytes, info: bytes, exporter_context: bytes, length: int
    ) -> Secret:
        exporter_secret = self.exporter_secret(shared_secret, self.key_schedule_context(info))
        return self._labeled.expand(exporter_secret, b"sec", exporter_context, length)
