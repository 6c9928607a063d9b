"""One of the two who call each other in ``setup``, as a process of its own: ``python -m tests.bench.call.party``.

The first line of its standard input are its settings; each further line is a role in the next call, which it plays and
tells about in two lines of JSON: when it has heard and seen the other side, and, after ``end``, what the call has taken.

    call, answer     a call of e2ee.client, through the service
    offer, reply     the same media by aiortc alone: two descriptions over a pipe, nobody rings, nothing is encrypted twice

Whoever answers presses the button at once. A mark is a time on the machine's monotonic clock, which both share, in
nanoseconds; the first of its name counts.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import av.logging
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.rtcconfiguration import RTCBundlePolicy

from e2ee.aiortc_seams import gather_only
from e2ee.client.call import Call, Connected
from e2ee.client.client import Client
from e2ee.client.key_store import Service
from e2ee.client.media import STREAMS, Media, Network
from e2ee.client.online import online
from e2ee.client.profile import Profile
from e2ee.client.transport import Transport, websocket
from e2ee.identity.attestation import DirectoryKeys
from e2ee.media.encoded_frame import Kind, OpenedFrame
from e2ee.rtc.description import MEDIA
from e2ee.rtc.observer import FrameObserver
from e2ee.rtc.sources import TestPicture, Tone
from e2ee.signalling import wire
from e2ee.signalling.messages import SERVICE
from tests.bench.call.usage import Usage

LOOPBACK = ("127.0.0.1",)
DESCRIPTION = 1_024
"""Bytes. Of the application data of a call that begins, only a session description is longer."""

_MAX_LINE = 1 << 20


@dataclass(frozen=True)
class Settings:
    """``directory_keys`` by id, in hexadecimal; ``pipe`` is the file descriptor of a socket to the other one."""

    account: str
    other: str
    url: str
    server_name: str
    directory_keys: dict[str, str]
    suites: list[int]
    profile: str
    pipe: int


@dataclass
class Marks:
    """When what happened first, in one call."""

    times: dict[str, int] = field(default_factory=dict)

    def __call__(self, name: str) -> None:
        self.times.setdefault(name, time.monotonic_ns())


class TappedTransport:
    """Notes when each message passed; it is looked at after the call."""

    def __init__(self, transport: Transport, passed: list[tuple[int, str, bytes]]) -> None:
        self._transport = transport
        self._passed = passed

    async def send(self, message: bytes) -> None:
        self._passed.append((time.monotonic_ns(), "sent", message))
        await self._transport.send(message)

    async def receive(self) -> bytes:
        message = await self._transport.receive()
        self._passed.append((time.monotonic_ns(), "received", message))
        return message


class FirstFrame(FrameObserver):
    """Marks the first frame of each kind that was opened."""

    def __init__(self, mark: Marks) -> None:
        self._mark = mark

    def opened(self, kind: Kind, frame: OpenedFrame, timestamp: int, arrived: int) -> None:  # noqa: ARG002
        self._mark("opened")


class Talk(Protocol):
    """A call that media flow in."""

    def track(self, kind: Kind) -> MediaStreamTrack | None: ...

    def encryption(self) -> float | None:
        """CPU time of frame encryption so far, in seconds."""

    async def end(self, *, hangs_up: bool) -> None: ...


class Encrypted:
    """A call of ``e2ee.client``."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def track(self, kind: Kind) -> MediaStreamTrack | None:
        return self._call.track(kind)

    def encryption(self) -> float | None:
        statistics = self._call.statistics
        protecting = sum(stream.protecting for stream in statistics.sent.values())
        return protecting + sum(stream.opening for stream in statistics.received.values())

    async def end(self, *, hangs_up: bool) -> None:
        if hangs_up:
            self._call.hang_up()
        await self._call.ended()


class Bare:
    """A call of aiortc alone."""

    def __init__(self, connection: RTCPeerConnection) -> None:
        self._connection = connection

    def track(self, kind: Kind) -> MediaStreamTrack | None:
        at = list(STREAMS).index(kind)
        return self._connection.getTransceivers()[at].receiver.track

    def encryption(self) -> float | None:
        return None

    async def end(self, *, hangs_up: bool) -> None:  # noqa: ARG002
        await self._connection.close()


