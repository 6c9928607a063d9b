"""A device as a process of its own: JSON objects on its standard input and output, one a line.

What it says on standard error is kept, and is what is shown if it ends before it has reported.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from typing import Any

from e2ee.cli.demo.settings import MemberSettings, ProcessSettings

__all__ = ["Heard", "PeerFailed", "PeerProcess"]

Heard = Callable[[str, dict[str, Any]], None]
"""Told of every object that a device says, with its role."""

_MAX_LINE = 1 << 20
_PATIENCE = 30.0
"""Seconds in which a device has to come to the next step of the story, beyond the time that media flow."""


class PeerFailed(Exception):
    """A device ended, or said nothing more, before it had reported."""


class PeerProcess:
    """A running device. ``said`` waits for a step of its story."""

    def __init__(self, role: str, process: Process, heard: Heard) -> None:
        self.role = role
        self._process = process
        self._heard = heard
        self._steps: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._failure: PeerFailed | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def start(cls, settings: ProcessSettings, heard: Heard) -> AsyncIterator[PeerProcess]:
        """Run a side of the call, or a member of the group, as long as the context lasts."""
        module = "member" if isinstance(settings, MemberSettings) else "peer"
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            f"e2ee.cli.demo.{module}",
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            limit=_MAX_LINE,
        )
        peer = cls(settings.role, process, heard)
        listening = asyncio.create_task(peer._listen())
        try:
            peer._write(settings.encode())
            yield peer
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            await listening

    def do(self, what: str, **how: Any) -> None:
        """Tell it to take a step."""
        self._write(json.dumps({"do": what, **how}))

    async def said(self, step: str) -> dict[str, Any]:
        """Wait until it says that it came to ``step``. Raises PeerFailed if it never will."""
        try:
            return await asyncio.wait_for(asyncio.shield(self._step(step)), _PATIENCE)
        except TimeoutError:
            raise PeerFailed(f"the {self.role} did not come to the step {step!r}") from None

    def _step(self, step: str) -> asyncio.Future[dict[str, Any]]:
        waiting = self._steps.get(step)
        if waiting is None:
            waiting = self._steps[step] = asyncio.get_running_loop().create_future()
            if self._failure is not None:
                waiting.set_exception(self._failure)
        return waiting

    def _write(self, line: str) -> None:
        """A line for it. To who is gone it goes nowhere: what it failed of, the next ``said`` raises."""
        if self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(line.encode() + b"\n")

    async def _listen(self) -> None:
        process = self._process
        if process.stdout is None or process.stderr is None:
            raise PeerFailed("no pipes")
        complaints = asyncio.create_task(process.stderr.read())
        async for line in process.stdout:
            self._hear(json.loads(line))
        last = (await complaints).decode(errors="replace").strip().splitlines()[-1:]
        self._fail(PeerFailed(f"the {self.role} ended: {last[0] if last else 'without a word'}"))

    def _hear(self, said: dict[str, Any]) -> None:
        if said["event"] == "failed":
            self._fail(PeerFailed(f"the {self.role} failed: {said['error']}"))
            return
        step = self._step(said["event"])
        if not step.done():
            step.set_result(said)
        self._heard(self.role, said)

    def _fail(self, failure: PeerFailed) -> None:
        self._failure = self._failure or failure
        for waiting in self._steps.values():
            if not waiting.done():
                waiting.set_exception(self._failure)
                waiting.exception()  # somebody may have stopped waiting for it
