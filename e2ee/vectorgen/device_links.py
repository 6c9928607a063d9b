"""Vectors of the chapter Identity: what a new device shows, and what it takes from its primary."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from e2ee.crypto.aead import AES_256_GCM
from e2ee.crypto.kdf import HKDF_SHA256, HKDF_SHA512
from e2ee.crypto.signature import ED25519
from e2ee.vectorgen.certificates import DAY, NOW, Device, label, numbers, vector
from e2ee.vectorgen.models import digits, u16, u32
from e2ee.vectorgen.registry import Case, Group

__all__ = ["GROUPS", "base64url", "safety_hash"]

links = Group(
    "device-link",
    "The text that a new device shows -> what it asks for, and link_id, or why it is refused.",
)
openings = Group(
    "device-link-opening",
    "What comes to a new device that made text at made_at and showed it, from server_name, at the time now (Unix milliseconds) -> the account and"
    " the contacts that it opens, or why it is refused. flags: 1 verified, 2 blocked.",
)


class Refusal(StrEnum):
    """Why a text, or what came, is refused."""

    NOT_CANONICAL = "NOT_CANONICAL"
    UNKNOWN_VALUE = "UNKNOWN_VALUE"
    TRUNCATED = "TRUNCATED"
    TRAILING_BYTES = "TRAILING_BYTES"
    BAD_VERSION = "BAD_VERSION"
    BAD_VERSIONS = "BAD_VERSIONS"
    BAD_SUITES = "BAD_SUITES"
    BAD_ROLES = "BAD_ROLES"
    BAD_LINK_SIGNATURE = "BAD_LINK_SIGNATURE"
    BAD_ACCOUNT_SIGNATURE = "BAD_ACCOUNT_SIGNATURE"
    LINK_NOT_AUTHENTIC = "LINK_NOT_AUTHENTIC"
    LINK_NOT_AS_SHOWN = "LINK_NOT_AS_SHOWN"
    WRONG_SERVER = "WRONG_SERVER"
    BAD_CONTACTS = "BAD_CONTACTS"
    EXPIRED = "EXPIRED"
    LINK_EXPIRED = "LINK_EXPIRED"


def base64url(data: bytes) -> str:
    """RFC 4648, Section 5, without padding."""
    return urlsafe_b64encode(data).decode().rstrip("=")


def safety_hash(account_id: str, account_key: bytes) -> bytes:
    """IDENT-12: H[5200]."""
    hashed = HKDF_SHA512.hash(u16(1) + account_key + account_id.encode())
    for _ in range(5200):
        hashed = HKDF_SHA512.hash(hashed + account_key)
    return hashed


@dataclass(frozen=True)
class Link:
    """A DeviceLink, whose fields a case may change before or after signing."""

    signature_key: bytes
    secret: bytes
    version: int = 1
    versions: tuple[int, ...] = (0x0100,)
    suites: tuple[int, ...] = (0x0001, 0xF0E2)
    roles: int = 2
    signature: bytes = b""

    def unsigned(self) -> bytes:
        fields = bytes([self.version]) + self.signature_key + self.secret
        return fields + numbers(self.versions) + numbers(self.suites) + u16(self.roles)

    def encode(self) -> bytes:
        return self.unsigned() + self.signature

    @property
    def text(self) -> str:
        return "e2ee-link:" + base64url(self.encode())


def shown(case: Case, **fields: Any) -> Link:
    """What the new device of a case shows."""
    device = ED25519.generate(case.entropy.fork(b"leaf"))
    link = replace(Link(device.public, case.entropy.fork(b"secret").random(32)), **fields)
    signed = label("New device") + link.unsigned()
    case.intermediate["signed"] = signed
    return replace(link, signature=ED25519.sign(device.private, signed))


def derived(link: Link) -> dict[str, bytes]:
    """IDENT-17's formulas."""
    prk = HKDF_SHA256.extract(b"", link.secret)
    return {
        "prk": prk,
        "link_id": HKDF_SHA256.expand(prk, label("Device link id"), 16),
        "key": HKDF_SHA256.expand(prk, label("Device link key"), 32),
    }


@links.vector("IDENT-17", "IDENT-20", each={"of-a-recorder": {}, "of-a-person": {"roles": 0}})
def link(case: Case, fields: dict[str, Any]) -> None:
    """The holder of the signature key asks for a certificate of these versions, suites and roles."""
    made = shown(case, **fields)
    steps = derived(made)
    case.input["text"] = made.text
    case.intermediate["prk"] = steps["prk"]
    case.output |= {
        "link_id": steps["link_id"],
        "signature_key": made.signature_key,
        "versions": made.versions,
        "suites": made.suites,
        "roles": made.roles,
    }


@links.vector("IDENT-20", reason=Refusal.BAD_VERSION)
def link_of_another_version(case: Case) -> None:
    """Signed, and of a version that this protocol does not have."""
    refused(case, shown(case, version=2).text)


