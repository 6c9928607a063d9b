"""Vectors of the chapter Identity: what a certificate says, and which are refused.

The chapter's other groups are made in ``contacts`` (who is trusted, renewals), ``proofs`` (attestations, proofs, safety
numbers) and ``device_links``.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from enum import StrEnum
from typing import Any

from e2ee.crypto.signature import ED25519
from e2ee.vectorgen import contacts, device_links, proofs
from e2ee.vectorgen.certificates import DAY, NO_ATTESTATION, NOW, Device
from e2ee.vectorgen.registry import Case, Chapter, Group

__all__ = ["CHAPTER"]

certificates = Group(
    "certificate",
    "identity, the credential of a leaf with leaf_signature_key -> what it says, or why the leaf is refused. No clock.",
)
dates = Group(
    "dates",
    "May a leaf with this identity be added at the time now (Unix milliseconds)? judge is `committer` or `receiver`.",
)


class Refusal(StrEnum):
    """Why a leaf is refused."""

    TRUNCATED = "TRUNCATED"
    TRAILING_BYTES = "TRAILING_BYTES"
    NON_MINIMAL_LENGTH = "NON_MINIMAL_LENGTH"
    BAD_VERSION = "BAD_VERSION"
    BAD_ACCOUNT_ID = "BAD_ACCOUNT_ID"
    BAD_VERSIONS = "BAD_VERSIONS"
    BAD_SUITES = "BAD_SUITES"
    BAD_ROLES = "BAD_ROLES"
    BAD_LIFETIME = "BAD_LIFETIME"
    BAD_SIGNATURE_KEY = "BAD_SIGNATURE_KEY"
    BAD_ACCOUNT_SIGNATURE = "BAD_ACCOUNT_SIGNATURE"
    NOT_YET_VALID = "NOT_YET_VALID"
    EXPIRED = "EXPIRED"


VALID: dict[str, dict[str, Any]] = {
    "plain": {},
    "of-a-bot-that-records-and-transcribes": {"roles": 7},
    "of-the-shortest-account-id": {"account_id": b"a"},
    "of-an-account-id-of-64-bytes": {"account_id": "漢".encode() * 21 + b"!"},
    "with-one-suite": {"suites": (0x0001,)},
    "with-suites-and-versions-of-the-future": {
        "versions": (0x0100, 0x0200),
        "suites": (0xF0E2, 0x0001, 0xFFFF),
    },
    "with-largest-numbers": {"device_id": 2**32 - 1, "generation": 2**32 - 1},
    "of-30-days": {"not_before": NOW, "not_after": NOW + 30 * DAY},
    "of-an-instant": {"not_before": NOW, "not_after": NOW},
    "long-expired": {"not_before": 0, "not_after": DAY},
}


@certificates.vector("IDENT-1", "IDENT-2", "IDENT-3", "IDENT-6", each=VALID)
def certificate(case: Case, fields: dict[str, Any]) -> None:
    """Structure, lifetime and account signature are right: the leaf is this account's device, whatever the time is."""
    device = Device(case)
    device.judged(device.certified(**fields))
    case.output |= replace(device.statement, **fields).says()


@certificates.vector(
    "IDENT-1",
    reason=Refusal.BAD_VERSION,
    each={"0": {"version": 0}, "2": {"version": 2}, "255": {"version": 255}},
)
def certificate_of_version(case: Case, fields: dict[str, Any]) -> None:
    """A structure that this protocol does not have."""
    refused(case, fields)


@certificates.vector(
    "IDENT-1",
    reason=Refusal.BAD_ACCOUNT_ID,
    each={
        "of-no-bytes": {"account_id": b""},
        "of-65-bytes": {"account_id": b"a" * 65},
        "not-utf-8": {"account_id": b"al\xffce"},
        "of-a-surrogate": {"account_id": b"\xed\xa0\x80"},
        "of-an-overlong-form": {"account_id": b"\xc1\xa1"},
        "not-nfc": {"account_id": unicodedata.normalize("NFD", "renée").encode()},
        "of-two-lines": {"account_id": b"alice\nbob"},
        "of-two-lines-by-a-separator": {"account_id": "alice\u2028bob".encode()},
        "of-two-paragraphs": {"account_id": "alice\u2029bob".encode()},
        "of-a-delete": {"account_id": b"alice\x7f"},
        "of-the-last-control-character": {"account_id": "alice\u009f".encode()},
        "that-turns-direction": {"account_id": "\N{RIGHT-TO-LEFT OVERRIDE}ecila".encode()},
        "that-isolates": {"account_id": "alice\u2066".encode()},
        "that-ends-an-isolate": {"account_id": "alice\u2069".encode()},
    },
)
def certificate_with_account_id(case: Case, fields: dict[str, Any]) -> None:
    """Two spellings of one name, or a name that cannot be shown, would let somebody be taken for another."""
    refused(case, fields)


