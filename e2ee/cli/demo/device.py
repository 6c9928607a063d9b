"""What the demo's device processes have alike: lines in, objects out, and how they end."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any

import av.logging

from e2ee.errors import E2EEError

__all__ = ["FIGURES_EVERY", "grouped", "inputs", "reporting", "say"]

FIGURES_EVERY = 0.5
"""Seconds."""


def say(event: str, **what: Any) -> None:
    """One object for the demo."""
    sys.stdout.write(json.dumps({"event": event, **what}) + "\n")
    sys.stdout.flush()


def grouped(code: str) -> str:
    """Digits in groups of five."""
    return " ".join(code[at : at + 5] for at in range(0, len(code), 5))


async def inputs() -> AsyncIterator[str]:
    """Standard input, line by line."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        yield line.decode()


async def reporting(work: Coroutine[Any, Any, None]) -> int:
    """Do the device's work; what fails is said. Gives the exit status."""
    av.logging.set_level(av.logging.PANIC)
    status = 0
    try:
        await work
    except* E2EEError as group:
        say("failed", error="; ".join(sorted({str(error) for error in _leaves(group)})))
        status = 1
    return status


def _leaves(group: BaseExceptionGroup[E2EEError]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
