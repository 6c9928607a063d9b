"""Who has the shared secret: both sides prove it, each by its answer to the other's random bytes."""

from __future__ import annotations

from e2ee.crypto.kdf import HKDF_SHA256
from e2ee.crypto.secret import Secret
from e2ee.server.errors import ConfigurationReason, ServerConfigurationError

__all__ = ["NONCE", "PROOF", "require_strong", "service_proof", "unit_proof"]

NONCE = 32
"""Bytes that are random."""

PROOF = 32
"""Bytes that answer them."""

MIN_SECRET = 16
"""Shortest shared secret, in bytes."""

_LABEL = b"e2ee forwarding unit 1, "


def service_proof(secret: Secret, unit_nonce: bytes, service_nonce: bytes) -> bytes:
    """What the service shows; compared with ``equal``."""
    return HKDF_SHA256.hmac(secret, _LABEL + b"service" + unit_nonce + service_nonce)


def unit_proof(secret: Secret, unit_nonce: bytes, service_nonce: bytes) -> bytes:
    """What the unit shows."""
    return HKDF_SHA256.hmac(secret, _LABEL + b"unit" + unit_nonce + service_nonce)


def require_strong(secret: Secret) -> Secret:
    """The secret. Raises ServerConfigurationError if it is short enough to be guessed."""
    if len(secret) < MIN_SECRET:
        raise ServerConfigurationError(
            ConfigurationReason.BAD_FORWARDING_UNIT,
            f"the secret shared with the forwarding unit has fewer than {MIN_SECRET} bytes",
        )
    return secret
