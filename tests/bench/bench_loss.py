"""What is heard and seen of a call over a path that loses packets, beside aiortc alone; and what encryption takes.

    python -m tests.bench.bench_loss [--json] [--seconds N]

A device sends a tone and the test picture (640x480, 30 a second) to another one, over a path on 127.0.0.1 that drops RTP
and RTCP at random, in both directions, from the same seed each time. A call has a process for itself, with both devices
in it. For each loss the two contenders follow each other: "e2ee" is a MediaPeer with all its streams, "aiortc" an
RTCPeerConnection without any of our code. What was made up for lost sound is not counted as played.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict

from tests.bench.lossy_call import CONTENDERS, Figures, run_call

LOSSES = (0.0, 0.01, 0.03, 0.05)


def measure(loss: float, contender: str, seconds: float) -> Figures:
    """In a process that does nothing else."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(run, (loss, contender, seconds))


def run(loss: float, contender: str, seconds: float) -> Figures:
    return asyncio.run(run_call(contender, loss, seconds))


COLUMNS: tuple[tuple[str, Callable[[Figures], str]], ...] = (
    ("loss", lambda row: f"{row.loss:.0%}"),
    ("", lambda row: row.contender),
    ("sound sent", lambda row: f"{row.sound_sent:,}"),
    ("played", lambda row: f"{row.sound_played / row.sound_sent:.1%}"),
    ("of arrived", lambda row: f"{row.sound_played / row.sound_arrived:.1%}"),
    ("concealed", lambda row: f"{row.sound_concealed:,}"),
    ("gap, ms", lambda row: f"{row.longest_silence * 1_000:.0f}"),
    ("pictures sent", lambda row: f"{row.pictures_sent:,}"),
    ("shown", lambda row: f"{row.pictures_shown / row.pictures_sent:.1%}"),
    ("gap, ms", lambda row: f"{row.longest_freeze * 1_000:.0f}"),
    ("encryption, of CPU", lambda row: f"{row.encryption_share or 0:.1%}"),
)  # fmt: skip


def as_text(rows: Sequence[Figures]) -> str:
    table = [[title for title, _ in COLUMNS]]
    table += [[cell(row) for _, cell in COLUMNS] for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in table
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--seconds", type=float, default=30, help="length of each call (30)")
    arguments = parser.parse_args()
    rows = [
        measure(loss, contender, arguments.seconds) for loss in LOSSES for contender in CONTENDERS
    ]
    text = json.dumps([asdict(row) for row in rows], indent=2) if arguments.json else as_text(rows)
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
