"""Ed25519 and Ed448 (RFC 8032), each in one strict form.

RFC 8032 lets verifiers differ about signatures that an honest signer never makes. Members that differ about one
signature differ about a commit, and the group splits. So what counts is fixed: S < L; A and R in their one canonical
encoding; neither A nor R of small order; and one equation of the two that RFC 8032 allows:

    Ed25519    S*B = R + k*A            (KEYS-4), which libsodium has
    Ed448      4*S*B = 4*R + 4*k*A      the one that RFC 8032 Section 5.2.7 writes down, which OpenSSL has

Everything but the equation is checked in this file, because what the libraries check beside it changes with their
versions and builds. Libsodium's equation changes too (its newer sources have the cofactored one), so
``signature`` refuses at import a library that has another equation than the one above.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey, Ed448PublicKey
from nacl.bindings import crypto_sign, crypto_sign_open, crypto_sign_seed_keypair
from nacl.exceptions import BadSignatureError

from e2ee.crypto.entropy import Entropy
from e2ee.crypto.errors import BadLength, BadSignature
from e2ee.crypto.secret import Secret
from e2ee.crypto.signature_scheme import SignatureScheme, SigningKey

__all__ = ["Ed448", "Ed25519", "EdDsa"]


@dataclass(frozen=True, slots=True)
class EdwardsCurve:
    """What the encodings are checked against."""

    length: int
    """Bytes of a private key, of A, of R and of S."""
    prime: int
    """The field's."""
    order: int
    """L, that of the base point."""
    small_order_y: frozenset[int]
    """The y coordinates of the points whose order divides the cofactor."""


_P25519: Final = 2**255 - 19
_Y_OF_ORDER_8: Final = 2707385501144840649318225287225658788936804267575313519463743609750303402022
EDWARDS25519: Final = EdwardsCurve(
    length=32,
    prime=_P25519,
    order=2**252 + 27742317777372353535851937790883648493,
    small_order_y=frozenset({0, 1, _P25519 - 1, _Y_OF_ORDER_8, _P25519 - _Y_OF_ORDER_8}),
)

_P448: Final = 2**448 - 2**224 - 1
EDWARDS448: Final = EdwardsCurve(
    length=57,
    prime=_P448,
    order=2**446 - 13818066809895115352007386748515426880336692474882178609894547503885,
    small_order_y=frozenset({0, 1, _P448 - 1}),
)


class EdDsa(SignatureScheme):
    """Private keys are seeds, public keys A, signatures R || S.

    ``sign`` takes no public key from its caller: signing one message under two public keys gives the private key
    away.
    """

    curve: EdwardsCurve

    def generate(self, entropy: Entropy) -> SigningKey:
        private = Secret(entropy.random(self.curve.length))
        return SigningKey(private, self.public_key(private))

    def verify(self, public: bytes, message: bytes, signature: bytes) -> None:
        n = self.curve.length
        if len(public) != n:
            raise BadSignature(f"A has {len(public)} bytes, not {n}")
        if len(signature) != 2 * n:
            raise BadSignature(f"R || S has {len(signature)} bytes, not {2 * n}")
        # KEYS-4, of Ed25519: "MUST be cofactorless and MUST refuse `S ≥ L`, encodings of `A` or `R` that are not
        # canonical, and `A` or `R` of small order". But for the equation, Ed448 is held to the same.
        self._check_point("A", public)
        self._check_point("R", signature[:n])
        if int.from_bytes(signature[n:], "little") >= self.curve.order:
            raise BadSignature("S is not below L")
        if not self._equation_holds(public, message, signature):
            raise BadSignature("the equation does not hold")

    @abstractmethod
    def _equation_holds(self, public: bytes, message: bytes, signature: bytes) -> bool:
        """Whether it does, of encodings that are checked; False as well if A is no point of the curve."""

    def _check_point(self, name: str, encoded: bytes) -> None:
        """Refuse y >= p and points of small order, whatever the sign bit, the last one, says.

        With that no other encoding has a second form: x = 0 with its sign bit set occurs at y = 1 and y = p - 1 only.
        """
        y = int.from_bytes(encoded, "little") & (1 << 8 * self.curve.length - 1) - 1
        if y >= self.curve.prime:
            raise BadSignature(f"{name} is not canonical")
        if y in self.curve.small_order_y:
            raise BadSignature(f"{name} has small order")

    def _check_private_key(self, private: bytes) -> None:
        if len(private) != self.curve.length:
            raise BadLength(
                f"a private key of {self.name} has {self.curve.length} bytes, not {len(private)}"
            )


class Ed25519(EdDsa):
    """By libsodium."""

    name = "Ed25519"
    curve = EDWARDS25519

    def public_key(self, private: bytes) -> bytes:
        return self._key_pair(private)[0]

    def sign(self, private: bytes, message: bytes) -> bytes:
        return crypto_sign(message, self._key_pair(private)[1])[:64]

    def _equation_holds(self, public: bytes, message: bytes, signature: bytes) -> bool:
        try:
            crypto_sign_open(signature + message, public)
        except BadSignatureError:
            return False
        return True

    def _key_pair(self, private: bytes) -> tuple[bytes, Secret]:
        """(public key, private key || public key), the form that libsodium signs with."""
        self._check_private_key(private)
        public, expanded = crypto_sign_seed_keypair(private)
        return public, Secret(expanded)


class Ed448(EdDsa):
    """By OpenSSL, without a context."""

    name = "Ed448"
    curve = EDWARDS448

    def public_key(self, private: bytes) -> bytes:
        return self._key(private).public_key().public_bytes_raw()

    def sign(self, private: bytes, message: bytes) -> bytes:
        return self._key(private).sign(message)

    def _equation_holds(self, public: bytes, message: bytes, signature: bytes) -> bool:
        try:
            Ed448PublicKey.from_public_bytes(public).verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def _key(self, private: bytes) -> Ed448PrivateKey:
        self._check_private_key(private)
        return Ed448PrivateKey.from_private_bytes(private)
