"""Credentials for TURN servers, each for a limited time and for nobody in particular.

The scheme is that of coturn's ``use-auth-secret`` (draft-uberti-behave-turn-rest): who holds the shared secret makes a
username with its expiry in it and a password that is the username's HMAC, and the TURN server checks both with no
database. The username's other half is random: a TURN server, or who listens before it, learns no account's name, and
cannot tell that two calls are of one device.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from e2ee.crypto.entropy import Entropy
from e2ee.crypto.hmac_sha1 import hmac_sha1
from e2ee.crypto.secret import Secret
from e2ee.server.errors import ConfigurationReason, ServerConfigurationError
from e2ee.signalling.messages import Relays

__all__ = ["CREDENTIAL_LIFETIME", "TurnServers"]

CREDENTIAL_LIFETIME = 3600
"""Seconds in which a credential opens new allocations. One that is open is refreshed with it, and ends with it."""

MIN_SECRET = 16
"""Shortest shared secret, in bytes."""


@dataclass(frozen=True, slots=True)
class TurnServers:
    """TURN servers that share one secret. ``urls`` are of RFC 7065 (``turn:turn.example:3478?transport=udp``).

    Raises ServerConfigurationError for a URL of another scheme, and for a secret below 16 bytes.
    """

    urls: tuple[str, ...]
    secret: Secret
    lifetime: int = CREDENTIAL_LIFETIME

    def __post_init__(self) -> None:
        if not self.urls:
            raise _bad("a secret is shared with TURN servers, but none is named")
        for url in self.urls:
            if not url.startswith(("turn:", "turns:")):
                raise _bad(f"{url!r} is no TURN server: it begins with turn: or turns:")
        if len(self.secret) < MIN_SECRET:
            raise _bad(f"the secret shared with TURN servers has fewer than {MIN_SECRET} bytes")

    def credentials(self, now: int, entropy: Entropy) -> Relays:
        """The answer to ``ask_relays``. ``now`` is Unix milliseconds."""
        until = now // 1000 + self.lifetime
        username = f"{until}:{entropy.random(8).hex()}"
        credential = base64.b64encode(hmac_sha1(self.secret, username.encode())).decode()
        return Relays(self.urls, username, credential, until)


def _bad(detail: str) -> ServerConfigurationError:
    return ServerConfigurationError(ConfigurationReason.BAD_TURN_SERVERS, detail)
