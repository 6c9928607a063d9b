"""Diffie-Hellman groups, as RFC 9180 Section 4.1 asks for them, on bytes in the form that goes on the wire.

X25519 is computed by libsodium, which is the faster; X448 and the NIST curves by OpenSSL. Which public keys agree no
secret is decided here: on the curves of RFC 7748 those of small order, in each of their encodings; on the NIST curves
whatever is no point of the curve.

To set a private key up costs as much as an exchange where OpenSSL does it, since it computes the public key. So that
happens once, in ``private_key``, and what it returns gives both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import ECDH, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey, X448PublicKey
from nacl.bindings import crypto_scalarmult, crypto_scalarmult_base
from nacl.exceptions import RuntimeError as SodiumError

from e2ee.crypto.errors import BadLength, BadPublicKey
from e2ee.crypto.nist_curve import CANDIDATES, P_256, P_384, P_521, NistCurve, encode_point
from e2ee.crypto.secret import Secret

__all__ = ["ECDH_P256", "ECDH_P384", "ECDH_P521", "X448", "X25519", "DhGroup", "DhPrivateKey"]

Expand = Callable[[bytes, bytes, int], Secret]
"""LabeledExpand(dkp_prk, label, info, L), its first argument given."""


class DhPrivateKey(ABC):
    """A private key that is set up."""

    @property
    @abstractmethod
    def public(self) -> bytes:
        """pk(skX), its public key."""

    @abstractmethod
    def exchange(self, public: bytes) -> Secret:
        """DH(skX, pkY); ``BadPublicKey`` if ``public`` agrees no secret."""


class DhGroup(ABC):
    """A group; ``Npk`` and ``Nsk`` are the lengths of its public and private keys in bytes."""

    name: str
    Npk: int
    Nsk: int

    @abstractmethod
    def private_key(self, private: bytes) -> DhPrivateKey:
        """Set up a private key; ``BadLength`` or ``BadPrivateKey`` if it is none."""

    @abstractmethod
    def derive_private_key(self, expand: Expand) -> Secret:
        """The private key of DeriveKeyPair (RFC 9180 Section 7.1.3), from what ``expand`` makes of dkp_prk."""

    @abstractmethod
    def check_public_key(self, public: bytes) -> None:
        """``BadPublicKey`` exactly if ``exchange`` refuses ``public``, at less cost."""


# --- the curves of RFC 7748: every string of the right length is a private key, and a public key ---


class _MontgomeryCurve(DhGroup):
    """``bits`` are those of u that count; ``small_order_u`` are the u, of so many bits, that agree no secret."""

    def __init__(
        self,
        name: str,
        length: int,
        bits: int,
        small_order_u: frozenset[int],
        set_up: Callable[[_MontgomeryCurve, bytes], DhPrivateKey],
    ) -> None:
        self.name = name
        self.Npk = self.Nsk = length
        self.small_order_u = small_order_u
        self._mask = (1 << bits) - 1
        self._set_up = set_up

    def private_key(self, private: bytes) -> DhPrivateKey:
        if len(private) != self.Nsk:
            raise BadLength(
                f"a private key of {self.name} has {self.Nsk} bytes, not {len(private)}"
            )
        return self._set_up(self, private)

    def derive_private_key(self, expand: Expand) -> Secret:
        return expand(b"sk", b"", self.Nsk)

    def check_public_key(self, public: bytes) -> None:
        self.check_length(public)
        if int.from_bytes(public, "little") & self._mask in self.small_order_u:
            raise BadPublicKey("a point of small order agrees no secret")

    def check_length(self, public: bytes) -> None:
        """``BadPublicKey`` unless ``public`` has ``Npk`` bytes."""
        if len(public) != self.Npk:
            raise BadPublicKey(
                f"a public key of {self.name} has {self.Npk} bytes, not {len(public)}"
            )


# RFC 9180 Section 7.1.4: "recipients MUST check whether the Diffie-Hellman shared secret is the all-zero value and
# abort if so". Both libraries do, for senders as well.


class _X25519PrivateKey(DhPrivateKey):
    __slots__ = ("_curve", "_private")

    def __init__(self, curve: _MontgomeryCurve, private: bytes) -> None:
        self._curve = curve
        self._private = private

    @property
    def public(self) -> bytes:
        return crypto_scalarmult_base(self._private)

    def exchange(self, public: bytes) -> Secret:
        self._curve.check_length(public)
        try:
            return Secret(crypto_scalarmult(self._private, public))
        except SodiumError:
            raise BadPublicKey("a point of small order agrees no secret") from None


class _X448PrivateKey(DhPrivateKey):
    __slots__ = ("_curve", "_key")

    def __init__(self, curve: _MontgomeryCurve, private: bytes) -> None:
        self._curve = curve
        self._key = X448PrivateKey.from_private_bytes(private)

    @property
    def public(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    def exchange(self, public: bytes) -> Secret:
        self._curve.check_length(public)
        try:
            return Secret(self._key.exchange(X448PublicKey.from_public_bytes(public)))
        except ValueError:
            raise BadPublicKey("a point of small order agrees no secret") from None


_P25519: Final = 2**255 - 19
_P448: Final = 2**448 - 2**224 - 1

X25519 = _MontgomeryCurve(
    "X25519",
    length=32,
    bits=255,  # "implementations of X25519 [...] MUST mask the most significant bit" (RFC 7748 Section 5)
    small_order_u=frozenset(
        {
            0,
            1,
            _P25519 - 1,
            _P25519,  # 0 and 1 once more: u is taken modulo p
            _P25519 + 1,
            325606250916557431795983626356110631294008115727848805560023387167927233504,
            39382357235489614581723060781553021112529911719440698176882885853963445705823,
        }
    ),
    set_up=_X25519PrivateKey,
)
X448 = _MontgomeryCurve(
    "X448",
    length=56,
    bits=448,
    small_order_u=frozenset({0, 1, _P448 - 1, _P448, _P448 + 1}),
    set_up=_X448PrivateKey,
)


# --- the NIST curves ---


class _NistGroup(DhGroup):
    def __init__(self, curve: NistCurve) -> None:
        self.name = curve.name
        self.Npk = curve.Npk
        self.Nsk = curve.Nsk
        self._curve = curve

    def private_key(self, private: bytes) -> DhPrivateKey:
        return _NistPrivateKey(self._curve, self._curve.private_key(private))

    def derive_private_key(self, expand: Expand) -> Secret:
        return self._curve.first_private_key(
            expand(b"candidate", bytes([counter]), self.Nsk) for counter in range(CANDIDATES)
        )

    def check_public_key(self, public: bytes) -> None:
        self._curve.public_key(public)


class _NistPrivateKey(DhPrivateKey):
    __slots__ = ("_curve", "_key")

    def __init__(self, curve: NistCurve, key: EllipticCurvePrivateKey) -> None:
        self._curve = curve
        self._key = key

    @property
    def public(self) -> bytes:
        return encode_point(self._key.public_key())

    def exchange(self, public: bytes) -> Secret:
        """The x-coordinate. The shared point is never the one at infinity: the order is prime, the key is below it."""
        return Secret(self._key.exchange(ECDH(), self._curve.public_key(public)))


ECDH_P256 = _NistGroup(P_256)
ECDH_P384 = _NistGroup(P_384)
ECDH_P521 = _NistGroup(P_521)
