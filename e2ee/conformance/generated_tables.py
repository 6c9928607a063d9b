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

__all__ = ["TABLES", "reasons", "reasons_of", "stale", "write"]

END = "<!-- end of table -->"


def reasons(vectors: Path) -> str:
    """Which reasons the vectors give, where, and by which rules."""
    groups, rules = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    beside = defaultdict[str, set[str]](set)
    for chapter, group, case in _cases(vectors):
        if reason := case.get("reason"):
            rules[reason].update(case["requirements"])
        for reason in reasons_of(case):
            groups[reason].add(f"{chapter}/{group}")
            beside[reason].update(case["requirements"])
    rules = defaultdict(
        set, beside | rules
    )  # of a reason that no whole case has: those of the cases in which it stands
    rows = [
        f"| `{reason}` | {', '.join(sorted(rules[reason], key=_in_order))} | {', '.join(sorted(groups[reason]))} |"
        for reason in sorted(groups)
    ]
    return "\n".join(["| reason | rules | vectors |", "|---|---|---|", *rows])


def reasons_of(case: Mapping[str, Any]) -> set[str]:
    """Of the case, of what becomes of each of many frames, texts or messages, and of what came before."""
    output, steps = case.get("output", {}), case.get("intermediate", {}).get("reasons", [])
    fates = [each for name in ("fates", "frames") for each in output.get(name, [])]
    earlier = case.get("input", {}).get("events", [])
    found = {
        case.get("reason"),
        *steps,
        *output.get("outcomes", []),
        *(fate.get("reason") for fate in fates if isinstance(fate, Mapping)),
        *(event.get("outcome") for event in earlier if isinstance(event, Mapping)),
    }
    return {each for each in found if isinstance(each, str) and each.isupper()}


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