NO_DEVICE: dict[Refusal, dict[str, dict[str, Any]]] = {
    Refusal.BAD_VERSIONS: {
        "no-version": {"versions": ()},
        "a-version-twice": {"versions": (0x0100, 0x0100)},
    },
    Refusal.BAD_SUITES: {"no-suite": {"suites": ()}, "a-suite-twice": {"suites": (1, 1)}},
    Refusal.BAD_ROLES: {"an-unassigned-role": {"roles": 8}},
}


def link_of_a_device_with(case: Case, fields: dict[str, Any]) -> None:
    """Signed, and no certificate may say so (IDENT-1): it is refused before a person is asked."""
    refused(case, shown(case, **fields).text)


for _reason, _fields in NO_DEVICE.items():
    links.vector("IDENT-20", "IDENT-1", reason=_reason, each=_fields)(link_of_a_device_with)


@links.vector(
    "IDENT-20",
    reason=Refusal.BAD_LINK_SIGNATURE,
    each={"roles": {"roles": 0}, "secret": {"secret": bytes(32)}, "suites": {"suites": (1,)}},
)
def link_changed_in(case: Case, fields: dict[str, Any]) -> None:
    """Another text than the holder of the signature key made."""
    refused(case, replace(shown(case), **fields).text)


SPELLINGS: dict[str, Callable[[str], str]] = {
    "with-padding": lambda text: text + "==",
    "with-a-line-break": lambda text: text + "\n",
    "with-a-plus": lambda text: text[:-1] + "+",
}


@links.vector("IDENT-20", reason=Refusal.NOT_CANONICAL, each=SPELLINGS)
def link_spelt(case: Case, spell: Callable[[str], str]) -> None:
    """Not the one base64url of anything."""
    refused(case, spell(shown(case).text))


@links.vector("IDENT-20", reason=Refusal.UNKNOWN_VALUE)
def link_with_another_prefix(case: Case) -> None:
    """A safety code is no link."""
    refused(case, shown(case).text.replace("e2ee-link:", "e2ee-safety:"))


@links.vector("IDENT-20", reason=Refusal.TRUNCATED)
def link_cut_short(case: Case) -> None:
    """The signature lacks its last byte."""
    refused(case, "e2ee-link:" + base64url(shown(case).encode()[:-1]))


@links.vector("IDENT-20", reason=Refusal.TRAILING_BYTES)
def link_with_more_bytes(case: Case) -> None:
    """A byte after the signature."""
    refused(case, "e2ee-link:" + base64url(shown(case).encode() + b"\x00"))


def refused(case: Case, text: str) -> None:
    """The case is about this text."""
    case.input["text"] = text
    case.intermediate["prk"] = b""


# What comes back


def contact(account_id: str, key: bytes | None, flags: int, generation: int = 0) -> dict[str, Any]:
    """A LinkedContact."""
    return {
        "account_id": account_id,
        "account_key": key,
        "generation": generation,
        "highest_suite": 0xF0E2 if key else 0,
        "flags": flags,
    }


def encode_contact(each: dict[str, Any]) -> bytes:
    key: bytes | None = each["account_key"]
    account_id: str = each["account_id"]
    return (
        vector(account_id.encode())
        + (b"\x00" if key is None else b"\x01" + key)
        + u32(each["generation"])
        + u16(each["highest_suite"])
        + bytes([each["flags"]])
    )


