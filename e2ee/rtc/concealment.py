"""What the decoder is given for sound that was lost on the way (FRAME-16).

How much is missing says the CTR, which is authenticated, and never the network: a microphone that was muted leaves no
gap in the counter, whatever time passed. Nothing is concealed before something authentic came after it.
"""

from __future__ import annotations

from collections.abc import Iterator

from e2ee.media.encoded_frame import Codec, OpenedFrame
from e2ee.media.opus import stand_in

__all__ = ["Concealment"]


class Concealment:
    """Of one stream. Timestamps are RTP's: 32 bits, at 48 kHz."""

    LIMIT = 4_800
    """Samples, 100 ms: by then what a decoder makes up has faded."""

    def __init__(self) -> None:
        self._last: tuple[OpenedFrame, int] | None = None

    def restart(self) -> None:
        """The next frame follows no other."""
        self._last = None

    def before(self, frame: OpenedFrame, timestamp: int) -> Iterator[tuple[bytes, int]]:
        """Packets, with their timestamps, that stand in for what is missing between the last frame and this one."""
        last, self._last = self._last, (frame, timestamp)
        if last is None or frame.codec is not Codec.OPUS or (lost := _lost(last[0], frame)) <= 0:
            return
        filler = stand_in(last[0].data)
        if filler is None:
            return
        gap = (timestamp - last[1]) % (1 << 32)
        room = min(self.LIMIT, gap - filler.samples) // filler.samples
        for number in range(1, min(lost, room) + 1):
            yield filler.packet, (last[1] + number * filler.samples) % (1 << 32)


def _lost(before: OpenedFrame, after: OpenedFrame) -> int:
    """How many frames their sender protected between the two and did not come; 0 if they are of two keys."""
    if (before.epoch, before.key_id) != (after.epoch, after.key_id):
        return 0
    return after.CTR - before.CTR - 1
