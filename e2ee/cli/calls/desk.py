"""A person's place at a call command: output, keyboard, a client that is online, and calls one after the other.

async with at_desk(...) as desk:
    spoken = await desk.talk(begin, medium)      a call
    met = await desk.meet(begin)                 a group call
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import av.logging

from e2ee.call.end_reason import EndReason
from e2ee.call.events import Ended
from e2ee.call.letters import Message
from e2ee.call.medium import Medium
from e2ee.cli.calls.keyboard import Keyboard
from e2ee.cli.calls.meeting import Meeting
from e2ee.cli.calls.meeting_receiving import MeetingReceiving
from e2ee.cli.calls.meeting_wishes import MEETING_KEYS
from e2ee.cli.calls.options import MediaOptions, new_output
from e2ee.cli.calls.output import Output
from e2ee.cli.calls.outside import Outside, file_name, watching
from e2ee.cli.calls.receiving import Receiving
from e2ee.cli.calls.sending import Sending
from e2ee.cli.calls.shown import isolated, visible
from e2ee.cli.calls.talk import Talk
from e2ee.cli.calls.wishes import KEYS
from e2ee.cli.main import refuse
from e2ee.client.call import Call
from e2ee.client.client import Client, GroupInvitation, Invitation
from e2ee.client.errors import ClientUsageError
from e2ee.client.group_call import GroupCall
from e2ee.client.media import Media, Network
from e2ee.client.online import online
from e2ee.client.profile import Profile
from e2ee.errors import LocalProtocolError
from e2ee.identity.errors import TrustError
from e2ee.rtc.errors import DeviceUnavailable, NotPlayable

__all__ = ["Desk", "Met", "Spoken", "at_desk", "came_about"]


@dataclass(frozen=True)
class Spoken:
    """A call that is over."""

    ended: Ended
    was_live: bool
    went_unnoticed: bool
    unsaid: tuple[str, ...]

    @property
    def is_unanswered(self) -> bool:
        """Whether it was to come about, and nobody took it."""
        return not self.was_live and (self.ended.reason, self.ended.remote) not in _ANSWERED


@dataclass(frozen=True)
class Met:
    """A group call that is over at this device."""

    ended: Ended
    was_in: bool


_ANSWERED = frozenset(
    {(EndReason.CANCELLED, True), (EndReason.ANSWERED_ELSEWHERE, True), (EndReason.LOST, True)}
)
"""How a call ends that leaves nothing to be said to the absent: it was not to them, or there is no service."""


def came_about(spoken: Spoken | Met) -> bool:
    """Whether people were connected and one of them hung up; or this device was in the group call and left."""
    if isinstance(spoken, Met):
        return spoken.was_in and spoken.ended.reason is EndReason.LEFT
    return spoken.was_live and spoken.ended.reason is EndReason.DONE


@dataclass
class Desk:
    """See the module. Without ``media`` its calls are chats."""

    client: Client
    output: Output
    keyboard: Keyboard
    outside: Outside
    media: MediaOptions | None
    known: set[str]
    """Accounts whose keys were known before."""

    async def talk(
        self,
        begin: Callable[[Media], Call],
        medium: Medium,
        out: Path | None = None,
        *,
        leaves_at_end: bool = False,
    ) -> Spoken:
        """Have the call that ``begin`` places or answers with these media, until its end."""
        async with contextlib.AsyncExitStack() as stack:
            options = None if medium is Medium.TEXT else self.media
            sending = None if options is None else self._sending(options)
            receiving = Receiving(out, play=options is not None and options.play)
            stack.push_async_callback(self._put_away, sending, receiving)
            media = sending.media(receiving.observers) if sending else Media()
            call = begin(media)
            talk = Talk(
                self.client,
                call,
                self.output,
                self.keyboard,
                sending,
                receiving,
                is_first=call.account_id not in self.known,
                leaves_at_end=leaves_at_end,
            )
            self.known.add(call.account_id)
            try:
                ended = await talk.run()
            except BaseException:
                call.abandon()
                raise
        return Spoken(ended, talk.was_live, talk.went_unnoticed, talk.unsaid)

    async def meet(
        self, begin: Callable[[Media], Awaitable[GroupCall]], out: Path | None = None
    ) -> Met:
        """Be in the group call that ``begin`` makes, joins or answers with these media, until its end."""
        async with contextlib.AsyncExitStack() as stack:
            options = self.media or MediaOptions()
            sending = self._sending(options)
            receiving = MeetingReceiving(out, play=options.play)
            stack.push_async_callback(self._put_meeting_away, sending, receiving)
            call = await begin(sending.media(receiving.observers))
            meeting = Meeting(self.client, call, self.output, self.keyboard, sending, receiving)
            try:
                ended = await meeting.run()
            except BaseException:
                call.abandon()
                raise
        return Met(ended, meeting.was_in)

    async def answer(
        self, invitation: Invitation | GroupInvitation, out: Path | None = None
    ) -> Spoken | Met | None:
        """Have the call that rings, or is invited to; None if it rings no more. ``out`` is a directory."""
        door = self.keyboard.keys
        try:
            if isinstance(invitation, GroupInvitation):
                self.keyboard.keys = MEETING_KEYS
                return await self.meet(invitation.answer, out)
            self.keyboard.keys = KEYS
            caller = invitation.ringing.caller.account_id
            file = out / file_name(caller, self.client.clock(), ".webm") if out else None
            return await self.talk(invitation.answer, invitation.ringing.medium, file)
        except (LocalProtocolError, TrustError) as error:
            text = f"not answered: {visible(error.detail or error.reason)}"
            self.output.tell("not_answered", text, "red", reason=error.reason)
            return None
        finally:
            self.keyboard.keys = door

    def tell_waiting(self) -> None:
        """This device can be called."""
        who = self.client.account_id
        text = f"{isolated(who)}, device {self.client.device_id}: waits for calls"
        self.output.tell("waiting", text, account=who, device=self.client.device_id)

    async def ask(self, question: str) -> str | None:
        """The line that answers; None if there is no more input."""
        if self.keyboard.ended:
            return None
        self.output.tell("question", question, "bold")
        self.output.show(None, self.keyboard.written)
        return await self.keyboard.answer()

    def _sending(self, options: MediaOptions) -> Sending:
        try:
            return Sending(options, self.output)
        except (DeviceUnavailable, NotPlayable) as error:
            refuse(f"nothing to send: {error.detail} ({error.reason.lower().replace('_', ' ')})")

    async def _put_away(self, sending: Sending | None, receiving: Receiving) -> None:
        if sending is not None:
            await sending.close()
        if (recorded := await receiving.close()) is not None:
            self.output.tell("recorded", f"recorded: {recorded}", file=str(recorded))

    async def _put_meeting_away(self, sending: Sending, receiving: MeetingReceiving) -> None:
        await sending.close()
        for recorded in await receiving.close():
            self.output.tell("recorded", f"recorded: {recorded}", file=str(recorded))

    async def leave(self, account_id: str, message: Message) -> bool:
        """Leave a letter; tells whether the service keeps it."""
        kind = message.name.replace("_", " ")
        try:
            await self.client.leave(account_id, message)
        except ClientUsageError as error:
            text = f"no {kind} could be left: {visible(error.detail)}"
            self.output.tell("letter_failed", text, "red", kind=message.name, detail=error.detail)
            return False
        text = f"left a {kind} for {isolated(account_id)}"
        self.output.tell("letter_left", text, kind=message.name, account=account_id)
        return True


@contextlib.asynccontextmanager
async def at_desk(
    profile: Profile,
    path: Path,
    network: Network,
    keys: Mapping[str, str],
    media: MediaOptions | None,
    *,
    as_json: bool,
) -> AsyncIterator[Desk]:
    """Online with ``profile``, whose file is at ``path``: voice messages are kept beside it. Raises as ``online``."""
    av.logging.set_level(
        av.logging.PANIC
    )  # what a decoder thinks of a lost frame is not for this terminal
    known = {each.account_id for each in profile.trust().contacts() if each.account_key}
    terminal = not as_json and sys.stdin.isatty() and sys.stdout.isatty()
    keyboard = Keyboard(keys, lines=media is None, terminal=terminal)
    with new_output(as_json=as_json, terminal=terminal) as output, keyboard.reading():
        async with (
            online(profile, network=network) as client,
            watching(client, output, path.parent / "voice-messages") as outside,
        ):
            await client.published()
            yield Desk(client, output, keyboard, outside, media, known)
