"""A frame becomes a protected frame, or nothing leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.errors import LocalProtocolError
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.errors import BadFrame, BadStream, MediaReason, NoSendKey
from e2ee.media.protector import FrameProtector
from e2ee.sframe.cipher_suite import cipher_suite
from e2ee.sframe.counter import Counter
from e2ee.sframe.encryption import decrypt
from e2ee.sframe.errors import OutOfRange, SFrameReason
from e2ee.sframe.header import decode_header
from e2ee.sframe.key_store import ReceiveKey, SendKey
from e2ee.sframe.replay import ReplayWindow

if TYPE_CHECKING:
    from tests.media.conftest import Scene

SUITE = cipher_suite(0x0004)
KID = 1 << 14 | 3 << 4 | 5  # the camera of leaf 3 in epoch 5


def send_key(limit: int = 1_000) -> SendKey:
    return SendKey.derive(SUITE, KID, bytes(16), Counter(limit))


def camera(limit: int = 1_000) -> FrameProtector:
    protector = FrameProtector(Codec.VP8, Kind.CAMERA, 0)
    protector.use(send_key(limit))
    return protector


@pytest.mark.requirement("FRAME-1", "CODEC-2")
@given(frame=st.binary(min_size=1, max_size=60))
def test_a_protected_frame_is_what_the_specification_draws(frame: bytes) -> None:
    clear_length = 1 if frame[0] & 1 else 10
    if len(frame) < clear_length:
        return
    protected = camera().protect(frame)
    clear, sframe = protected[:clear_length], protected[clear_length:]
    _, CTR, end = decode_header(sframe)
    key = ReceiveKey(SUITE, KID, bytes(16), epoch=5, window=ReplayWindow(1))
    rest = decrypt(key, CTR, sframe[:end] + clear, sframe[end:])
    assert clear + rest == frame
    assert len(sframe) == end + len(rest) + 16


@pytest.mark.requirement("CODEC-1")
def test_nothing_of_an_opus_frame_is_clear() -> None:
    microphone = FrameProtector(Codec.OPUS, Kind.MICROPHONE, 0)
    microphone.use(send_key())
    frame = b"sixteen bytes of a frame of Opus"
    protected = microphone.protect(frame)
    assert decode_header(protected)[0] == KID
    assert not any(frame[n : n + 4] in protected for n in range(len(frame) - 3))


@pytest.mark.requirement("FRAME-1")
def test_without_a_key_nothing_leaves() -> None:
    protector = FrameProtector(Codec.VP8, Kind.CAMERA, 0)
    assert not protector.ready
    with pytest.raises(NoSendKey) as refused:
        protector.protect(b"\x01 a frame")
    assert refused.value.reason == MediaReason.NO_SEND_KEY


@pytest.mark.requirement("FRAME-1", "FKEY-4")
def test_with_an_ended_counter_nothing_leaves() -> None:
    protector = camera(limit=3)
    for _ in range(3):
        protector.protect(b"\x01 a frame")
    for _ in range(2):
        with pytest.raises(LocalProtocolError) as refused:
            protector.protect(b"\x01 a frame")
        assert refused.value.reason == SFrameReason.COUNTER_EXHAUSTED
    assert protector.protected == 3


@pytest.mark.requirement("CODEC-3")
@pytest.mark.parametrize("frame", [b"", b"\x00", bytes(9)])
def test_a_frame_without_its_clear_bytes_does_not_leave(frame: bytes) -> None:
    protector = camera()
    with pytest.raises(BadFrame) as refused:
        protector.protect(frame)
    assert refused.value.reason == MediaReason.TOO_SHORT
    assert protector.protected == 0


@pytest.mark.parametrize("frame", [b"\x01", bytes(10)])
def test_a_frame_may_be_clear_bytes_only(frame: bytes) -> None:
    protected = camera().protect(frame)
    assert len(protected) == len(frame) + 3 + 16  # header: config byte and 2 bytes of KID


@pytest.mark.requirement("CODEC-4")
def test_video_is_not_protected_as_a_microphone() -> None:
    with pytest.raises(BadStream):
        FrameProtector(Codec.VP8, Kind.MICROPHONE, 0)


@pytest.mark.requirement("FKEY-3")
@pytest.mark.parametrize("instance", [-1, 16])
def test_there_are_16_instances(instance: int) -> None:
    with pytest.raises(OutOfRange):
        FrameProtector(Codec.VP8, Kind.CAMERA, instance)


def test_it_counts_over_all_its_keys() -> None:
    protector, first, second = camera(), send_key(), send_key()
    protector.use(first)
    for key, frames in ((first, 4), (second, 3), (None, 0), (second, 2)):
        protector.use(key)
        for _ in range(frames):
            protector.protect(b"\x01 a frame")
    assert protector.protected == 9


@pytest.mark.requirement("FKEY-16")
def test_a_key_frame_is_asked_for_once() -> None:
    protector = camera()
    assert protector.takes_key_frame()  # FKEY-19: the first one
    assert not protector.takes_key_frame()
    protector.use(send_key(), key_frame=True)
    assert protector.takes_key_frame()
    assert not protector.takes_key_frame()


@pytest.mark.requirement("FKEY-16")
def test_a_key_frame_is_owed_until_it_is_made() -> None:
    protector = camera()
    protector.use(send_key(), key_frame=True)
    protector.use(send_key())  # the next epoch, before the encoder ran
    assert protector.takes_key_frame()
    assert not protector.takes_key_frame()


@given(frame=st.binary(min_size=10, max_size=300), kind=st.sampled_from([*Kind][:4]))
def test_every_frame_comes_back(new_scene: type[Scene], frame: bytes, kind: Kind) -> None:
    scene = new_scene(kind)
    scene.apply(5)
    opened = scene.opened(scene.frame(0, 5, frame))
    assert opened.data == frame
    assert (opened.key_id.leaf_index, opened.key_id.kind, opened.epoch) == (0, kind, 5)
