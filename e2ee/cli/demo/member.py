"""A member of the demo's group, as a process of its own: ``python -m e2ee.cli.demo.member``.

An ordinary application of ``e2ee.client``, but for one thing: the one who is going to be removed keeps every frame key
(``hoard``). The first line of its standard input are its settings, the others what it is to do, as JSON objects; what happens
goes to standard output, an object a line.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from e2ee.call.events import Ended, EpochChanged, Event, RemovalComplete
from e2ee.call.group.events import GroupCallOpened, Joined
from e2ee.call.roster import Member
from e2ee.cli.demo.device import FIGURES_EVERY, grouped, inputs, reporting, say
from e2ee.cli.demo.group_report import MemberReport, SeenReport
from e2ee.cli.demo.hoard import Hoard, SentFrames
from e2ee.cli.demo.sabotage import frame_keys
from e2ee.cli.demo.settings import MEMBERS, MEMBERS_TONES, MemberSettings
from e2ee.client.client import Client
from e2ee.client.group_call import GroupCall
from e2ee.client.group_events import StreamBegan
from e2ee.client.group_media import GroupStatistics
from e2ee.client.media import Media, Network
from e2ee.client.online import online
from e2ee.client.profile import Profile
from e2ee.media.encoded_frame import Kind, OpenedFrame
from e2ee.media.frame_keys import FrameKeys
from e2ee.rtc.incoming import ReceiveStatistics
from e2ee.rtc.meters import PictureMeter, ToneMeter
from e2ee.rtc.observer import FrameObserver
from e2ee.rtc.sources import TestPicture, Tone
from e2ee.rtc.tap import Tap
from e2ee.system_clock import Clock, system_clock

_NICE = 10
"""This process comes online while the call between the other two is measured, and takes nothing from it."""

RATE = 10
"""Pictures a second: three devices with three pictures each share this machine."""

SEEN = 5
"""Pictures of somebody after which it was seen."""


class _Pictures(PictureMeter):
    """A meter that says when its member was seen."""

    def __init__(self, account_id: str) -> None:
        super().__init__()
        self._account_id = account_id

    def see(self, frame: object) -> None:
        before = len(self.numbers)
        super().see(frame)
        if before < len(self.numbers) == SEEN:
            say(f"sees {self._account_id}")


class _Meters:
    """What comes of one other member."""

    def __init__(self, member: Member) -> None:
        self.account_id = member.account_id
        self.leaf = member.leaf_index
        self.pictures, self.tone = _Pictures(member.account_id), ToneMeter()


class _FirstFrame(FrameObserver):
    """When the first frame was opened, of whatever kind."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.came = asyncio.Event()
        self.at = 0

    def opened(self, kind: Kind, frame: OpenedFrame, timestamp: int, arrived: int) -> None:  # noqa: ARG002
        if not self.at:
            self.at = self._clock()
            self.came.set()


