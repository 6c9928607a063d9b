"""Which epoch is sent with."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.errors import BadEpoch, BadStream, MediaReason, NoSendKey
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.protector import FrameProtector
from e2ee.media.send_epochs import SendEpochs
from e2ee.sframe.header import decode_header
from e2ee.sframe.mls import KeyId

NewEpoch = Callable[..., FrameEpoch]


@pytest.fixture
def epoch(new_epoch: NewEpoch) -> NewEpoch:
    return new_epoch


@pytest.fixture
def sending(new_epoch: NewEpoch) -> SendEpochs:
    """A device at leaf 1 that sends with epoch 5, together with leaves 0 and 2."""
    epochs = SendEpochs()
    epochs.install(new_epoch(5), now=0)
    epochs.handle_timer(1_000)
    assert epochs.epoch == 5
    return epochs


def everybody_has(
    epochs: SendEpochs, number: int, now: int, leaves: Iterable[int] = (0, 2)
) -> None:
    for leaf_index in leaves:
        epochs.acknowledged(leaf_index, number, now)


def key_id_of(protected: bytes) -> tuple[KeyId, int]:
    KID, CTR, _ = decode_header(protected)
    return KeyId.decode(KID), CTR


@pytest.mark.requirement("FKEY-7", "FKEY-9")
def test_an_epoch_waits_for_its_deadline(sending: SendEpochs, epoch: NewEpoch) -> None:
    sending.install(epoch(6), now=5_000)
    assert sending.get_timer() == 6_000
    sending.handle_timer(5_999)
    assert sending.epoch == 5
    sending.handle_timer(6_000)
    assert sending.epoch == 6
    assert sending.get_timer() is None


@pytest.mark.requirement("FKEY-9")
def test_after_a_removal_it_waits_a_quarter_of_a_second(
    sending: SendEpochs, epoch: NewEpoch
) -> None:
    sending.install(epoch(6, [0, 1], removed=[2]), now=5_000)
    assert sending.get_timer() == 5_250
    sending.handle_timer(5_250)
    assert sending.epoch == 6


@pytest.mark.requirement("FKEY-7")
def test_an_epoch_that_all_have_is_used_at_once(sending: SendEpochs, epoch: NewEpoch) -> None:
    sending.install(epoch(6), now=5_000)
    sending.acknowledged(0, 6, now=5_010)
    assert sending.epoch == 5
    sending.acknowledged(2, 6, now=5_020)
    assert sending.epoch == 6


@pytest.mark.requirement("FKEY-7")
def test_who_has_applied_it_first_does_not_wait(sending: SendEpochs, epoch: NewEpoch) -> None:
    """The others' acknowledgements may come before the own commit is in the log."""
    everybody_has(sending, 6, now=4_990)
    sending.install(epoch(6), now=5_000)
    assert sending.epoch == 6


@pytest.mark.requirement("FKEY-7")
def test_who_has_a_newer_epoch_has_the_older(sending: SendEpochs, epoch: NewEpoch) -> None:
    sending.install(epoch(6), now=5_000)
    sending.install(epoch(7), now=5_001)
    sending.acknowledged(0, 7, now=5_010)
    sending.acknowledged(2, 6, now=5_020)
    assert sending.epoch == 6
    sending.acknowledged(2, 7, now=5_030)
    assert sending.epoch == 7


@pytest.mark.requirement("FKEY-7")
def test_an_old_acknowledgement_says_nothing_of_a_new_epoch(
    sending: SendEpochs, epoch: NewEpoch
) -> None:
    sending.install(epoch(6), now=5_000)
    everybody_has(sending, 5, now=5_010)
    assert sending.epoch == 5


@pytest.mark.requirement("FKEY-7")
def test_the_newest_that_may_be_used_is_used(sending: SendEpochs, epoch: NewEpoch) -> None:
    sending.install(epoch(6), now=5_000)
    sending.install(epoch(7), now=5_500)
    everybody_has(sending, 7, now=5_600)
    assert sending.epoch == 7  # 6 is skipped
    assert sending.get_timer() is None


