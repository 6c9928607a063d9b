"""What protecting and opening a frame costs, beside the bare AEAD call and beside davey, over the same frames.

    python -m tests.bench [--json] [--rounds N]

In each round every contender of ``contenders`` protects and then opens one list of distinct frames, in turn, so that
all meet the same machine; of all rounds each contender's best counts. Times are microseconds a frame.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.media import h264
from e2ee.media.encoded_frame import Codec
from tests.bench.contenders import CONTENDERS, KINDS, Contender

SIZES = (80, 160, 1_200, 20_000)
LIST_BYTES = 4_000_000
LONGEST_LIST = 2_000
SLICE = h264.START_CODE + bytes.fromhex("419a02")


@dataclass
class Result:
    """The best of all rounds, in microseconds a frame."""

    protect: float = float("inf")
    open: float = float("inf")


Table = dict[Codec, dict[int, dict[str, Result]]]


def encoded_frames(codec: Codec, size: int) -> list[bytes]:
    """Distinct frames; those of VP8 and H.264 are delta frames. What an encoder makes is close to random bytes, in H.264 without
    start codes among them."""
    entropy = SeededEntropy(f"{codec} {size}".encode())
    frames = [entropy.random(size) for _ in range(min(LONGEST_LIST, LIST_BYTES // size))]
    if codec is Codec.VP8:
        frames = [bytes([frame[0] | 1]) + frame[1:] for frame in frames]
    if codec is Codec.H264:
        frames = [h264.joined(SLICE, frame[len(SLICE) + 1 :]) for frame in frames]
    return frames


def measure(codec: Codec, size: int, rounds: int) -> dict[str, Result]:
    frames = encoded_frames(codec, size)
    results = {name: Result() for name in CONTENDERS}
    for _ in range(rounds):
        for name, contender in CONTENDERS.items():
            run_once(contender(codec), frames, results[name])
    return results


def run_once(contender: Contender, frames: Sequence[bytes], result: Result) -> None:
    result.protect = min(result.protect, time_of(contender.protect_all, frames))
    protected = [contender.protect(frame) for frame in frames]
    result.open = min(result.open, time_of(contender.open_all, protected))
    if contender.open(contender.protect(frames[0])) != frames[0]:
        raise SystemExit(f"{type(contender).__name__} does not open what it protects")


def time_of(run: Callable[[Sequence[bytes]], None], frames: Sequence[bytes]) -> float:
    """Microseconds a frame."""
    start = time.perf_counter()
    run(frames)
    return (time.perf_counter() - start) / len(frames) * 1e6


def as_text(table: Table) -> str:
    lines = [
        "microseconds a frame (times the floor)",
        f"{'codec':6}{'bytes':>7}  {'':8}" + "".join(f"{name:>18}" for name in CONTENDERS),
    ]
    for codec, by_size in table.items():
        for size, results in by_size.items():
            for direction in ("protect", "open"):
                times = [getattr(results[name], direction) for name in CONTENDERS]
                cells = "".join(f"{t:8.2f} ({t / times[0]:6.2f}x)" for t in times)
                lines.append(f"{codec:6}{size:>7,}  {direction:8}{cells}")
    lines.append(f"memory of this process, at most: {peak_memory() / 1e6:.0f} MB")
    return "\n".join(lines)


def as_json(table: Table) -> str:
    rows = [
        {
            "codec": codec,
            "bytes": size,
            "contender": name,
            "protect_us": r.protect,
            "open_us": r.open,
        }
        for codec, by_size in table.items()
        for size, results in by_size.items()
        for name, r in results.items()
    ]
    return json.dumps({"frames": rows, "peak_memory_bytes": peak_memory()}, indent=2)


def peak_memory() -> int:
    """In bytes. Only macOS counts in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1_024


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--rounds", type=int, default=30, help="best of so many rounds (30)")
    arguments = parser.parse_args()
    table = {
        codec: {size: measure(codec, size, arguments.rounds) for size in SIZES} for codec in KINDS
    }
    sys.stdout.write((as_json if arguments.json else as_text)(table) + "\n")


if __name__ == "__main__":
    main()
