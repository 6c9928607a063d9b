"""Vectors of the chapter Frame keys: from an epoch to a key of one stream, and when an epoch is used."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from e2ee.vectorgen.models import MLS_KDF, SUITES, FrameKey, compose_kid, mls_export
from e2ee.vectorgen.registry import Case, Chapter, Group
from e2ee.vectorgen.scenes import CAMERA, MICROPHONE, Refusal, Scene
from e2ee.vectorgen.traces import trace

__all__ = ["CHAPTER"]

base_keys = Group(
    "base-key",
    "exporter_secret of an epoch -> base_key; output.base_key has the length Nk of the SFrame suite.",
)
key_ids = Group("kid", "The KID of a stream in an epoch.")
refused_key_ids = Group("refused-kid", "KIDs that name no stream of a call.")
keys = Group("key", "base_key and KID -> sframe_key and sframe_salt.")
counters = Group(
    "counter", "The CTR of the frame that follows frames_before frames under one (epoch, KID)."
)
sending = Group(
    "sending",
    "Which epoch a member sends with at the time `at`: `events` are epochs applied and epochs that other members are"
    " known to have applied, in milliseconds. output.key_frame: a video stream that has sent before all of them"
    " must begin this epoch with a key frame.",
)
receiving = Group(
    "receiving",
    "What becomes of `frame`, received at the time `at` after `events`, in milliseconds. Each epoch's `speakers` and"
    " `hosts` are leaf indices; the outcome of an earlier frame is `opened` or the reason for which it is refused.",
)


class CounterRefusal(StrEnum):
    """Why nothing is sent."""

    COUNTER_EXHAUSTED = "COUNTER_EXHAUSTED"


@base_keys.vector("FKEY-1", each={"0x0001": 0x0001, "0xf0e2": 0xF0E2})
def exported(case: Case, mls_suite: int) -> None:
    """MLS-Exporter with the label of RFC 9605 and an empty context."""
    kdf, sframe_suite = MLS_KDF[mls_suite]
    exporter_secret = case.entropy.random(kdf.Nh)
    case.input |= {
        "mls_suite": mls_suite,
        "sframe_suite": sframe_suite,
        "exporter_secret": exporter_secret,
    }
    length = SUITES[sframe_suite][1].Nk
    case.intermediate |= mls_export(kdf, exporter_secret, "SFrame 1.0 Base Key", length)
    case.output["base_key"] = case.intermediate.pop("exported")


# (kind, instance, leaf_index, epoch)
STREAMS = {
    "microphone": (0, 0, 0, 0),
    "camera": (1, 0, 3, 7),
    "second-camera": (1, 1, 3, 7),
    "screen-video": (2, 0, 300, 1_000),
    "screen-audio": (3, 0, 300, 1_000),
    "control": (4, 0, 1, 15),
    "epoch-16-looks-like-0": (0, 0, 1, 16),
    "last-leaf": (0, 0, 1_023, 5),
    "last-instance": (2, 15, 0, 5),
    "every-field-at-its-largest": (4, 15, 1_023, 2**53 - 1),
}


@key_ids.vector("FKEY-2", "FKEY-3", each=STREAMS)
def kid_of(case: Case, stream: tuple[int, int, int, int]) -> None:
    """kind, instance, leaf index and the epoch's low four bits, each in its place."""
    kind, instance, leaf_index, epoch = stream
    case.input |= {"kind": kind, "instance": instance, "leaf_index": leaf_index, "epoch": epoch}
    case.intermediate["context"] = kind | instance << 4
    case.output["kid"] = compose_kid(kind, instance, leaf_index, epoch)


KIDS_OF_NOTHING = {
    "live": compose_kid(0, 0, 0, 0, live=1),
    "kind-5": compose_kid(5, 0, 0, 0),
    "kind-6": compose_kid(6, 0, 0, 0),
    "kind-7": compose_kid(7, 0, 0, 0),
    "bit-22": 1 << 22,
    "bit-40-of-a-camera": 1 << 40 | compose_kid(1, 0, 0, 0),
}


