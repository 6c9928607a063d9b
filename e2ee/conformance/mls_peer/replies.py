"""What operations answer, beside ``"ok": true``. Bytes and messages are written as hex.

A null stands for what there is not: no Welcome where nobody was added, no data in a commit.
"""

from __future__ import annotations

from typing import TypedDict

from e2ee.mls.message import MLSMessage

__all__ = [
    "Client",
    "Committed",
    "Encrypted",
    "Exported",
    "GroupInformation",
    "Info",
    "Joined",
    "Member",
    "Nothing",
    "Processed",
    "Proposed",
    "Suite",
    "Suites",
]


class Nothing(TypedDict):
    """It is done, and there is nothing to say."""


class Suite(TypedDict):
    """One that this peer speaks."""

    code_point: int
    name: str


class Suites(TypedDict):
    """All that this peer speaks."""

    suites: list[Suite]


class Client(TypedDict):
    """A new client's KeyPackage."""

    key_package: MLSMessage


class Proposed(TypedDict):
    """The proposals: those to add, those to remove, the update."""

    proposals: list[MLSMessage]


class Committed(TypedDict):
    """``tree`` is what a joiner needs beside a Welcome without it; null if the Welcome has it."""

    commit: MLSMessage
    welcome: MLSMessage | None
    tree: bytes | None


class Joined(TypedDict):
    """The commit by which a client brought itself in."""

    commit: MLSMessage


class Processed(TypedDict):
    """``kind`` is proposal, commit or application; ``data`` is an application message's.

    ``sender`` is a leaf index, null for who is no member; ``removed``: this commit ended the client's membership.
    """

    kind: str
    data: bytes | None
    authenticated_data: bytes
    sender: int | None
    removed: bool


class Encrypted(TypedDict):
    """A PrivateMessage."""

    message: MLSMessage


class Exported(TypedDict):
    """MLS-Exporter's output."""

    secret: bytes


class GroupInformation(TypedDict):
    """A GroupInfo with ratchet_tree and external_pub."""

    group_info: MLSMessage


class Member(TypedDict):
    """``name`` is null where the identity is not UTF-8, both names where the credential is not basic."""

    leaf_index: int
    name: str | None
    name_hex: bytes | None
    signature_key: bytes


class Info(TypedDict):
    """Where a client stands."""

    epoch: int
    epoch_authenticator: bytes
    tree_hash: bytes
    leaf_index: int
    roster: list[Member]
