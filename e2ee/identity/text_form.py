"""Text forms: bytes as a QR code shows them and a person can paste them (IDENT-20, VERIFY-1).

    prefix || base64url of the bytes, without padding (RFC 4648 Section 5)

Each text has one spelling: what does not come out again as it was read is refused, so a slip in the last character is
seen as any other.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode

from e2ee.errors import DecodeError, DecodeReason

__all__ = ["from_text", "to_text"]


def to_text(prefix: str, data: bytes) -> str:
    """``data`` as text that begins with ``prefix``."""
    return prefix + urlsafe_b64encode(data).rstrip(b"=").decode()


def from_text(prefix: str, text: str) -> bytes:
    """The bytes of ``text``. Raises DecodeError: UNKNOWN_VALUE (another prefix), NOT_CANONICAL."""
    if not text.startswith(prefix):
        raise DecodeError(DecodeReason.UNKNOWN_VALUE, f"does not begin with {prefix}")
    encoded = text.removeprefix(prefix)
    try:
        data = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except (ValueError, binascii.Error):
        data = b""
    if to_text(prefix, data) != text:
        raise DecodeError(DecodeReason.NOT_CANONICAL, "not base64url without padding")
    return data
