"""Members of a group call with media, in a process: ``python -m tests.bench.group.member``.

The first line of standard input are the settings, each further one what a member is to do; what happens goes to standard
output, JSON objects both. All members are ordinary clients, with two exceptions: who only ``opens`` decodes nothing, and
who ``keeps`` forgets no key and lets go of no connection, so that it is seen what it can open when it is removed.

Times are milliseconds of the machine's monotonic clock, which all processes share.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import av.logging
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import VIDEO_CLOCK_RATE, VIDEO_TIME_BASE, MediaStreamError
from av.video.frame import VideoFrame

from e2ee.call.configuration import Configuration
from e2ee.call.events import EpochChanged, RemovalComplete
from e2ee.call.group.events import GroupCallOpened, Joined, MembersChanged
from e2ee.cli.demo.hoard import Hoard, SentFrame, SentFrames
from e2ee.client import group_call, group_receiving
from e2ee.client.client import Client
from e2ee.client.group_call import GroupCall
from e2ee.client.group_events import StreamBegan
from e2ee.client.group_media import GroupMedia
from e2ee.client.key_store import Service
from e2ee.client.media import Media, Network
from e2ee.client.media_path import Connected
from e2ee.client.online import online
from e2ee.client.profile import Profile
from e2ee.client.transport import Transport, websocket
from e2ee.identity.attestation import DirectoryKeys
from e2ee.media.encoded_frame import Kind, OpenedFrame
from e2ee.media.frame_keys import FrameKeys
from e2ee.rtc import subscribing
from e2ee.rtc.incoming import Arrival, ReceivedFrames
from e2ee.rtc.observer import FrameObserver
from e2ee.rtc.sources import Pace, Tone
from e2ee.rtc.subscribing import SubscribingPeer
from e2ee.signalling import messages, wire
from e2ee.signalling.messages import SERVICE
from e2ee.system_clock import system_clock

__all__ = ["HEIGHT", "PICTURES", "WIDTH", "Settings"]

WIDTH, HEIGHT, PICTURES = 160, 120, 10
"""Of a picture, and how many a second."""

KEPT = 5.0
"""Seconds for which who keeps everything keeps its connection."""

MARKED = (messages.Join, messages.Added, messages.MediaOffer, messages.Commit)
"""Messages whose times are told."""


@dataclass(frozen=True)
class Settings:
    """``directory_keys`` by id, in hexadecimal. ``shows`` and ``says``: whether the members have a camera and a microphone."""

    accounts: list[str]
    url: str
    server_name: str
    directory_keys: dict[str, str]
    epoch_lifetime: int
    shows: bool
    says: bool
    opens: bool = False
    keeps: bool = False


def now() -> float:
    return time.monotonic_ns() / 1e6


class SmallPicture(MediaStreamTrack):
    """A bar that wanders."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._pace, self._number = Pace(), 0

    async def recv(self) -> VideoFrame:
        number, self._number = self._number, self._number + 1
        await self._pace.until(number / PICTURES)
        plane = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        at = 4 * number % (WIDTH - 16)
        plane[:HEIGHT, at : at + 16] = 220
        frame = VideoFrame.from_ndarray(plane, format="yuv420p")
        frame.pts = int(number * Fraction(VIDEO_CLOCK_RATE, PICTURES))
        frame.time_base = VIDEO_TIME_BASE
        return frame


class TellingFrames(ReceivedFrames):
    """Tells the observer of what was opened and is not decoded, too."""

    def _settle(self, outcomes: Any) -> None:
        super()._settle(outcomes)
        for stream, context, outcome in outcomes:
            assert isinstance(context, Arrival)
            if isinstance(outcome, OpenedFrame) and not context.buffer.incoming.shown:
                self._observer.opened(stream.kind, outcome, context.timestamp, context.at)


class KeepingMedia(GroupMedia):
    """Of somebody who does not let go."""

    async def close(self) -> None:
        for path in (self.sending.path, self.receiving.path):
            path.end()  # it asks for no other connection
        await asyncio.sleep(KEPT)
        await super().close()


