"""``python -m e2ee.conformance.peer.driver``: this library's client, for ``e2ee conformance peer --``.

Also the example of a driver (``spec/conformance.md``, Live peers): it does what it is asked to with ``e2ee.client``, and
writes what the client tells in the words of the scripts of calls. It decides nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any

from websockets.asyncio.client import connect

import e2ee
from e2ee.call.events import Ended, Event
from e2ee.call.group.events import GroupCallOpened
from e2ee.call.medium import Medium
from e2ee.call.spoken_code import CodeReady
from e2ee.client.call import Call, Connected
from e2ee.client.client import Client, GroupInvitation, Invitation
from e2ee.client.group_call import GroupCall
from e2ee.client.key_store import Service
from e2ee.client.media import Media, Network
from e2ee.client.online import online
from e2ee.client.profile import Profile
from e2ee.conformance.adapter.call_script_events import report
from e2ee.conformance.adapter_protocol import MAXIMUM_LINE
from e2ee.conformance.launched import URL
from e2ee.errors import E2EEError
from e2ee.identity.attestation import DirectoryKeys
from e2ee.media.encoded_frame import Kind
from e2ee.rtc.sources import TestPicture, Tone

__all__ = ["Driver", "main"]

FEATURES = ["media", "tone", "counts", "codes", "block", "group", "host"]
TONE = 440.0

Given = Mapping[str, Any]
Came = dict[str, Any]


class Driver:
    """Holds one client. ``write`` is given each line."""

    def __init__(self, write: Callable[[Came], None]) -> None:
        self._write = write
        self._stack = AsyncExitStack()
        self._client: Client | None = None
        self._ringing: Invitation | GroupInvitation | None = None
        self._call: Call | GroupCall | None = None
        self._opened: asyncio.Future[str] | None = None
        self._watching = set[asyncio.Task[None]]()

    async def run(self, lines: AsyncIterator[bytes]) -> None:
        """Do what the lines say, one after the other, until there are no more."""
        async for line in lines:
            match json.loads(line):
                case {"type": "hello"}:
                    hello = {"name": "e2ee-calling", "version": e2ee.__version__}
                    self._write({"type": "hello", "protocol": 1, **hello, "features": FEATURES})
                case {"type": "do", "number": number, "action": str(action)} as asked:
                    self._write({"number": number, **await self._done(action, asked)})
        await self.reset({})

    async def _done(self, action: str, given: Given) -> Came:
        if action not in _ACTIONS:
            return {"type": "unsupported", "reason": f"no action {action}"}
        try:
            return {"type": "done", **(await _ACTIONS[action](self, given) or {})}
        except (E2EEError, LookupError) as error:
            return {"type": "failed", "reason": f"{type(error).__name__}: {error}"}

    # The device

    async def register(self, given: Given) -> None:
        """Come online as a new account."""
        profile = Profile.in_memory()
        keys = {int(key): bytes.fromhex(value) for key, value in given["directory_keys"].items()}
        service = Service(given["url"], given["server_name"], DirectoryKeys(keys))
        profile.create(given["account"], service)
        loopback = Network(host_addresses=["127.0.0.1"]) if "127.0.0.1" in given["url"] else None
        going_online = online(profile, token=given["token"], network=loopback)
        self._client = client = await self._stack.enter_async_context(going_online)
        await client.published()
        self._watch(self._follow(aiter(client)))
        self._watch(self._await_rings(client))

    async def reset(self, _: Given) -> None:
        """Leave all calls and the service, and forget the account."""
        await self._stack.aclose()
        for task in self._watching:
            task.cancel()
        self._stack, self._watching = AsyncExitStack(), set()
        self._client = self._ringing = self._call = self._opened = None

    async def block(self, given: Given) -> None:
        """Let an account ring no more."""
        self._online.trust.block(given["account"])

    # Calls

    async def call(self, given: Given) -> None:
        """Call an account."""
        medium = Medium(given["medium"])
        self._take(self._online.call(given["account"], _media(medium), medium=medium))

    async def answer(self, _: Given) -> None:
        """Take what rings."""
        match self._ringing:
            case Invitation() as invitation:
                self._take(invitation.answer(_media(invitation.ringing.medium)))
            case GroupInvitation() as invitation:
                self._take(await invitation.answer(_media(Medium.VIDEO)))
            case None:
                raise LookupError("nothing rings")

    async def decline(self, given: Given) -> None:
        """Do not."""
        if self._ringing is None:
            raise LookupError("nothing rings")
        self._ringing.decline(given.get("text", ""))

    async def hang_up(self, _: Given) -> None:
        """End the call, or leave it."""
        match self._call:
            case Call() as call:
                call.hang_up()
            case GroupCall() as call:
                call.leave()

    async def meet(self, _: Given) -> Came:
        """Make a group call; gives its link."""
        self._opened = asyncio.get_running_loop().create_future()
        self._take(self._online.meet(_media(Medium.VIDEO)))
        return {"link": await self._opened}

    async def join(self, given: Given) -> None:
        """Ask to join a group call."""
        self._take(self._online.join(given["link"], _media(Medium.VIDEO)))

    async def remove(self, given: Given) -> None:
        """As a host."""
        call = self._in_call
        assert isinstance(call, GroupCall)  # noqa: S101 - the scenario's
        account_id = given["account"]
        (member,) = (each for each in call.members if each.account_id == account_id)
        call.remove(member)

    # In a call

    async def say(self, given: Given) -> None:
        """Send a text."""
        self._in_call.say(given["text"])

    async def mute(self, given: Given) -> None:
        """Send no sound, or again."""
        (self._in_call.mute if given["on"] else self._in_call.unmute)()

    async def compare(self, _: Given) -> Came:
        """What two people read to each other."""
        call = self._in_call
        codes = {"call_code": call.call_code}
        return codes | ({"safety_number": call.safety_number} if isinstance(call, Call) else {})

    async def begin_code(self, _: Given) -> None:
        """Ask for a spoken code, or join in."""
        self._in_call.begin_code()

    async def state(self, _: Given) -> Came:
        """Whether there is a call, and what it opened."""
        call = self._call
        if call is None or call.is_over:
            return {"in_call": False}
        return {"in_call": True, "received": _counts(call.statistics.received)}

    # Inside

    @property
    def _online(self) -> Client:
        if self._client is None:
            raise LookupError("not registered")
        return self._client

    @property
    def _in_call(self) -> Call | GroupCall:
        if self._call is None:
            raise LookupError("in no call")
        return self._call

    def _take(self, call: Call | GroupCall) -> None:
        self._call = call
        self._watch(self._follow(aiter(call)))

    def _watch(self, watching: Awaitable[None]) -> None:
        self._watching.add(asyncio.ensure_future(watching))

    async def _await_rings(self, client: Client) -> None:
        while True:
            self._ringing = invitation = await client.any_invitation()
            self._tell(invitation.ringing)
            self._watch(self._await_over(invitation))

    async def _await_over(self, invitation: Invitation | GroupInvitation) -> None:
        self._tell(await invitation.over())

    async def _follow(self, events: AsyncIterator[Event]) -> None:
        async for event in events:
            self._tell(event)

    def _tell(self, event: Event) -> None:
        if (
            isinstance(event, GroupCallOpened)
            and self._opened
            and isinstance(self._call, GroupCall)
        ):
            self._opened.set_result(self._call.link or "")
        if (told := _told(event)) is not None:
            self._write({"type": "event", **told})


def _told(event: Event) -> Came | None:
    """An event in the words of the scripts of calls, and three more."""
    match event:
        case Connected():
            return {"event": "connected"}
        case CodeReady(code=code):
            return {"event": "code", "digits": code.digits}
        case Ended(reason=reason, text=text):
            return {"event": "ended", "reason": reason.value, "text": text}
    return report(event, None)


def _media(medium: Medium) -> Media:
    if medium is Medium.TEXT:
        return Media()
    return Media(TestPicture() if medium is Medium.VIDEO else None, Tone(TONE))


def _counts(received: Mapping[Any, Any]) -> Came:
    """By kind, over all members."""
    counts: dict[str, dict[str, int]] = {}
    for stream, each in received.items():
        kind = stream if isinstance(stream, Kind) else stream.kind
        count = counts.setdefault(kind.name.lower(), {"opened": 0, "refused": 0})
        count["opened"] += each.opened
        count["refused"] += sum(each.rejected.values())
    return counts


_ACTIONS: Mapping[str, Callable[[Driver, Given], Awaitable[Came | None]]] = {
    "register": Driver.register,
    "reset": Driver.reset,
    "block": Driver.block,
    "call": Driver.call,
    "answer": Driver.answer,
    "decline": Driver.decline,
    "hang_up": Driver.hang_up,
    "leave": Driver.hang_up,
    "meet": Driver.meet,
    "join": Driver.join,
    "remove": Driver.remove,
    "say": Driver.say,
    "mute": Driver.mute,
    "compare": Driver.compare,
    "begin_code": Driver.begin_code,
    "state": Driver.state,
}


async def _lines() -> AsyncIterator[bytes]:
    """Standard input's."""
    reader = asyncio.StreamReader(limit=MAXIMUM_LINE)
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while line := await reader.readline():
        yield line


def _write(message: Came) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


async def _by_websocket(url: str) -> None:
    """CONF-4: a driver whose standard input is out of reach, as in a page."""
    said = asyncio.Queue[Came]()
    async with connect(url, compression=None, max_size=MAXIMUM_LINE) as connection:

        async def lines() -> AsyncIterator[bytes]:
            async for message in connection:
                yield message if isinstance(message, bytes) else message.encode()

        async def write() -> None:
            while True:
                await connection.send(json.dumps(await said.get()))

        writing = asyncio.ensure_future(write())
        await Driver(said.put_nowait).run(lines())
        writing.cancel()


def main() -> None:
    """Until standard input ends, or the WebSocket that the environment names."""
    url = os.environ.get(URL)
    asyncio.run(_by_websocket(url) if url else Driver(_write).run(_lines()))


if __name__ == "__main__":
    main()
