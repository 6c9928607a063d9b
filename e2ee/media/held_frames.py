"""Frames that came before their key: kept for a short while, within bounds, in the order in which they came (FRAME-13).

Anybody on the path can invent such frames. The bounds say what that can cost; what finds no room is refused, and the
frames that are kept stay.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from e2ee.media import limits
from e2ee.media.incoming_stream import IncomingStream

__all__ = ["HeldFrame", "HeldFrames"]


@dataclass(frozen=True, slots=True)
class HeldFrame:
    """A protected frame that waits for the epoch with these low bits, until ``until``."""

    stream: IncomingStream
    data: bytes
    epoch_bits: int
    until: int
    context: object = None


class HeldFrames:
    """All held frames of a device, oldest first."""

    def __init__(self) -> None:
        self._frames: deque[HeldFrame] = deque()
        self._size = 0

    def __len__(self) -> int:
        return len(self._frames)

    def keep(self, frame: HeldFrame) -> bool:
        """Keep ``frame`` behind the others, if there is room."""
        stream, size = frame.stream, len(frame.data)
        room = (
            stream.held_frames < limits.HELD_FRAMES_OF_A_STREAM
            and stream.held_bytes + size <= limits.HELD_BYTES_OF_A_STREAM
            and self._size + size <= limits.HELD_BYTES
        )
        if room:
            self._frames.append(frame)
            self._count(frame, 1)
        return room

    def take(self, which: Callable[[HeldFrame], bool]) -> list[HeldFrame]:
        """Take out those for which ``which`` is true, in their order."""
        taken = [frame for frame in self._frames if which(frame)]
        if taken:
            self._frames = deque(frame for frame in self._frames if not which(frame))
        for frame in taken:
            self._count(frame, -1)
        return taken

    def get_timer(self) -> int | None:
        """When the time of the oldest is over."""
        return self._frames[0].until if self._frames else None

    def _count(self, frame: HeldFrame, sign: int) -> None:
        self._size += sign * len(frame.data)
        frame.stream.held_frames += sign
        frame.stream.held_bytes += sign * len(frame.data)
