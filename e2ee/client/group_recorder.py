"""What members of a group call send, as a playable WebM file of each: exactly what was opened, none encoded again.

recorder = GroupRecorder(folder, name_of)
call = client.join(link, Media(observers=[recorder]))
recorder.gone(leaf)             with each member of ``MembersChanged.removed``
recorder.close()
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from e2ee.media.encoded_frame import Kind, OpenedFrame
from e2ee.rtc.observer import FrameObserver, Observers
from e2ee.rtc.recorders import Recorder

__all__ = ["GroupRecorder"]


class GroupRecorder(FrameObserver):
    """``name_of`` says how the file in ``folder`` is called of who is at a leaf index when its first frame comes."""

    def __init__(self, folder: Path, name_of: Callable[[int], str]) -> None:
        self._folder = folder
        self._name_of = name_of
        self._recorders: dict[int, Recorder] = {}
        self._told: dict[int, Observers] = {}
        """By leaf: one whose file cannot be written is left out, and those of the others go on."""
        self._begun: list[Path] = []

    def opened(self, kind: Kind, frame: OpenedFrame, timestamp: int, arrived: int) -> None:
        leaf = frame.key_id.leaf_index
        if leaf not in self._recorders:
            recorder = self._recorders[leaf] = Recorder(self._folder / self._name_of(leaf))
            self._told[leaf] = Observers([recorder])
            self._begun.append(recorder.path)
        self._told[leaf].opened(kind, frame, timestamp, arrived)

    def gone(self, leaf: int) -> None:
        """The member at ``leaf`` is out of the call: what comes from there later is another's."""
        if (recorder := self._recorders.pop(leaf, None)) is not None:
            recorder.close()

    def all_gone(self) -> None:
        """This device joins anew: who has which leaf then is not known before (``JoinsAnew``)."""
        for leaf in list(self._recorders):
            self.gone(leaf)

    def close(self) -> list[Path]:
        """End all files, and give those that there are."""
        self.all_gone()
        return [path for path in self._begun if path.exists()]
