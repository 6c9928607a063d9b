"""Vectors of the chapter Verification: safety codes, and the spoken code's commitments, codes, table and attempts."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from e2ee.call.code_emoji import EMOJI
from e2ee.crypto.kdf import HKDF_SHA256
from e2ee.vectorgen import spoken_attempts
from e2ee.vectorgen.certificates import label, vector
from e2ee.vectorgen.device_links import base64url, safety_hash
from e2ee.vectorgen.models import MLS_KDF, mls_export, u32
from e2ee.vectorgen.registry import Case, Chapter, Group

__all__ = ["CHAPTER"]

codes = Group("safety-code", "own and contact, two accounts -> the text that own's device shows.")
scans = Group(
    "safety-code-scanned",
    "A device of own, which has this key for contact, reads text -> what it says, or why it is no safety code.",
)
keys = Group("sas-key", "exporter_secret of an epoch in mls_suite -> sas_key.")
commitments = Group("code-commitment", "A member's random bytes in an attempt -> its commitment.")
spoken = Group(
    "spoken-code", "The random bytes of every leaf -> emoji (rows of the table) and digits."
)
table = Group("emoji", "Six bits -> the picture, and its name in English.")


class Refusal(StrEnum):
    """Why a text is no safety code."""

    NOT_CANONICAL = "NOT_CANONICAL"
    UNKNOWN_VALUE = "UNKNOWN_VALUE"
    TRUNCATED = "TRUNCATED"
    TRAILING_BYTES = "TRAILING_BYTES"


Account = dict[str, Any]


def account(case: Case, account_id: str, key: str = "") -> Account:
    """An account of the case; ``key`` tells one key of the account from another."""
    seed = f"{account_id}{key}".encode()
    return {"account_id": account_id, "account_key": case.entropy.fork(seed).random(32)}


def safety_code(own: Account, contact: Account) -> bytes:
    """SafetyCode."""
    sides = (vector(each["account_id"].encode()) + safety_hash(**each) for each in (own, contact))
    return b"\x01" + b"".join(sides)


@codes.vector("VERIFY-1", each={"alice-and-bob": ("alice", "bob"), "beyond-ascii": ("漢字", "🦊")})
def code(case: Case, account_ids: tuple[str, str]) -> None:
    """Both hashes whole, the shower's first."""
    own, contact = (account(case, account_id) for account_id in account_ids)
    encoded = safety_code(own, contact)
    case.input |= {"own": own, "contact": contact}
    case.intermediate["encoded"] = encoded
    case.output["text"] = "e2ee-safety:" + base64url(encoded)


SAYS: dict[str, tuple[tuple[str, str], tuple[str, str], str]] = {
    "what-this-device-knows": (("bob", ""), ("alice", ""), "same"),
    "another-key-of-the-contact": (("bob", "other"), ("alice", ""), "contact-differs"),
    "another-key-of-this-account": (("bob", ""), ("alice", "other"), "own-differs"),
    "other-keys-of-both": (("bob", "other"), ("alice", "other"), "both-differ"),
    "somebody-else": (("carol", ""), ("alice", ""), "other-accounts"),
    "somebody-for-somebody-else": (("bob", ""), ("carol", ""), "other-accounts"),
    "this-account-to-the-contact": (("alice", ""), ("bob", ""), "other-accounts"),
}


@scans.vector("VERIFY-2", each=SAYS)
def scan_of(case: Case, says: tuple[tuple[str, str], tuple[str, str], str]) -> None:
    """Alice's device reads a code in the place of Bob's."""
    own, contact, compared = says
    encoded = safety_code(account(case, *own), account(case, *contact))
    scanned(case, "e2ee-safety:" + base64url(encoded))
    case.output["compared"] = compared


SPOILT: dict[str, Callable[[bytes], str]] = {
    "with-padding": lambda encoded: "e2ee-safety:" + base64url(encoded) + "==",
    "with-a-line-break": lambda encoded: "e2ee-safety:" + base64url(encoded) + "\n",
}


@scans.vector("VERIFY-1", reason=Refusal.NOT_CANONICAL, each=SPOILT)
def scan(case: Case, spoil: Callable[[bytes], str]) -> None:
    """Not the one text of its bytes."""
    scanned(case, spoil(safety_code(account(case, "bob"), account(case, "alice"))))


@scans.vector("VERIFY-1", reason=Refusal.UNKNOWN_VALUE)
def scan_of_another_prefix(case: Case) -> None:
    """A link is no safety code."""
    encoded = safety_code(account(case, "bob"), account(case, "alice"))
    scanned(case, "e2ee-link:" + base64url(encoded))


