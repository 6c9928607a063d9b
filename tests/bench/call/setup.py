"""How long it takes until two people hear and see each other: by phase, classical and hybrid, beside aiortc alone.

The service is ``e2ee serve`` on a store in a file; caller and callee are processes of their own, with their profiles on disk.
All three share this machine and talk over 127.0.0.1, so what is measured is what everybody does, and no network. In each
round the two call each other through the service, and then connect by aiortc alone, over a pipe; they take turns in calling.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import statistics
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.call.party import Settings

__all__ = ["VARIANTS", "Setup", "Spent", "Variant", "measure"]

SERVE = "from e2ee.cli.main import main; main()"

_PATIENCE = 60.0
"""Seconds for a step; a call that takes longer has failed."""


@dataclass(frozen=True)
class Variant:
    """``directory`` is where the store and the profiles are; None: where temporary files are."""

    name: str
    suites: tuple[int, ...]
    directory: str | None = None


VARIANTS = (
    Variant("classical", (0x0001,)),
    Variant("hybrid", (0x0001, 0xF0E2)),
    Variant("classical, files in memory", (0x0001,), "/dev/shm"),  # noqa: S108 - memory is the point
)


@dataclass(frozen=True)
class Phase:
    """From where the one before ended to the later of ``marks``, each a side and its mark."""

    name: str
    marks: tuple[tuple[str, str], ...]


CALLER, CALLEE = "caller", "callee"

PHASES = (
    Phase("find the devices, claim KeyPackages", ((CALLER, "received key_packages"),)),
    Phase("make the group, the commit, the Welcome", ((CALLER, "sent commit"),)),
    Phase("into the log, to the callee", ((CALLEE, "received invited"),)),
    Phase("join, open the offer, ring", ((CALLEE, "rings"),)),
    Phase("make the Answer", ((CALLEE, "sent commit"),)),
    Phase("into the log, to the caller", ((CALLER, "received committed 2"),)),
    Phase("apply it, gather, describe", ((CALLER, "sent description"),)),
    Phase("`accepted` to the callee", ((CALLEE, "received description"),)),
    Phase("gather, describe", ((CALLEE, "sent description"),)),
    Phase("`answer_description` to the caller", ((CALLER, "received description"),)),
    Phase("ICE and DTLS, both connected", ((CALLER, "connected"), (CALLEE, "connected"))),
    Phase("first frame opened, at both", ((CALLER, "opened"), (CALLEE, "opened"))),
)

SPANS = {
    "call to ringing": ((CALLER, "call"), ((CALLEE, "rings"),)),
    "call to first opened frame": ((CALLER, "call"), PHASES[-1].marks),
    "accept to first sound": ((CALLEE, "rings"), ((CALLER, "sound"), (CALLEE, "sound"))),
    "accept to first picture": ((CALLEE, "rings"), ((CALLER, "picture"), (CALLEE, "picture"))),
}
"""From where to the later of these."""

BARE_SPANS = {
    "offer to connected": ((CALLER, "call"), ((CALLER, "connected"), (CALLEE, "connected"))),
    "offer to first sound": ((CALLER, "call"), ((CALLER, "sound"), (CALLEE, "sound"))),
    "offer to first picture": ((CALLER, "call"), ((CALLER, "picture"), (CALLEE, "picture"))),
}

Marks = dict[str, dict[str, int]]
"""Of one call: by side, when what happened, in nanoseconds."""


@dataclass(frozen=True)
class Spent:
    """Milliseconds, of all calls but the first of a process."""

    times: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.times)

    @property
    def worst(self) -> float:
        return max(self.times)


@dataclass
class Setup:
    """Of one variant. The first call of both processes, in which code and codecs are loaded, is told apart.

    ``taken`` and ``bare_taken`` are what a process took while media flowed in its first calls: seconds, CPU, encryption,
    resident memory.
    """

    variant: Variant
    calls: list[Marks] = field(default_factory=list)
    bare: list[Marks] = field(default_factory=list)
    idle_memory: int = 0
    taken: dict[str, float] = field(default_factory=dict)
    bare_taken: dict[str, float] = field(default_factory=dict)

    def phases(self) -> dict[str, Spent]:
        found: dict[str, list[float]] = {phase.name: [] for phase in PHASES}
        for marks in self.calls[1:]:
            before = marks[CALLER]["call"]
            for phase in PHASES:
                after = max(marks[side][name] for side, name in phase.marks)
                found[phase.name].append((after - before) / 1e6)
                before = after
        return {name: Spent(times) for name, times in found.items()}

    def spans(self) -> dict[str, Spent]:
        return {
            name: Spent([_span(marks, *span) for marks in self.calls[1:]])
            for name, span in SPANS.items()
        }

    def bare_spans(self) -> dict[str, Spent]:
        return {
            name: Spent([_span(marks, *span) for marks in self.bare[1:]])
            for name, span in BARE_SPANS.items()
        }

    @property
    def first_call(self) -> float:
        return _span(self.calls[0], *SPANS["call to first opened frame"])


def _span(marks: Marks, begin: tuple[str, str], ends: Sequence[tuple[str, str]]) -> float:
    """Milliseconds."""
    side, name = begin
    end = max(marks[at][mark] for at, mark in ends)
    return (end - marks[side][name]) / 1e6


class _Talker:
    """A process that says JSON objects, one a line."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def told(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        async with asyncio.timeout(_PATIENCE):
            line = await self._process.stdout.readline()
        if not line:
            raise SystemExit("a process ended; what it said is above")
        said: dict[str, Any] = json.loads(line)
        return said

    def do(self, what: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(what.encode() + b"\n")


@contextlib.asynccontextmanager
async def _running(*arguments: str, pipe: Sequence[int] = ()) -> AsyncIterator[_Talker]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdin=PIPE, stdout=PIPE, pass_fds=pipe
    )
    try:
        yield _Talker(process)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def measure(variant: Variant, calls: int, seconds: float) -> Setup:
    """``calls`` calls besides the first, which lasts so many seconds."""
    found = Setup(variant)
    async with contextlib.AsyncExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(dir=variant.directory)
        directory = Path(stack.enter_context(temporary))
        store = str(directory / "service.db")
        serve = ("-c", SERVE, "serve", "--json", "--port", "0", "--store", store)
        service = await stack.enter_async_context(_running(*serve, "--log-level", "warning"))
        listening = await service.told()
        parties = []
        for (account, other), end in zip(
            (("alice", "bob"), ("bob", "alice")), socket.socketpair(), strict=True
        ):
            settings = Settings(
                account,
                other,
                listening["url"],
                listening["server_name"],
                listening["directory_keys"],
                list(variant.suites),
                str(directory / account),
                end.fileno(),
            )
            with end:
                party = await stack.enter_async_context(
                    _running("-m", "tests.bench.call.party", pipe=[end.fileno()])
                )
            party.do(json.dumps(asdict(settings)))
            parties.append(party)
        idle = [await party.told() for party in parties]
        found.idle_memory = max(each["memory"] for each in idle)
        for number in range(1 + calls):
            caller, callee = parties if number % 2 else reversed(parties)
            lasts = 0.0 if number else seconds
            marks, taken = await _call(caller, callee, ("call", "answer"), lasts)
            bare_marks, bare_taken = await _call(caller, callee, ("offer", "reply"), lasts)
            found.calls.append(marks)
            found.bare.append(bare_marks)
            if not number:
                found.taken, found.bare_taken = taken, bare_taken
    return found


async def _call(
    caller: _Talker, callee: _Talker, roles: tuple[str, str], seconds: float
) -> tuple[Marks, dict[str, float]]:
    callee.do(roles[1])
    caller.do(roles[0])
    both = [await caller.told(), await callee.told()]
    await asyncio.sleep(seconds)
    for party in (caller, callee):
        party.do("end")
    taken = [await party.told() for party in (caller, callee)]
    marks = {side: said["marks"] for side, said in zip((CALLER, CALLEE), both, strict=True)}
    return marks, taken[0]
