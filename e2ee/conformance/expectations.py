"""Two files that an implementer keeps: what is known to fail and why, and what the adapter calls its errors.

Both are TOML, or JSON if their name ends with ``.json``:

    "frame-format/receiving/frame-sent-twice-audio" = "no replay window yet"
    "frame-keys/trace/*" = { reason = "late keys are dropped", verdict = "HANG" }

    "ERR_AUTH" = "NOT_AUTHENTIC"
    "ERR_KEYS" = ["UNKNOWN_KEY", "RETIRED_KEY"]

Expected failures are strict: what passes, what fails otherwise, and what names no case, is told.

This module imports nothing of the package and nothing but the standard library.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from e2ee.conformance.cases import Case
from e2ee.conformance.verdict import FAILING, PASSING, Judgement, Verdict

__all__ = ["BadFile", "Expectations", "Reasons", "read_expectations", "read_reasons"]


class BadFile(Exception):
    """A file that the runner was given cannot be used. The text names it and says why."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """Cases that match ``pattern`` get this verdict, for this reason."""

    pattern: str
    reason: str
    verdict: Verdict


class Expectations:
    """All of a file."""

    def __init__(self, entries: Sequence[Expectation] = ()) -> None:
        self._entries = entries

    def applied(self, case: Case, judgement: Judgement) -> tuple[Judgement, str | None]:
        """The judgement in the light of what was expected, and why that was (CONF-18)."""
        entry = next((each for each in self._entries if fnmatchcase(case.name, each.pattern)), None)
        if entry is None:
            return judgement, None
        if judgement.verdict is entry.verdict:
            verdict = Verdict.EXPECTED_FAILURE
        elif judgement.verdict in PASSING:
            verdict = Verdict.UNEXPECTED_PASS
        else:
            return judgement, None
        return (
            Judgement(verdict, judgement.why, judgement.difference, judgement.hints),
            entry.reason,
        )


Reasons = dict[str, frozenset[str]]
"""The adapter's name of an error -> the reasons of the vectors that it stands for."""


def read_expectations(path: Path, cases: Collection[Case]) -> Expectations:
    """Raises BadFile, also if an entry matches none of ``cases``."""
    entries = [_expectation(path, *item) for item in _read(path).items()]
    for entry in entries:
        if not any(fnmatchcase(case.name, entry.pattern) for case in cases):
            raise BadFile(f"{path}: there is no case {entry.pattern}")
    return Expectations(entries)


def read_reasons(path: Path, cases: Collection[Case]) -> Reasons:
    """Raises BadFile, also if a reason is that of none of ``cases``."""
    known = {case.reason for case in cases if case.reason}
    reasons = {name: _reasons(path, name, value) for name, value in _read(path).items()}
    if unknown := sorted(frozenset().union(*reasons.values()) - known):
        raise BadFile(f"{path}: no case is refused for {', '.join(unknown)}")
    return reasons


def _expectation(path: Path, pattern: str, value: Any) -> Expectation:
    entry = {"reason": value} if isinstance(value, str) else value
    names = {"reason"}, {"reason", "verdict"}
    if not isinstance(entry, Mapping) or set(entry) not in names or not entry["reason"]:
        raise BadFile(f"{path}: {pattern} needs a reason, and may say a verdict")
    verdict = entry.get("verdict", Verdict.FAIL)
    if verdict not in FAILING:
        raise BadFile(f"{path}: {pattern}: the verdict is none of {', '.join(FAILING)}")
    return Expectation(pattern, str(entry["reason"]), Verdict(verdict))


def _reasons(path: Path, name: str, value: Any) -> frozenset[str]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
        raise BadFile(f"{path}: {name} is neither a reason nor a list of reasons")
    return frozenset(values)


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise BadFile(f"{path}: {error}") from error
    if not isinstance(document, dict):
        raise BadFile(f"{path} is no object")
    return document
