"""An input as choices: the first bytes say what, the rest is what is fed. Every input means something, the empty one too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

__all__ = ["Choices"]

T = TypeVar("T")


class Choices:
    """Bytes that are taken from the front; where none are left, zeros."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """How many bytes were not taken yet."""
        return max(0, len(self._data) - self._at)

    def number(self, size: int = 1) -> int:
        """The next ``size`` bytes as a number."""
        return int.from_bytes(self.octets(size).ljust(size, b"\0"), "big")

    def one_of(self, some: Sequence[T]) -> T:
        """The one that the next byte names, modulo their number."""
        return some[self.number() % len(some)]

    def octets(self, size: int) -> bytes:
        """At most ``size`` bytes."""
        taken = self._data[self._at : self._at + size]
        self._at += size
        return taken

    def piece(self) -> bytes:
        """Bytes after their length as u16, as far as there are so many."""
        return self.octets(self.number(2))

    def rest(self) -> bytes:
        """All that is left."""
        return self.octets(self.left)