class Ears(FrameObserver):
    """Everything that comes to a member, and when."""

    def __init__(self, opened: Callable[[int, Kind], None]) -> None:
        self.frames: defaultdict[tuple[int, Kind], list[float]] = defaultdict(list)
        """When each frame was opened, by who sent it."""
        self.came: list[SentFrame] = []
        self._opened = opened

    def received(self, kind: Kind, protected: bytes, timestamp: int) -> None:  # noqa: ARG002
        self.came.append(SentFrame(kind, int(now()), protected))

    def opened(self, kind: Kind, frame: OpenedFrame, timestamp: int, arrived: int) -> None:  # noqa: ARG002
        leaf = frame.key_id.leaf_index
        self.frames[leaf, kind].append(now())
        self._opened(leaf, kind)


@dataclass
class Marks:
    """When what happened first since a member asked to be let in."""

    times: dict[str, float] = field(default_factory=dict)

    def __call__(self, name: str) -> None:
        self.times.setdefault(name, now())


class Member:
    """One of them."""

    def __init__(
        self, client: Client, account: str, settings: Settings, hoard: Hoard | None
    ) -> None:
        self._client = client
        self._account = account
        self._settings = settings
        self._hoard = hoard
        self.marks = Marks()
        self._ears = Ears(self._heard)
        self._sent = SentFrames(lambda: int(now()))
        self._call: GroupCall | None = None
        self._epochs: list[dict[str, Any]] = []
        self._complete: list[tuple[float, float]] = []
        self._awaited = 0
        self._heard_of: set[tuple[int, Kind]] = set()
        self._tasks: list[asyncio.Task[None]] = []

    def _media(self) -> Media:
        settings = self._settings
        camera = SmallPicture() if settings.shows else None
        microphone = Tone(440) if settings.says else None
        return Media(camera, microphone, (self._ears, self._sent))

    def meet(self, *, speakers_only: bool) -> None:
        self._attend(self._client.meet(self._media(), speakers_only=speakers_only))

    def join(self, link: str, streams: int) -> None:
        """``flows`` is said when so many streams are heard and seen."""
        self.marks.times.clear()
        self._heard_of.clear()
        self._ears.came.clear()
        self._awaited = streams
        self.marks("asks")
        self._attend(self._client.join(link, self._media()))

    def stage(self, account: str) -> None:
        call = self._in_call
        call.take_on_stage(next(each for each in call.members if each.account_id == account))

    def remove(self, account: str) -> None:
        call = self._in_call
        member = next(each for each in call.members if each.account_id == account)
        self.say("removing", at=now())
        call.remove(member)

    def expect(self, streams: int) -> None:
        """``flows`` is said when so many streams are heard and seen, now or later."""
        self._awaited = streams
        self._look()

    def try_keys(self, files: list[str], since: float) -> None:
        """What this member's keys, all that it ever had, open of what was sent since then, and of what came here."""
        logs = [SentFrames.read(Path(file).read_bytes()) for file in files]
        for name, frames in (("sent", list(chain(*logs))), ("came", self._ears.came)):
            since_then = [frame for frame in frames if frame.at >= since]
            opened = [frame.at for frame in since_then if self._opens(frame)]
            self.say(f"tried what {name}", at=[frame.at for frame in since_then], opened=opened)

    def _opens(self, frame: SentFrame) -> bool:
        assert self._hoard is not None
        return self._hoard.try_all([frame], 0).opened_after > 0

    def report(self, file: str) -> None:
        """All that was noted, into a file; what was sent, into another."""
        Path(file).write_text(
            json.dumps(
                {
                    "account": self._account,
                    "leaf": self._in_call.own.leaf_index,
                    "epochs": self._epochs,
                    "complete": self._complete,
                    "frames": [
                        {"leaf": leaf, "kind": kind.name, "times": times}
                        for (leaf, kind), times in self._ears.frames.items()
                    ],
                }
            )
        )
        self.say("reported")

    def send_log(self, file: str) -> None:
        Path(file).write_bytes(self._sent.encode())
        self.say("sent")

    @property
    def _in_call(self) -> GroupCall:
        assert self._call is not None
        return self._call

    # What happens

    def _attend(self, call: GroupCall) -> None:
        self._call = call
        self._tasks.append(asyncio.create_task(self._follow(call)))

    async def _follow(self, call: GroupCall) -> None:
        async for event in call:
            match event:
                case GroupCallOpened():
                    self.say("opened", link=call.link)
                case Joined():
                    self.marks("in the group")
                case Connected():
                    self.marks("connected")
                case EpochChanged():
                    self._epochs.append({"at": now(), "epoch": event.epoch})
                case MembersChanged(added=added, removed=removed):
                    self._epochs[-1]["added"] = [each.account_id for each in added]
                    self._epochs[-1]["removed"] = [each.account_id for each in removed]
                    self.say("members", members=len(call.members))
                case RemovalComplete(until=until):
                    self._complete.append((now(), now() + until - self._client.clock()))
                    self.say("complete", at=now(), until=self._complete[-1][1])
                case StreamBegan(track=track) if not self._settings.opens:
                    self._tasks.append(asyncio.create_task(_drain(track)))
                case _:
                    pass
        self.say("ended", at=now())

    def _heard(self, leaf: int, kind: Kind) -> None:
        if (leaf, kind) not in self._heard_of:
            self.marks(f"opened {kind.name}")
            self._heard_of.add((leaf, kind))
            self._look()

    def _look(self) -> None:
        if self._awaited and len(self._heard_of) >= self._awaited:
            self._awaited = 0
            self.marks("opened everybody")
            self.say("flows", marks=self.marks.times)

    def say(self, event: str, **what: Any) -> None:
        sys.stdout.write(json.dumps({"event": event, "who": self._account, **what}) + "\n")
        sys.stdout.flush()


