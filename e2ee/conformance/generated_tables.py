"""Tables of the chapters that are counted from code and vectors, between two comments of their page:

    <!-- table: lines of code -->
    ...
    <!-- end of table -->

They are written by ``e2ee requirements --write``, and stale if they are not what would be written.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from e2ee.conformance import lines_of_code
from e2ee.conformance.trace import Places

__all__ = ["TABLES", "reasons", "stale", "write"]

END = "<!-- end of table -->"


def reasons(vectors: Path) -> str:
    """Which reasons the vectors give, where, and by which rules."""
    groups, rules = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for chapter, group, case in _cases(vectors):
        if reason := case.get("reason"):
            groups[reason].add(f"{chapter}/{group}")
            rules[reason].update(case["requirements"])
    rows = [
        f"| `{reason}` | {', '.join(sorted(rules[reason], key=_in_order))} | {', '.join(sorted(groups[reason]))} |"
        for reason in sorted(groups)
    ]
    return "\n".join(["| reason | rules | vectors |", "|---|---|---|", *rows])


TABLES: Mapping[str, tuple[str, Callable[[Places], str]]] = {
    "lines of code": ("auditors.md", lambda places: lines_of_code.table(places.package)),
    "reasons of vectors": ("registries.md", lambda places: reasons(places.vectors)),
}
"""Name -> its page in ``spec/``, and what makes it."""


def write(places: Places) -> None:
    """Write each table into its page."""
    for page, _, as_made in _pages(places):
        page.write_text(as_made)


def stale(places: Places) -> list[str]:
    """The names of those tables that are not what would be written."""
    return [name for page, name, as_made in _pages(places) if page.read_text() != as_made]


def _pages(places: Places) -> Iterator[tuple[Path, str, str]]:
    """Each page, the table's name, and the page as it is with the table made anew."""
    for name, (file, made) in TABLES.items():
        page = places.spec / file
        if page.is_file():
            begin = f"<!-- table: {name} -->"
            block = f"{begin}\n\n{made(places)}\n\n{END}"
            pattern = f"{re.escape(begin)}.*?{re.escape(END)}"
            text = page.read_text()
            yield page, name, re.sub(pattern, block.replace("\\", r"\\"), text, flags=re.DOTALL)


def _cases(vectors: Path) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path in sorted(vectors.glob("*.json")):
        for group in json.loads(path.read_text())["groups"]:
            yield from ((path.stem, group["name"], case) for case in group["cases"])


def _in_order(id_: str) -> tuple[str, int]:
    prefix, _, number = id_.partition("-")
    return prefix, int(number)
