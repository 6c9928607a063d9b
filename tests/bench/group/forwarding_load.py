"""Members that encode nothing: they send packets of the sizes and at the rate of a call's, and count what comes.

A camera of 640x480 in VP8 sends some 30 frames a second of three packets, 1,100 bytes each, a microphone 50 packets a second
of 260 bytes. What is in them is no matter to the unit but for the bit that says that a frame is a key frame.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from aiortc import RTCSessionDescription

from e2ee.session_description import parsed
from e2ee.sfu.connection import Connection
from e2ee.sfu.rtp import HEADER, MARKER
from e2ee.sfu.unit import Offer, Participant
from tests.bench.group.forwarding_process import LOOPBACK, UnitProcess, UnitUsage

__all__ = ["KINDS", "Kind", "Load", "run_load"]

STEP = 0.01
"""Seconds between two bursts of a sender."""

STAMP = 8
"""Bytes of a payload that say when it was sent."""


@dataclass(frozen=True)
class Kind:
    """What a stream of a kind sends: packets a second, and their size without headers, in bytes."""

    media: str
    packets: int
    size: int
    clock_rate: int
    begins: bytes


KINDS = {
    "audio": Kind("audio", 50, 260, 48_000, b""),
    "video": Kind("video", 90, 1_100, 90_000, b"\x10\x00"),
}


@dataclass(frozen=True)
class Load:
    """What so many receivers of so many senders' ``kinds`` cost the unit, over ``seconds``.

    ``sent`` packets were sent to it and ``received`` came of it; ``delays`` are in milliseconds, through the unit and both sockets.
    """

    kinds: tuple[str, ...]
    senders: int
    receivers: int
    seconds: float
    cpu: float
    sent: int
    received: int
    expected: int
    delay: float
    worst_delay: float

    @property
    def streams(self) -> int:
        """How many streams were forwarded: a sender's kind to a receiver."""
        return len(self.kinds) * self.senders * self.receivers

    @property
    def per_packet(self) -> float:
        """Microseconds of CPU for each packet that went out."""
        return self.cpu / max(1, self.received) * 1e6

    @property
    def per_stream(self) -> float:
        """Of a core, for each forwarded stream."""
        return self.cpu / self.seconds / self.streams


class Sender:
    """A member that publishes."""

    def __init__(self, leaf: int, kinds: Sequence[Kind]) -> None:
        self.participant = Participant(b"sender %d" % leaf, leaf)
        self._kinds = kinds
        self._connected = asyncio.Event()
        self._connection = Connection(
            LOOPBACK, lambda _: None, lambda _: None, lambda: None, self._connected.set
        )
        self._ssrcs: list[int] = []
        self._numbers = [0] * len(kinds)
        self._owed = [random.Random(leaf).random() for _ in kinds]  # noqa: S311 - they do not all send at once
        self.sent = 0

    async def publish(self, unit: UnitProcess) -> None:
        for kind in self._kinds:
            self._connection.add(kind.media, "sendonly")
        offer = await self._connection.offer()
        self._ssrcs = [section.ssrc[0].ssrc for section in parsed(offer).media]
        answer = await unit.publish(self.participant, offer)
        await self._connection.accept(RTCSessionDescription(answer, "answer"))
        await self._connected.wait()

    def send(self, passed: float) -> None:
        """What is due after so many seconds."""
        for place, kind in enumerate(self._kinds):
            self._owed[place] += kind.packets * passed
            while self._owed[place] >= 1:
                self._owed[place] -= 1
                self._send(place, kind)

    def _send(self, place: int, kind: Kind) -> None:
        number = self._numbers[place]
        self._numbers[place] = number + 1 & 0xFFFF
        payload_type = 96 if kind.media == "audio" else 97
        timestamp = number // 3 * kind.clock_rate // 30 & 0xFFFFFFFF
        header = HEADER.pack(0x80, MARKER | payload_type, number, timestamp, self._ssrcs[place])
        stamp = time.monotonic_ns().to_bytes(STAMP, "big")
        self.sent += self._connection.send(header + kind.begins + stamp + bytes(kind.size))

    async def close(self) -> None:
        await self._connection.close()


