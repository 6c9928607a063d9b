"""Tables in memory whose changes can be undone, in the order opposite to that in which they were made."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

__all__ = ["Journal", "Table"]

K = TypeVar("K")
V = TypeVar("V")


class Journal:
    """What was changed, the latest last: in which rows, at which key, and what was there before."""

    def __init__(self) -> None:
        self.changes: list[tuple[dict[Any, Any], Any, Any]] = []

    @contextlib.contextmanager
    def undone_on_error(self) -> Iterator[None]:
        """A block whose changes are undone if an exception leaves it."""
        mark = len(self.changes)
        try:
            yield
        except BaseException:
            while len(self.changes) > mark:
                rows, key, before = self.changes.pop()
                if before is None:
                    del rows[key]
                else:
                    rows[key] = before
            raise


class Table(Generic[K, V]):
    """Rows by key. A row never changes: another takes its place. None is no row."""

    def __init__(self, journal: Journal) -> None:
        self.rows: dict[K, V] = {}
        self._journal = journal

    def get(self, key: K) -> V | None:
        """The row of this key."""
        return self.rows.get(key)

    def put(self, key: K, row: V) -> None:
        """Let ``row`` take the place of this key's."""
        self._journal.changes.append((self.rows, key, self.rows.get(key)))
        self.rows[key] = row

    def remove(self, key: K) -> None:
        """Remove the row of this key, if there is one."""
        if key in self.rows:
            self._journal.changes.append((self.rows, key, self.rows.pop(key)))

    def remove_where(self, condition: Callable[[V], bool]) -> list[V]:
        """Remove the rows of which ``condition`` is true; gives them."""
        gone = {key: row for key, row in self.rows.items() if condition(row)}
        for key in gone:
            self.remove(key)
        return list(gone.values())
