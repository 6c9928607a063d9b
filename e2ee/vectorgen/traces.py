"""Traces of the chapter Frame keys: what one device sees of a call, step by step, and the fate of every frame.

Each story tells one thing. What it expects is written out, and checked against the model of ``frame_rules`` when the
vectors are made; the walks of ``trace_walks``, which belong to the same group, are told by the model alone.
"""

from __future__ import annotations

from e2ee.vectorgen.frame_rules import HELD, OPENED, Stream
from e2ee.vectorgen.registry import Case, Group
from e2ee.vectorgen.scenes import CAMERA, MICROPHONE, SCREEN_VIDEO, Refusal
from e2ee.vectorgen.trace_script import Script
from e2ee.vectorgen.trace_walks import PROFILES, Profile, walk

__all__ = ["trace"]

trace = Group(
    "trace",
    "One device over time. `receives` and `sends` are its streams, named in `steps` by their position from 0; a"
    " null in a stream was not announced. Steps happen in this order, at `at` in milliseconds; what falls due until then"
    " comes before the step, at any time before it. Events: `applied` (an epoch, as in the group receiving); `frame` (one"
    " comes on a stream); `heard` (a message of the member authenticates in the epoch); `acknowledged` (the same,"
    " of its `alive`, which says that it has applied the epoch); `time` (nothing happens); `send` (the encoder has made"
    " `frame`, or `key_frame` if it was told to make one); `reopened` (the stream that is sent ended, and one of the"
    " same kind and instance follows it). `fates` is what becomes of each frame that came or was to be sent, in the order"
    " in which it is settled: `opened`, `refused`, `held`, `sent`, `not-sent`; `settled_in` is the step in which that"
    " happens to a frame that was held. A `sent` frame has `key_frame` true if a key frame was due.",
)

CAMERAS = (Stream(CAMERA),)


@trace.vector("FRAME-9", "FRAME-3", each={"0x0004": 0x0004, "0x0005": 0x0005})
def loss_and_reordering(case: Case, suite: int) -> None:
    """Frames overtake each other, are lost, come twice, and come late by more than the window."""
    script = Script(case, suite=suite)
    script.applied(0, 2)
    first = script.frame(20, 2, 0)
    script.frame(60, 2, 2)
    second = script.frame(61, 2, 1)
    script.again(62, second, Refusal.REPLAYED)
    script.again(63, first, Refusal.REPLAYED)
    script.frame(80, 2, 0, leaf=2)
    script.frame(2_800, 2, 131)
    script.again(2_801, first, Refusal.REPLAYED)
    script.frame(2_802, 2, 3, becomes=Refusal.REPLAYED)
    last = script.frame(2_803, 2, 4)
    script.again(2_804, last, Refusal.REPLAYED)
    script.frame(2_805, 2, 3, leaf=2)
    script.frame(2_806, 2, 132)


@trace.vector("FRAME-9")
def window_of_video(case: Case) -> None:
    """A thousand frames are lost; one of those comes after all, and is new, unlike one from before the window."""
    script = Script(case, receives=CAMERAS)
    script.applied(0, 2)
    script.frame(10, 2, 0, key_frame=True)
    script.frame(30_000, 2, 1_025)
    script.frame(30_010, 2, 1, becomes=Refusal.REPLAYED)
    late = script.frame(30_020, 2, 2)
    script.again(30_030, late, Refusal.REPLAYED)
    script.frame(30_040, 2, 300)


@trace.vector("FRAME-9", "FRAME-10")
def windows_of_two_epochs(case: Case) -> None:
    """Each epoch has its window, and keeps it while a newer one is in use: replays are seen in both."""
    script = Script(case)
    script.applied(0, 2)
    old = [script.frame(20 * ctr, 2, ctr) for ctr in range(1, 4)]
    script.applied(100, 3)
    script.frame(110, 3, 0)
    new = script.frame(130, 3, 2)
    for step in (*old, new):
        script.again(140, step, Refusal.REPLAYED)
    script.frame(150, 2, 0)
    script.frame(160, 3, 1)
    script.frame(170, 2, 2, becomes=Refusal.REPLAYED)


