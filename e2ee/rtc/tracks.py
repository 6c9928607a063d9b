"""The two ends of a stream, which stay when what is behind them changes.

    application's track -> OutgoingTrack -> sender         replaced, taken away and given back at any time
    decoder -> ReceivedTrack -> application                goes on when a connection takes the place of another

aiortc ends a sender for good when its track ends, and a receiver's track when its connection does. A call outlives
both.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av.frame import Frame

__all__ = ["MediaStreamError", "OutgoingTrack", "ReceivedTrack"]

_log = logging.getLogger(__name__)


class OutgoingTrack(MediaStreamTrack):
    """What one sender reads: the track of the moment, or nothing while there is none.

    A track that ends, or that fails, is not there any more. ``begin`` is called when the first frame of another track
    is about to be encoded: at a time when no other frame is.
    """

    def __init__(self, kind: str, begin: Callable[[], None]) -> None:
        super().__init__()
        self.kind = kind
        self._begin = begin
        self._track: MediaStreamTrack | None = None
        self._begun: MediaStreamTrack | None = None
        self._changed = asyncio.Event()
        self._reading: asyncio.Future[Any] | None = None

    def use(self, track: MediaStreamTrack | None) -> None:
        """Read this track from now on. A frame that is being read of another one is dropped."""
        self._track, self._begun = track, None
        self._changed.set()
        if self._reading is not None:
            self._reading.cancel()

    async def recv(self) -> Any:
        """The next frame, however long it takes. Raises MediaStreamError when the sender has ended."""
        while self.readyState == "live":
            self._changed.clear()
            track = self._track
            if track is None:
                await self._changed.wait()
                continue
            frame = await self._read(track)
            if frame is None or self._track is not track:
                continue
            if self._begun is not track:
                self._begun = track
                self._begin()
            return frame
        raise MediaStreamError

    async def _read(self, track: MediaStreamTrack) -> Any:
        """A frame of this track; None if it has none, or if it is not read any more."""
        self._reading = asyncio.ensure_future(track.recv())
        try:
            return await self._reading
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise  # the sender ends
            return None
        except MediaStreamError:
            pass
        except Exception as error:  # noqa: BLE001 - anybody's code; it would end the sender
            _log.warning("%s ended: %s", type(track).__name__, type(error).__name__)
        finally:
            self._reading = None
        if self._track is track:
            self._track = None
        return None


class ReceivedTrack(MediaStreamTrack):
    """What is received of one stream, decoded: the newest frames, for whoever reads them.

    Time stamps never go back, also where a new connection begins with its own. It ends by ``stop`` only.
    """

    WAITING = 64
    """Frames that wait for the reader: 2 s of pictures, 1 s of sound."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self._frames: deque[Frame] = deque(maxlen=self.WAITING)
        self._came = asyncio.Event()
        self._shift = 0
        self._last: int | None = None
        self._look: Callable[[Frame], None] | None = None

    def watch(self, look: Callable[[Frame], None]) -> None:
        """Show ``look`` every frame when it comes, whether anybody reads it or not."""
        self._look = look

    async def put(self, frame: Frame | None) -> None:
        """Take a frame of a decoder. None is the end of its connection, and not of this track."""
        if frame is None or self.readyState != "live":
            return
        if frame.pts is not None:
            frame.pts = self._in_order(frame.pts)
        self._frames.append(frame)
        self._came.set()
        if self._look is not None:
            self._look(frame)

    def _in_order(self, pts: int) -> int:
        if self._last is not None and pts + self._shift <= self._last:
            self._shift = self._last + 1 - pts
        self._last = pts + self._shift
        return self._last

    async def recv(self) -> Frame:
        """The next frame. Raises MediaStreamError after the last one."""
        while not self._frames:
            if self.readyState != "live":
                raise MediaStreamError
            self._came.clear()
            await self._came.wait()
        return self._frames.popleft()

    def stop(self) -> None:
        super().stop()
        self._came.set()
