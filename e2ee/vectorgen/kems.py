"""Vectors of the chapter Key agreement: key pairs, encapsulation and decapsulation of both suites, and HPKE with labels (KEYS-3, KEYS-26)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from e2ee.vectorgen import edwards25519 as curve
from e2ee.vectorgen.hpke_model import MLKEM_CIPHERTEXT, MLKEM_PUBLIC_KEY, SUITES
from e2ee.vectorgen.registry import Case, Group

__all__ = ["BOTH", "GROUPS", "HYBRID", "with_coefficient"]

derivation = Group(
    "derive-key-pair",
    "HPKE's DeriveKeyPair(ikm) in the KEM of mls_suite. Of the hybrid KEM the private key is the seed.",
)
public_keys = Group(
    "public-key",
    "May something be encapsulated to this public_key, in the KEM of mls_suite?",
)
encapsulation = Group(
    "encapsulation",
    "What the KEM of mls_suite encapsulates to public_key with this randomness. 0x0001: the ikm from which the ephemeral key pair"
    " is derived. 0xF0E2: 32 bytes for ML-KEM (m of FIPS 203), then the ephemeral X25519 private key, 32 bytes. (Who cannot"
    " choose the randomness of its library has nothing to show here.)",
)
decapsulation = Group(
    "decapsulation", "The shared secret that the holder of private_key finds in enc."
)
sealing = Group(
    "encrypt-with-label",
    "EncryptWithLabel (RFC 9420, Section 5.1.3) with the randomness of `encapsulation`; label without its prefix.",
)
opening = Group(
    "decrypt-with-label",
    "DecryptWithLabel (RFC 9420, Section 5.1.3) by the holder of private_key; label without its prefix.",
)

GROUPS = (derivation, public_keys, encapsulation, decapsulation, sealing, opening)

HYBRID = 0xF0E2
BOTH: Mapping[str, int] = {f"0x{suite:04x}": suite for suite in SUITES}


class Refusal(StrEnum):
    """Why it is refused."""

    BAD_PUBLIC_KEY = "BAD_PUBLIC_KEY"
    BAD_ENCAPSULATION = "BAD_ENCAPSULATION"
    NOT_AUTHENTIC = "NOT_AUTHENTIC"


def in_both(values: Mapping[str, Any]) -> dict[str, tuple[int, Any]]:
    """A case of each value in each suite."""
    return {
        f"{name}-{of}": (suite, value)
        for of, suite in BOTH.items()
        for name, value in values.items()
    }


def key_pair(case: Case, suite: int, name: bytes = b"recipient") -> dict[str, bytes]:
    """The recipient's."""
    ikm = case.entropy.fork(name).random(32)
    return SUITES[suite].kem.derive(ikm).output


def randomness(case: Case, suite: int) -> bytes:
    """As long as this suite needs."""
    return case.entropy.fork(b"sender").random(64 if suite == HYBRID else 32)


# --- derive-key-pair ---


@derivation.vector("KEYS-3", each=in_both({"32-bytes": 32, "48-bytes": 48, "no-bytes": 0}))
def key_pair_of(case: Case, how: tuple[int, int]) -> None:
    """MLS derives from secrets of Nh bytes: 32 in the one suite, 48 in the other."""
    suite, length = how
    case.input |= {"mls_suite": suite, "ikm": case.entropy.random(length)}
    made = SUITES[suite].kem.derive(case.input["ikm"])
    case.intermediate |= made.steps
    case.output |= made.output


# --- public-key ---


def asked(case: Case, suite: int, change: Callable[[bytes], bytes] = lambda key: key) -> None:
    """The case is about the recipient's public key, changed."""
    case.input |= {"mls_suite": suite, "public_key": change(key_pair(case, suite)["public_key"])}


@public_keys.vector("KEYS-26", each=BOTH)
def public_key_in(case: Case, suite: int) -> None:
    """One that was derived."""
    asked(case, suite)


def x25519_part(point: int) -> Callable[[bytes], bytes]:
    """Another X25519 public key, or encapsulated key, at the end."""
    return lambda key: key[:-32] + point.to_bytes(32, "little")


LARGE = {
    "the-top-bit": 9 + 2**255,
    "a-number-above-p": curve.P + 9,
}
"""Forms of u = 9 that RFC 7748 accepts."""


@public_keys.vector("KEYS-26", each=in_both(LARGE))
def public_key_with(case: Case, how: tuple[int, int]) -> None:
    """X25519 ignores the top bit and reduces what is not below p (RFC 7748, Section 5)."""
    suite, point = how
    asked(case, suite, x25519_part(point))


