"""What happens to a device that is of no call: letters, missed calls, the connection to the service.

Whatever a command came online for, letters that wait come then, and once: so every command shows them.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from e2ee.call.end_reason import EndReason
from e2ee.call.events import (
    DeviceRenewed,
    Event,
    LetterFailed,
    LetterReceived,
    LetterStored,
    Missed,
    RequestRefused,
)
from e2ee.cli.calls.output import Output
from e2ee.cli.calls.shown import STATES, isolated, visible
from e2ee.client.client import Client, ServiceLostEvent, ServiceRegained
from e2ee.signalling.messages import MissedCall, Note, Renew, VoiceMessage

__all__ = ["Outside", "file_name", "watching"]

_NOTED_WITHIN = 5.0
"""Seconds in which the service may take the note of a missed call."""

_WHY_MISSED = {
    EndReason.BUSY: "this device was in another call",
    EndReason.CANCELLED: "they gave up",
    EndReason.TIMEOUT: "nobody answered here",
    EndReason.ANSWERED_ELSEWHERE: "answered on another device",
}


def file_name(account_id: str, at: int, suffix: str) -> str:
    """A name for a file about somebody, at Unix milliseconds: nothing of the account's name leaves the directory."""
    stem = re.sub(r"[^A-Za-z0-9_-]", "_", account_id)
    return f"{stem}-{datetime.fromtimestamp(at / 1000):%Y%m%d-%H%M%S-%f}{suffix}"


@contextlib.asynccontextmanager
async def watching(client: Client, output: Output, out: Path) -> AsyncIterator[Outside]:
    """Show what happens while the context lasts, up to its last moment. ``out``: where voice messages are kept."""
    outside = Outside(client, output, out)
    task = asyncio.ensure_future(outside.watch())
    try:
        yield outside
    finally:
        await asyncio.sleep(0)  # what has come already is shown
        task.cancel()


class Outside:
    """See the module. Voice messages are written to the directory ``out``, which is made for its owner only."""

    def __init__(self, client: Client, output: Output, out: Path) -> None:
        self._client = client
        self._output = output
        self._out = out
        self._missed_calls: set[bytes] = set()
        """Those that were shown: a device may find both the call and the note of it."""
        self._noted: asyncio.Queue[bool] = asyncio.Queue()
        self.renewed: asyncio.Queue[bytes | None] = asyncio.Queue()
        """Whose certificate the service has anew, by the signature key; None: it refused one."""

    async def watch(self) -> None:
        """Show event after event."""
        async for event in self._client:
            if (show := _SHOWN.get(type(event))) is not None:
                show(self, event)

    async def noted(self) -> None:
        """Wait until the note that a call left by itself is kept, and say so."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_NOTED_WITHIN):
                if await self._noted.get():
                    self._output.tell("missed_call_noted", "they will find a note of this call")
                    return
        self._output.tell("missed_call_not_noted", "no note of this call could be left")

    def _is_news(self, call_id: bytes) -> bool:
        news = call_id not in self._missed_calls
        self._missed_calls.add(call_id)
        return news

    def _letter(self, event: LetterReceived) -> None:
        if isinstance(event.message, MissedCall) and not self._is_news(event.message.call_id):
            return
        who, at = event.sender.account_id, event.message.created_at
        when = f"{datetime.fromtimestamp(at / 1000):%Y-%m-%d %H:%M}"
        what, fields = _LETTERS[type(event.message)](self, who, event.message)
        text = f"{when}  {isolated(who)} ({STATES[event.contact]}) {what}"
        self._output.tell(
            "letter", text, "bold", account=who, contact=event.contact, created_at=at, **fields
        )

    def _missed_call(self, _: str, message: MissedCall) -> tuple[str, dict[str, object]]:
        kind = visible(message.medium)
        return f"called ({kind})", {"kind": "missed_call", "medium": message.medium}

    def _note(self, _: str, message: Note) -> tuple[str, dict[str, object]]:
        return f"left a note:\n  {isolated(message.text)}", {"kind": "note", "text": message.text}

    def _voice(self, who: str, message: VoiceMessage) -> tuple[str, dict[str, object]]:
        from e2ee.rtc.voice_message import write_voice  # noqa: PLC0415 - few letters speak

        path = self._out / file_name(who, message.created_at, ".ogg")
        fields: dict[str, object] = {"kind": "voice_message", "file": str(path)}
        try:
            self._out.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_voice(message.audio, path)
        except OSError as error:
            return f"left a voice message, which is lost: {error}", {**fields, "file": None}
        return f"left a voice message: {path}", fields

    def _missed(self, event: Missed) -> None:
        if not self._is_news(event.call_id):
            return
        who = event.caller.account_id
        why = _WHY_MISSED.get(event.reason, str(event.reason))
        text = f"missed: {isolated(who)} called ({event.medium}); {why}"
        fields = {"account": who, "medium": event.medium, "reason": event.reason}
        self._output.tell("missed", text, "bold", **fields)

    def _lost(self, event: ServiceLostEvent) -> None:
        self._output.tell("service_lost", f"the service is lost ({visible(event.detail)})", "red")

    def _regained(self, _: ServiceRegained) -> None:
        self._output.tell("service_regained", "the service is there again")

    def _refused(self, event: RequestRefused) -> None:
        text = f"the service refused {event.request}: {visible(f'{event.reason} {event.detail}')}"
        self._output.tell("refused", text, "red", request=event.request, reason=event.reason)
        if event.request == Renew.name:
            self.renewed.put_nowait(None)

    def _renewed(self, event: DeviceRenewed) -> None:
        self.renewed.put_nowait(event.signature_key)

    def _posted(self, event: LetterStored | LetterFailed) -> None:
        self._noted.put_nowait(isinstance(event, LetterStored))


_LETTERS: Mapping[type[Any], Callable[[Outside, str, Any], tuple[str, dict[str, object]]]] = {
    MissedCall: Outside._missed_call,
    Note: Outside._note,
    VoiceMessage: Outside._voice,
}
_SHOWN: Mapping[type[Event], Callable[[Outside, Any], None]] = {
    LetterReceived: Outside._letter,
    Missed: Outside._missed,
    ServiceLostEvent: Outside._lost,
    ServiceRegained: Outside._regained,
    RequestRefused: Outside._refused,
    DeviceRenewed: Outside._renewed,
    LetterStored: Outside._posted,
    LetterFailed: Outside._posted,
}
