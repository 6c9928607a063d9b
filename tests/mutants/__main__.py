"""``python -m tests.mutants [PATTERN ...]``: plant faults in the implementation one at a time, and see a vector show each.

    checks       each single check taken out
    boundaries   each limit that a check compares with on the other side of it
    numbers      each number of the protocol one smaller, and one larger
    defects      faults that other systems had, from audits and advisories

A fault that no vector shows stands in ``survivors.toml`` with the reason, or the run fails; so it does for a reason
that is no longer needed. PATTERN is a part of names, with ``*`` for anything.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from fnmatch import fnmatch
from pathlib import Path

from tests.mutants.checks import boundaries, checks
from tests.mutants.defects import DEFECTS
from tests.mutants.numbers import numbers
from tests.mutants.page import write
from tests.mutants.report import Report
from tests.mutants.targets import modules
from tests.mutants.trial import Fault, Trials

IN_EACH_MODULE: Mapping[str, Callable[[str], Iterator[Fault]]] = {
    "checks": checks,
    "boundaries": boundaries,
    "numbers": numbers,
}
KINDS = (*IN_EACH_MODULE, "defects")
EXPLAINED = {"checks", "boundaries", "defects"}
"""Of these each survivor has its reason; numbers are for who looks for boundaries that have no vector yet."""


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module. 0: every fault is shown or explained; 1: one is not."""
    options = _parser().parse_args(arguments)
    faults = [
        fault
        for kind in options.kinds
        for fault in _of_kind(kind)
        if _is_meant(fault, options.patterns)
    ]
    if options.list:
        sys.stdout.writelines(f"{each.name}\n" for each in faults)
        return 0
    trials = Trials(sorted(modules()), options.jobs)
    report = Report(len(faults), trials.failing)
    for outcome in trials.outcomes(faults):
        report.add(outcome)
    if options.json:
        written = [asdict(each) for each in report.outcomes]
        options.json.write_text(json.dumps(written, indent=1) + "\n")
    if options.write:
        write(report.outcomes)
    whole = not options.patterns and set(options.kinds) >= EXPLAINED
    return report.finish(whole=whole)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutants",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("patterns", nargs="*", metavar="PATTERN", help="only faults of such a name")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=["checks"])
    parser.add_argument("--all", dest="kinds", action="store_const", const=KINDS)
    parser.add_argument("--jobs", type=int, default=2, help="how many run at once (2)")
    parser.add_argument("--list", action="store_true", help="name the faults, and do nothing")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what became of each")
    parser.add_argument(
        "--write",
        action="store_true",
        help="write the table of the guide for auditors; needs all defects",
    )
    return parser


def _of_kind(kind: str) -> Iterator[Fault]:
    if kind == "defects":
        yield from DEFECTS
    else:
        for module in modules():
            yield from IN_EACH_MODULE[kind](module)


def _is_meant(fault: Fault, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatch(fault.name, f"*{pattern}*") for pattern in patterns)


if __name__ == "__main__":
    sys.exit(main())
