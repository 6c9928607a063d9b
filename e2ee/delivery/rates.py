"""How often something may be done: at most so much at once, and so much in each period on average.

The generic cell rate algorithm in whole numbers: for each key one number, the time at which all that it spent is paid
off. A key that owes nothing is forgotten. What was spent stays spent when a request is refused for something else.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from e2ee.delivery.errors import DeliveryError, DeliveryReason

__all__ = ["Rate", "Rates"]

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Rate:
    """``amount`` at once, and ``amount`` in each ``period`` (milliseconds) on average."""

    amount: int
    period: int


class Rates(Generic[K]):
    """What each key has spent of a ``Rate``. ``what`` says of what, in refusals."""

    def __init__(self, what: str, rate: Rate) -> None:
        self._what = what
        self._rate = rate
        self._paid_off: dict[K, int] = {}  # in units of 1 / amount milliseconds; last spender last

    def spend(self, key: K, now: int, count: int = 1) -> None:
        """Spend ``count``. Raises DeliveryError (RATE_LIMITED), and then nothing is spent."""
        amount, period = self._rate.amount, self._rate.period
        self._forget_paid(now)
        begin = now * amount
        paid_off = max(self._paid_off.get(key, begin), begin) + count * period
        if paid_off - begin > amount * period:
            detail = f"at most {amount} {self._what} in {period // 1000} s"
            raise DeliveryError(DeliveryReason.RATE_LIMITED, detail)
        self._paid_off.pop(key, None)
        self._paid_off[key] = paid_off

    def __len__(self) -> int:
        return len(self._paid_off)

    def _forget_paid(self, now: int) -> None:
        """Nobody owes anything a period after having spent last, so those who owe nothing stand first in the end."""
        begin = now * self._rate.amount
        while self._paid_off:
            key = next(iter(self._paid_off))
            if self._paid_off[key] > begin:
                return
            del self._paid_off[key]
