"""Processes that are told what to do and say what has happened, in JSON objects, one a line."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from typing import Any

__all__ = ["Talker", "running"]

PATIENCE = 60.0
"""Seconds for a step; what takes longer has failed."""

_MAX_LINE = 1 << 24


class Talker:
    """A process. What it says waits, by the names of its events, for whoever asks."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._said: defaultdict[str, deque[dict[str, Any]]] = defaultdict(deque)
        self._more = asyncio.Condition()
        self._is_over = False

    @property
    def pid(self) -> int:
        return self._process.pid

    def do(self, what: str, **how: Any) -> None:
        """Tell it something."""
        self.write({"do": what, **how})

    def write(self, line: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line).encode() + b"\n")

    async def said(self, event: str) -> dict[str, Any]:
        """The next event of this name, which is given once."""
        async with asyncio.timeout(PATIENCE), self._more:
            await self._more.wait_for(lambda: self._said[event] or self._is_over)
            if not self._said[event]:
                raise SystemExit(f"a process ended before {event}; what it said is above")
            return self._said[event].popleft()

    def forget(self, event: str) -> None:
        """What was said so far of this is not waited for."""
        self._said[event].clear()

    async def listen(self) -> None:
        """Take what it says, until it ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            said: dict[str, Any] = json.loads(line)
            async with self._more:
                self._said[said.get("event", "listening")].append(said)
                self._more.notify_all()
        async with self._more:
            self._is_over = True
            self._more.notify_all()


@contextlib.asynccontextmanager
async def running(*arguments: str) -> AsyncIterator[Talker]:
    """A Python with these arguments, as long as the context lasts."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdin=PIPE, stdout=PIPE, limit=_MAX_LINE
    )
    talker = Talker(process)
    listening = asyncio.create_task(talker.listen())
    try:
        yield talker
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await listening
