"""A recorder that says what it is. Run it: python -m e2ee.examples.recorder

It brings a service and a caller along; ``_service`` says how it answers at a server of yours. Nobody can be kept from
recording a call. An honest recorder declares itself: in its certificate, which every client of the call shows before it is
answered to, and in the chat, for people.
"""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

from e2ee.call.chat.events import TextReceived
from e2ee.client.call import Connected
from e2ee.client.client import Client
from e2ee.client.media import Media
from e2ee.client.online import online
from e2ee.examples._service import HERE, Given, a_service, account
from e2ee.identity.device_certificate import Role
from e2ee.media.encoded_frame import Kind
from e2ee.rtc.recorders import Recorder
from e2ee.rtc.sources import TestPicture, Tone

ROLES = Role.BOT | Role.RECORDER


async def record(bot: Client, path: Path) -> None:
    """Answer one call, and keep what is said and shown in it."""
    invitation = await bot.invitation()
    with closing(Recorder(path)) as recorder:
        call = invitation.answer(Media(observers=[recorder]))
        async for event in call:
            if isinstance(event, Connected):
                call.say("I record this call. Hang up if you do not want that.")
        await call.ended()
    print(call.statistics.received[Kind.CAMERA].opened, "pictures, in", path)


# ----------------------------------------------------------------- somebody who is recorded


async def speak(alice: Client) -> None:
    """Call the recorder, see what it is, and speak for a moment."""
    call = alice.call("minutes", Media(TestPicture(), Tone(440)))
    async for event in call:
        if isinstance(event, Connected):
            recording = [each for each in call.members if Role.RECORDER in each.certificate.roles]
            print("records, says its certificate:", *(each.account_id for each in recording))
        elif isinstance(event, TextReceived):
            print("says:", event.text)
            await asyncio.sleep(1)
            call.hang_up()


async def main(given: Given) -> None:
    path = given.out / "recorded.webm"
    if given.profile is not None:
        async with online(given.profile, network=given.network, roles=ROLES) as bot:
            await record(bot, path)
        return
    async with (
        a_service() as service,
        online(account("minutes", service), roles=ROLES, network=HERE) as bot,
        online(account("alice", service), network=HERE) as alice,
    ):
        await bot.published()
        await asyncio.gather(record(bot, path), speak(alice))


if __name__ == "__main__":
    asyncio.run(main(Given.by_the_command_line()))
