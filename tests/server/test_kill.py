"""``kill -9`` of the server, again and again, under load: nothing that was answered is lost, nothing comes twice.

Four calls at a time, each with a device that sends messages and commits as fast as it may, and one that takes them. The
server is killed in the middle of that and started again on the same file; devices come back when it is there. A sender
notes what it was told to be kept. In the end each receiver has all of that, in the order in which it was sent, each under one
number.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage

import tests.delivery.conftest as delivery
from e2ee.signalling import messages, wire
from e2ee.signalling.messages import SERVICE, FromDevice, ServiceMessage
from tests.delivery.conftest import Device
from tests.server.remote_town import RemoteTown

CALLS = 4
KILLS = 5
BETWEEN_KILLS = 80
"""Messages that are answered between two kills, of all calls together."""

AHEAD = 20
"""Messages that a sender has sent and not seen answered."""

PATIENCE = 60.0
"""Seconds after which the test has failed; nothing waits for them to pass."""


@dataclass
class Line:
    """A device's connection, which it makes again as often as it ends."""

    device: Device
    socket: ClientConnection | None = None

    async def online(self) -> AsyncIterator[None]:
        """Each time anew: logged in. The connection has ended when the body is left by ConnectionClosed."""
        while True:
            with contextlib.suppress(OSError, ConnectionClosed, InvalidMessage, EOFError):
                async with connect(
                    self.device.town.url,  # type: ignore[attr-defined]
                    compression=None,
                    max_size=SERVICE.max_size,
                ) as self.socket:
                    await self.say(messages.Hello((0x0100,)))
                    welcome = await self.hear()
                    assert isinstance(welcome, messages.Welcome)
                    await self.say(self.device.proof(welcome.server_nonce))
                    yield
            await asyncio.sleep(0.01)  # nobody listens: a server is on its way

    async def say(self, message: FromDevice) -> None:
        assert self.socket is not None
        await self.socket.send(wire.encode(message))

    async def hear(self) -> ServiceMessage:
        assert self.socket is not None
        return wire.decode(SERVICE, await self.socket.recv(decode=False))


@dataclass
class Sender:
    """What was sent, and what of that was answered, in order."""

    line: Line
    call_id: bytes
    progress: Callable[[], None]
    sent: list[bytes] = field(default_factory=list)
    answered: list[bytes] = field(default_factory=list)
    stopping: bool = False

    async def run(self) -> None:
        async for _ in self.line.online():
            with contextlib.suppress(ConnectionClosed):
                await self._until_closed()
            if self.stopping:
                return

    async def _until_closed(self) -> None:
        """What was under way when the last connection ended is not sent again: it came, or it did not."""
        waiting: list[bytes] = []
        while not self.stopping:
            while len(waiting) < AHEAD:
                said = self._next()
                self.sent.append(said.message)
                waiting.append(said.message)
                await self.line.say(said)
            heard = await self.line.hear()
            if isinstance(heard, messages.Stored):
                self.answered.append(waiting.pop(0))
                self.progress()
            elif not isinstance(heard, messages.LoggedIn | messages.Presence):
                await self.line.say(messages.Acknowledge(number_of(heard)))

    def _next(self) -> messages.Send:
        group = self.line.device.group
        assert group is not None
        protected = group.protect(b"%d" % len(self.sent), entropy=self.line.device.entropy)
        return messages.Send(self.call_id, protected.encode())


@dataclass
class Committer:
    """Makes commits; one that was under way when the connection ended is sent again until it is in the log or too late."""

    line: Line
    call_id: bytes
    progress: Callable[[], None]
    answered: list[bytes] = field(default_factory=list)
    stopping: bool = False
    pending: messages.Commit | None = None
    last: int = 0

    async def run(self) -> None:
        async for _ in self.line.online():
            with contextlib.suppress(ConnectionClosed):
                while not self.stopping:
                    await self._hear(await self.line.hear())
            if self.stopping:
                return

    async def _hear(self, heard: ServiceMessage) -> None:
        if isinstance(heard, messages.Presence):
            return
        if isinstance(heard, messages.Committed):
            await self.line.say(messages.Acknowledge(heard.number))
            if heard.number <= self.last:  # the server did not hear that it was taken
                return
            self.last = heard.number
            assert self.pending is not None
            assert heard.commit == self.pending.commit
            self.line.device.apply_own()
            self.answered.append(heard.commit)
            self.pending = None
            self.progress()
        # Also after "logged_in", and after a refusal: that the epoch is another one says that it came, in the mailbox.
        elif isinstance(heard, messages.Refused):
            assert heard.reason == "WRONG_EPOCH"
            return
        if self.pending is None:
            device = self.line.device
            request = device.request(device.commit())
            self.pending = messages.Commit(self.call_id, request.commit, None, None)
        await self.line.say(self.pending)


