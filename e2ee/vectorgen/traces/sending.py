"""Stories of what the device sends: with which epoch, with which counter, and when a key frame is due."""

from __future__ import annotations

from e2ee.vectorgen.registry import Case
from e2ee.vectorgen.scenes import CAMERA, MICROPHONE
from e2ee.vectorgen.traces.group import trace
from e2ee.vectorgen.traces.rules import Stream
from e2ee.vectorgen.traces.script import Script


@trace.vector("FKEY-20", "FKEY-19")
def own_turn_on_the_stage(case: Case) -> None:
    """This device listens: it has keys and sends nothing. With epoch 3 it may speak, and its camera owes a key frame to who came while it did
    not send; off the stage again it stops when it would begin to use epoch 5."""
    script = Script(case, sends=(Stream(CAMERA),))
    script.applied(0, 2, speakers=(0,), roster=(0, 1))
    script.send(1_500, None)
    script.applied(2_000, 3, speakers=(0,), added=(2,))
    script.send(3_000, None)
    script.applied(4_000, 4, speakers=(0, 1))
    script.send(4_999, None)
    script.send(5_000, (4, 0), key_frame=True)
    script.send(5_040, (4, 1))
    script.applied(6_000, 5, speakers=(0,))
    script.send(6_999, (4, 2))
    script.send(7_000, None)


@trace.vector("FKEY-8", "FKEY-7")
def commits_in_a_row(case: Case) -> None:
    """A commit every 400 ms, and nobody acknowledges any. Each epoch is used 1,000 ms after it was applied: no later one delays the switch."""
    script = Script(case, sends=(Stream(MICROPHONE),))
    script.applied(0, 2)
    script.send(1_000, (2, 0))
    for at, epoch in ((2_000, 3), (2_400, 4), (2_800, 5)):
        script.applied(at, epoch)
    script.send(2_999, (2, 1))
    script.send(3_000, (3, 0))
    for at, epoch in ((3_200, 6), (3_600, 7), (4_000, 8)):
        script.applied(at, epoch)
        script.send(at + 199, (epoch - 3, 1))
        script.send(at + 200, (epoch - 2, 0))
    script.send(4_600, (7, 0))
    script.send(4_999, (7, 1))
    script.send(5_000, (8, 0))


@trace.vector("FKEY-7", "FKEY-18")
def acknowledgements(case: Case) -> None:
    """Frames of all others in epoch 3 acknowledge nothing, nor do messages of theirs; ``alive`` does, in this epoch or a newer one. Of two epochs
    that may be used the newer one is, and none is left for an older one."""
    script = Script(case, sends=(Stream(MICROPHONE),))
    script.applied(0, 2)
    script.acknowledged(10, 0, 2)
    script.send(20, None)
    script.acknowledged(30, 2, 2)
    script.send(40, (2, 0))
    script.applied(1_000, 3)
    script.frame(1_010, 3, 0)
    script.frame(1_011, 3, 0, leaf=2)
    script.send(1_012, (2, 1))
    script.heard(1_020, 0, 3)
    script.heard(1_021, 2, 3)
    script.send(1_030, (2, 2))
    script.applied(1_100, 4)
    script.acknowledged(1_110, 0, 4)
    script.acknowledged(1_120, 2, 3)
    script.send(1_130, (3, 0))
    script.acknowledged(1_140, 2, 4)
    script.send(1_150, (4, 0))
    script.acknowledged(1_160, 2, 3)
    script.send(2_000, (4, 1))
    script.applied(3_000, 5)
    script.applied(3_010, 6)
    script.send(5_000, (6, 0))


@trace.vector("FKEY-18", "FKEY-9")
def epoch_of_who_has_left(case: Case) -> None:
    """Epoch 3 waits for leaf 2, whom epoch 4 removes: that makes epoch 3 no sooner usable. Epoch 4 is, when leaf 0 has it."""
    script = Script(case, sends=(Stream(MICROPHONE),))
    script.applied(0, 2)
    script.send(1_000, (2, 0))
    script.applied(2_000, 3)
    script.acknowledged(2_010, 0, 3)
    script.applied(2_100, 4, roster=(0, 1), removed=(2,))
    script.send(2_110, (2, 1))
    script.acknowledged(2_120, 0, 4)
    script.send(2_130, (4, 0))
    script.send(3_000, (4, 1))


