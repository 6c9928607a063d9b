"""What a call, or a client, of the peer's tells: kept, so that what a scenario waits for may have come already."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from e2ee.call.events import Event
from e2ee.conformance.peer.findings import Journal

__all__ = ["Watched"]

E = TypeVar("E")


class Watched:
    """Follows an iterator of events until it ends. Made within an event loop; ``who`` is for the journal."""

    def __init__(self, events: AsyncIterator[Event], who: str, journal: Journal) -> None:
        self._who, self._journal = who, journal
        self.events = list[Event]()
        self._came = asyncio.Event()
        self._task = asyncio.ensure_future(self._watch(events))

    async def until(self, kind: type[E], **fields: object) -> E:
        """The first event of a class with these attributes, come or yet to come."""
        await self.until_true(
            lambda: bool(self.told(kind, **fields)), f"{self._who}: {kind.__name__} {fields or ''}"
        )
        return self.told(kind, **fields)[0]

    async def until_any(self, *kinds: type[Event]) -> None:
        """Until an event of one of these classes has come."""
        names = " or ".join(each.__name__ for each in kinds)
        await self.until_true(
            lambda: any(isinstance(each, kinds) for each in self.events), f"{self._who}: {names}"
        )

    async def until_true(self, condition: Callable[[], bool], what: str) -> None:
        """Until this is so, looked at after each event."""
        self._journal.awaits(what)
        while not condition():
            self._came.clear()
            await self._came.wait()

    def told(self, kind: type[E], **fields: object) -> list[E]:
        """All of a class, with these attributes, that came so far."""
        return [
            each
            for each in self.events
            if isinstance(each, kind)
            and all(getattr(each, name) == fields[name] for name in fields)
        ]

    def stop(self) -> None:
        """Look no more."""
        self._task.cancel()

    async def _watch(self, events: AsyncIterator[Event]) -> None:
        async for event in events:
            self.events.append(event)
            self._journal.note(f"{self._who}: {type(event).__name__}")
            self._came.set()
