"""An answering machine. Run it: python -m e2ee.examples.answering_machine

It brings a service and callers along; ``_service`` says how it answers at a server of yours. It lets the telephone ring for
a while, then answers, plays a greeting, and keeps what the caller says. When the machine itself is off, callers leave voice
messages, sealed to its KeyPackages: it finds them when it is on again.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from pathlib import Path

from e2ee.call.errors import CallUsageError
from e2ee.call.events import LetterReceived, MediaChanged
from e2ee.client.call import Call, Connected
from e2ee.client.client import Client, Invitation
from e2ee.client.media import Media
from e2ee.client.online import online
from e2ee.examples._service import HERE, Given, a_service, account
from e2ee.identity.device_certificate import Role
from e2ee.media.encoded_frame import Kind
from e2ee.rtc.errors import NotPlayable
from e2ee.rtc.sources import FileSource, Tone
from e2ee.rtc.voice_message import record_voice, write_voice
from e2ee.signalling.messages import VoiceMessage

ROLES = Role.BOT | Role.RECORDER


class AnsweringMachine:
    """Keeps messages in ``folder``. ``greeting`` is a file with sound; times are in seconds."""

    def __init__(
        self, folder: Path, greeting: Path, rings: float = 15, longest: float = 60
    ) -> None:
        self._folder = folder
        self._greeting = greeting
        self._rings = rings
        self._longest = longest
        self.kept: asyncio.Queue[Path] = asyncio.Queue()
        """The messages, oldest first, for who wants to hear them."""

    async def attend(self, client: Client) -> None:
        """Until this is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._find_letters(client))
            while True:
                tasks.create_task(self._answer(await client.invitation()))

    async def _answer(self, invitation: Invitation) -> None:
        """Take the call if nobody else did so."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._rings):
                await invitation.over()
                return
        with suppress(NotPlayable, CallUsageError):  # nothing was said; the caller has gone
            await self._talk(invitation)

    async def _talk(self, invitation: Invitation) -> None:
        greeting, greeted = FileSource(self._greeting).audio, asyncio.Event()
        if greeting is not None:
            greeting.on("ended", greeted.set)
        call = invitation.answer(Media(microphone=greeting))
        async for event in call:
            if isinstance(event, Connected):
                await greeted.wait()
                call.send(Kind.MICROPHONE, None)
                await self._take_message(call)
                call.hang_up()

    async def _take_message(self, call: Call) -> None:
        if (sound := call.track(Kind.MICROPHONE)) is not None:
            self._keep(call.account_id, await record_voice(sound, self._longest))

    async def _find_letters(self, client: Client) -> None:
        async for event in client:
            if isinstance(event, LetterReceived) and isinstance(event.message, VoiceMessage):
                self._keep(event.sender.account_id, event.message.audio)

    def _keep(self, account_id: str, audio: bytes) -> None:
        path = self._folder / f"message-{time.time_ns()}.ogg"
        write_voice(audio, path)
        print("keeps a message from", account_id)
        self.kept.put_nowait(path)


# ----------------------------------------------------------------- somebody who calls


async def call_and_speak(alice: Client) -> None:
    """Nobody answers but the machine, and it hangs up when it has heard enough."""
    call = alice.call("bob", Media(microphone=Tone(440)))
    async for event in call:
        if isinstance(event, Connected):
            print("answers, says its certificate:", call.members[-1].certificate.roles.name)
        elif isinstance(event, MediaChanged) and not event.sent.microphone:
            print("the greeting is over")


async def main(given: Given) -> None:
    greeting = given.out / "greeting.ogg"
    write_voice(await record_voice(Tone(880), 0.5), greeting)
    if given.profile is not None:
        async with online(given.profile, network=given.network, roles=ROLES) as client:
            await AnsweringMachine(given.out, greeting).attend(client)
    machine = AnsweringMachine(given.out, greeting, rings=0.5, longest=1)
    async with a_service() as service, online(account("alice", service), network=HERE) as alice:
        bobs = account("bob", service)
        async with online(bobs, roles=ROLES, network=HERE) as bob:
            await bob.published()
            attending = asyncio.create_task(machine.attend(bob))
            await call_and_speak(alice)
            print("in", (await machine.kept.get()).parent)
            attending.cancel()
        await alice.leave_voice_message("bob", await record_voice(Tone(550), 1))
        print("the machine is off: a voice message waits for it")
        async with online(bobs, roles=ROLES, network=HERE) as bob:
            attending = asyncio.create_task(machine.attend(bob))
            await machine.kept.get()
            attending.cancel()


if __name__ == "__main__":
    asyncio.run(main(Given.by_the_command_line()))