@trace.vector("FKEY-7", "FKEY-16")
def alone_in_a_call(case: Case) -> None:
    """Nobody else is there to wait for: each epoch is used at once. Then somebody comes."""
    script = Script(case, sends=(Stream(CAMERA),))
    script.applied(0, 0, roster=(1,))
    script.send(0, (0, 0), key_frame=True)
    script.applied(100, 1, roster=(1,))
    script.send(100, (1, 0))
    script.applied(200, 2, roster=(0, 1), added=(0,))
    script.send(210, (1, 1))
    script.acknowledged(220, 0, 2)
    script.send(220, (2, 0), key_frame=True)
    script.applied(300, 3, roster=(1,), removed=(0,))
    script.send(300, (3, 0))


@trace.vector("FKEY-19", "FKEY-16")
def key_frames_that_are_due(case: Case) -> None:
    """Epoch 3 added leaf 2 and is never used; the key frame is due with epoch 4, once for each video stream, on its first frame, whenever
    that is. Epoch 5, which added nobody, asks for none."""
    streams = (Stream(CAMERA, 0), Stream(CAMERA, 1), Stream(MICROPHONE))
    script = Script(case, sends=streams)
    script.applied(0, 2, roster=(0, 1))
    script.send(1_000, (2, 0), stream=0, key_frame=True)
    script.send(1_000, (2, 0), stream=1, key_frame=True)
    script.send(1_000, (2, 0), stream=2)
    script.applied(2_000, 3, added=(2,))
    script.applied(2_100, 4)
    script.acknowledged(2_200, 0, 4)
    script.acknowledged(2_200, 2, 4)
    script.send(2_201, (4, 0), stream=2)
    script.send(2_202, (4, 0), stream=0, key_frame=True)
    script.send(2_203, (4, 1), stream=0)
    script.applied(3_000, 5)
    script.send(4_000, (5, 0), stream=1, key_frame=True)
    script.send(4_001, (5, 0), stream=0)
    script.send(4_002, (5, 1), stream=1)


@trace.vector("FKEY-19", "FKEY-3")
def key_frames_of_streams_that_begin(case: Case) -> None:
    """A camera's first frame is a key frame, also where the camera takes the place of another, whose counter goes on, and whether or not
    somebody was added meanwhile."""
    script = Script(case, sends=(Stream(CAMERA), Stream(CAMERA, 1)))
    script.applied(0, 2)
    script.send(1_000, (2, 0), key_frame=True)
    script.send(1_001, (2, 1))
    script.reopened(1_100)
    script.send(1_200, (2, 2), key_frame=True)
    script.send(1_201, (2, 3))
    script.applied(2_000, 3, added=(2,))
    script.reopened(2_100)
    script.send(3_000, (3, 0), key_frame=True)
    script.send(3_001, (3, 1))
    script.applied(4_000, 4)
    script.send(5_000, (4, 0))
    script.send(5_001, (4, 0), stream=1, key_frame=True)


@trace.vector("FKEY-4", "FKEY-5", "FKEY-3")
def counters_go_on(case: Case) -> None:
    """A stream that ends and begins again within an epoch goes on counting: the same counter twice under one key gives both frames away. Each
    stream and each epoch has a counter of its own, which begins at 0."""
    streams = (Stream(MICROPHONE), Stream(CAMERA, 0), Stream(CAMERA, 1))
    script = Script(case, sends=streams)
    script.applied(0, 2)
    script.send(1_000, (2, 0))
    script.send(1_020, (2, 1))
    script.send(1_021, (2, 0), stream=1, key_frame=True)
    script.send(1_022, (2, 0), stream=2, key_frame=True)
    script.reopened(1_030)
    script.send(1_040, (2, 2))
    script.send(1_050, (2, 1), stream=1)
    script.applied(2_000, 3)
    script.send(2_010, (2, 3))
    script.send(3_000, (3, 0))
    script.reopened(3_010)
    script.reopened(3_020)
    script.send(3_030, (3, 1))
    script.send(3_040, (3, 0), stream=2)
