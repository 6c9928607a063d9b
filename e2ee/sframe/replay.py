"""The replay window of one receive key (RFC 9605 Section 9.3, after RFC 3711 Section 3.3.2).

A window remembers which of the last ``size`` counters were accepted. A counter is looked up before decryption and
noted after it, so that a forged frame, which anybody can make for any CTR, moves nothing: one forgery with a large
CTR would else silence the sender.
"""

from __future__ import annotations

from e2ee.sframe.errors import OutOfRange

__all__ = ["ReplayWindow"]


class ReplayWindow:
    """Accepts each CTR once; refuses those that lie ``size`` or more below the highest accepted one.

    Slot CTR mod ``size`` holds the last counter accepted there. Of the counters within the window exactly one belongs
    to a slot, so a slot that holds another one holds one from before the window. Memory and time are those of ``size``
    slots, whatever the counters are.
    """

    __slots__ = ("_highest", "_size", "_slots")

    def __init__(self, size: int) -> None:
        if size < 1:
            raise OutOfRange(f"replay window of {size} counters")
        self._size = size
        self._slots = [-1] * size
        self._highest = -1

    def is_new(self, CTR: int) -> bool:
        """Whether ``CTR`` lies within or above the window and was not accepted yet. Changes nothing."""
        ahead = CTR - self._highest
        return ahead > 0 or (ahead > -self._size and self._slots[CTR % self._size] != CTR)

    def accept(self, CTR: int) -> None:
        """Note ``CTR``, which ``is_new``, after its frame was authenticated."""
        self._slots[CTR % self._size] = CTR
        if self._highest < CTR:
            self._highest = CTR
