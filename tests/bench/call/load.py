"""What one server does on one core: 1,000 devices connected, 200 calls going on, real WebSockets over 127.0.0.1.

The server has a core for itself, the devices share the others. Every device in a call sends messages of about 300 bytes to
the other one, and each call commits now and then, with all that this takes at both ends. Two loads follow each other:

    paced       each device in a call sends one message a second: what a lively call has, with text as it is written
    flat out    each device in a call sends the next message as soon as an earlier one is answered

A delivery is a message that came to the device that it was for; its latency counts from when it was due, with the time in
which it waited for this program to send it. What the server took of its core is the kernel's figure and does not depend on
what else the machine does; what it did a second of the clock does, so the time in which it waited for its core is told.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import time
from asyncio.subprocess import PIPE
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from e2ee.server.serve import allow_many_files
from e2ee.signalling import messages
from e2ee.system_clock import system_clock
from tests.bench.call.devices import Device, begin_call, in_pairs, log_in
from tests.bench.call.usage import Usage

__all__ = ["KINDS", "Load", "Passed", "Size", "measure"]

KINDS = ("sqlite", "memory", "relay")
AHEAD = 2
"""Messages of a device that are not answered yet, flat out."""

COMMIT_EVERY = 20.0
"""Seconds between two commits of a call; 30 times as often as calls commit (KEYS-15)."""

TOGETHER = 32
"""Devices or calls that are set up at a time."""

_CORE = 0


@dataclass(frozen=True)
class Size:
    """How much: devices connected, calls between them, and seconds of each load."""

    devices: int
    calls: int
    seconds: float


@dataclass(frozen=True)
class Passed:
    """In one load: seconds of the clock, those of the server's core and those in which it waited for it; bytes that it wrote
    to the disk; each delivered message's latency in milliseconds.
    """

    commits: int
    seconds: float
    cpu: float
    waited: float
    written: int
    latencies: Sequence[float]

    @property
    def delivered(self) -> int:
        return len(self.latencies)

    def latency(self, part: float) -> float:
        """Of the slowest of this part of all messages."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


@dataclass
class Load:
    """Of one kind of server. Memory is resident, in bytes: at the start, with all connected, after the load."""

    kind: str
    memory: list[int] = field(default_factory=list)
    paced: Passed | None = None
    flat_out: Passed | None = None


class Talker:
    """A call's end: what it sent that has not arrived yet, and how long the rest took. It hears as long as it is there."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.other = self
        self.latencies: list[float] = []
        """Seconds, of what arrived here."""
        self.commits = 0
        self.goes_on = False
        """Whether an answer is followed by the next message."""
        self._due: deque[float] = deque()

    async def say(self, due: float | None = None) -> None:
        self._due.append(time.monotonic() if due is None else due)
        await self.device.transport.send(self.device.request)

    async def hear(self) -> None:
        while True:
            match await self.device.hear():
                case messages.Sent() | messages.Send():
                    self.latencies.append(time.monotonic() - self.other._due.popleft())
                case messages.Stored() if self.goes_on:
                    await self.say()
                case messages.Committed() as committed:
                    self.device.apply(committed)
                    self.commits += 1
                case messages.Refused() as refused:
                    raise SystemExit(f"refused: {refused.reason} {refused.detail}")

    async def pace(self, phase: float) -> None:
        """One message a second, each in this part of it."""
        due = time.monotonic() + phase
        while True:
            await asyncio.sleep(due - time.monotonic())
            await self.say(due)
            due += 1.0

    async def commit(self, phase: float) -> None:
        """First in this part of the time between two."""
        while True:
            await asyncio.sleep(phase * COMMIT_EVERY)
            await self.device.commit()
            phase = 1.0


async def _loads(pairs: list[tuple[Device, Device]], pid: int, seconds: float, load: Load) -> None:
    chance = random.Random(1)  # noqa: S311 - the same in each run
    ends = []
    for pair in pairs:
        one, other = map(Talker, pair)
        one.other, other.other = other, one
        ends += [one, other]
    commits = [end.commit(chance.random()) for end in ends[::2] if end.device.call_id]
    async with _doing([end.hear() for end in ends] + commits):
        async with _doing([end.pace(chance.random()) for end in ends]):
            load.paced = await _window(ends, pid, seconds)
        for end in ends:
            end.goes_on = True
            for _ in range(AHEAD):
                await end.say()
        load.flat_out = await _window(ends, pid, seconds)
        load.memory.append(Usage.of(pid).memory)


@contextlib.asynccontextmanager
async def _doing(work: Sequence[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """All of this, as long as the context lasts."""
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(each) for each in work]
        yield
        for task in running:
            task.cancel()


async def _window(ends: list[Talker], pid: int, seconds: float) -> Passed:
    """What passes in so many seconds, a second from now."""
    await asyncio.sleep(1.0)
    for end in ends:
        end.latencies, end.commits = [], 0
    before = Usage.of(pid)
    await asyncio.sleep(seconds)
    after = Usage.of(pid)
    latencies = [latency * 1e3 for end in ends for latency in end.latencies]
    commits = sum(end.commits for end in ends) // 2
    return Passed(
        commits,
        seconds=after.at - before.at,
        cpu=after.cpu - before.cpu,
        waited=after.waited - before.waited,
        written=after.written - before.written,
        latencies=latencies,
    )


async def measure(kind: str, size: Size, profile: Path | None = None) -> Load:
    """One server, from its start to its end."""
    allow_many_files()
    os.sched_setaffinity(0, os.sched_getaffinity(0) - {_CORE} or {_CORE})
    load, clock = Load(kind), system_clock()
    async with _server(kind, profile) as (url, pid), contextlib.AsyncExitStack() as stack:
        load.memory.append(Usage.of(pid).memory)
        places = asyncio.Semaphore(TOGETHER)

        async def connect(number: int) -> Device:
            async with places:
                if kind == "relay":
                    return await stack.enter_async_context(in_pairs(url, f"{number // 2}", clock))
                return await stack.enter_async_context(log_in(url, f"device {number}", clock))

        async def call(number: int, caller: Device, callee: Device) -> None:
            async with places:
                await begin_call(caller, callee, number.to_bytes(16, "big"))

        devices = await asyncio.gather(*map(connect, range(size.devices)))
        pairs = [(devices[2 * n], devices[2 * n + 1]) for n in range(size.calls)]
        if kind != "relay":
            await asyncio.gather(*(call(n, *pair) for n, pair in enumerate(pairs)))
        load.memory.append(Usage.of(pid).memory)
        await _loads(pairs, pid, size.seconds, load)
    return load


@contextlib.asynccontextmanager
async def _server(kind: str, profile: Path | None) -> AsyncIterator[tuple[str, int]]:
    options = [] if profile is None else [str(profile)]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.call.served", kind, *options), stdout=PIPE
    )
    try:
        assert process.stdout is not None
        line = await process.stdout.readline()
        os.sched_setaffinity(process.pid, {_CORE})
        yield json.loads(line)["url"], process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()