@refused_key_ids.vector("FKEY-2", reason=Refusal.BAD_KID, each=KIDS_OF_NOTHING)
def kid_with(case: Case, kid: int) -> None:
    """A bit or a kind that this version does not assign: whoever meets it must not guess what it means."""
    case.input["kid"] = kid


@keys.vector("FKEY-2", "FRAME-1", each={"0x0004": 0x0004, "0x0005": 0x0005})
def derived(case: Case, suite: int) -> None:
    """Both labels end with the KID in eight bytes and the suite in two."""
    kid = compose_kid(1, 2, 345, 678)
    base_key = case.entropy.random(SUITES[suite][1].Nk)
    case.input |= {"sframe_suite": suite, "base_key": base_key, "kid": kid}
    key = FrameKey.derive(suite, base_key, kid)
    case.intermediate |= {
        "sframe_secret": key.sframe_secret,
        "sframe_key_label": key.sframe_key_label,
        "sframe_salt_label": key.sframe_salt_label,
    }
    case.output |= {"sframe_key": key.sframe_key, "sframe_salt": key.sframe_salt}


@counters.vector("FKEY-4", each={"first": 0, "second": 1, "last": 2**24 - 1})
def counter_value(case: Case, frames_before: int) -> None:
    """The counter starts at 0 and gives each value once."""
    case.input["frames_before"] = frames_before
    case.output["ctr"] = frames_before


@counters.vector("FKEY-4", reason=CounterRefusal.COUNTER_EXHAUSTED)
def counter_after_its_last_value(case: Case) -> None:
    """After 2^24 frames nothing more is sent under this KID in this epoch."""
    case.input["frames_before"] = 2**24


class Member:
    """Leaf 0 of a call between leaves 0, 1 and 2, which sends."""

    def __init__(self, case: Case) -> None:
        self.case = case
        case.input |= {"own_leaf": 0, "events": []}
        case.intermediate["send_deadlines"] = {}

    def applied(
        self,
        at: int,
        epoch: int,
        *,
        roster: Collection[int] = (0, 1, 2),
        added: Collection[int] = (),
        removed: Collection[int] = (),
    ) -> None:
        """The member applies ``epoch``."""
        event = {"at": at, "event": "applied", "epoch": epoch, "roster": list(roster)}
        self.case.input["events"].append(event | {"added": list(added), "removed": list(removed)})
        self.case.intermediate["send_deadlines"][epoch] = at + (250 if removed else 1_000)

    def acknowledged(self, at: int, leaf_index: int, epoch: int) -> None:
        """The member at ``leaf_index`` is known to have applied ``epoch``."""
        event = {"at": at, "event": "acknowledged", "leaf_index": leaf_index, "epoch": epoch}
        self.case.input["events"].append(event)

    def sends(self, at: int, epoch: int, *, key_frame: bool = False) -> None:
        """At this time the member sends with ``epoch``."""
        self.case.input["at"] = at
        self.case.output |= {"epoch": epoch, "key_frame": key_frame}


@sending.vector("FKEY-7", each={"before": (1_999, 2), "at": (2_000, 3)})
def send_deadline(case: Case, expected: tuple[int, int]) -> None:
    """Nobody acknowledged epoch 3: it is used 1,000 ms after it was applied, and not a millisecond sooner."""
    member = Member(case)
    member.applied(0, 2)
    member.applied(1_000, 3)
    member.sends(*expected)


@sending.vector("FKEY-7", each={"one-of-two": (1, 2), "both": (2, 3)})
def acknowledged_by(case: Case, expected: tuple[int, int]) -> None:
    """An epoch that all other members are known to have applied is used before its deadline."""
    acknowledgements, epoch = expected
    member = Member(case)
    member.applied(0, 2)
    member.applied(1_000, 3)
    for leaf_index in range(1, 1 + acknowledgements):
        member.acknowledged(1_010, leaf_index, 3)
    member.sends(1_020, epoch)


