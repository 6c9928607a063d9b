"""Stories of epochs: when they end and for whom, frames before their key, commits that lost, low bits that come again."""

from __future__ import annotations

from e2ee.vectorgen.registry import Case
from e2ee.vectorgen.scenes import MICROPHONE, Refusal
from e2ee.vectorgen.traces.group import trace
from e2ee.vectorgen.traces.rules import HELD, OPENED, Stream
from e2ee.vectorgen.traces.script import Script


@trace.vector("FKEY-13", "FKEY-10")
def sender_moves_on(case: Case) -> None:
    """From leaf 0's first frame in epoch 3 on its frames of epoch 2 have a second, and no later one makes that longer or shorter;
    leaf 2, who has not moved, keeps its ten."""
    script = Script(case)
    script.applied(0, 2)
    script.frame(10, 2, 0)
    script.frame(20, 2, 0, leaf=2)
    script.applied(1_000, 3)
    script.frame(1_500, 2, 2)
    script.frame(2_000, 3, 0)
    script.frame(2_500, 3, 1)
    script.heard(2_600, 0, 3)
    script.frame(2_999, 2, 1)
    script.frame(3_000, 2, 3, becomes=Refusal.EXPIRED)
    script.applied(4_000, 4)
    script.frame(5_000, 4, 0)
    script.frame(5_999, 3, 2)
    script.frame(6_000, 3, 3, becomes=Refusal.EXPIRED)
    script.frame(10_999, 2, 1, leaf=2)
    script.frame(11_000, 2, 2, leaf=2, becomes=Refusal.EXPIRED)
    script.frame(11_001, 3, 0, leaf=2)


@trace.vector("FKEY-13")
def sender_moves_on_without_a_frame(case: Case) -> None:
    """Leaf 0 is muted; a message of it in epoch 3 ends its epoch 2 as a frame would. What it said in epoch 2 itself ends nothing."""
    script = Script(case)
    script.applied(0, 2)
    script.applied(1_000, 3)
    script.heard(1_100, 0, 2)
    script.frame(2_200, 2, 0)
    script.heard(3_000, 0, 3)
    script.frame(3_999, 2, 1)
    script.frame(4_000, 2, 2, becomes=Refusal.EXPIRED)
    script.acknowledged(4_100, 2, 3)
    script.frame(5_099, 2, 0, leaf=2)
    script.frame(5_100, 2, 1, leaf=2, becomes=Refusal.EXPIRED)


@trace.vector("FKEY-10", "FKEY-12")
def ends_that_meet(case: Case) -> None:
    """Ten seconds count from the first newer epoch on, two from a removal in any newer one: whichever ends sooner."""
    script = Script(case)
    script.applied(0, 2)
    script.frame(10, 2, 0)
    script.applied(1_000, 3)
    script.applied(9_500, 4, roster=(0, 1), removed=(2,))
    script.frame(10_999, 2, 1)
    script.frame(11_000, 2, 2, becomes=Refusal.EXPIRED)
    script.frame(11_001, 2, 0, leaf=5, becomes=Refusal.UNKNOWN_KEY)
    script.frame(11_499, 3, 0)
    script.frame(11_500, 3, 1, becomes=Refusal.EXPIRED)
    script.applied(12_000, 5, roster=(0, 1))
    script.frame(21_999, 4, 0)
    script.frame(22_000, 4, 1, becomes=Refusal.EXPIRED)


@trace.vector("FRAME-13", "FRAME-14")
def late_keys(case: Case) -> None:
    """Frames of two epochs to come wait, each for its own, and leave in the order in which they came; what a second was not enough for
    is refused before anything else happens."""
    script = Script(case)
    script.applied(0, 2)
    late = script.frame(100, 3, 0, becomes=HELD)
    second = script.frame(150, 4, 0, becomes=HELD)
    third = script.frame(160, 3, 1, becomes=HELD)
    forged = script.frame(170, 3, 2, branch="forged", becomes=HELD)
    fourth = script.frame(180, 3, 2, leaf=2, becomes=HELD)
    fifth = script.frame(190, 3, 2, becomes=HELD)
    copy = script.again(200, fifth, HELD)
    script.frame(300, 2, 0)
    script.applied(
        1_100,
        3,
        then={
            late: Refusal.UNKNOWN_KEY,
            third: OPENED,
            forged: Refusal.NOT_AUTHENTIC,
            fourth: OPENED,
            fifth: OPENED,
            copy: Refusal.REPLAYED,
        },
    )
    script.frame(1_120, 4, 1, becomes=HELD)
    script.applied(1_140, 4, then={second: OPENED, script.next_step - 1: OPENED})


