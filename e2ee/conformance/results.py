"""What a run shows: by level whether an implementation conforms, by requirement whether it was shown.

A level conforms (CONF-2) if every case of it passed, except those of an optional feature that the adapter does not
declare: then it conforms without that feature. What was not run is no part of the answer, and so there is none for a
level of which ``--only`` left out something.

This module imports nothing of the package and nothing but the standard library.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from e2ee.conformance.adapter_protocol import Hello
from e2ee.conformance.cases import (
    BEYOND_THE_PROFILE,
    CLIENT_FEATURES,
    OPTIONAL_FEATURES,
    SERVICE_FEATURES,
    Case,
)
from e2ee.conformance.runner import Outcome
from e2ee.conformance.verdict import FAILING, PASSING, Verdict

__all__ = [
    "RESERVED",
    "TITLES",
    "Group",
    "Level",
    "Requirement",
    "Results",
    "conforming",
    "unknown_names",
]

TITLES: Mapping[str, str] = {
    "L1": "frames",
    "L2": "keys",
    "L3": "identity and codes",
    "L4": "call control",
    "L5": "live sessions",
    "V": "viewers of live sessions",
    "S": "safety",
    "D": "delivery service",
    "P": "with a live peer",
}
"""Level -> what it is about."""

RESERVED: Mapping[str, str] = {
    "L5": "reserved: there are no vectors yet",
    "V": "reserved: there are no vectors yet",
    "S": "comes with the chapter on safety",
    "D": "a delivery service is tested by: e2ee conformance server URL",
    "P": "a live peer is: e2ee conformance peer -- COMMAND",
}
"""Levels that have no cases to feed to an adapter, and why."""

SOME = 3
"""Names of what is lacking that a statement gives."""

KNOWN = (Verdict.EXPECTED_FAILURE, Verdict.UNEXPECTED_PASS)
"""Of cases that were expected to fail."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group of cases, and how they came out."""

    name: str
    counts: Counter[Verdict]
    declared: bool


@dataclass(frozen=True, slots=True)
class Level:
    """A level. ``conforms`` is None if not all of its cases were run."""

    name: str
    groups: Sequence[Group]
    counts: Counter[Verdict]
    conforms: bool | None
    without: Sequence[str]
    lacking: Sequence[str]
    accounted: bool

    @property
    def mark(self) -> str:
        """good, bad, or dim where nothing was claimed."""
        if self.conforms is None or not any(group.declared for group in self.groups):
            return "dim"
        return "good" if self.conforms else "bad"

    def statement(self) -> str:
        """What may be claimed, or why nothing may."""
        if self.conforms is None:
            return "not all of it was run"
        if not any(group.declared for group in self.groups):
            return "not declared"
        if self.conforms:
            return "conforms" + (f", without {', '.join(self.without)}" if self.without else "")
        failed = sum(self.counts[verdict] for verdict in FAILING)
        known = self.counts[Verdict.EXPECTED_FAILURE] + self.counts[Verdict.UNEXPECTED_PASS]
        parts = [
            f"{failed} failed" if failed else "",
            f"{known} expected to fail" if known else "",
            f"lacks {_some(self.lacking)}" if self.lacking else "",
        ]
        return "does not conform: " + ("; ".join(filter(None, parts)) or "nothing was shown")


@dataclass(frozen=True, slots=True)
class Requirement:
    """A requirement, and how its cases came out."""

    id: str
    counts: Counter[Verdict]
    failed: list[str]

    @property
    def state(self) -> str:
        """failed, shown or not exercised."""
        if self.failed:
            return "failed"
        return "shown" if any(self.counts[each] for each in PASSING) else "not exercised"


