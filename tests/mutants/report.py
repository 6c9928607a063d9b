"""What became of the faults, as people read it: what no vector shows at once, the rest counted."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence

from tests.mutants.survivors import Explanations
from tests.mutants.trial import Outcome

__all__ = ["Report"]


class Report:
    """On ``of`` faults: results to stdout, progress to stderr. ``failing`` cases are wrong without any fault."""

    def __init__(self, of: int, failing: Sequence[str]) -> None:
        self.outcomes: list[Outcome] = []
        self._of = of
        self._explanations = Explanations()
        self._families = Counter[str]()
        self._unexplained = 0
        self._failing = failing
        self._began = time.monotonic()
        for name in failing:
            _say(f"FAILS WITHOUT ANY FAULT  {name}")

    def add(self, outcome: Outcome) -> None:
        """Another one."""
        self.outcomes.append(outcome)
        if not outcome.is_shown and not outcome.is_refused_all_the_same:
            self._survives(outcome)
        self._progress()

    def _survives(self, outcome: Outcome) -> None:
        if family := self._explanations.of(outcome.fault):
            self._families[family.name] += 1
        else:
            self._unexplained += 1
            _say(f"SURVIVES  {outcome.fault}  ({outcome.tried} cases run it)")

    def _progress(self) -> None:
        number = len(self.outcomes)
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{number} of {self._of}")
        elif number % 100 == 0:
            sys.stderr.write(f"{number} of {self._of}\n")
        sys.stderr.flush()

    def finish(self, *, whole: bool) -> int:
        """The sums, and the exit status. ``whole``: all faults there are were tried, so what is not needed is seen."""
        not_needed = list(self._explanations.without_need(self._survivors())) if whole else []
        for each in not_needed:
            _say(f"EXPLAINED WITHOUT NEED  {each}")
        shown = sum(each.is_shown for each in self.outcomes)
        refused = sum(each.is_refused_all_the_same for each in self.outcomes)
        _say(
            f"{len(self.outcomes)} faults in {time.monotonic() - self._began:.0f} s: "
            f"{shown} shown by a vector, {refused} refused all the same for another reason, "
            f"{self._families.total()} explained, {self._unexplained} not"
        )
        for name, count in self._families.most_common():
            _say(f"  {count:4d}  {name}")
        return 1 if self._unexplained or not_needed or self._failing else 0

    def _survivors(self) -> list[str]:
        return [
            each.fault
            for each in self.outcomes
            if not each.is_shown and not each.is_refused_all_the_same
        ]


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