class Party:
    """See the module."""

    def __init__(
        self, settings: Settings, client: Client, passed: list[tuple[int, str, bytes]]
    ) -> None:
        self._other = settings.other
        self._client = client
        self._passed = passed
        self._pipe = socket.socket(fileno=settings.pipe)

    async def serve(self, lines: AsyncIterator[str]) -> None:
        """Play what is asked for, until nothing is."""
        reader, writer = await asyncio.open_connection(sock=self._pipe, limit=_MAX_LINE)
        say({"memory": Usage.of_this_process().memory})
        async for role in lines:
            mark = Marks()
            self._passed.clear()
            talk = await self._begun(role, mark, reader, writer)
            await asyncio.gather(
                first(talk, Kind.MICROPHONE, "sound", mark),
                first(talk, Kind.CAMERA, "picture", mark),
            )
            say({"marks": self._on_the_wire() | mark.times})
            await self._until_end(talk, lines, hangs_up=role == "call")

    async def _begun(
        self, role: str, mark: Marks, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Talk:
        match role:
            case "call":
                mark("call")
                return await connected(self._client.call(self._other, media(mark)), mark)
            case "answer":
                invitation = await self._client.invitation()
                mark("rings")
                return await connected(invitation.answer(media(mark)), mark)
            case "offer":
                mark("call")
                return await bare(mark, reader, writer, offers=True)
            case _:
                return await bare(mark, reader, writer, offers=False)

    def _on_the_wire(self) -> dict[str, int]:
        """Marks of the messages: ``sent claim``, ``received committed 2``, ``sent description``."""
        times: dict[str, int] = {}
        for at, way, data in self._passed:
            message = wire.decode(SERVICE, data)
            content = getattr(message, "message", b"")
            name = f"{way} description" if len(content) > DESCRIPTION else f"{way} {message.name}"
            times.setdefault(f"{name} 2" if name in times else name, at)
        return times

    async def _until_end(self, talk: Talk, lines: AsyncIterator[str], *, hangs_up: bool) -> None:
        tracks = [talk.track(kind) for kind in (Kind.MICROPHONE, Kind.CAMERA)]
        watching = [asyncio.create_task(drain(track)) for track in tracks if track is not None]
        before, encryption = Usage.of_this_process(), talk.encryption()
        await anext(lines)
        after, encrypted = Usage.of_this_process(), talk.encryption()
        await talk.end(hangs_up=hangs_up)
        for task in watching:
            task.cancel()
        say(
            {
                "seconds": after.at - before.at,
                "cpu": after.cpu - before.cpu,
                "encryption": None if encrypted is None else encrypted - (encryption or 0),
                "memory": after.memory,
            }
        )


def media(mark: Marks) -> Media:
    return Media(TestPicture(), Tone(440.0), (FirstFrame(mark),))


async def connected(call: Call, mark: Marks) -> Talk:
    """When media can flow. What happens in the call afterwards is read and thrown away."""
    async for event in call:
        if isinstance(event, Connected):
            break
    mark("connected")
    return Encrypted(call)


async def bare(
    mark: Marks, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, offers: bool
) -> Talk:
    """Offer and answer over the pipe."""
    configuration = RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
    connection = RTCPeerConnection(configuration)
    is_connected = asyncio.Event()

    @connection.on("connectionstatechange")
    def changed() -> None:
        if connection.connectionState == "connected":
            is_connected.set()

    async def describe(create: Callable[[], Awaitable[RTCSessionDescription]]) -> None:
        await connection.setLocalDescription(await create())
        mark("sent description")
        writer.write(json.dumps(connection.localDescription.sdp).encode() + b"\n")

    async def take(kind: str) -> None:
        description = json.loads(await reader.readline())
        mark("received description")
        await connection.setRemoteDescription(RTCSessionDescription(description, kind))

    sends = {Kind.MICROPHONE: Tone(440.0), Kind.CAMERA: TestPicture()}
    for kind, codec in STREAMS.items():
        connection.addTransceiver(sends.get(kind) or MEDIA[codec], "sendrecv")
    gather_only(connection.getTransceivers()[0], LOOPBACK)  # its transport is everybody's
    if offers:
        await describe(connection.createOffer)
        await take("answer")
    else:
        await take("offer")
        await describe(connection.createAnswer)
    await is_connected.wait()
    mark("connected")
    return Bare(connection)


async def first(talk: Talk, kind: Kind, name: str, mark: Marks) -> None:
    """Mark the first decoded frame of a kind."""
    track = talk.track(kind)
    assert track is not None
    await track.recv()
    mark(name)


async def drain(track: MediaStreamTrack) -> None:
    while True:
        await track.recv()


def say(what: dict[str, object]) -> None:
    """One line for who asked."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def lines_of(stream: object) -> AsyncIterator[str]:
    reader = asyncio.StreamReader(limit=_MAX_LINE)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), stream)
    async for line in reader:
        yield line.decode().strip()


async def main() -> None:
    av.logging.set_level(av.logging.PANIC)
    lines = lines_of(sys.stdin)
    settings = Settings(**json.loads(await anext(lines)))
    keys = {int(number): bytes.fromhex(key) for number, key in settings.directory_keys.items()}
    passed: list[tuple[int, str, bytes]] = []

    @contextlib.asynccontextmanager
    async def tapped(url: str) -> AsyncIterator[Transport]:
        async with websocket(url) as transport:
            yield TappedTransport(transport, passed)

    with Profile.open(Path(settings.profile)) as profile:
        service = Service(settings.url, settings.server_name, DirectoryKeys(keys))
        profile.create(settings.account, service)
        network = Network(host_addresses=LOOPBACK)
        going_online = online(profile, suites=settings.suites, network=network, connect=tapped)
        async with going_online as client:
            await client.published()
            await Party(settings, client, passed).serve(lines)


if __name__ == "__main__":
    asyncio.run(main())
