"""Worked examples in the chapters: bytes that are a vector's, and are held against it.

An example is a comment that names a vector, and the indented lines below it:

    <!-- vector: frame-keys/key#derived-0x0004 -->

        base_key   = 8b1a9953 c4611296 a827abf8 c47804d7
        kid        = 16401 (camera, leaf 1, epoch 1)
        sframe_key = 5f4dcc3b 5aa765d6
                     1d8327de b882cf99

A name is a field of the vector's ``intermediate``, ``output`` or ``input``, in this order unless it begins with one of
these, with dots and indices into what it holds; ``name[0:16]`` are those bytes of it. A value is hexadecimal, a number, a
list of numbers, or a text in quotes; what follows in parentheses is for people. So no chapter shows bytes that no vector has.

This module imports nothing of the package, so that other implementations can use it as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2ee.conformance.requirements import Finding

__all__ = ["Example", "examples", "findings"]

_COMMENT = re.compile(r"^<!-- vector: (?P<chapter>[a-z-]+)/(?P<group>[a-z-]+)#(?P<case>\S+) -->$")
_FIELD = re.compile(
    r"^(?P<path>[A-Za-z_][\w.]*(?:\[\d+\][\w.]*)*)(?:\[(?P<slice>\d*:\d*)\])? += (?P<value>.+)$"
)
_STEP = re.compile(r"[^.\[\]]+")
_REMARK = re.compile(r" +\([^)]*\)$")
PARTS = ("intermediate", "output", "input")


@dataclass(frozen=True, slots=True)
class Example:
    """One example: the vector that it names, and its fields as (path, slice or "", value as it is written)."""

    chapter: str
    group: str
    case: str
    fields: tuple[tuple[str, str, str], ...]
    unreadable: tuple[str, ...] = ()


def findings(spec: Path, vectors: Path) -> Iterator[Finding]:
    """Every example in the chapters of ``spec`` that is not what its vector in ``vectors`` says."""
    for chapter in sorted(spec.glob("*.md")):
        for example in examples(chapter.read_text()):
            where = f"{chapter.name}, {example.group}#{example.case}"
            yield from (Finding("EXAMPLE", where, why) for why in _faults(example, vectors))


def examples(markdown: str) -> Iterator[Example]:
    """The examples of a chapter."""
    lines = markdown.splitlines()
    for number, line in enumerate(lines):
        if comment := _COMMENT.match(line):
            fields, unreadable = _fields(_indented(lines[number + 1 :]))
            yield Example(**comment.groupdict(), fields=fields, unreadable=unreadable)


def _indented(lines: list[str]) -> Iterator[str]:
    """The lines of the indented block with which ``lines`` begin."""
    for line in lines:
        if line.startswith("    "):
            yield line[4:]
        elif line:
            return


def _fields(lines: Iterator[str]) -> tuple[tuple[tuple[str, str, str], ...], tuple[str, ...]]:
    fields, unreadable = list[tuple[str, str, str]](), list[str]()
    for line in lines:
        text = _REMARK.sub("", line)
        if field := _FIELD.match(text):
            fields.append((field["path"], field["slice"] or "", field["value"].strip()))
        elif fields and line.startswith(" "):
            path, part, value = fields.pop()
            fields.append((path, part, f"{value} {text.strip()}"))
        else:
            unreadable.append(line)
    return tuple(fields), tuple(unreadable)


def _faults(example: Example, vectors: Path) -> Iterator[str]:
    case = _case(example, vectors)
    if case is None:
        yield f"names a vector that vectors/{example.chapter}.json does not have"
        return
    if not example.fields:
        yield "shows nothing"
    yield from (f"has a line that is no field: {line.strip()}" for line in example.unreadable)
    for path, part, written in example.fields:
        try:
            held = _held(case, path)
        except (KeyError, IndexError, TypeError):
            yield f"the vector has no {path}"
            continue
        if _shown(held, part) != _plain(written):
            yield f"{path} is another in the vector"


def _case(example: Example, vectors: Path) -> Mapping[str, Any] | None:
    file = vectors / f"{example.chapter}.json"
    groups = json.loads(file.read_text())["groups"] if file.is_file() else ()
    cases = [case for group in groups if group["name"] == example.group for case in group["cases"]]
    return next((case for case in cases if case["id"] == example.case), None)


def _held(case: Mapping[str, Any], path: str) -> Any:
    first, *steps = _STEP.findall(path)
    if first in PARTS and steps:
        value: Any = case[first]
    else:
        holder = next((part for part in PARTS if first in case.get(part, ())), "input")
        value = case[holder][first]
    for step in steps:
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


def _shown(held: Any, part: str) -> str:
    """A value of the vector as an example has to write it, without its spaces."""
    if not part:
        return held if isinstance(held, str) else str(held).replace(" ", "")
    begin, end = (int(bound) if bound else None for bound in part.split(":"))
    return bytes.fromhex(held)[begin:end].hex()


def _plain(written: str) -> str:
    """A long text is written in several pairs of quotes."""
    texts = re.findall(r'"([^"]*)"', written)
    return "".join(texts) if texts else written.replace(" ", "")
