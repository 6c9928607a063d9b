"""Whether a case shows a fault: each trial is a process that is forked for it, and ends with it."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Protocol

from e2ee.conformance.verdict import FAILING, Verdict
from tests.mutants.asking import bounded, verdict_of
from tests.mutants.running import CACHE, Running, cases

__all__ = ["Fault", "Outcome", "Trials"]


class Fault(Protocol):
    """Something wrong that can be planted into this process."""

    @property
    def name(self) -> str:
        """Unique, and the same while the code around it changes."""

    @property
    def runs(self) -> frozenset[tuple[str, str]]:
        """(module, function): a case that runs none of them cannot show the fault. Empty: any case may."""

    def plant(self) -> None:
        """Let this process run the fault."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """``shown_by`` names the case that shows the fault, and ``verdict`` how; both are empty if none of ``tried`` does.

    The verdict PASS_OTHER_REASON: what must be refused is refused all the same, by what stands behind the check.
    """

    fault: str
    tried: int
    shown_by: str = ""
    verdict: str = ""

    @property
    def is_shown(self) -> bool:
        """Whether an implementation with the fault fails a case."""
        return self.verdict in FAILING

    @property
    def is_refused_all_the_same(self) -> bool:
        """Whether a case shows nothing but another reason, which conforms (CONF-13)."""
        return self.verdict == Verdict.PASS_OTHER_REASON


class Trials:
    """The cases of ``vectors/``, those that must be refused first: they are what most faults let through."""

    def __init__(
        self,
        modules: Sequence[str],
        jobs: int,
        patterns: Sequence[str] = ("*",),
        cache: Path = CACHE,
    ) -> None:
        """``patterns`` are of the names of cases; ``cache`` is a folder for what is remembered."""
        self._cases = [case for case in cases() if case.called(patterns)]
        self._jobs = jobs
        self._running = Running(self._cases, modules, jobs, cache)
        self._cache = cache / "shown.json"
        self._shown_before = _remembered(self._cache)

    @property
    def failing(self) -> list[str]:
        """The cases that fail without any fault: they show none."""
        return self._running.failing

    def outcomes(self, faults: Iterable[Fault]) -> Iterator[Outcome]:
        """What became of each fault, as it becomes known."""
        waiting, running = iter(faults), dict[Connection, tuple[BaseProcess, Fault]]()
        while True:
            while len(running) < self._jobs and (fault := next(waiting, None)) is not None:
                process, answers = self._begun(fault)
                running[answers] = process, fault
            if not running:
                break
            for ready in wait(list(running)):
                assert isinstance(ready, Connection)
                process, fault = running.pop(ready)
                outcome = _received(ready, process, fault)
                if outcome.is_shown:
                    self._shown_before[outcome.fault] = outcome.shown_by
                    self._cache.write_text(json.dumps(self._shown_before, indent=0))
                yield outcome

    def _begun(self, fault: Fault) -> tuple[BaseProcess, Connection]:
        fork = multiprocessing.get_context("fork")
        receiving, sending = fork.Pipe(duplex=False)
        process = fork.Process(target=self._try, args=(fault, sending))
        process.start()
        sending.close()
        return process, receiving

    def _try(self, fault: Fault, sending: Connection) -> None:
        bounded()
        chosen = self._chosen(fault)
        fault.plant()
        sending.send(asdict(self._tried(fault, chosen)))

    def _tried(self, fault: Fault, chosen: Sequence[int]) -> Outcome:
        other_reason = ""
        for tried, index in enumerate(chosen, 1):
            case = self._cases[index]
            verdict = verdict_of(case)
            if verdict in FAILING:
                return Outcome(fault.name, tried, case.name, str(verdict))
            if verdict is Verdict.PASS_OTHER_REASON:
                other_reason = other_reason or case.name
        seen = str(Verdict.PASS_OTHER_REASON) if other_reason else ""
        return Outcome(fault.name, len(chosen), other_reason, seen)

    def _chosen(self, fault: Fault) -> list[int]:
        chosen = self._running.of(fault.runs)
        before = self._shown_before.get(fault.name)
        return sorted(
            chosen,
            key=lambda index: (self._cases[index].name != before, self._cases[index].valid, index),
        )


def _received(answers: Connection, process: BaseProcess, fault: Fault) -> Outcome:
    """A process that is killed (a stack that overflowed) crashed: its adapter would have, too."""
    with answers:
        try:
            return Outcome(**answers.recv())
        except EOFError:
            process.join()
            if process.exitcode is None or process.exitcode >= 0:
                raise AssertionError(f"{fault.name}: the trial itself failed") from None
            return Outcome(fault.name, 0, "any", str(Verdict.CRASH))


def _remembered(cache: Path) -> dict[str, str]:
    try:
        return dict(json.loads(cache.read_text()))
    except (OSError, ValueError):
        return {}
