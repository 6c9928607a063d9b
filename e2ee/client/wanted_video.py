"""Which videos are wanted, in order of importance: what the forwarding unit is told, and all that it learns of who matters (SFU-6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from e2ee.media.encoded_frame import Kind

__all__ = ["MOST", "Video", "wanted"]

MOST = 16
"""SFU-6: "at most 16"."""


class Video(NamedTuple):
    """A member's stream of pictures, and the m-section that brings it."""

    leaf: int
    kind: Kind
    mid: str


def wanted(
    videos: Iterable[Video], chosen: Sequence[int], speaking: Sequence[int]
) -> tuple[str, ...]:
    """The mids to ask for: screens, then whom the person chose, then who spoke last, then the others by leaf index."""
    ranks = {leaf: rank for rank, leaf in enumerate(dict.fromkeys((*chosen, *speaking)))}

    def importance(video: Video) -> tuple[bool, int, int]:
        return video.kind is not Kind.SCREEN_VIDEO, ranks.get(video.leaf, len(ranks)), video.leaf

    return tuple(video.mid for video in sorted(videos, key=importance))[:MOST]
