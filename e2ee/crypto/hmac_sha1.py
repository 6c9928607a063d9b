"""HMAC-SHA1 (RFC 2104), for TURN's time-limited credentials alone: coturn and its kind know no other.

SHA-1's collisions do not touch HMAC. Nothing of the protocol uses it.
"""

from __future__ import annotations

import hmac

__all__ = ["hmac_sha1"]


def hmac_sha1(key: bytes, data: bytes) -> bytes:
    """The tag, 20 bytes."""
    return hmac.digest(key, data, "sha1")