@pytest.mark.requirement("FKEY-8")
def test_a_later_epoch_does_not_move_a_deadline(sending: SendEpochs, epoch: NewEpoch) -> None:
    sending.install(epoch(6), now=5_000)
    sending.install(epoch(7), now=5_900)
    sending.handle_timer(6_000)
    assert sending.epoch == 6
    sending.install(epoch(8, [0, 1], removed=[2]), now=6_000)
    assert sending.get_timer() == 6_250
    sending.handle_timer(6_250)
    assert sending.epoch == 8


@pytest.mark.requirement("FKEY-7")
def test_a_late_timer_uses_the_newest(sending: SendEpochs, epoch: NewEpoch) -> None:
    sending.install(epoch(6), now=5_000)
    sending.install(epoch(7), now=5_100)
    sending.handle_timer(60_000)
    assert sending.epoch == 7


@pytest.mark.requirement("FKEY-7")
def test_somebody_new_is_waited_for(sending: SendEpochs, epoch: NewEpoch) -> None:
    sending.install(epoch(6, [0, 1, 2, 3], added=[3]), now=5_000)
    everybody_has(sending, 6, now=5_010)
    assert sending.epoch == 5
    sending.acknowledged(3, 6, now=5_020)
    assert sending.epoch == 6


@pytest.mark.requirement("FKEY-7")
def test_alone_in_a_call_nobody_is_waited_for(epoch: NewEpoch) -> None:
    epochs = SendEpochs()
    epochs.install(epoch(1, [1]), now=0)
    assert epochs.epoch == 1


@pytest.mark.requirement("FRAME-1", "FKEY-11")
def test_before_the_first_epoch_may_be_used_nothing_is_sent(epoch: NewEpoch) -> None:
    epochs = SendEpochs()
    microphone = epochs.open_stream(Codec.OPUS, Kind.MICROPHONE)
    epochs.install(epoch(2), now=0)
    with pytest.raises(NoSendKey):
        microphone.protect(b"opus")
    everybody_has(epochs, 2, now=10)
    assert key_id_of(microphone.protect(b"opus")) == (KeyId(Kind.MICROPHONE, 0, 1, 2), 0)


@pytest.mark.requirement("FKEY-2")
def test_a_frame_s_kid_is_its_stream_s(sending: SendEpochs) -> None:
    camera = sending.open_stream(Codec.VP8, Kind.CAMERA, instance=2)
    protected = camera.protect(b"\x01 a frame")
    assert key_id_of(protected[1:]) == (KeyId(Kind.CAMERA, 2, 1, 5), 0)


@pytest.mark.requirement("FKEY-4")
def test_each_epoch_counts_from_0_and_none_is_sent_with_again(
    sending: SendEpochs, epoch: NewEpoch
) -> None:
    microphone = sending.open_stream(Codec.OPUS, Kind.MICROPHONE)
    sent = [key_id_of(microphone.protect(b"opus")) for _ in range(3)]
    sending.install(epoch(6), now=5_000)
    sent += [key_id_of(microphone.protect(b"opus"))]
    sending.handle_timer(6_000)
    sent += [key_id_of(microphone.protect(b"opus")) for _ in range(2)]
    assert [(key_id.epoch_bits, CTR) for key_id, CTR in sent] == [
        *((5, n) for n in range(4)),
        *((6, n) for n in range(2)),
    ]


@pytest.mark.requirement("FKEY-3")
def test_streams_of_a_kind_have_instances_of_their_own(sending: SendEpochs) -> None:
    sending.open_stream(Codec.VP8, Kind.CAMERA)
    with pytest.raises(BadStream) as refused:
        sending.open_stream(Codec.VP8, Kind.CAMERA)
    assert refused.value.reason == MediaReason.STREAM_EXISTS
    sending.open_stream(Codec.VP8, Kind.CAMERA, instance=1)
    sending.open_stream(Codec.VP8, Kind.SCREEN_VIDEO)