@trace.vector("FRAME-13")
def keys_that_never_come(case: Case) -> None:
    """Each held frame has its own second. A frame of the same epoch that comes later waits anew."""
    script = Script(case)
    script.applied(0, 2)
    first = script.frame(100, 3, 0, becomes=HELD)
    second = script.frame(600, 3, 1, becomes=HELD)
    script.time(1_099)
    script.time(1_100, then={first: Refusal.UNKNOWN_KEY})
    third = script.frame(1_600, 3, 2, becomes=HELD, then={second: Refusal.UNKNOWN_KEY})
    script.applied(2_599, 3, then={third: OPENED})
    script.frame(2_600, 3, 0)


@trace.vector("FRAME-13")
def more_than_can_be_held(case: Case) -> None:
    """64 frames of a stream wait. The 65th is refused, and no other makes room for it; another stream has room of its own."""
    script = Script(case, receives=(Stream(MICROPHONE), Stream(MICROPHONE)))
    script.applied(0, 2)
    held = [script.frame(10, 3, ctr, becomes=HELD) for ctr in range(64)]
    script.frame(11, 3, 64, becomes=Refusal.UNKNOWN_KEY)
    other = script.frame(12, 3, 0, leaf=2, stream=1, becomes=HELD)
    script.frame(13, 2, 0)
    script.applied(500, 3, then=dict.fromkeys([*held, other], OPENED))
    script.frame(501, 3, 65)


KIB = 1_024


@trace.vector("FRAME-13", "FRAME-14")
def bytes_that_a_stream_can_hold(case: Case) -> None:
    """512 KiB, with the frame that fills them, and not a byte more. What was invented makes room for nothing before its time is over."""
    script = Script(case)
    script.applied(0, 2)
    genuine = [script.made(3, ctr) for ctr in range(2)]
    invented = script.filling(10, 512 * KIB - len(genuine[0].data), 3)
    last = script.comes(11, genuine[0], HELD)
    script.comes(12, genuine[1], Refusal.UNKNOWN_KEY)
    script.applied(500, 3, then={invented: Refusal.NOT_AUTHENTIC, last: OPENED})
    script.comes(501, genuine[1])
    fits = script.made(4, 0)
    script.filling(600, 512 * KIB - len(fits.data) + 1, 4)
    script.comes(601, fits, Refusal.UNKNOWN_KEY)
    again = script.comes(1_600, fits, HELD, then={script.next_step - 2: Refusal.UNKNOWN_KEY})
    script.applied(1_700, 4, then={again: OPENED})


@trace.vector("FRAME-13")
def bytes_that_a_device_can_hold(case: Case) -> None:
    """4 MiB in all: eight streams have their 512 KiB, but for the bytes of a frame, which a ninth stream takes. There is no room for one more."""
    streams = [Stream(MICROPHONE)] * 10
    script = Script(case, receives=streams)
    script.applied(0, 2)
    genuine = [script.made(3, ctr) for ctr in range(2)]
    sizes = [512 * KIB] * 7 + [512 * KIB - len(genuine[0].data)]
    invented = [script.filling(10, size, 3, stream=n) for n, size in enumerate(sizes)]
    last = script.comes(11, genuine[0], HELD, stream=8)
    script.comes(12, genuine[1], Refusal.UNKNOWN_KEY, stream=9)
    fates = dict.fromkeys(invented, Refusal.NOT_AUTHENTIC)
    script.applied(500, 3, then={**fates, last: OPENED})
    script.comes(501, genuine[1], stream=9)


@trace.vector("FRAME-20", "FKEY-20")
def before_the_first_epoch(case: Case) -> None:
    """No epoch yet, so none is plausible: nothing is held. And nothing is sent before the first send deadline."""
    script = Script(case, sends=(Stream(MICROPHONE),))
    script.frame(0, 2, 0, becomes=Refusal.UNKNOWN_KEY)
    script.send(1, None)
    script.applied(10, 2)
    script.frame(11, 2, 1)
    script.frame(12, 1, 0, becomes=Refusal.UNKNOWN_KEY)
    script.send(1_009, None)
    script.send(1_010, (2, 0))