@certificates.vector(
    "IDENT-1",
    reason=Refusal.BAD_VERSIONS,
    each={"none": {"versions": ()}, "one-twice": {"versions": (0x0100, 0x0200, 0x0100)}},
)
def certificate_with_versions(case: Case, fields: dict[str, Any]) -> None:
    """A device speaks at least one version, and lists each once."""
    refused(case, fields)


@certificates.vector(
    "IDENT-1",
    reason=Refusal.BAD_SUITES,
    each={"none": {"suites": ()}, "one-twice": {"suites": (0x0001, 0x0001)}},
)
def certificate_with_suites(case: Case, fields: dict[str, Any]) -> None:
    """A device has at least one suite, and lists each once."""
    refused(case, fields)


@certificates.vector(
    "IDENT-1",
    reason=Refusal.BAD_ROLES,
    each={"bit-3": {"roles": 8}, "bit-15-beside-known-ones": {"roles": 0x8003}},
)
def certificate_with_role(case: Case, fields: dict[str, Any]) -> None:
    """A role that this version does not know might be one that people must be told of."""
    refused(case, fields)


@certificates.vector(
    "IDENT-2",
    reason=Refusal.BAD_LIFETIME,
    each={
        "that-ends-before-it-begins": {"not_before": NOW, "not_after": NOW - 1},
        "of-30-days-and-a-second": {"not_before": NOW, "not_after": NOW + 30 * DAY + 1},
        "without-end": {"not_before": 0, "not_after": 2**64 - 1},
    },
)
def certificate_with_lifetime(case: Case, fields: dict[str, Any]) -> None:
    """Revocation is complete when the last old certificate has expired: in 30 days at most."""
    refused(case, fields)


def refused(case: Case, fields: dict[str, Any]) -> None:
    """All but these fields is right, and the account's signature is right for them."""
    device = Device(case)
    device.judged(device.certified(**fields))


@certificates.vector("IDENT-3", reason=Refusal.BAD_ACCOUNT_SIGNATURE)
def certificate_of_another_leaf(case: Case) -> None:
    """Alice's certificate on a leaf with Mallory's key: anybody can copy a certificate."""
    device = Device(case)
    mallory = ED25519.generate(case.entropy.fork(b"mallory"))
    device.judged(device.certified(), mallory.public)


@certificates.vector("IDENT-3", reason=Refusal.BAD_ACCOUNT_SIGNATURE)
def certificate_signed_by_another_account(case: Case) -> None:
    """Mallory says that his device is Alice's."""
    device = Device(case)
    mallory = ED25519.generate(case.entropy.fork(b"mallory"))
    forged = device.signed(device.statement.encode(), key=mallory)
    device.judged(forged + NO_ATTESTATION)


@certificates.vector("IDENT-13", "IDENT-3", reason=Refusal.BAD_ACCOUNT_SIGNATURE)
def certificate_signed_under_another_label(case: Case) -> None:
    """The right key over the right fields, for another purpose."""
    device = Device(case)
    signed = device.signed(device.statement.encode(), text="Register")
    device.judged(signed + NO_ATTESTATION)


@certificates.vector("IDENT-3", reason=Refusal.BAD_ACCOUNT_SIGNATURE)
def certificate_with_a_raised_generation(case: Case) -> None:
    """A field changed after signing."""
    device = Device(case)
    identity = device.certified()
    raised = replace(device.statement, generation=1).encode()
    device.judged(raised + identity[len(raised) :])


