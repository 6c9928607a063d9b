"""What all stored bytes have in common: their envelope, and how they are refused.

    magic (8) | format version (2) | kind (1) | body | SHA-256 of all before (32)

The hash finds damage: a bit that flipped, a write that stopped half way. It is no MAC and finds no deceit: who can
write the store can write any group into it, so the application seals what it stores.

A version names one layout of every kind, and no other is read. Whoever changes a layout gives it a new version, and
writes what reads the old one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from itertools import pairwise
from typing import TypeVar

from e2ee.crypto.kdf import HKDF_SHA256
from e2ee.crypto.secret import Secret, equal
from e2ee.errors import E2EEError
from e2ee.mls.errors import Rule, StorageError

__all__ = ["StoredKind", "check_length", "check_order", "refused_as", "unwrap", "wrap"]

_Key = TypeVar("_Key", int, bytes)

FORMAT_VERSION = 1
_HEADER = b"e2ee-mls" + FORMAT_VERSION.to_bytes(2, "big")


class StoredKind(IntEnum):
    """What an envelope holds."""

    GROUP = 1
    PENDING_COMMIT = 2
    PREDECESSOR = 3


def wrap(kind: StoredKind, body: bytes) -> Secret:
    """``body`` in its envelope."""
    content = _HEADER + bytes([kind]) + body
    return Secret(content + HKDF_SHA256.hash(content))


def unwrap(kind: StoredKind, stored: bytes) -> bytes:
    """The body of an envelope of this kind. Raises StorageError: STORED_FORMAT, STORED_DAMAGED, STORED_KIND."""
    if not stored.startswith(_HEADER):
        raise StorageError(Rule.STORED_FORMAT, f"version {FORMAT_VERSION} is read, and no other")
    content, digest = stored[: -HKDF_SHA256.Nh], stored[-HKDF_SHA256.Nh :]
    if not equal(HKDF_SHA256.hash(content), digest):
        raise StorageError(Rule.STORED_DAMAGED)
    found = content[len(_HEADER) :][:1]
    if found != bytes([kind]):
        raise StorageError(Rule.STORED_KIND, f"{found.hex()} where {kind:02x} is due")
    return content[len(_HEADER) + 1 :]


@contextmanager
def refused_as(rule: Rule) -> Iterator[None]:
    """What anybody else refuses in this block is refused as stored bytes that break ``rule``: nobody sent them."""
    try:
        yield
    except StorageError:
        raise
    except E2EEError as error:
        raise StorageError(rule, str(error)) from None


def check_length(value: bytes, length: int) -> None:
    """A secret, key or hash has the length that its suite gives it. Raises StorageError(STORED_LENGTH)."""
    if len(value) != length:
        raise StorageError(Rule.STORED_LENGTH, f"{len(value)} bytes where {length} are due")


def check_order(keys: Iterable[_Key]) -> None:
    """Entries stand in the order of their keys, none twice. Raises StorageError(STORED_ORDER)."""
    if any(before >= after for before, after in pairwise(keys)):
        raise StorageError(Rule.STORED_ORDER)
