"""The call code: sixty digits that say "we are in one group now" (CALL-14).

Two people who read the same digits to each other are in the same MLS group, in the same epoch. The code says nothing about who
the other is: that is the safety number's part (``e2ee.identity.safety_number``).
"""

from __future__ import annotations

from e2ee.crypto.kdf import HKDF_SHA256
from e2ee.crypto.secret import Secret

__all__ = ["call_code"]

_LABEL = b"E2EE Call 1.0 Call code"
_GROUPS, _BYTES, _DIGITS = 12, 5, 5


def call_code(epoch_authenticator: Secret) -> str:
    """CALL-14: sixty decimal digits from an epoch's ``epoch_authenticator`` (RFC 9420 Section 8.7)."""
    expanded = HKDF_SHA256.expand(epoch_authenticator, _LABEL, _GROUPS * _BYTES)
    starts = range(0, len(expanded), _BYTES)
    numbers = (int.from_bytes(expanded[start : start + _BYTES], "big") for start in starts)
    return "".join(f"{number % 10**_DIGITS:0{_DIGITS}}" for number in numbers)
