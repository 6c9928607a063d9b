"""Both halves of a call's keys live by the same epochs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.media.errors import BadEpoch, NoSendKey
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.frame_keys import FrameKeys
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener, Rejected
from e2ee.media.reasons import RejectReason

NewEpoch = Callable[..., FrameEpoch]


class Member:
    """A device in a call of leaves 0 and 1, with a microphone."""

    def __init__(self, leaf: int, new_epoch: NewEpoch) -> None:
        self.leaf = leaf
        self.keys = FrameKeys()
        self.microphone = self.keys.send.open_stream(Codec.OPUS, Kind.MICROPHONE)
        self.opener = FrameOpener(self.keys.receive)
        self.stream = IncomingStream(Codec.OPUS, Kind.MICROPHONE, sender=1 - leaf)
        self._new_epoch = new_epoch

    def applies(self, number: int, now: int) -> None:
        self.keys.install(self._new_epoch(number, [0, 1], own_leaf=self.leaf), now)

    def hears(self, data: bytes, now: int) -> bool:
        return isinstance(self.opener.open(self.stream, data, now), OpenedFrame)


@pytest.fixture
def alice(new_epoch: NewEpoch) -> Member:
    return Member(0, new_epoch)


@pytest.fixture
def bob(new_epoch: NewEpoch) -> Member:
    return Member(1, new_epoch)


def test_two_devices_hear_each_other(alice: Member, bob: Member) -> None:
    for member, other in ((alice, bob), (bob, alice)):
        member.applies(2, now=0)
        member.keys.acknowledged(other.leaf, 2, now=10)
    for n in range(5):
        assert bob.hears(alice.microphone.protect(b"alice %d" % n), now=20)
        assert alice.hears(bob.microphone.protect(b"bob %d" % n), now=20)


@pytest.mark.requirement("FKEY-6", "FKEY-7")
def test_no_frame_is_lost_when_the_epoch_changes(alice: Member, bob: Member) -> None:
    """Bob applies the epoch 400 ms after Alice, and frames take 200 ms."""
    for member in (alice, bob):
        member.applies(2, now=0)
        member.keys.handle_timer(1_000)
    on_the_way: list[tuple[int, bytes, Member]] = []
    heard = sent = 0
    for now in range(1_000, 9_000, 20):
        if now == 2_000:
            alice.applies(3, now)
        if now == 2_400:
            bob.applies(3, now)
            bob.keys.acknowledged(alice.leaf, 3, now)
        if now == 2_600:
            alice.keys.acknowledged(bob.leaf, 3, now)
        for member, other in ((alice, bob), (bob, alice)):
            member.keys.handle_timer(now)
            on_the_way.append((now + 200, member.microphone.protect(b"opus"), other))
            sent += 1
        heard += sum(other.hears(data, now) for at, data, other in on_the_way if at == now)
    assert alice.keys.send.epoch == bob.keys.send.epoch == 3
    assert sent - heard == 2 * 10  # those still on the way
    assert not alice.stream.rejected
    assert not bob.stream.rejected


@pytest.mark.requirement("FKEY-13")
def test_an_acknowledgement_is_also_heard(alice: Member, bob: Member) -> None:
    for member in (alice, bob):
        member.applies(2, now=0)
        member.keys.handle_timer(1_000)
    late = bob.microphone.protect(b"of epoch 2")
    alice.applies(3, now=2_000)
    alice.keys.acknowledged(bob.leaf, 3, now=2_000)
    assert alice.keys.send.epoch == 3
    outcome = alice.opener.open(alice.stream, late, 3_000)
    assert outcome == Rejected(RejectReason.EXPIRED)


def test_one_timer_for_both(alice: Member) -> None:
    assert alice.keys.get_timer() is None
    alice.applies(2, now=0)
    assert alice.keys.get_timer() == 1_000
    alice.keys.handle_timer(1_000)
    assert alice.keys.get_timer() is None
    alice.applies(3, now=5_000)
    assert alice.keys.get_timer() == 6_000
    alice.keys.handle_timer(6_000)
    assert alice.keys.get_timer() == 15_000
    alice.keys.handle_timer(15_000)
    assert alice.keys.get_timer() is None


def test_both_or_neither_take_an_epoch(alice: Member, bob: Member) -> None:
    bob.applies(3, now=0)
    bob.keys.handle_timer(1_000)
    alice.applies(3, now=0)
    alice.keys.handle_timer(1_000)
    with pytest.raises(BadEpoch):
        alice.applies(3, now=2_000)
    assert alice.keys.send.epoch == 3
    assert alice.hears(bob.microphone.protect(b"opus"), now=60_000)


def test_after_the_call_nothing_is_protected_or_opened(alice: Member, bob: Member) -> None:
    for member in (alice, bob):
        member.applies(2, now=0)
        member.keys.handle_timer(1_000)
    frame = bob.microphone.protect(b"opus")
    alice.keys.erase()
    assert not alice.hears(frame, now=1_000)
    with pytest.raises(NoSendKey):
        alice.microphone.protect(b"opus")
    assert alice.keys.get_timer() is None
