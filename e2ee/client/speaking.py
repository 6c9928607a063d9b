"""Who is heard: the loudness of what members' microphones send, taken where it is decoded.

Nobody on the way can tell, and nobody is asked: frames carry no level that is not encrypted (CODEC-6 leaves the header
extension out).
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from av.audio.frame import AudioFrame

from e2ee.rtc.meters import first_channel

__all__ = ["Speaking"]

_LOUD = 300.0
"""Root mean square of 16-bit samples, about -41 dB of full scale: below is what a quiet room makes."""

_FOR = 100
"""Milliseconds of loud sound that are speech, and no click."""

_UNTIL = 800
"""Milliseconds of silence after which somebody has ceased to speak."""


class _Voice:
    """One member's. ``loud_since`` is when it became loud, None while it is not heard; ``last`` when it last was."""

    def __init__(self) -> None:
        self.loud_since: int | None = None
        self.last = 0


class Speaking:
    """See the module. ``now`` is Unix time in milliseconds."""

    def __init__(self) -> None:
        self._voices: dict[int, _Voice] = {}

    def hear(self, leaf: int, frame: object, now: int) -> None:
        """Take a frame of sound of the member at ``leaf``."""
        if not isinstance(frame, AudioFrame) or not _is_loud(frame):
            return
        voice = self._voices.setdefault(leaf, _Voice())
        if voice.loud_since is None or now - voice.last > _UNTIL:
            voice.loud_since = now
        voice.last = now

    def keep(self, leaves: Collection[int]) -> None:
        """Forget who is not among these."""
        self._voices = {leaf: each for leaf, each in self._voices.items() if leaf in leaves}

    def now(self, now: int) -> tuple[int, ...]:
        """Who is heard, who began last first."""
        heard = [
            (voice.loud_since, leaf)
            for leaf, voice in self._voices.items()
            if voice.loud_since is not None
            and now - voice.last <= _UNTIL
            and voice.last - voice.loud_since >= _FOR
        ]
        return tuple(leaf for _, leaf in sorted(heard, reverse=True))

    def in_order(self) -> tuple[int, ...]:
        """Who was heard at all, who last first."""
        return tuple(sorted(self._voices, key=lambda leaf: -self._voices[leaf].last))


def _is_loud(frame: AudioFrame) -> bool:
    samples = first_channel(frame).astype(np.float32)
    return bool(samples.size) and float(np.sqrt(np.mean(samples * samples))) >= _LOUD
