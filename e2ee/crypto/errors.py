"""What the primitives refuse, and who erred.

    E2EEError
      LocalProtocolError
        BadLength                 BAD_LENGTH: you handed in a key, nonce or length that the algorithm does not have
        BadPrivateKey             BAD_PRIVATE_KEY: your private key is of the right length and still none of its curve
        NoEncapsulation           NO_ENCAPSULATION: a seeded entropy was asked for ML-KEM without being given one
      RemoteProtocolError
        OpenError                 NOT_AUTHENTIC: a ciphertext that its key, nonce and associated data did not make
        BadSignature              BAD_SIGNATURE: a signature that is not valid, or not in its one canonical form
        BadPublicKey              BAD_PUBLIC_KEY: bytes that are no public key, or one that agrees no secret
        BadEncapsulation          BAD_ENCAPSULATION: a KEM output of the wrong length, or that agrees no secret
        UnsupportedCipherSuite    UNSUPPORTED_CIPHER_SUITE: a code point that is not in the table

No text of these errors holds a key, a plaintext or anything derived from one.
"""

from __future__ import annotations

from e2ee.errors import LocalProtocolError, Reason, RemoteProtocolError

__all__ = [
    "BadEncapsulation",
    "BadLength",
    "BadPrivateKey",
    "BadPublicKey",
    "BadSignature",
    "CryptoReason",
    "NoEncapsulation",
    "OpenError",
    "UnsupportedCipherSuite",
]


class CryptoReason(Reason):
    """Which rule of the primitives was broken."""

    NOT_AUTHENTIC = "NOT_AUTHENTIC"
    BAD_SIGNATURE = "BAD_SIGNATURE"
    BAD_PUBLIC_KEY = "BAD_PUBLIC_KEY"
    BAD_ENCAPSULATION = "BAD_ENCAPSULATION"
    UNSUPPORTED_CIPHER_SUITE = "UNSUPPORTED_CIPHER_SUITE"
    BAD_LENGTH = "BAD_LENGTH"
    BAD_PRIVATE_KEY = "BAD_PRIVATE_KEY"
    NO_ENCAPSULATION = "NO_ENCAPSULATION"


class OpenError(RemoteProtocolError):
    """A ciphertext did not authenticate; nothing of it was released."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(CryptoReason.NOT_AUTHENTIC, detail)


class BadSignature(RemoteProtocolError):
    """A signature does not verify under the strict rules of its scheme."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(CryptoReason.BAD_SIGNATURE, detail)


class BadPublicKey(RemoteProtocolError):
    """Bytes are not a public key that can be used."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(CryptoReason.BAD_PUBLIC_KEY, detail)


class BadEncapsulation(RemoteProtocolError):
    """A KEM output cannot be decapsulated."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(CryptoReason.BAD_ENCAPSULATION, detail)


class UnsupportedCipherSuite(RemoteProtocolError):
    """A cipher suite's code point is not in the table."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(CryptoReason.UNSUPPORTED_CIPHER_SUITE, detail)


class BadLength(LocalProtocolError):
    """The caller's key, nonce or requested length does not fit the algorithm."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(CryptoReason.BAD_LENGTH, detail)


class BadPrivateKey(LocalProtocolError):
    """The caller's private key is not one that the algorithm has."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(CryptoReason.BAD_PRIVATE_KEY, detail)


class NoEncapsulation(LocalProtocolError):
    """A seeded entropy was asked for an encapsulation that it was not given."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(CryptoReason.NO_ENCAPSULATION, detail)