@pytest.mark.requirement("FKEY-4", "FKEY-5")
def test_who_opens_a_closed_stream_again_goes_on_counting(sending: SendEpochs) -> None:
    first = sending.open_stream(Codec.OPUS, Kind.MICROPHONE)
    first.protect(b"opus")
    sending.close_stream(first)
    with pytest.raises(NoSendKey):
        first.protect(b"opus")
    second = sending.open_stream(Codec.OPUS, Kind.MICROPHONE)
    assert key_id_of(second.protect(b"opus"))[1] == 1
    assert (first.protected, second.protected) == (1, 1)
    sending.close_stream(first)  # once more: it is not the one that is open
    assert second.ready


@pytest.mark.requirement("FKEY-4")
def test_an_epoch_is_installed_once_even_after_the_call(
    sending: SendEpochs, epoch: NewEpoch
) -> None:
    """Installed twice, it would count from 0 again."""
    for number in (5, 4):
        with pytest.raises(BadEpoch) as refused:
            sending.install(epoch(number), now=2_000)
        assert refused.value.reason == MediaReason.NOT_NEWER
    sending.erase()
    with pytest.raises(BadEpoch):
        sending.install(epoch(5), now=2_000)


def test_after_the_call_nothing_is_sent(sending: SendEpochs, epoch: NewEpoch) -> None:
    microphone = sending.open_stream(Codec.OPUS, Kind.MICROPHONE)
    sending.install(epoch(6), now=5_000)
    sending.erase()
    assert sending.epoch is None
    assert sending.get_timer() is None
    sending.handle_timer(60_000)
    everybody_has(sending, 6, now=60_000)
    with pytest.raises(NoSendKey):
        microphone.protect(b"opus")


@pytest.mark.requirement("FRAME-7")
def test_who_may_not_speak_sends_nothing(sending: SendEpochs, epoch: NewEpoch) -> None:
    microphone = sending.open_stream(Codec.OPUS, Kind.MICROPHONE)
    sending.install(epoch(6, speakers=[0]), now=5_000)
    assert microphone.protect(b"opus")
    sending.handle_timer(6_000)
    with pytest.raises(NoSendKey):
        microphone.protect(b"opus")
    sending.install(epoch(7), now=7_000)
    sending.handle_timer(8_000)
    assert microphone.protect(b"opus")


class TestKeyFrames:
    """FKEY-16: "when it first uses an epoch that added somebody"."""

    @pytest.fixture
    def camera(self, sending: SendEpochs) -> FrameProtector:
        """It has sent its first frame, which is a key frame."""
        camera = sending.open_stream(Codec.VP8, Kind.CAMERA)
        assert camera.takes_key_frame()
        return camera

    @pytest.mark.requirement("FKEY-19")
    def test_a_stream_begins_with_one(self, sending: SendEpochs, camera: FrameProtector) -> None:
        sending.close_stream(camera)
        assert sending.open_stream(Codec.VP8, Kind.CAMERA).takes_key_frame()
        assert not sending.open_stream(Codec.OPUS, Kind.MICROPHONE).takes_key_frame()

    @pytest.mark.requirement("FKEY-16")
    def test_somebody_new_gets_a_key_frame(
        self, sending: SendEpochs, camera: FrameProtector, epoch: NewEpoch
    ) -> None:
        sending.install(epoch(6, [0, 1, 2, 3], added=[3]), now=5_000)
        assert not camera.takes_key_frame()  # not while the epoch waits
        sending.handle_timer(6_000)
        assert camera.takes_key_frame()
        assert not camera.takes_key_frame()

    @pytest.mark.requirement("FKEY-16")
    def test_nobody_new_gets_none(
        self, sending: SendEpochs, camera: FrameProtector, epoch: NewEpoch
    ) -> None:
        sending.install(epoch(6, [0, 1], removed=[2]), now=5_000)
        sending.handle_timer(6_000)
        assert not camera.takes_key_frame()

    @pytest.mark.requirement("FKEY-16")
    def test_who_was_added_in_an_epoch_that_was_skipped_gets_one(
        self, sending: SendEpochs, camera: FrameProtector, epoch: NewEpoch
    ) -> None:
        sending.install(epoch(6, [0, 1, 2, 3], added=[3]), now=5_000)
        sending.install(epoch(7, [0, 1, 2, 3]), now=5_001)
        everybody_has(sending, 7, now=5_010, leaves=[0, 2, 3])
        assert sending.epoch == 7
        assert camera.takes_key_frame()
