"""Where fuzzing begins: the bytes in the vectors, and inputs that were pinned because they once were faults.

What is generated is the same at every run: it depends on ``vectors/`` and on the code, and on nothing else.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from e2ee.shipped import shipped
from tests.fuzz.target import Seeds, Target

__all__ = [
    "FOLDER",
    "all_of",
    "few",
    "from_vectors",
    "pinned",
    "seeded",
    "text_from_vectors",
    "write",
]

FOLDER = Path(__file__).parents[2] / ".fuzz"
"""What is generated, found and written while fuzzing; ignored by git."""

_PINNED = Path(__file__).parent / "pinned"
_HEX = re.compile("(?:[0-9a-f]{2})+")


def pinned(target: Target) -> list[Path]:
    """Inputs that were faults once, and are no more."""
    return sorted(path for path in (_PINNED / target.name).glob("*") if path.is_file())


def write(target: Target) -> Path:
    """The folder of the target's seeds, written anew."""
    folder = FOLDER / "seeds" / target.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for data in seeded(target):
        (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    return folder


@cache
def seeded(target: Target) -> tuple[bytes, ...]:
    """The target's seeds, each once; none is longer than an input may be."""
    return tuple(data for data in dict.fromkeys(target.seeds()) if len(data) <= target.longest)


def from_vectors(files: str, *names: str) -> Seeds:
    """Bytes that stand under one of these names, anywhere in the files (a pattern below ``vectors/``, without .json)."""
    return lambda: (bytes.fromhex(text) for text in _texts(files, names) if _HEX.fullmatch(text))


def text_from_vectors(files: str, *names: str) -> Seeds:
    """Text that stands under one of these names, as UTF-8."""
    return lambda: (text.encode() for text in _texts(files, names))


def few(seeds: Seeds, most: int) -> Seeds:
    """At most so many, from all parts of them."""

    def chosen() -> Iterable[bytes]:
        found = [*dict.fromkeys(seeds())]
        return found[:: max(1, len(found) // most)]

    return chosen


def all_of(
    *seeds: Seeds, before: Callable[[bytes], Iterable[bytes]] = lambda data: [data]
) -> Seeds:
    """Several in a row; ``before`` makes of each seed what the target takes."""
    return lambda: (made for each in seeds for data in each() for made in before(data))


def _texts(files: str, names: tuple[str, ...]) -> Iterator[str]:
    for path in sorted(shipped("vectors").glob(f"{files}.json")):
        yield from (text for name, text in _named(path) if name in names)


@cache
def _named(path: Path) -> tuple[tuple[str, str], ...]:
    return tuple(_walk(json.loads(path.read_text()), ""))


def _walk(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _walk(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _walk(item, name)
    elif isinstance(value, str):
        yield name, value
