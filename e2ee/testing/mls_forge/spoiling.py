"""Values that are as good as right: one bit, one byte or one form away."""

from __future__ import annotations

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.crypto.eddsa import EdDsa
from e2ee.crypto.errors import BadPublicKey

__all__ = ["flipped", "in_another_form", "malformed"]


def flipped(data: bytes, position: int) -> bytes:
    """``data`` with the lowest bit of one byte flipped."""
    changed = bytearray(data)
    changed[position] ^= 1
    return bytes(changed)


def malformed(suite: CipherSuite, public_key: bytes) -> bytes:
    """What is no HPKE public key: a point beside the curve where there are such, elsewhere a byte too few."""
    try:
        suite.hpke.kem.check_public_key(flipped(public_key, -1))
    except BadPublicKey:
        return flipped(public_key, -1)
    return public_key[:-1]


def in_another_form(suite: CipherSuite, signature: bytes) -> bytes:
    """A signature that satisfies the same equation: S + L for EdDSA, r with a zero byte more before it for ECDSA."""
    if isinstance(suite.signature, EdDsa):
        curve = suite.signature.curve
        s = int.from_bytes(signature[curve.length :], "little") + curve.order
        return signature[: curve.length] + s.to_bytes(curve.length, "little")
    integers = signature[2 if signature[1] < 128 else 3 :]
    longer = bytes([integers[0], integers[1] + 1, 0]) + integers[2:]
    length = bytes([len(longer)]) if len(longer) < 128 else bytes([0x81, len(longer)])
    return signature[:1] + length + longer
