"""What calls and their service take: until people hear and see each other, what a server carries, what loss does.

    python -m tests.bench.call [--quick] [--only setup|server|loss] [--markdown PATH] [--json PATH]
    python -m tests.bench.call --profile PATH          where the server's time goes, for pstats

Everything runs on this machine, over 127.0.0.1, and beside a floor in the same run: a call beside aiortc alone
(``setup``), the server beside a relay without store and checks (``load``), a path that loses packets beside aiortc alone
(``tests.bench.bench_loss``). Linux only: it has the processor's time of other processes, and gives a server a core.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench import bench_loss
from tests.bench.call import load, setup
from tests.bench.call.figures import Figures, Machine, as_json, as_markdown, as_text
from tests.bench.call.load import Load, Size
from tests.bench.call.setup import Setup
from tests.bench.lossy_call import CONTENDERS
from tests.bench.lossy_call import Figures as Loss

FLUSHES = 50


@dataclass(frozen=True)
class Extent:
    """How much is done: calls of a variant, seconds of the last one; the server's load; seconds of a call that loses."""

    calls: int
    seconds: float
    size: Size
    loss: float


WHOLE = Extent(12, 5.0, Size(1_000, 200, 10.0), 20.0)
QUICK = Extent(4, 2.0, Size(200, 40, 4.0), 5.0)
PROFILED = Size(200, 40, 10.0)


def flushes() -> list[float]:
    """Milliseconds for 4 KiB, again and again, to the disk that has the temporary files."""
    times: list[float] = []
    with tempfile.TemporaryFile() as file:
        for _ in range(FLUSHES):
            os.write(file.fileno(), bytes(4_096))
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - began) * 1e3)
    return times


def setups(extent: Extent) -> list[Setup]:
    found = []
    for variant in setup.VARIANTS:
        if variant.directory is None or Path(variant.directory).is_dir():
            found.append(asyncio.run(setup.measure(variant, extent.calls, extent.seconds)))
            _tell(f"called: {variant.name}")
    return found


def loads(extent: Extent) -> list[Load]:
    found = []
    for kind in load.KINDS:
        found.append(asyncio.run(load.measure(kind, extent.size)))
        _tell(f"loaded: {kind}")
    return found


def losses(extent: Extent) -> list[Loss]:
    found = []
    for loss in bench_loss.LOSSES:
        found += [bench_loss.measure(loss, contender, extent.loss) for contender in CONTENDERS]
        _tell(f"lost: {loss:.0%}")
    return found


def _tell(what: str) -> None:
    sys.stderr.write(f"{what}\n")


def run(extent: Extent, parts: Sequence[str]) -> Figures:
    load_before, flushed = os.getloadavg()[0], flushes()
    found_setups = setups(extent) if "setup" in parts else []
    flushed += flushes()
    found_loads = loads(extent) if "server" in parts else []
    flushed += flushes()
    found_losses = losses(extent) if "loss" in parts else []
    between = (load_before, os.getloadavg()[0])
    machine = Machine(platform.python_version(), os.cpu_count() or 1, between, flushed)
    return Figures(machine, found_setups, extent.size, found_loads, found_losses)


def main() -> None:
    parts = ("setup", "server", "loss")
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="less of everything")
    parser.add_argument("--only", choices=parts, action="append", help="this part; may be repeated")
    parser.add_argument("--markdown", type=Path, help="write the tables as Markdown, too")
    parser.add_argument("--json", type=Path, help="write all figures")
    parser.add_argument("--profile", type=Path, help="write where a loaded server's time goes")
    arguments = parser.parse_args()
    if arguments.profile:
        _ = asyncio.run(load.measure("sqlite", PROFILED, arguments.profile))
        return
    figures = run(QUICK if arguments.quick else WHOLE, arguments.only or parts)
    sys.stdout.write(as_text(figures))
    if arguments.markdown:
        arguments.markdown.write_text(as_markdown(figures))
    if arguments.json:
        arguments.json.write_text(as_json(figures))


if __name__ == "__main__":
    main()
