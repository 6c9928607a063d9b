"""Which cases run which function, remembered from one run to the next until the implementation changes."""

from __future__ import annotations

import hashlib
import importlib
import json
import multiprocessing
import sys
import types
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from e2ee.conformance.adapter_protocol import case_line
from e2ee.conformance.cases import BEYOND_THE_PROFILE, Case, read_cases, shipped_vectors
from e2ee.conformance.verdict import Verdict
from tests.mutants.asking import verdict_of

__all__ = ["CACHE", "Running", "cases"]

CACHE = Path(__file__).parents[2] / ".mutants"
"""What is remembered. Nothing breaks if it goes."""

Place = tuple[str, str]
"""(module, name of the function's code)."""

AGAIN = tuple(
    f"mls-validation/{operation}/0xf0e2/"
    for operation in ("process", "join", "external-join", "key-package", "commit")
)

DO_NOT_JUDGE = ("e2ee.vectorgen", "e2ee.testing", "e2ee.cli")


def cases() -> tuple[Case, ...]:
    """The cases of ``vectors/`` that a client of this protocol has to pass, those of MLS's rules in one suite.

    The other suite's are the same cases once more: they would double the time of what nothing shows.
    """
    return tuple(
        case
        for case in read_cases(shipped_vectors())
        if not set(case.features) & set(BEYOND_THE_PROFILE) and not case.name.startswith(AGAIN)
    )


class Running:
    """Of all cases."""

    def __init__(
        self, every: Sequence[Case], modules: Iterable[str], jobs: int, cache: Path
    ) -> None:
        """``failing`` are the cases that fail without any fault, and so show none."""
        self._names = {str(importlib.import_module(name).__file__): name for name in modules}
        self._cache = cache / "running.json"
        lines = [_line(case) for case in every]
        known = self._read()
        unknown = [index for index, line in enumerate(lines) if line not in known]
        if unknown:
            fork = multiprocessing.get_context("fork")
            with fork.Pool(jobs) as pool:
                found = pool.imap(self._ran, [every[index] for index in unknown], chunksize=16)
                known |= {lines[index]: ran for index, ran in zip(unknown, found, strict=True)}
        self._write({line: known[line] for line in lines if known[line] is not None})
        self.failing = [
            every[index].name for index, line in enumerate(lines) if known[line] is None
        ]
        self._cases = dict[Place, list[int]]()
        for index, line in enumerate(lines):
            for module, function in known[line] or ():
                self._cases.setdefault((module, function), []).append(index)

    def of(self, places: Iterable[Place]) -> set[int]:
        """The numbers of the cases that run one of ``places``; of all if there are none."""
        chosen = list(places) or self._cases
        return {index for place in chosen for index in self._cases.get(place, ())}

    def _ran(self, case: Case) -> list[Place] | None:
        """What it runs; None if it fails."""
        codes = set[types.CodeType]()

        def note(frame: types.FrameType, _: str, __: object) -> None:
            codes.add(frame.f_code)

        sys.settrace(note)
        try:
            verdict = verdict_of(case)
        finally:
            sys.settrace(None)
        if verdict is not Verdict.PASS:
            return None
        return sorted(
            {
                (module, _outer(code.co_qualname))
                for code in codes
                if (module := self._names.get(code.co_filename))
            }
        )

    def _read(self) -> dict[str, list[Place] | None]:
        try:
            remembered = json.loads(self._cache.read_text())
        except (OSError, ValueError):
            return {}
        if remembered["of"] != self._state():
            return {}
        places = [(module, function) for module, function in remembered["places"]]
        return {
            line: [places[number] for number in numbers]
            for line, numbers in remembered["cases"].items()
        }

    def _write(self, known: Mapping[str, Sequence[Place] | None]) -> None:
        places = sorted({place for ran in known.values() for place in ran or ()})
        number = {place: index for index, place in enumerate(places)}
        ran = {line: [number[place] for place in each or ()] for line, each in known.items()}
        self._cache.parent.mkdir(exist_ok=True)
        self._cache.write_text(json.dumps({"of": self._state(), "places": places, "cases": ran}))

    def _state(self) -> str:
        """A hash of the text of all that may run when a case is judged, and of which modules are asked for."""
        digest = hashlib.sha256(repr(sorted(self._names.values())).encode())
        for name, module in sorted(sys.modules.items()):
            if name.startswith("e2ee") and not name.startswith(DO_NOT_JUDGE) and module.__file__:
                digest.update(Path(module.__file__).read_bytes())
        return digest.hexdigest()


def _line(case: Case) -> str:
    return hashlib.sha256(case_line(1, case.group, case.input).encode()).hexdigest()


def _outer(qualified: str) -> str:
    """The function that a closure, a lambda or a comprehension belongs to."""
    return qualified.partition(".<locals>")[0]