class Participant:
    """This member, from its settings to its report."""

    def __init__(self, settings: MemberSettings) -> None:
        self._settings = settings
        self._clock = system_clock()
        self._tap, self._sent = Tap(), SentFrames(self._clock)
        self._first = _FirstFrame(self._clock)
        self._hoard = Hoard()
        self._meters: dict[str, _Meters] = {}
        self._codes: dict[str, str] = {}
        self._suite = 0
        self._asked_at = 0
        self._watching: list[asyncio.Task[None]] = []

    async def run(self, commands: AsyncIterator[str]) -> None:
        """Go online, be in the group from when the demo says, and do what it says there."""
        settings = self._settings
        profile = Profile.in_memory()
        account_id = MEMBERS[settings.role]
        profile.create(account_id, settings.service)
        going_online = online(
            profile,
            suites=settings.suites,
            network=Network(host_addresses=["127.0.0.1"]),
            clock=self._clock,
            frame_keys=self._frame_keys(),
        )
        async with going_online as client:
            await client.published()
            say("ready", text=f"{account_id} is online")
            command = json.loads(await anext(commands))
            self._asked_at = self._clock()
            call = self._enter(client, command.get("link"))
            attending = asyncio.create_task(self._attend(call))
            self._watch(self._figures(call))
            async for line in commands:
                self._obey(call, json.loads(line))
            await attending
            for task in self._watching:
                task.cancel()

    def _frame_keys(self) -> Callable[[], FrameKeys]:
        if self._settings.role == "guest":
            return self._hoard.frame_keys
        return frame_keys(self._settings.sabotage)

    def _enter(self, client: Client, link: str | None) -> GroupCall:
        tone = Tone(MEMBERS_TONES[self._settings.role])
        observers = (self._tap, self._sent, self._first)
        media = Media(TestPicture(RATE), tone, observers)
        return client.meet(media) if link is None else client.join(link, media)

    # What happens

    async def _attend(self, call: GroupCall) -> None:
        async for event in call:
            if (told := _TOLD.get(type(event))) is not None:
                told(self, call, event)
        await call.ended()

    def _opened(self, call: GroupCall, _: GroupCallOpened) -> None:
        self._suite = call.suite
        self._codes[str(call.epoch)] = call.call_code
        say("opened", text="made a group; its link lets others in", link=call.link)

    def _joined(self, call: GroupCall, event: Joined) -> None:
        self._suite = call.suite
        self._note_code(event.epoch, event.call_code)
        after = self._clock() - self._asked_at
        text = f"is in the group after {after} ms, {len(event.members)} members"
        say("joined", text=text, after=after, **self._keys(call))
        self._watching.append(asyncio.create_task(self._tell_first_frame()))

    def _epoch(self, call: GroupCall, event: EpochChanged) -> None:
        self._note_code(event.epoch, event.call_code)
        text = f"applies epoch {event.epoch}, committed by {event.committer.account_id}"
        say("epoch", text=text, **self._keys(call))

    def _keys(self, call: GroupCall) -> dict[str, object]:
        code = grouped(call.call_code)
        return {"epoch": call.epoch, "suite": call.suite, "call_code": code}

    def _note_code(self, epoch: int, code: str) -> None:
        self._codes[str(epoch)] = code

    async def _tell_first_frame(self) -> None:
        await self._first.came.wait()
        after = self._first.at - self._asked_at
        say("first-frame", text=f"opens the first frame after {after} ms", after=after)

    def _stream(self, _: GroupCall, event: StreamBegan) -> None:
        meters = self._meters.setdefault(event.member.account_id, _Meters(event.member))
        if event.kind is Kind.CAMERA:
            self._watch(meters.pictures.watch(event.track))
        elif event.kind is Kind.MICROPHONE:
            self._watch(meters.tone.listen(event.track))

    def _watch(self, work: Coroutine[Any, Any, None]) -> None:
        self._watching.append(asyncio.create_task(work))

    def _complete(self, _: GroupCall, event: RemovalComplete) -> None:
        now = self._clock()
        text = "knows that the others have gone on: who was removed opens nothing any more"
        say("complete", text=text, at=now, until=event.until)

    def _ended(self, call: GroupCall, event: Ended) -> None:
        say("ended", text=f"the group call has ended here: {event.reason}", reason=event.reason)
        self._report(call)

    async def _figures(self, call: GroupCall) -> None:
        before = 0
        while True:
            await asyncio.sleep(FIGURES_EVERY)
            statistics = call.statistics
            received = statistics.received.values()
            total = sum(each.bytes for each in received)
            say(
                "figures",
                protected=sum(each.frames for each in statistics.sent.values()),
                opened=sum(each.opened for each in received),
                rejected=_rejected(received),
                bit_rate=(total - before) * 8 / FIGURES_EVERY,
            )
            before = total

    # What the demo wants

    def _obey(self, call: GroupCall, command: dict[str, Any]) -> None:
        match command["do"]:
            case "remove":
                (member,) = (m for m in call.members if m.account_id == command["account"])
                say("removing", text=f"removes {member.account_id}", at=self._clock())
                call.remove(member)
            case "leave":
                call.leave()
            case "try":
                self._try(command["frames"], command["until"])

    def _try(self, files: Sequence[str], until: int) -> None:
        frames = [frame for file in files for frame in SentFrames.read(Path(file).read_bytes())]
        tried = self._hoard.try_all(frames, until)
        text = f"tries every key that it had on {tried.tried} frames of the others"
        say("tried", text=text, **asdict(tried))

    def _report(self, call: GroupCall) -> None:
        Path(self._settings.frames).write_bytes(self._sent.encode())
        Path(self._settings.tap_log).write_bytes(self._tap.log().encode())
        statistics = call.statistics
        report = MemberReport(
            role=self._settings.role,
            account=MEMBERS[self._settings.role],
            suite=self._suite,
            call_codes=self._codes,
            seen={each.account_id: _seen(each, statistics) for each in self._meters.values()},
            sent=sum(each.frames for each in statistics.sent.values()),
        )
        say("report", report=json.loads(report.encode()))


def _seen(meters: _Meters, statistics: GroupStatistics) -> SeenReport:
    received = [each for name, each in statistics.received.items() if name.leaf == meters.leaf]
    return SeenReport(
        pictures=meters.pictures.frames,
        psnr=meters.pictures.psnr,
        tone=meters.tone.peak().frequency,
        opened=sum(each.opened for each in received),
        rejected=_rejected(received),
    )


def _rejected(received: Iterable[ReceiveStatistics]) -> dict[str, int]:
    rejected: Counter[str] = Counter()
    for each in received:
        rejected.update({str(reason): count for reason, count in each.rejected.items()})
    return dict(rejected)


_TOLD: Mapping[type[Event], Callable[[Participant, GroupCall, Any], None]] = {
    GroupCallOpened: Participant._opened,
    Joined: Participant._joined,
    EpochChanged: Participant._epoch,
    StreamBegan: Participant._stream,
    RemovalComplete: Participant._complete,
    Ended: Participant._ended,
}


async def main() -> int:
    """Be one member; gives the exit status."""
    os.nice(_NICE)
    lines = inputs()
    participant = Participant(MemberSettings.decode(await anext(lines)))
    return await reporting(participant.run(lines))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
