"""Fuzz the decoders, and whatever else takes bytes from strangers: ``python -m tests.fuzz [TARGET ...]``.

Of each target the whole corpus is run first: its seeds, which are generated from ``vectors/`` and from what encoders make,
and what was pinned. Then inputs are changed for as long as there is time, by what they reach in the code. An input that is
a fault is kept in ``.fuzz/faults``, and the command that repeats it is said.

Nothing of the package may be imported before it is instrumented, so this module imports the others only when it knows why.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import io
import sys
import time
from contextlib import nullcontext, redirect_stderr
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.fuzz.running import Outcome
    from tests.fuzz.target import Target

INSTRUMENTED = ["e2ee", "aiortc.codecs", "aiortc.jitterbuffer", "aiortc.rtp", "aiortc.sdp"]
NOT_INSTRUMENTED = ["e2ee.cli", "e2ee.conformance.adapter", "e2ee.testing", "e2ee.vectorgen"]
"""What no input reaches: it would only take long."""


def main() -> int:
    """0 if no target has a fault, 1 if one has, 2 if there is no such target."""
    asked = _arguments()
    fuzzing = not asked.list and asked.input is None
    has_atheris = importlib.util.find_spec("atheris") is not None
    targets = _targets(instrumented=fuzzing and has_atheris)
    if unknown := [name for name in asked.target if name not in targets]:
        _say(f"fuzz: there is no target {', '.join(unknown)}; see --list")
        return 2
    chosen = [targets[name] for name in asked.target or targets]
    if asked.list:
        for each in chosen:
            _say(f"{each.name:22}{each.about}")
        return 0
    if asked.input is not None:
        return _repeat(asked.input, chosen)
    return _fuzz(asked, chosen) if has_atheris else _only_the_corpus(chosen)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("target", nargs="*", metavar="TARGET", help="all, if none is named")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--together", type=int, metavar="SECONDS", help="for all targets, instead")
    parser.add_argument("--runs", type=int, default=-1, help="inputs of each target, at most")
    parser.add_argument(
        "--seed", type=int, default=0, help="of what is tried; 0 is another each time (0)"
    )
    parser.add_argument("--processes", type=int, default=1, help="targets at a time (1)")
    parser.add_argument(
        "--input", type=Path, metavar="FILE", help="judge this input, and nothing else"
    )
    parser.add_argument("--list", action="store_true", help="say what targets there are")
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command talks


def _targets(*, instrumented: bool) -> dict[str, Target]:
    watched: Any = nullcontext()
    if instrumented:
        watched = importlib.import_module("atheris").instrument_imports(
            include=INSTRUMENTED, exclude=NOT_INSTRUMENTED
        )
    with watched, redirect_stderr(io.StringIO()):  # it names every module
        table: dict[str, Target] = importlib.import_module("tests.fuzz.table").TARGETS
    return table


def _repeat(path: Path, chosen: list[Target]) -> int:
    """A fault ends with its traceback."""
    judged = importlib.import_module("tests.fuzz.target").judged
    for each in chosen:
        _say(f"{each.name}: {'accepted' if judged(each, path.read_bytes()) else 'refused'}")
    return 0


def _only_the_corpus(chosen: list[Target]) -> int:
    """A fault ends with its traceback."""
    _say(
        "fuzz: atheris is not installed (it has wheels for CPython on Linux, x86-64): only the corpus is run"
    )
    judged = importlib.import_module("tests.fuzz.target").judged
    corpus = importlib.import_module("tests.fuzz.corpus")
    for each in chosen:
        inputs = [*corpus.seeded(each), *(path.read_bytes() for path in corpus.pinned(each))]
        accepted = sum(judged(each, data) for data in inputs)
        _say(f"{each.name:22}{len(inputs):>10,} inputs, {accepted:,} accepted")
    return 0


def _fuzz(asked: argparse.Namespace, chosen: list[Target]) -> int:
    begin, seconds = time.monotonic(), asked.seconds
    if asked.together is not None:
        seconds = asked.together * asked.processes / len(chosen)
    running = importlib.import_module("tests.fuzz.running")  # atheris is with it
    limits = running.Limits(asked.runs, asked.seed)
    outcomes: list[Outcome] = []
    for outcome in running.fuzzed(chosen, seconds, limits, asked.processes):
        _show(outcome)
        outcomes.append(outcome)
    runs, faulty = sum(each.runs for each in outcomes), sum(each.is_faulty for each in outcomes)
    took = time.monotonic() - begin
    _say(f"fuzz: {len(outcomes)} targets, {runs:,} inputs in {took:.0f} s, {faulty} with a fault")
    return 1 if faulty else 0


def _show(outcome: Outcome) -> None:
    name, rate = outcome.target.name, outcome.runs / max(1.0, outcome.seconds)
    _say(
        f"{name:22}{outcome.runs:>10,} inputs {rate:>8,.0f}/s {outcome.covered:>6,} places {outcome.seconds:>5.0f} s"
    )
    if outcome.is_faulty:
        _say(
            "\n".join(f"    {line}" for line in outcome.said.splitlines() if _tells(line))[-6_000:]
        )
    for fault in outcome.faults:
        _say(f"    repeat: python -m tests.fuzz {name} --input {fault}")


def _tells(line: str) -> bool:
    """Whether a line is one of a traceback, or of libFuzzer's word about an error, and not of its progress."""
    return not line.startswith(("#", "INFO", '"', "stat:", "MS:", "0x", "artifact", "Base64"))


if __name__ == "__main__":
    sys.exit(main())
