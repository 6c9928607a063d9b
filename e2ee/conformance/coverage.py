"""Which of the rules that others can see lack a vector that is accepted, or one that is refused.

A check of a delivery service (``e2ee conformance server``) counts as a vector: it shows to others what is taken, or refused.

Every MUST in force needs both, but for what ``spec/without-vectors.md`` lists with a reason: a formula has nothing that is
refused, and what a device does not send no file can show. Its rows are

    | `FKEY-1`, `FKEY-5` | refused | why |

with ``accepted``, ``refused`` or ``both``. The list is held against the vectors: an id that is unknown, that comes twice, or
that has such a vector meanwhile, is a finding. What lacks a vector without being listed is a report, and fails nothing.

This module imports nothing of the package that it looks at.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from e2ee.conformance.requirements import Finding, Requirement, mentioned
from e2ee.conformance.trace import Trace

__all__ = ["Coverage", "Gap"]

PAGE = "without-vectors.md"
RESULTS = {"accepted": "valid", "refused": "invalid"}

_ROW = re.compile(
    r"^\| (?P<ids>`[^|]+) \| (?P<without>accepted|refused|both) \| (?P<why>[^|]+) \|$"
)


@dataclass(frozen=True, slots=True)
class Gap:
    """A rule without a vector of one kind (``without`` is "accepted" or "refused"), and why: empty if nobody says."""

    id: str
    without: str
    why: str = ""


class Coverage:
    """The vectors and checks of a trace, counted by rule and result."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._listed = list(self._rows())

    @cached_property
    def counts(self) -> Mapping[str, Counter[str]]:
        """Requirement -> how many of its vectors and checks are "valid" and "invalid"."""
        return {
            id_: Counter(self._trace.results[each] for each in evidence.vectors + evidence.checks)
            for id_, evidence in self._trace.evidence.items()
        }

    def gaps(self) -> Iterator[Gap]:
        """What lacks a vector, listed or not, in the order of the chapters."""
        reasons = {(gap.id, gap.without): gap.why for gap in self._listed}
        for requirement in self._rules():
            for without in RESULTS:
                if self._lacks(requirement.id, without):
                    why = reasons.get((requirement.id, without), "")
                    yield Gap(requirement.id, without, why)

    def findings(self) -> Iterator[Finding]:
        """What is wrong with the list."""
        rules = {requirement.id for requirement in self._rules()}
        seen = set[Gap]()
        for gap in self._listed:
            key = Gap(gap.id, gap.without)
            if gap.id not in rules:
                yield Finding("UNLISTED", gap.id, f"in {PAGE}, and no MUST in force")
            elif key in seen:
                yield Finding("UNLISTED", gap.id, f"in {PAGE} twice")
            elif not self._lacks(gap.id, gap.without):
                yield Finding("UNLISTED", gap.id, f"in {PAGE}, and a vector of it is {gap.without}")
            seen.add(key)

    def _lacks(self, id_: str, without: str) -> bool:
        return not self.counts[id_][RESULTS[without]]

    def _rules(self) -> Iterator[Requirement]:
        for requirement in self._trace.specification.requirements.values():
            if requirement.level == "MUST" and not requirement.withdrawn:
                yield requirement

    def _rows(self) -> Iterator[Gap]:
        page = self._trace.places.spec / PAGE
        if not page.is_file():
            return
        for row in filter(None, map(_ROW.match, page.read_text().splitlines())):
            for id_ in mentioned(row["ids"], self._trace.specification.prefixes):
                for without in RESULTS if row["without"] == "both" else (row["without"],):
                    yield Gap(id_, without, row["why"].strip())
