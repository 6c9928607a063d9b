"""The client under test, as scenarios see it: it is asked to do something, and tells what happens to it.

    await client.do("call", account="probe", medium="text")
    await client.told("ended", reason="declined")

``Subject`` is what a scenario uses; ``DrivenClient`` a client with a driver, whichever way that came (``Channel``), and
``person.Person`` somebody at a terminal with any client at all.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, Protocol

from e2ee.conformance.adapter_protocol import NotTheProtocol
from e2ee.conformance.channel import Channel, Gone, NotStarted, Silent
from e2ee.conformance.peer.driver_protocol import (
    ACTIONS,
    Done,
    DriverHello,
    Event,
    NotDone,
    do_line,
    hello_line,
    read_hello,
    read_said,
)
from e2ee.conformance.peer.findings import ClientFault, Journal, NotSupported
from e2ee.conformance.peer.recorded import Recorded
from e2ee.conformance.shown import shown_json

__all__ = ["DrivenClient", "Subject"]

A_DAY = 86_400.0

Members = Mapping[str, Any]


class Subject(Protocol):
    """The client under test. ``events`` is all that it told in this scenario."""

    hello: DriverHello
    events: list[Event]

    async def do(self, action: str, **given: Any) -> Members:
        """Have it do something; gives what came of it. Raises ClientFault, NotSupported, Gone, NotTheProtocol."""

    async def told(self, name: str, *, unless: str = "", **fields: Any) -> Members:
        """The next event of this name with these members, which is taken; it may have come already.

        Raises ClientFault if an event ``unless`` has come, or comes before it."""

    def begin(self, journal: Journal) -> None:
        """Another scenario begins: what came before is forgotten."""

    def close(self) -> str | None:
        """End it; what was not in good order about it."""

    def kill(self) -> None:
        """End it at once."""

    def last_words(self) -> list[str]:
        """For people: what it said elsewhere."""


class DrivenClient:
    """See the module; every line goes to ``transcript``, too. Raises NotStarted if the driver does not say hello in time."""

    def __init__(
        self, channel: Channel, specification: str, seconds: float, transcript: BinaryIO
    ) -> None:
        channel = self._channel = Recorded(channel, transcript)
        self.hello = _hello(channel, specification, seconds)
        self._journal = Journal()
        self.events = list[Event]()
        self._taken = set[int]()
        """Which of the events a scenario has asked for."""
        self._answers = dict[int, Done | NotDone]()
        self._number = 0
        self._broken: Exception | None = None
        self._came = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._listen, daemon=True).start()

    def begin(self, journal: Journal) -> None:
        """See Subject."""
        self._journal = journal
        self.events.clear()
        self._taken.clear()

    async def do(self, action: str, **given: Any) -> Members:
        """See Subject."""
        feature = ACTIONS[action]
        if feature and feature not in self.hello.features:
            raise NotSupported(f"the driver does not declare {feature}")
        self._number += 1
        number = self._number
        self._journal.note(f"the client is asked to {action} {shown_json(_brief(given), 120)}")
        self._channel.send(do_line(number, action, given))
        await self._until(lambda: number in self._answers, f"the client to {action}")
        match self._answers.pop(number):
            case Done() as done:
                return done.members
            case NotDone(unsupported=True, reason=reason):
                raise NotSupported(f"{action}: {reason}")
            case NotDone(reason=reason):
                raise ClientFault(f"did not {action}: {reason}")

    async def told(self, name: str, *, unless: str = "", **fields: Any) -> Members:
        """See Subject."""

        def found() -> int | None:
            return next(
                (
                    at
                    for at, event in enumerate(self.events)
                    if at not in self._taken and event.has(name, fields)
                ),
                None,
            )

        await self._until(
            lambda: found() is not None or any(each.name == unless for each in self.events),
            f"the client to tell {name} {shown_json(fields)}",
        )
        if (
            instead := next((each for each in self.events if each.name == unless), None)
        ) is not None:
            raise ClientFault(f"tells {unless} {shown_json(_brief(instead.members))}")
        at = found()
        assert at is not None  # noqa: S101 - that was waited for
        self._taken.add(at)
        return self.events[at].members

    def close(self) -> str | None:
        """See Subject."""
        return self._channel.close()

    def kill(self) -> None:
        """See Subject."""
        self._channel.kill()

    def last_words(self) -> list[str]:
        """See Subject."""
        return self._channel.last_words()

    async def _until(self, there: Callable[[], bool], what: str) -> None:
        self._journal.awaits(what)
        while not there():
            if self._broken is not None:
                raise self._broken
            self._came.clear()
            await self._came.wait()

    def _listen(self) -> None:
        """In a thread: whatever the driver says, until it says no more."""
        heard: Done | NotDone | Event | Exception
        while True:
            try:
                heard = read_said(self._channel.receive(A_DAY))
            except Silent:
                continue
            except (Gone, NotTheProtocol) as error:
                heard = error
            try:
                self._loop.call_soon_threadsafe(self._take, heard)
            except RuntimeError:  # the run is over
                return
            if isinstance(heard, Exception):
                return

    def _take(self, heard: Done | NotDone | Event | Exception) -> None:
        match heard:
            case Event(name, members):
                self._journal.note(f"the client tells {name} {shown_json(_brief(members), 120)}")
                self.events.append(heard)
            case Done(number) | NotDone(number):
                self._answers[number] = heard
            case Exception():
                self._broken = heard
        self._came.set()


def _hello(channel: Channel, specification: str, seconds: float) -> DriverHello:
    channel.send(hello_line(specification))
    try:
        return read_hello(channel.receive(seconds))
    except (Silent, Gone, NotTheProtocol) as error:
        channel.kill()
        why = str(error) or f"did not say hello within {seconds:g} s"
        words = "".join(f"\n  | {line}" for line in channel.last_words())
        raise NotStarted(f"the driver {why}{words}") from error


def _brief(members: Members) -> Members:
    """Without what is in every message, and what is long."""
    return {
        key: members[key]
        for key in members
        if key not in {"type", "event", "members", "directory_keys"}
    }