class Results:
    """Of a run. ``cases``: those that were selected; ``whole``: whether levels were selected whole.

    ``sentences``: what requirements say, where that is known.
    """

    def __init__(
        self,
        hello: Hello,
        outcomes: Iterable[Outcome],
        cases: Sequence[Case],
        *,
        whole: bool,
        sentences: Mapping[str, str] | None = None,
    ) -> None:
        self.hello = hello
        self.cases = cases
        self.sentences = sentences or {}
        self.outcomes = sorted(outcomes, key=lambda each: each.number)
        self.counts = Counter(each.verdict for each in self.outcomes)
        self.levels = [self._level(name, whole) for name in TITLES if self._of_level(name)]
        self.requirements = self._requirements()

    def failures(self) -> list[Outcome]:
        """What went wrong, the worst first, and what passed unexpectedly."""
        order = list(Verdict)
        bad = [
            each for each in self.outcomes if each.verdict in (*FAILING, Verdict.UNEXPECTED_PASS)
        ]
        return sorted(bad, key=lambda each: order.index(each.verdict))

    def of(self, verdict: Verdict) -> list[Outcome]:
        """Outcomes with this verdict."""
        return [each for each in self.outcomes if each.verdict is verdict]

    def _of_level(self, name: str) -> list[Case]:
        return [case for case in self.cases if case.level == name]

    def _level(self, name: str, whole: bool) -> Level:
        of_level = [each for each in self.outcomes if each.case.level == name]
        counts = Counter(each.verdict for each in of_level)
        complete = whole and len(of_level) == len(self._of_level(name))
        against = [each for each in of_level if self._counts_against(each)]
        features = {feature for each in self._of_level(name) for feature in each.features}
        may_lack = (*OPTIONAL_FEATURES, *SERVICE_FEATURES, *CLIENT_FEATURES)
        missing = [each for each in may_lack if each in features - {*self.hello.features}]
        return Level(
            name=name,
            groups=self._groups(of_level),
            counts=counts,
            conforms=not against and any(counts[each] for each in PASSING) if complete else None,
            without=missing,
            lacking=self._lacking(against),
            accounted=all(each.verdict in KNOWN for each in against),
        )

    def _counts_against(self, outcome: Outcome) -> bool:
        """Whether the level of this outcome cannot conform with it."""
        if outcome.verdict in PASSING:
            return False
        missing = {*outcome.case.features} - {*self.hello.features}
        optional = {
            *OPTIONAL_FEATURES,
            *SERVICE_FEATURES,
            *CLIENT_FEATURES,
            *BEYOND_THE_PROFILE,
        }
        may_be_missing = missing and missing <= optional
        return outcome.verdict is not Verdict.UNSUPPORTED or not may_be_missing

    def _lacking(self, against: Iterable[Outcome]) -> list[str]:
        """What would have to be supported, by group or by feature."""
        names = (
            _lacking_of(each, self.hello) for each in against if each.verdict is Verdict.UNSUPPORTED
        )
        return list(dict.fromkeys(names))

    def _groups(self, outcomes: Iterable[Outcome]) -> list[Group]:
        counts = dict[str, Counter[Verdict]]()
        for each in outcomes:
            counts.setdefault(each.case.group, Counter())[each.verdict] += 1
        return [Group(name, found, name in self.hello.groups) for name, found in counts.items()]

    def _requirements(self) -> list[Requirement]:
        found = {
            id_: Requirement(id_, Counter(), []) for each in self.cases for id_ in each.requirements
        }
        for each in self.outcomes:
            for id_ in each.case.requirements:
                found[id_].counts[each.verdict] += 1
                if each.verdict in (*FAILING, Verdict.EXPECTED_FAILURE):
                    found[id_].failed.append(each.case.name)
        return sorted(found.values(), key=lambda each: _in_order(each.id))


def _lacking_of(outcome: Outcome, hello: Hello) -> str:
    case = outcome.case
    if case.group not in hello.groups:
        return case.group
    missing = [each for each in case.features if each not in hello.features]
    return missing[0] if missing else case.name


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SOME} more" if len(names) > SOME else ""
    return ", ".join(names[:SOME]) + more


def _in_order(id_: str) -> list[tuple[str, int]]:
    """FRAME-9 before FRAME-10; RFC9420-7.3 before RFC9420-12."""
    return [(text, int(number or 0)) for text, number in re.findall(r"(\D+)(\d*)", id_)]


def unknown_names(hello: Hello, cases: Iterable[Case]) -> list[str]:
    """Groups and features that the adapter declares and no case has: misspelt, or of another version."""
    known = {*OPTIONAL_FEATURES, *BEYOND_THE_PROFILE}
    for case in cases:
        known |= {case.group, *case.features}
    return [name for name in (*hello.groups, *hello.features) if name not in known]


def conforming(results: Results, levels: Collection[str]) -> bool:
    """Whether each of these levels conforms, but for failures that were expected."""
    found = {level.name: level for level in results.levels}
    return all(
        found[name].conforms or (found[name].conforms is not None and found[name].accounted)
        for name in levels
        if name in found
    )
