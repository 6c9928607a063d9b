"""An invitation: somebody calls, and a person decides."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from e2ee.call.call import Call as CallCore
from e2ee.call.events import Ended, Ringing
from e2ee.client.call import Call
from e2ee.client.media import Media

if TYPE_CHECKING:
    from e2ee.client.client import Client

__all__ = ["Invitation"]


class Invitation:
    """Somebody calls. ``ringing`` tells who, and what is known of them."""

    def __init__(self, ringing: Ringing, client: Client, core: CallCore) -> None:
        self.ringing = ringing
        self._client = client
        self._core = core
        self._over: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()

    def answer(self, media: Media) -> Call:
        """Take the call. Raises CallUsageError if it is over, or the caller's identity changed (IDENT-10)."""
        self._core.answer(self._client.clock())
        return self._client.take(self._core, media)

    def decline(self, text: str = "") -> None:
        """Do not take it, on any device, perhaps with a text for the caller. Raises CallUsageError if it is over."""
        self._core.decline(self._client.clock(), text)
        self._client.changed()

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
