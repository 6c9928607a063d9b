"""What becomes of what a call receives: recorded, played, or dropped."""

from __future__ import annotations

import asyncio
from pathlib import Path

from e2ee.cli.main import refuse
from e2ee.client.call import Call
from e2ee.media.encoded_frame import Kind
from e2ee.rtc.errors import DeviceUnavailable
from e2ee.rtc.loudspeaker import Loudspeaker
from e2ee.rtc.observer import FrameObserver
from e2ee.rtc.recorders import Recorder

__all__ = ["Receiving", "new_loudspeaker"]


class Receiving:
    """Of one call: ``out`` is a WebM file to be written, with what the other side's microphone and camera send."""

    def __init__(self, out: Path | None, *, play: bool) -> None:
        if out is not None and not out.absolute().parent.is_dir():
            refuse(f"{out.parent} is no directory")
        self._recorder = Recorder(out) if out else None
        self._loudspeaker = new_loudspeaker() if play else None
        self._playing: asyncio.Task[None] | None = None

    @property
    def observers(self) -> tuple[FrameObserver, ...]:
        """What sees the call's frames."""
        return (self._recorder,) if self._recorder else ()

    def connected(self, call: Call) -> None:
        """Media can flow."""
        track = call.track(Kind.MICROPHONE)
        if self._loudspeaker is not None and track is not None and self._playing is None:
            self._playing = asyncio.ensure_future(self._loudspeaker.play(track))

    async def close(self) -> Path | None:
        """End the recording; gives it, if there is one."""
        if self._playing is not None:
            self._playing.cancel()
        if self._loudspeaker is not None:
            await self._loudspeaker.close()
        if self._recorder is None:
            return None
        self._recorder.close()
        return self._recorder.path if self._recorder.path.exists() else None


def new_loudspeaker() -> Loudspeaker:
    """The machine's, or the command ends."""
    try:
        return Loudspeaker()
    except DeviceUnavailable as error:
        refuse(f"nothing to play with: {error.detail}")
