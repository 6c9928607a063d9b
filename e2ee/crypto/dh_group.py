"""Diffie-Hellman groups, as RFC 9180 Section 4.1 asks for them: bytes in, bytes out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

from nacl.bindings import crypto_scalarmult, crypto_scalarmult_base
from nacl.exceptions import RuntimeError as SodiumError

from e2ee.crypto.errors import BadLength, BadPublicKey
from e2ee.crypto.secret import Secret

__all__ = ["X25519", "DhGroup"]

_P: Final = 2**255 - 19
_SMALL_ORDER_U: Final = frozenset(
    {
        0,
        1,
        _P - 1,
        _P,  # 0 and 1 once more: X25519 takes u modulo p
        _P + 1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
    }
)
"""The 255-bit encodings of the points of small order, on Curve25519 and on its twist."""


class DhGroup(ABC):
    """A group; ``Npk`` and ``Nsk`` are the lengths of its public and private keys in bytes."""

    name: str
    Npk: int
    Nsk: int

    @abstractmethod
    def public_key(self, private: bytes) -> bytes:
        """The public key of ``private``."""

    @abstractmethod
    def exchange(self, private: bytes, public: bytes) -> Secret:
        """DH(skX, pkY); ``BadPublicKey`` if ``public`` agrees no secret."""

    @abstractmethod
    def check_public_key(self, public: bytes) -> None:
        """``BadPublicKey`` exactly if ``exchange`` refuses ``public``, at less cost."""


class _X25519(DhGroup):
    """X25519 (RFC 7748), by libsodium."""

    name = "X25519"
    Npk = 32
    Nsk = 32

    def public_key(self, private: bytes) -> bytes:
        self._check_private_key(private)
        return crypto_scalarmult_base(private)

    def exchange(self, private: bytes, public: bytes) -> Secret:
        self._check_private_key(private)
        self._check_length(public)
        try:
            return Secret(crypto_scalarmult(private, public))
        except SodiumError:
            # RFC 9180 Section 7.1.4: "recipients MUST check whether the Diffie-Hellman shared secret is the
            # all-zero value and abort if so". libsodium does, for senders as well.
            raise BadPublicKey("a point of small order agrees no secret") from None

    def check_public_key(self, public: bytes) -> None:
        self._check_length(public)
        u = int.from_bytes(public, "little") & (2**255 - 1)  # X25519 ignores the top bit
        if u in _SMALL_ORDER_U:
            raise BadPublicKey("a point of small order agrees no secret")

    def _check_length(self, public: bytes) -> None:
        if len(public) != self.Npk:
            raise BadPublicKey(
                f"a public key of {self.name} has {self.Npk} bytes, not {len(public)}"
            )

    def _check_private_key(self, private: bytes) -> None:
        if len(private) != self.Nsk:
            raise BadLength(
                f"a private key of {self.name} has {self.Nsk} bytes, not {len(private)}"
            )


X25519 = _X25519()
