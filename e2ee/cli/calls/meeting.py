"""One group call at a terminal or a pipe, from its first event to its end: what happens is told, what the person wants is done.

Events are a table here; commands are one in ``meeting_wishes``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from e2ee.call.chat.events import TextReceived, TypingChanged
from e2ee.call.events import (
    Ended,
    Event,
    LagChanged,
    SendingResumed,
    SendingStopped,
)
from e2ee.call.group.events import (
    GroupCallOpened,
    InvitedToStage,
    Joined,
    JoinRequestSent,
    JoinsAnew,
    LinkChanged,
    MembersChanged,
    MuteRequested,
    ProfileChanged,
    StageReplied,
)
from e2ee.call.roster import Member
from e2ee.call.spoken_code import CodeFailed, CodeReady
from e2ee.cli.calls.keyboard import Keyboard
from e2ee.cli.calls.meeting_receiving import MeetingReceiving
from e2ee.cli.calls.meeting_status import MeetingStatus
from e2ee.cli.calls.meeting_wishes import MEETING_HELP, MeetingWishes
from e2ee.cli.calls.meeting_wording import KINDS, meeting_in_words, safety
from e2ee.cli.calls.output import Output
from e2ee.cli.calls.outside import file_name
from e2ee.cli.calls.sending import Sending
from e2ee.cli.calls.shown import isolated, visible
from e2ee.cli.calls.wording import Told, named
from e2ee.client.client import Client
from e2ee.client.group_call import GroupCall
from e2ee.client.group_events import NoMedia, SpeakingChanged, StreamBegan
from e2ee.client.media_path import Connected, Interrupted
from e2ee.errors import LocalProtocolError

__all__ = ["Meeting"]

_EVERY = 1.0
"""Seconds between two looks at what passed."""


class Meeting:
    """See the module."""

    def __init__(
        self,
        client: Client,
        call: GroupCall,
        output: Output,
        keyboard: Keyboard,
        sending: Sending,
        receiving: MeetingReceiving,
    ) -> None:
        self._client = client
        self._call = call
        self._output = output
        self._keyboard = keyboard
        self._sending = sending
        self._receiving = receiving
        self._wishes = MeetingWishes(client, call, output, sending)
        self._status = MeetingStatus()
        receiving.name_of = self._file_of
        self.was_in = False
        """Whether this device was in the call."""

    async def run(self) -> Ended:
        """Until the call has ended here; gives how."""
        async with asyncio.TaskGroup() as tasks:
            work = [tasks.create_task(self._obey()), tasks.create_task(self._measure())]
            ended = await self._attend()
            for task in work:
                task.cancel()
        self._output.show(None)
        return ended

    async def _attend(self) -> Ended:
        async for event in self._call:
            self._happened(event)
            if isinstance(event, Ended):
                await self._call.ended()
                self._summarize()
                return event
        raise AssertionError("a call ends with Ended")

    # What happens

    def _happened(self, event: Event) -> None:
        if (told := meeting_in_words(event)) is not None:
            self._tell(told)
        if (follow := _FOLLOWS.get(type(event))) is not None:
            with contextlib.suppress(LocalProtocolError):  # the call may be over since
                follow(self, event)
        self._show()

    def _show(self) -> None:
        status = self._status
        with contextlib.suppress(LocalProtocolError):  # before and after it there is no group
            self._look(status)
        status.sends = tuple(name for kind, name in KINDS.items() if self._sending.is_sent(kind))
        status.on_hold = self._wishes.on_hold
        self._output.show(status, self._keyboard.written, MEETING_HELP)

    def _look(self, status: MeetingStatus) -> None:
        call = self._call
        status.members, status.own = call.members, call.own.leaf_index
        status.hosts = {each.leaf_index for each in call.hosts}
        status.speakers = {each.leaf_index for each in call.speakers}
        status.silent = {each.leaf_index for each in call.silent}
        status.hands = call.hands
        status.lobby = tuple(each.account_id for each in call.lobby)
        status.call_code, status.epoch, status.suite = call.call_code, call.epoch, call.suite

    def _opened(self, _: GroupCallOpened) -> None:
        self.was_in = self._wishes.is_in = True
        self._status.state = "open"
        self._wishes.tell_link()

    def _asks(self, event: JoinRequestSent) -> None:
        self._status.state = "in the lobby" if event.lobby else "asks to be let in"

    def _joined(self, event: Joined) -> None:
        self.was_in = self._wishes.is_in = True
        self._status.state = "joined"
        self._tell_safety(event.members)

    def _joins_anew(self, _: JoinsAnew) -> None:
        self._wishes.is_in = False
        self._status.state = "comes in again"
        self._receiving.all_gone()
        self._status.lags.clear()
        self._status.writing.clear()

    def _link(self, _: LinkChanged) -> None:
        if self._wishes.is_in and self._call.link is not None:
            self._wishes.tell_link()

    def _members(self, event: MembersChanged) -> None:
        self._tell_safety(event.added)
        for member in event.removed:
            self._receiving.gone(member.leaf_index)
            self._status.lags.pop(member.leaf_index, None)
            self._status.writing.discard(member.leaf_index)

    def _tell_safety(self, members: Iterable[Member]) -> None:
        """Nobody is in a call without what is known of them."""
        others = [each for each in members if each.account_id != self._client.account_id]
        for told in safety(others, self._call.state_of):
            self._tell(told)

    def _tell(self, told: Told) -> None:
        self._output.tell(told.event, told.text, told.style, **told.fields)

    def _role(self, _: ProfileChanged) -> None:
        if self._call.may_speak:
            self._wishes.hand_is_up = False

    def _connected(self, _: Connected) -> None:
        self._status.state, self._status.no_media = "connected", ""

    def _interrupted(self, _: Interrupted) -> None:
        self._status.state = "interrupted"
        self._status.interruptions += 1

    def _no_media(self, event: NoMedia) -> None:
        self._status.no_media = f"no media: {visible(event.detail)}"

    def _stopped(self, event: SendingStopped) -> None:
        self._status.stopped = f"not sending: {event.reason}"

    def _resumed(self, _: SendingResumed) -> None:
        self._status.stopped = ""

    def _lag(self, event: LagChanged) -> None:
        leaf = event.lag.leaf_index
        self._status.lags.pop(leaf, None)
        if event.lag.shown:
            self._status.lags[leaf] = event.lag.milliseconds

    def _speaking(self, event: SpeakingChanged) -> None:
        self._status.speaking = [each.leaf_index for each in event.members]

    def _stream(self, event: StreamBegan) -> None:
        self._receiving.began(event)

    def _asked(self, _: InvitedToStage) -> None:
        self._wishes.asked_to_speak = True

    def _replied(self, event: StageReplied) -> None:
        """Who was asked here and wants to speak may."""
        if event.member in self._wishes.to_take:
            self._wishes.to_take.discard(event.member)
            if event.accepted:
                self._call.take_on_stage(event.member)

    def _mute(self, event: MuteRequested) -> None:
        """Done at once: who wants to be heard again presses m."""
        if self._sending.is_sent(event.kind):
            self._sending.toggle(self._call, event.kind)

    def _code_ready(self, event: CodeReady) -> None:
        self._wishes.code = event

    def _code_failed(self, _: CodeFailed) -> None:
        self._wishes.code = None

    def _text(self, event: TextReceived) -> None:
        senders = (each for each in self._call.members if each.leaf_index == event.leaf)
        if (sender := next(senders, None)) is None:
            return
        who = isolated(sender.account_id)
        text = f"{who} {event.number}: {isolated(event.text)}"
        fields = {**named(sender), "number": event.number, "text": event.text}
        self._output.tell("text", text, "cyan", **fields)
        self._call.chat.read(event.leaf, event.number, self._client.clock())
        self._call.flush()

    def _typing(self, event: TypingChanged) -> None:
        writing = self._status.writing
        (writing.add if event.typing else writing.discard)(event.leaf)

    def _file_of(self, leaf: int) -> str:
        for member in self._status.members:
            if member.leaf_index == leaf:
                name = f"{member.account_id}-{member.device_id}"
                return file_name(name, self._client.clock(), ".webm")
        return file_name(f"leaf-{leaf}", self._client.clock(), ".webm")

    async def _measure(self) -> None:
        while True:
            await asyncio.sleep(_EVERY)
            if self.was_in and not self._call.is_over:
                self._status.passed.measure(self._call.statistics, _EVERY)
            self._show()

    def _summarize(self) -> None:
        if self.was_in:
            passed = self._status.passed
            passed.measure(self._call.statistics, _EVERY)
            self._output.tell("frames", f"frames: {passed.frames()}", **passed.figures())

    # What the person wants

    async def _obey(self) -> None:
        while True:
            self._wishes.obey(await self._keyboard.command())
            self._show()


_FOLLOWS: Mapping[type[Event], Callable[[Meeting, Any], None]] = {
    GroupCallOpened: Meeting._opened,
    JoinRequestSent: Meeting._asks,
    Joined: Meeting._joined,
    JoinsAnew: Meeting._joins_anew,
    LinkChanged: Meeting._link,
    MembersChanged: Meeting._members,
    ProfileChanged: Meeting._role,
    Connected: Meeting._connected,
    Interrupted: Meeting._interrupted,
    NoMedia: Meeting._no_media,
    SendingStopped: Meeting._stopped,
    SendingResumed: Meeting._resumed,
    LagChanged: Meeting._lag,
    SpeakingChanged: Meeting._speaking,
    StreamBegan: Meeting._stream,
    InvitedToStage: Meeting._asked,
    StageReplied: Meeting._replied,
    MuteRequested: Meeting._mute,
    CodeReady: Meeting._code_ready,
    CodeFailed: Meeting._code_failed,
    TextReceived: Meeting._text,
    TypingChanged: Meeting._typing,
}
