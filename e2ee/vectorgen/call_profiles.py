"""Vectors of the chapter Key agreement: what the profile of a call may say, kind by kind."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from e2ee.vectorgen.certificates import label, vector
from e2ee.vectorgen.models import u16
from e2ee.vectorgen.registry import Case, Group

__all__ = ["GROUP", "LINK", "Profile"]

GROUP = Group(
    "call-profile",
    "May a call with this group_id have this call_profile extension? What it may say depends on its kind; output is what it"
    " says.",
)

RING, ONE_TO_ONE, GROUP_CALL, STAGE = range(4)
CLOSED, ADMITTED, LINK = range(3)


class Refusal(StrEnum):
    """Why a profile is refused."""

    BAD_CALL_PROFILE = "BAD_CALL_PROFILE"


@dataclass(frozen=True)
class Profile:
    """The fields of CallProfile (KEYS-9), with the values of a one-to-one call."""

    version: int = 0x0100
    kind: int = ONE_TO_ONE
    S: int = 10
    E: int = 4
    hosts: tuple[bytes, ...] = ()
    accounts: tuple[bytes, ...] = ()
    banned: tuple[bytes, ...] = ()
    speakers: tuple[bytes, ...] = ()
    link_id: bytes = b""
    join_policy: int = CLOSED
    delivery_key: bytes = field(default=bytes(32))
    stamps: int = 0
    signed_lists: int = 0

    def encode(self) -> bytes:
        """Field by field."""
        return b"".join(
            (
                u16(self.version),
                bytes([self.kind, self.S, self.E]),
                vector(b"".join(self.hosts)),
                vector(b"".join(self.accounts)),
                vector(b"".join(self.banned)),
                vector(b"".join(self.speakers)),
                vector(self.link_id),
                bytes([self.join_policy]),
                self.delivery_key,
                bytes([self.stamps, self.signed_lists]),
            )
        )


def accepted(case: Case, profile: Profile) -> None:
    """The case is a profile that may be."""
    case.input["call_profile"] = profile.encode()
    case.output |= asdict(profile)


def refused(case: Case, profile: Profile) -> None:
    """The case is a profile that must not be."""
    case.input["call_profile"] = profile.encode()


def one_to_one(case: Case) -> Profile:
    """The right profile of this case's call, between accounts of its own."""
    caller, callee, delivery = (case.entropy.random(32) for _ in range(3))
    case.input["group_id"] = case.entropy.random(16)
    return Profile(accounts=(caller, callee), delivery_key=delivery)


@GROUP.vector("KEYS-9", "KEYS-10")
def one_to_one_call(case: Case) -> None:
    """All fields in their order."""
    accepted(case, one_to_one(case))


OTHER_VALUES: dict[str, dict[str, Any]] = {
    "version": {"version": 0x0101},
    "kind": {"kind": GROUP_CALL},
    "s": {"S": 8},
    "e": {"E": 8},
    "host": {"hosts": (bytes(32),)},
    "no-account": {"accounts": ()},
    "one-account": {"accounts": (bytes(32),)},
    "three-accounts": {"accounts": (bytes(32), b"\x01" * 32, b"\x02" * 32)},
    "caller-as-callee": {"accounts": (b"\x01" * 32, b"\x01" * 32)},
    "banned": {"banned": (bytes(32),)},
    "speaker": {"speakers": (bytes(32),)},
    "link": {"link_id": b"link"},
    "join-policy": {"join_policy": ADMITTED},
    "stamps": {"stamps": 1},
    "signed-lists": {"signed_lists": 1},
}


@GROUP.vector("KEYS-10", reason=Refusal.BAD_CALL_PROFILE, each=OTHER_VALUES)
def one_to_one_call_with_other(case: Case, values: dict[str, Any]) -> None:
    """One field has a value that a one-to-one call does not have."""
    refused(case, replace(one_to_one(case), **values))


@GROUP.vector(
    "KEYS-10", reason=Refusal.BAD_CALL_PROFILE, each={"15-bytes": 15, "17-bytes": 17, "none": 0}
)
def one_to_one_call_with_group_id_of(case: Case, length: int) -> None:
    """call_id and group_id are the same 16 bytes."""
    refused(case, one_to_one(case))
    case.input["group_id"] = bytes(length)


@GROUP.vector("KEYS-9", reason=Refusal.BAD_CALL_PROFILE, each={"cut": -1, "empty": 0})
def call_profile_of_too_few_bytes(case: Case, end: int) -> None:
    """Not the structure."""
    case.input["call_profile"] = one_to_one(case).encode()[:end]


