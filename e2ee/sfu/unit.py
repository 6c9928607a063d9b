"""What a forwarding unit does for the service, whichever engine does it.

    answer = await unit.publish(call_id, member, description)     takes what this member sends
    await unit.subscribe(call_id, member)                         gives it what the others send; offers come by ``on_offer``
    await unit.answer(call_id, member.id, number, description)
    await unit.want(call_id, member.id, mids)
    await unit.close_publisher(call_id, member.id)                it may not send any more
    await unit.close_member(call_id, member.id)                   it has left, was removed, or is gone

Whether somebody is a member is the service's business (SFU-3): the unit believes whoever calls it. ``AiortcForwardingUnit``
is the engine of this package. Another one (Janus, say) has to keep these calls and the chapter Forwarding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from e2ee.sfu.statistics import UnitStatistics

__all__ = ["ForwardingUnit", "Offer", "OnLost", "OnOffer", "Participant"]


@dataclass(frozen=True, slots=True)
class Participant:
    """A device in a call. ``id`` is its leaf's signature key; ``leaf`` is what others are told about whose media it is."""

    id: bytes
    leaf: int


@dataclass(frozen=True, slots=True)
class Offer:
    """For ``media_offer``: an element of the three lists for each m-section that is in use."""

    number: int
    description: str
    mids: tuple[str, ...]
    leaves: tuple[int, ...]
    source_mids: tuple[str, ...]


OnOffer = Callable[[bytes, bytes, Offer], None]
"""(call_id, member id, offer): to be sent to that member. Called in the unit's event loop."""

OnLost = Callable[[bytes, bytes], None]
"""(call_id, member id): the unit has no connection of this member any more, by no request of the service's."""


class ForwardingUnit(Protocol):
    """All methods raise SfuError for what a member asked wrongly, and then nothing has changed.

    A member has at most one connection of each sort; another one takes the place of the former (SFU-3).
    """

    async def publish(self, call_id: bytes, member: Participant, description: str) -> str:
        """Take the connection that ``description`` offers; gives the description to answer with."""

    async def subscribe(self, call_id: bytes, member: Participant) -> None:
        """Make a connection over which this member gets the others' media: its offer follows."""

    async def answer(self, call_id: bytes, member_id: bytes, number: int, description: str) -> None:
        """The member's answer to the offer of this number."""

    async def want(self, call_id: bytes, member_id: bytes, mids: Sequence[str]) -> None:
        """Which m-sections with video the member wants, in order of importance (SFU-6)."""

    async def close_publisher(self, call_id: bytes, member_id: bytes) -> None:
        """Forward nothing of it any more and close what it publishes over; it goes on getting the others' media (SFU-7).
        Who publishes nothing is closed already."""

    async def close_member(self, call_id: bytes, member_id: bytes) -> None:
        """Close its connections and forward nothing of it any more (SFU-7). Who is unknown is closed already."""

    async def close(self) -> None:
        """Close everything; after that every request is refused."""

    def statistics(self) -> UnitStatistics:
        """What passed so far."""
