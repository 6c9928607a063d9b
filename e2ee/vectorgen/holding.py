"""Vectors of the chapter Frame format, "Frames before their key"."""

from __future__ import annotations

from e2ee.vectorgen.registry import Case, Group
from e2ee.vectorgen.scenes import Refusal, Scene, flipped

__all__ = ["holding"]

holding = Group(
    "holding",
    "The same for a frame whose key is not known yet when it comes, at `at`: `later` is what happens afterwards, until"
    " `until`. An earlier frame's outcome may be `held`.",
)


@holding.vector("FRAME-13", "FRAME-14")
def key_that_comes_in_time(case: Case) -> None:
    """The sender is ahead: its frame of epoch 3 waits, and is opened as soon as epoch 3 is applied."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.judged(100, scene.protected(3, 0), epoch=3)
    scene.until(1_100)
    scene.applied(1_099, 3, later=True)


@holding.vector("FRAME-13", reason=Refusal.UNKNOWN_KEY)
def key_that_comes_too_late(case: Case) -> None:
    """A frame waits one second at most."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.judged(100, scene.protected(3, 0), epoch=3)
    scene.until(1_200)
    scene.applied(1_100, 3, later=True)


@holding.vector("FRAME-14", reason=Refusal.NOT_AUTHENTIC)
def held_frame_that_was_forged(case: Case) -> None:
    """Having waited, a frame is judged like any other."""
    scene = Scene(case)
    scene.applied(0, 2)
    protected = scene.protected(3, 0)
    scene.judged(100, protected, epoch=3, changed=flipped(protected.frame, -1))
    scene.until(200)
    scene.applied(200, 3, later=True)


@holding.vector("FRAME-14", reason=Refusal.REPLAYED)
def held_frame_that_came_twice(case: Case) -> None:
    """Held frames are judged in the order in which they came: the second copy is a replay."""
    scene = Scene(case)
    scene.applied(0, 2)
    protected = scene.protected(3, 0)
    scene.earlier(99, protected.frame, "held")
    scene.judged(100, protected, epoch=3)
    scene.until(200)
    scene.applied(200, 3, later=True)


@holding.vector("FRAME-13")
def last_plausible_epoch(case: Case) -> None:
    """Epoch 6 is the newest plus four."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.judged(10, scene.protected(6, 0), epoch=6)
    scene.until(20)
    for epoch in (3, 4, 5, 6):
        scene.applied(20, epoch, later=True)


@holding.vector("FRAME-13", reason=Refusal.UNKNOWN_KEY)
def epoch_that_is_not_plausible(case: Case) -> None:
    """Epoch 7 is the newest plus five: its frame does not wait."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.judged(10, scene.protected(7, 0), epoch=7)
    scene.until(20)
    for epoch in (3, 4, 5, 6, 7):
        scene.applied(20, epoch, later=True)


@holding.vector("FRAME-13", reason=Refusal.UNKNOWN_KEY)
def sixty_fifth_frame_of_a_stream(case: Case) -> None:
    """64 frames of the stream are waiting already."""
    scene = Scene(case)
    scene.applied(0, 2)
    for ctr in range(64):
        scene.earlier(10, scene.protected(3, ctr).frame, "held")
    scene.judged(10, scene.protected(3, 64), epoch=3)
    scene.until(20)
    scene.applied(20, 3, later=True)