@GROUP.vector("KEYS-9", reason=Refusal.BAD_CALL_PROFILE)
def call_profile_with_a_byte_after_its_end(case: Case) -> None:
    """Not the structure."""
    case.input["call_profile"] = one_to_one(case).encode() + b"\0"


@GROUP.vector("KEYS-22")
def ring_group(case: Case) -> None:
    """A one-to-one call but for its kind."""
    accepted(case, replace(one_to_one(case), kind=RING))


@GROUP.vector(
    "KEYS-22",
    reason=Refusal.BAD_CALL_PROFILE,
    each={name: OTHER_VALUES[name] for name in ("host", "three-accounts", "speaker", "link")},
)
def ring_group_with_other(case: Case, values: dict[str, Any]) -> None:
    """What a group call has is not in the ring groups in which one is invited to it."""
    refused(case, replace(one_to_one(case), kind=RING, **values))


ALICE, BOB, CAROL, DAVE = (bytes([name]) * 32 for name in range(1, 5))
LINK_ID = label("Link") + bytes(16)


def group_call(case: Case, **values: Any) -> Profile:
    """A group call of Alice's that admits whom she lists, unless the case says otherwise."""
    delivery = case.entropy.random(32)
    case.input["group_id"] = case.entropy.random(16)
    profile = Profile(kind=GROUP_CALL, hosts=(ALICE,), join_policy=ADMITTED, delivery_key=delivery)
    return replace(profile, **values)


@GROUP.vector(
    "KEYS-9",
    "KEYS-19",
    each={
        "of-one-host": {},
        "of-two-hosts": {"hosts": (BOB, ALICE)},
        "closed": {"join_policy": CLOSED, "accounts": (BOB,)},
        "by-link": {"join_policy": LINK, "link_id": LINK_ID},
        "with-all-lists": {
            "join_policy": LINK,
            "link_id": LINK_ID,
            "accounts": (CAROL, ALICE),
            "banned": (DAVE,),
            "speakers": (CAROL, BOB),
        },
    },
)
def group_call_that_is(case: Case, values: dict[str, Any]) -> None:
    """Accounts stand in any order; who is a host may be listed too; who speaks need not be."""
    accepted(case, group_call(case, **values))


def crowd(count: int) -> tuple[bytes, ...]:
    """So many account keys."""
    return tuple(number.to_bytes(32, "big") for number in range(1, count + 1))


@GROUP.vector(
    "KEYS-19",
    reason=Refusal.BAD_CALL_PROFILE,
    each={
        "version": {"version": 0x0101},
        "kind-stage": {"kind": STAGE},
        "kind-4": {"kind": 4},
        "s": {"S": 8},
        "e": {"E": 8},
        "stamps": {"stamps": 1},
        "signed-lists": {"signed_lists": 1},
        "no-host": {"hosts": ()},
        "host-twice": {"hosts": (ALICE, ALICE)},
        "account-twice": {"accounts": (BOB, CAROL, BOB)},
        "banned-twice": {"banned": (BOB, BOB)},
        "speaker-twice": {"speakers": (BOB, BOB)},
        "banned-host": {"banned": (ALICE,)},
        "banned-account": {"banned": (BOB,), "accounts": (BOB,)},
        "banned-speaker": {"banned": (BOB,), "speakers": (BOB,)},
        "join-policy-3": {"join_policy": 3},
        "link-id-without-link": {"link_id": LINK_ID},
        "link-without-id": {"join_policy": LINK},
        "link-id-of-33-bytes": {"join_policy": LINK, "link_id": LINK_ID[:-1]},
        "link-id-of-35-bytes": {"join_policy": LINK, "link_id": LINK_ID + b"\0"},
        "link-id-without-its-label": {"join_policy": LINK, "link_id": bytes(34)},
    },
)
def group_call_with(case: Case, values: dict[str, Any]) -> None:
    """One field has a value that a group call does not have."""
    refused(case, group_call(case, **values))


@GROUP.vector(
    "KEYS-19", reason=Refusal.BAD_CALL_PROFILE, each={"15-bytes": 15, "17-bytes": 17, "none": 0}
)
def group_call_with_group_id_of(case: Case, length: int) -> None:
    """call_id and group_id are the same 16 bytes."""
    refused(case, group_call(case))
    case.input["group_id"] = bytes(length)
