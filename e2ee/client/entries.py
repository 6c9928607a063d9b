"""Where a client's keys and contacts are kept: an interface that the disk has, and memory that forgets."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from typing import Protocol

from e2ee.crypto.secret import Secret

__all__ = ["Entries", "MemoryEntries"]


class Entries(Protocol):
    """Values by section and name. A write has happened when its call, or its transaction, returns."""

    def get(self, section: str, name: bytes) -> Secret | None:
        """The value that was put there, or None."""

    def put(self, section: str, name: bytes, value: bytes) -> None:
        """Keep a value, in the place of an earlier one."""

    def delete(self, section: str, name: bytes) -> None:
        """Erase an entry, if there is one."""

    def items(self, section: str) -> dict[bytes, Secret]:
        """All entries of a section, by name."""

    def transaction(self) -> AbstractContextManager[None]:
        """All that is put and deleted in it takes effect together, or not at all."""


class MemoryEntries:
    """For a device that lives as long as its process. No write can fail here, so a transaction has nothing to undo."""

    def __init__(self) -> None:
        self._sections: dict[str, dict[bytes, Secret]] = {}

    def get(self, section: str, name: bytes) -> Secret | None:
        return self._sections.get(section, {}).get(name)

    def put(self, section: str, name: bytes, value: bytes) -> None:
        self._sections.setdefault(section, {})[name] = Secret(value)

    def delete(self, section: str, name: bytes) -> None:
        self._sections.get(section, {}).pop(name, None)

    def items(self, section: str) -> dict[bytes, Secret]:
        return dict(self._sections.get(section, {}))

    def transaction(self) -> AbstractContextManager[None]:
        return contextlib.nullcontext()