@trace.vector("FRAME-10", "FKEY-17", "FKEY-13")
def forgeries_change_nothing(case: Case) -> None:
    """Frames that do not authenticate take no counter, move no window, end no epoch and end no key."""
    script = Script(case)
    script.applied(0, 2)
    script.frame(10, 2, 0)
    script.applied(1_000, 3)
    for ctr in (1, 2, 2**24 - 1):
        script.frame(1_010, 2, ctr, branch="forged", becomes=Refusal.NOT_AUTHENTIC)
        script.frame(1_010, 3, ctr, branch="forged", becomes=Refusal.NOT_AUTHENTIC)
    genuine = script.made(2, 1)
    script.changed(1_020, genuine, Refusal.NOT_AUTHENTIC)
    script.comes(1_030, genuine)
    script.frame(5_000, 2, 2)
    script.frame(5_001, 3, 1)
    script.frame(6_000, 2, 3)
    script.frame(6_001, 2, 4, becomes=Refusal.EXPIRED)


@trace.vector("FKEY-6", "FRAME-14", "FKEY-16", "FKEY-7")
def somebody_joins(case: Case) -> None:
    """Leaf 2 comes with epoch 3. It sends before this device has the commit; this device's first frame for it is a key frame."""
    script = Script(case, receives=CAMERAS, sends=CAMERAS)
    script.applied(0, 2, roster=(0, 1))
    script.acknowledged(10, 0, 2)
    script.send(20, (2, 0))
    early = [script.frame(1_000 + n, 3, n, leaf=2, becomes=HELD) for n in range(2)]
    script.send(1_010, (2, 1))
    script.applied(1_020, 3, added=(2,), then=dict.fromkeys(early, OPENED))
    script.frame(1_030, 3, 2, leaf=2)
    script.frame(1_031, 2, 0)
    script.frame(1_032, 2, 0, leaf=2, becomes=Refusal.UNKNOWN_KEY)
    script.acknowledged(1_040, 2, 3)
    script.send(1_050, (2, 2))
    script.acknowledged(1_060, 0, 3)
    script.send(1_070, (3, 0), key_frame=True)
    script.send(1_080, (3, 1))


@trace.vector("FKEY-9", "FKEY-12", "FKEY-15", each={"0x0004": 0x0004, "0x0005": 0x0005})
def somebody_leaves(case: Case, suite: int) -> None:
    """Leaf 2 is removed: its frames end at once, those of the others under the earlier epoch after 2 s, and this device sends
    with the new epoch after 250 ms."""
    script = Script(case, sends=(Stream(MICROPHONE),), suite=suite)
    script.applied(0, 2)
    script.send(1_000, (2, 0))
    script.frame(1_001, 2, 0, leaf=2)
    script.applied(2_000, 3, roster=(0, 1), removed=(2,))
    script.frame(2_000, 2, 1, leaf=2, becomes=Refusal.REMOVED)
    script.frame(2_000, 3, 0, leaf=2, becomes=Refusal.REMOVED)
    script.frame(2_000, 4, 0, leaf=2, becomes=Refusal.REMOVED)
    script.send(2_249, (2, 1))
    script.send(2_250, (3, 0))
    script.frame(3_999, 2, 0)
    script.frame(4_000, 2, 1, becomes=Refusal.EXPIRED)
    script.frame(4_001, 3, 0)


@trace.vector("FKEY-12", "FKEY-13", "FKEY-15")
def former_member_speaks_as_another(case: Case) -> None:
    """Who was removed has epoch 2's keys of everybody. As itself it is refused at once; as leaf 0 it can be heard until leaf 0
    has been heard in epoch 3 for a second, and as leaf 3, who says nothing, for two."""
    script = Script(case)
    four, three = (0, 1, 2, 3), (0, 1, 3)
    script.applied(0, 2, roster=four)
    script.applied(1_000, 3, roster=three, removed=(2,))
    script.frame(1_001, 2, 0, leaf=2, becomes=Refusal.REMOVED)
    script.frame(1_002, 3, 0, leaf=0)
    script.frame(2_001, 2, 500, leaf=0)
    script.frame(2_002, 2, 501, leaf=0, becomes=Refusal.EXPIRED)
    script.frame(2_999, 2, 500, leaf=3)
    script.frame(3_000, 2, 501, leaf=3, becomes=Refusal.EXPIRED)
    script.frame(3_001, 3, 1, leaf=0)


@trace.vector("FKEY-15", "FKEY-2")
def crash_and_return_at_another_leaf(case: Case) -> None:
    """Leaf 2 vanished without a word and comes back at leaf 3. Counters begin at 0 there; what leaf 2 left behind is refused."""
    script = Script(case)
    script.applied(0, 2)
    left_behind = script.made(2, 8, leaf=2)
    script.frame(100, 2, 7, leaf=2)
    script.applied(4_000, 3, roster=(0, 1, 3), added=(3,), removed=(2,))
    script.comes(4_001, left_behind, Refusal.REMOVED)
    script.frame(4_002, 3, 0, leaf=3)
    script.frame(4_003, 3, 0, leaf=0)
    script.frame(4_004, 2, 0, leaf=3, becomes=Refusal.UNKNOWN_KEY)