WRONG_LENGTHS: Mapping[str, Callable[[bytes], bytes]] = {
    "no-bytes": lambda _: b"",
    "a-byte-too-few": lambda key: key[:-1],
    "a-byte-too-many": lambda key: key + b"\0",
}


@public_keys.vector("KEYS-26", reason=Refusal.BAD_PUBLIC_KEY, each=in_both(WRONG_LENGTHS))
def public_key_of(case: Case, how: tuple[int, Callable[[bytes], bytes]]) -> None:
    """It has as many bytes as its KEM says."""
    asked(case, *how)


@public_keys.vector(
    "KEYS-26",
    reason=Refusal.BAD_PUBLIC_KEY,
    each={"ml-kem": slice(0, MLKEM_PUBLIC_KEY), "x25519": slice(MLKEM_PUBLIC_KEY, None)},
)
def public_key_of_only(case: Case, part: slice) -> None:
    """Half of a hybrid key."""
    asked(case, HYBRID, lambda key: key[part])


SMALL_ORDER = {
    "0": 0,
    "1": 1,
    "of-order-8": 325606250916557431795983626356110631294008115727848805560023387167927233504,
    "of-order-8-too": 39382357235489614581723060781553021112529911719440698176882885853963445705823,
    "p-1": curve.P - 1,
    "p": curve.P,
    "p+1": curve.P + 1,
    "0-with-the-top-bit": 2**255,
}
"""u of the points with which every private key agrees 32 zero bytes."""

SMALL_ORDER_IDS = {name.replace("+", "-plus-"): u for name, u in SMALL_ORDER.items()}


@public_keys.vector("KEYS-3", reason=Refusal.BAD_PUBLIC_KEY, each=in_both(SMALL_ORDER_IDS))
def public_key_of_small_order(case: Case, how: tuple[int, int]) -> None:
    """The X25519 secret would be 32 zero bytes, in the hybrid KEM beside an ML-KEM key that is right."""
    suite, point = how
    asked(case, suite, x25519_part(point))


def with_coefficient(index: int, value: int) -> Callable[[bytes], bytes]:
    """An ML-KEM public key with another coefficient: 12 bits each, the lowest first (FIPS 203, Algorithm 5)."""

    def change(key: bytes) -> bytes:
        at = index * 12
        packed = int.from_bytes(key[:1152], "little") & ~(0xFFF << at) | value << at
        return packed.to_bytes(1152, "little") + key[1152:]

    return change


@public_keys.vector(
    "KEYS-26",
    reason=Refusal.BAD_PUBLIC_KEY,
    each={
        "first-coefficient-3329": (0, 3329),
        "first-coefficient-4095": (0, 4095),
        "second-coefficient-3329": (1, 3329),
        "last-coefficient-3329": (767, 3329),
    },
)
def public_key_not_reduced_in_its(case: Case, where: tuple[int, int]) -> None:
    """FIPS 203, Section 7.2: what ByteEncode12(ByteDecode12(.)) changes is no encapsulation key."""
    asked(case, HYBRID, with_coefficient(*where))


@public_keys.vector("KEYS-26", each={"first": 0, "last": 767})
def public_key_with_the_largest(case: Case, index: int) -> None:
    """3328 is below q."""
    asked(case, HYBRID, with_coefficient(index, 3328))


# --- encapsulation ---


@encapsulation.vector("KEYS-3", each=BOTH)
def encapsulation_in(case: Case, suite: int) -> None:
    """One that the holder of the private key opens."""
    public_key = key_pair(case, suite)["public_key"]
    case.input |= {
        "mls_suite": suite,
        "public_key": public_key,
        "randomness": randomness(case, suite),
    }
    made = SUITES[suite].kem.encapsulate(public_key, case.input["randomness"])
    case.intermediate |= made.steps
    case.output |= made.output


# --- decapsulation ---


def received(case: Case, suite: int, change: Callable[[bytes], bytes] = lambda enc: enc) -> None:
    """The case is about something encapsulated to the recipient, changed."""
    pair = key_pair(case, suite)
    made = SUITES[suite].kem.encapsulate(pair["public_key"], randomness(case, suite))
    enc = change(made.output["enc"])
    case.input |= {"mls_suite": suite, "private_key": pair["private_key"], "enc": enc}
    if case.reason is None:
        opened = SUITES[suite].kem.decapsulate(enc, pair["private_key"])
        case.intermediate |= opened.steps
        case.output |= opened.output


@decapsulation.vector("KEYS-3", each=BOTH)
def decapsulation_in(case: Case, suite: int) -> None:
    """The secret that was encapsulated."""
    received(case, suite)


def flipped(position: int) -> Callable[[bytes], bytes]:
    """One bit is another."""
    return lambda data: data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