@trace.vector("FRAME-8", "FRAME-13")
def device_that_lags_behind(case: Case) -> None:
    """The others are at epoch 7, this device at 2: epochs 3 to 6 can be guessed from their low bits, 7 cannot. Then all come at once."""
    script = Script(case)
    script.applied(0, 2)
    held = [script.frame(100 + epoch, epoch, 0, becomes=HELD) for epoch in (6, 5, 4, 3)]
    script.frame(110, 7, 0, becomes=Refusal.UNKNOWN_KEY)
    six, five, four, three = held
    for epoch, step in ((3, three), (4, four), (5, five), (6, six)):
        script.applied(200, epoch, then={step: OPENED})
    seven = script.frame(201, 7, 1, becomes=HELD)
    script.applied(202, 7, then={seven: OPENED})
    script.frame(1_199, 3, 1)
    script.frame(1_300, 6, 1, becomes=Refusal.EXPIRED)


@trace.vector("FRAME-10", "FRAME-14", "FRAME-8")
def commit_that_lost_the_race(case: Case) -> None:
    """Leaf 2 took its own commit for epoch 3 before the log had ordered it, and another one won. Its frames wait and do not authenticate;
    back in the winner's epoch it counts from 0 again, and none of these counters is taken."""
    script = Script(case)
    script.applied(0, 2)
    lost = [script.frame(100 + n, 3, n, leaf=2, branch="lost", becomes=HELD) for n in range(3)]
    script.applied(150, 3, then=dict.fromkeys(lost, Refusal.NOT_AUTHENTIC))
    script.frame(160, 3, 3, leaf=2, branch="lost", becomes=Refusal.NOT_AUTHENTIC)
    script.frame(170, 2, 0, leaf=2)
    for ctr in range(4):
        script.frame(180 + ctr, 3, ctr, leaf=2)
    script.again(190, lost[0], Refusal.REPLAYED)


@trace.vector("FRAME-14", "FKEY-15")
def commit_that_won_removed_who_lost(case: Case) -> None:
    """Two commits for epoch 3; the one that won removes leaf 2, whose frames of its own branch wait: they are a removed leaf's."""
    script = Script(case)
    script.applied(0, 2)
    held = script.frame(100, 3, 0, leaf=2, branch="lost", becomes=HELD)
    other = script.frame(110, 3, 0, becomes=HELD)
    script.applied(150, 3, roster=(0, 1), removed=(2,), then={held: Refusal.REMOVED, other: OPENED})


@trace.vector("FKEY-14", "FRAME-8")
def epoch_wrap(case: Case) -> None:
    """From epoch 16 on the low bits begin again. What opened under epoch 2 is gone with epoch 18: key, window and counters, in both
    directions."""
    script = Script(case)
    script.applied(0, 2)
    of_two = [script.frame(ctr, 2, ctr) for ctr in range(3)]
    for epoch in range(3, 18):
        script.applied(100 * epoch, epoch)
    script.again(1_710, of_two[0], Refusal.REPLAYED)
    script.frame(1_711, 2, 3)
    script.frame(1_712, 16, 0)
    script.frame(1_713, 17, 0, leaf=2)
    script.applied(1_800, 18)
    for step in of_two:
        script.again(1_801, step, Refusal.NOT_AUTHENTIC)
    script.frame(1_802, 2, 4, becomes=Refusal.NOT_AUTHENTIC)
    for ctr in range(3):
        script.frame(1_803, 18, ctr)
    script.frame(1_804, 3, 0, leaf=2)


@trace.vector("FRAME-20", "FRAME-8", "FRAME-13")
def bits_of_an_epoch_to_come_and_of_an_earlier_one(case: Case) -> None:
    """Epochs 3 and 19 have the same low bits. As long as epoch 3 opens frames they name it, at epoch 18; when it has ended they can only
    be of an epoch to come, and wait."""
    script = Script(case)
    for epoch in range(2, 19):
        script.applied(100 * epoch, epoch)
    script.frame(2_000, 19, 0, becomes=Refusal.NOT_AUTHENTIC)
    script.frame(2_001, 3, 0)
    script.frame(10_399, 3, 1)
    late = script.frame(10_400, 3, 2, becomes=HELD)
    held = script.frame(10_401, 19, 0, becomes=HELD)
    script.frame(10_402, 7, 0)
    script.frame(10_800, 7, 1, becomes=Refusal.EXPIRED)
    script.applied(10_900, 19, then={late: Refusal.NOT_AUTHENTIC, held: OPENED})
