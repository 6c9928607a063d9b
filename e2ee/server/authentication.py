"""Whose account it is: an application's own users as the accounts (DS-8).

``Authenticate`` is what an application gives: a token in, the user's id or None out, at once or awaited. ``JwtKeys`` is
one for who issues JSON Web Tokens (RFC 7519): the token's ``sub`` is the account id.

A JWT says itself how it wants to be verified, which is how verifiers were fooled (RFC 8725). Here the key decides: only
Ed25519, P-256 and RSA public keys are taken, each verifies with its one algorithm, and a token must have been issued by
this issuer for this audience and expire. Keys are handed in and never fetched: what fetches can be made to fetch from
elsewhere, and a token names no place that is looked at.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import jwt

from e2ee.server.errors import ConfigurationReason, ServerConfigurationError

__all__ = ["Authenticate", "JwtKeys", "authenticated"]

Authenticate = Callable[[str], "str | Awaitable[str | None] | None"]
"""The user, whose id is the account id, for whom this token was issued; None if for nobody."""

ALGORITHMS = frozenset({"EdDSA", "ES256", "RS256"})
"""All asymmetric: who verifies cannot issue."""

CURVES = frozenset({"Ed25519", "P-256", None})
"""None: RSA has none."""

MIN_RSA_BITS = 2048

LEEWAY = 30
"""Seconds by which the issuer's clock may differ."""


async def authenticated(authenticate: Authenticate, token: str) -> str | None:
    """The user whom ``authenticate`` finds; nobody asks it about no token."""
    if not token:
        return None
    user = authenticate(token)
    return user if user is None or isinstance(user, str) else await user


class JwtKeys:
    """Public keys of a JWK set (RFC 7517), as an ``Authenticate``."""

    def __init__(self, key_set: Mapping[str, Any], *, issuer: str, audience: str) -> None:
        """Raises ServerConfigurationError if a key is not one to verify with, or there is none."""
        keys = key_set.get("keys")
        if not isinstance(keys, list) or not keys:
            raise _bad_key_set("it holds no keys")
        if not issuer or not audience:
            raise _bad_key_set("issuer and audience must be named: without them any token counts")
        self._keys = [_verification_key(key) for key in keys]
        self._issuer = issuer
        self._audience = audience

    @classmethod
    def load(cls, path: Path, *, issuer: str, audience: str) -> JwtKeys:
        """The JWK set in a file. Raises ServerConfigurationError, OSError."""
        try:
            key_set = json.loads(path.read_bytes())
        except ValueError:
            raise _bad_key_set("the file is not JSON") from None
        if not isinstance(key_set, dict):
            raise _bad_key_set("the file is no JSON object")
        return cls(key_set, issuer=issuer, audience=audience)

    def __call__(self, token: str) -> str | None:
        """The ``sub`` of a token that counts."""
        try:
            key = self._key(jwt.get_unverified_header(token).get("kid"))
            claims = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, LookupError):
            return None
        subject: str = claims["sub"]
        return subject

    def _key(self, key_id: object) -> jwt.PyJWK:
        """The key that the token names; without a name the only one there is. Raises LookupError."""
        named = [key for key in self._keys if key_id in (key.key_id, None)]
        if len(named) != 1:
            raise LookupError
        return named[0]


def _verification_key(key: object) -> jwt.PyJWK:
    if not isinstance(key, dict):
        raise _bad_key_set("a key is no JSON object")
    if "d" in key:
        raise _bad_key_set("a key is a private one: this server only verifies")
    try:
        made = jwt.PyJWK(key)
    except (jwt.PyJWTError, NotImplementedError):  # the latter for an "alg" of "none"
        raise _bad_key_set(f"a key of kty {key.get('kty')!r} cannot be used") from None
    if made.algorithm_name not in ALGORITHMS:
        raise _bad_key_set(f"a key is for {made.algorithm_name}, none of {sorted(ALGORITHMS)}")
    if key.get("crv") not in CURVES:  # PyJWT takes any curve where "alg" says ES256
        raise _bad_key_set(f"a key of the curve {key['crv']!r} cannot be used")
    if getattr(made.key, "key_size", MIN_RSA_BITS) < MIN_RSA_BITS and key["kty"] == "RSA":
        raise _bad_key_set(f"an RSA key has {made.key.key_size} bits, fewer than {MIN_RSA_BITS}")
    return made


def _bad_key_set(detail: str) -> ServerConfigurationError:
    return ServerConfigurationError(ConfigurationReason.BAD_KEY_SET, f"JWK set: {detail}")
