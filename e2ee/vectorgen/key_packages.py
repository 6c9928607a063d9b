"""Vectors of the chapter Key agreement: KeyPackages of devices, for a call in either suite (KEYS-6, KEYS-8, KEYS-26)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from e2ee.mls.credential import CredentialType
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.leaf_node import LeafNode, Lifetime
from e2ee.testing.mls_forge.clients import Client
from e2ee.testing.mls_forge.forge import Change, same
from e2ee.vectorgen.certificates import DAY, NOW, vector
from e2ee.vectorgen.kems import BOTH, HYBRID, with_coefficient
from e2ee.vectorgen.mls_validation.x509 import x509_credential
from e2ee.vectorgen.models import MLS_KDF
from e2ee.vectorgen.people import Person
from e2ee.vectorgen.registry import Case, Group

__all__ = ["GROUP"]

GROUP = Group(
    "key-package",
    "May this KeyPackage (RFC 9420, Section 10) be added to a group of mls_suite, at the time now (Unix milliseconds)? by says who"
    " asks: `committer`, who adds it, or `receiver`, who got the Add. Only what KEYS-6, KEYS-8 and KEYS-26 and Section 10.1 of the RFC ask:"
    " the certificate's own dates are not judged. output: KeyPackageRef, and whose device it is.",
)

ADDS, RECEIVES = "committer", "receiver"


class Refusal(StrEnum):
    """Why a KeyPackage is refused."""

    KEY_PACKAGE_CIPHER_SUITE = "KEY_PACKAGE_CIPHER_SUITE"
    KEY_PACKAGE_INIT_KEY_REUSED = "KEY_PACKAGE_INIT_KEY_REUSED"
    KEY_PACKAGE_INIT_KEY_MALFORMED = "KEY_PACKAGE_INIT_KEY_MALFORMED"
    KEY_PACKAGE_SIGNATURE = "KEY_PACKAGE_SIGNATURE"
    LEAF_ENCRYPTION_KEY_MALFORMED = "LEAF_ENCRYPTION_KEY_MALFORMED"
    LEAF_LIFETIME_TOO_LONG = "LEAF_LIFETIME_TOO_LONG"
    LEAF_NOT_YET_VALID = "LEAF_NOT_YET_VALID"
    LEAF_EXPIRED = "LEAF_EXPIRED"
    CREDENTIAL_NOT_BASIC = "CREDENTIAL_NOT_BASIC"
    BAD_ACCOUNT_SIGNATURE = "BAD_ACCOUNT_SIGNATURE"
    TRUNCATED = "TRUNCATED"


@dataclass(frozen=True)
class Asked:
    """What a case changes of what is asked."""

    suite: int = 0x0001
    of: int | None = None
    by: str = RECEIVES
    now: int = NOW * 1000


def device(case: Case, suite: int) -> Person:
    """Bob's, whose certificate is valid whenever a case is judged."""
    return Person.of(case, "bob", suite=suite, not_before=NOW - 2 * DAY, not_after=NOW + 28 * DAY)


def judged(
    case: Case,
    asked: Asked,
    make: Callable[[Person], Client] = Person.client,
    signed: Change[KeyPackage] = same,
) -> None:
    """The case is about this device's KeyPackage."""
    suite = asked.suite if asked.of is None else asked.of
    bob = device(case, suite)
    key_package = signed(make(bob).key_package).encode()
    case.input |= {
        "mls_suite": asked.suite,
        "key_package": key_package,
        "now": asked.now,
        "by": asked.by,
    }
    hashed = vector(b"MLS 1.0 KeyPackage Reference") + vector(key_package)
    if case.reason is None:
        case.intermediate["hashed"] = hashed
        case.output |= {
            "key_package_ref": MLS_KDF[suite][0].hash(hashed),
            "account_id": "bob",
            "account_key": bob.account_key,
            "device_id": 1,
        }


@GROUP.vector("KEYS-6", "KEYS-26", each=BOTH)
def key_package_in(case: Case, suite: int) -> None:
    """One as devices put them into the directory."""
    judged(case, Asked(suite))


@GROUP.vector("KEYS-1", reason=Refusal.KEY_PACKAGE_CIPHER_SUITE, each=BOTH)
def key_package_of_the_other_suite_in(case: Case, suite: int) -> None:
    """A KeyPackage is for one suite."""
    case.features.add("hybrid")
    judged(case, Asked(suite, next(other for other in MLS_KDF if other != suite)))


def lifetime(before: int, after: int) -> Callable[[Person], Client]:
    """Of so many seconds before and after NOW."""

    def leaf(plain: LeafNode) -> LeafNode:
        return replace(plain, details=Lifetime(NOW - before, NOW + after))

    return lambda bob: bob.client(change_leaf=leaf)


SECOND = 1000
MARGIN = DAY * 1000


@GROUP.vector(
    "KEYS-8",
    each={
        "added-in-its-first-second": (ADDS, (0, DAY), 0),
        "added-in-its-last-second": (ADDS, (DAY, 0), 999),
        "received-24-hours-before": (RECEIVES, (0, DAY), -MARGIN),
        "received-24-hours-after": (RECEIVES, (DAY, 0), MARGIN + 999),
        "of-31-days": (ADDS, (3600, 31 * DAY - 3600), 0),
    },
)
def key_package_that_is(case: Case, how: tuple[str, tuple[int, int], int]) -> None:
    """Both ends belong to the lifetime."""
    by, ends, later = how
    judged(case, Asked(by=by, now=NOW * 1000 + later), lifetime(*ends))


