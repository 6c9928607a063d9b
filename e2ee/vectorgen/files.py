"""The vectors of the chapters and those of RFC 9420's rules, as the text of files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from e2ee import SPEC_VERSION
from e2ee.vectorgen import (
    calls,
    chat,
    codecs,
    frame_format,
    frame_keys,
    group_calls,
    identity,
    key_agreement,
    letters,
    signalling,
    verification,
)
from e2ee.vectorgen.mls_validation.files import documents
from e2ee.vectorgen.registry import Chapter

__all__ = ["CHAPTERS", "files"]

CHAPTERS = (
    identity.CHAPTER,
    key_agreement.CHAPTER,
    frame_keys.CHAPTER,
    frame_format.CHAPTER,
    codecs.CHAPTER,
    calls.CHAPTER,
    group_calls.CHAPTER,
    chat.CHAPTER,
    letters.CHAPTER,
    signalling.CHAPTER,
    verification.CHAPTER,
)


def files() -> Mapping[str, Callable[[], str]]:
    """Path below ``vectors/`` -> what makes the file's text; the same at every call."""
    chapters = {f"{chapter.name}.json": partial(_chapter, chapter) for chapter in CHAPTERS}
    validation = {path: partial(_text_of, make) for path, make in documents().items()}
    return {**chapters, **validation}


def _chapter(chapter: Chapter) -> str:
    return _text(chapter.document(SPEC_VERSION))


def _text_of(make: Callable[[], dict[str, Any]]) -> str:
    """A list of words on one line, and so an empty one: these files are large enough."""
    return re.sub(r'\[\n +("[^"]*"(,\n +"[^"]*")*)\n +\]', _on_one_line, _text(make()))


def _text(document: dict[str, Any]) -> str:
    """JSON with a value a line, and on one line: lists of numbers, and the steps of a trace."""
    indented = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    lists = re.sub(r"\[[\d,\s]+\]", _on_one_line, indented)
    return re.sub(r'\{\s+"step": \d+,[^{}]*\}', _on_one_line, lists)


def _on_one_line(found: re.Match[str]) -> str:
    return " ".join(found[0].split())
