"""ECDSA (FIPS 186-5) on the NIST curves, as RFC 8446's SignatureSchemes ecdsa_secp256r1_sha256 and its like have it.

Signatures are made with the deterministic nonces of RFC 6979. What counts as one is fixed, so that members cannot
differ about a signature: the DER encoding of Ecdsa-Sig-Value and no other encoding of BER, with nothing behind it;
r and s in [1, order - 1]; the public key an uncompressed point of the curve.

For each (r, s) that verifies, (r, order - s) does too. RFC 9420 and RFC 8446 prefer neither, so both count: to refuse
one would split the group from members that send it. Who exchanges them forges nothing. A KeyPackage or a proposal in
the other form has another reference (RFC 9420 Section 5.2) with the same content from the same signer; a commit fails
at its confirmation tag, which covers the signature.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import HashAlgorithm

from e2ee.crypto.entropy import Entropy
from e2ee.crypto.errors import BadPublicKey, BadSignature
from e2ee.crypto.nist_curve import CANDIDATES, NistCurve, encode_point
from e2ee.crypto.signature_scheme import SignatureScheme, SigningKey

__all__ = ["Ecdsa"]


class Ecdsa(SignatureScheme):
    """ECDSA on one curve with one hash: keys are those of ``NistCurve``, signatures DER."""

    def __init__(self, name: str, curve: NistCurve, algorithm: HashAlgorithm) -> None:
        self.name = name
        self._curve = curve
        self._signing = ECDSA(algorithm, deterministic_signing=True)
        self._verifying = ECDSA(algorithm)

    def generate(self, entropy: Entropy) -> SigningKey:
        private = self._curve.first_private_key(
            entropy.random(self._curve.Nsk) for _ in range(CANDIDATES)
        )
        return SigningKey(private, self.public_key(private))

    def public_key(self, private: bytes) -> bytes:
        return encode_point(self._curve.private_key(private).public_key())

    def sign(self, private: bytes, message: bytes) -> bytes:
        return self._curve.private_key(private).sign(message, self._signing)

    def verify(self, public: bytes, message: bytes, signature: bytes) -> None:
        try:
            key = self._curve.public_key(public)
        except BadPublicKey as error:
            raise BadSignature(error.detail) from None
        self._check_form(signature)
        try:
            key.verify(signature, message, self._verifying)
        except InvalidSignature:
            raise BadSignature("the equation does not hold") from None

    def _check_form(self, signature: bytes) -> None:
        """RFC 9420 Section 5.1.2: "ECDSA signatures are DER encoded", and of one value there is one such encoding."""
        try:
            r, s = decode_dss_signature(signature)  # takes no other encoding of BER
        except ValueError:
            raise BadSignature("not the DER encoding of (r, s)") from None
        if not (0 < r < self._curve.order and 0 < s < self._curve.order):
            raise BadSignature("r and s are in [1, order - 1]")
