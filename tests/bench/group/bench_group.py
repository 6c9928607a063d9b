"""What group calls take: of a thousand members and their service, of people's ears and eyes, of a forwarding unit.

    python -m tests.bench.group [--quick] [--only large|media|forwarding] [--markdown PATH] [--json PATH]
    python -m tests.bench.group --profile PATH         where the time of a large call's members and service goes, for pstats

    large         a thousand members of whom ten speak, on simulated time, beside ``e2ee.mls`` alone (``large``)
    media         from a join to the first frame, gaps when epochs begin, what who was removed can open (``media``)
    forwarding    what a forwarded stream costs, beside SRTP and the datagrams alone (``bench_forwarding``)

Everything runs on this machine; media go over 127.0.0.1. Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.group import bench_forwarding, large, media, meeting
from tests.bench.group.bench_forwarding import COLUMNS, Floor, Own, floor_of
from tests.bench.group.figures import Table, as_markdown, as_text
from tests.bench.group.forwarding_load import Load

__all__ = ["main"]

PARTS = ("large", "media", "forwarding")

Part = tuple[list[Table], Any]
"""What was found, as tables and as JSON."""


def large_calls(*, quick: bool) -> Part:
    found = []
    for extent in large.QUICK if quick else large.FULL:
        found.append(large.measure(extent))
        _tell(f"lived: {extent.members:,} members, suite {extent.suite:#06x}")
    return [table for each in found for table in large.tables(each)], [
        large.as_json(each) for each in found
    ]


def meetings(*, quick: bool) -> Part:
    found = []
    for gathering in media.QUICK if quick else media.FULL:
        found.append(asyncio.run(meeting.measure(gathering)))
        _tell(f"met: {gathering.members} members")
    return list(media.tables(found)), [media.as_json(each) for each in found]


def forwarding(*, quick: bool) -> Part:
    """In a process of its own, as the command that it is."""
    command = [sys.executable, "-m", bench_forwarding.__name__, "--json"]
    command += ["--quick"] if quick else []
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own
    told = json.loads(done.stdout)
    _tell("forwarded")
    return [forwarding_table(told)], told


def forwarding_table(told: dict[str, Any]) -> Table:
    floors = {each["kind"]: Floor(**each) for each in told["floors"]}
    loads = [Load(**each) for each in told["loads"]]
    columns = (("/ floor", _of_floor), *COLUMNS)
    rows = [[cell(load, floors) for _, cell in columns] for load in loads]
    own = Own(**told["own"])
    notes = [
        f"floor of {each.kind}: SRTP off {each.unprotect:.1f} µs, on {each.protect:.1f} µs, a datagram sent {each.send:.1f} µs"
        for each in floors.values()
    ]
    notes.append(
        f"own code: {own.packet_in:.1f} µs a packet in, {own.packet_out:.1f} µs a packet out"
    )
    return Table("the forwarding unit, a process", [[name for name, _ in columns], *rows], notes)


def _of_floor(load: Load, floors: dict[str, Floor]) -> str:
    return f"{load.per_packet / floor_of(load, floors):.1f}×"


_MEASURES = {"large": large_calls, "media": meetings, "forwarding": forwarding}


def _tell(what: str) -> None:
    sys.stderr.write(f"{what}\n")


def _head(began: float, load: float) -> str:
    seconds = time.monotonic() - began
    return (
        f"Python {platform.python_version()}, {os.cpu_count()} cores, load {load:.1f} at the start and"
        f" {os.getloadavg()[0]:.1f} at the end, {seconds:.0f} s"
    )


def _profile(file: Path, *, quick: bool) -> None:
    extent = (large.QUICK if quick else large.FULL)[0]
    with cProfile.Profile(time.thread_time) as profile:
        large.measure(extent)
    profile.dump_stats(file)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="less of everything")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; may be repeated")
    parser.add_argument("--markdown", type=Path, help="write the tables as Markdown, too")
    parser.add_argument("--json", type=Path, help="write all figures")
    parser.add_argument("--profile", type=Path, help="write where a large call's time goes")
    arguments = parser.parse_args()
    if arguments.profile:
        _profile(arguments.profile, quick=arguments.quick)
        return
    began, load = time.monotonic(), os.getloadavg()[0]
    parts = {
        name: _MEASURES[name](quick=arguments.quick)
        for name in PARTS
        if name in (arguments.only or PARTS)
    }
    head, tables = _head(began, load), list(_all_tables(parts))
    sys.stdout.write(as_text(head, tables))
    if arguments.markdown:
        arguments.markdown.write_text(as_markdown(head, tables))
    if arguments.json:
        figures = {"machine": head} | {name: figures for name, (_, figures) in parts.items()}
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


def _all_tables(parts: dict[str, Part]) -> Iterator[Table]:
    for tables, _ in parts.values():
        yield from tables


if __name__ == "__main__":
    main()