@trace.vector("FKEY-15", "FRAME-9")
def crash_and_return_at_the_same_leaf(case: Case) -> None:
    """One commit removes who was at leaf 2 and adds it again there. The leaf's earlier epoch is over; the new one opens at once,
    from counter 0, also what was held for it."""
    script = Script(case)
    script.applied(0, 2)
    first = script.frame(100, 2, 0, leaf=2)
    early = script.frame(3_900, 3, 0, leaf=2, becomes=HELD)
    script.applied(4_000, 3, added=(2,), removed=(2,), then={early: OPENED})
    script.again(4_001, first, Refusal.REMOVED)
    script.frame(4_002, 2, 1, leaf=2, becomes=Refusal.REMOVED)
    script.frame(4_003, 3, 1, leaf=2)
    script.applied(5_000, 4)
    script.frame(5_001, 3, 2, leaf=2)
    script.frame(5_002, 4, 0, leaf=2)


@trace.vector("FKEY-15", "FRAME-3", "FRAME-13")
def leaf_that_stays_empty_for_an_epoch(case: Case) -> None:
    """Leaf 2 is removed with epoch 3 and somebody else's from epoch 5 on. Until then all that names it is refused, also what says
    to be of an epoch to come; afterwards what is from before the removal, and what is from between."""
    script = Script(case)
    script.applied(0, 2)
    script.frame(10, 2, 0, leaf=2)
    script.applied(1_000, 3, roster=(0, 1), removed=(2,))
    script.applied(1_100, 4, roster=(0, 1))
    script.frame(1_110, 5, 0, leaf=2, becomes=Refusal.REMOVED)
    script.applied(1_200, 5, added=(2,))
    script.frame(1_210, 5, 0, leaf=2)
    script.frame(1_220, 4, 0, leaf=2, becomes=Refusal.UNKNOWN_KEY)
    script.frame(1_230, 2, 1, leaf=2, becomes=Refusal.REMOVED)
    early = script.frame(1_240, 6, 0, leaf=2, becomes=HELD)
    script.applied(1_250, 6, then={early: OPENED})


@trace.vector("FRAME-14", "FKEY-15")
def held_over_a_removal(case: Case) -> None:
    """Who comes to leaf 2 with epoch 5 is ahead: its frame waits from epoch 2 on. That epoch 3 removes who has the leaf now says nothing of it:
    what is held is judged when its key is there, and not before."""
    script = Script(case)
    script.applied(0, 2)
    early = script.frame(100, 5, 0, leaf=2, becomes=HELD)
    former = script.frame(110, 3, 0, leaf=2, becomes=HELD)
    script.applied(200, 3, roster=(0, 1), removed=(2,), then={former: Refusal.REMOVED})
    script.frame(210, 5, 1, leaf=2, becomes=Refusal.REMOVED)
    script.applied(300, 4, roster=(0, 1))
    script.applied(400, 5, added=(2,), then={early: OPENED})
    script.frame(410, 5, 1, leaf=2)


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


@trace.vector("FRAME-7", "FKEY-12")
def on_and_off_the_stage(case: Case) -> None:
    """Leaf 2 listens, may speak from epoch 3 on, is taken off with epoch 4 and comes back with epoch 5. Each epoch says who may speak in it;
    epoch 3 ends for leaf 2 two seconds after epoch 4, whatever comes later."""
    script = Script(case)
    script.applied(0, 2, speakers=(0,))
    script.frame(10, 2, 0, leaf=2, becomes=Refusal.NOT_A_SPEAKER)
    early = script.frame(990, 3, 0, leaf=2, becomes=HELD)
    script.applied(1_000, 3, speakers=(0, 2), then={early: OPENED})
    script.frame(1_001, 2, 1, leaf=2, becomes=Refusal.NOT_A_SPEAKER)
    script.applied(2_000, 4, speakers=(0,))
    script.frame(2_001, 4, 0, leaf=2, becomes=Refusal.NOT_A_SPEAKER)
    script.frame(2_002, 3, 1, leaf=2)
    script.applied(3_000, 5, hosts=(2,), speakers=(0,))
    script.frame(3_999, 3, 2, leaf=2)
    script.frame(4_000, 3, 3, leaf=2, becomes=Refusal.EXPIRED)
    script.frame(4_001, 4, 1, leaf=2, becomes=Refusal.NOT_A_SPEAKER)
    script.frame(4_002, 5, 0, leaf=2)
    script.frame(4_003, 3, 0)
    script.frame(11_999, 2, 0, becomes=Refusal.EXPIRED)
    script.frame(11_999, 3, 1)


