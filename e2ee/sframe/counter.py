"""The counter of one send key (RFC 9605 Sections 4.3 and 9.1).

"Applications MUST ensure that each (base_key, KID, CTR) combination is used for at most one SFrame encryption
operation." A repeated CTR repeats a nonce, and with GCM that gives away the authentication key. So a counter
starts at 0, gives each value once, ends, and cannot be copied, stored or set: whoever cannot prove that it
continues one takes a new KID. A process that forks must not send in both halves.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import length_hint
from typing import NoReturn

from e2ee.sframe.errors import OutOfRange

__all__ = ["MAX_LIMIT", "Counter"]

MAX_LIMIT = (1 << 63) - 1
"""A header could hold twice as many; nobody sends so many frames under one key."""


class Counter:
    """Gives 0, 1, ... ``limit`` - 1, each once; then ``draw`` raises StopIteration, for good.

    Any thread may draw: under the interpreter's lock, without which this package is not to be used, stepping a range
    is one indivisible operation. A value that was drawn is never given back, not even when encryption fails.
    """

    __slots__ = ("_values", "draw", "limit")

    limit: int
    """The first value that is not given; at most ``MAX_LIMIT``."""
    draw: Callable[[], int]
    """The next CTR."""

    def __init__(self, limit: int) -> None:
        if not 0 < limit <= MAX_LIMIT:
            raise OutOfRange(f"counter limit {limit}")
        self.limit = limit
        self._values = iter(range(limit))
        self.draw = self._values.__next__

    @property
    def drawn(self) -> int:
        """How many values were given."""
        return self.limit - length_hint(self._values)

    def __copy__(self) -> NoReturn:
        raise TypeError("a copied counter would repeat nonces")

    def __deepcopy__(self, memo: object) -> NoReturn:
        raise TypeError("a copied counter would repeat nonces")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a stored counter would repeat nonces")
