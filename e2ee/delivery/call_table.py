"""All calls that are going on, and the ids of those that are over (DS-3, DS-7)."""

from __future__ import annotations

from collections import Counter

from e2ee.delivery.call_log import Call
from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.delivery.limits import CALL_ID_REMEMBERED, CALL_IDLE, MAX_OPEN_CALLS

__all__ = ["CallTable"]


class CallTable:
    """Calls by id, those whose log grew longest ago first, so that looking for old ones is looking at the first."""

    def __init__(self) -> None:
        self._calls: dict[bytes, Call] = {}
        self._over: dict[bytes, int] = {}
        self._opened: Counter[bytes] = Counter()

    def get(self, call_id: bytes, now: int) -> Call:
        """The call as it is now. Raises DeliveryError if there is none, or it is over."""
        self._close_old(now)
        call = self._calls.get(call_id)
        if call is None:
            raise DeliveryError(DeliveryReason.UNKNOWN_CALL)
        return call

    def require_room(self, call_id: bytes, opener: bytes, now: int) -> None:
        """Raises DeliveryError if this id was used, or this device has too many calls."""
        self._close_old(now)
        # DS-3: "A `call_id` MUST NOT be opened twice."
        if call_id in self._calls or call_id in self._over:
            raise DeliveryError(DeliveryReason.CALL_ID_USED)
        # DS-7: "64 open calls a device"
        if self._opened[opener] >= MAX_OPEN_CALLS:
            raise DeliveryError(DeliveryReason.TOO_MANY_CALLS, f"at most {MAX_OPEN_CALLS}")

    def put(self, call_id: bytes, call: Call) -> None:
        """The call's new state; its log has grown."""
        if self._calls.pop(call_id, None) is None:
            self._opened[call.opener] += 1
        self._calls[call_id] = call

    def _close_old(self, now: int) -> None:
        while self._calls and now - self._oldest().grown_at > CALL_IDLE:
            call_id = next(iter(self._calls))
            call = self._calls.pop(call_id)
            self._over[call_id] = now
            self._opened[call.opener] -= 1
            if not self._opened[call.opener]:
                del self._opened[call.opener]
        while self._over and now - next(iter(self._over.values())) > CALL_ID_REMEMBERED:
            del self._over[next(iter(self._over))]

    def _oldest(self) -> Call:
        return next(iter(self._calls.values()))