@certificates.vector("IDENT-3", "KEYS-4", reason=Refusal.BAD_ACCOUNT_SIGNATURE)
def certificate_of_a_small_order_account_key(case: Case) -> None:
    """The identity point as account key: its one signature (01, then zeros) holds for every message in a lax verifier."""
    device = Device(case)
    identity_point = b"\x01" + bytes(31)
    statement = replace(device.statement, account_key=identity_point).encode()
    device.signed(statement)
    device.judged(statement + identity_point + bytes(32) + NO_ATTESTATION)


@certificates.vector("IDENT-3", reason=Refusal.BAD_SIGNATURE_KEY, each={"31-bytes": 31, "none": 0})
def certificate_of_a_leaf_key_of(case: Case, length: int) -> None:
    """A device is an Ed25519 key: 32 bytes."""
    device = Device(case)
    device.judged(device.certified(), bytes(length))


@certificates.vector("IDENT-1", reason=Refusal.TRUNCATED, each={"empty": 0, "a-byte-short": -1})
def certificate_cut(case: Case, end: int) -> None:
    """Bytes that end before the structure does."""
    device = Device(case)
    device.judged(device.certified()[:end])


@certificates.vector("IDENT-1", reason=Refusal.TRAILING_BYTES)
def certificate_with_a_byte_after_its_end(case: Case) -> None:
    """A leaf's identity is the structure and nothing else."""
    device = Device(case)
    device.judged(device.certified() + b"\x00")


@certificates.vector("IDENT-1", reason=Refusal.NON_MINIMAL_LENGTH)
def certificate_with_a_length_in_two_bytes(case: Case) -> None:
    """RFC 9420, Section 2.1.2: lengths take the fewest bytes, so that there is one encoding."""
    device = Device(case)
    statement = device.statement.encode().replace(b"\x05alice", b"\x40\x05alice")
    device.judged(device.signed(statement) + NO_ATTESTATION)


@certificates.vector("IDENT-1", reason=Refusal.TRUNCATED)
def certificate_with_half_a_suite(case: Case) -> None:
    """A list of 3 bytes, of which each suite takes 2."""
    device = Device(case)
    statement = device.statement.encode().replace(b"\x04\x00\x01\xf0\xe2", b"\x03\x00\x01\xf0")
    device.judged(device.signed(statement) + NO_ATTESTATION)


@dates.vector(
    "IDENT-5",
    each={
        "first-second-for-who-commits": ("committer", NOW),
        "last-second-for-who-commits": ("committer", NOW + DAY),
        "last-millisecond-for-who-commits": ("committer", NOW + DAY, 999),
        "day-before-for-who-receives": ("receiver", NOW - DAY),
        "day-after-for-who-receives": ("receiver", NOW + DAY + DAY),
        "last-millisecond-for-who-receives": ("receiver", NOW + DAY + DAY, 999),
    },
)
def added_in_the(case: Case, when: tuple[Any, ...]) -> None:
    """Valid from NOW for a day, whose last second counts whole: for who commits or invites; 24 hours more on both sides for who receives."""
    added(case, *when)


@dates.vector(
    "IDENT-5",
    reason=Refusal.NOT_YET_VALID,
    each={
        "for-who-commits": ("committer", NOW - 1),
        "for-who-receives": ("receiver", NOW - DAY - 1),
        "by-a-millisecond-for-who-commits": ("committer", NOW - 1, 999),
    },
)
def added_a_second_too_early(case: Case, when: tuple[Any, ...]) -> None:
    """One second outside, or a millisecond."""
    added(case, *when)


@dates.vector(
    "IDENT-5",
    reason=Refusal.EXPIRED,
    each={
        "for-who-commits": ("committer", NOW + DAY + 1),
        "for-who-receives": ("receiver", NOW + DAY + DAY + 1),
    },
)
def added_a_second_too_late(case: Case, when: tuple[Any, ...]) -> None:
    """One second outside."""
    added(case, *when)


def added(case: Case, judge: str, seconds: int, milliseconds: int = 0) -> None:
    """A certificate of one day from NOW on, judged at this time."""
    device = Device(case)
    device.judged(device.certified(not_before=NOW, not_after=NOW + DAY))
    case.input |= {"judge": judge, "now": seconds * 1000 + milliseconds}


CHAPTER = Chapter(
    "identity",
    "L3",
    "Accounts, their devices' certificates, attestations, proofs towards servers, safety numbers, and links.",
    (certificates, dates, *contacts.GROUPS, *proofs.GROUPS, *device_links.GROUPS),
)
