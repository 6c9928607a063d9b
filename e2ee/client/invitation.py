"""An invitation: somebody calls, or invites to a group call, and a person decides."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from e2ee.call.call import Call as CallCore
from e2ee.call.events import Ended, Ringing
from e2ee.call.group.group_call import GroupCall as GroupCallCore
from e2ee.client.call import Call
from e2ee.client.errors import ClientReason, ClientUsageError
from e2ee.client.group_call import GroupCall
from e2ee.client.media import Media
from e2ee.signalling.messages import GroupOffer

if TYPE_CHECKING:
    from e2ee.client.calls import Calls

__all__ = ["GroupInvitation", "Invitation"]


class _Rings:
    """Something that rings at this device. ``ringing`` tells who calls, and what is known of them."""

    def __init__(self, ringing: Ringing, calls: Calls, core: CallCore) -> None:
        self.ringing = ringing
        self._calls = calls
        self._core = core
        self._over: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()

    def decline(self, text: str = "") -> None:
        """Do not take it, on any device, perhaps with a text for the caller. Raises CallUsageError if it is over."""
        self._core.decline(self._calls.clock(), text)
        self._calls.changed()

    @property
    def is_over(self) -> bool:
        """Whether it does not ring any more, and was not answered here."""
        return self._over.done()

    async def over(self) -> Ended:
        """Wait until it does not ring any more, and was not answered here; gives why."""
        return await asyncio.shield(self._over)

    def end(self, ended: Ended) -> None:
        """It is over."""
        if not self._over.done():
            self._over.set_result(ended)


class Invitation(_Rings):
    """Somebody calls."""

    def answer(self, media: Media) -> Call:
        """Take the call. Raises CallUsageError if it is over, or the caller's identity changed (IDENT-10)."""
        self._core.answer(self._calls.clock())
        return self._calls.take(self._core, media)


class GroupInvitation(_Rings):
    """Somebody invites to a group call (GROUP-4). What it says of that call is the caller's word."""

    def __init__(self, ringing: Ringing, calls: Calls, core: CallCore, offer: GroupOffer) -> None:
        super().__init__(ringing, calls, core)
        self._offer = offer
        self._media: Media | None = None
        self._entered: asyncio.Future[GroupCall] = asyncio.get_running_loop().create_future()

    @property
    def group_call_id(self) -> bytes:
        """Of the group call, 16 bytes."""
        return self._offer.group_call_id

    @property
    def people(self) -> tuple[str, ...]:
        """The accounts that are in the call, for display."""
        return tuple(self._offer.people)

    @property
    def hosts(self) -> tuple[bytes, ...]:
        """The account keys of its hosts; one of them has to be in the call that is joined (GROUP-11)."""
        return tuple(self._offer.hosts)

    async def answer(self, media: Media) -> GroupCall:
        """Take it: gives the group call, which asks to join as soon as this answer was accepted (GROUP-6).

        Raises CallUsageError if it is over, or the caller's identity changed (IDENT-10); ClientUsageError (CALL_IS_OVER) if
        the caller has gone meanwhile, or another device answered.
        """
        self._media = media
        self._core.answer(self._calls.clock())
        self._calls.changed()
        return await asyncio.shield(self._entered)

    def enter(self, core: GroupCallCore) -> None:
        """The answer was accepted, and ``core`` asks to join."""
        if self._media is not None and not self._entered.done():
            self._entered.set_result(self._calls.take_group(core, self._media))

    def end(self, ended: Ended) -> None:
        """It is over, which says nothing if this device asks to join."""
        if not self._entered.done():
            super().end(ended)
            if self._media is not None:
                self._entered.set_exception(
                    ClientUsageError(ClientReason.CALL_IS_OVER, str(ended.reason))
                )
