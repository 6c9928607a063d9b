"""One call at a terminal or a pipe, from its first event to its end: what happens is told, what the person wants is done.

Events and commands are tables. Nothing that the person does can end the command by an error: what does not go now is said.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from e2ee.call.chat.events import Delivered, Read, TextReceived, TypingChanged
from e2ee.call.events import (
    CallEvent,
    Calling,
    Ended,
    EndReason,
    EpochChanged,
    IdentityChanged,
    LagChanged,
    Live,
    MediaChanged,
    Replaced,
    RingsThere,
    SendingResumed,
    SendingStopped,
)
from e2ee.call.medium import Medium
from e2ee.call.roster import Member
from e2ee.call.spoken_code import CodeFailed, CodeReady
from e2ee.cli.calls.keyboard import Command, Keyboard
from e2ee.cli.calls.output import Output
from e2ee.cli.calls.receiving import Receiving
from e2ee.cli.calls.sending import Sending
from e2ee.cli.calls.shown import STATES, digits, isolated
from e2ee.cli.calls.status import Status
from e2ee.cli.calls.wording import device, in_words
from e2ee.client.call import Call, Connected, Interrupted
from e2ee.client.client import Client
from e2ee.errors import E2EEError, LocalProtocolError
from e2ee.media.encoded_frame import Kind

__all__ = ["CHAT_HELP", "KEYS", "KEYS_HELP", "Talk"]

KEYS = {
    "m": "mute",
    "v": "camera",
    "s": "screen",
    "h": "hold",
    "c": "code",
    "y": "yes",
    "n": "no",
    "q": "quit",
}
"""Which key does what, in a call that is not only a chat."""

KEYS_HELP = "m mute  v camera  s screen  h hold  c spoken code  t text  q hang up"
CHAT_HELP = "/react NUMBER EMOJI  /code  /quit"

_EVERY = 1.0
"""Seconds between two looks at what passed."""


class Talk:
    """See the module. ``sending`` is None in a chat; ``leaves_at_end``: hang up when input ends and all is delivered."""

    def __init__(
        self,
        client: Client,
        call: Call,
        output: Output,
        keyboard: Keyboard,
        sending: Sending | None,
        receiving: Receiving,
        *,
        leaves_at_end: bool = False,
    ) -> None:
        self._client = client
        self._call = call
        self._output = output
        self._keyboard = keyboard
        self._sending = sending
        self._receiving = receiving
        self._leaves_at_end = leaves_at_end
        self._leaving = False
        self._on_hold = False
        self._code: CodeReady | None = None
        self._said = self._delivered = 0
        self.was_live = False
        self.went_unnoticed = False
        """Whether it rang nowhere, so that a note is left (LETTER-11)."""
        self.unsaid: list[str] = []
        """Texts that wait for the other side to be there."""
        who = isolated(call.account_id)
        self._status = Status(who, is_text=call.medium is Medium.TEXT)
        self._help = CHAT_HELP if sending is None else KEYS_HELP

    async def run(self) -> Ended:
        """Until the call has ended; gives how."""
        work = [asyncio.ensure_future(self._obey()), asyncio.ensure_future(self._measure())]
        try:
            return await self._attend()
        finally:
            for task in work:
                task.cancel()
            self._output.show(None)

    async def _attend(self) -> Ended:
        async for event in self._call:
            self._happened(event)
            if isinstance(event, Ended):
                await self._call.ended()
                self._summarize()
                return event
        raise AssertionError("a call ends with Ended")

    # What happens

    def _happened(self, event: CallEvent) -> None:
        follow = _FOLLOWS.get(type(event))
        with contextlib.suppress(LocalProtocolError):  # the call may be over since
            if follow is not None:
                follow(self, event)
        if (told := in_words(event)) is not None:
            self._output.tell(told.event, told.text, told.style, **told.fields)
        self._show()

    def _show(self) -> None:
        status = self._status
        if self._sending is not None:
            status.ours = replace(self._sending.now, on_hold=self._on_hold)
        self._output.show(status, self._keyboard.written, self._help)

    def _calling(self, event: Calling) -> None:
        self._status.state = f"called, {len(event.devices)} of their devices"
        self.went_unnoticed = True
        self._look_at_safety()

    def _rings(self, event: RingsThere) -> None:
        self._status.state, self.went_unnoticed = "rings", False
        self._status.ringing.append(f"device {event.device.device_id}")

    def _epoch(self, event: EpochChanged) -> None:
        self._status.epoch, self._status.call_code = event.epoch, event.call_code
        self._look_at_safety()
        self._status.suite = self._call.suite

    def _look_at_safety(self) -> None:
        contact = self._client.trust.contact(self._call.account_id)
        self._status.safety = STATES.get(contact.state or "", "")

    def _tell_safety(self) -> None:
        """A call is never shown without what is known of the other side."""
        state = self._client.trust.contact(self._call.account_id).state
        self._output.tell("safety", f"{self._status.who} is {self._status.safety}", state=state)

    def _live(self, _: Live) -> None:
        self.was_live, self._status.state, self._status.ringing = True, "answered", []
        for text in self.unsaid:
            self._say(text)
        self.unsaid.clear()
        self._leave_if_done()

    def _connected(self, _: Connected) -> None:
        if self._status.state != "connected" and not self._status.interruptions:
            self._tell_safety()
        self._status.state = "connected"
        self._receiving.connected(self._call)

    def _interrupted(self, _: Interrupted) -> None:
        self._status.state = "interrupted"
        self._status.interruptions += 1

    def _media(self, event: MediaChanged) -> None:
        self._status.theirs = event.sent

    def _stopped(self, event: SendingStopped) -> None:
        silent = ", ".join(map(device, event.silent))
        self._status.stopped = f"not sending, {event.reason}; not in this branch: {silent}"

    def _resumed(self, _: SendingResumed) -> None:
        self._status.stopped = ""

    def _lag(self, event: LagChanged) -> None:
        self._status.lag = event.lag.milliseconds if event.lag.shown else 0

    def _changed(self, _: IdentityChanged) -> None:
        self._status.safety = STATES["changed"]

    def _replaced(self, _: Replaced) -> None:
        if self._sending is not None:
            self._sending.apply(self._call)

    def _code_ready(self, event: CodeReady) -> None:
        self._code = event

    def _code_failed(self, _: CodeFailed) -> None:
        self._code = None

    def _text(self, event: TextReceived) -> None:
        who = self._call.account_id
        text = f"{isolated(who)} {event.number}: {isolated(event.text)}"
        self._output.tell("text", text, "cyan", account=who, number=event.number, text=event.text)
        self._call.chat.read(event.leaf, event.number, self._client.clock())
        self._call.flush()

    def _typing(self, event: TypingChanged) -> None:
        self._status.typing = event.typing

    def _taken(self, event: Delivered | Read) -> None:
        read = isinstance(event, Read)
        self._output.tell(
            "read" if read else "delivered",
            f"[{'read' if read else 'delivered'} up to {event.number}]",
            "dim",
            number=event.number,
        )
        self._delivered = max(self._delivered, event.number)
        self._leave_if_done()

    def _ended(self, event: Ended) -> None:
        noticed = event.reason not in (EndReason.TIMEOUT, EndReason.CANCELLED)
        self.went_unnoticed &= not noticed and not self.was_live

    async def _measure(self) -> None:
        while True:
            await asyncio.sleep(_EVERY)
            if self.was_live and not self._call.is_over and self._sending is not None:
                self._status.measure(self._call.statistics, _EVERY)
            self._show()

    def _summarize(self) -> None:
        if self.was_live and self._sending is not None:
            self._status.measure(self._call.statistics, _EVERY)
            frames = f"frames: {self._status.frames()}"
            self._output.tell("frames", frames, **self._status.figures())

    # What the person wants

    async def _obey(self) -> None:
        while True:
            command = await self._keyboard.command()
            try:
                self.obey(command)
            except E2EEError as error:
                text = f"not now: {error.detail or error.reason}"
                self._output.tell("not_now", text, "red", command=command.name)
            self._show()

    def obey(self, command: Command) -> None:
        """Do what the person wants. Raises LocalProtocolError if it does not go now."""
        act = _ACTS.get(command.name)
        if act is None:
            text = f"no such command; there are: {', '.join(f'/{name}' for name in _NAMED)}"
            self._output.tell("not_now", text, "red", command=command.name)
        else:
            act(self, command.argument)

    def _toggle(self, kind: Kind) -> None:
        if self._sending is None:
            self._output.tell("not_now", "this is only a chat", "red")
            return
        self._sending.toggle(self._call, kind)

    def _mute(self, _: str) -> None:
        self._toggle(Kind.MICROPHONE)

    def _camera(self, _: str) -> None:
        self._toggle(Kind.CAMERA)

    def _screen(self, _: str) -> None:
        self._toggle(Kind.SCREEN_VIDEO)

    def _hold(self, _: str) -> None:
        self._on_hold = not self._on_hold
        (self._call.hold if self._on_hold else self._call.resume)()
        self._output.tell("hold", "on hold" if self._on_hold else "goes on", on_hold=self._on_hold)

    def _begin_code(self, _: str) -> None:
        self._call.begin_code()

    def _yes(self, _: str) -> None:
        ready, self._code = self._code, None
        if ready is None or ready.verifies is None:
            self._output.tell("not_now", "there is no code to compare", "red")
            return
        self._call.mark_verified()
        self._look_at_safety()
        who = isolated(self._call.account_id)
        self._output.tell("verified", f"{who} is verified", "green", account=self._call.account_id)

    def _no(self, _: str) -> None:
        if self._code is None:
            self._output.tell("not_now", "there is no code to compare", "red")
            return
        self._code = None
        text = "the codes differ: SOMEBODY IS BETWEEN YOU. Say nothing here; hang up"
        self._output.tell("code_differs", text, "bold red")

    def _typed(self, _: str) -> None:
        if self.was_live:
            self._call.chat.typing(True, self._client.clock())  # noqa: FBT003 - the chat's own word
            self._call.flush()

    def _say(self, text: str) -> None:
        if not text.strip():
            return
        if self._code is not None and text.strip().lower() in _ANSWERS:
            _ANSWERS[text.strip().lower()](self, "")
        elif not self.was_live:
            self.unsaid.append(text)
            self._output.tell("kept", "[is said when they are there]", "dim")
        else:
            self._said = self._call.say(text)
            self._output.tell("said", f"you {self._said}: {isolated(text)}", number=self._said)

    def _react(self, argument: str) -> None:
        number, _, reaction = argument.partition(" ")
        if not number.isdecimal():
            self._output.tell("not_now", "/react NUMBER EMOJI: the number of their text", "red")
            return
        self._call.chat.react(self._other().leaf_index, int(number), reaction.strip())
        self._call.flush()

    def _other(self) -> Member:
        own = self._client.account_id, self._client.device_id
        return next(m for m in self._call.members if (m.account_id, m.device_id) != own)

    def _call_code(self, _: str) -> None:
        code = self._call.call_code
        text = f"call code {digits(code)}: equal at both, or you are not in one call"
        self._output.tell("call_code", text, call_code=code)

    def _quit(self, _: str) -> None:
        self._call.hang_up()

    def _end_of_input(self, _: str) -> None:
        self._leaving = self._leaves_at_end
        self._leave_if_done()

    def _leave_if_done(self) -> None:
        if self._leaving and self.was_live and self._delivered >= self._said:
            self._leaving = False
            self._call.hang_up()


_ANSWERS = {"y": Talk._yes, "yes": Talk._yes, "n": Talk._no, "no": Talk._no}

_NAMED: Mapping[str, Callable[[Talk, str], None]] = {
    "mute": Talk._mute,
    "camera": Talk._camera,
    "screen": Talk._screen,
    "hold": Talk._hold,
    "code": Talk._begin_code,
    "yes": Talk._yes,
    "no": Talk._no,
    "react": Talk._react,
    "call-code": Talk._call_code,
    "quit": Talk._quit,
}
_ACTS: Mapping[str, Callable[[Talk, str], None]] = {
    **_NAMED,
    "say": Talk._say,
    "typing": Talk._typed,
    "end": Talk._end_of_input,
}
_FOLLOWS: Mapping[type[CallEvent], Callable[[Talk, Any], None]] = {
    Calling: Talk._calling,
    RingsThere: Talk._rings,
    EpochChanged: Talk._epoch,
    Live: Talk._live,
    Connected: Talk._connected,
    Interrupted: Talk._interrupted,
    MediaChanged: Talk._media,
    SendingStopped: Talk._stopped,
    SendingResumed: Talk._resumed,
    LagChanged: Talk._lag,
    IdentityChanged: Talk._changed,
    Replaced: Talk._replaced,
    CodeReady: Talk._code_ready,
    CodeFailed: Talk._code_failed,
    TextReceived: Talk._text,
    TypingChanged: Talk._typing,
    Delivered: Talk._taken,
    Read: Talk._taken,
    Ended: Talk._ended,
}
