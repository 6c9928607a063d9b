"""One side of the demo's call, as a process of its own: ``python -m e2ee.cli.demo.peer``.

An ordinary application of ``e2ee.client``: it makes its keys, goes online, calls or is called, sends, records. The first
line of its standard input are its settings, the others what it is to do; what happens goes to standard output, a JSON
object a line. A line that is no JSON, or the end of its input, ends it.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from e2ee.call.configuration import Configuration
from e2ee.call.events import Calling, Ended, EpochChanged
from e2ee.cli.demo.device import FIGURES_EVERY, grouped, inputs, reporting, say
from e2ee.cli.demo.figures import EpochChanges, bytes_received, streams
from e2ee.cli.demo.report import PeerReport
from e2ee.cli.demo.sabotage import frame_keys
from e2ee.cli.demo.settings import PEER_OF, TONES, PeerSettings, suite_name
from e2ee.client.call import Call, Connected
from e2ee.client.client import Client
from e2ee.client.media import Media, Network
from e2ee.client.online import online
from e2ee.client.profile import Profile
from e2ee.media.encoded_frame import Kind
from e2ee.rtc.meters import PictureMeter, ToneMeter
from e2ee.rtc.recorders import Recorder
from e2ee.rtc.sources import FileSource, TestPicture, Tone
from e2ee.rtc.tap import Tap

ACCOUNTS = {"caller": "alice", "callee": "bob"}
_MEGABYTE = 1 << 20


class Peer:
    """This side, from its settings to its report."""

    def __init__(self, settings: PeerSettings) -> None:
        self._settings = settings
        self._tap = Tap()
        self._recorder = Recorder(Path(settings.recording))
        self._changes = EpochChanges()
        self._pictures = PictureMeter()
        self._tone = ToneMeter()
        self._codes: dict[str, str] = {}
        self._safety_number = ""

    async def run(self, commands: AsyncIterator[str]) -> None:
        """Go online, have one call, report."""
        settings = self._settings
        profile = Profile.in_memory()
        profile.create(ACCOUNTS[settings.role], settings.service)
        going_online = online(
            profile,
            suites=settings.suites,
            configuration=Configuration(epoch_lifetime=settings.epoch_lifetime),
            network=Network(host_addresses=["127.0.0.1"]),
            frame_keys=frame_keys(settings.sabotage),
        )
        async with going_online as client:
            await client.published()
            say(
                "ready",
                text=f"{ACCOUNTS[settings.role]} is online, and has KeyPackages at the service",
            )
            call = await self._begin(client, commands)
            async with asyncio.TaskGroup() as tasks:
                obeying = tasks.create_task(self._obey(call, commands))
                figures = tasks.create_task(self._figures(call))
                await self._attend(call, tasks)
                obeying.cancel()
                figures.cancel()
        self._report(call)

    async def _begin(self, client: Client, commands: AsyncIterator[str]) -> Call:
        media = self._media()
        other = ACCOUNTS[PEER_OF[self._settings.role]]
        if self._settings.role == "caller":
            await anext(commands)
            say("calling", text=f"rings {other}: fetches KeyPackages, makes the group")
            return client.call(other, media)
        invitation = await client.invitation()
        caller = invitation.ringing.caller
        say("ringing", text=f"{caller.account_id} calls ({invitation.ringing.contact}); answers")
        return invitation.answer(media)

    def _media(self) -> Media:
        observers = (self._tap, self._recorder, self._changes)
        if self._settings.media is not None:
            source = FileSource(Path(self._settings.media), loop=True)
            return Media(source.video, source.audio, observers)
        return Media(TestPicture(), Tone(TONES[self._settings.role]), observers)

    async def _attend(self, call: Call, tasks: asyncio.TaskGroup) -> None:
        """Until the call has ended."""
        async for event in call:
            match event:
                case Calling():
                    say(
                        "rings",
                        text=f"{len(event.devices)} device of {event.devices[0].account_id} rings",
                    )
                case EpochChanged():
                    self._entered(call, event)
                case Connected():
                    self._watch(call, tasks)
                    say("connected", text="media are connected, peer to peer")
                case Ended():
                    say("ended", text=f"the call has ended: {event.reason}")
        await call.ended()

    def _entered(self, call: Call, event: EpochChanged) -> None:
        self._codes[str(event.epoch)] = event.call_code
        self._safety_number = self._safety_number or call.safety_number
        suite = call.suite
        text = f"applies epoch {event.epoch}, committed by {event.committer.account_id} ({suite_name(suite)})"
        say("epoch", text=text, epoch=event.epoch, suite=suite, call_code=grouped(event.call_code))

    def _watch(self, call: Call, tasks: asyncio.TaskGroup) -> None:
        if (picture := call.track(Kind.CAMERA)) is not None:
            tasks.create_task(self._pictures.watch(picture))
        if (sound := call.track(Kind.MICROPHONE)) is not None:
            tasks.create_task(self._tone.listen(sound))

    async def _obey(self, call: Call, commands: AsyncIterator[str]) -> None:
        async for _ in commands:
            call.hang_up()

    async def _figures(self, call: Call) -> None:
        before = 0
        while True:
            await asyncio.sleep(FIGURES_EVERY)
            statistics = call.statistics
            if not statistics.sent:
                continue
            received = bytes_received(statistics)
            kinds = streams(statistics).values()
            rejected: dict[str, int] = {}
            for each in kinds:
                for reason, count in each.rejected.items():
                    rejected[reason] = rejected.get(reason, 0) + count
            say(
                "figures",
                protected=sum(each.sent for each in kinds),
                opened=sum(each.opened for each in kinds),
                rejected=rejected,
                bit_rate=(received - before) * 8 / FIGURES_EVERY,
            )
            before = received

    def _report(self, call: Call) -> None:
        self._recorder.close()
        Path(self._settings.tap_log).write_bytes(self._tap.log().encode())
        report = PeerReport(
            role=self._settings.role,
            suite=self._settings.suite,
            safety_number=self._safety_number,
            call_codes=self._codes,
            streams=streams(call.statistics),
            pictures=self._pictures.frames,
            psnr=self._pictures.psnr,
            gap_at_epoch_change=self._changes.largest_gap(self._pictures),
            tone=self._tone.peak().frequency,
            recording=self._settings.recording,
            memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        )
        say("report", report=json.loads(report.encode()))


async def main() -> int:
    """Be one side; gives the exit status."""
    lines = inputs()
    peer = Peer(PeerSettings.decode(await anext(lines)))
    return await reporting(peer.run(lines))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
