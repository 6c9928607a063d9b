"""Cases of several steps, one after the other: what each makes a device send and tell. Of refused cases it is the last that is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from e2ee.vectorgen.registry import Case

__all__ = ["Steps"]

Said = Sequence[dict[str, Any]]


class Steps:
    """The steps of one case, in the order in which they are named here."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._outcomes: list[dict[str, Any]] = []
        case.input["steps"] = []

    def step(self, at: int, kind: str, *, sent: Said = (), told: Said = (), **what: Any) -> None:
        """One more, at this time in milliseconds; what fell due before it is its own."""
        outcome = {"sent": list(sent), "told": list(told)}
        self.add({"at": at, "step": kind, **what}, outcome)

    def add(self, step: dict[str, Any], outcome: dict[str, Any]) -> None:
        """One more, and what comes of it."""
        self._case.input["steps"].append(step)
        if self._case.reason is not None:
            self._case.intermediate["steps"] = list(self._outcomes)
        self._outcomes.append(outcome)
        if self._case.reason is None:
            self._case.output["steps"] = list(self._outcomes)
