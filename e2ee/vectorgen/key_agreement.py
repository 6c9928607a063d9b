"""Vectors of the chapter Key agreement: suites, and which signatures count.

The chapter's other groups are made in ``kems``, ``key_packages``, ``call_profiles``, ``joins``,
``legal_commits`` and ``call_epochs``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.vectorgen import call_epochs, call_profiles, joins, kems, key_packages, legal_commits
from e2ee.vectorgen import edwards25519 as curve
from e2ee.vectorgen.models import MLS_KDF
from e2ee.vectorgen.registry import Case, Chapter, Group

__all__ = ["CHAPTER"]

pairs = Group("suite", "MLS suite -> the SFrame suite that goes with it.")
choices = Group(
    "choice",
    "The MLS suite that a caller takes: `own` are the suites that it has, `certificates` those that each added device's"
    " certificate lists.",
)
signatures = Group("signature", "Is this signature of `message` by `public_key` valid?")


class Refusal(StrEnum):
    """Why something is refused."""

    UNPAIRED_SUITE = "UNPAIRED_SUITE"
    NO_COMMON_SUITE = "NO_COMMON_SUITE"
    BAD_SIGNATURE = "BAD_SIGNATURE"


@pairs.vector("KEYS-1", each={f"0x{suite:04x}": suite for suite in MLS_KDF})
def suite_of_calls(case: Case, mls_suite: int) -> None:
    """A row of the table."""
    case.input["mls_suite"] = mls_suite
    case.output["sframe_suite"] = MLS_KDF[mls_suite][1]


@pairs.vector(
    "KEYS-1",
    reason=Refusal.UNPAIRED_SUITE,
    each={f"0x{suite:04x}": suite for suite in (0x0000, 0x0002, 0x0003, 0x0007, 0xF0E1, 0xFFFF)},
)
def suite_of_others(case: Case, mls_suite: int) -> None:
    """Registered or not: no row of the table, and so not for calls."""
    case.input["mls_suite"] = mls_suite


BOTH = (0x0001, 0xF0E2)


@choices.vector(
    "KEYS-2",
    each={
        "all-have-both": (BOTH, (BOTH, BOTH), 0xF0E2),
        "listed-in-another-order": (BOTH, ((0xF0E2, 0x0001),), 0xF0E2),
        "one-device-lacks-the-hybrid": (BOTH, (BOTH, (0x0001,)), 0x0001),
        "caller-lacks-the-hybrid": ((0x0001,), (BOTH,), 0x0001),
        "unknown-suites-count-for-nothing": (BOTH, ((0xFFFF, 0x0001),), 0x0001),
    },
)
def highest_of(case: Case, choice: tuple[Any, Any, int]) -> None:
    """The highest that everybody has."""
    case.input["own"], case.input["certificates"], case.output["mls_suite"] = choice


@choices.vector("KEYS-2", reason=Refusal.NO_COMMON_SUITE)
def nothing_in_common(case: Case) -> None:
    """There is no call rather than one with a suite that somebody lacks."""
    case.input |= {"own": BOTH, "certificates": ((0xF0E2,), (0x0001,))}


def judged(case: Case, public_key: bytes, r: bytes, s: int, message: bytes) -> None:
    """The signature that the case is about."""
    case.input |= {
        "public_key": public_key,
        "message": message,
        "signature": r + s.to_bytes(32, "little"),
    }
    case.intermediate |= {"k": curve.challenge(r, public_key, message).to_bytes(32, "little")}


def signed(case: Case, message: bytes) -> tuple[SigningKey, bytes, int]:
    """An honest signature: key, R, S."""
    key = ED25519.generate(case.entropy)
    signature = ED25519.sign(key.private, message)
    return key, signature[:32], int.from_bytes(signature[32:], "little")


@signatures.vector("KEYS-4", each={"nothing": 0, "one-byte": 1, "1023-bytes": 1_023})
def signature_of(case: Case, length: int) -> None:
    """An honest one."""
    message = case.entropy.random(length)
    key, r, s = signed(case, message)
    judged(case, key.public, r, s, message)


@signatures.vector("KEYS-4", reason=Refusal.BAD_SIGNATURE)
def signature_of_another_message(case: Case) -> None:
    """The message was changed."""
    key, r, s = signed(case, b"yes")
    judged(case, key.public, r, s, b"no")


@signatures.vector("KEYS-4", reason=Refusal.BAD_SIGNATURE)
def s_above_the_order(case: Case) -> None:
    """S + L satisfies the same equation: accepted, every signature would have a second form."""
    key, r, s = signed(case, b"message")
    judged(case, key.public, r, s + curve.L, b"message")


def scalar(case: Case) -> int:
    """A number below L."""
    return int.from_bytes(case.entropy.random(64), "little") % curve.L


SMALL_ORDER_KEYS = {
    "1": (curve.encode(curve.IDENTITY), 1),
    "1-not-canonical": ((curve.P + 1).to_bytes(32, "little"), 1),
    "1-with-the-sign-bit": (b"\x01" + bytes(30) + b"\x80", 1),
    "2": (curve.encode(curve.ORDER_2), 2),
    "4": (bytes(32), 4),
    "8": (curve.encode(curve.order_8()), 8),
}


@signatures.vector("KEYS-4", reason=Refusal.BAD_SIGNATURE, each=SMALL_ORDER_KEYS)
def public_key_of_order(case: Case, key: tuple[bytes, int]) -> None:
    """k * A vanishes, so S * B = R holds with R = r * B and S = r: anybody signs for this key."""
    public_key, order = key
    s = scalar(case)
    r = curve.encode(curve.multiply(s, curve.BASE))
    messages = (b"message %d" % number for number in range(1_000))
    message = next(m for m in messages if curve.challenge(r, public_key, m) % order == 0)
    judged(case, public_key, r, s, message)


@signatures.vector(
    "KEYS-4",
    reason=Refusal.BAD_SIGNATURE,
    each={
        "canonical": curve.encode(curve.IDENTITY),
        "not-canonical": (curve.P + 1).to_bytes(32, "little"),
    },
)
def r_of_order_1(case: Case, r: bytes) -> None:
    """R is the identity and S = k * a: the equation holds, and the signer has shown its private key to everybody."""
    a = scalar(case)
    public_key = curve.encode(curve.multiply(a, curve.BASE))
    s = curve.challenge(r, public_key, b"message") * a % curve.L
    judged(case, public_key, r, s, b"message")


@signatures.vector("KEYS-4", reason=Refusal.BAD_SIGNATURE)
def r_with_a_part_of_small_order(case: Case) -> None:
    """Only the equation multiplied by the cofactor 8 holds: a verifier that uses that one would accept."""
    a, r_scalar = scalar(case), scalar(case)
    public_key = curve.encode(curve.multiply(a, curve.BASE))
    r = curve.encode(curve.add(curve.multiply(r_scalar, curve.BASE), curve.order_8()))
    s = (r_scalar + curve.challenge(r, public_key, b"message") * a) % curve.L
    judged(case, public_key, r, s, b"message")


@signatures.vector("KEYS-4", reason=Refusal.BAD_SIGNATURE)
def public_key_with_a_part_of_small_order(case: Case) -> None:
    """The same on the side of A, with a k that is odd."""
    a, r_scalar = scalar(case), scalar(case)
    public_key = curve.encode(curve.add(curve.multiply(a, curve.BASE), curve.order_8()))
    r = curve.encode(curve.multiply(r_scalar, curve.BASE))
    messages = (b"message %d" % number for number in range(1_000))
    message = next(m for m in messages if curve.challenge(r, public_key, m) % 2)
    s = (r_scalar + curve.challenge(r, public_key, message) * a) % curve.L
    judged(case, public_key, r, s, message)


CHAPTER = Chapter(
    "key-agreement",
    "L2",
    "Suites of calls and their KEMs, the profile of a call, who may commit what, and the strict form of Ed25519.",
    (
        *(pairs, choices, *kems.GROUPS, key_packages.GROUP),
        *(call_profiles.GROUP, signatures, *joins.GROUPS, legal_commits.GROUP, *call_epochs.GROUPS),
    ),
)
