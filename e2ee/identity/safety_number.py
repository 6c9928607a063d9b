"""Safety number: 60 digits that two people compare once (IDENT-12).

The rounds make it dear to search for a key whose half looks like another's: each try costs 5,200 hashes, and of
30 digits there are almost 2^100.
"""

from __future__ import annotations

from e2ee.crypto.kdf import HKDF_SHA512

__all__ = ["ROUNDS", "safety_number"]

ROUNDS = 5200

_METHOD_VERSION = (1).to_bytes(2, "big")


def safety_number(one: tuple[str, bytes], other: tuple[str, bytes]) -> str:
    """60 digits of two accounts, each (account_id, account_key); the same in either order.

    Takes some milliseconds.
    """
    # IDENT-12: "the two halves, the lexicographically smaller first"
    return "".join(sorted((_half(*one), _half(*other))))


def _half(account_id: str, account_key: bytes) -> str:
    digest = HKDF_SHA512.hash(_METHOD_VERSION + account_key + account_id.encode())
    for _ in range(ROUNDS):
        digest = HKDF_SHA512.hash(digest + account_key)
    groups = (int.from_bytes(digest[i : i + 5], "big") % 10**5 for i in range(0, 30, 5))
    return "".join(f"{group:05}" for group in groups)