@sending.vector("FKEY-7")
def newest_of_two_waiting_epochs(case: Case) -> None:
    """Epoch 3 is still waiting for its deadline when everybody is known to have epoch 4: epoch 3 is skipped."""
    member = Member(case)
    member.applied(0, 2)
    member.applied(1_000, 3)
    member.applied(1_100, 4)
    member.acknowledged(1_200, 1, 4)
    member.acknowledged(1_200, 2, 4)
    member.sends(1_200, 4)


@sending.vector("FKEY-8", each={"epoch-3": (2_000, 3), "epoch-4": (2_500, 4)})
def deadline_with_a_later_epoch(case: Case, expected: tuple[int, int]) -> None:
    """Epoch 4 comes half a second after epoch 3: each keeps its own deadline, so that commits cannot hold back a switch."""
    member = Member(case)
    member.applied(0, 2)
    member.applied(1_000, 3)
    member.applied(1_500, 4)
    member.sends(*expected)


@sending.vector("FKEY-9", each={"before": (1_249, 2), "at": (1_250, 3)})
def deadline_after_a_removal(case: Case, expected: tuple[int, int]) -> None:
    """The commit of epoch 3 removed leaf 2: 250 ms."""
    member = Member(case)
    member.applied(0, 2)
    member.applied(1_000, 3, roster=(0, 1), removed=(2,))
    member.sends(*expected)


@sending.vector("FKEY-16", each={"used": (2_000, 3, True), "not-yet-used": (1_999, 2, False)})
def key_frame_for_a_newcomer(case: Case, expected: tuple[int, int, bool]) -> None:
    """Epoch 3 added leaf 2, whose decoder has seen nothing yet."""
    at, epoch, key_frame = expected
    member = Member(case)
    member.applied(0, 2, roster=(0, 1))
    member.applied(1_000, 3, added=(2,))
    member.sends(at, epoch, key_frame=key_frame)


@sending.vector("FKEY-16")
def key_frame_for_a_newcomer_of_a_skipped_epoch(case: Case) -> None:
    """Epoch 3 added leaf 2 and was never sent with: the key frame is due with epoch 4."""
    member = Member(case)
    member.applied(0, 2, roster=(0, 1))
    member.applied(1_000, 3, added=(2,))
    member.applied(1_100, 4)
    member.acknowledged(1_200, 1, 4)
    member.acknowledged(1_200, 2, 4)
    member.sends(1_200, 4, key_frame=True)


@receiving.vector("FKEY-6")
def frame_of_an_epoch_applied_in_the_same_millisecond(case: Case) -> None:
    """Receive keys work at once: who is ahead must not be cut off."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.applied(1_000, 3)
    scene.judged(1_000, scene.protected(3, 0), epoch=3)


@receiving.vector("FKEY-10")
def earlier_epoch_to_the_last_millisecond(case: Case) -> None:
    """The sender has not heard of epoch 3 yet; 9,999 ms after it was applied here its frames are still opened."""
    scene = Scene(case, CAMERA)
    scene.applied(0, 2)
    scene.applied(1_000, 3)
    scene.judged(10_999, scene.protected(2, 0), epoch=2)


@receiving.vector("FKEY-10", reason=Refusal.EXPIRED)
def earlier_epoch_after_ten_seconds(case: Case) -> None:
    """The same frame a millisecond later."""
    scene = Scene(case, CAMERA)
    scene.applied(0, 2)
    scene.applied(1_000, 3)
    scene.judged(11_000, scene.protected(2, 0), epoch=2)


@receiving.vector("FKEY-10", reason=Refusal.EXPIRED)
def earlier_epoch_under_a_key_already_in_use(case: Case) -> None:
    """A key that opened a frame before ends with its epoch all the same."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.earlier(10, scene.protected(2, 0).frame)
    scene.applied(1_000, 3)
    scene.judged(11_000, scene.protected(2, 1), epoch=2)


