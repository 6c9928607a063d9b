"""The chapters' vectors as the text of files."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from e2ee import SPEC_VERSION
from e2ee.vectorgen import calls, codecs, frame_format, frame_keys, identity, key_agreement

__all__ = ["CHAPTERS", "files"]

CHAPTERS = (
    identity.CHAPTER,
    key_agreement.CHAPTER,
    frame_keys.CHAPTER,
    frame_format.CHAPTER,
    codecs.CHAPTER,
    calls.CHAPTER,
)


def files() -> Mapping[str, str]:
    """Name and content of every file of vectors; the same at every call."""
    return {f"{chapter.name}.json": _text(chapter.document(SPEC_VERSION)) for chapter in CHAPTERS}


def _text(document: dict[str, Any]) -> str:
    """JSON with a value a line, and lists of numbers on one line."""
    indented = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    return re.sub(r"\[[\d,\s]+\]", lambda numbers: " ".join(numbers[0].split()), indented)
