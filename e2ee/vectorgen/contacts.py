"""Vectors of the chapter Identity: whom a client trusts, step by step, and which certificate a device takes as its own new one."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Any

from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.vectorgen.certificates import DAY, NO_ATTESTATION, NOW, Statement, label, opaque16
from e2ee.vectorgen.models import u64
from e2ee.vectorgen.registry import Case, Group
from e2ee.vectorgen.steps import Steps

__all__ = ["GROUPS"]

contacts = Group(
    "contact",
    "A client that knows nobody and was shipped with directory_keys, at the time now (Unix milliseconds). `see`: the certificate of a"
    " device that is in a call, or in a directory's answer, whatever becomes of it. `meet`: it wants to call or answer this device."
    " `accept-change`: a person accepts this certificate's account key. `compare`: people compared the number of account_id with"
    " account_key, and it was the same. state is the contact's after the step: null while nothing is pinned; of `meet` what a person"
    " is shown, which may be `changed`: then there is no call.",
)
renewals = Group(
    "renewal",
    "Does a device with this identity and leaf_signature_key take `offered`, which came in a `certificate` message, in its place?",
)

GROUPS = (contacts, renewals)


class Refusal(StrEnum):
    """Why a certificate is not accepted."""

    NOT_ATTESTED = "NOT_ATTESTED"
    REVOKED = "REVOKED"
    ANOTHER_DEVICE = "ANOTHER_DEVICE"
    NOT_NEWER = "NOT_NEWER"
    BAD_ACCOUNT_SIGNATURE = "BAD_ACCOUNT_SIGNATURE"


KEY_ID = 7


class World:
    """A case's client, and what others have."""

    def __init__(self, case: Case) -> None:
        self.case, self.steps = case, Steps(case)
        self.directory = ED25519.generate(case.entropy.fork(b"directory"))
        case.input |= {"directory_keys": {KEY_ID: self.directory.public}, "now": NOW * 1000}

    def account(self, key: str = "") -> SigningKey:
        """A key of Alice's account, or of who calls himself so."""
        return ED25519.generate(self.case.entropy.fork(f"account {key}".encode()))

    def certificate(
        self, key: str = "", *, attested: bool = True, device_id: int = 1, generation: int = 0
    ) -> dict[str, Any]:
        """A device of this key's."""
        account = self.account(key)
        leaf = ED25519.generate(self.case.entropy.fork(f"leaf {key} {device_id}".encode()))
        statement = Statement(account.public, device_id=device_id, generation=generation).encode()
        content = label("Device") + statement + opaque16(leaf.public)
        identity = statement + ED25519.sign(account.private, content)
        return {
            "identity": identity + (self._attestation(account) if attested else NO_ATTESTATION),
            "leaf_signature_key": leaf.public,
        }

    def _attestation(self, account: SigningKey) -> bytes:
        until = u64(NOW + DAY)
        content = label("Account") + opaque16(b"alice") + account.public + until
        return bytes([KEY_ID]) + until + ED25519.sign(self.directory.private, content)

    def does(self, step: str, state: str | None, key: str = "", **certified: Any) -> None:
        """Something with a certificate."""
        self.steps.add({"step": step, **self.certificate(key, **certified)}, {"state": state})

    def compares(self, state: str, key: str = "") -> None:
        """A number, and it is the same."""
        account = {"account_id": "alice", "account_key": self.account(key).public}
        self.steps.add({"step": "compare", **account}, {"state": state})


@contacts.vector("IDENT-8", "IDENT-9")
def contact_met_for_the_first_time(case: Case) -> None:
    """The directory vouches for the key, and so it is pinned; from then on nobody need vouch for it."""
    world = World(case)
    world.does("see", None)
    world.does("meet", "unverified")
    world.does("meet", "unverified", attested=False, device_id=2)


@contacts.vector("IDENT-8", "IDENT-9", reason=Refusal.NOT_ATTESTED)
def contact_for_whom_nobody_vouches(case: Case) -> None:
    """Nothing is pinned, and its sender hears nothing."""
    World(case).does("meet", None, attested=False)


@contacts.vector("IDENT-8")
def contact_whose_number_was_compared_first(case: Case) -> None:
    """A number that was compared pins as well, before anybody was met and with nobody vouching."""
    world = World(case)
    world.compares("verified")
    world.does("meet", "verified", attested=False)


@contacts.vector("IDENT-10")
def contact_with_another_key(case: Case) -> None:
    """Shown as changed, attested or not; the key that was known stays the contact's."""
    world = World(case)
    world.does("meet", "unverified")
    world.does("meet", "changed", "other")
    world.does("meet", "changed", "other", attested=False)
    world.does("meet", "unverified", attested=False)


@contacts.vector("IDENT-18")
def contact_whose_change_was_accepted(case: Case) -> None:
    """The mark stays with the old key; only people who compare the new one give it a mark, and then the old one is the changed one."""
    world = World(case)
    world.does("meet", "unverified")
    world.compares("verified")
    world.does("meet", "changed", "other")
    world.does("accept-change", "unverified", "other")
    world.does("meet", "unverified", "other")
    world.compares("verified", "other")
    world.does("meet", "verified", "other", attested=False)
    world.does("meet", "changed")


