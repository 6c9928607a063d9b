"""Frames before their key: how long, how many, in which order, and what becomes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.media import limits
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import HELD, Rejected
from e2ee.media.reasons import RejectReason
from e2ee.sframe.header import encode_header

if TYPE_CHECKING:
    from tests.media.conftest import Scene

REFUSED = Rejected(RejectReason.UNKNOWN_KEY)


def outcomes(scene: Scene) -> list[bytes | RejectReason]:
    """What ``release`` gives: a frame's content, or the reason."""
    return [
        each.outcome.data if isinstance(each.outcome, OpenedFrame) else each.outcome.reason
        for each in scene.opener.release(scene.now)
    ]


@pytest.mark.requirement("FRAME-14", "FKEY-6")
def test_held_frames_come_out_in_order_when_the_epoch_is_applied(scene: Scene) -> None:
    for data in scene.sender(0, 6).frames(5):
        assert scene.open(data) == HELD
    assert scene.stream.held_frames == 5
    scene.now = 400
    scene.apply(6)
    assert outcomes(scene) == [b"\x01 frame %d" % n for n in range(5)]
    assert (scene.stream.opened, scene.stream.held_frames, scene.stream.held_bytes) == (5, 0, 0)
    assert outcomes(scene) == []


@pytest.mark.requirement("FRAME-13")
@pytest.mark.parametrize("ahead", range(-4, 16))
def test_only_the_next_four_epochs_are_plausible(new_scene: type[Scene], ahead: int) -> None:
    scene = new_scene()
    scene.apply(37)
    frame = scene.frame(0, 37 + ahead)
    if ahead == 0:
        assert scene.opened(frame)
    elif ahead in (1, 2, 3, 4):
        assert scene.open(frame) == HELD
    else:
        assert scene.refused(frame) == RejectReason.UNKNOWN_KEY


@pytest.mark.requirement("FRAME-13")
def test_before_the_first_epoch_nothing_is_plausible(new_scene: type[Scene]) -> None:
    scene = new_scene()
    for number in range(16):
        assert scene.refused(scene.frame(0, number)) == RejectReason.UNKNOWN_KEY


@pytest.mark.requirement("FRAME-13")
def test_a_frame_of_somebody_who_is_about_to_join_is_held(scene: Scene) -> None:
    assert scene.open(scene.frame(9, 6)) == HELD
    scene.apply(6, [0, 1, 2, 9], added=[9])
    assert outcomes(scene) == [b"\x01 a frame"]


@pytest.mark.requirement("FRAME-13")
def test_a_frame_waits_for_its_own_epoch(scene: Scene) -> None:
    assert scene.open(scene.frame(0, 7, b"of epoch 7")) == HELD
    assert scene.open(scene.frame(0, 6, b"of epoch 6")) == HELD
    scene.apply(6)
    assert outcomes(scene) == [b"of epoch 6"]
    assert scene.stream.held_frames == 1
    scene.now = 900
    scene.apply(7)
    assert outcomes(scene) == [b"of epoch 7"]


@pytest.mark.requirement("FRAME-13")
def test_two_epochs_at_once_release_what_waited_for_either(scene: Scene) -> None:
    for number in (7, 6, 8):
        scene.open(scene.frame(0, number, b"of epoch %d" % number))
    scene.apply(6)
    scene.apply(7)
    assert outcomes(scene) == [b"of epoch 7", b"of epoch 6"]


@pytest.mark.requirement("FRAME-13")
def test_after_a_second_a_frame_is_refused_and_counted(scene: Scene) -> None:
    scene.open(scene.frame(0, 6))
    scene.now = 600
    scene.open(scene.frame(0, 6))
    assert scene.opener.get_timer() == 1_000
    assert scene.opener.handle_timer(999) == []
    (late,) = scene.opener.handle_timer(1_000)
    assert (late.stream, late.outcome) == (scene.stream, REFUSED)
    assert scene.stream.rejected == {RejectReason.UNKNOWN_KEY: 1}
    assert scene.opener.get_timer() == 1_600
    assert [each.outcome for each in scene.opener.handle_timer(1_600)] == [REFUSED]
    assert scene.opener.get_timer() is None


@pytest.mark.requirement("FRAME-13")
def test_a_frame_is_not_held_longer_because_nobody_looked(scene: Scene) -> None:
    scene.open(scene.frame(0, 6, b"too late"))
    scene.now = 1
    scene.open(scene.frame(0, 6, b"just in time"))
    scene.now = 1_000
    scene.apply(6)
    assert outcomes(scene) == [RejectReason.UNKNOWN_KEY, b"just in time"]


