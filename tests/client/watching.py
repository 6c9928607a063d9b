"""How the stories of ``tests/client`` look at calls: they wait for events and for pictures, never for time."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from aiortc import MediaStreamTrack

from e2ee.call.events import Ended, Event
from e2ee.call.roster import Member
from e2ee.client.call import Call, Connected
from e2ee.client.client import Client
from e2ee.client.group_call import GroupCall
from e2ee.client.group_events import StreamBegan
from e2ee.client.group_media import StreamName
from e2ee.client.media import Media
from e2ee.media.encoded_frame import Kind
from e2ee.rtc.measure import read_number
from e2ee.rtc.meters import luma_of
from e2ee.rtc.observer import FrameObserver

E = TypeVar("E", bound=Event)


class Arrivals(FrameObserver):
    """Counts what comes, shown or not."""

    def __init__(self) -> None:
        self._came = asyncio.Semaphore(0)

    def received(self, kind: Kind, protected: bytes, timestamp: int) -> None:  # noqa: ARG002
        self._came.release()

    async def more(self, count: int) -> None:
        """Until so many frames more have come."""
        while not self._came.locked():
            await self._came.acquire()
        for _ in range(count):
            await self._came.acquire()


async def until(events: Call | GroupCall | Client, kind: type[E], **fields: object) -> E:
    """The next event of a kind, with these fields."""
    async for event in events:
        if isinstance(event, kind) and _has(event, fields):
            return event
    raise AssertionError(f"ended without {kind.__name__}")


def _has(event: Event, fields: dict[str, object]) -> bool:
    return all(getattr(event, name) == value for name, value in fields.items())


async def ending(call: Call | GroupCall) -> Ended:
    """How a call ends."""
    return await until(call, Ended)


async def in_a_call(
    alice: Client, bob: Client, hers: Media | None = None, his: Media | None = None
) -> tuple[Call, Call]:
    """Alice calls Bob, who answers; both are connected."""
    call = alice.call(bob.account_id, hers or Media())
    answered = (await bob.invitation()).answer(his or Media())
    await asyncio.gather(until(call, Connected), until(answered, Connected))
    return call, answered


async def next_number(track: MediaStreamTrack | None) -> int:
    """The number in the next picture that can be read."""
    assert track is not None
    while True:
        number = read_number(luma_of(await track.recv()))  # type: ignore[arg-type]
        if number is not None:
            return number


async def watch(call: Call, kind: Kind = Kind.CAMERA, count: int = 3) -> None:
    """Until so many pictures more were opened and shown."""
    opened = call.statistics.received[kind].opened
    while call.statistics.received[kind].opened < opened + count:
        await next_number(call.track(kind))


async def listen(call: Call, count: int = 3) -> None:
    """Until so many frames more of sound were opened and heard."""
    track = call.track(Kind.MICROPHONE)
    assert track is not None
    opened = call.statistics.received[Kind.MICROPHONE].opened
    while call.statistics.received[Kind.MICROPHONE].opened < opened + count:
        await track.recv()


def sent(call: Call, kind: Kind) -> int:
    """How many frames of a kind left this device."""
    return call.statistics.sent[kind].frames


def member(call: GroupCall, account_id: str) -> Member:
    """The member of this account."""
    (found,) = (each for each in call.members if each.account_id == account_id)
    return found


async def see(call: GroupCall, *accounts: str, kind: Kind = Kind.CAMERA, count: int = 3) -> None:
    """Until so many pictures more of each of these members were opened, decoded and read."""

    async def see_one(account_id: str) -> None:
        name = StreamName(member(call, account_id).leaf_index, kind)
        while (track := call.track(member(call, account_id), kind)) is None:
            await until(call, StreamBegan)
        opened = call.statistics.received[name].opened
        while call.statistics.received[name].opened < opened + count:
            await next_number(track)

    for account_id in accounts:
        await see_one(account_id)


async def hear(call: GroupCall, account_id: str, count: int = 3) -> None:
    """Until so many frames of a member's sound were decoded."""
    while (track := call.track(member(call, account_id), Kind.MICROPHONE)) is None:
        await until(call, StreamBegan)
    for _ in range(count):
        await track.recv()