@GROUP.vector(
    "KEYS-8",
    reason=Refusal.LEAF_NOT_YET_VALID,
    each={"added": (ADDS, -1), "received": (RECEIVES, -MARGIN - 1)},
)
def key_package_too_early(case: Case, how: tuple[str, int]) -> None:
    """A millisecond before the first that is accepted."""
    by, later = how
    judged(case, Asked(by=by, now=NOW * 1000 + later), lifetime(0, DAY))


@GROUP.vector(
    "KEYS-8",
    reason=Refusal.LEAF_EXPIRED,
    each={"added": (ADDS, SECOND), "received": (RECEIVES, MARGIN + SECOND)},
)
def key_package_too_late(case: Case, how: tuple[str, int]) -> None:
    """A millisecond after the last that is accepted."""
    by, later = how
    judged(case, Asked(by=by, now=NOW * 1000 + later), lifetime(DAY, 0))


@GROUP.vector(
    "KEYS-8", reason=Refusal.LEAF_LIFETIME_TOO_LONG, each={"added": ADDS, "received": RECEIVES}
)
def key_package_of_31_days_and_a_second(case: Case, by: str) -> None:
    """From end to end, whenever it is judged, and for whoever receives it too."""
    judged(case, Asked(by=by), lifetime(3600, 31 * DAY - 3599))


def x25519(point: int) -> Change[bytes]:
    """Another X25519 half."""
    return lambda key: key[:-32] + point.to_bytes(32, "little")


MALFORMED: Mapping[str, tuple[int, Change[bytes]]] = {
    "a-byte-too-few-0x0001": (0x0001, lambda key: key[:-1]),
    "a-byte-too-few-0xf0e2": (HYBRID, lambda key: key[:-1]),
    "small-order-0x0001": (0x0001, x25519(0)),
    "small-order-0xf0e2": (HYBRID, x25519(0)),
    "first-coefficient-3329-0xf0e2": (HYBRID, with_coefficient(0, 3329)),
    "last-coefficient-4095-0xf0e2": (HYBRID, with_coefficient(767, 4095)),
}


@GROUP.vector("KEYS-26", reason=Refusal.KEY_PACKAGE_INIT_KEY_MALFORMED, each=MALFORMED)
def init_key_of(case: Case, how: tuple[int, Change[bytes]]) -> None:
    """Found when the KeyPackage comes, not when a Welcome is sealed to it."""
    suite, change = how
    judged(
        case,
        Asked(suite, by=ADDS),
        lambda bob: bob.client(
            change=lambda plain: replace(plain, init_key=change(plain.init_key))
        ),
    )


@GROUP.vector("KEYS-26", reason=Refusal.LEAF_ENCRYPTION_KEY_MALFORMED, each=MALFORMED)
def encryption_key_of(case: Case, how: tuple[int, Change[bytes]]) -> None:
    """The leaf's key, under signatures that are right."""
    suite, change = how

    def leaf(plain: LeafNode) -> LeafNode:
        return replace(plain, encryption_key=change(plain.encryption_key))

    judged(case, Asked(suite), lambda bob: bob.client(change_leaf=leaf))


@GROUP.vector("KEYS-6", reason=Refusal.KEY_PACKAGE_SIGNATURE, each=BOTH)
def key_package_changed_after_signing(case: Case, suite: int) -> None:
    """One bit of its init_key, which is a key all the same."""

    def change(made: KeyPackage) -> KeyPackage:
        key = bytearray(made.init_key)
        key[-2] ^= 1
        return replace(made, init_key=bytes(key))

    judged(case, Asked(suite), signed=change)


@GROUP.vector("KEYS-6", reason=Refusal.BAD_ACCOUNT_SIGNATURE)
def key_package_with_the_certificate_of_another_device(case: Case) -> None:
    """Its account certified another signature key."""
    other = Person.of(case, "bob", 2)
    judged(case, Asked(), lambda bob: bob.client(certificate=other.certificate))


@GROUP.vector(
    "KEYS-6", reason=Refusal.TRUNCATED, each={"no-bytes": b"", "a-name": b"\x01\x05alice"}
)
def key_package_whose_identity_is(case: Case, identity: bytes) -> None:
    """A basic credential with something else than a DeviceCertificate."""
    judged(case, Asked(), lambda bob: bob.client(certificate=identity))


@GROUP.vector("KEYS-6", reason=Refusal.CREDENTIAL_NOT_BASIC)
def key_package_with_an_x509_credential(case: Case) -> None:
    """RFC 9420 has it; calls have not."""

    def make(bob: Person) -> Client:
        chain = x509_credential(bob.forge.suite, "bob", bob.leaf)

        def leaf(plain: LeafNode) -> LeafNode:
            listed = replace(plain.capabilities, credentials=(CredentialType.X509,))
            return replace(plain, credential=chain, capabilities=listed)

        return bob.client(change_leaf=leaf)

    judged(case, Asked(), make)