@pytest.mark.requirement("FRAME-14")
def test_held_frames_pass_all_checks(scene: Scene) -> None:
    frame = scene.frame(0, 6, b"genuine")
    junk = scene.frame(0, 6)[:-1] + b"?"
    removed, foreign = scene.frame(2, 6), scene.sender(0, 6, group="another call").frame()
    for data in (frame, frame, junk, removed, foreign):
        assert scene.open(data) == HELD
    scene.apply(6, [0, 1], removed=[2])
    assert outcomes(scene) == [
        b"genuine",
        RejectReason.REPLAYED,
        RejectReason.NOT_AUTHENTIC,
        RejectReason.REMOVED,
        RejectReason.REPLAYED,  # its counter is the genuine frame's
    ]


@pytest.mark.requirement("FRAME-3")
def test_what_fails_an_earlier_check_is_not_held(new_scene: type[Scene]) -> None:
    scene = new_scene(announced=0)
    scene.apply(5)
    assert scene.refused(scene.frame(2, 6)) == RejectReason.WRONG_SENDER
    wrong_kind = scene.sender(0, 6, Kind.SCREEN_AUDIO).frame()
    assert scene.refused(wrong_kind) == RejectReason.WRONG_KIND
    scene.apply(6, [0, 1], removed=[2])
    scene.stream.sender = None
    assert scene.refused(scene.frame(2, 7)) == RejectReason.REMOVED
    assert scene.stream.held_frames == 0


@pytest.mark.requirement("FRAME-13")
def test_a_stream_holds_64_frames(scene: Scene) -> None:
    frames = scene.sender(0, 6).frames(66)
    assert [scene.open(data) for data in frames] == [HELD] * 64 + [REFUSED] * 2
    assert scene.stream.rejected == {RejectReason.UNKNOWN_KEY: 2}
    other = IncomingStream(Codec.OPUS, Kind.MICROPHONE)
    assert scene.opener.open(other, frames[65], scene.now) == HELD
    scene.apply(6)
    assert outcomes(scene) == [b"\x01 frame %d" % n for n in (*range(64), 65)]


@pytest.mark.requirement("FRAME-13")
def test_a_stream_holds_512_kib(scene: Scene) -> None:
    size = limits.HELD_BYTES_OF_A_STREAM // 4
    data = scene.frame(0, 6, bytes(size))[:size]
    assert [scene.open(data) for _ in range(5)] == [HELD] * 4 + [REFUSED]
    assert scene.stream.held_bytes == 512 * 1_024


@pytest.mark.requirement("FRAME-13")
def test_all_streams_together_hold_4_mib(scene: Scene) -> None:
    size = limits.HELD_BYTES_OF_A_STREAM
    data = scene.frame(0, 6, bytes(size))[:size]
    streams = [IncomingStream(Codec.OPUS, Kind.MICROPHONE) for _ in range(9)]
    results = [scene.opener.open(stream, data, 0) for stream in streams]
    assert results == [HELD] * 8 + [REFUSED]
    scene.opener.handle_timer(1_000)
    assert scene.opener.open(streams[8], data, 1_000) == HELD


@given(junk=st.lists(st.integers(0, 1_023), max_size=200), genuine=st.integers(1, 20))
def test_invented_frames_cost_what_the_bounds_say(
    new_scene: type[Scene], junk: list[int], genuine: int
) -> None:
    scene = new_scene()
    scene.apply(5)
    frames = scene.sender(0, 6).frames(genuine)
    held = [data for data in frames if scene.open(data) == HELD]
    for leaf_index in junk:
        scene.open(encode_header(leaf_index << 4 | 6, 0) + bytes(40))
    assert scene.stream.held_frames == min(64, genuine + len(junk))
    scene.apply(6)
    opened = [data for data in outcomes(scene) if isinstance(data, bytes)]
    assert len(opened) == len(held) == genuine


def test_what_a_frame_came_with_comes_back_with_it(scene: Scene) -> None:
    arrival = object()
    scene.opener.open(scene.stream, scene.frame(0, 6), 0, arrival)
    scene.opener.open(scene.stream, scene.frame(0, 7), 0, arrival)
    scene.apply(6)
    (released,) = scene.opener.release(0)
    (late,) = scene.opener.handle_timer(1_000)
    assert released.context is late.context is arrival
