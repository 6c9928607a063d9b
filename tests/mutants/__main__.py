"""``python -m tests.mutants [PATTERN ...]``: take each single check out of the implementation, and see a vector show it.

A mutant that no vector shows stands in ``survivors.toml`` with the reason, or the run fails; so it does for a reason
that is no longer needed. ``--list`` names the mutants, ``--jobs`` says how many run at once, ``--defects`` plants the
known faults of other systems instead.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
import tomllib
from collections.abc import Iterable, Sequence
from fnmatch import fnmatch
from pathlib import Path

from tests.mutants.checks import Mutant, mutants
from tests.mutants.defects import defects
from tests.mutants.targets import modules
from tests.mutants.trial import Outcome, Trials

SURVIVORS = Path(__file__).with_name("survivors.toml")


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module. 0: every fault is shown or explained; 1: one is not."""
    options = _parser().parse_args(arguments)
    planted = [each for each in _planted(options.defects) if _is_meant(each, options.patterns)]
    if options.list:
        print(*(each.name for each in planted), sep="\n")
        return 0
    began = time.monotonic()
    explained = {} if options.patterns else _explained(options.defects)
    survivors = _run(planted, options.jobs, _explained(options.defects))
    stale = explained.keys() - survivors
    for name in sorted(stale):
        print(f"EXPLAINED WITHOUT NEED  {name}")
    unexplained = survivors - _explained(options.defects).keys()
    print(
        f"{len(planted)} faults, {len(planted) - len(survivors)} shown by vectors, "
        f"{len(survivors) - len(unexplained)} explained, {len(unexplained)} not; "
        f"{time.monotonic() - began:.0f} s"
    )
    return 1 if unexplained or stale else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("patterns", nargs="*", help="only mutants whose names match (*, ?)")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--defects", action="store_true")
    return parser


def _planted(known_defects: bool) -> Iterable[Mutant]:  # noqa: FBT001
    if known_defects:
        return defects()
    return (mutant for name in modules() for mutant in mutants(name, _source(name)))


def _source(module: str) -> str:
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).read_text()


def _is_meant(mutant: Mutant, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatch(mutant.name, f"*{pattern}*") for pattern in patterns)


def _explained(known_defects: bool) -> dict[str, str]:  # noqa: FBT001
    document = tomllib.loads(SURVIVORS.read_text())
    return {**document["defects" if known_defects else "checks"]}


def _run(planted: Sequence[Mutant], jobs: int, explained: dict[str, str]) -> set[str]:
    """The names of those that no vector shows; each is printed."""
    trials = Trials(sorted({each.module for each in planted}))
    survivors = set[str]()
    for number, outcome in enumerate(trials.outcomes(planted, jobs), 1):
        if not outcome.shown_by:
            survivors.add(outcome.mutant)
            _print_survivor(outcome, explained)
        if sys.stderr.isatty():
            print(f"\r{number} of {len(planted)}", end="", file=sys.stderr, flush=True)
    return survivors


def _print_survivor(outcome: Outcome, explained: dict[str, str]) -> None:
    state = "EXPLAINED" if outcome.mutant in explained else "SURVIVES "
    print(f"{state}  {outcome.mutant}  ({outcome.tried} cases run it)")


if __name__ == "__main__":
    sys.exit(main())
