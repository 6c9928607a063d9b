"""Vectors of the chapter Key agreement: who asks to join a group call, and who is gone from one."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.mls.extension import Extension
from e2ee.mls.key_package import KeyPackage
from e2ee.vectorgen.call_profiles import ADMITTED, CLOSED, LINK
from e2ee.vectorgen.certificates import NOW, label, opaque16, vector
from e2ee.vectorgen.models import u16, u32, u64
from e2ee.vectorgen.people import JOIN, Person, join_content
from e2ee.vectorgen.registry import Case, Group

__all__ = ["GROUPS", "gone_statement"]

joins = Group(
    "join",
    "May this KeyPackage (RFC 9420, Section 10) be used to add a device to the group call call_id with this join_policy? With"
    " call_id null: for anything else (the directory, a one-to-one call, a ring group, a letter)? Its signatures are right, and"
    " whether link_proof is right is not asked. output is what its extension says.",
)
statements = Group(
    "gone-statement",
    "Does this GoneStatement count in the call group_id, whose delivery service has delivery_key, in this epoch? output is"
    " what it says.",
)


class Refusal(StrEnum):
    """Why a KeyPackage or a statement is refused."""

    JOIN_MISSING = "JOIN_MISSING"
    JOIN_UNEXPECTED = "JOIN_UNEXPECTED"
    BAD_JOIN = "BAD_JOIN"
    DUPLICATE_EXTENSION = "DUPLICATE_EXTENSION"
    TRUNCATED = "TRUNCATED"
    TRAILING_BYTES = "TRAILING_BYTES"
    GONE_ELSEWHERE = "GONE_ELSEWHERE"
    BAD_GONE_SIGNATURE = "BAD_GONE_SIGNATURE"


def asked(
    case: Case,
    make: Callable[[Person, bytes], KeyPackage],
    join_policy: int,
    *,
    call_id: bytes | None = None,
) -> bytes:
    """The case is about what ``make`` gives for the device and the call_id that it wants; gives this call_id."""
    wanted = case.entropy.random(16)
    case.input |= {
        "call_id": call_id or wanted,
        "join_policy": join_policy,
        "key_package": make(Person.of(case, "bob"), wanted).encode(),
    }
    return wanted


@joins.vector(
    "KEYS-21", each={"by-link": (LINK, 32), "to-the-lobby": (ADMITTED, 0), "closed": (CLOSED, 0)}
)
def join_of_a_call(case: Case, how: tuple[int, int]) -> None:
    """The KeyPackage was made for this call; with a link it has a proof."""
    policy, length = how
    proof = case.entropy.random(length)
    call_id = asked(case, lambda bob, wanted: bob.joining(wanted, proof), policy)
    case.output |= {"call_id": call_id, "created_at": NOW * 1000, "link_proof": proof}


@joins.vector("KEYS-21", reason=Refusal.JOIN_MISSING, each={"link": LINK, "admitted": ADMITTED})
def join_with_a_key_package_of_the_directory(case: Case, policy: int) -> None:
    """Its owner did not ask to join."""
    asked(case, lambda bob, _: bob.key_package(), policy)


@joins.vector("KEYS-21", reason=Refusal.BAD_JOIN)
def join_of_another_call(case: Case) -> None:
    """Its owner asked to join another."""
    proof = case.entropy.random(32)
    asked(case, lambda bob, wanted: bob.joining(wanted, proof), LINK, call_id=bytes(16))


@joins.vector("KEYS-21", reason=Refusal.BAD_JOIN)
def join_of_a_last_resort(case: Case) -> None:
    """A KeyPackage for one call is used once."""
    proof = case.entropy.random(32)
    asked(case, lambda bob, wanted: bob.joining_again_and_again(wanted, proof), LINK)


@joins.vector(
    "KEYS-21",
    reason=Refusal.BAD_JOIN,
    each={
        "no-bytes-by-link": (0, LINK),
        "31-bytes-by-link": (31, LINK),
        "33-bytes-by-link": (33, LINK),
        "32-bytes-to-the-lobby": (32, ADMITTED),
        "32-bytes-closed": (32, CLOSED),
    },
)
def join_with_a_proof_of(case: Case, how: tuple[int, int]) -> None:
    """32 bytes with the policy link, none with another."""
    length, policy = how
    asked(case, lambda bob, wanted: bob.joining(wanted, bytes(length)), policy)


@joins.vector(
    "KEYS-21", reason=Refusal.BAD_JOIN, each={"empty": 0, "cut": -1, "with-a-byte-after": None}
)
def join_whose_extension_is(case: Case, end: int | None) -> None:
    """Not the structure."""

    def make(bob: Person, wanted: bytes) -> KeyPackage:
        content = join_content(wanted, bytes(32))
        return bob.key_package(Extension(JOIN, content + b"\0" if end is None else content[:end]))

    asked(case, make, LINK)


@joins.vector("KEYS-21", reason=Refusal.DUPLICATE_EXTENSION)
def join_that_stands_there_twice(case: Case) -> None:
    """Two extensions of one type (RFC 9420, Section 13.4), signed: nobody need choose between them."""
    bob, other = Person.of(case, "bob"), 0xF0C3
    wanted = asked(case, lambda bob, wanted: bob.joining(wanted, bytes(32)), LINK)
    content = join_content(wanted, bytes(32))
    made = bob.key_package(Extension(JOIN, content), Extension(other, content))
    encoded = made.encode()[: -len(vector(made.signature))]
    head, tail = encoded.rsplit(u16(other) + vector(content), 1)
    unsigned = head + u16(JOIN) + vector(content) + tail
    signature = bob.forge.sign(bob.leaf.public, "KeyPackageTBS", unsigned)
    case.input["key_package"] = unsigned + vector(signature)


@joins.vector("KEYS-21")
def key_package_for_anything_else(case: Case) -> None:
    """One of the directory."""
    asked(case, lambda bob, _: bob.key_package(), LINK)
    case.input |= {"call_id": None, "join_policy": None}


@joins.vector("KEYS-21", reason=Refusal.JOIN_UNEXPECTED)
def join_for_anything_else(case: Case) -> None:
    """What was made for a call is for nothing else."""
    asked(case, lambda bob, wanted: bob.joining(wanted, bytes(32)), LINK)
    case.input |= {"call_id": None, "join_policy": None}


EPOCH, LEAF, SINCE = 12, 3, NOW * 1000


def gone_statement(
    key: SigningKey, group_id: bytes, epoch: int, leaf: int, *, name: str = "Gone"
) -> tuple[bytes, bytes]:
    """KEYS-24: what is signed, and the GoneStatement."""
    rest = u64(epoch) + u32(leaf) + u64(SINCE)
    content = label(name) + opaque16(group_id) + rest
    return content, vector(group_id) + rest + ED25519.sign(key.private, content)


def stated(case: Case, *, signer: str = "service", **how: Any) -> None:
    """The statement of this case's call, in which ``how`` is changed, and which ``signer`` signs."""
    service, key = (
        ED25519.generate(case.entropy.fork(who.encode())) for who in ("service", signer)
    )
    group_id = case.entropy.random(16)
    said: dict[str, Any] = {"group_id": group_id, "epoch": EPOCH, "leaf": LEAF} | how
    content, statement = gone_statement(key, **said)
    case.input |= {
        "group_id": group_id,
        "epoch": EPOCH,
        "delivery_key": service.public,
        "statement": statement,
    }
    case.intermediate["signed"] = content


