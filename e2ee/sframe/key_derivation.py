"""From a base_key to the key and salt of one KID (RFC 9605 Section 4.4.2)."""

from __future__ import annotations

from typing import NamedTuple

from e2ee.crypto.secret import Secret
from e2ee.sframe.cipher_suite import CipherSuite, Nn

__all__ = ["KeySalt", "derive_key_salt", "key_label", "salt_label"]


class KeySalt(NamedTuple):
    """sframe_key (``Nk`` bytes) and sframe_salt (``Nn`` bytes)."""

    key: Secret
    salt: Secret


def derive_key_salt(suite: CipherSuite, KID: int, base_key: bytes) -> KeySalt:
    """sframe_key and sframe_salt of ``KID``."""
    sframe_secret = suite.kdf.extract(b"", base_key)
    return KeySalt(
        suite.kdf.expand(sframe_secret, key_label(suite, KID), suite.aead.Nk),
        suite.kdf.expand(sframe_secret, salt_label(suite, KID), Nn),
    )


def key_label(suite: CipherSuite, KID: int) -> bytes:
    """sframe_key_label."""
    return b"SFrame 1.0 Secret key " + _kid_and_suite(suite, KID)


def salt_label(suite: CipherSuite, KID: int) -> bytes:
    """sframe_salt_label."""
    return b"SFrame 1.0 Secret salt " + _kid_and_suite(suite, KID)


def _kid_and_suite(suite: CipherSuite, KID: int) -> bytes:
    """Both big-endian: "The KID value is encoded as an 8-byte big-endian integer ... cipher_suite ... 2-byte big-endian"."""
    return KID.to_bytes(8, "big") + suite.code_point.to_bytes(2, "big")
