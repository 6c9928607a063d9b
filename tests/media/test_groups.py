"""Frames in calls of many: leaves that change hands, members who come on the stage and go off it, and what many streams cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2ee.media import limits
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.media.errors import NoSendKey
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import Held, Rejected
from e2ee.media.reasons import RejectReason
from e2ee.media.send_epochs import SendEpochs
from e2ee.sframe.header import decode_header
from e2ee.sframe.mls import MAX_LEAF_INDEX, KeyId

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2ee.media.frame_epoch import FrameEpoch
    from tests.media.conftest import Scene

BOB = DAVE = 2
"""The leaf that is Bob's first and Dave's afterwards."""


# ------------------------------------------------------------------------------------------ a leaf that changes hands


@pytest.mark.requirement("FKEY-15")
def test_who_had_the_leaf_before_is_not_heard_as_who_has_it_now(scene: Scene) -> None:
    """Bob sends on under epoch 5, whose keys he still has, while Dave speaks under epoch 6."""
    before = scene.frame(BOB, 5)
    assert scene.opened(before).key_id.leaf_index == BOB
    late = scene.frame(BOB, 5)
    scene.apply(6, removed=[BOB], added=[DAVE])
    assert scene.refused(late) is RejectReason.REMOVED
    assert scene.opened(scene.frame(DAVE, 6)).epoch == 6
    for _ in "at once", "within the retention":
        assert scene.refused(scene.frame(BOB, 5)) is RejectReason.REMOVED
        scene.now += 1_999
    assert scene.opened(scene.frame(DAVE, 6)).epoch == 6


@pytest.mark.requirement("FKEY-15")
def test_a_leaf_that_was_empty_for_a_while_is_no_better(scene: Scene) -> None:
    scene.apply(6, roster=[0, 1], removed=[BOB])
    assert scene.refused(scene.frame(BOB, 5)) is RejectReason.REMOVED
    scene.apply(7, added=[DAVE])
    assert scene.refused(scene.frame(BOB, 5)) is RejectReason.REMOVED
    assert scene.refused(scene.frame(BOB, 6)) is RejectReason.UNKNOWN_KEY  # he never had it
    assert scene.opened(scene.frame(DAVE, 7)).epoch == 7


@pytest.mark.requirement("FKEY-14", "FKEY-15")
def test_nor_is_he_when_sixteen_epochs_have_passed(scene: Scene) -> None:
    """His KIDs are Dave's now, bit for bit: of epoch 21, whose key he has not."""
    scene.apply(6, removed=[BOB], added=[DAVE])
    for number in range(7, 22):
        scene.apply(number)
    assert scene.refused(scene.frame(BOB, 5)) is RejectReason.NOT_AUTHENTIC
    assert scene.opened(scene.frame(DAVE, 21)).epoch == 21


@pytest.mark.requirement("FRAME-6", "FKEY-15")
def test_a_stream_that_was_announced_for_the_leaf_is_not_lent(new_scene: type[Scene]) -> None:
    scene = new_scene(announced=DAVE)
    scene.apply(5)
    scene.apply(6, removed=[BOB], added=[DAVE])
    assert scene.refused(scene.frame(BOB, 5)) is RejectReason.REMOVED
    assert scene.refused(scene.frame(0, 6)) is RejectReason.WRONG_SENDER


# ------------------------------------------------------------------------------------- on the stage, and off it again


@pytest.mark.requirement("FRAME-7")
def test_who_may_speak_is_asked_of_the_epoch_of_the_frame(scene: Scene) -> None:
    scene.apply(6, speakers=[0])
    assert scene.refused(scene.frame(BOB, 6)) is RejectReason.NOT_A_SPEAKER
    assert scene.opened(scene.frame(BOB, 5)).epoch == 5  # he may not have heard of it yet
    scene.apply(7, speakers=[0, BOB])
    assert scene.refused(scene.frame(BOB, 6)) is RejectReason.NOT_A_SPEAKER
    assert scene.opened(scene.frame(BOB, 7)).epoch == 7


@pytest.mark.requirement("FKEY-12", "FRAME-7")
def test_two_seconds_after_it_was_taken_off_the_stage_nothing_of_a_member_opens(
    scene: Scene,
) -> None:
    scene.opened(scene.frame(BOB, 5))
    scene.apply(6, speakers=[0])
    scene.now += 1_999
    assert scene.opened(scene.frame(BOB, 5)).epoch == 5
    scene.now += 1
    assert scene.refused(scene.frame(BOB, 5)) is RejectReason.EXPIRED
    assert scene.opened(scene.frame(0, 5)).epoch == 5  # of the others, as ever


@pytest.mark.requirement("FKEY-12")
def test_the_time_is_not_given_anew_by_coming_back(scene: Scene) -> None:
    scene.apply(6, speakers=[0])
    scene.now += 1_000
    scene.apply(7)
    scene.now += 1_000
    assert scene.refused(scene.frame(BOB, 5)) is RejectReason.EXPIRED


