"""What SFrame refuses, and who erred.

    E2EEError
      LocalProtocolError
        OutOfRange                OUT_OF_RANGE: a number that its field cannot hold
        CounterExhausted          COUNTER_EXHAUSTED: the key has encrypted as many frames as it may
        KeyExists                 KEY_EXISTS: a second key for a KID that has one
      RemoteProtocolError
        UnsupportedCipherSuite    UNSUPPORTED_CIPHER_SUITE: a code point that the registry does not have
        DecodeError
          HeaderError             TRUNCATED, NON_MINIMAL_KID, NON_MINIMAL_CTR: bytes that are no SFrame header
          KeyIdError              UNUSED_BITS, LIVE, UNKNOWN_KIND: a KID that names no stream of a call

A ciphertext that does not authenticate raises ``e2ee.crypto.errors.OpenError``.
"""

from __future__ import annotations

from e2ee.errors import DecodeError, LocalProtocolError, Reason, RemoteProtocolError

__all__ = [
    "CounterExhausted",
    "HeaderError",
    "KeyExists",
    "KeyIdError",
    "OutOfRange",
    "SFrameReason",
    "UnsupportedCipherSuite",
]


class SFrameReason(Reason):
    """Which rule of SFrame was broken."""

    OUT_OF_RANGE = "OUT_OF_RANGE"
    COUNTER_EXHAUSTED = "COUNTER_EXHAUSTED"
    KEY_EXISTS = "KEY_EXISTS"
    UNSUPPORTED_CIPHER_SUITE = "UNSUPPORTED_CIPHER_SUITE"
    TRUNCATED = "TRUNCATED"
    NON_MINIMAL_KID = "NON_MINIMAL_KID"
    NON_MINIMAL_CTR = "NON_MINIMAL_CTR"
    UNUSED_BITS = "UNUSED_BITS"
    LIVE = "LIVE"
    UNKNOWN_KIND = "UNKNOWN_KIND"


class OutOfRange(LocalProtocolError):
    """A number that its field cannot hold."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(SFrameReason.OUT_OF_RANGE, detail)


class CounterExhausted(LocalProtocolError):
    """The key has encrypted as many frames as it may; nothing was encrypted."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(SFrameReason.COUNTER_EXHAUSTED, detail)


class KeyExists(LocalProtocolError):
    """A second key for a KID that has one. The first one stays."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(SFrameReason.KEY_EXISTS, detail)


class UnsupportedCipherSuite(RemoteProtocolError):
    """A cipher suite's code point is not in the table."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(SFrameReason.UNSUPPORTED_CIPHER_SUITE, detail)


class HeaderError(DecodeError):
    """Bytes that are not the one encoding of a KID and a CTR."""


class KeyIdError(DecodeError):
    """A KID that is not composed as the MLS scheme composes them."""
