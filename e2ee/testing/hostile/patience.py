"""Waiting for something that happens on real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["PATIENCE", "until"]

PATIENCE = 60.0
"""Seconds after which something that did not happen will not: on a busy machine all takes longer."""


async def until(condition: Callable[[], bool]) -> None:
    """Wait until this is true. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what is looked at has no event
            await asyncio.sleep(0.02)
