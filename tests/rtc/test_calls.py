"""Calls between two peers on 127.0.0.1, with aiortc's real VP8 and Opus encoders and keys that are set by hand."""

from __future__ import annotations

import asyncio
import os
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from itertools import pairwise
from typing import Any

import pytest

from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.media.errors import MediaReason
from e2ee.media.reasons import RejectReason
from e2ee.rtc.measure import is_tone
from e2ee.rtc.observer import FrameObserver
from e2ee.rtc.outgoing import SendStatistics
from e2ee.rtc.tap import Tap, examine

Call = Callable[..., AbstractAsyncContextManager[Any]]
Until = Callable[[Callable[[], bool]], Awaitable[None]]

SECOND = 30
"""In pictures. No test looks at a clock."""


def sees(*devices: Any, pictures: int) -> Callable[[], bool]:
    """Whether each device has seen so many test pictures more than now."""
    goals = [(device, len(device.pictures.numbers) + pictures) for device in devices]
    return lambda: all(len(device.pictures.numbers) >= goal for device, goal in goals)


def rejected(device: Any) -> Counter[str]:
    """Everything that this device refused, whatever stream it came on."""
    streams = device.peer.statistics().received.values()
    return Counter({reason: n for stream in streams for reason, n in stream.rejected.items()})


class Opened(FrameObserver):
    """Remembers of which epoch the opened pictures were, and which of them are key frames."""

    def __init__(self) -> None:
        self.epochs: list[int] = []
        self.is_key_frame: list[bool] = []

    def opened(self, kind: Kind, frame: OpenedFrame, timestamp: int, arrived: int) -> None:  # noqa: ARG002
        if frame.codec is Codec.VP8:
            self.epochs.append(frame.epoch)
            self.is_key_frame.append(not frame.data[0] & 1)


def medium(datagram: bytes) -> str:
    """What a datagram on the wire is (RFC 7983, RFC 5761, and aiortc's payload types)."""
    if not 128 <= datagram[0] <= 191:
        return "control"
    return {96: "opus", 97: "VP8", 98: "rtx"}.get(datagram[1] & 0x7F, "RTCP")


@pytest.mark.requirement("FRAME-1")
@pytest.mark.requirement("FRAME-12")
def test_both_see_and_hear_each_other_and_nobody_between_them_does(
    call: Call, until: Until
) -> None:
    taps = Tap(), Tap()

    async def story() -> None:
        async with call([taps[0]], [taps[1]]) as (caller, callee):
            caller.apply(2)
            callee.apply(2)
            await until(sees(caller, callee, pictures=2 * SECOND))
            for device, tone in ((caller, 700), (callee, 1000)):
                assert device.pictures.psnr >= 30
                assert is_tone(device.sound.peak(), tone)
                assert device.pictures.largest_gap == 0
                for kind, received in device.peer.statistics().received.items():
                    assert received.opened == received.frames
                    assert (received.frames > 0) == (kind is not Kind.SCREEN_VIDEO)

    asyncio.run(story())
    for sender, between, tone in ((taps[0], taps[1], 1000), (taps[1], taps[0], 700)):
        report = examine(sender.log(), between.log())
        assert report.frames > 2 * SECOND
        assert report.foreign == 0
        assert report.leaking == 0
        assert report.psnr is None or report.psnr < 12
        assert not is_tone(report.sound, tone)


@pytest.mark.requirement("FRAME-11")
def test_with_another_key_nothing_reaches_a_decoder(call: Call, until: Until) -> None:
    async def story() -> None:
        async with call() as (caller, callee):
            caller.apply(2)
            callee.apply(2, base_key=b"another")
            received = callee.peer.statistics
            kinds = (Kind.MICROPHONE, Kind.CAMERA)
            await until(lambda: all(received().received[each].frames > SECOND for each in kinds))
            for stream in received().received.values():
                assert stream.opened == 0
                assert stream.rejected.get(RejectReason.NOT_AUTHENTIC, 0) == stream.frames
            assert callee.pictures.frames == callee.sound.frames == 0
            assert received().received[Kind.CAMERA].key_frame_requests > 0

    asyncio.run(story())


