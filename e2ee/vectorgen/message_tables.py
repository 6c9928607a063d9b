"""The tables of the chapter Signalling, read from its text: which messages there are, and samples of their fields.

So the vectors show what the chapter says, whatever the reference implementation declares.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.shipped import shipped
from e2ee.vectorgen import messagepack

__all__ = ["LARGEST", "TABLES", "Row", "encoded", "fields_of", "samples"]

LARGEST = {"service": 1 << 20, "call": 1 << 16, "letter": 1 << 19}
"""SIG-3, in bytes."""

_HEADINGS = {"Service messages": "service", "Call messages": "call", "Letters": "letter"}


@dataclass(frozen=True, slots=True)
class Row:
    """A message: its family, its name, and the types of its fields in order. ``sender`` is that of a service message."""

    family: str
    name: str
    fields: Mapping[str, str]
    sender: str = ""


def _rows(heading: str, family: str) -> list[Row]:
    text = (shipped("spec") / "signalling.md").read_text()
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [_row(family, [cell.strip() for cell in line.strip("|").split("|")]) for line in lines]


def _row(family: str, cells: list[str]) -> Row:
    sender = cells.pop(1) if family == "service" else ""
    fields = dict(re.findall(r"(\w+): ([^,]+)", cells[1]))
    return Row(family, cells[0].strip("`"), fields, sender)


TABLES = [row for heading, family in _HEADINGS.items() for row in _rows(heading, family)]


def row(name: str) -> Row:
    """The message of this name; no two families share one."""
    return next(each for each in TABLES if each.name == name)


def encoded(name: str, *fields: bytes) -> bytes:
    """A message of these encoded fields."""
    return messagepack.array([messagepack.encode(name), *fields])


# Samples

_WORDS: Mapping[str, str] = {
    "account_id": "alice",
    "server_name": "a" * 60 + ".example",
    "medium": "video",
    "language": "",
    "reaction": "",
}
"""What a text says that a decoder may look at more closely; but ``medium``, still nothing that an account could be called."""


def _text(name: str) -> str:
    # Not in Normalization Form C and of two lines: a text is no name, and stays as it is.
    return _WORDS.get(name, "e\u0301 and \u00e9\n\u6f22")


Sample = Callable[[str, SeededEntropy], Any]

_SAMPLES: Mapping[str, Sample] = {
    "u32": lambda _, entropy: 1 << 31 | int.from_bytes(entropy.random(4), "big"),
    "u64": lambda _, entropy: 1 << 63 | int.from_bytes(entropy.random(8), "big"),
    "bool": lambda _, entropy: bool(entropy.random(1)[0] & 1),
    "text": lambda name, _: _text(name),
    "name": lambda name, _: _text(name),
    "bytes": lambda _, entropy: entropy.random(5),
    "bytes[16]": lambda _, entropy: entropy.random(16),
    "bytes[32]": lambda _, entropy: entropy.random(32),
    "bytes[64]": lambda _, entropy: entropy.random(64),
    "list of u32": lambda _, __: [0, 256, (1 << 32) - 1],
    "list of text": lambda name, _: ["0", "", _text(name)],
    "list of bytes": lambda _, entropy: [entropy.random(4), b""],
}


def _value(name: str, type_name: str, entropy: SeededEntropy) -> Any:
    return _SAMPLES[type_name.removesuffix(" or nil")](name, entropy)


def samples(message: Row, entropy: SeededEntropy) -> dict[str, Any]:
    """A value of each field: numbers that need all their bits, texts that are no names."""
    return {name: _value(name, type_name, entropy) for name, type_name in message.fields.items()}


def fields_of(message: Row, values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as vectors have them: bytes and u64 in hexadecimal, everything else as JSON has it."""
    return {
        name: value.to_bytes(8, "big") if message.fields[name] == "u64" else value
        for name, value in values.items()
    }
