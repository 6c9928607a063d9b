"""A DeviceCertificate written byte by byte, so that a case can break one rule under signatures that are right."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.vectorgen.models import u16, u32, u64
from e2ee.vectorgen.registry import Case

__all__ = ["DAY", "NOW", "NO_ATTESTATION", "Device", "Statement", "label", "opaque16"]

NOW = 1_800_000_000
"""A Friday in January 2027, in Unix seconds."""

DAY = 24 * 3600

NO_ATTESTATION = bytes(1 + 8 + 64)
"""The certificate's last three fields when nobody vouches for the account."""


def label(text: str) -> bytes:
    """README, Conventions."""
    return b"E2EE Call 1.0 " + text.encode()


def opaque16(content: bytes) -> bytes:
    """README, Conventions."""
    return u16(len(content)) + content


def vector(content: bytes) -> bytes:
    """``<V>`` of RFC 9420, Section 2.1.2."""
    if len(content) < 64:
        return bytes([len(content)]) + content
    if len(content) < 1 << 14:
        return u16(0x4000 | len(content)) + content
    return u32(0x80000000 | len(content)) + content


def numbers(values: tuple[int, ...]) -> bytes:
    """``uint16 x<V>``."""
    return vector(b"".join(map(u16, values)))


@dataclass(frozen=True)
class Statement:
    """The fields of a DeviceCertificate before ``account_signature``."""

    account_key: bytes
    version: int = 1
    account_id: bytes = b"alice"
    device_id: int = 1
    generation: int = 0
    not_before: int = NOW - 3600
    not_after: int = NOW + 28 * DAY
    versions: tuple[int, ...] = (0x0100,)
    suites: tuple[int, ...] = (0x0001, 0xF0E2)
    roles: int = 0

    def encode(self) -> bytes:
        return (
            bytes([self.version])
            + vector(self.account_id)
            + self.account_key
            + self.device_id.to_bytes(4, "big")
            + self.generation.to_bytes(4, "big")
            + u64(self.not_before)
            + u64(self.not_after)
            + numbers(self.versions)
            + numbers(self.suites)
            + u16(self.roles)
        )

    def says(self) -> dict[str, Any]:
        """What a verified certificate says."""
        return {
            "account_id": self.account_id.decode(),
            "account_key": self.account_key,
            "device_id": self.device_id,
            "generation": self.generation,
            "versions": self.versions,
            "suites": self.suites,
            "roles": self.roles,
        }


class Device:
    """Alice's device in one case: her account key signs what the case says."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.account = ED25519.generate(case.entropy.fork(b"account"))
        self.leaf = ED25519.generate(case.entropy.fork(b"leaf"))
        self.directory = ED25519.generate(case.entropy.fork(b"directory"))
        self.statement = Statement(self.account.public)

    def certified(self, **fields: Any) -> bytes:
        """The statement with these fields, and Alice's signature over it, without an attestation."""
        return self.signed(replace(self.statement, **fields).encode()) + NO_ATTESTATION

    def signed(
        self, statement: bytes, *, text: str = "Device", key: SigningKey | None = None
    ) -> bytes:
        """``statement`` and a signature over it, right unless the case wants another label or key."""
        content = label(text) + statement + opaque16(self.leaf.public)
        self.case.intermediate |= {"statement": statement, "signed": content}
        return statement + ED25519.sign((key or self.account).private, content)

    def attested(
        self, until: int, *, account_id: bytes = b"alice", key: bytes | None = None
    ) -> bytes:
        """The directory's attestation under key id 7, as the certificate holds it."""
        content = (
            label("Account") + opaque16(account_id) + (key or self.account.public) + u64(until)
        )
        self.case.intermediate["attested"] = content
        return b"\x07" + u64(until) + ED25519.sign(self.directory.private, content)

    def judged(self, identity: bytes, leaf_signature_key: bytes | None = None) -> None:
        """The case is about a leaf with this identity."""
        key = self.leaf.public if leaf_signature_key is None else leaf_signature_key
        self.case.input |= {"identity": identity, "leaf_signature_key": key}