@pytest.mark.requirement("FRAME-1")
def test_without_a_key_nothing_leaves_and_with_one_the_call_begins(
    call: Call, until: Until
) -> None:
    wire: Counter[str] = Counter()

    def count(datagram: bytes) -> bool:
        wire[medium(datagram)] += 1
        return False

    def frames_without_key(device: Any) -> int:
        sent: list[SendStatistics] = list(device.peer.statistics().sent.values())
        return min(stream.dropped.get(MediaReason.NO_SEND_KEY, 0) for stream in sent[:2])

    async def story() -> None:
        async with call(loses=count) as (caller, callee):
            await until(lambda: frames_without_key(caller) > 20 and frames_without_key(callee) > 20)
            assert set(wire) <= {"control", "RTCP"}
            assert sum(s.frames for s in caller.peer.statistics().sent.values()) == 0
            caller.apply(2)
            callee.apply(2)
            await until(sees(caller, callee, pictures=5))
            assert {"opus", "VP8"} <= set(wire)

    asyncio.run(story())


@pytest.mark.requirement("FKEY-6")
def test_an_epoch_changes_in_the_middle_without_a_gap(call: Call, until: Until) -> None:
    opened = Opened()

    async def story() -> None:
        async with call((), [opened]) as (caller, callee):
            for epoch in (2, 3, 4):
                callee.apply(epoch)
                caller.apply(epoch)
                await until(sees(caller, callee, pictures=10))
            assert callee.pictures.largest_gap == caller.pictures.largest_gap == 0
            assert not rejected(caller) + rejected(callee)

    asyncio.run(story())
    assert set(opened.epochs) == {2, 3, 4}
    assert opened.epochs == sorted(opened.epochs)


@pytest.mark.requirement("FRAME-13")
@pytest.mark.requirement("FRAME-14")
def test_frames_that_come_before_their_key_are_seen_when_it_comes(call: Call, until: Until) -> None:
    async def story() -> None:
        async with call() as (caller, callee):
            caller.apply(2)
            callee.apply(2)
            await until(sees(callee, pictures=5))
            callee.clock.stop()
            caller.apply(3)
            received = callee.peer.statistics
            await until(lambda: received().received[Kind.CAMERA].held >= 10)
            assert received().received[Kind.MICROPHONE].held > 0
            callee.apply(3)
            assert all(stream.held == 0 for stream in received().received.values())
            await until(sees(callee, pictures=20))
            assert callee.pictures.largest_gap == 0
            assert not rejected(callee)

    asyncio.run(story())


@pytest.mark.requirement("FKEY-16")
def test_an_epoch_that_added_somebody_begins_with_a_key_frame(call: Call, until: Until) -> None:
    opened = Opened()

    async def story() -> None:
        async with call((), [opened]) as (caller, callee):
            caller.apply(2)
            callee.apply(2)
            await until(sees(callee, pictures=5))
            callee.apply(3)
            caller.apply(3, added=frozenset({1}))
            await until(lambda: 3 in opened.epochs)
            assert opened.is_key_frame[opened.epochs.index(3)]

    asyncio.run(story())


@pytest.mark.requirement("FRAME-15")
def test_a_device_that_asks_gets_a_key_frame(call: Call, until: Until) -> None:
    opened = Opened()

    async def story() -> None:
        async with call((), [opened]) as (caller, callee):
            caller.apply(2)
            callee.apply(2)
            await until(sees(callee, pictures=5))
            before = sum(opened.is_key_frame)
            callee.peer.request_key_frame(Kind.CAMERA)
            await until(lambda: sum(opened.is_key_frame) > before)
            assert callee.peer.statistics().received[Kind.CAMERA].key_frame_requests > 0

    asyncio.run(story())


