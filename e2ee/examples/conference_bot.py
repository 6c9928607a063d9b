"""A bot that plays a film to a group call, and leaves when it is over. Run it: python -m e2ee.examples.conference_bot

It brings a service and a host along; ``_service`` says how it comes to a call at a server of yours: --link and --film besides.
Where only some may speak it raises its hand, and plays when a host has taken it on the stage. That it is a bot is in its
certificate: who is in the call sees that.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from e2ee.call.group.events import (
    GroupCallOpened,
    HandRaised,
    InvitedToStage,
    Joined,
    MemberLeft,
    ProfileChanged,
    StageReplied,
)
from e2ee.client.client import Client
from e2ee.client.group_events import StreamBegan
from e2ee.client.media import Media
from e2ee.client.online import online
from e2ee.examples._service import HERE, Given, a_service, account
from e2ee.identity.device_certificate import Role
from e2ee.media.encoded_frame import Kind
from e2ee.rtc.measure import is_tone
from e2ee.rtc.meters import ToneMeter
from e2ee.rtc.sources import FileSource, Tone
from e2ee.rtc.voice_message import record_voice, write_voice


async def play(bot: Client, link: str, film: Path) -> None:
    """Join the call, play the film as soon as it may be played, leave at its end."""
    source = FileSource(film)
    tracks = [each for each in (source.video, source.audio) if each is not None]
    left = len(tracks)
    call = bot.join(link, Media(source.video, source.audio))

    def over() -> None:
        nonlocal left
        left -= 1
        if not left and not call.is_over:
            call.leave()

    for track in tracks:
        track.on("ended", over)
    async for event in call:
        match event:
            case Joined() | ProfileChanged() if call.may_speak:
                print("plays", film.name)
            case Joined():
                call.raise_hand()
            case InvitedToStage():
                call.reply_to_stage(accepted=True)
    await call.ended()
    await source.close()


# ----------------------------------------------------------------- somebody who has the bot in a call


async def host(alice: Client, link: asyncio.Future[str]) -> None:
    """A call in which only the host speaks, until the bot raises its hand."""
    call = alice.meet(Media(), speakers_only=True)
    listening: asyncio.Task[None] | None = None
    async for event in call:
        match event:
            case GroupCallOpened() if call.link is not None:
                link.set_result(call.link)
            case HandRaised(member=member, raised=True):
                print("a bot, says its certificate:", member.certificate.roles.name)
                call.invite_to_stage(member)
            case StageReplied(member=member, accepted=True):
                call.take_on_stage(member)
            case StreamBegan(kind=Kind.MICROPHONE):
                listening = asyncio.create_task(listen(event))
            case MemberLeft(member=member):
                print(member.account_id, "has left")
                call.leave()
    if listening is not None:
        listening.cancel()


async def listen(stream: StreamBegan) -> None:
    meter = ToneMeter()
    while not is_tone(meter.peak(), 880):
        meter.hear(await stream.track.recv())
    print("hears", stream.member.account_id, "play 880 Hz")
    await meter.listen(stream.track)


async def main(given: Given) -> None:
    if given.profile is not None and given.link and given.film:
        async with online(given.profile, network=given.network, roles=Role.BOT) as bot:
            await play(bot, given.link, given.film)
            return
    film = given.out / "announcement.ogg"
    write_voice(await record_voice(Tone(880), 1.5), film)
    async with (
        a_service() as service,
        online(account("bot", service), roles=Role.BOT, network=HERE) as bot,
        online(account("alice", service), network=HERE) as alice,
    ):
        link: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        hosting = asyncio.create_task(host(alice, link))
        await play(bot, await link, film)
        await hosting


if __name__ == "__main__":
    asyncio.run(main(Given.by_the_command_line()))
