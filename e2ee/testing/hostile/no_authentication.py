"""A world without authentication, to see that it is what attacks on messages fail by."""

from __future__ import annotations

from e2ee.crypto.aead import AeadKey
from e2ee.crypto.signature import ED25519
from e2ee.testing.hostile.defences import all_of, nothing, replaced

__all__ = ["without_authentication"]

_TAG = 16


def _seal(_key: AeadKey, _nonce: bytes, _aad: bytes, plaintext: bytes) -> bytes:
    return plaintext + bytes(_TAG)


def _open(_key: AeadKey, _nonce: bytes, _aad: bytes, ciphertext: bytes) -> bytes:
    return ciphertext[:-_TAG]


without_authentication = all_of(
    replaced(AeadKey, seal=_seal, open=_open), replaced(type(ED25519), verify=nothing)
)
"""AEADs that seal nothing, and signatures that everybody believes."""
