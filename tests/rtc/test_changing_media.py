"""Voice becomes video, somebody is muted or on hold, a screen is shown, a path is lost: one call, no new streams."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from e2ee.media.encoded_frame import Kind, OpenedFrame
from e2ee.rtc.errors import WrongState
from e2ee.rtc.measure import is_tone
from e2ee.rtc.observer import FrameObserver
from e2ee.rtc.sources import TestPicture, Tone

Call = Callable[..., AbstractAsyncContextManager[Any]]
Until = Callable[[Callable[[], bool]], Awaitable[None]]


def sent(device: Any, kind: Kind) -> int:
    frames: int = device.peer.statistics().sent[kind].frames
    return frames


def opened(device: Any, kind: Kind) -> int:
    frames: int = device.peer.statistics().received[kind].opened
    return frames


def more(count: Callable[[], int], than: int = 10) -> Callable[[], bool]:
    """Whether so many more are there than now."""
    goal = count() + than
    return lambda: count() >= goal


class KeyFrames(FrameObserver):
    """Remembers of each opened picture whether it is a key frame, and the CTRs of the microphone."""

    def __init__(self) -> None:
        self.pictures: list[bool] = []
        self.CTRs: list[int] = []

    def opened(self, kind: Kind, frame: OpenedFrame, timestamp: int, arrived: int) -> None:  # noqa: ARG002
        if kind is Kind.CAMERA:
            self.pictures.append(not frame.data[0] & 1)
        if kind is Kind.MICROPHONE:
            self.CTRs.append(frame.CTR)


@pytest.mark.requirement("CODEC-7")
def test_voice_becomes_video_and_voice_again(call: Call, until: Until) -> None:
    pictures = KeyFrames()

    async def story() -> None:
        async with call((pictures,), callee_has_camera=False) as (caller, callee):
            caller.apply(2)
            callee.apply(2)
            await until(more(lambda: caller.sound.frames))
            assert caller.pictures.frames == 0
            for begun in (1, 2):
                callee.peer.send(Kind.CAMERA, TestPicture())
                await until(more(lambda: len(caller.pictures.numbers)))
                assert callee.peer.sending == {Kind.MICROPHONE, Kind.CAMERA}
                assert sum(pictures.pictures) >= begun
                callee.peer.send(Kind.CAMERA, None)
                before = sent(callee, Kind.CAMERA)
                await until(more(lambda: caller.sound.frames, 50))
                assert sent(callee, Kind.CAMERA) == before
                assert callee.peer.sending == {Kind.MICROPHONE}
            assert pictures.pictures[0]

    asyncio.run(story())


@pytest.mark.requirement("CODEC-7")
@pytest.mark.requirement("FRAME-5")
def test_a_screen_is_shown_beside_the_camera(call: Call, until: Until) -> None:
    async def story() -> None:
        async with call() as (caller, callee):
            caller.apply(2)
            callee.apply(2)
            await until(more(lambda: len(callee.pictures.numbers)))
            caller.peer.send(Kind.SCREEN_VIDEO, TestPicture())
            await until(more(lambda: len(callee.screen.numbers), 20))
            await until(more(lambda: len(callee.pictures.numbers), 20))
            assert callee.screen.psnr >= 30
            assert caller.screen.frames == 0
            received = callee.peer.statistics().received
            assert all(not stream.rejected for stream in received.values())

    asyncio.run(story())


@pytest.mark.requirement("CODEC-8")
def test_a_muted_microphone_sends_nothing_at_all(call: Call, until: Until) -> None:
    sound, microphone = KeyFrames(), Tone(1000.0)
    wire: Counter[int] = Counter()

    def count(datagram: bytes) -> bool:
        wire[datagram[1] & 0x7F] += 1
        return False

    async def story() -> None:
        async with call((), (sound,), count) as (caller, callee):
            caller.apply(2)
            callee.apply(2)
            callee.peer.send(Kind.MICROPHONE, None)
            caller.peer.send(Kind.MICROPHONE, microphone)
            await until(more(lambda: callee.sound.frames, 30))
            caller.peer.send(Kind.MICROPHONE, None)
            muted = sent(caller, Kind.MICROPHONE)
            await until(more(lambda: callee.pictures.frames, 3))
            on_the_wire = wire[96]
            await until(more(lambda: callee.pictures.frames, 30))
            assert sent(caller, Kind.MICROPHONE) == muted
            assert wire[96] == on_the_wire
            assert microphone.readyState == "live", "who muted it has it still"
            caller.peer.send(Kind.MICROPHONE, microphone)
            await until(more(lambda: callee.sound.frames, 60))
            assert sound.CTRs == list(range(len(sound.CTRs)))
            assert callee.peer.statistics().received[Kind.MICROPHONE].concealed == 0
            assert is_tone(callee.sound.peak(), 1000)

    asyncio.run(story())


@pytest.mark.requirement("CODEC-8")
def test_on_hold_nothing_is_sent_and_nothing_is_decoded(call: Call, until: Until) -> None:
    recorded = KeyFrames()

    async def story() -> None:
        async with call((recorded,)) as (caller, callee):
            caller.apply(2)
            callee.apply(2)
            await until(more(lambda: len(caller.pictures.numbers)))
            await until(more(lambda: len(callee.pictures.numbers)))
            caller.peer.hold()
            assert caller.peer.sending == frozenset()
            before = [sent(caller, kind) for kind in (Kind.MICROPHONE, Kind.CAMERA)]
            shown, seen = len(recorded.pictures), opened(caller, Kind.CAMERA)
            caller.peer.send(Kind.SCREEN_VIDEO, TestPicture())
            caller.peer.show()  # on hold it is nevertheless
            await until(more(lambda: opened(caller, Kind.CAMERA), 30))
            assert [sent(caller, kind) for kind in (Kind.MICROPHONE, Kind.CAMERA)] == before
            assert sent(caller, Kind.SCREEN_VIDEO) == 0
            assert len(recorded.pictures) == shown
            withheld = caller.peer.statistics().received[Kind.CAMERA].withheld
            assert withheld == opened(caller, Kind.CAMERA) - seen
            caller.peer.resume()
            numbers = len(caller.pictures.numbers)
            await until(lambda: len(caller.pictures.numbers) > numbers + 10)
            await until(more(lambda: len(callee.pictures.numbers)))
            await until(more(lambda: len(callee.screen.numbers)))
            assert any(recorded.pictures[shown:]), "the picture begins anew"

    asyncio.run(story())


def test_one_stream_is_withheld_and_shown_again(call: Call, until: Until) -> None:
    async def story() -> None:
        async with call() as (caller, callee):
            caller.apply(2)
            callee.apply(2)
            await until(more(lambda: callee.pictures.frames))
            callee.peer.withhold(Kind.CAMERA)
            withheld = callee.peer.statistics
            await until(lambda: withheld().received[Kind.CAMERA].withheld > 20)
            assert withheld().received[Kind.MICROPHONE].withheld == 0
            callee.peer.show(Kind.CAMERA)
            await until(more(lambda: callee.pictures.frames))
            with pytest.raises(WrongState):
                callee.peer.withhold(Kind.SCREEN_AUDIO)

    asyncio.run(story())


def test_what_a_stream_cannot_carry_is_refused(make_device: Callable[[int], Any]) -> None:
    async def story() -> None:
        peer = make_device(0).peer
        for kind, track in (
            (Kind.MICROPHONE, TestPicture()),
            (Kind.CAMERA, Tone(440.0)),
            (Kind.SCREEN_AUDIO, Tone(440.0)),
        ):
            with pytest.raises(WrongState):
                peer.send(kind, track)
        assert peer.sending == {Kind.MICROPHONE, Kind.CAMERA}
        await peer.close()

    asyncio.run(story())


@pytest.mark.requirement("FKEY-4")
def test_a_connection_takes_the_place_of_a_lost_one(call: Call, until: Until) -> None:
    """Tracks, keys, counters and figures go on; the application notices a gap."""
    sound = KeyFrames()
    cut = False

    async def story() -> None:
        nonlocal cut
        async with call((), (sound,), lambda _: cut) as (caller, callee):
            caller.apply(2)
            callee.apply(2)
            await until(more(lambda: len(callee.pictures.numbers)))
            await until(more(lambda: len(caller.pictures.numbers)))
            cut = True
            async with asyncio.timeout(30):
                await asyncio.gather(caller.peer.interrupted(500), callee.peer.interrupted(500))
            before = {kind: sent(caller, kind) for kind in (Kind.MICROPHONE, Kind.CAMERA)}
            lost = caller.peer, callee.peer
            caller.peer, callee.peer = caller.peer.successor(), callee.peer.successor()
            assert caller.peer.sending == {Kind.MICROPHONE, Kind.CAMERA}
            # the figures go on; what an encoder's thread had in hand may have been counted since
            assert all(sent(caller, kind) - frames in (0, 1) for kind, frames in before.items())
            with pytest.raises(WrongState):
                lost[0].send(Kind.CAMERA, None)
            offer = await caller.peer.offer()
            await caller.peer.accept(await callee.peer.answer(offer))
            await asyncio.gather(*(peer.close() for peer in lost))
            await asyncio.gather(caller.peer.connected(), callee.peer.connected())
            await until(more(lambda: len(callee.pictures.numbers)))
            await until(more(lambda: len(caller.pictures.numbers)))
            await until(more(lambda: callee.sound.frames))
            assert all(sent(caller, kind) > frames for kind, frames in before.items())
            assert sound.CTRs == sorted(set(sound.CTRs)), "no counter twice, none from 0 again"
            received = callee.peer.statistics().received
            assert all(not stream.rejected for stream in received.values())
            assert received[Kind.MICROPHONE].opened == len(sound.CTRs)

    asyncio.run(story())


def test_an_interruption_is_noticed_and_so_is_its_end(call: Call, until: Until) -> None:
    cut = False

    async def story() -> None:
        nonlocal cut
        async with call((), (), lambda _: cut) as (caller, callee):
            caller.apply(2)
            callee.apply(2)
            await until(more(lambda: callee.pictures.frames))
            cut = True
            async with asyncio.timeout(30):
                await callee.peer.interrupted(500)
                restored = asyncio.create_task(callee.peer.restored())
                cut = False
                await restored
                await caller.peer.close()
                await callee.peer.ended()
                await callee.peer.interrupted()
                await callee.peer.restored()

    asyncio.run(story())