class Receiver:
    """A member that only receives."""

    def __init__(self, leaf: int, senders: Sequence[Sender], kinds: Sequence[Kind]) -> None:
        self.participant = Participant(b"receiver %d" % leaf, leaf)
        self._connection = Connection(LOOPBACK, self._count, lambda _: None, lambda: None)
        self._sections = 0
        self.streams = len(senders) * len(kinds)
        self.has_everything = asyncio.Event()
        self.received = 0
        self.delays: list[int] = []

    def _count(self, data: bytes) -> None:
        self.received += 1
        extended = 20 if data[0] & 0x10 else 12
        start = extended + (2 if data[1] & 0x7F == 97 else 0)
        stamp = int.from_bytes(data[start : start + STAMP], "big")
        self.delays.append(time.monotonic_ns() - stamp)

    async def take(self, unit: UnitProcess, offer: Offer) -> None:
        media = parsed(offer.description).media
        for section in media[self._sections :]:
            self._connection.add(section.kind, "recvonly")
        self._sections = len(media)
        answer = await self._connection.answer(RTCSessionDescription(offer.description, "offer"))
        await unit.answer(self.participant, offer.number, answer)
        if len(offer.mids) == self.streams:
            self.has_everything.set()

    async def close(self) -> None:
        await self._connection.close()


async def run_load(kinds: tuple[str, ...], senders: int, receivers: int, seconds: float) -> Load:
    """Connect everybody, send for a while, and count."""
    what = [KINDS[kind] for kind in kinds]
    sending = [Sender(leaf, what) for leaf in range(senders)]
    receiving = [Receiver(1_000 + leaf, sending, what) for leaf in range(receivers)]
    by_id = {each.participant.id: each for each in receiving}
    answering: list[asyncio.Task[None]] = []

    def offered(member_id: bytes, offer: Offer) -> None:
        answering.append(asyncio.create_task(by_id[member_id].take(unit, offer)))

    with UnitProcess(offered) as unit:
        for sender in sending:
            await sender.publish(unit)
        for receiver in receiving:
            await unit.subscribe(receiver.participant)
        pace = asyncio.create_task(_pace(sending))
        await asyncio.gather(*(receiver.has_everything.wait() for receiver in receiving))
        await asyncio.sleep(2.0)
        for receiver in receiving:
            receiver.delays.clear()
        before, counted = await unit.usage(), _counted(sending, receiving)
        await asyncio.sleep(seconds)
        after, now = await unit.usage(), _counted(sending, receiving)
        delays = sorted(delay for receiver in receiving for delay in receiver.delays)
        pace.cancel()
        closing = [*(each.close() for each in sending), *(each.close() for each in receiving)]
        await asyncio.gather(*answering, *closing)
    return _load(kinds, (senders, receivers), (before, after), (counted, now), delays)


async def _pace(sending: Sequence[Sender]) -> None:
    last = time.monotonic()
    while True:
        await asyncio.sleep(STEP)
        now = time.monotonic()
        for sender in sending:
            sender.send(now - last)
        last = now


def _counted(sending: Sequence[Sender], receiving: Sequence[Receiver]) -> tuple[int, int]:
    return sum(each.sent for each in sending), sum(each.received for each in receiving)


def _load(
    kinds: tuple[str, ...],
    size: tuple[int, int],
    usage: tuple[UnitUsage, UnitUsage],
    counted: tuple[tuple[int, int], tuple[int, int]],
    delays: Sequence[int],
) -> Load:
    senders, receivers = size
    before, after = usage
    sent = counted[1][0] - counted[0][0]
    return Load(
        kinds=kinds,
        senders=senders,
        receivers=receivers,
        seconds=after.at - before.at,
        cpu=after.cpu - before.cpu,
        sent=sent,
        received=counted[1][1] - counted[0][1],
        expected=sent * receivers,
        delay=delays[len(delays) // 2] / 1e6,
        worst_delay=delays[-len(delays) // 100] / 1e6,
    )
