"""Each check of FRAME-3: the precise reason, and that nothing else changed (``Scene.refused``)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.opener import Held, Rejected
from e2ee.media.reasons import RejectReason
from e2ee.sframe.encryption import encrypt
from e2ee.sframe.header import decode_header, encode_header
from e2ee.shipped import shipped

if TYPE_CHECKING:
    from tests.media.conftest import Scene


@pytest.mark.requirement("FRAME-6")
def test_an_opened_frame_says_who_sent_it(scene: Scene) -> None:
    sender = scene.sender(2, 5, instance=3)
    sender.frames(300)
    opened = scene.opened(sender.frame(b"opus"))
    assert opened.data == b"opus"
    assert opened.codec is Codec.OPUS
    assert (opened.epoch, opened.CTR) == (5, 300)
    assert (opened.key_id.leaf_index, opened.key_id.instance) == (2, 3)
    assert scene.stream.opened == 1


@pytest.mark.requirement("FRAME-3", "FRAME-10")
@given(kind=st.sampled_from([Kind.MICROPHONE, Kind.CAMERA]), heard=st.booleans(), data=st.data())
def test_a_bit_changed_anywhere_is_refused(
    new_scene: type[Scene], kind: Kind, heard: bool, data: st.DataObject
) -> None:
    scene = new_scene(kind)
    scene.apply(5)
    if heard:
        scene.opened(scene.frame(0, 5))
    frame = scene.frame(0, 5)
    bit = data.draw(st.integers(0, 8 * len(frame) - 1))
    changed = int.from_bytes(frame, "big") ^ 1 << bit
    outcome = scene.open(changed.to_bytes(len(frame), "big"))
    assert isinstance(outcome, Rejected | Held)  # Held: the changed bit makes the epoch one to come
    assert scene.opened(frame)


@given(data=st.binary(max_size=60), kind=st.sampled_from([*Kind][:4]), epochs=st.integers(0, 3))
def test_nothing_is_raised_whatever_comes(
    new_scene: type[Scene], data: bytes, kind: Kind, epochs: int
) -> None:
    scene = new_scene(kind)
    for number in range(epochs):
        scene.apply(number)
    assert isinstance(scene.open(data), Rejected | Held)


@pytest.mark.requirement("FRAME-3", "CODEC-3")
@given(data=st.data())
def test_a_truncated_frame_is_refused(new_scene: type[Scene], data: st.DataObject) -> None:
    scene = new_scene(Kind.CAMERA)
    scene.apply(5)
    frame = scene.frame(0, 5, bytes(range(40)))  # a key frame: 10 clear bytes, 3 of header, 30, 16
    length = data.draw(st.integers(0, len(frame) - 1))
    expected = (
        RejectReason.TOO_SHORT
        if length < 10
        else RejectReason.BAD_HEADER
        if length < 13
        else RejectReason.NOT_AUTHENTIC
    )
    assert scene.refused(frame[:length]) == expected


@pytest.mark.requirement("CODEC-3")
def test_an_authentic_frame_with_nothing_in_it_is_refused(scene: Scene) -> None:
    sender = scene.sender(0, 5)
    empty = encrypt(sender.key, b"", b"")
    outcome = scene.open(empty)
    assert outcome == Rejected(RejectReason.TOO_SHORT)
    assert scene.refused(empty) == RejectReason.REPLAYED  # it was authentic, so it was noted
    assert scene.stream.opened == 0


@pytest.mark.requirement("FRAME-4")
def test_a_header_longer_than_necessary_is_refused(scene: Scene) -> None:
    frame = scene.frame(0, 5)
    KID, CTR, end = decode_header(frame)
    assert (KID, CTR, end) == (5, 0, 1)
    for header in ("8005", "0800", "880500"):
        reason = scene.refused(bytes.fromhex(header) + frame[1:])
        assert reason in (RejectReason.BAD_HEADER, RejectReason.WRONG_KIND)
    assert scene.opened(frame)


@pytest.mark.requirement("FKEY-2")
@pytest.mark.parametrize("KID", [1 << 22, 1 << 63, 1 << 17, 5 << 14, 7 << 14])
def test_a_kid_that_calls_do_not_have_is_refused(scene: Scene, KID: int) -> None:
    assert scene.refused(encode_header(KID | 5, 9) + bytes(40)) == RejectReason.BAD_KID


@pytest.mark.requirement("FRAME-5")
@pytest.mark.parametrize("kind", [Kind.MICROPHONE, Kind.SCREEN_AUDIO, Kind.SCREEN_VIDEO])
def test_a_frame_of_another_kind_is_refused(video: Scene, kind: Kind) -> None:
    frame = video.sender(0, 5, kind).frame(b"\x01 a frame")
    if kind is not Kind.SCREEN_VIDEO:
        frame = b"\x01" + frame  # where a camera's clear byte would be
    assert video.refused(frame) == RejectReason.WRONG_KIND


@pytest.mark.requirement("FRAME-5", "GROUP-18")
def test_one_camera_of_a_member_is_not_shown_as_another(video: Scene) -> None:
    second = video.sender(0, 5, instance=1)
    video.opened(second.frame())
    video.stream.instance = 0  # as which the member announced the stream
    assert video.refused(second.frame()) == RejectReason.WRONG_KIND
    video.opened(video.frame(0, 5))


@pytest.mark.requirement("FRAME-5")
def test_control_data_are_refused_on_rtp(scene: Scene) -> None:
    assert scene.refused(encode_header(4 << 14 | 5, 0) + bytes(40)) == RejectReason.WRONG_KIND


@pytest.mark.requirement("FRAME-6")
def test_a_server_cannot_show_one_member_as_another(new_scene: type[Scene]) -> None:
    scene = new_scene(announced=0)
    scene.apply(5)
    frame = scene.frame(2, 5)
    assert scene.refused(frame) == RejectReason.WRONG_SENDER
    scene.opened(scene.frame(0, 5))
    scene.stream.sender = 2  # announced anew: the stream is reused
    assert scene.opened(frame).key_id.leaf_index == 2
    assert scene.refused(scene.frame(0, 5)) == RejectReason.WRONG_SENDER


@pytest.mark.requirement("FRAME-6")
def test_also_a_sender_that_was_heard_is_held_to_the_announcement(new_scene: type[Scene]) -> None:
    scene = new_scene()
    scene.apply(5)
    scene.opened(scene.frame(2, 5))
    scene.stream.sender = 0
    assert scene.refused(scene.frame(2, 5)) == RejectReason.WRONG_SENDER


@pytest.mark.requirement("FRAME-7")
def test_who_is_not_a_speaker_is_refused(scene: Scene) -> None:
    scene.apply(6, speakers=[0])
    assert scene.opened(scene.frame(0, 6))
    assert scene.refused(scene.frame(2, 6)) == RejectReason.NOT_A_SPEAKER
    assert scene.opened(scene.frame(2, 5))  # it was one in that epoch


@pytest.mark.requirement("FRAME-9")
@pytest.mark.parametrize(("kind", "size"), [(Kind.MICROPHONE, 128), (Kind.CAMERA, 1_024)])
def test_a_replayed_frame_is_refused(new_scene: type[Scene], kind: Kind, size: int) -> None:
    scene = new_scene(kind)
    scene.apply(5)
    frames = scene.sender(0, 5).frames(size + 1)
    scene.opened(frames[0])
    assert scene.refused(frames[0]) == RejectReason.REPLAYED
    scene.opened(frames[size - 1])
    assert scene.refused(frames[0]) == RejectReason.REPLAYED
    scene.opened(frames[1])  # late, and within the window
    scene.opened(frames[size])
    assert scene.refused(frames[0]) == RejectReason.REPLAYED  # before the window
    assert scene.refused(frames[size]) == RejectReason.REPLAYED


@pytest.mark.requirement("FRAME-9")
@given(order=st.permutations(range(40)))
def test_reordered_frames_open_once_each(new_scene: type[Scene], order: list[int]) -> None:
    scene = new_scene()
    scene.apply(5)
    frames = scene.sender(0, 5).frames(40)
    for n in order:
        assert scene.opened(frames[n]).CTR == n
    for n in order:
        assert scene.refused(frames[n]) == RejectReason.REPLAYED


@pytest.mark.requirement("FRAME-3")
def test_a_foreign_frame_is_refused(scene: Scene) -> None:
    """Another group's, with the same leaf, epoch and suite."""
    foreign = scene.sender(0, 5, group="another call")
    assert scene.refused(foreign.frame()) == RejectReason.NOT_AUTHENTIC
    scene.opened(scene.frame(0, 5))
    assert scene.refused(foreign.frame()) == RejectReason.NOT_AUTHENTIC


