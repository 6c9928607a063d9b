"""A bot that sends back what it hears, sees and reads. Run it: python -m e2ee.examples.echo_bot

It brings a service and a visitor along; ``_service`` says how it becomes a bot at a server of yours. That it is a bot is in
its certificate: who calls it sees that before a word is said.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from e2ee.call.chat.events import TextReceived
from e2ee.call.configuration import Configuration
from e2ee.call.errors import CallUsageError
from e2ee.client.call import Call, Connected
from e2ee.client.client import Client, Invitation
from e2ee.client.media import Media
from e2ee.client.online import online
from e2ee.examples._service import HERE, Given, a_service, account
from e2ee.identity.device_certificate import Role
from e2ee.media.encoded_frame import Kind
from e2ee.rtc.measure import is_tone
from e2ee.rtc.meters import PictureMeter, ToneMeter
from e2ee.rtc.peer import MediaStreamTrack
from e2ee.rtc.sources import TestPicture, Tone

EIGHT_AT_A_TIME = Configuration(most_calls=8)


async def echo(invitation: Invitation) -> None:
    """Answer, and send back what comes."""
    with suppress(CallUsageError):  # whoever called has gone meanwhile
        call = invitation.answer(Media())
        async for event in call:
            if isinstance(event, Connected):
                for kind in (Kind.MICROPHONE, Kind.CAMERA):
                    call.send(kind, call.track(kind))
            elif isinstance(event, TextReceived):
                call.say(event.text)


async def answer_everybody(bot: Client) -> None:
    """Until this is cancelled."""
    async with asyncio.TaskGroup() as calls:
        while True:
            calls.create_task(echo(await bot.invitation()))


# ----------------------------------------------------------------- somebody who tries it


async def visit(alice: Client) -> None:
    """Call the bot, and wait until picture, tone and text have come back."""
    call = alice.call("echo", Media(TestPicture(), Tone(440)))
    async for event in call:
        if isinstance(event, Connected):
            bots = [each for each in call.members if Role.BOT in each.certificate.roles]
            print("a bot, says its certificate:", *(each.account_id for each in bots))
            call.say("is anybody there?")
            print("my picture came back: number", await my_picture(call))
            print("my tone came back:", await my_tone(call))
        elif isinstance(event, TextReceived):
            print("my text came back:", event.text)
            call.hang_up()


async def my_picture(call: Call) -> int:
    """The number that is drawn into a test picture."""
    meter = PictureMeter()
    while not meter.numbers:
        meter.see(await received(call, Kind.CAMERA).recv())
    return meter.numbers[0]


async def my_tone(call: Call) -> str:
    meter = ToneMeter()
    while not is_tone(meter.peak(), 440):
        meter.hear(await received(call, Kind.MICROPHONE).recv())
    return "440 Hz"


def received(call: Call, kind: Kind) -> MediaStreamTrack:
    track = call.track(kind)
    if track is None:
        raise LookupError(f"no connection for {kind.name}")
    return track


async def main(given: Given) -> None:
    if given.profile is not None:
        async with online(
            given.profile, network=given.network, roles=Role.BOT, configuration=EIGHT_AT_A_TIME
        ) as bot:
            await bot.published()
            print(bot.account_id, "answers everybody", flush=True)
            await answer_everybody(bot)
    async with (
        a_service() as service,
        online(account("echo", service), roles=Role.BOT, network=HERE) as bot,
        online(account("alice", service), network=HERE) as alice,
    ):
        await bot.published()
        answering = asyncio.create_task(answer_everybody(bot))
        await visit(alice)
        answering.cancel()


if __name__ == "__main__":
    asyncio.run(main(Given.by_the_command_line()))
