"""Who may look at frames on their way, and is given to a peer by whoever makes it.

A recorder looks at what was opened, a tap at what arrived before that. An observer changes nothing: one that raises
is left out from then on, and the frame goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from e2ee.media.encoded_frame import Kind, OpenedFrame

__all__ = ["NOBODY", "FrameObserver", "Observers"]

_log = logging.getLogger(__name__)


class FrameObserver:
    """Sees every frame of a peer. Each method does nothing unless a subclass says otherwise."""

    def protected(self, kind: Kind, encoded: bytes, protected: bytes) -> None:
        """An encoder's frame, and what became of it. Called in the thread of the encoder."""

    def received(self, kind: Kind, protected: bytes, timestamp: int) -> None:
        """A frame after SRTP and before the opener: all that a forwarding server has of it.

        ``timestamp`` is RTP's: 32 bits, in units of the codec's clock (90 kHz video, 48 kHz audio).
        """

    def opened(self, kind: Kind, frame: OpenedFrame, timestamp: int, arrived: int) -> None:
        """An authentic frame on its way to the decoder, which arrived at ``arrived`` (ms; before its key, perhaps)."""


NOBODY = FrameObserver()


class Observers(FrameObserver):
    """Several observers as one, and the line at which their failures end."""

    def __init__(self, observers: Sequence[FrameObserver] = ()) -> None:
        self._observers = tuple(observers)

    def protected(self, kind: Kind, encoded: bytes, protected: bytes) -> None:
        self._tell(lambda observer: observer.protected(kind, encoded, protected))

    def received(self, kind: Kind, protected: bytes, timestamp: int) -> None:
        self._tell(lambda observer: observer.received(kind, protected, timestamp))

    def opened(self, kind: Kind, frame: OpenedFrame, timestamp: int, arrived: int) -> None:
        self._tell(lambda observer: observer.opened(kind, frame, timestamp, arrived))

    def _tell(self, look: Callable[[FrameObserver], None]) -> None:
        for observer in self._observers:
            try:
                look(observer)
            except Exception as error:  # noqa: BLE001 - anybody's code, in the way of every frame
                _log.warning("%s left out: %s", type(observer).__name__, type(error).__name__)
                self._observers = tuple(each for each in self._observers if each is not observer)
