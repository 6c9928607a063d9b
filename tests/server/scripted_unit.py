"""A forwarding unit that does what a test tells it: it notes what it is asked, and answers when it may."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from e2ee.sfu.statistics import Totals, UnitStatistics
from e2ee.sfu.unit import Offer, OnLost, OnOffer, Participant

__all__ = ["ScriptedUnit"]


class ScriptedUnit:
    """``asked`` is what it was asked, in order; ``raises`` is raised by the next request, ``ready`` lets requests go on."""

    def __init__(self, on_offer: OnOffer, on_lost: OnLost) -> None:
        self.on_offer = on_offer
        self.on_lost = on_lost
        self.asked: list[str] = []
        self.answer_with = "answer to {}"
        self.raises: Exception | None = None
        self.ready = asyncio.Event()
        self.ready.set()
        self.changed = asyncio.Condition()
        self.closed = False
        self.passed = UnitStatistics({}, Totals(1, 2, 3, 4, 5, 6, 7), 8)

    async def publish(self, _call_id: bytes, member: Participant, description: str) -> str:
        await self._do(f"publish {member.id[0]} at {member.leaf}: {description}")
        return self.answer_with.format(description)

    async def subscribe(self, call_id: bytes, member: Participant) -> None:
        await self._do(f"subscribe {member.id[0]} at {member.leaf}")
        self.on_offer(call_id, member.id, Offer(1, "offer", ("0",), (5,), ("a",)))

    async def answer(self, _call_id: bytes, member_id: bytes, number: int, text: str) -> None:
        await self._do(f"answer {member_id[0]} {number}: {text}")

    async def want(self, _call_id: bytes, member_id: bytes, mids: Sequence[str]) -> None:
        await self._do(f"want {member_id[0]}: {' '.join(mids)}")

    async def close_publisher(self, _call_id: bytes, member_id: bytes) -> None:
        await self._do(f"close publisher {member_id[0]}")

    async def close_member(self, _call_id: bytes, member_id: bytes) -> None:
        await self._do(f"close {member_id[0]}")

    async def close(self) -> None:
        self.closed = True
        await self._do("closed")

    def statistics(self) -> UnitStatistics:
        return self.passed

    async def until(self, what: str) -> None:
        """Returns when it was asked this."""
        async with self.changed:
            await self.changed.wait_for(lambda: what in self.asked)

    async def _note(self, what: str) -> None:
        async with self.changed:
            self.asked.append(what)
            self.changed.notify_all()

    async def _do(self, what: str) -> None:
        await self._note(what)
        await self.ready.wait()
        raised, self.raises = self.raises, None
        if raised is not None:
            raise raised
