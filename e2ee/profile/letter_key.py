"""LetterKey: a letter's key, sealed to one KeyPackage (LETTER-1). The service reads where it goes, and no more."""

from __future__ import annotations

from e2ee.mls.labels import HPKECiphertext
from e2ee.tls_syntax import Opaque, Struct, struct

__all__ = ["MAX_LETTER_KEY", "LetterKey"]

MAX_LETTER_KEY = 1 << 11
"""Longest encoding, in bytes: a hybrid KEM output has 1,120."""


@struct
class LetterKey(Struct):
    """``key_package_ref`` is RFC 9420 Section 5.2's; ``key`` is for the holder of that KeyPackage's ``init_key``."""

    key_package_ref: Opaque
    key: HPKECiphertext
