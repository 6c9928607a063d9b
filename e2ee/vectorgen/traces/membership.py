"""Stories of who is in a call: joins, departures, returns, and who may speak."""

from __future__ import annotations

from e2ee.vectorgen.registry import Case
from e2ee.vectorgen.scenes import CAMERA, MICROPHONE, Refusal
from e2ee.vectorgen.traces.group import trace
from e2ee.vectorgen.traces.rules import HELD, OPENED, Stream
from e2ee.vectorgen.traces.script import Script


@trace.vector("FKEY-6", "FRAME-14", "FKEY-16", "FKEY-7")
def somebody_joins(case: Case) -> None:
    """Leaf 2 comes with epoch 3. It sends before this device has the commit; this device's first frame for it is a key frame."""
    script = Script(case, receives=(Stream(CAMERA),), sends=(Stream(CAMERA),))
    script.applied(0, 2, roster=(0, 1))
    script.acknowledged(10, 0, 2)
    script.send(20, (2, 0), key_frame=True)
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


@trace.vector("FKEY-15", "FRAME-20")
def bits_of_an_epoch_before_a_removal(case: Case) -> None:
    """Leaf 2 is removed with epoch 5 and given away with epoch 6. Epochs 3 and 19 have the same low bits: as long as epoch 3 opens frames, leaf 2's
    are of before the removal; then they are of an epoch to come, and wait."""
    script = Script(case)
    for epoch in (2, 3, 4):
        script.applied(100 * epoch, epoch)
    script.applied(500, 5, roster=(0, 1), removed=(2,))
    script.applied(600, 6, added=(2,))
    for epoch in range(7, 19):
        script.applied(100 * epoch, epoch)
    script.frame(2_499, 19, 0, leaf=2, becomes=Refusal.REMOVED)
    late = script.frame(2_500, 3, 0, leaf=2, becomes=HELD)
    early = script.frame(2_501, 19, 0, leaf=2, becomes=HELD)
    script.frame(2_502, 4, 0, leaf=2, becomes=HELD)
    script.frame(2_503, 7, 0, leaf=2)
    script.applied(2_600, 19, then={late: Refusal.NOT_AUTHENTIC, early: OPENED})
    script.frame(2_601, 19, 1, leaf=2)


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


@trace.vector("FKEY-12", "FKEY-10")
def off_the_stage_in_all_earlier_epochs(case: Case) -> None:
    """Leaf 2 may speak in epochs 2 to 4, and not in epoch 5: all of them end for it two seconds later, none of them for leaf 0."""
    script = Script(case)
    for epoch in (2, 3, 4):
        script.applied(100 * epoch, epoch, speakers=(0, 2))
    script.applied(1_000, 5, speakers=(0,))
    for epoch in (2, 3, 4):
        script.frame(2_000 + epoch, epoch, 0, leaf=2)
    script.applied(2_500, 6, speakers=(0, 2))
    script.frame(2_999, 2, 1, leaf=2)
    for epoch in (2, 3, 4):
        script.frame(3_000, epoch, 2, leaf=2, becomes=Refusal.EXPIRED)
    for epoch in (2, 3, 4):
        script.frame(3_001, epoch, 0)


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
