"""A forwarding unit behind an address translation that it does not see, as most clouds have one for each machine.

It has the address that the machine has; its descriptions say the one that members reach it on. Ports are not translated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from e2ee.server.forwarding import MakeUnit
from e2ee.sfu.statistics import UnitStatistics
from e2ee.sfu.unit import ForwardingUnit, Offer, OnLost, OnOffer, Participant

__all__ = ["announced"]


def announced(make_unit: MakeUnit, public: Mapping[str, str]) -> MakeUnit:
    """The unit, with the ``public`` address in the place of each address of the machine that has one."""

    def make(on_offer: OnOffer, on_lost: OnLost) -> ForwardingUnit:
        def offered(call_id: bytes, member_id: bytes, offer: Offer) -> None:
            said = _with_public(offer.description, public)
            on_offer(call_id, member_id, replace(offer, description=said))

        return _Announced(make_unit(offered, on_lost), public)

    return make if public else make_unit


class _Announced:
    """See ``announced``."""

    def __init__(self, unit: ForwardingUnit, public: Mapping[str, str]) -> None:
        self._unit = unit
        self._public = public

    async def publish(self, call_id: bytes, member: Participant, description: str) -> str:
        return _with_public(await self._unit.publish(call_id, member, description), self._public)

    async def subscribe(self, call_id: bytes, member: Participant) -> None:
        await self._unit.subscribe(call_id, member)

    async def answer(self, call_id: bytes, member_id: bytes, number: int, description: str) -> None:
        await self._unit.answer(call_id, member_id, number, description)

    async def want(self, call_id: bytes, member_id: bytes, mids: Sequence[str]) -> None:
        await self._unit.want(call_id, member_id, mids)

    async def close_publisher(self, call_id: bytes, member_id: bytes) -> None:
        await self._unit.close_publisher(call_id, member_id)

    async def close_member(self, call_id: bytes, member_id: bytes) -> None:
        await self._unit.close_member(call_id, member_id)

    async def close(self) -> None:
        await self._unit.close()

    def statistics(self) -> UnitStatistics:
        return self._unit.statistics()


def _with_public(description: str, public: Mapping[str, str]) -> str:
    return "".join(_lines(description, public))


def _lines(description: str, public: Mapping[str, str]) -> Iterator[str]:
    """In ``a=candidate`` lines the fifth field is the address (RFC 8839 Section 5.1), in ``c`` lines the third."""
    for line in description.splitlines(keepends=True):
        fields = line.split(" ")
        place = {"a=candidate": 4, "c=IN": 2}.get(fields[0].partition(":")[0])
        if place is not None and len(fields) > place:
            address = fields[place].rstrip()
            fields[place] = fields[place].replace(address, public.get(address, address))
        yield " ".join(fields)