async def _drain(track: MediaStreamTrack) -> None:
    with contextlib.suppress(MediaStreamError):
        while True:
            await track.recv()


class Marking:
    """Notes when messages passed that one waits for."""

    def __init__(self, transport: Transport, noting: Sequence[Marks]) -> None:
        """``noting``: the member's, when there is one."""
        self._transport = transport
        self._noting = noting

    async def send(self, message: bytes) -> None:
        self._mark("sent", message)
        await self._transport.send(message)

    async def receive(self) -> bytes:
        message = await self._transport.receive()
        self._mark("received", message)
        return message

    def _mark(self, way: str, data: bytes) -> None:
        message = wire.decode(SERVICE, data)
        if isinstance(message, MARKED):
            for mark in self._noting:
                mark(f"{way} {message.name}")


async def lines() -> AsyncIterator[dict[str, Any]]:
    reader = asyncio.StreamReader(limit=1 << 20)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        yield json.loads(line)


async def main() -> None:
    av.logging.set_level(av.logging.PANIC)
    commands = lines()
    settings = Settings(**await anext(commands))
    subscribing.ReceivedFrames = TellingFrames  # type: ignore[attr-defined]
    if settings.opens:
        opening = partial(SubscribingPeer, decode=False)
        group_receiving.SubscribingPeer = opening  # type: ignore[attr-defined, assignment]
    if settings.keeps:
        group_call.GroupMedia = KeepingMedia  # type: ignore[attr-defined]
    async with contextlib.AsyncExitStack() as stack:
        members = {
            account: await stack.enter_async_context(_member(account, settings))
            for account in settings.accounts
        }
        for member in members.values():
            member.say("ready")
        async for command in commands:
            act, who = command.pop("do"), command.pop("who")
            getattr(members[who], act)(**command)


@contextlib.asynccontextmanager
async def _member(account: str, settings: Settings) -> AsyncIterator[Member]:
    keys = {int(number): bytes.fromhex(key) for number, key in settings.directory_keys.items()}
    profile = Profile.in_memory()
    profile.create(account, Service(settings.url, settings.server_name, DirectoryKeys(keys)))
    noting: list[Marks] = []

    @contextlib.asynccontextmanager
    async def marked(url: str) -> AsyncIterator[Transport]:
        async with websocket(url) as transport:
            yield Marking(transport, noting)

    hoard = Hoard() if settings.keeps else None
    async with online(
        profile,
        suites=[0x0001],
        network=Network(host_addresses=["127.0.0.1"]),
        configuration=Configuration(epoch_lifetime=settings.epoch_lifetime),
        clock=system_clock(),
        frame_keys=FrameKeys if hoard is None else hoard.frame_keys,
        connect=marked,
    ) as client:
        await client.published()
        member = Member(client, account, settings, hoard)
        noting.append(member.marks)
        yield member


if __name__ == "__main__":
    asyncio.run(main())