def test_lost_video_is_repaired_and_lost_audio_costs_only_itself(call: Call, until: Until) -> None:
    """Every 12th packet of each medium is lost; retransmissions (RTX) come through."""
    wire: Counter[str] = Counter()

    def loses(datagram: bytes) -> bool:
        wire[medium(datagram)] += 1
        return medium(datagram) in {"opus", "VP8"} and wire[medium(datagram)] % 12 == 0

    async def story() -> None:
        async with call(loses=loses) as (caller, callee):
            caller.apply(2)
            callee.apply(2)
            await until(sees(caller, callee, pictures=2 * SECOND))
            for device in (caller, callee):
                assert all(
                    after - before == 1 for before, after in pairwise(device.pictures.numbers)
                )
                assert device.pictures.psnr >= 30
                assert not rejected(device)
            assert wire["rtx"] > 0
            heard = sum(
                d.peer.statistics().received[Kind.MICROPHONE].opened for d in (caller, callee)
            )
            in_flight = 20
            assert heard >= wire["opus"] - wire["opus"] // 12 - in_flight

    asyncio.run(story())


def test_datagrams_of_strangers_do_not_end_a_call(
    call: Call, until: Until, candidate_port: Any
) -> None:
    """An empty datagram, or one of more than 1,500 bytes, ends the transport of a plain aiortc."""
    srtp, stun, dtls = b"\x80\x60", b"\x00\x01", b"\x16"
    short_priority = b"\x00\x08" + bytes(16) + b"\x00\x24\x00\x02\xff\xff\x00\x00"
    junk = [b"", srtp * 800, srtp, b"\x80", b"\x80\xc8", dtls * 3000, srtp + bytes(40), bytes(1)]
    junk += [
        stun + short_priority,
        srtp + short_priority,
    ]  # a STUN attribute of 2 bytes in place of 4
    junk += [os.urandom(200) for _ in range(20)]

    async def story() -> None:
        async with call() as (caller, callee):
            caller.apply(2)
            callee.apply(2)
            await until(sees(callee, pictures=5))
            failures: list[Any] = []
            asyncio.get_running_loop().set_exception_handler(
                lambda _, failure: failures.append(failure)
            )
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                for device in (caller, callee):
                    for datagram in junk:
                        stranger.sendto(datagram, ("127.0.0.1", candidate_port(device.description)))
            await until(sees(caller, callee, pictures=10))
            assert not rejected(caller) + rejected(callee)
            assert not failures

    asyncio.run(story())


def test_who_has_no_camera_sees_and_is_not_seen(call: Call, until: Until) -> None:
    async def story() -> None:
        async with call(callee_has_camera=False) as (caller, callee):
            caller.apply(2)
            callee.apply(2)
            await until(sees(callee, pictures=5))
            await until(lambda: caller.sound.frames > 5)
            assert caller.pictures.frames == 0
            assert callee.peer.sending == {Kind.MICROPHONE}
            assert callee.peer.statistics().sent[Kind.CAMERA].frames == 0

    asyncio.run(story())


def test_media_that_nobody_reads_do_not_pile_up(call: Call, until: Until) -> None:
    """Decoded pictures take 14 MB a second. Whoever comes to read finds the newest ones."""

    async def story() -> None:
        async with call(watched=False) as (caller, callee):
            caller.apply(2)
            callee.apply(2)
            received = callee.peer.statistics
            await until(lambda: received().received[Kind.MICROPHONE].opened > 100)
            at_hand = 0
            sound = callee.peer.track(Kind.MICROPHONE)
            while (await sound.recv()).pts < 960 * 90:
                at_hand += 1
            assert at_hand < 64

    asyncio.run(story())


def test_who_hangs_up_ends_the_call_on_both_sides(call: Call, until: Until) -> None:
    async def story() -> None:
        async with call() as (caller, callee):
            caller.apply(2)
            callee.apply(2)
            await until(sees(callee, pictures=2))
            await caller.peer.close()
            async with asyncio.timeout(30):
                await asyncio.gather(caller.peer.ended(), callee.peer.ended())
                await asyncio.gather(*caller.tasks)

    asyncio.run(story())
