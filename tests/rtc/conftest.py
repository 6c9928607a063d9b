"""Two devices with real encoders, on 127.0.0.1, whose frame keys are set by hand: no MLS here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import av
import pytest

from e2ee.crypto.secret import Secret
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.frame_keys import FrameKeys
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener
from e2ee.rtc.meters import PictureMeter, ToneMeter
from e2ee.rtc.observer import FrameObserver
from e2ee.rtc.peer import MediaPeer
from e2ee.rtc.sources import TestPicture, Tone
from e2ee.sframe.cipher_suite import cipher_suite

LOOPBACK = ("127.0.0.1",)
TONES = {0: 1000.0, 1: 700.0}
ROSTER = frozenset(TONES)
PATIENCE = 30.0
STREAMS = {
    Kind.MICROPHONE: Codec.OPUS,
    Kind.CAMERA: Codec.VP8,
    Kind.SCREEN_VIDEO: Codec.VP8,
}

av.logging.set_level(av.logging.PANIC)


class Clock:
    """Milliseconds. It can be stopped, for a story in which nothing may depend on how busy the machine is."""

    def __init__(self) -> None:
        self._stopped_at: int | None = None

    def __call__(self) -> int:
        return time.monotonic_ns() // 1_000_000 if self._stopped_at is None else self._stopped_at

    def stop(self) -> None:
        self._stopped_at = self()


@dataclass
class Device:
    """A device of a call, at a leaf of its group."""

    leaf: int
    keys: FrameKeys
    peer: MediaPeer
    clock: Clock
    description: str = ""
    pictures: PictureMeter = field(default_factory=PictureMeter)
    sound: ToneMeter = field(default_factory=ToneMeter)
    screen: PictureMeter = field(default_factory=PictureMeter)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def apply(
        self, epoch: int, base_key: bytes = b"the call's", added: frozenset[int] = frozenset()
    ) -> None:
        """Install an epoch whose base_key is made of its number, and know that everybody has it."""
        secret = Secret((base_key + bytes([epoch])).ljust(16, b"\0"))
        suite = cipher_suite(4)
        frame_epoch = FrameEpoch(epoch, suite, secret, self.leaf, ROSTER, ROSTER, added)
        self.keys.install(frame_epoch, self.clock())
        for other in ROSTER - {self.leaf}:
            self.keys.acknowledged(other, epoch, self.clock())
        self.peer.release()

    def watch(self) -> None:
        """Read what is received, as an application does."""
        for kind, meter in (
            (Kind.CAMERA, self.pictures.watch),
            (Kind.MICROPHONE, self.sound.listen),
            (Kind.SCREEN_VIDEO, self.screen.watch),
        ):
            track = self.peer.track(kind)
            assert track is not None
            self.tasks.append(asyncio.create_task(meter(track)))


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something to happen, however long that takes on a busy machine."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - statistics have no event
            await asyncio.sleep(0.01)


def make_device(
    leaf: int,
    observers: Sequence[FrameObserver] = (),
    *,
    camera: bool = True,
    video: Sequence[Codec] = (Codec.VP8,),
    **route: Any,
) -> Device:
    """A device with its three streams, on 127.0.0.1, of which it sends two, or one. ``video`` is what it likes, the best first."""
    keys, clock = FrameKeys(), Clock()
    opener = FrameOpener(keys.receive)
    peer = MediaPeer(opener, clock, host_addresses=LOOPBACK, observers=observers, **route)
    for kind, usual in STREAMS.items():
        codecs = (usual,) if usual is Codec.OPUS else video
        incoming = IncomingStream(codecs[0], kind, sender=1 - leaf)
        peer.add_stream(keys.send.open_stream(codecs[0], kind), incoming, codecs=codecs)
    peer.send(Kind.MICROPHONE, Tone(TONES[leaf]))
    if camera:
        peer.send(Kind.CAMERA, TestPicture())
    return Device(leaf, keys, peer, clock)


class Path:
    """A path between two devices that loses datagrams: a socket for each end, which stands for the other device."""

    def __init__(self, loses: Callable[[bytes], bool]) -> None:
        self._loses = loses
        self._ends: list[tuple[asyncio.DatagramTransport, tuple[str, int]]] = []

    async def lead(self, description: str) -> str:
        """The description of one device, with the candidate replaced by the path's end in front of it."""
        port = candidate_port(description)
        end = len(self._ends)
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _End(lambda data: self._carry(data, end)), local_addr=("127.0.0.1", 0)
        )
        self._ends.append((transport, ("127.0.0.1", port)))
        return description.replace(
            f" {port} typ", f" {transport.get_extra_info('sockname')[1]} typ"
        )

    def _carry(self, data: bytes, end: int) -> None:
        """What comes in at the end that stands for one device is sent to it from the end that stands for the other."""
        if len(self._ends) == 2 and not self._loses(data):
            self._ends[1 - end][0].sendto(data, self._ends[end][1])

    def close(self) -> None:
        for transport, _ in self._ends:
            transport.close()


class _End(asyncio.DatagramProtocol):
    def __init__(self, received: Callable[[bytes], None]) -> None:
        self._received = received

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002
        self._received(data)


def candidate_port(description: str) -> int:
    """The port of a description's one candidate."""
    [candidate] = {line for line in description.splitlines() if line.startswith("a=candidate:")}
    return int(candidate.split()[5])


@asynccontextmanager
async def call(
    caller_observers: Sequence[FrameObserver] = (),
    callee_observers: Sequence[FrameObserver] = (),
    loses: Callable[[bytes], bool] | None = None,
    *,
    callee_has_camera: bool = True,
    watched: bool = True,
    video: tuple[Sequence[Codec], Sequence[Codec]] = ((Codec.VP8,), (Codec.VP8,)),
    **route: Any,
) -> AsyncIterator[tuple[Device, Device]]:
    """A connected call between leaf 0 and leaf 1, without any key yet, on a path that may lose datagrams.

    ``video`` is what caller and callee like to send pictures with, the best first.
    """
    caller = make_device(0, caller_observers, video=video[0], **route)
    callee = make_device(1, callee_observers, camera=callee_has_camera, video=video[1], **route)
    path = Path(loses) if loses else None
    try:
        offer = caller.description = await caller.peer.offer()
        answer = await callee.peer.answer(await path.lead(offer) if path else offer)
        callee.description = answer
        await caller.peer.accept(await path.lead(answer) if path else answer)
        await asyncio.gather(caller.peer.connected(), callee.peer.connected())
        if watched:
            caller.watch()
            callee.watch()
        yield caller, callee
    finally:
        await asyncio.gather(caller.peer.close(), callee.peer.close())
        await asyncio.gather(*caller.tasks, *callee.tasks)
        if path:
            path.close()


Call = Callable[..., AbstractAsyncContextManager[tuple[Device, Device]]]


@pytest.fixture(name="call", scope="session")
def call_fixture() -> Call:
    return call


@pytest.fixture(name="candidate_port", scope="session")
def candidate_port_fixture() -> Callable[[str], int]:
    return candidate_port


@pytest.fixture(name="make_device", scope="session")
def make_device_fixture() -> Callable[..., Device]:
    return make_device


@pytest.fixture(name="until", scope="session")
def until_fixture() -> Callable[[Callable[[], bool]], object]:
    return until
