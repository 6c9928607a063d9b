"""An account is rung to be invited to a group call (GROUP-4): a call of its own, without media, that ends when it is answered.

What becomes of it the group call tells, as ``InvitationChanged``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from e2ee.call.call import Call as CallCore
from e2ee.call.end_reason import EndReason
from e2ee.call.events import CallEvent, Ended, EpochChanged
from e2ee.system_clock import Clock

__all__ = ["Ring"]


class Ring:
    """See the module. Made by ``GroupCall.invite``."""

    def __init__(
        self,
        core: CallCore,
        clock: Clock,
        changed: Callable[[], None],
        tell: Callable[[str, CallEvent], None],
    ) -> None:
        self._core = core
        self._clock = clock
        self._changed = changed
        self._tell = tell
        self._over: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self._account_key: bytes | None = None
        """Of the account, by the certificate of the device that answered."""

    @property
    def call_id(self) -> bytes:
        """Of the call that rings, 16 bytes."""
        return self._core.call_id

    @property
    def account_id(self) -> str:
        """Who is rung."""
        return self._core.account_id

    @property
    def is_over(self) -> bool:
        """Whether it rings no more."""
        return self._over.done()

    def was_accepted_by(self, account_key: bytes) -> bool:
        """Whether a device of the account answered, and has this key."""
        accepted = self.is_over and self._over.result().reason is EndReason.DONE
        return accepted and self._account_key == account_key

    async def over(self) -> Ended:
        """Wait until it rings no more; reason ``done``: it was accepted."""
        return await asyncio.shield(self._over)

    def cancel(self) -> None:
        """Ring no more. Raises CallUsageError if it is over."""
        self._core.hang_up(self._clock())
        self._changed()

    # Inside the package

    def happened(self, event: CallEvent) -> None:
        """Take an event of the core."""
        match event:
            case EpochChanged():
                self._note_key(event)
            case Ended() if not self._over.done():
                self._over.set_result(event)
        self._tell(self.account_id, event)

    def _note_key(self, event: EpochChanged) -> None:
        others = [each for each in event.members if each.account_id == self.account_id]
        if len(others) == 1:  # before the answer there may be more
            self._account_key = others[0].account_key
