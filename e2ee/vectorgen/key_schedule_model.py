"""RFC 9420 Section 8 by its formulas: from what a Welcome or a commit brings to all secrets of the epoch."""

from __future__ import annotations

from typing import Any

from e2ee.crypto.kdf import Kdf
from e2ee.vectorgen.certificates import vector
from e2ee.vectorgen.models import MLS_KDF, SUITES, mls_export, u16

__all__ = ["base_key", "derive_secret", "epoch", "joiner", "psk_secret", "welcome"]

EPOCH_SECRETS = {
    "sender_data_secret": "sender data",
    "encryption_secret": "encryption",
    "exporter_secret": "exporter",
    "external_secret": "external",
    "confirmation_key": "confirm",
    "membership_key": "membership",
    "resumption_psk": "resumption",
    "epoch_authenticator": "authentication",
    "init_secret": "init",
}
"""Table 4, and the last step of the figure."""


def expand_with_label(kdf: Kdf, secret: bytes, label: str, context: bytes, length: int) -> bytes:
    """ExpandWithLabel."""
    kdf_label = u16(length) + vector(b"MLS 1.0 " + label.encode()) + vector(context)
    return kdf.expand(secret, kdf_label, length)


def derive_secret(kdf: Kdf, secret: bytes, label: str) -> bytes:
    """DeriveSecret."""
    return expand_with_label(kdf, secret, label, b"", kdf.Nh)


def joiner(kdf: Kdf, init_secret: bytes, commit_secret: bytes, group_context: bytes) -> bytes:
    """joiner_secret."""
    extracted = kdf.extract(init_secret, commit_secret)
    return expand_with_label(kdf, extracted, "joiner", group_context, kdf.Nh)


def psk_secret(kdf: Kdf, psk_id: bytes, nonce: bytes, psk: bytes) -> bytes:
    """Section 8.4, of one external PSK."""
    psk_label = b"\x01" + vector(psk_id) + vector(nonce) + u16(0) + u16(1)
    extracted = kdf.extract(bytes(kdf.Nh), psk)
    psk_input = expand_with_label(kdf, extracted, "derived psk", psk_label, kdf.Nh)
    return kdf.extract(psk_input, bytes(kdf.Nh))


def welcome(kdf: Kdf, joiner_secret: bytes, psk: bytes, nk: int, nn: int) -> dict[str, bytes]:
    """What the GroupInfo of a Welcome is sealed with."""
    secret = derive_secret(kdf, kdf.extract(joiner_secret, psk), "welcome")
    return {
        "welcome_secret": secret,
        "welcome_key": expand_with_label(kdf, secret, "key", b"", nk),
        "welcome_nonce": expand_with_label(kdf, secret, "nonce", b"", nn),
    }


def epoch(kdf: Kdf, joiner_secret: bytes, psk: bytes, group_context: bytes) -> dict[str, bytes]:
    """epoch_secret, and all that is derived from it."""
    extracted = kdf.extract(joiner_secret, psk)
    secret = expand_with_label(kdf, extracted, "epoch", group_context, kdf.Nh)
    derived = {name: derive_secret(kdf, secret, label) for name, label in EPOCH_SECRETS.items()}
    return {"epoch_secret": secret, **derived}


def base_key(mls_suite: int, exporter_secret: bytes) -> dict[str, Any]:
    """FKEY-1."""
    kdf, sframe_suite = MLS_KDF[mls_suite]
    _, aead = SUITES[sframe_suite]
    return mls_export(kdf, exporter_secret, "SFrame 1.0 Base Key", aead.Nk)
