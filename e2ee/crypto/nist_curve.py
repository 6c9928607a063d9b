"""The NIST curves P-256, P-384 and P-521 (SEC 1, SP 800-186), as DHKEM and ECDSA both need them, by OpenSSL.

Private keys are scalars in [1, order - 1], big-endian. They leave this module with all ``Nsk`` bytes; one whose
leading zero bytes were dropped, as other implementations store them, is taken with its zeros put back. Public keys
have one form, the uncompressed point (RFC 8446 Section 4.2.8.2, RFC 9180 Section 7.1.1): compressed and hybrid
points are refused, the point at infinity too, and OpenSSL checks that the coordinates are below the field's prime
and on the curve. The curves have cofactor 1: every point that is left has the curve's order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurve,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from e2ee.crypto.errors import BadLength, BadPrivateKey, BadPublicKey
from e2ee.crypto.secret import Secret

__all__ = ["CANDIDATES", "P_256", "P_384", "P_521", "NistCurve", "encode_point"]

CANDIDATES = 256
"""How many candidates for a scalar are tried (RFC 9180 Section 7.1.3)."""

_UNCOMPRESSED = 0x04


@dataclass(frozen=True, slots=True)
class NistCurve:
    """A curve; ``Npk`` and ``Nsk`` are the lengths of its public and private keys in bytes."""

    name: str
    curve: EllipticCurve
    order: int
    Npk: int
    Nsk: int

    def first_private_key(self, candidates: Iterable[bytes]) -> Secret:
        """Of the ``candidates``, each of ``Nsk`` bytes, the first that is a private key once its surplus bits are 0.

        RFC 9180 Section 7.1.3: "`bitmask` is defined to be 0xFF for P-256 and P-384, and 0x01 for P-521." Each is
        taken with a probability of at least 1/2; ``BadPrivateKey`` if none is.
        """
        surplus = 8 * self.Nsk - self.order.bit_length()
        for candidate in candidates:
            masked = Secret(bytes([candidate[0] & 0xFF >> surplus]) + candidate[1:])
            if self._is_scalar(int.from_bytes(masked, "big")):
                return masked
        raise BadPrivateKey(f"no candidate is a private key of {self.name}")

    def private_key(self, private: bytes) -> EllipticCurvePrivateKey:
        """Set up a private key of at most ``Nsk`` bytes, or ``BadLength``, or ``BadPrivateKey``."""
        if not 0 < len(private) <= self.Nsk:
            raise BadLength(
                f"a private key of {self.name} has {self.Nsk} bytes, not {len(private)}"
            )
        scalar = int.from_bytes(private, "big")
        if not self._is_scalar(scalar):
            raise BadPrivateKey(f"a private key of {self.name} is in [1, order - 1]")
        return derive_private_key(scalar, self.curve)

    def public_key(self, public: bytes) -> EllipticCurvePublicKey:
        """Set up a public key, or ``BadPublicKey``.

        RFC 9180 Section 7.1.4: "senders and recipients MUST perform partial public key validation on all public key
        inputs [...] This includes checking that the coordinates are in the correct range, that the point is on the
        curve, and that the point is not the point at infinity."
        """
        if len(public) != self.Npk:
            raise BadPublicKey(
                f"a public key of {self.name} has {self.Npk} bytes, not {len(public)}"
            )
        if public[0] != _UNCOMPRESSED:
            raise BadPublicKey(f"a public key of {self.name} is an uncompressed point")
        try:
            return EllipticCurvePublicKey.from_encoded_point(self.curve, public)
        except ValueError:
            raise BadPublicKey(f"not a point of {self.name}") from None

    def _is_scalar(self, value: int) -> bool:
        return 0 < value < self.order


def encode_point(public: EllipticCurvePublicKey) -> bytes:
    """A public key in its one form."""
    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


P_256 = NistCurve(
    "P-256",
    SECP256R1(),
    order=0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    Npk=65,
    Nsk=32,
)
P_384 = NistCurve(
    "P-384",
    SECP384R1(),
    order=0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    Npk=97,
    Nsk=48,
)
P_521 = NistCurve(
    "P-521",
    SECP521R1(),
    order=0x01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409,
    Npk=133,
    Nsk=66,
)
