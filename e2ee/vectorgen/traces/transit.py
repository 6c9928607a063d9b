"""Stories of frames on their way: lost, overtaken, doubled, forged, on other streams than theirs."""

from __future__ import annotations

from e2ee.vectorgen.registry import Case
from e2ee.vectorgen.scenes import CAMERA, SCREEN_VIDEO, Refusal
from e2ee.vectorgen.traces.group import trace
from e2ee.vectorgen.traces.rules import HELD, OPENED, Stream
from e2ee.vectorgen.traces.script import Script


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
    script = Script(case, receives=(Stream(CAMERA),))
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