@dataclass
class Receiver:
    """Takes what comes, by number, and acknowledges now and then."""

    line: Line
    progress: Callable[[], None]
    taken: dict[int, bytes] = field(default_factory=dict)
    stopping: bool = False

    async def run(self) -> None:
        async for _ in self.line.online():
            with contextlib.suppress(ConnectionClosed):
                while not self.stopping:
                    await self._take(await self.line.hear())
            if self.stopping:
                return

    async def _take(self, heard: ServiceMessage) -> None:
        number = number_of(heard)
        if not number:
            return
        content = heard.message if isinstance(heard, messages.Sent) else heard.commit  # type: ignore[attr-defined]
        assert self.taken.setdefault(number, content) == content, f"two messages of number {number}"
        self.progress()
        if number % 7 == 0:
            await self.line.say(messages.Acknowledge(number))


def number_of(message: ServiceMessage) -> int:
    number: int = getattr(message, "number", 0)
    return number


class Load:
    """The calls, and who waits for them to get on."""

    def __init__(self, town: RemoteTown) -> None:
        self._changed = asyncio.Event()
        self.pairs: list[tuple[Sender | Committer, Receiver]] = []
        for n in range(CALLS):
            caller, callee, call_id = in_call(town, n)
            made: type[Any] = Committer if n == 0 else Sender
            sender = made(Line(caller), call_id, self._changed.set)
            receiver = Receiver(Line(callee), self._changed.set)
            self.pairs.append((sender, receiver))

    def answered(self) -> int:
        return sum(len(sender.answered) for sender, _ in self.pairs)

    def complete(self) -> bool:
        """Whether each receiver has all that its sender was told to be kept."""
        return all(
            set(sender.answered) <= set(receiver.taken.values()) for sender, receiver in self.pairs
        )

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            await self._changed.wait()


def in_call(town: RemoteTown, n: int) -> tuple[Device, Device, bytes]:
    """Two devices in the middle of a call of their own."""
    call_id = n.to_bytes(16, "big")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(delivery, "CALL_ID", call_id)
        caller, callee = town.member(f"caller {n}"), town.member(f"callee {n}", key_packages=1)
        caller.create(callee.account, call_id=call_id)
        assert caller.send(caller.opening(call_id)) == []
        request, caller.group = caller.invitation(caller.claim(f"callee {n}"))
        assert caller.send(request) == [messages.Committed(call_id, request.commit)]
        callee.join()
        answer = callee.answer()
        (committed,) = callee.send(answer)
        callee.apply_own()
        assert caller.take() == [committed]
        caller.apply(committed)
        for device in (caller, callee):
            device.acknowledge(device.numbers())
    return caller, callee, call_id


async def load_and_kill(town: RemoteTown) -> Load:
    load = Load(town)
    everybody = [each for pair in load.pairs for each in pair]
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
        for each in everybody:
            tasks.create_task(each.run())
        for kill in range(1, KILLS + 1):
            await load.until(lambda due=kill * BETWEEN_KILLS: load.answered() >= due)  # type: ignore[misc]
            town.kill()
            town.start()
        due = load.answered() + BETWEEN_KILLS
        await load.until(lambda: load.answered() >= due)
        for sender, _ in load.pairs:
            sender.stopping = True
        await load.until(load.complete)
        for each in everybody:
            each.stopping = True
        town.kill()
        town.start()  # wakes all who wait for a message
    return load


@pytest.mark.requirement("DS-9", "DS-10")
def test_nothing_that_was_answered_is_lost_and_nothing_comes_twice(tmp_path: Path) -> None:
    town = RemoteTown(tmp_path)
    with town.served():
        load = asyncio.run(load_and_kill(town))
    for sender, receiver in load.pairs:
        taken = [receiver.taken[number] for number in sorted(receiver.taken)]
        assert len(taken) == len(set(taken))  # none under two numbers
        answered = set(sender.answered)
        assert [each for each in taken if each in answered] == sender.answered  # in order
        if isinstance(sender, Sender):
            assert taken == [each for each in sender.sent if each in set(taken)]
        assert sender.answered
