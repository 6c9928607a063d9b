"""Labels, and the signatures made over them outside MLS (IDENT-13).

Every signature of this protocol outside MLS goes through ``sign_labelled``: a signature made for one purpose is
never one for another, and an MLS structure, which opens otherwise, is never signed by accident.
"""

from __future__ import annotations

from enum import StrEnum

from e2ee.crypto.signature import ED25519, SigningKey

__all__ = ["SignatureLabel", "label", "opaque16", "sign_labelled", "verify_labelled"]


class SignatureLabel(StrEnum):
    """IDENT-13: all labels that are signed over."""

    DEVICE = "Device"
    ACCOUNT = "Account"
    REGISTER = "Register"
    LOGIN = "Login"
    NEW_DEVICE = "New device"
    LETTER = "Letter"
    GONE = "Gone"


def label(text: str) -> bytes:
    """``label(x)`` of the spec: what every use of a key outside MLS and SFrame opens with."""
    return b"E2EE Call 1.0 " + text.encode("ascii")


def opaque16(data: bytes) -> bytes:
    """``u16(length) || data``; ``data`` is shorter than 65,536 bytes."""
    return len(data).to_bytes(2, "big") + data


def sign_labelled(key: SigningKey, purpose: SignatureLabel, content: bytes) -> bytes:
    """Ed25519(key, label(purpose) || content), 64 bytes."""
    return ED25519.sign(key.private, label(purpose) + content)


def verify_labelled(
    public_key: bytes, purpose: SignatureLabel, content: bytes, signature: bytes
) -> None:
    """Return if ``sign_labelled`` made the signature, else raise ``BadSignature``."""
    ED25519.verify(public_key, label(purpose) + content, signature)