@trace.vector("FKEY-20", "FKEY-19")
def own_turn_on_the_stage(case: Case) -> None:
    """This device listens: it has keys and sends nothing. With epoch 3 it may speak, and its camera owes a key frame to who came while it did
    not send; off the stage again it stops when it would begin to use epoch 5."""
    script = Script(case, sends=CAMERAS)
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
    script = Script(case, sends=CAMERAS)
    script.applied(0, 0, roster=(1,))
    script.send(0, (0, 0))
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
    script.send(1_000, (2, 0), stream=0)
    script.send(1_000, (2, 0), stream=1)
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


@trace.vector("FKEY-4", "FKEY-5", "FKEY-3")
def counters_go_on(case: Case) -> None:
    """A stream that ends and begins again within an epoch goes on counting: the same counter twice under one key gives both frames away. Each
    stream and each epoch has a counter of its own, which begins at 0."""
    streams = (Stream(MICROPHONE), Stream(CAMERA, 0), Stream(CAMERA, 1))
    script = Script(case, sends=streams)
    script.applied(0, 2)
    script.send(1_000, (2, 0))
    script.send(1_020, (2, 1))
    script.send(1_021, (2, 0), stream=1)
    script.send(1_022, (2, 0), stream=2)
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


@trace.vector("FRAME-5", "FRAME-6", "FRAME-3")
def streams_mixed_up_by_a_server(case: Case) -> None:
    """Authentic frames on other streams than theirs. They are refused there, take no counter, and open where they belong."""
    receives = (
        Stream(CAMERA, 0, 0),
        Stream(CAMERA, 1, 0),
        Stream(SCREEN_VIDEO, None, 0),
        Stream(CAMERA, None, 2),
    )
    script = Script(case, receives=receives)
    script.applied(0, 2)
    first = script.made(2, 0, key_frame=True)
    second = script.made(2, 0, instance=1)
    screen = script.made(2, 0, kind=SCREEN_VIDEO)
    other = script.made(2, 0, leaf=2)
    script.comes(10, first, Refusal.WRONG_KIND, stream=1)
    script.comes(11, first, Refusal.WRONG_KIND, stream=2)
    script.comes(12, first, Refusal.WRONG_SENDER, stream=3)
    script.comes(13, second, Refusal.WRONG_KIND, stream=0)
    script.comes(14, screen, Refusal.WRONG_KIND, stream=0)
    script.comes(15, other, Refusal.WRONG_SENDER, stream=0)
    for stream, frame in enumerate((first, second, screen, other)):
        script.comes(20 + stream, frame, stream=stream)


@trace.vector("FRAME-3", "FRAME-12", "FRAME-13")
def what_is_no_frame(case: Case) -> None:
    """Between good frames comes what a server makes up: nothing, silence in the clear, headers of no stream and of nobody. All is refused at
    once, and what waits is not disturbed."""
    script = Script(case)
    script.applied(0, 2)
    script.frame(10, 2, 0)
    held = script.frame(11, 3, 0, becomes=HELD)
    script.unreadable(12, b"", Refusal.TOO_SHORT)
    script.unreadable(13, bytes.fromhex("f8fffe"), Refusal.BAD_HEADER)
    script.unreadable(14, bytes.fromhex("900020") + bytes(18), Refusal.BAD_HEADER)
    script.unreadable(15, bytes.fromhex("a0400002") + bytes(18), Refusal.BAD_KID)
    script.frame(16, 2, 0, leaf=7, becomes=Refusal.UNKNOWN_KEY)
    script.frame(17, 2, 0, leaf=1, becomes=Refusal.UNKNOWN_KEY)
    stranger = script.frame(18, 3, 0, leaf=7, becomes=HELD)
    own = script.frame(19, 3, 0, leaf=1, becomes=HELD)
    script.applied(
        20, 3, then={held: OPENED, stranger: Refusal.UNKNOWN_KEY, own: Refusal.UNKNOWN_KEY}
    )
    script.frame(21, 2, 1)


@trace.vector("FKEY-10", "FKEY-12", "FKEY-14", "FRAME-9", each=PROFILES)
def walk_of(case: Case, profile: Profile) -> None:
    """A call at random: commits, joins, departures, returns, stages; frames that are late, lost, doubled, replayed, forged, of former members
    and of commits that lost; and what this device sends meanwhile."""
    walk(case, profile)
