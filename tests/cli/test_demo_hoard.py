"""Who was removed and forgot nothing opens what was sent under keys that it had, and nothing else."""

from __future__ import annotations

import pytest

from e2ee.cli.demo.hoard import Hoard, SentFrames, Tried
from e2ee.crypto.secret import Secret
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.frame_keys import FrameKeys
from e2ee.sframe.cipher_suite import cipher_suite

ALICE, BOB = 0, 1


class Clock:
    now = 1_000

    def __call__(self) -> int:
        return self.now


def epoch(number: int, own: int, *members: int) -> FrameEpoch:
    suite = cipher_suite(0x0004)
    everybody = frozenset(members)
    base_key = Secret(bytes([number]) * suite.aead.Nk)
    return FrameEpoch(number, suite, base_key, own, everybody, everybody)


@pytest.mark.parametrize(
    ("kind", "codec"), [(Kind.MICROPHONE, Codec.OPUS), (Kind.CAMERA, Codec.VP8)]
)
def test_kept_keys_open_what_was_sent_with_them_and_nothing_later(kind: Kind, codec: Codec) -> None:
    clock, hoard, hers = Clock(), Hoard(), FrameKeys()
    sent = SentFrames(clock)
    his = hoard.frame_keys()
    his.install(epoch(1, BOB, ALICE, BOB), clock.now)
    protector = hers.send.open_stream(codec, kind)
    for number, members in ((1, (ALICE, BOB)), (2, (ALICE,))):
        hers.install(epoch(number, ALICE, *members), clock.now)
        hers.handle_timer(clock.now + 1_000)
        for _ in range(3):
            clock.now += 20
            frame = b"\x01" + bytes(50)
            sent.protected(kind, frame, protector.protect(frame))
    his.erase()  # as every client does
    frames = SentFrames.read(sent.encode())
    assert hoard.try_all(frames, until=1_060) == Tried(6, opened_before=3, opened_after=0)
    assert hoard.try_all(frames, until=1_020) == Tried(6, opened_before=1, opened_after=2)
