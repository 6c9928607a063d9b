"""What people read to each other in a call: the call code (CALL-14) and the spoken code (VERIFY-3 to VERIFY-5).

Two people who read the same sixty digits of the call code to each other are in the same MLS group, in the same epoch; it says
nothing about who the other is. The spoken code is short enough to be said aloud in a breath, and so it must be made such that
nobody can search for one: ``spoken_code`` runs the exchange, here are its formulas. The safety number is identity's
(``e2ee.identity.safety_number``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from e2ee.call.code_emoji import EMOJI, Emoji
from e2ee.crypto.kdf import HKDF_SHA256
from e2ee.crypto.secret import Secret
from e2ee.identity.labels import label

__all__ = ["Code", "call_code", "code_commitment", "export_sas_key", "spoken_code"]

_GROUPS, _BYTES, _DIGITS = 12, 5, 5

_SPOKEN_EMOJI, _EMOJI_BITS, _CODE_BITS = 7, 6, 64


def call_code(epoch_authenticator: Secret) -> str:
    """CALL-14: sixty decimal digits from an epoch's ``epoch_authenticator`` (RFC 9420 Section 8.7)."""
    expanded = HKDF_SHA256.expand(epoch_authenticator, label("Call code"), _GROUPS * _BYTES)
    starts = range(0, len(expanded), _BYTES)
    numbers = (int.from_bytes(expanded[start : start + _BYTES], "big") for start in starts)
    return "".join(f"{number % 10**_DIGITS:0{_DIGITS}}" for number in numbers)


@dataclass(frozen=True, slots=True)
class Code:
    """A spoken code: seven emoji, or the same as six digits for who cannot see them. Not printed."""

    emoji: tuple[Emoji, ...] = field(repr=False)
    digits: str = field(repr=False)


def export_sas_key(export: Callable[[str, bytes, int], Secret]) -> Secret:
    """``sas_key`` of an epoch, 32 bytes, by its MLS-Exporter (label, context, length)."""
    return export(label("SAS").decode(), b"", 32)


def code_commitment(
    call_id: bytes, epoch_authenticator: Secret, leaf: int, attempt: int, random: bytes
) -> bytes:
    """VERIFY-3: what a member sends of its 32 random bytes before anybody shows theirs; 32 bytes."""
    epoch = label("SAS commit") + call_id + epoch_authenticator
    return HKDF_SHA256.hash(epoch + leaf.to_bytes(4, "big") + attempt.to_bytes(1, "big") + random)


def spoken_code(sas_key: Secret, attempt: int, revealed: Mapping[int, bytes]) -> Code:
    """VERIFY-5: the code of an attempt; ``revealed`` are the random bytes of every leaf."""
    said = b"".join(leaf.to_bytes(4, "big") + revealed[leaf] for leaf in sorted(revealed))
    context = HKDF_SHA256.hash(attempt.to_bytes(1, "big") + said)
    x = HKDF_SHA256.expand(sas_key, label("SAS code") + context, _CODE_BITS // 8)
    number = int.from_bytes(x, "big")
    shifts = (_CODE_BITS - _EMOJI_BITS * place for place in range(1, _SPOKEN_EMOJI + 1))
    emoji = tuple(EMOJI[number >> shift & (1 << _EMOJI_BITS) - 1] for shift in shifts)
    return Code(emoji, f"{number % 10**6:06}")
