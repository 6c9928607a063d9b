"""Sequence numbers of a stream that is received: which packets are new, which are missing, which come too late.

RTP's 16 bits are extended to an index that never wraps. A stream that goes on somewhere else, as one that was begun anew
does, has its next packet at the next index: what is behind this never sees a jump (RFC 3550 Appendix A.1 says when to
believe it).
"""

from __future__ import annotations

from e2ee.sfu.limits import HISTORY

__all__ = ["ReceivedSequence"]

_MASK = 0xFFFF

ASK_EVERY = 100
"""Milliseconds between two requests for what is missing."""

ASK_TIMES = 10
"""After which a packet is given up."""

MAX_GAP = 128
"""Missing packets in a row that can be asked for: aiortc's senders keep no more. After a larger gap the stream just goes on."""


class ReceivedSequence:
    """Of one stream. ``now`` is in milliseconds."""

    def __init__(self) -> None:
        self.highest = -1
        """Index of the newest packet; the first one has its sequence number as index."""
        self.received = 0
        """How many packets came, each counted once."""
        self.given_up: list[int] = []
        """Indices of packets that will not come any more, for whoever asks; to be emptied by it."""
        self._base = 0
        self._shift = 0
        self._suspect: int | None = None
        self._missing: dict[
            int, tuple[int, int]
        ] = {}  # index -> how often it was asked for, when again
        self._next_ask = 0

    def take(self, sequence_number: int) -> int | None:
        """The index of a packet that came; None if it is to be dropped: it came before, or too late."""
        if self.highest < 0:
            self._begin(sequence_number)
            return sequence_number
        ahead = sequence_number - self.highest + self._shift & _MASK
        if ahead == 1:
            self.highest += 1
            self.received += 1
            return self.highest
        return self._out_of_order(sequence_number, ahead)

    def _begin(self, sequence_number: int) -> None:
        self.highest = self._base = sequence_number
        self.received = 1

    def _out_of_order(self, sequence_number: int, ahead: int) -> int | None:
        if 1 < ahead <= MAX_GAP:
            for index in range(self.highest + 1, self.highest + ahead):
                self._missing[index] = 0, 0
            self.highest += ahead
            self.received += 1
            self._next_ask = 0
            if len(self._missing) > HISTORY:
                self._give_up()
            return self.highest
        behind = -ahead & _MASK
        if behind < HISTORY:
            index = self.highest - behind
            if self._missing.pop(index, None) is None:
                return None
            self.received += 1
            return index
        return self._elsewhere(sequence_number)

    def _elsewhere(self, sequence_number: int) -> int | None:
        """Believe a jump when the packet after it has come too."""
        if sequence_number != self._suspect:
            self._suspect = sequence_number + 1 & _MASK
            return None
        self._suspect = None
        self._missing.clear()
        self.highest += 1
        self.received += 1
        self._shift = self.highest - sequence_number
        return self.highest

    @property
    def missing(self) -> int:
        """How many packets are waited for."""
        return len(self._missing)

    @property
    def expected(self) -> int:
        """How many packets there would be without a loss."""
        return self.highest - self._base + 1 if self.highest >= 0 else 0

    @property
    def highest_sent(self) -> int:
        """The newest packet's number as its sender counts: 32 bits, of which the lower half is in the packet."""
        return self.highest - self._shift & 0xFFFFFFFF

    def to_ask_for(self, now: int) -> list[int]:
        """The sequence numbers of missing packets to ask for now, oldest first; empty most of the time."""
        if now < self._next_ask:
            return []
        self.given_up += self._give_up()
        due = [index for index, (_, when) in self._missing.items() if when <= now]
        for index in due:
            self._missing[index] = self._missing[index][0] + 1, now + ASK_EVERY
        self._next_ask = min((when for _, when in self._missing.values()), default=0)
        return [index - self._shift & _MASK for index in due]

    def _give_up(self) -> list[int]:
        """Forget what was asked for often enough, and what is too old for anybody to have."""
        oldest = self.highest - HISTORY
        hopeless = [
            index
            for index, (asked, _) in self._missing.items()
            if asked >= ASK_TIMES or index <= oldest
        ]
        for index in hopeless:
            del self._missing[index]
        return hopeless
