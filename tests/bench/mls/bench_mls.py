"""What MLS costs a member: ours, mls-rs and ts-mls side by side, in one run.

    python -m tests.bench.mls [--quick] [--markdown PATH] [--plot PATH] [--json PATH]

The implementations live the same life (``life``) and take turns, so that all meet the same machine. Of all rounds each
one's best counts. All check every signature that RFC 9420 tells them to, in commits, leaves and messages alike.

ts-mls takes part in bulk-added groups of up to 100 members. At 10,000 members ours is alone, in a process of its own,
whose peak of memory is told, with the exponent by which the time grew since 1,000 members.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
from pathlib import Path

from tests.bench.mls.figures import (
    Cost,
    Costs,
    Figures,
    Large,
    Table,
    as_json,
    as_markdown,
    as_text,
)
from tests.bench.mls.life import ROWS, Life, Shape
from tests.bench.mls.members import Implementation
from tests.bench.mls.mls_rs import MlsRs
from tests.bench.mls.ours import Ours
from tests.bench.mls.plot import draw
from tests.bench.mls.ts_mls import TsMls

SHAPES = (
    Shape(2),
    Shape(2, 2),
    Shape(10),
    Shape(10, 10),
    Shape(100),
    Shape(100, 100),
    Shape(1_000),
    Shape(1_000, 64),
)
LARGE = Shape(10_000)
ROUNDS = {2: 40, 10: 40, 100: 12, 1_000: 5, 10_000: 3}


def costs(life: Life) -> Costs:
    return {
        row: Cost(min(times) * 1e3, statistics.median(times) * 1e3)
        for row, times in ((row, life.times[row]) for row in ROWS)
    }


def measure(shape: Shape, implementations: list[Implementation]) -> dict[str, Costs]:
    lives = [Life(implementation, shape) for implementation in implementations]
    gc.collect()
    for number in range(ROUNDS[shape.size]):
        for life in lives:
            life.round(number)
    return {life.implementation.name: costs(life) for life in lives}


def measure_alone() -> Large:
    """In this process, which has done nothing else."""
    found = measure(LARGE, [Ours()])["ours"]
    return Large(LARGE, found, peak_memory())


def peak_memory() -> int:
    """Of this process, in bytes.

    Linux tells it of the program alone; what getrusage says there began with the parent's. Only macOS counts in bytes.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (each for each in status.read_text().splitlines() if each.startswith("VmHWM:"))
        return int(line.split()[1]) * 1_024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1_024


def measure_apart() -> Large:
    """In a process of its own."""
    command = [sys.executable, "-m", "tests.bench.mls", "--alone"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own
    told = json.loads(done.stdout)
    found = {row: Cost(*cost) for row, cost in told["costs"].items()}
    return Large(LARGE, found, told["peak_memory"])


def tell_alone() -> None:
    large = measure_alone()
    rows = {row: (cost.best, cost.median) for row, cost in large.costs.items()}
    sys.stdout.write(json.dumps({"costs": rows, "peak_memory": large.peak_memory}))


def run(*, quick: bool) -> Figures:
    ours, mls_rs, ts_mls = Ours(), MlsRs(), TsMls()
    table: Table = {}
    for shape in SHAPES:
        if quick and shape.size > 100:
            continue
        taking_part: list[Implementation] = [ours, mls_rs]
        if shape.size <= 100 and not shape.committers:
            taking_part.append(ts_mls)
        table[shape] = measure(shape, taking_part)
        sys.stderr.write(f"measured: {shape}\n")
    ts_mls.stop()
    return Figures(table, None if quick else measure_apart())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="groups of up to 100 members")
    parser.add_argument("--markdown", type=Path, help="write the tables as Markdown, too")
    parser.add_argument("--plot", type=Path, help="draw the curves, as PNG")
    parser.add_argument("--json", type=Path, help="write all figures")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.alone:
        tell_alone()
        return
    figures = run(quick=arguments.quick)
    sys.stdout.write(f"Python {platform.python_version()}, {os.cpu_count()} cores\n")
    sys.stdout.write(as_text(figures))
    if arguments.markdown:
        arguments.markdown.write_text(as_markdown(figures))
    if arguments.json:
        arguments.json.write_text(as_json(figures))
    if arguments.plot:
        draw(figures, arguments.plot)
