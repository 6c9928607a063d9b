"""The table of defects in the guide for auditors: what was planted, where it comes from, which vector shows it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.mutants.defects import DEFECTS
from tests.mutants.survivors import Explanations
from tests.mutants.trial import Outcome

__all__ = ["PAGE", "rows", "shown_on", "write"]

PAGE = Path(__file__).parents[2] / "spec" / "auditors.md"
BLOCK = re.compile("(<!-- table: planted defects -->\n).*?(\n<!-- end of table -->)", re.DOTALL)


def write(outcomes: Iterable[Outcome]) -> None:
    """Write what became of all defects into the page."""
    shown = {each.fault: each.shown_by for each in outcomes}
    table = "\n".join(["| planted | seen in | shown by |", "|---|---|---|", *rows(shown)])
    text = PAGE.read_text()
    PAGE.write_text(BLOCK.sub(lambda found: f"{found[1]}\n{table}\n{found[2]}", text))


def rows(shown: Mapping[str, str]) -> list[str]:
    """The rows; ``shown`` has for each defect the name of a case, or nothing: then it is explained."""
    explanations = Explanations()
    made = []
    for defect in DEFECTS:
        family = explanations.of(defect.name)
        by = f"`{shown[defect.name]}`" if shown[defect.name] else (family.name if family else "")
        made.append(f"| `{defect.name}`: {defect.what} | {defect.source} | {by} |")
    return made


def shown_on(page: str) -> dict[str, str]:
    """What the page says: the case that shows each defect, or nothing."""
    found = BLOCK.search(page)
    assert found is not None
    said = re.findall(r"^\| `([\w-]+)`: .* \| (?:`([^`|]+)`|[^`|]*) \|$", found[0], re.MULTILINE)
    return dict(said)
