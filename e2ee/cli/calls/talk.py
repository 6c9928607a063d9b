"""One call at a terminal or a pipe, from its first event to its end: what happens is told, what the person wants is done.

Events are a table here; commands are one in ``wishes``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from e2ee.call.chat.events import Delivered, Read, TextReceived, TypingChanged
from e2ee.call.events import (
    BusyThere,
    CallEvent,
    Calling,
    Ended,
    EndReason,
    EpochChanged,
    IdentityChanged,
    LagChanged,
    Live,
    MediaChanged,
    RingsThere,
    SendingResumed,
    SendingStopped,
)
from e2ee.call.medium import Medium
from e2ee.call.spoken_code import CodeFailed, CodeReady
from e2ee.cli.calls.keyboard import Keyboard
from e2ee.cli.calls.output import Output
from e2ee.cli.calls.receiving import Receiving
from e2ee.cli.calls.sending import Sending
from e2ee.cli.calls.shown import STATES, isolated
from e2ee.cli.calls.shown import in_words as safety_in_words
from e2ee.cli.calls.status import Status
from e2ee.cli.calls.wishes import CHAT_HELP, KEYS_HELP, Wishes
from e2ee.cli.calls.wording import device, in_words
from e2ee.client.call import Call, Connected, Interrupted
from e2ee.client.client import Client
from e2ee.errors import LocalProtocolError

__all__ = ["Talk"]

_EVERY = 1.0
"""Seconds between two looks at what passed."""


class Talk:
    """See the module. ``sending`` is None in a chat; ``leaves_at_end``: hang up when input ends and all is delivered;
    ``is_first``: their key was not known before."""

    def __init__(
        self,
        client: Client,
        call: Call,
        output: Output,
        keyboard: Keyboard,
        sending: Sending | None,
        receiving: Receiving,
        *,
        is_first: bool,
        leaves_at_end: bool = False,
    ) -> None:
        self._client = client
        self._call = call
        self._output = output
        self._keyboard = keyboard
        self._sending = sending
        self._receiving = receiving
        self._is_first = is_first
        self._leaves_at_end = leaves_at_end
        self._wishes = Wishes(client, call, output, sending)
        self._delivered = 0
        """The number of the last text that they have."""
        self.was_live = False
        self.went_unnoticed = False
        """Whether it rang nowhere, so that a note is left (LETTER-11)."""
        who = isolated(call.account_id)
        self._status = Status(who, is_text=call.medium is Medium.TEXT)
        self._help = CHAT_HELP if sending is None else KEYS_HELP

    @property
    def unsaid(self) -> tuple[str, ...]:
        """What was written while nobody was there."""
        return tuple(self._wishes.unsaid)

    async def run(self) -> Ended:
        """Until the call has ended; gives how."""
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
            status.ours = replace(self._sending.now, on_hold=self._wishes.on_hold)
        self._output.show(status, self._keyboard.written, self._help)

    def _calling(self, event: Calling) -> None:
        self._status.state = f"called, {len(event.devices)} of their devices"
        self.went_unnoticed = True
        self._look_at_safety()

    def _rings(self, event: RingsThere) -> None:
        self._status.state, self.went_unnoticed = "rings", False
        self._status.ringing.append(f"device {event.device.device_id}")

    def _busy(self, _: BusyThere) -> None:
        self.went_unnoticed = False

    def _epoch(self, event: EpochChanged) -> None:
        self._status.epoch, self._status.call_code = event.epoch, event.call_code
        self._look_at_safety()
        self._status.suite = self._call.suite

    def _look_at_safety(self) -> None:
        contact = self._client.trust.contact(self._call.account_id)
        self._status.safety = safety_in_words(contact.state, is_first=self._is_first)

    def _tell_safety(self) -> None:
        """A call is never shown without what is known of the other side."""
        state = self._client.trust.contact(self._call.account_id).state
        self._output.tell("safety", f"{self._status.who} is {self._status.safety}", state=state)

    def _live(self, _: Live) -> None:
        self.was_live, self._status.state, self._status.ringing = True, "answered", []
        self._wishes.say_what_waited()
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

    def _code_ready(self, event: CodeReady) -> None:
        self._wishes.code = event

    def _code_failed(self, _: CodeFailed) -> None:
        self._wishes.code = None

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
                self._status.passed.measure(self._call.statistics, _EVERY)
            self._show()

    def _summarize(self) -> None:
        if self.was_live and self._sending is not None:
            passed = self._status.passed
            passed.measure(self._call.statistics, _EVERY)
            self._output.tell("frames", f"frames: {passed.frames()}", **passed.figures())

    # What the person wants

    async def _obey(self) -> None:
        while True:
            self._wishes.obey(await self._keyboard.command())
            self._look_at_safety()
            self._leave_if_done()
            self._show()

    def _leave_if_done(self) -> None:
        wishes = self._wishes
        leaving = self._leaves_at_end and wishes.leaving and self.was_live
        if leaving and self._delivered >= wishes.said:
            self._leaves_at_end = False
            self._call.hang_up()


_FOLLOWS: Mapping[type[CallEvent], Callable[[Talk, Any], None]] = {
    Calling: Talk._calling,
    RingsThere: Talk._rings,
    BusyThere: Talk._busy,
    EpochChanged: Talk._epoch,
    Live: Talk._live,
    Connected: Talk._connected,
    Interrupted: Talk._interrupted,
    MediaChanged: Talk._media,
    SendingStopped: Talk._stopped,
    SendingResumed: Talk._resumed,
    LagChanged: Talk._lag,
    IdentityChanged: Talk._changed,
    CodeReady: Talk._code_ready,
    CodeFailed: Talk._code_failed,
    TextReceived: Talk._text,
    TypingChanged: Talk._typing,
    Delivered: Talk._taken,
    Read: Talk._taken,
    Ended: Talk._ended,
}