@statements.vector("KEYS-24")
def gone(case: Case) -> None:
    """The service's word about leaf 3 in epoch 12."""
    stated(case)
    case.output |= {"leaf": LEAF, "gone_since": SINCE}


@statements.vector(
    "KEYS-24",
    reason=Refusal.GONE_ELSEWHERE,
    each={
        "from-another-call": {"group_id": bytes(16)},
        "in-the-epoch-before": {"epoch": EPOCH - 1},
        "in-the-epoch-after": {"epoch": EPOCH + 1},
    },
)
def gone_elsewhere(case: Case, values: dict[str, Any]) -> None:
    """It counts in one epoch of one call: later the leaf may be somebody else's."""
    stated(case, **values)


@statements.vector("KEYS-24", reason=Refusal.BAD_GONE_SIGNATURE)
def gone_by_the_word_of_another(case: Case) -> None:
    """Another key than the profile's delivery_key signed."""
    stated(case, signer="mallory")


@statements.vector("KEYS-24", reason=Refusal.TRAILING_BYTES)
def gone_with_a_byte_after_it(case: Case) -> None:
    """A statement is the structure and nothing else."""
    stated(case)
    case.input["statement"] += b"\0"


@statements.vector("KEYS-24", reason=Refusal.TRUNCATED)
def gone_cut_short(case: Case) -> None:
    """The signature lacks its last byte."""
    stated(case)
    case.input["statement"] = case.input["statement"][:-1]


@statements.vector("KEYS-24", "IDENT-13", reason=Refusal.BAD_GONE_SIGNATURE)
def gone_under_another_label(case: Case) -> None:
    """What the service signs for one purpose is nothing for another."""
    stated(case, name="Account")


@statements.vector("KEYS-24", reason=Refusal.BAD_GONE_SIGNATURE, each={"leaf": 27, "time": 35})
def gone_with_another(case: Case, position: int) -> None:
    """The leaf, or the time, was changed after signing."""
    stated(case)
    statement = bytearray(case.input["statement"])
    statement[position] ^= 1
    case.input["statement"] = bytes(statement)


GROUPS = (joins, statements)
