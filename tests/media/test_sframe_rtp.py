"""The binding ``sframe-rtp``: frames in payloads, and what loss and a hostile path make of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.media import limits
from e2ee.media.encoded_frame import Binding, Codec, Kind
from e2ee.media.protector import FrameProtector
from e2ee.media.sframe_rtp import PayloadJoiner, PayloadReason, SFramePayload, payloads_of
from e2ee.sframe.cipher_suite import cipher_suite
from e2ee.sframe.counter import Counter
from e2ee.sframe.key_store import SendKey

frames = st.binary(min_size=1, max_size=80)
largest = st.integers(2, 100)


def packets(payloads: list[bytes], first: int = 0, timestamp: int = 0) -> list[SFramePayload]:
    return [
        SFramePayload((first + at) % 65_536, timestamp, 98, payload)
        for at, payload in enumerate(payloads)
    ]


@pytest.mark.requirement("FRAME-18", "FRAME-19")
@given(st.lists(frames, min_size=1, max_size=4), largest, st.integers(0, 65_535))
def test_frames_come_out_as_they_went_in(sent: list[bytes], size: int, first: int) -> None:
    joiner, number = PayloadJoiner(), first
    came: list[bytes | PayloadReason | None] = []
    for timestamp, frame in enumerate(sent):
        payloads = payloads_of(frame, size)
        assert all(len(payload) == size for payload in payloads[:-1])
        assert 2 <= len(payloads[-1]) <= size
        came += [joiner.take(each) for each in packets(payloads, number, timestamp)]
        number += len(payloads)
    assert [frame for frame in came if frame is not None] == sent


@pytest.mark.requirement("FRAME-19")
@given(st.lists(frames, min_size=1, max_size=4), largest, st.data())
def test_after_loss_only_whole_frames_come_out(
    sent: list[bytes], size: int, data: st.DataObject
) -> None:
    on_the_way = [
        each
        for number, frame in enumerate(sent)
        for each in packets(payloads_of(frame, size), 100 * number, number)
    ]
    lost = data.draw(st.sets(st.integers(0, len(on_the_way) - 1)))
    joiner = PayloadJoiner()
    came = [joiner.take(each) for at, each in enumerate(on_the_way) if at not in lost]
    whole = [
        frame
        for number, frame in enumerate(sent)
        if not any(on_the_way[at].timestamp == number for at in lost)
    ]
    assert [frame for frame in came if isinstance(frame, bytes)] == whole


@pytest.mark.requirement("FRAME-19")
@given(
    st.lists(
        st.builds(
            SFramePayload,
            st.integers(0, 9),
            st.integers(0, 1),
            st.integers(98, 99),
            st.binary(max_size=4),
        )
    )
)
def test_whatever_comes_is_joined_or_refused(came: list[SFramePayload]) -> None:
    joiner = PayloadJoiner()
    for packet in came:
        assert isinstance(joiner.take(packet), bytes | PayloadReason | None)


@pytest.mark.requirement("FRAME-19")
def test_a_frame_without_an_end_is_not_kept_for_ever() -> None:
    joiner = PayloadJoiner()
    endless = packets([b"\x80."] + [b"\0."] * limits.PAYLOADS_OF_A_FRAME)
    outcomes = [joiner.take(each) for each in endless]
    assert outcomes[-2:] == [PayloadReason.INCOMPLETE] * 2
    assert set(outcomes[:-2]) == {None}


@pytest.mark.requirement("FRAME-18")
@pytest.mark.parametrize(("frame", "size"), [(b"", 10), (b"frame", 1), (b"frame", 0)])
def test_a_payload_has_room_for_a_byte_of_the_frame(frame: bytes, size: int) -> None:
    with pytest.raises(ValueError, match="bytes in payloads of"):
        payloads_of(frame, size)


@pytest.mark.requirement("FRAME-17")
@pytest.mark.parametrize("codec", [Codec.VP8, Codec.VP9, Codec.H264])
def test_nothing_of_any_codecs_frame_is_clear(codec: Codec) -> None:
    camera = FrameProtector(codec, Kind.CAMERA, 0, Binding.SFRAME_RTP)
    camera.use(SendKey.derive(cipher_suite(4), 1 << 14, bytes(16), Counter(9)))
    frame = b"\0\0\0\1\x65 a frame of any codec"
    protected = camera.protect(frame)
    assert protected.startswith(b"\x90\x40\0")
    assert len(protected) == 3 + len(frame) + 16
