"""What shows a requirement, as HTML: its vectors, tests and code, each a link to where it lies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Any

from e2ee.conformance.requirements import INDEX
from e2ee.conformance.site.places import Library
from e2ee.conformance.trace import KINDS, TRACE
from e2ee.shipped import shipped

__all__ = ["Evidence"]

Entry = Mapping[str, Any]

NOUNS = {
    "vectors": ("vector", "vectors"),
    "checks": ("check of a service", "checks of a service"),
    "tests": ("test", "tests"),
    "code": ("place in code", "places in code"),
}


class Evidence:
    """The shipped entries of both indexes joined, and how they are shown on the page of ``library``."""

    def __init__(self, library: Library) -> None:
        spec = shipped("spec")
        traced = json.loads((spec / TRACE).read_text())["requirements"]
        index = json.loads((spec / INDEX).read_text())["requirements"]
        self.entries: dict[str, Entry] = {
            entry["id"]: {**entry, **traced.get(entry["id"], {})} for entry in index
        }
        self._library = library
        self._cases = dict(_cases())

    def badges(self, id_: str, level: str) -> str:
        """The key word of a requirement, and the levels of conformance at which it is asked for."""
        levels = sorted(
            {
                *(self._cases[each][0] for each in self._of(id_, "vectors") if each in self._cases),
                *(["D"] if self._of(id_, "checks") else []),
            }
        )
        marks = [f'<span class="badge {level.lower()}">{level}</span>']
        marks += [
            f'<span class="badge level" title="level of conformance">{each}</span>'
            for each in levels
            if each
        ]
        return " ".join(marks)

    def html(self, id_: str, *, is_open: bool = False) -> str:
        """The evidence of a requirement, folded under a line that counts it."""
        if not (kinds := [kind for kind in KINDS if self._of(id_, kind)]):
            return ""
        counts = " · ".join(_count(kind, len(self._of(id_, kind))) for kind in kinds)
        lists = "".join(
            f"<dt>{kind}</dt><dd>{''.join(self._list(kind, self._of(id_, kind)))}</dd>"
            for kind in kinds
        )
        state = " open" if is_open else ""
        return f'<details class="evidence"{state}><summary>{counts}</summary><dl>{lists}</dl></details>'

    def vector_link(self, chapter: str, case: str) -> str:
        """A link to a case of the vectors of a chapter."""
        return self._link(
            f"vectors/{chapter}.json", f'"{case}"', f"{case} of vectors/{chapter}.json"
        )

    def _of(self, id_: str, kind: str) -> Sequence[str]:
        places: Sequence[str] = self.entries.get(id_, {}).get(kind, ())
        return places

    def _list(self, kind: str, places: Sequence[str]) -> Iterator[str]:
        """The places, a paragraph a file."""
        mark = "#" if kind == "vectors" else "::"
        for file, inside in groupby(places, key=lambda place: place.partition(mark)[0]):
            names = [place.partition(mark)[2] for place in inside]
            links = ", ".join(self._place(kind, file, name) for name in names if name)
            yield f"<p>{self._link(file, '', file)}{': ' if links else ''}{links}</p>"

    def _place(self, kind: str, file: str, name: str) -> str:
        if kind != "vectors":
            last = name.rpartition(".")[2]
            return self._link(file, f"{'class' if last[:1].isupper() else 'def'} {last}", name)
        _, result = self._cases.get(f"{file}#{name}", ("", ""))
        link = self._link(file, f'"{name}"', name)
        return f'<span class="{result}">{link}</span>'

    def _link(self, file: str, find: str, text: str) -> str:
        address = self._library.link(file, find)
        words = escape(text)
        return f'<a href="{escape(address)}">{words}</a>' if address else words


def _count(kind: str, number: int) -> str:
    return f"{number} {NOUNS[kind][number != 1]}"


def _cases() -> Iterator[tuple[str, tuple[str, str]]]:
    """Where each vector lies -> its group's level, its result."""
    folder = shipped("vectors")
    for path in sorted(folder.glob("*.json")):
        for group in json.loads(path.read_text())["groups"]:
            for case in group["cases"]:
                yield f"vectors/{path.name}#{case['id']}", (group.get("level", ""), case["result"])
