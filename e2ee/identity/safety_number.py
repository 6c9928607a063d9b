"""Safety number: what two people compare once, as 60 digits (IDENT-12) or by a QR code (VERIFY-1, VERIFY-2).

The rounds make it dear to search for a key whose half looks like another's: each try costs 5,200 hashes, and of
30 digits there are almost 2^100. The QR code carries whole hashes, so there nothing is left to search for. Nothing
here is secret.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from e2ee.crypto.kdf import HKDF_SHA512
from e2ee.errors import DecodeError, DecodeReason
from e2ee.identity.text_form import from_text, to_text
from e2ee.tls_syntax import Opaque, Struct, Uint8, fixed, struct

__all__ = [
    "ROUNDS",
    "Compared",
    "SafetyCode",
    "account_digits",
    "compare_safety_code",
    "safety_code",
    "safety_hash",
    "safety_number",
]

ROUNDS = 5200

PREFIX = "e2ee-safety:"

_METHOD_VERSION = 1

Account = tuple[str, bytes]
"""(account_id, account_key)."""


def safety_hash(account_id: str, account_key: bytes) -> bytes:
    """``H[5200]`` of the chapter, 64 bytes. Takes some milliseconds."""
    method = _METHOD_VERSION.to_bytes(2, "big")
    digest = HKDF_SHA512.hash(method + account_key + account_id.encode())
    for _ in range(ROUNDS):
        digest = HKDF_SHA512.hash(digest + account_key)
    return digest


def account_digits(account_id: str, account_key: bytes) -> str:
    """An account's half of every safety number that it is in, 30 digits."""
    digest = safety_hash(account_id, account_key)
    groups = (int.from_bytes(digest[i : i + 5], "big") % 10**5 for i in range(0, 30, 5))
    return "".join(f"{group:05}" for group in groups)


def safety_number(one: Account, other: Account) -> str:
    """60 digits of two accounts; the same in either order."""
    # IDENT-12: "the two halves, the lexicographically smaller first"
    return "".join(sorted((account_digits(*one), account_digits(*other))))


# The same as a QR code


@struct
class _Side(Struct):
    """``hash`` is H[5200] (IDENT-12)."""

    account_id: Opaque
    hash: Annotated[bytes, fixed(64)]

    @classmethod
    def of(cls, account: Account) -> _Side:
        return cls(account[0].encode(), safety_hash(*account))


@struct
class SafetyCode(Struct):
    """VERIFY-1: what a QR code carries: who shows it, and whom it is shown to."""

    version: Uint8
    own: _Side
    contact: _Side


class Compared(StrEnum):
    """What a scanned code says, from the side of the device that scanned it (VERIFY-2)."""

    SAME = "same"
    """Both have the same key for each of the two accounts."""
    CONTACT_DIFFERS = "contact-differs"
    """The contact's own key is another than this device has for the contact."""
    OWN_DIFFERS = "own-differs"
    """The contact has another key for this account than this account has."""
    BOTH_DIFFER = "both-differ"
    OTHER_ACCOUNTS = "other-accounts"
    """The code is not of this contact, or not for this account: it says nothing about either."""


_COMPARED = {
    (True, True): Compared.SAME,
    (False, True): Compared.CONTACT_DIFFERS,
    (True, False): Compared.OWN_DIFFERS,
    (False, False): Compared.BOTH_DIFFER,
}
"""(the contact's hash agrees, this account's hash agrees)."""


def safety_code(own: Account, contact: Account) -> str:
    """What a device shows to be scanned by ``contact``'s."""
    return to_text(PREFIX, SafetyCode(_METHOD_VERSION, _Side.of(own), _Side.of(contact)).encode())


def compare_safety_code(text: str, own: Account, contact: Account) -> Compared:
    """What the code that ``contact``'s device shows says. Raises DecodeError if ``text`` is no such code."""
    code = SafetyCode.decode(from_text(PREFIX, text))
    if code.version != _METHOD_VERSION:
        raise DecodeError(DecodeReason.UNKNOWN_VALUE, f"version {code.version}")
    theirs, ours = _Side.of(contact), _Side.of(own)
    # VERIFY-2: "compare crosswise": their own side with what this device knows of them, and the other way round
    if (code.own.account_id, code.contact.account_id) != (theirs.account_id, ours.account_id):
        return Compared.OTHER_ACCOUNTS
    return _COMPARED[code.own == theirs, code.contact == ours]
