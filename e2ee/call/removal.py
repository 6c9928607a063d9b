"""Until when somebody who was removed can still open what is sent (CALL-25).

A removal is over when every remaining sender has gone on: each was heard in the new epoch, by a message or a frame that
authenticated under it, and the send deadline after that has passed, until which a member that has the new epoch may send with
the former one (FKEY-9). Before all were heard it is unknown, and said so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from e2ee.media.limits import SEND_DEADLINE_AFTER_REMOVAL

__all__ = ["HeardAt", "Removal"]

HeardAt = Callable[[int, int], int | None]
"""(leaf index, epoch) -> when something of the member first authenticated in that epoch or a newer one; None if nothing did."""


@dataclass(slots=True)
class Removal:
    """The removal of ``leaves`` by the commit that began ``epoch``, which this device applied at ``applied_at``.

    ``senders`` are the others who stay. Times are Unix milliseconds.
    """

    epoch: int
    leaves: frozenset[int]
    senders: frozenset[int]
    applied_at: int
    _until: int | None = None

    def removed_can_open_until(self, heard_at: HeardAt) -> int | None:
        """The latest of all senders' first sign of the new epoch, this device's included, and a send deadline more; None while
        one is missing.

        What is known stays: that a sender is heard in a still newer epoch moves nothing.
        """
        if self._until is None and (latest := self._latest_sign(heard_at)) is not None:
            self._until = latest + SEND_DEADLINE_AFTER_REMOVAL
        return self._until

    def _latest_sign(self, heard_at: HeardAt) -> int | None:
        latest = self.applied_at
        for leaf_index in self.senders:
            heard = heard_at(leaf_index, self.epoch)
            if heard is None:
                return None
            latest = max(latest, heard)
        return latest
