"""Which cases run which function, and whether one of them shows a fault: each trial is a process that is forked for it."""

from __future__ import annotations

import importlib
import multiprocessing
import signal
import sys
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from e2ee.conformance.adapter.loop import answers
from e2ee.conformance.adapter_protocol import case_line, read_answer
from e2ee.conformance.cases import Case, read_cases, shipped_vectors
from e2ee.conformance.verdict import FAILING, Verdict, judge
from tests.mutants.checks import Mutant
from tests.mutants.planting import plant

__all__ = ["PATIENCE", "Outcome", "Trials"]

PATIENCE = 60
"""Seconds of one trial; a fault that makes a case endless is seen, too."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """``shown_by`` names the first case that shows the fault, and how; empty if none of ``tried`` cases does."""

    mutant: str
    tried: int
    shown_by: str = ""


class Trials:
    """The cases of ``vectors/``, and for each function of ``modules`` those that run it."""

    def __init__(self, modules: Sequence[str]) -> None:
        self.cases = tuple(read_cases(shipped_vectors()))
        places = {importlib.import_module(name).__file__: name for name in modules}
        self._cases_of: dict[tuple[str, str], list[int]] = {}
        for index, case in enumerate(self.cases):
            for place in self._ran(case, places):
                self._cases_of.setdefault(place, []).append(index)

    def outcomes(self, mutants: Iterable[Mutant], jobs: int) -> Iterable[Outcome]:
        """What became of each mutant, as it becomes known."""
        fork = multiprocessing.get_context("fork")
        with fork.Pool(jobs, maxtasksperchild=1) as pool:
            yield from pool.imap_unordered(self._tried, mutants)

    def _ran(self, case: Case, places: Mapping[str | None, str]) -> set[tuple[str, str]]:
        """(module, name of the function's code) of what ran. Raises AssertionError if the case fails as it is."""
        ran = set[tuple[str, str]]()

        def note(frame: types.FrameType, event: str, _: object) -> None:
            if event == "call" and (module := places.get(frame.f_code.co_filename)):
                ran.add((module, _outer(frame.f_code.co_qualname)))

        verdict = _observed(lambda: _verdict(case), note)
        if verdict not in (Verdict.PASS, Verdict.PASS_OTHER_REASON):
            raise AssertionError(f"{case.name} without any fault: {verdict}")
        return ran

    def _tried(self, mutant: Mutant) -> Outcome:
        plant(mutant)
        chosen = self._cases_of.get((mutant.module, mutant.function), ())
        for tried, index in enumerate(chosen, 1):
            if shown := _shown(self.cases[index]):
                return Outcome(mutant.name, tried, f"{self.cases[index].name}: {shown}")
        return Outcome(mutant.name, len(chosen))


def _outer(qualified: str) -> str:
    """The function that a closure, a lambda or a comprehension belongs to."""
    return qualified.partition(".<locals>")[0]


def _observed(
    call: Callable[[], Verdict], note: Callable[[types.FrameType, str, object], None]
) -> Verdict:
    sys.setprofile(note)
    try:
        return call()
    finally:
        sys.setprofile(None)


def _shown(case: Case) -> str:
    """How a case shows the fault; empty if it does not. Another reason is no fault."""
    signal.signal(signal.SIGALRM, _ended)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        verdict = _verdict(case)
    except Exception as error:  # noqa: BLE001 - whatever it is, the adapter's process would have ended
        return type(error).__name__
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return verdict if verdict in FAILING else ""


def _ended(*_: object) -> None:
    raise TimeoutError


def _verdict(case: Case) -> Verdict:
    (line,) = answers([case_line(1, case.group, case.input).encode()])
    return judge(case, read_answer(line, 1), {}).verdict