@pytest.mark.requirement("FRAME-3")
def test_a_frame_under_another_member_s_name_is_refused(scene: Scene) -> None:
    """Leaf 2 protects with its own key, and writes leaf 0 into the header."""
    frame = scene.frame(2, 5)
    KID, CTR, end = decode_header(frame)
    forged = encode_header(KID ^ 2 << 4, CTR) + frame[end:]
    assert scene.refused(forged) == RejectReason.NOT_AUTHENTIC


def test_a_frame_of_one_s_own_is_refused(scene: Scene) -> None:
    """A server sends it back. There is no receive key of the own leaf (RFC 9605 Section 4.4.1)."""
    assert scene.refused(scene.frame(1, 5)) == RejectReason.UNKNOWN_KEY


def test_a_frame_of_nobody_is_refused(scene: Scene) -> None:
    assert scene.refused(scene.frame(9, 5)) == RejectReason.UNKNOWN_KEY


@pytest.mark.requirement("FRAME-12")
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(bytes.fromhex("fcfffe"), id="Opus, silence"),
        pytest.param(bytes.fromhex("f8fffe"), id="Opus, silence, mono"),
        pytest.param(bytes.fromhex("78") + bytes(100), id="Opus, in the clear"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_audio_in_the_clear_is_refused(scene: Scene, data: bytes) -> None:
    scene.opened(scene.frame(0, 5))
    assert isinstance(scene.refused(data), RejectReason)


@pytest.mark.requirement("FRAME-12")
@given(data=st.binary(min_size=40, max_size=80))
def test_video_in_the_clear_is_refused(new_scene: type[Scene], data: bytes) -> None:
    scene = new_scene(Kind.CAMERA)
    scene.apply(5)
    scene.opened(scene.frame(0, 5))
    assert isinstance(scene.open(data), Rejected | Held)


@pytest.mark.requirement("FRAME-12")
def test_a_frame_whose_sframe_header_was_stripped_is_refused(scene: Scene, video: Scene) -> None:
    for each in (scene, video):
        each.opened(each.frame(0, 5))
        clear_length = 1 if each is video else 0
        frame = each.frame(0, 5, b"\x01" + bytes(60))
        end = decode_header(frame, clear_length)[2]
        outcome = each.open(frame[:clear_length] + frame[end:])
        assert isinstance(outcome, Rejected | Held)


@pytest.mark.requirement("FKEY-17", "FRAME-10")
def test_junk_by_the_thousand_and_then_a_genuine_frame(scene: Scene) -> None:
    frames = scene.sender(0, 5).frames(3)
    scene.opened(frames[0])
    far = encode_header(5, (1 << 24) - 1)  # would move the window past everything
    for n in range(1_000):
        assert scene.open(far + bytes([n % 256]) * 40) == Rejected(RejectReason.NOT_AUTHENTIC)
        assert scene.open(frames[1][:-1] + bytes([~frames[1][-1] & 0xFF])) == Rejected(
            RejectReason.NOT_AUTHENTIC
        )
    assert scene.opened(frames[1]).CTR == 1
    assert scene.opened(frames[2]).CTR == 2
    assert scene.stream.rejected == {RejectReason.NOT_AUTHENTIC: 2_000}


@pytest.mark.requirement("FRAME-10")
def test_invented_streams_leave_nothing_behind(scene: Scene) -> None:
    for instance in range(16):
        for leaf_index in (0, 2):
            KID = instance << 18 | leaf_index << 4 | 5
            assert scene.refused(encode_header(KID, 1) + bytes(40)) == RejectReason.NOT_AUTHENTIC
    assert len(scene.epochs.keys) == 0


def test_two_streams_of_a_member_do_not_share_a_window(scene: Scene) -> None:
    first, second = scene.sender(0, 5), scene.sender(0, 5, instance=1)
    for n in range(3):
        assert scene.opened(first.frame()).CTR == n
        assert scene.opened(second.frame()).CTR == n


def test_the_check_that_comes_first_gives_the_reason(new_scene: type[Scene]) -> None:
    """FRAME-3 is a list in order: one frame fails all its checks, and they are mended one by one."""
    scene = new_scene(Kind.CAMERA, announced=0)
    scene.apply(5, [0, 1, 2], speakers=[2])
    scene.now = 100
    scene.apply(6, [0, 1], removed=[2], speakers=[1])
    tail = bytes(40)
    attempts = [
        (b"\x00" * 9, RejectReason.TOO_SHORT),
        (b"\x01\x90\x00\x05" + tail, RejectReason.BAD_HEADER),
        (b"\x01" + encode_header(1 << 22, 0) + tail, RejectReason.BAD_KID),
        (b"\x01" + encode_header(2 << 14 | 2 << 4 | 5, 0) + tail, RejectReason.WRONG_KIND),
        (b"\x01" + encode_header(1 << 14 | 2 << 4 | 5, 0) + tail, RejectReason.WRONG_SENDER),
        (b"\x01" + encode_header(1 << 14 | 0 << 4 | 15, 0) + tail, RejectReason.UNKNOWN_KEY),
        (b"\x01" + encode_header(1 << 14 | 0 << 4 | 6, 0) + tail, RejectReason.NOT_A_SPEAKER),
    ]
    for data, reason in attempts:
        assert scene.refused(data) == reason
    scene.stream.sender = 2
    assert (
        scene.refused(b"\x01" + encode_header(1 << 14 | 2 << 4 | 5, 0) + tail)
        == RejectReason.REMOVED
    )


def test_the_reasons_are_the_rows_of_the_specification_in_their_order() -> None:
    chapter = (shipped("spec") / "frame-format.md").read_text()
    rows = re.findall(r"^\|.*\| `([A-Z_]+)` \|$", chapter, re.MULTILINE)
    assert [reason.name for reason in RejectReason] == rows
