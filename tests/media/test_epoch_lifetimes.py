"""Both halves of the frame keys against the specification's sentences, over random histories on simulated time.

The models keep everything that ever happened and compute each answer from it anew; they know no slots, no keys and no
timers. Timers of the code under test are called or not, which must make no difference to what opens.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.media import limits
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.media.opener import Held, Rejected
from e2ee.media.reasons import RejectReason
from e2ee.media.send_epochs import SendEpochs
from e2ee.sframe.header import decode_header
from e2ee.sframe.mls import KeyId

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2ee.media.frame_epoch import FrameEpoch
    from tests.media.conftest import Scene

OWN_LEAF = 1
LEAVES = range(4)
OPENED, HELD = "OPENED", "HELD"

members = st.sets(st.sampled_from([0, 2, 3])).map(lambda others: frozenset({OWN_LEAF, *others}))
pauses = st.sampled_from([0, 1, 249, 250, 500, 999, 1_000, 1_999, 2_000, 5_000, 9_999, 10_000])


@dataclass
class Applied:
    """An epoch that was applied."""

    number: int
    at: int
    roster: frozenset[int]
    speakers: frozenset[int]
    removed: frozenset[int]
    added: frozenset[int] = frozenset()


@dataclass
class Receiving:
    """FRAME-3 and FKEY-6 to FKEY-15, from the whole history."""

    applied: list[Applied] = field(default_factory=list)
    heard: list[tuple[int, int, int]] = field(default_factory=list)  # leaf, epoch, time
    accepted: set[tuple[int, int, int]] = field(default_factory=set)  # epoch, leaf, CTR

    def judge(self, leaf: int, epoch: int, CTR: int, now: int) -> str:
        """What becomes of a genuine frame: epoch is the one that it was protected in."""
        newest = self.applied[-1]
        named = self.named(epoch % 16)
        if self.is_gone(leaf):
            return RejectReason.REMOVED
        over = named is None or now >= self.end(named)
        if over and (epoch - newest.number) % 16 in (1, 2, 3, 4):
            return HELD
        if named is not None and named.number < self.removal(leaf):
            return RejectReason.REMOVED
        if named is None or over:
            return RejectReason.UNKNOWN_KEY if named is None else RejectReason.EXPIRED
        if leaf == OWN_LEAF or leaf not in named.roster:
            return RejectReason.UNKNOWN_KEY
        if now >= self.end_for(leaf, named):
            return RejectReason.EXPIRED
        if leaf not in named.speakers:
            return RejectReason.NOT_A_SPEAKER
        if not self.is_new(named.number, leaf, CTR):
            return RejectReason.REPLAYED
        if named.number != epoch:
            return RejectReason.NOT_AUTHENTIC
        self.accepted.add((epoch, leaf, CTR))
        self.heard.append((leaf, epoch, now))
        return OPENED

    def named(self, epoch_bits: int) -> Applied | None:
        """FRAME-8, and FKEY-14: the newest with these low bits, if it is not 16 behind."""
        newest = self.applied[-1].number
        for each in reversed(self.applied):
            if each.number % 16 == epoch_bits:
                return each if each.number > newest - 16 else None
        return None

    def later(self, epoch: Applied) -> list[Applied]:
        return [each for each in self.applied if each.number > epoch.number]

    def end(self, epoch: Applied) -> int:
        """FKEY-10, FKEY-12."""
        ends = [each.at + (2_000 if each.removed else 10_000) for each in self.later(epoch)]
        return min(ends, default=1 << 70)

    def end_for(self, leaf: int, epoch: Applied) -> int:
        """FKEY-13, and FKEY-12 for who may not send any more."""
        ends = [
            at + 1_000 for who, number, at in self.heard if who == leaf and number > epoch.number
        ]
        ends += [
            after.at + 2_000
            for before, after in pairwise(self.applied)
            if before.number >= epoch.number and leaf in before.speakers - after.speakers
        ]
        return min([self.end(epoch), *ends])

    def is_gone(self, leaf: int) -> bool:
        """FKEY-15: removed, and nobody has the leaf now."""
        return self.removal(leaf) >= 0 and leaf not in self.applied[-1].roster

    def removal(self, leaf: int) -> int:
        """FKEY-15: the newest epoch whose commit removed the leaf; -1 if none did."""
        return max((each.number for each in self.applied if leaf in each.removed), default=-1)

    def is_new(self, epoch: int, leaf: int, CTR: int) -> bool:
        """FRAME-9."""
        counters = {ctr for number, who, ctr in self.accepted if (number, who) == (epoch, leaf)}
        return CTR not in counters and CTR > max(counters, default=-1) - 128


@dataclass(frozen=True)
class Sent:
    """A frame, the epoch that it was protected in, and until when it was held."""

    leaf: int
    epoch: int
    CTR: int
    data: bytes
    until: int = 0


class History:
    """Draws what happens, and tells the code and the model."""

    def __init__(self, scene: Scene, data: st.DataObject) -> None:
        self.scene = scene
        self.model = Receiving()
        self.data = data
        self.sent: list[Sent] = []
        self.held: list[Sent] = []
        self.apply()

    def run(self) -> None:
        steps = [self.apply, self.hear, self.frame, self.frame, self.frame, self.again, self.wait]
        for step in self.data.draw(st.lists(st.sampled_from(steps), max_size=30)):
            step()

    def apply(self) -> None:
        """The next epoch, or one a few further on; roster and speakers change at will."""
        applied = self.model.applied
        before = applied[-1] if applied else Applied(7, 0, frozenset(), frozenset(), frozenset())
        roster = self.data.draw(members)
        removed = before.roster - roster
        if replaced := self.data.draw(st.sets(st.sampled_from(sorted(roster)), max_size=1)):
            removed |= (replaced & before.roster) - {OWN_LEAF}
        epoch = Applied(
            number=before.number + self.data.draw(st.sampled_from([1, 1, 1, 2, 5, 16])),
            at=self.scene.now,
            roster=roster,
            speakers=self.data.draw(st.sampled_from([roster, roster, roster - {2}])),
            removed=removed,
        )
        self.scene.apply(epoch.number, roster, speakers=epoch.speakers, removed=removed)
        applied.append(epoch)
        self.release()

    def release(self) -> None:
        """FRAME-13, FRAME-14: what is late goes first, then what is no longer unknown, in order."""
        now = self.scene.now
        late = [frame for frame in self.held if frame.until <= now]
        ready = [frame for frame in self.held if frame.until > now and self.is_known(frame)]
        self.held = [frame for frame in self.held if frame not in late and frame not in ready]
        expected = [RejectReason.UNKNOWN_KEY.value for _ in late]
        expected += [self.model.judge(each.leaf, each.epoch, each.CTR, now) for each in ready]
        assert [outcome_of(each.outcome) for each in self.scene.opener.release(now)] == expected

    def is_known(self, frame: Sent) -> bool:
        """Whether the epoch that its KID names opens frames of anybody."""
        named = self.model.named(frame.epoch % 16)
        return named is not None and self.scene.now < self.model.end(named)

    def hear(self) -> None:
        """A message of a member authenticates in an applied epoch."""
        leaf = self.data.draw(st.sampled_from(LEAVES))
        epoch = self.data.draw(st.sampled_from(self.model.applied)).number
        self.scene.epochs.heard(leaf, epoch, self.scene.now)
        self.model.heard.append((leaf, epoch, self.scene.now))

    def frame(self) -> None:
        """A new frame of any leaf, in an epoch near the newest."""
        leaf = self.data.draw(st.sampled_from(LEAVES))
        newest = self.model.applied[-1].number
        epoch = max(
            0, newest + self.data.draw(st.sampled_from([-16, -6, -2, -1, 0, 0, 1, 2, 4, 5]))
        )
        sender = self.scene.sender(leaf, epoch)
        self.sent.append(Sent(leaf, epoch, sender.key.counter.drawn, sender.frame()))
        self.judge(self.sent[-1])

    def again(self) -> None:
        """A frame that came before."""
        if self.sent:
            self.judge(self.data.draw(st.sampled_from(self.sent)))

    def judge(self, frame: Sent) -> None:
        now = self.scene.now
        expected = self.model.judge(frame.leaf, frame.epoch, frame.CTR, now)
        assert outcome_of(self.scene.open(frame.data)) == expected
        if expected == HELD:
            self.held.append(replace(frame, until=now + 1_000))

    def wait(self) -> None:
        """Time passes; timers are called, or nobody looks."""
        self.scene.now += self.data.draw(pauses)
        if self.data.draw(st.booleans()):
            self.scene.epochs.handle_timer(self.scene.now)
            timer = self.scene.epochs.get_timer()
            assert timer is None or timer > self.scene.now


def outcome_of(outcome: OpenedFrame | Rejected | Held) -> str:
    if isinstance(outcome, Rejected):
        return outcome.reason.value
    return OPENED if isinstance(outcome, OpenedFrame) else HELD


@pytest.mark.requirement(
    "FKEY-10", "FKEY-12", "FKEY-13", "FKEY-14", "FKEY-15", "FRAME-3", "FRAME-8"
)
@given(data=st.data())
def test_what_opens_is_what_the_specification_says(
    new_scene: type[Scene], data: st.DataObject
) -> None:
    History(new_scene(), data).run()


@dataclass
class Sending:
    """FKEY-7 to FKEY-9 and FKEY-16, from the whole history."""

    applied: list[Applied] = field(default_factory=list)
    has: dict[int, int] = field(default_factory=dict)  # leaf -> newest epoch
    in_use: Applied | None = None
    key_frame: bool = True
    """FKEY-19: the first frame is one."""

    def advance(self, now: int) -> None:
        usable = [each for each in self.applied if self.may_use(each, now)]
        if not usable or usable[-1] is self.in_use:
            return
        used = self.in_use.number if self.in_use else -1
        if usable[-1].number > used:
            self.key_frame |= any(
                each.added for each in self.applied if used < each.number <= usable[-1].number
            )
            self.in_use = usable[-1]

    def may_use(self, epoch: Applied, now: int) -> bool:
        deadline = epoch.at + (250 if epoch.removed else 1_000)
        others = epoch.roster - {OWN_LEAF}
        return now >= deadline or all(self.has.get(leaf, -1) >= epoch.number for leaf in others)


@pytest.mark.requirement("FKEY-4", "FKEY-7", "FKEY-8", "FKEY-9", "FKEY-16")
@given(data=st.data())
def test_what_is_sent_with_is_what_the_specification_says(
    new_epoch: Callable[..., FrameEpoch], data: st.DataObject
) -> None:
    epochs, model, now, number = SendEpochs(), Sending(), 0, 0
    camera = epochs.open_stream(Codec.VP8, Kind.CAMERA)
    used: set[tuple[int, int, int]] = set()  # epoch, KID, CTR
    steps = st.sampled_from(["apply", "acknowledge", "wait", "send", "send"])
    for step in data.draw(st.lists(steps, max_size=40)):
        match step:
            case "apply":
                number += data.draw(st.integers(1, 2))
                roster = data.draw(members)
                before = model.applied[-1].roster if model.applied else frozenset()
                removed, added = before - roster, roster - before
                epochs.install(new_epoch(number, roster, added=added, removed=removed), now)
                model.applied.append(Applied(number, now, roster, roster, removed, added))
            case "acknowledge":
                leaf = data.draw(st.sampled_from([0, 2, 3]))
                epoch = data.draw(st.integers(max(0, number - 1), number + 1))
                epochs.acknowledged(leaf, epoch, now)
                model.has[leaf] = max(epoch, model.has.get(leaf, -1))
            case "wait":
                now += data.draw(pauses)
                epochs.handle_timer(now)
                timer = epochs.get_timer()
                assert timer is None or timer > now
            case "send":
                if camera.ready:
                    KID, CTR, _ = decode_header(camera.protect(b"\x01 a frame"), 1)
                    assert epochs.epoch is not None
                    assert KeyId.decode(KID) == KeyId.of_epoch(Kind.CAMERA, 0, 1, epochs.epoch)
                    assert (epochs.epoch, KID, CTR) not in used
                    used.add((epochs.epoch, KID, CTR))
                assert camera.takes_key_frame() == model.key_frame
                model.key_frame = False
        model.advance(now)
        assert epochs.epoch == (model.in_use.number if model.in_use else None)
    assert camera.protected == len(used)


def test_the_table_of_times_is_the_specification_s() -> None:
    """The models above have these numbers in them, not in names."""
    assert (limits.SEND_DEADLINE, limits.SEND_DEADLINE_AFTER_REMOVAL) == (1_000, 250)
    assert (limits.EARLIER_EPOCHS, limits.EARLIER_EPOCHS_AFTER_REMOVAL) == (10_000, 2_000)
    assert (limits.EARLIER_EPOCHS_OF_A_HEARD_SENDER, limits.HELD_TIME) == (1_000, 1_000)
    assert (limits.EPOCHS_KEPT, limits.PLAUSIBLE_EPOCHS, limits.COUNTER_LIMIT) == (16, 4, 2**24)
