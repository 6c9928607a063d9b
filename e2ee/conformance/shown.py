"""What comes from an adapter, made fit for a terminal, a page and XML: an adapter is somebody else's program.

What cannot be printed (controls, bidirectional marks, half of a surrogate pair) stands as an escape, so that no answer
moves a cursor, hides a line or breaks a report; and what is long is cut.

This module imports nothing of the package and nothing but the standard library.
"""

from __future__ import annotations

import json
from typing import Any

__all__ = ["shown", "shown_json", "shown_lines"]

LIMIT = 400
"""Characters of one text."""


def shown(text: str | bytes, limit: int = LIMIT) -> str:
    """``text`` on one line, with escapes for what cannot be printed, cut after ``limit`` characters."""
    if isinstance(text, bytes):
        text = text[: 4 * limit + 4].decode(errors="backslashreplace")
    cut = text[:limit] + ("…" if len(text) > limit else "")
    return "".join(each if each.isprintable() else _escaped(each) for each in cut)


def shown_json(value: Any, limit: int = LIMIT) -> str:
    """A JSON value on one line, cut after ``limit`` characters."""
    try:
        return shown(json.dumps(value, ensure_ascii=False), limit)
    except RecursionError:
        return "(deeply nested)"


def shown_lines(data: bytes, most: int) -> list[str]:
    """The last ``most`` lines of what a program wrote."""
    return [shown(line) for line in data.splitlines()[-most:]]


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
