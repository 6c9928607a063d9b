"""Until when an epoch opens frames, and of whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2ee.media.encoded_frame import Kind
from e2ee.media.errors import BadEpoch, MediaReason
from e2ee.media.opener import HELD
from e2ee.media.reasons import RejectReason
from e2ee.media.receive_epochs import ReceiveEpochs, StreamKey
from e2ee.sframe.mls import KeyId

if TYPE_CHECKING:
    from tests.media.conftest import Scene


@pytest.mark.requirement("FKEY-6")
def test_an_epoch_opens_frames_at_once(scene: Scene) -> None:
    scene.apply(6)
    assert scene.opened(scene.frame(0, 6)).epoch == 6


@pytest.mark.requirement("FKEY-10")
def test_an_earlier_epoch_opens_frames_for_10_seconds(scene: Scene) -> None:
    scene.opened(scene.frame(0, 5))
    scene.now = 3_000
    scene.apply(6)
    scene.now = 12_999
    assert scene.opened(scene.frame(0, 5)).epoch == 5
    assert scene.opened(scene.frame(2, 5)).epoch == 5  # not heard before
    scene.now = 13_000
    assert scene.refused(scene.frame(0, 5)) == RejectReason.EXPIRED
    assert scene.refused(scene.frame(2, 5)) == RejectReason.EXPIRED


@pytest.mark.requirement("FKEY-10")
def test_a_later_epoch_does_not_lengthen_an_earlier_one(scene: Scene) -> None:
    scene.apply(6)
    scene.now = 9_000
    scene.apply(7)
    scene.now = 10_000
    assert scene.refused(scene.frame(0, 5)) == RejectReason.EXPIRED
    assert scene.opened(scene.frame(0, 6)).epoch == 6


@pytest.mark.requirement("FKEY-12")
def test_a_removal_ends_every_earlier_epoch_in_2_seconds(scene: Scene) -> None:
    scene.apply(6)
    scene.now = 1_000
    scene.apply(7, [0, 1], removed=[2])
    scene.now = 2_999
    assert scene.opened(scene.frame(0, 5)).epoch == 5
    assert scene.opened(scene.frame(0, 6)).epoch == 6
    scene.now = 3_000
    assert scene.refused(scene.frame(0, 5)) == RejectReason.EXPIRED
    assert scene.refused(scene.frame(0, 6)) == RejectReason.EXPIRED
    assert scene.opened(scene.frame(0, 7)).epoch == 7


@pytest.mark.requirement("FKEY-13")
def test_who_was_heard_in_a_newer_epoch_is_heard_in_no_earlier_one(scene: Scene) -> None:
    scene.apply(6)
    scene.now = 500
    scene.opened(scene.frame(0, 6))
    scene.now = 1_499
    assert scene.opened(scene.frame(0, 5)).epoch == 5
    scene.now = 1_500
    assert scene.refused(scene.frame(0, 5)) == RejectReason.EXPIRED
    assert scene.opened(scene.frame(2, 5)).epoch == 5  # somebody else
    assert scene.opened(scene.frame(0, 6)).epoch == 6


@pytest.mark.requirement("FKEY-13")
def test_a_message_is_heard_like_a_frame(scene: Scene) -> None:
    scene.apply(6)
    scene.epochs.heard(0, 6, now=0)
    scene.epochs.heard(0, 6, now=900)  # what was heard first counts
    scene.now = 1_000
    assert scene.refused(scene.frame(0, 5)) == RejectReason.EXPIRED


@pytest.mark.requirement("FKEY-13")
def test_something_of_the_same_epoch_ends_nothing(scene: Scene) -> None:
    scene.epochs.heard(0, 5, now=0)
    scene.now = 5_000
    assert scene.opened(scene.frame(0, 5)).epoch == 5


@pytest.mark.requirement("FKEY-13", "FRAME-10")
def test_a_forged_frame_of_a_newer_epoch_ends_nothing(scene: Scene) -> None:
    scene.opened(scene.frame(0, 5))
    scene.apply(6)
    forged = scene.sender(0, 6, group="another call").frame()
    assert scene.refused(forged) == RejectReason.NOT_AUTHENTIC
    scene.now = 5_000
    assert scene.opened(scene.frame(0, 5)).epoch == 5


@pytest.mark.requirement("FKEY-15")
def test_a_removed_leaf_is_not_heard_in_any_epoch(scene: Scene) -> None:
    scene.opened(scene.frame(2, 5))
    scene.apply(6, [0, 1], removed=[2])
    for number in range(16):
        assert scene.refused(scene.frame(2, number)) == RejectReason.REMOVED
    assert [key.key_id.leaf_index for key in scene.epochs.keys] == []


@pytest.mark.requirement("FKEY-15")
def test_who_takes_a_removed_leaf_is_heard_from_then_on(scene: Scene) -> None:
    """MLS gives the leftmost blank leaf away, in the same commit if need be."""
    scene.apply(6, [0, 1, 2], removed=[2], added=[2])
    assert scene.refused(scene.frame(2, 5)) == RejectReason.REMOVED
    assert scene.opened(scene.frame(2, 6)).key_id.leaf_index == 2
    assert scene.open(scene.frame(2, 7)) == HELD


@pytest.mark.requirement("FKEY-15")
def test_a_leaf_that_was_removed_and_given_away_later(scene: Scene) -> None:
    scene.apply(6, [0, 1], removed=[2])
    scene.apply(7, [0, 1, 2], added=[2])
    assert scene.refused(scene.frame(2, 5)) == RejectReason.REMOVED
    assert scene.refused(scene.frame(2, 6)) == RejectReason.UNKNOWN_KEY  # nobody was there
    assert scene.opened(scene.frame(2, 7)).epoch == 7


@pytest.mark.requirement("FKEY-14")
def test_sixteen_epochs_are_kept(scene: Scene) -> None:
    frames = {number: scene.frame(0, number) for number in range(5, 22)}
    for number in range(6, 21):
        scene.apply(number)
    scene.opened(frames[5])
    assert {key.epoch for key in scene.epochs.keys} == {5}
    scene.apply(21)
    assert {key.epoch for key in scene.epochs.keys} == set()
    assert scene.refused(scene.frame(0, 5)) == RejectReason.NOT_AUTHENTIC  # FRAME-8: it names 21
    scene.opened(frames[21])


@pytest.mark.requirement("FKEY-14")
def test_an_epoch_that_ended_is_erased_and_not_derived_again(scene: Scene) -> None:
    scene.opened(scene.frame(0, 5))
    scene.apply(6)
    assert scene.epochs.get_timer() == 10_000
    scene.epochs.handle_timer(10_000)
    assert len(scene.epochs.keys) == 0
    assert scene.epochs.get_timer() is None
    scene.now = 9_999  # not even by a clock that goes back
    assert scene.refused(scene.frame(0, 5)) == RejectReason.EXPIRED


@pytest.mark.requirement("FKEY-14")
def test_an_epoch_is_installed_once(scene: Scene) -> None:
    scene.apply(6)
    for number in (6, 5, 0):
        with pytest.raises(BadEpoch) as refused:
            scene.apply(number)
        assert refused.value.reason == MediaReason.NOT_NEWER
    scene.epochs.erase()
    with pytest.raises(BadEpoch):
        scene.apply(6)


@pytest.mark.requirement("FRAME-8")
def test_a_kid_names_the_newest_epoch_with_its_low_bits(scene: Scene) -> None:
    """Of epochs 5 and 21 only one is ever tried."""
    scene.apply(21)
    assert scene.opened(scene.frame(0, 21)).epoch == 21
    assert scene.refused(scene.frame(0, 5)) == RejectReason.REPLAYED  # the counter 0 of 21
    assert scene.refused(scene.frame(0, 5)) == RejectReason.NOT_AUTHENTIC


@pytest.mark.requirement("FRAME-8")
def test_an_epoch_that_ended_makes_way_for_the_one_to_come(scene: Scene) -> None:
    """After 12 epochs the low bits of the first are again those of one that is near."""
    for number in range(6, 18):
        scene.apply(number)
    assert scene.open(scene.frame(0, 21)) != HELD  # 5 still opens frames, and 21 has its bits
    scene.now = 10_000
    assert scene.open(scene.frame(0, 21)) == HELD


def test_a_timer_for_each_end_and_none_in_vain(scene: Scene) -> None:
    assert scene.epochs.get_timer() is None
    scene.opened(scene.frame(0, 5))
    scene.opened(scene.frame(2, 5))
    scene.apply(6)
    scene.opened(scene.frame(0, 6))
    due = []
    while (timer := scene.epochs.get_timer()) is not None:
        due.append((timer, len(scene.epochs.keys)))
        scene.epochs.handle_timer(timer)
    assert due == [(1_000, 3), (10_000, 2)]
    assert len(scene.epochs.keys) == 1


def test_a_stream_s_key_is_kept_once_it_was_heard(scene: Scene) -> None:
    key_id = KeyId.of_epoch(Kind.MICROPHONE, 0, 0, 5)
    KID = key_id.encode()
    first, second = (scene.epochs.find(KID, key_id, 0) for _ in range(2))
    assert isinstance(first, StreamKey)
    assert first is not second
    scene.epochs.admit(first, 0)
    assert scene.epochs.find(KID, key_id, 0) is first
    scene.epochs.admit(first, 0)
    assert list(scene.epochs.keys) == [first]


def test_after_the_call_nothing_is_opened(scene: Scene) -> None:
    frame = scene.frame(0, 5)
    scene.opened(scene.frame(0, 5))
    scene.epochs.erase()
    assert scene.refused(frame) == RejectReason.UNKNOWN_KEY
    assert scene.refused(scene.frame(0, 6)) == RejectReason.UNKNOWN_KEY
    assert len(scene.epochs.keys) == 0


@pytest.mark.requirement("FRAME-9")
@pytest.mark.parametrize(
    ("kind", "size"),
    [
        (Kind.MICROPHONE, 128),
        (Kind.SCREEN_AUDIO, 128),
        (Kind.CAMERA, 1_024),
        (Kind.SCREEN_VIDEO, 1_024),
    ],
)
def test_a_window_for_audio_and_one_for_video(
    new_scene: type[Scene], kind: Kind, size: int
) -> None:
    scene = new_scene(kind)
    scene.apply(5)
    frames = scene.sender(0, 5).frames(size + 1)
    scene.opened(frames[size])
    assert scene.refused(frames[0]) == RejectReason.REPLAYED
    scene.opened(frames[1])


def test_nothing_is_known_before_the_first_epoch() -> None:
    key_id = KeyId.of_epoch(Kind.MICROPHONE, 0, 0, 0)
    assert ReceiveEpochs().find(key_id.encode(), key_id, 0) == RejectReason.UNKNOWN_KEY
