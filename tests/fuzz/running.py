"""Targets under atheris: each in a child of one process, which has imported and instrumented everything once.

Instrumenting takes longer than many targets need to show a fault, so it is done once for all of them; libFuzzer begins in the
child, and ends it.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]

from tests.fuzz.corpus import FOLDER, pinned, write
from tests.fuzz.target import TIME, Target, judged

__all__ = ["Limits", "Outcome", "fuzzed"]

MEMORY = 1_024
"""MiB that a child may have."""

HANG = 20
"""Seconds after which libFuzzer takes an input for one that has no end."""

SLOWER = 3
"""How many times as long an input may take that is watched."""

_RUNS = re.compile(r"stat::number_of_executed_units:\s+(\d+)")
_COVERED = re.compile(r"cov: (\d+)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a target: how many inputs were run, and what was written of the last if it was a fault."""

    target: Target
    runs: int
    seconds: float
    covered: int
    said: str
    faults: Sequence[Path]
    is_faulty: bool


@dataclass(frozen=True, slots=True)
class _Child:
    target: Target
    begin: float
    before: frozenset[Path]
    log: Path


@dataclass(frozen=True, slots=True)
class Limits:
    """Inputs of each target, -1 for as many as the time allows; and the seed of what is tried, 0 for another each time."""

    runs: int = -1
    seed: int = 0


def fuzzed(
    targets: Sequence[Target], seconds: float, limits: Limits, processes: int
) -> Iterator[Outcome]:
    """Each target's whole corpus, then ``seconds`` of changed inputs, within ``limits``."""
    waiting, running = [*reversed(targets)], dict[int, _Child]()
    while waiting or running:
        while waiting and len(running) < processes:
            child = _prepared(waiting.pop())
            running[_begun(child, int(max(1, seconds)), limits)] = child
        process, status = os.wait()
        yield _outcome(running.pop(process), status)


def _prepared(target: Target) -> _Child:
    for folder in ("grown", "faults", "logs"):
        (FOLDER / folder / target.name).mkdir(parents=True, exist_ok=True)
    write(target)
    before = frozenset((FOLDER / "faults" / target.name).iterdir())
    return _Child(target, time.monotonic(), before, FOLDER / "logs" / target.name / "last")


def _begun(child: _Child, seconds: int, limits: Limits) -> int:
    """The child's process id."""
    sys.stdout.flush()
    process = os.fork()
    if process:
        return process
    log = os.open(child.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    name = child.target.name
    options = [f"-max_total_time={seconds}", f"-runs={limits.runs}", f"-seed={limits.seed}"]
    folders = [FOLDER / "grown" / name, FOLDER / "seeds" / name]
    folders += {each.parent for each in pinned(child.target)}
    _fuzz(child.target, [*options, *map(str, folders)])
    os._exit(0)


def _fuzz(target: Target, options: Sequence[str]) -> None:
    """Until libFuzzer ends the process."""

    faults = FOLDER / "faults" / target.name

    def one(data: bytes) -> None:
        try:
            judged(target, data, SLOWER * TIME)
        except BaseException:  # before anything else can go wrong
            (faults / f"fault-{hashlib.sha256(data).hexdigest()[:16]}").write_bytes(data)
            raise

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        """By the structure, or blindly, or both."""
        chance = random.Random(seed)  # noqa: S311 - no secret
        changed = target.mutated(data, chance) if chance.random() < 0.7 else None
        if changed is None or len(changed) > max_size or chance.random() < 0.1:
            changed = atheris.Mutate(changed or data, max_size)
        return bytes(changed[:max_size])

    arguments = [
        sys.argv[0],
        f"-max_len={target.longest}",
        f"-timeout={HANG}",
        f"-rss_limit_mb={MEMORY}",
        f"-artifact_prefix={faults}/",
        "-print_final_stats=1",
        *options,
    ]
    hooks = {} if target.mutate is None else {"custom_mutator": mutate}
    atheris.Setup(arguments, one, **hooks)
    atheris.Fuzz()


def _outcome(child: _Child, status: int) -> Outcome:
    said = child.log.read_text(errors="replace")
    found = frozenset((FOLDER / "faults" / child.target.name).iterdir()) - child.before
    faults = [path for path in found if not path.name.startswith("crash-")]  # libFuzzer's copies
    return Outcome(
        child.target,
        sum(map(int, _RUNS.findall(said))),
        time.monotonic() - child.begin,
        max(map(int, _COVERED.findall(said)), default=0),
        said,
        sorted(faults),
        os.waitstatus_to_exitcode(status) != 0,
    )
