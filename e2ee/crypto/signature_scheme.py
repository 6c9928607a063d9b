"""What MLS asks of a signature scheme (RFC 9420 Section 5.1); the schemes themselves are the rows of ``signature``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from e2ee.crypto.entropy import Entropy
from e2ee.crypto.secret import Secret

__all__ = ["SignatureScheme", "SigningKey"]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A signature key pair; others verify with ``public``."""

    private: Secret
    public: bytes


class SignatureScheme(ABC):
    """Keys and signatures are bytes in the form that goes on the wire."""

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
