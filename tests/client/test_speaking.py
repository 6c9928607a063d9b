"""Who is heard: loud for a while, not a click, and not for long after the last word."""

from __future__ import annotations

from itertools import count

import numpy as np
from av.audio.frame import AudioFrame

from e2ee.client.speaking import Speaking

FRAME = 20
"""Milliseconds."""


def sound(amplitude: int) -> AudioFrame:
    wave = amplitude * np.sin(np.arange(960) / 17)
    samples = np.repeat(wave.astype(np.int16), 2).reshape(1, -1)
    return AudioFrame.from_ndarray(samples, "s16", "stereo")


class Room:
    """Sound of several members, frame after frame."""

    def __init__(self) -> None:
        self.speaking = Speaking()
        self._clock = count(1_000_000, FRAME)
        self.now = 0

    def hear(self, frames: int, *loud: int, quiet: int = 9) -> tuple[int, ...]:
        for _ in range(frames):
            self.now = next(self._clock)
            for leaf in loud:
                self.speaking.hear(leaf, sound(3_000), self.now)
            self.speaking.hear(quiet, sound(60), self.now)
        return self.speaking.now(self.now)


def test_who_speaks_is_heard_and_a_quiet_room_is_not() -> None:
    room = Room()
    assert room.hear(20, 3) == (3,)


def test_a_click_is_no_speech() -> None:
    room = Room()
    assert room.hear(2, 3) == ()
    assert room.hear(10) == ()


def test_between_two_words_somebody_still_speaks_and_later_does_not() -> None:
    room = Room()
    room.hear(20, 3)
    assert room.hear(20) == (3,)
    assert room.hear(30) == ()


def test_who_began_last_is_first() -> None:
    room = Room()
    room.hear(20, 3)
    assert room.hear(20, 3, 5) == (5, 3)
    room.hear(60, 5)
    assert room.speaking.in_order() == (5, 3)


def test_who_is_gone_is_forgotten() -> None:
    room = Room()
    room.hear(20, 3, 5)
    room.speaking.keep({5})
    assert room.speaking.now(room.now) == (5,)
    assert room.speaking.in_order() == (5,)


def test_what_is_no_sound_is_passed_by() -> None:
    speaking = Speaking()
    speaking.hear(1, object(), 0)
    assert speaking.in_order() == ()