@contacts.vector("IDENT-18")
def contact_whose_known_key_is_accepted_again(case: Case) -> None:
    """Nothing changed, and so the mark stays."""
    world = World(case)
    world.compares("verified")
    world.does("accept-change", "verified")


@contacts.vector("IDENT-8", "IDENT-18", reason=Refusal.NOT_ATTESTED)
def change_for_which_nobody_vouches(case: Case) -> None:
    """A person cannot accept a key that neither the directory nor a number stands for."""
    world = World(case)
    world.does("meet", "unverified")
    world.does("accept-change", None, "other", attested=False)


@contacts.vector("IDENT-7")
def generation_of_an_account_that_was_raised(case: Case) -> None:
    """The highest is remembered, of whichever device."""
    world = World(case)
    world.does("meet", "unverified", generation=3)
    world.does("meet", "unverified", generation=4, device_id=2)
    world.does("meet", "unverified", generation=4)


@contacts.vector(
    "IDENT-7",
    reason=Refusal.REVOKED,
    each={
        "pinned": ("", True),
        "attested": (None, True),
    },
)
def generation_that_was_seen_of_an_account(case: Case, how: tuple[str | None, bool]) -> None:
    """A device that was only seen, of a higher generation, revokes those of lower ones."""
    pinned, attested = how
    world = World(case)
    if pinned is not None:
        world.does("meet", "unverified")
    state = None if pinned is None else "unverified"
    world.does("see", state, generation=5, device_id=2, attested=attested and pinned is None)
    world.does("meet", None, generation=4)


@contacts.vector("IDENT-7")
def generation_that_was_seen_of_nobody(case: Case) -> None:
    """Of an account that is neither pinned nor attested nothing is remembered: anybody makes up as many as they like."""
    world = World(case)
    world.does("see", None, generation=5, attested=False)
    world.does("meet", "unverified", generation=4)


@contacts.vector("IDENT-7", reason=Refusal.REVOKED)
def generation_of_a_changed_key(case: Case) -> None:
    """Each key has its own, and a person cannot accept a revoked device's."""
    world = World(case)
    world.does("meet", "unverified", generation=9)
    world.does("meet", "changed", "other", generation=1)
    world.does("see", "unverified", "other", generation=2, device_id=2)
    world.does("accept-change", None, "other", generation=1)


# --- renewals ---


def offered(case: Case, *, leaf: str = "leaf", account: str = "account", **fields: Any) -> None:
    """Alice's device is offered a certificate with these fields, for this leaf key, by this account key."""
    keys = {name: ED25519.generate(case.entropy.fork(name.encode())) for name in (leaf, account)}
    own_leaf, own_account = (
        ED25519.generate(case.entropy.fork(name)) for name in (b"leaf", b"account")
    )
    current = Statement(own_account.public, generation=2)
    new = replace(current, **{"account_key": keys[account].public} | fields)
    case.input |= {
        "identity": signed(current, own_account, own_leaf),
        "leaf_signature_key": own_leaf.public,
        "offered": signed(new, keys[account], keys[leaf]),
    }


def signed(statement: Statement, account: SigningKey, leaf: SigningKey) -> bytes:
    """DeviceCertificate."""
    encoded = statement.encode()
    content = label("Device") + encoded + opaque16(leaf.public)
    return encoded + ED25519.sign(account.private, content) + NO_ATTESTATION


END = NOW + 28 * DAY


@renewals.vector(
    "IDENT-16",
    each={
        "a-later-end": {"not_after": END + 1},
        "a-higher-generation": {"generation": 3},
        "a-higher-generation-and-an-earlier-end": {"generation": 3, "not_after": END - DAY},
        "other-suites": {"not_after": END + 1, "suites": (0x0001,)},
    },
)
def renewal_with(case: Case, fields: dict[str, Any]) -> None:
    """Of this account and this device."""
    offered(case, **fields)


@renewals.vector(
    "IDENT-16",
    reason=Refusal.NOT_NEWER,
    each={"the-same": {}, "an-earlier-end": {"not_after": END - 1}},
)
def renewal_that_is(case: Case, fields: dict[str, Any]) -> None:
    """Nothing would be gained; a service that keeps an old one cannot bring it back."""
    offered(case, **fields)


@renewals.vector("IDENT-16", reason=Refusal.REVOKED)
def renewal_of_a_lower_generation(case: Case) -> None:
    """However long it is valid."""
    offered(case, generation=1, not_after=END + DAY)


@renewals.vector(
    "IDENT-16",
    reason=Refusal.ANOTHER_DEVICE,
    each={
        "account-id": {"account_id": b"alicf"},
        "device-id": {"device_id": 2},
        "account-key": {"account": "mallory"},
    },
)
def renewal_of_another(case: Case, fields: dict[str, Any]) -> None:
    """It verifies for this device's key, and says that the device is somebody else's."""
    offered(case, generation=3, **fields)


@renewals.vector("IDENT-16", reason=Refusal.BAD_ACCOUNT_SIGNATURE)
def renewal_for_another_signature_key(case: Case) -> None:
    """This device could not use it."""
    offered(case, generation=3, leaf="another leaf")
