"""Jobs that wait in lines: those of one key run one after the other, those of different keys side by side."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

__all__ = ["Job", "Lines"]

K = TypeVar("K", bound=Hashable)

Job = Callable[[], Coroutine[Any, Any, None]]
"""Raises nothing: whose it is has to hear of what went wrong."""


class Lines(Generic[K]):
    """Lines by key, each with at most ``most`` jobs that wait. A line without jobs is none."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: dict[K, deque[Job]] = {}
        self._running: dict[K, asyncio.Task[None]] = {}

    def put(self, key: K, job: Job) -> bool:
        """Let ``job`` wait for its turn. False if too many do."""
        waiting = self._waiting.setdefault(key, deque())
        if len(waiting) >= self._most:
            return False
        waiting.append(job)
        self._go_on(key)
        return True

    def put_alone(self, key: K, job: Job) -> None:
        """Drop what waits for this key, and end what runs; then do ``job``."""
        self._waiting[key] = deque([job])
        running = self._running.get(key)
        if running is None:
            self._go_on(key)
        else:
            running.cancel()

    async def close(self) -> None:
        """End all of it."""
        running = list(self._running.values())
        self._waiting.clear()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _go_on(self, key: K) -> None:
        if key in self._running:
            return
        waiting = self._waiting.get(key)
        if not waiting:
            self._waiting.pop(key, None)
            return
        task = asyncio.get_running_loop().create_task(waiting.popleft()())
        self._running[key] = task
        task.add_done_callback(lambda ended: self._ended(key, ended))

    def _ended(self, key: K, ended: asyncio.Task[None]) -> None:
        del self._running[key]
        self._go_on(key)
        if not ended.cancelled():
            ended.result()  # a fault of ours is told to whoever runs the loop
