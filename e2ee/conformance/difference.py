"""Where two JSON values differ first, in the order of the vectors' file, and how that is shown.

    output.protected, at byte 3 of 41
      expected  0011 22[33]4455…
      answered  0011 22[00]4455…

This module imports nothing of the package and nothing but the standard library.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from e2ee.conformance.shown import shown, shown_json

__all__ = ["ABSENT", "Difference", "first_difference"]

_HEX = re.compile(r"([0-9a-f]{2})+")

BEFORE, AFTER = 12, 20
"""Bytes that are shown around the first one that differs."""

SHORT = 64
"""Characters of a value in hexadecimal that is shown whole."""

KEPT = 4_096
"""Characters of an answered value that are kept, beyond as many as were expected: an answer may have 16 MiB."""

LARGEST_IN_DECIMAL = 255
"""A larger number is shown in hexadecimal too: most are of fields in bits."""


class _Absent:
    def __repr__(self) -> str:
        return "(absent)"


ABSENT = _Absent()
"""In place of a value that only one of the two has."""


class _Beginning(str):
    """Of a long list or object, as JSON."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """One value: where it stands (``output.shown[2].at``), what it must be, what it was."""

    path: str
    expected: Any
    answered: Any
    """Of a long one the beginning."""
    length: int | None = None
    """Characters of a text of which only the beginning is kept."""

    def headline(self) -> str:
        """The path, and for bytes the place of the first one that differs."""
        if not self._bytes():
            return self.path
        answered = len(self.answered) if self.length is None else self.length
        lengths = dict.fromkeys(each // 2 for each in (len(self.expected), answered))
        return f"{self.path}, at byte {self._offset()} of {' and '.join(map(str, lengths))}"

    def lines(self) -> tuple[str, str]:
        """Both values, as text: of bytes those around the first that differs."""
        if not self._bytes():
            return _plain(self.expected), _plain(self.answered)
        offset = self._offset()
        return _around(self.expected, offset), _around(self.answered, offset)

    def hint(self) -> str | None:
        """What is often behind it."""
        if isinstance(self.expected, str) and isinstance(self.answered, str):
            if self.answered.lower() == self.expected:
                return "bytes are written in lower-case hexadecimal"
            if self._bytes() and _reversed(self.expected) == self.answered:
                return "the same bytes in the other order"
        return None

    def _bytes(self) -> bool:
        both = (self.expected, self.answered)
        return all(isinstance(each, str) and _HEX.fullmatch(each) for each in both)

    def _offset(self) -> int:
        """Of the first byte that differs, or that only one has."""
        pairs = zip(_bytes_of(self.expected), _bytes_of(self.answered), strict=False)
        same = next((at for at, (one, other) in enumerate(pairs) if one != other), None)
        return min(len(self.expected), len(self.answered)) // 2 if same is None else same


def first_difference(expected: Any, answered: Any, path: str) -> Difference | None:
    """None if both are the same. Members come in ``expected``'s order, then those that only ``answered`` has."""
    if isinstance(expected, Mapping) and isinstance(answered, Mapping):
        values = (
            (
                f"{path}.{shown(str(name), 80)}",
                expected.get(name, ABSENT),
                answered.get(name, ABSENT),
            )
            for name in dict.fromkeys([*expected, *answered])
        )
    elif isinstance(expected, list | tuple) and isinstance(answered, list | tuple):
        most = range(max(len(expected), len(answered)))
        values = ((f"{path}[{at}]", _item(expected, at), _item(answered, at)) for at in most)
    else:
        return None if _same(expected, answered) else _difference(path, expected, answered)
    found = (first_difference(one, other, at) for at, one, other in values)
    return next(filter(None, found), None)


def _difference(path: str, expected: Any, answered: Any) -> Difference:
    if isinstance(answered, str):
        most = KEPT + (len(expected) if isinstance(expected, str) else 0)
        if len(answered) > most:
            return Difference(path, expected, answered[: most & ~1], len(answered))
    elif isinstance(answered, list | dict) and len(text := shown_json(answered, KEPT)) > KEPT:
        return Difference(path, expected, _Beginning(text))
    return Difference(path, expected, answered)


def _item(values: list[Any] | tuple[Any, ...], at: int) -> Any:
    return values[at] if at < len(values) else ABSENT


def _same(expected: Any, answered: Any) -> bool:
    """As JSON has it: true is no number, and 1.0 is 1."""
    if isinstance(expected, bool) or isinstance(answered, bool):
        return expected is answered
    return bool(expected == answered)


def _plain(value: Any) -> str:
    if value is ABSENT:
        return repr(ABSENT)
    if isinstance(value, _Beginning):
        return shown(value, 160)
    in_hex = f" (0x{value:x})" if type(value) is int and value > LARGEST_IN_DECIMAL else ""
    return shown_json(value, 160) + in_hex


def _bytes_of(text: str) -> list[str]:
    return [text[at : at + 2] for at in range(0, len(text), 2)]


def _reversed(text: str) -> str:
    return "".join(reversed(_bytes_of(text)))


def _around(text: str, offset: int) -> str:
    """The bytes around ``offset``, which stands in brackets."""
    both, whole = _bytes_of(text), len(text) <= SHORT
    first = 0 if whole else max(0, offset - BEFORE)
    last = len(both) if whole else min(len(both), offset + AFTER)
    marked = f"[{both[offset]}]" if offset < len(both) else "[]"
    before, after = "".join(both[first:offset]), "".join(both[offset + 1 : last])
    return f"{'…' if first else ''}{before}{marked}{after}{'…' if last < len(both) else ''}"
