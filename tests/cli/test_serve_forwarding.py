"""A group call at ``e2ee serve``, whose forwarding unit is inside: real groups, real WebSockets, real media."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2ee.signalling import messages, wire
from e2ee.signalling.messages import SERVICE, FromService
from tests.cli.test_serve import ENTRY
from tests.delivery.conftest import SERVER_NAME, Device
from tests.delivery.meeting import MEETING_ID, meet
from tests.server.remote_town import RemoteTown
from tests.sfu.conftest import Meeting, until


class ServedByCommand(RemoteTown):
    """Its server process is the command."""

    def _process(self) -> subprocess.Popen[str]:
        command = [*ENTRY, "serve", "--json", "--port", "0", "--host", "127.0.0.1"]
        return subprocess.Popen(  # noqa: S603 - our own program
            [*command, "--store", str(self.path), "--name", SERVER_NAME],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=sys.stderr,
            text=True,
        )

    def start(self) -> None:
        self.process = self.standby
        assert self.process.stdout is not None
        said = json.loads(self.process.stdout.readline())
        self.port = int(said["url"].split(":")[2].split("/")[0])

    def say(self, device: Device, message: messages.FromDevice) -> None:
        """Send, and wait for nothing."""
        self.sockets[device.connection].send(wire.encode(message))

    async def hear(self, device: Device) -> FromService:
        """What comes next."""
        socket = self.sockets[device.connection]
        data = await asyncio.to_thread(lambda: socket.recv(30, decode=False))
        message = wire.decode(SERVICE, data)
        assert isinstance(message, FromService)
        return message


@pytest.fixture
def town(tmp_path: Path) -> Iterator[ServedByCommand]:
    town = ServedByCommand(tmp_path)
    with town.served():
        yield town


@pytest.mark.requirement("SFU-3", "GROUP-18")
def test_a_member_publishes_through_the_unit_inside(town: ServedByCommand) -> None:
    _, (alice, bob) = meet(town, "alice", "bob")

    async def run() -> None:
        media = Meeting()
        hers, his = media.member(0), media.member(1)
        for member in (hers, his):
            member.apply(1, (0, 1))
        async with asyncio.timeout(60):
            town.say(alice, messages.PublishMedia(MEETING_ID, await hers.publishing.offer()))
            published = await town.hear(alice)
            assert isinstance(published, messages.MediaPublished)
            assert " 127.0.0.1 " in published.description
            await hers.publishing.accept(published.description)
            await hers.publishing.connected()
            hers.announce()
            town.say(bob, messages.SubscribeMedia(MEETING_ID))
            leaves: set[int] = set()
            while not leaves:
                offer = await town.hear(bob)
                assert isinstance(offer, messages.MediaOffer)
                lists = offer.mids, offer.leaves, offer.source_mids
                answer = await his.subscribing.answer(offer.description, *lists)
                town.say(bob, messages.MediaAnswer(MEETING_ID, offer.number, answer))
                leaves |= set(offer.leaves)
            assert leaves == {0}
            await until(lambda: his.opened(0) > 5)
        await media.close()

    asyncio.run(run())
