"""`alive`: a device tells that it has applied an epoch (CALL-11).

It is the acknowledgement of FKEY-7: the sender of frames goes on to an epoch as soon as all others are known to have it. It
proves what it says because it is sealed with keys of that very epoch, so it counts for its sender and for that epoch only.
"""

from __future__ import annotations

from e2ee.call.policy import Said
from e2ee.media.frame_keys import FrameKeys
from e2ee.signalling.messages import Alive

__all__ = ["acknowledge", "alive"]


def alive(epoch: int, now: int) -> Alive:
    """What to send after applying ``epoch``; ``clock`` is this device's, in Unix milliseconds."""
    return Alive(epoch, now)


def acknowledge(frame_keys: FrameKeys, said: Said, now: int) -> None:
    """An ``alive`` that was found to be of the epoch that it names."""
    frame_keys.acknowledged(said.sender, said.epoch, now)
