"""What becomes of what a group call receives: recorded, one file a member, played together, or dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from e2ee.cli.calls.receiving import new_loudspeaker
from e2ee.cli.main import refuse
from e2ee.client.group_events import StreamBegan
from e2ee.client.group_recorder import GroupRecorder
from e2ee.media.encoded_frame import Kind
from e2ee.rtc.mixing import Mixer
from e2ee.rtc.observer import FrameObserver

__all__ = ["MeetingReceiving"]


class MeetingReceiving:
    """Of one group call: ``out`` is the directory in which what members send is recorded."""

    def __init__(self, out: Path | None, *, play: bool) -> None:
        if out is not None and not out.is_dir():
            refuse(f"{out} is no directory")
        self.name_of: Callable[[int], str] = lambda leaf: f"leaf-{leaf}.webm"
        """How a member's file is called."""
        self._recorder = GroupRecorder(out, lambda leaf: self.name_of(leaf)) if out else None
        self._loudspeaker = new_loudspeaker() if play else None
        self._mixer = Mixer()
        self._playing: asyncio.Task[None] | None = None

    @property
    def observers(self) -> tuple[FrameObserver, ...]:
        """What sees the call's frames."""
        return (self._recorder,) if self._recorder else ()

    def began(self, event: StreamBegan) -> None:
        """A stream comes."""
        if self._loudspeaker is None or event.kind is not Kind.MICROPHONE:
            return
        self._mixer.add(event.track)
        if self._playing is None:
            self._playing = asyncio.ensure_future(self._loudspeaker.play(self._mixer))

    def gone(self, leaf: int) -> None:
        """Somebody is out of the call."""
        if self._recorder is not None:
            self._recorder.gone(leaf)

    def all_gone(self) -> None:
        """This device comes in again, and who has which leaf then may be another."""
        if self._recorder is not None:
            self._recorder.all_gone()

    async def close(self) -> list[Path]:
        """End what is recorded and played; gives the files."""
        if self._playing is not None:
            self._playing.cancel()
        self._mixer.stop()
        if self._loudspeaker is not None:
            await self._loudspeaker.close()
        return self._recorder.close() if self._recorder else []