@decapsulation.vector("KEYS-26", each={"first": 0, "last": MLKEM_CIPHERTEXT - 1})
def decapsulation_of_a_changed_ml_kem_ciphertext(case: Case, position: int) -> None:
    """Implicit rejection: another secret, and no error; what was sealed does not open then."""
    received(case, HYBRID, flipped(position))


@decapsulation.vector("KEYS-26", each=in_both(LARGE))
def decapsulation_with(case: Case, how: tuple[int, int]) -> None:
    """An X25519 share in another form: it is hashed as it came."""
    suite, point = how
    received(case, suite, x25519_part(point))


@decapsulation.vector("KEYS-26", reason=Refusal.BAD_ENCAPSULATION, each=in_both(WRONG_LENGTHS))
def decapsulation_of(case: Case, how: tuple[int, Callable[[bytes], bytes]]) -> None:
    """It has as many bytes as its KEM says."""
    received(case, *how)


@decapsulation.vector("KEYS-3", reason=Refusal.BAD_ENCAPSULATION, each=in_both(SMALL_ORDER_IDS))
def decapsulation_of_small_order(case: Case, how: tuple[int, int]) -> None:
    """The X25519 secret is 32 zero bytes: refused, in the hybrid KEM too, though the ML-KEM half would agree a secret."""
    suite, point = how
    received(case, suite, x25519_part(point))


# --- labels ---


def labelled(case: Case, suite: int) -> dict[str, bytes]:
    """Something to seal, by what MLS seals path secrets with; gives the recipient's keys."""
    pair = key_pair(case, suite)
    case.input |= {
        "mls_suite": suite,
        "public_key": pair["public_key"],
        "label": "UpdatePathNode",
        "context": case.entropy.random(200),
        "plaintext": case.entropy.random(48),
        "randomness": randomness(case, suite),
    }
    return pair


@sealing.vector("KEYS-3", each=BOTH)
def sealed_in(case: Case, suite: int) -> None:
    """One message under one encapsulation; info is EncryptContext, the AAD is empty."""
    labelled(case, suite)
    made = SUITES[suite].seal(case.input)
    case.intermediate |= made.steps
    case.output |= made.output


def sent(case: Case, suite: int, **changes: Any) -> None:
    """The case is about what was sealed for the recipient, with these inputs changed."""
    pair = labelled(case, suite)
    sealed = SUITES[suite].seal(case.input)
    plaintext = case.input["plaintext"]
    case.input = {
        "mls_suite": suite,
        "private_key": pair["private_key"],
        "label": case.input["label"],
        "context": case.input["context"],
        **sealed.output,
    }
    for name, change in changes.items():
        case.input[name] = change(case.input[name])
    if case.reason is None:
        case.intermediate |= sealed.steps
        case.output["plaintext"] = plaintext


@opening.vector("KEYS-3", each=BOTH)
def opened_in(case: Case, suite: int) -> None:
    """What was sealed."""
    sent(case, suite)


@opening.vector(
    "KEYS-3",
    reason=Refusal.NOT_AUTHENTIC,
    each=in_both(
        {
            "label": {"label": lambda _: "Welcome"},
            "context": {"context": flipped(0)},
            "ephemeral-key": {"kem_output": flipped(-20)},
            "ciphertext": {"ciphertext": flipped(0)},
            "tag": {"ciphertext": flipped(-2)},
        }
    ),
)
def opened_with_another(case: Case, how: tuple[int, dict[str, Any]]) -> None:
    """What was sealed for one purpose in one place opens nowhere else."""
    suite, changes = how
    sent(case, suite, **changes)


@opening.vector("KEYS-26", reason=Refusal.NOT_AUTHENTIC)
def opened_with_another_ml_kem_ciphertext(case: Case) -> None:
    """Here shows what ML-KEM did not refuse."""
    sent(case, HYBRID, kem_output=flipped(0))


@opening.vector("KEYS-3", reason=Refusal.NOT_AUTHENTIC, each=BOTH)
def opened_by_another(case: Case, suite: int) -> None:
    """The holder of another key."""
    other = key_pair(case, suite, b"another")["private_key"]
    sent(case, suite, private_key=lambda _: other)


@opening.vector("KEYS-3", reason=Refusal.NOT_AUTHENTIC, each=BOTH)
def opened_without_a_tag(case: Case, suite: int) -> None:
    """15 bytes are no ciphertext of an AEAD."""
    sent(case, suite, ciphertext=lambda data: data[:15])


@opening.vector("KEYS-26", reason=Refusal.BAD_ENCAPSULATION, each=BOTH)
def opened_with_a_kem_output_cut(case: Case, suite: int) -> None:
    """A byte too few."""
    sent(case, suite, kem_output=lambda enc: enc[:-1])
