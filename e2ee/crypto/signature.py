"""Signature schemes, under RFC 9420 Section 5.1's names: Ed25519 (RFC 8032) in one strict form.

RFC 8032 lets verifiers differ about signatures that an honest signer never makes. Members that differ about one
signature differ about a commit, and the group splits. So what counts is fixed (KEYS-4): the cofactorless equation
S*B = R + k*A; S < L; A and R in their one canonical encoding; neither A nor R of small order. Everything but the
equation is checked in this file, because libsodium's own checks change with its version and its build. Its equation
changes too (its newer sources have the cofactored one), so a library that has the other one is refused at import.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from nacl.bindings import crypto_sign, crypto_sign_open, crypto_sign_seed_keypair
from nacl.exceptions import BadSignatureError

from e2ee.crypto.entropy import Entropy
from e2ee.crypto.errors import BadLength, BadSignature
from e2ee.crypto.secret import Secret

__all__ = ["ED25519", "Ed25519", "SignatureScheme", "SigningKey"]

_P: Final = 2**255 - 19  # the field's prime
_L: Final = 2**252 + 27742317777372353535851937790883648493  # the order of the base point
_Y_OF_ORDER_8: Final = 2707385501144840649318225287225658788936804267575313519463743609750303402022
_SMALL_ORDER_Y: Final = frozenset({0, 1, _P - 1, _Y_OF_ORDER_8, _P - _Y_OF_ORDER_8})
"""The y coordinates of the eight points whose order divides the cofactor 8."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A signature key pair; others verify with ``public``."""

    private: Secret
    public: bytes


class SignatureScheme(ABC):
    """What MLS asks of a signature scheme. Keys and signatures are bytes in the form that goes on the wire."""

    name: str

    @abstractmethod
    def generate(self, entropy: Entropy) -> SigningKey:
        """A fresh key pair."""

    @abstractmethod
    def public_key(self, private: bytes) -> bytes:
        """The public key of ``private``."""

    @abstractmethod
    def sign(self, private: bytes, message: bytes) -> bytes:
        """The signature of ``message``; the same every time."""

    @abstractmethod
    def verify(self, public: bytes, message: bytes, signature: bytes) -> None:
        """``BadSignature`` unless this is the holder of ``public``'s signature of ``message``."""


class Ed25519(SignatureScheme):
    """Ed25519: private keys are 32-byte seeds, public keys A have 32 bytes, signatures R || S 64.

    ``sign`` takes no public key from its caller: signing one message under two public keys gives the private key
    away.
    """

    name = "Ed25519"

    def generate(self, entropy: Entropy) -> SigningKey:
        private = Secret(entropy.random(32))
        return SigningKey(private, self.public_key(private))

    def public_key(self, private: bytes) -> bytes:
        return _key_pair(private)[0]

    def sign(self, private: bytes, message: bytes) -> bytes:
        return crypto_sign(message, _key_pair(private)[1])[:64]

    def verify(self, public: bytes, message: bytes, signature: bytes) -> None:
        if len(public) != 32:
            raise BadSignature(f"A has {len(public)} bytes, not 32")
        if len(signature) != 64:
            raise BadSignature(f"R || S has {len(signature)} bytes, not 64")
        # KEYS-4: "MUST be cofactorless and MUST refuse `S ≥ L`, encodings of `A` or `R` that are not canonical, and
        # `A` or `R` of small order"
        _check_point("A", public)
        _check_point("R", signature[:32])
        if int.from_bytes(signature[32:], "little") >= _L:
            raise BadSignature("S is not below L")
        try:
            crypto_sign_open(signature + message, public)
        except BadSignatureError:
            raise BadSignature("the equation does not hold") from None


def _key_pair(private: bytes) -> tuple[bytes, Secret]:
    """(public key, private key || public key), the form that libsodium signs with."""
    if len(private) != 32:
        raise BadLength(f"a private key of Ed25519 has 32 bytes, not {len(private)}")
    public, expanded = crypto_sign_seed_keypair(private)
    return public, Secret(expanded)


def _check_point(name: str, encoded: bytes) -> None:
    """Refuse y >= p and points of small order, whatever the sign bit says.

    With that no other encoding has a second form: x = 0 with its sign bit set occurs at y = 1 and y = p - 1 only.
    """
    y = int.from_bytes(encoded, "little") & (2**255 - 1)
    if y >= _P:
        raise BadSignature(f"{name} is not canonical")
    if y in _SMALL_ORDER_Y:
        raise BadSignature(f"{name} has small order")


_HONEST_PUBLIC: Final = bytes.fromhex(
    "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"
)
_ONLY_COFACTORED: Final = bytes.fromhex(
    "13661d745ad63221ca5da0456fa618713511dc60668aa464e55b09a20ff7fc1d"
    "c071648bf4715199065f0594bed9aaf76a949ab3569f9345a70db2910ef55200"
)
"""A signature of the empty message whose R carries a point of order 8: 8*S*B = 8*R + 8*k*A holds, S*B = R + k*A does not."""


def _require_cofactorless(verify: Callable[[bytes, bytes, bytes], None]) -> None:
    """``ImportError`` if ``verify`` accepts what only the cofactored equation accepts."""
    try:
        verify(_HONEST_PUBLIC, b"", _ONLY_COFACTORED)
    except BadSignature:
        return
    raise ImportError(
        "this libsodium verifies Ed25519 by the cofactored equation; see e2ee.crypto.signature"
    )


ED25519 = Ed25519()
_require_cofactorless(ED25519.verify)