@receiving.vector("FKEY-12")
def earlier_epoch_just_after_a_removal(case: Case) -> None:
    """The commit of epoch 3 removed leaf 2; leaf 0's frame of epoch 2 comes 1,999 ms later."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.applied(1_000, 3, roster=(0, 1), removed=(2,))
    scene.judged(2_999, scene.protected(2, 0), epoch=2)


@receiving.vector("FKEY-12", reason=Refusal.EXPIRED)
def earlier_epoch_two_seconds_after_a_removal(case: Case) -> None:
    """Leaf 2 was removed and still has epoch 2's keys of everybody: it could speak as leaf 0."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.applied(1_000, 3, roster=(0, 1), removed=(2,))
    scene.judged(3_000, scene.protected(2, 0), epoch=2)


@receiving.vector("FKEY-12", reason=Refusal.EXPIRED)
def removal_ends_every_earlier_epoch(case: Case) -> None:
    """Epoch 2 had 10 s from epoch 3 on; the removal in epoch 4 leaves it 2 s."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.applied(1_000, 3)
    scene.applied(1_500, 4, roster=(0, 1), removed=(2,))
    scene.judged(3_500, scene.protected(2, 0), epoch=2)


@receiving.vector("FKEY-12", "FRAME-7")
def earlier_epoch_just_after_a_member_was_taken_off_the_stage(case: Case) -> None:
    """From epoch 3 on only leaf 0 may speak; leaf 2, who may not know it yet, has 1,999 ms."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.applied(1_000, 3, speakers=(0,))
    scene.judged(2_999, scene.protected(2, 0, leaf=2), epoch=2)


@receiving.vector("FKEY-12", "FRAME-7", reason=Refusal.EXPIRED)
def earlier_epoch_two_seconds_after_a_member_was_taken_off_the_stage(case: Case) -> None:
    """Else leaf 2 could speak on for ten seconds."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.earlier(10, scene.protected(2, 0, leaf=2).frame)
    scene.applied(1_000, 3, speakers=(0,))
    scene.judged(3_000, scene.protected(2, 1, leaf=2), epoch=2)


@receiving.vector("FKEY-12")
def earlier_epoch_of_who_stays_on_the_stage(case: Case) -> None:
    """That leaf 2 may not speak any more changes nothing for leaf 0."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.applied(1_000, 3, speakers=(0,))
    scene.judged(10_999, scene.protected(2, 0), epoch=2)


@receiving.vector("FKEY-13")
def earlier_epoch_of_a_sender_just_heard_in_a_newer_one(case: Case) -> None:
    """Frames that were overtaken on the way have 999 ms."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.applied(1_000, 3)
    scene.earlier(2_000, scene.protected(3, 0).frame)
    scene.judged(2_999, scene.protected(2, 7), epoch=2)


@receiving.vector("FKEY-13", reason=Refusal.EXPIRED)
def earlier_epoch_of_a_sender_heard_in_a_newer_one_a_second_ago(case: Case) -> None:
    """Leaf 0 has moved on to epoch 3; what says to be leaf 0 in epoch 2 a second later may be anybody of epoch 2."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.applied(1_000, 3)
    scene.earlier(2_000, scene.protected(3, 0).frame)
    scene.judged(3_000, scene.protected(2, 7), epoch=2)


