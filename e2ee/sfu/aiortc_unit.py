"""The forwarding unit on aiortc, for one machine."""

from __future__ import annotations

from collections.abc import Sequence

from e2ee.sfu.limits import Limits
from e2ee.sfu.statistics import UnitStatistics
from e2ee.sfu.unit import OnLost, OnOffer, Participant
from e2ee.system_clock import Clock

__all__ = ["AiortcForwardingUnit"]


class AiortcForwardingUnit:
    """A ``ForwardingUnit``. Belongs to the event loop that it was made in.

    ``host_addresses`` are the local addresses that members reach it on; without them all but loopback.
    """

    def __init__(
        self,
        on_offer: OnOffer,
        on_lost: OnLost,
        clock: Clock,
        *,
        host_addresses: Sequence[str] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._on_offer = on_offer
        self._on_lost = on_lost
        self._clock = clock
        self._host_addresses = host_addresses
        self._limits = limits or Limits()

    async def publish(self, call_id: bytes, member: Participant, description: str) -> str:
        """See ``ForwardingUnit``."""
        raise NotImplementedError

    async def subscribe(self, call_id: bytes, member: Participant) -> None:
        """See ``ForwardingUnit``."""
        raise NotImplementedError

    async def answer(self, call_id: bytes, member_id: bytes, number: int, description: str) -> None:
        """See ``ForwardingUnit``."""
        raise NotImplementedError

    async def want(self, call_id: bytes, member_id: bytes, mids: Sequence[str]) -> None:
        """See ``ForwardingUnit``."""
        raise NotImplementedError

    async def close_member(self, call_id: bytes, member_id: bytes) -> None:
        """See ``ForwardingUnit``."""
        raise NotImplementedError

    async def close(self) -> None:
        """See ``ForwardingUnit``."""
        raise NotImplementedError

    def statistics(self) -> UnitStatistics:
        """See ``ForwardingUnit``."""
        raise NotImplementedError