@scans.vector("VERIFY-1", reason=Refusal.UNKNOWN_VALUE)
def scan_of_another_version(case: Case) -> None:
    """A method that this protocol does not have."""
    encoded = safety_code(account(case, "bob"), account(case, "alice"))
    scanned(case, "e2ee-safety:" + base64url(b"\x02" + encoded[1:]))


@scans.vector("VERIFY-1", reason=Refusal.TRUNCATED)
def scan_cut_short(case: Case) -> None:
    """The last hash lacks a byte."""
    encoded = safety_code(account(case, "bob"), account(case, "alice"))
    scanned(case, "e2ee-safety:" + base64url(encoded[:-1]))


@scans.vector("VERIFY-1", reason=Refusal.TRAILING_BYTES)
def scan_with_more_bytes(case: Case) -> None:
    """A byte after the last hash."""
    encoded = safety_code(account(case, "bob"), account(case, "alice"))
    scanned(case, "e2ee-safety:" + base64url(encoded + b"\x00"))


def scanned(case: Case, text: str) -> None:
    """Alice's device reads this text."""
    case.input |= {"text": text, "own": account(case, "alice"), "contact": account(case, "bob")}


@keys.vector("VERIFY-5", each={"0x0001": 0x0001, "0xf0e2": 0xF0E2})
def sas_key(case: Case, mls_suite: int) -> None:
    """MLS-Exporter(label("SAS"), "", 32), by the suite's hash."""
    kdf, _ = MLS_KDF[mls_suite]
    exporter_secret = case.entropy.random(kdf.Nh)
    steps = mls_export(kdf, exporter_secret, "E2EE Call 1.0 SAS", 32)
    case.input |= {"mls_suite": mls_suite, "exporter_secret": exporter_secret}
    case.output["sas_key"] = steps.pop("exported")
    case.intermediate |= steps


@commitments.vector(
    "VERIFY-3",
    each={
        "of-the-caller": (0, 1, 32),
        "of-the-callee-at-the-third": (1, 3, 32),
        "in-a-hybrid-group": (1023, 255, 48),
    },
)
def commitment(case: Case, who: tuple[int, int, int]) -> None:
    """epoch_authenticator has the length of the suite's hash."""
    leaf, attempt, length = who
    call_id, authenticator = case.entropy.random(16), case.entropy.random(length)
    random = case.entropy.random(32)
    hashed = label("SAS commit") + call_id + authenticator + u32(leaf) + bytes([attempt]) + random
    case.input |= {
        "call_id": call_id,
        "epoch_authenticator": authenticator,
        "leaf": leaf,
        "attempt": attempt,
        "random": random,
    }
    case.intermediate["hashed"] = hashed
    case.output["commitment"] = HKDF_SHA256.hash(hashed)


@spoken.vector(
    "VERIFY-5",
    each={
        "of-two": ((0, 1), 1),
        "of-two-at-the-third-attempt": ((0, 2), 3),
        "of-five-in-any-order": ((7, 0, 1023, 3, 256), 2),
    },
)
def spoken_code(case: Case, who: tuple[tuple[int, ...], int]) -> None:
    """Leaves count in ascending order."""
    leaves, attempt = who
    key = case.entropy.random(32)
    revealed = {leaf: case.entropy.random(32) for leaf in leaves}
    said_code(case, key, attempt, revealed)


@spoken.vector("VERIFY-5")
def spoken_code_with_leading_zeros(case: Case) -> None:
    """Six digits, also of a small number."""
    key = case.entropy.random(32)
    for number in range(100_000):
        said_code(case, key, 1, {0: bytes(32), 1: number.to_bytes(32, "big")})
        if case.output["digits"].startswith("00"):
            return


def said_code(case: Case, key: bytes, attempt: int, revealed: dict[int, bytes]) -> None:
    """VERIFY-5, a step a line."""
    said = b"".join(u32(leaf) + revealed[leaf] for leaf in sorted(revealed))
    hashed = HKDF_SHA256.hash(bytes([attempt]) + said)
    x = HKDF_SHA256.expand(key, label("SAS code") + hashed, 8)
    case.input |= {
        "sas_key": key,
        "attempt": attempt,
        "revealed": [{"leaf": leaf, "random": random} for leaf, random in revealed.items()],
    }
    case.intermediate |= {"hashed": hashed, "x": x}
    case.output |= spoken_attempts.code_of(key, attempt, revealed)


@table.vector("VERIFY-5")
def all_64(case: Case) -> None:
    """The table, from row 0 to row 63."""
    case.input["rows"] = list(range(64))
    case.output["emoji"] = [{"picture": each.picture, "name": each.name} for each in EMOJI]


CHAPTER = Chapter(
    "verification",
    "L3",
    "What people compare, to know who the other is.",
    (codes, scans, keys, commitments, spoken, table, spoken_attempts.GROUP),
)