@receiving.vector("FKEY-13")
def earlier_epoch_of_another_sender_than_the_one_heard(case: Case) -> None:
    """Leaf 0 was heard in epoch 3; leaf 2 may take its 10 s."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.applied(1_000, 3)
    scene.earlier(2_000, scene.protected(3, 0).frame)
    scene.judged(9_000, scene.protected(2, 0, leaf=2), epoch=2)


@receiving.vector("FKEY-13")
def a_forged_frame_of_a_newer_epoch_ends_nothing(case: Case) -> None:
    """Nothing of leaf 0 has authenticated in epoch 3: a frame that says so and does not authenticate counts for nothing."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.applied(1_000, 3)
    forged = scene.protected(3, 0, base_key=scene.base_key(99))
    scene.earlier(2_000, forged.frame, Refusal.NOT_AUTHENTIC)
    scene.judged(5_000, scene.protected(2, 0), epoch=2)


@receiving.vector("FKEY-14", "FRAME-8", reason=Refusal.NOT_AUTHENTIC)
def epoch_sixteen_below_the_newest(case: Case) -> None:
    """Epoch 4 has the low bits of epoch 20, with which it is erased: its frame meets epoch 20's key and fails."""
    scene = Scene(case)
    for epoch in range(4, 21):
        scene.applied(epoch, epoch)
    scene.judged(30, scene.protected(4, 0), epoch=4)


@receiving.vector("FKEY-14")
def epoch_fifteen_below_the_newest(case: Case) -> None:
    """Epoch 5 is the oldest of those that are kept when epoch 20 is applied."""
    scene = Scene(case)
    for epoch in range(4, 21):
        scene.applied(epoch, epoch)
    scene.judged(30, scene.protected(5, 0), epoch=5)


@receiving.vector("FKEY-15", reason=Refusal.REMOVED)
def removed_leaf_in_the_epoch_before(case: Case) -> None:
    """Epoch 2 still opens frames of those who stay; leaf 2's are refused from the removal on."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.applied(1_000, 3, roster=(0, 1), removed=(2,))
    scene.judged(1_001, scene.protected(2, 0, leaf=2), epoch=2)


@receiving.vector("FKEY-15", reason=Refusal.REMOVED)
def removed_leaf_under_a_key_already_in_use(case: Case) -> None:
    """The same if leaf 2 was heard before."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.earlier(10, scene.protected(2, 0, leaf=2).frame)
    scene.applied(1_000, 3, roster=(0, 1), removed=(2,))
    scene.judged(1_001, scene.protected(2, 1, leaf=2), epoch=2)


@receiving.vector("FKEY-15", reason=Refusal.REMOVED)
def leaf_that_is_somebody_elses_now(case: Case) -> None:
    """The commit of epoch 3 removed who had leaf 2 and gave it to a newcomer; the former one sends on under epoch 2."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.earlier(10, scene.protected(2, 0, leaf=2).frame)
    scene.applied(1_000, 3, removed=(2,), added=(2,))
    scene.judged(1_001, scene.protected(2, 1, leaf=2), epoch=2)


@receiving.vector("FKEY-15")
def newcomer_at_a_leaf_that_was_somebody_elses(case: Case) -> None:
    """The newcomer's frames, under epoch 3, are refused for nothing."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.applied(1_000, 3, removed=(2,), added=(2,))
    scene.judged(1_001, scene.protected(3, 0, leaf=2), epoch=3)


@receiving.vector("FKEY-17", each={"0x0004": 0x0004, "0x0005": 0x0005})
def frame_after_a_hundred_forgeries(case: Case, suite: int) -> None:
    """No number of failures makes a key invalid: else anybody on the path could end a stream."""
    scene = Scene(case, MICROPHONE, suite=suite)
    scene.applied(0, 2)
    wrong_key = case.entropy.random(SUITES[suite][1].Nk)
    for ctr in range(100):
        forged = scene.protected(2, ctr, base_key=wrong_key)
        scene.earlier(1 + ctr, forged.frame, Refusal.NOT_AUTHENTIC)
    scene.judged(200, scene.protected(2, 0), epoch=2)


CHAPTER = Chapter(
    "frame-keys",
    "L2",
    "From an MLS epoch to the key of one stream of one member, and when it is used.",
    (base_keys, key_ids, refused_key_ids, keys, counters, sending, receiving, trace),
)