@pytest.mark.requirement("FRAME-7")
def test_a_viewer_has_nothing_to_send_with(new_epoch: Callable[..., FrameEpoch]) -> None:
    epochs = SendEpochs()
    microphone = epochs.open_stream(Codec.OPUS, Kind.MICROPHONE)
    epochs.install(new_epoch(5, own_leaf=1, speakers=[0]), now=0)
    epochs.handle_timer(1_000)
    camera = epochs.open_stream(Codec.VP8, Kind.CAMERA)
    for protector in (microphone, camera):
        assert not protector.ready
        with pytest.raises(NoSendKey):
            protector.protect(b"\x01 a frame")


@pytest.mark.requirement("FKEY-4", "FRAME-7")
def test_streams_go_on_and_off_with_the_stage(new_epoch: Callable[..., FrameEpoch]) -> None:
    epochs, now = SendEpochs(), 0
    microphone = epochs.open_stream(Codec.OPUS, Kind.MICROPHONE)
    sent = []
    for number, speakers in ((5, [0, 1]), (6, [0]), (7, [0, 1]), (8, [0]), (9, [0])):
        epochs.install(new_epoch(number, own_leaf=1, speakers=speakers), now)
        now += 1_000
        epochs.handle_timer(now)
        assert epochs.epoch == number
        assert microphone.ready == (1 in speakers)
        for _ in range(2 * microphone.ready):
            KID, CTR, _ = decode_header(microphone.protect(b"\x01 a frame"), 0)
            sent.append((KeyId.decode(KID).epoch_bits, CTR))
    assert sent == [(5, 0), (5, 1), (7, 0), (7, 1)]
    assert microphone.protected == 4


def test_a_stream_that_a_viewer_closed_may_be_opened_by_a_speaker(
    new_epoch: Callable[..., FrameEpoch],
) -> None:
    epochs = SendEpochs()
    epochs.install(new_epoch(5, own_leaf=1), now=0)
    epochs.handle_timer(1_000)
    first = epochs.open_stream(Codec.VP8, Kind.CAMERA)
    first.protect(b"\x01 a frame")
    epochs.install(new_epoch(6, own_leaf=1, speakers=[0]), now=1_000)
    epochs.handle_timer(2_000)
    epochs.close_stream(first)
    second = epochs.open_stream(Codec.VP8, Kind.CAMERA)
    assert not second.ready
    epochs.install(new_epoch(7, own_leaf=1), now=2_000)
    epochs.handle_timer(3_000)
    assert second.ready
    assert not first.ready


# ---------------------------------------------------------------------------------------------------- many members


@pytest.mark.requirement("FKEY-2")
def test_a_thousand_leaves_have_keys_when_they_speak_and_not_before(scene: Scene) -> None:
    everybody = range(MAX_LEAF_INDEX + 1)
    scene.apply(6, roster=everybody, added=set(everybody) - {0, 1, 2})
    assert len(scene.epochs.keys) == 0
    for leaf in (0, 512, MAX_LEAF_INDEX):
        assert scene.opened(scene.frame(leaf, 6)).key_id.leaf_index == leaf
    assert len(scene.epochs.keys) == 3


@pytest.mark.requirement("FKEY-7")
def test_a_speaker_waits_for_a_thousand_others_no_longer_than_its_deadline(
    new_epoch: Callable[..., FrameEpoch],
) -> None:
    epochs, everybody = SendEpochs(), range(MAX_LEAF_INDEX + 1)
    epochs.install(new_epoch(5, everybody, own_leaf=1), now=0)
    for leaf in everybody[2:]:
        epochs.acknowledged(leaf, 5, now=10)
    assert epochs.epoch is None
    epochs.acknowledged(0, 5, now=20)
    assert epochs.epoch == 5
    epochs.install(new_epoch(6, everybody, own_leaf=1), now=30)
    epochs.handle_timer(1_029)
    assert epochs.epoch == 5
    epochs.handle_timer(1_030)
    assert epochs.epoch == 6


STREAMS, A_FRAME = 100, b"\x01" + bytes(20_000)


@pytest.mark.requirement("FRAME-13", "FRAME-14")
def test_frames_of_a_hundred_streams_wait_for_their_epoch_within_bounds(scene: Scene) -> None:
    """Who comes last into a large call gets its first frames of the next epoch before that epoch."""
    leaves = range(2, 2 + STREAMS)
    scene.apply(6, roster=[0, 1, *leaves])
    streams = {leaf: IncomingStream(Codec.OPUS, Kind.MICROPHONE, leaf) for leaf in leaves}
    outcomes = []
    for _ in range(3):
        for leaf in leaves:
            data = scene.frame(leaf, 7, A_FRAME)
            outcomes.append((leaf, scene.opener.open(streams[leaf], data, scene.now)))
    held = [leaf for leaf, outcome in outcomes if isinstance(outcome, Held)]
    refused = [each.reason for _, each in outcomes if isinstance(each, Rejected)]
    assert len(held) == limits.HELD_BYTES // len(data)
    assert held[:STREAMS] == list(leaves)  # one of each before a second of anybody
    assert refused == [RejectReason.UNKNOWN_KEY] * (3 * STREAMS - len(held))
    scene.apply(7, roster=[0, 1, *leaves])
    released = scene.opener.release(scene.now)
    assert [each.stream.sender for each in released] == held
    assert all(isinstance(each.outcome, OpenedFrame) for each in released)
    assert scene.opener.get_timer() is None
