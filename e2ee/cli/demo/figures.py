"""What one side measures while it is in the call."""

from __future__ import annotations

from itertools import pairwise

from e2ee.cli.demo.report import StreamReport
from e2ee.media.encoded_frame import Kind, OpenedFrame
from e2ee.rtc.measure import largest_step
from e2ee.rtc.meters import PictureMeter
from e2ee.rtc.observer import FrameObserver
from e2ee.rtc.peer import PeerStatistics

__all__ = ["EpochChanges", "bytes_received", "streams"]

_AROUND = 5
"""Pictures before and after a change of epoch that are looked at."""


class EpochChanges(FrameObserver):
    """Notes which of the opened pictures is the first one of a new epoch."""

    def __init__(self) -> None:
        self._epochs: list[int] = []

    def opened(self, kind: Kind, frame: OpenedFrame, timestamp: int, arrived: int) -> None:  # noqa: ARG002
        if kind is Kind.CAMERA:
            self._epochs.append(frame.epoch)

    def largest_gap(self, meter: PictureMeter) -> int:
        """The most frame numbers that are missing between two pictures around a change; -1 if there was none."""
        changes = [
            index + 1
            for index, (before, after) in enumerate(pairwise(self._epochs))
            if before != after
        ]
        around = [meter.numbers[max(0, at - _AROUND) : at + _AROUND] for at in changes]
        return max((largest_step(numbers) for numbers in around), default=0) - 1


def streams(statistics: PeerStatistics) -> dict[str, StreamReport]:
    """What passed, by the name of the kind."""
    return {
        kind.name.lower(): StreamReport(
            sent=statistics.sent[kind].frames,
            opened=received.opened,
            rejected={str(reason): count for reason, count in received.rejected.items()},
        )
        for kind, received in statistics.received.items()
    }


def bytes_received(statistics: PeerStatistics) -> int:
    """Protected frames that came, in bytes."""
    return sum(received.bytes for received in statistics.received.values())