class Primary:
    """Alice's primary, which sends what the case says."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.link = shown(case)
        self.device = Device(case)
        self.shown = {"versions": self.link.versions, "suites": self.link.suites, "roles": 2}
        self.contacts = [
            contact("bob", case.entropy.fork(b"bob").random(32), 1, 3),
            contact("mallory", None, 2),
        ]

    def sends(
        self,
        *,
        link: Link | None = None,
        leaf: bytes | None = None,
        server: str = "calls.example",
        late: int = 0,
        waited: int = 0,
        change: Callable[[bytes], bytes] = bytes,
        **certified: Any,
    ) -> None:
        """The sealed content, right but for what is said here."""
        device = self.device
        if leaf is not None:
            device.leaf = replace(device.leaf, public=leaf)
        certificate = device.certified(**self.shown | {"device_id": 2} | certified)
        content = (
            vector(certificate)
            + vector(server.encode())
            + bytes([9]) * 32
            + vector(b"\x07" + device.directory.public)
            + vector(b"".join(map(encode_contact, self.contacts)))
        )
        key = derived(self.link)["key"]
        nonce = self.case.entropy.random(12)
        aad = label("Device link") + (link or self.link).encode()
        sealed = nonce + AES_256_GCM.key(key).seal(nonce, aad, content)
        self.case.input |= {
            "text": self.link.text,
            "signature_private_key": ED25519.generate(self.case.entropy.fork(b"leaf")).private,
            "sealed": change(sealed),
            "server_name": "calls.example",
            "made_at": (NOW + late) * 1000 - waited,
            "now": (NOW + late) * 1000,
        }
        self.case.intermediate = {"key": key, "aad": aad, "content": content}

    def opens(self) -> None:
        """It opens to what was sealed."""
        account_key = self.device.account.public
        self.case.output |= {
            "account_id": "alice",
            "account_digits": digits(safety_hash("alice", account_key)[:30]),
            "device_id": 2,
            "delivery_key": bytes([9]) * 32,
            "directory_keys": {7: self.device.directory.public},
            "contacts": self.contacts,
        }


@openings.vector("IDENT-17", "IDENT-21", "IDENT-22", "IDENT-23")
def opening(case: Case) -> None:
    """A certificate of what was shown, a contact who was compared and one who is blocked."""
    primary = Primary(case)
    primary.sends()
    primary.opens()


LARGEST = 1 << 16


def full(case: Case, size: int) -> Primary:
    """What is sealed has this many bytes: contacts of 100 bytes each, and some of 101."""
    primary = Primary(case)
    primary.contacts = []
    primary.sends()
    whole, rest = divmod(
        size - len(case.input["sealed"]) - 3, 100
    )  # the list's length takes 3 bytes more
    primary.contacts = [
        contact(f"{n:04}".ljust(59 + (n < rest), "x"), case.entropy.random(32), 0)
        for n in range(whole)
    ]
    primary.sends()
    return primary


@openings.vector("IDENT-21", "IDENT-22")
def opening_of_64_kib(case: Case) -> None:
    """As much as may be sealed: the list of contacts has a length in four bytes."""
    full(case, LARGEST).opens()


@openings.vector("IDENT-21", reason=Refusal.LINK_NOT_AUTHENTIC)
def opening_of_a_byte_more_than_64_kib(case: Case) -> None:
    """It is sealed as it must be."""
    full(case, LARGEST + 1)


@openings.vector("IDENT-22")
def opening_without_contacts(case: Case) -> None:
    """Of an account that knows nobody."""
    primary = Primary(case)
    primary.contacts = []
    primary.sends()
    primary.opens()


@openings.vector(
    "IDENT-22",
    reason=Refusal.LINK_NOT_AUTHENTIC,
    each={
        "nonce": lambda sealed: b"\x00" + sealed[1:],
        "tag": lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]),
        "length": lambda sealed: sealed[:20],
    },
)
def opening_with_another(case: Case, change: Callable[[bytes], bytes]) -> None:
    """What came is not what was sealed."""
    Primary(case).sends(change=change)


@openings.vector("IDENT-22", reason=Refusal.LINK_NOT_AUTHENTIC)
def opening_for_another_text(case: Case) -> None:
    """Sealed to a text with this secret and other suites."""
    primary = Primary(case)
    primary.sends(link=replace(primary.link, suites=(0x0001,)))


@openings.vector("IDENT-22", "IDENT-3", reason=Refusal.BAD_ACCOUNT_SIGNATURE)
def opening_for_another_signature_key(case: Case) -> None:
    """The certificate is another device's."""
    Primary(case).sends(leaf=ED25519.generate(case.entropy.fork(b"other")).public)


@openings.vector(
    "IDENT-22",
    reason=Refusal.LINK_NOT_AS_SHOWN,
    each={
        "versions": {"versions": (0x0200,)},
        "suites": {"suites": (0x0001,)},
        "roles": {"roles": 0},
    },
)
def opening_of_other(case: Case, certified: dict[str, Any]) -> None:
    """A certificate that says something else than the device showed."""
    Primary(case).sends(**certified)


LIFETIME = 600_000


@openings.vector("IDENT-17")
def opening_in_the_last_millisecond(case: Case) -> None:
    """The secret is kept for 10 minutes."""
    primary = Primary(case)
    primary.sends(waited=LIFETIME - 1)
    primary.opens()


@openings.vector("IDENT-17", reason=Refusal.LINK_EXPIRED)
def opening_after_10_minutes(case: Case) -> None:
    """Whoever read the text could have opened it by then."""
    Primary(case).sends(waited=LIFETIME)


@openings.vector("IDENT-22", reason=Refusal.WRONG_SERVER)
def opening_for_another_server(case: Case) -> None:
    """The account is at another server than the device connected to."""
    Primary(case).sends(server="calls.example.org")


@openings.vector("IDENT-22", "IDENT-5")
def opening_a_day_after_the_certificate_ended(case: Case) -> None:
    """The new device receives the certificate: dates may be wrong by 24 hours."""
    primary = Primary(case)
    primary.sends(late=29 * DAY)
    primary.opens()


@openings.vector("IDENT-22", "IDENT-5", reason=Refusal.EXPIRED)
def opening_too_late(case: Case) -> None:
    """The certificate ended more than 24 hours ago."""
    Primary(case).sends(late=29 * DAY + 1)


@openings.vector(
    "IDENT-22",
    reason=Refusal.BAD_CONTACTS,
    each={
        "one-twice": [contact("bob", bytes(32), 0), contact("bob", None, 2)],
        "one-verified-without-a-key": [contact("bob", None, 1)],
        "an-unassigned-flag": [contact("bob", bytes(32), 4)],
    },
)
def opening_with_contacts(case: Case, contacts: list[dict[str, Any]]) -> None:
    """A list that no primary makes."""
    primary = Primary(case)
    primary.contacts = contacts
    primary.sends()


GROUPS = (links, openings)
