"""The shell on a WebSocket in memory: who does not read is let go, and costs nobody else anything."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.websockets import WebSocket

from e2ee.delivery.service import DeliveryService
from e2ee.server.outbox import Outbox
from e2ee.server.websocket import WebSocketShell
from e2ee.signalling import messages, wire
from e2ee.signalling.messages import SERVICE, ServiceMessage

SCOPE = {"type": "websocket", "path": "/v1", "headers": [], "query_string": b""}


class Wire:
    """An ASGI connection: what a device sends goes in, what the server sends comes out, or nothing does."""

    def __init__(self) -> None:
        self.to_server: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.from_server: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.reads = asyncio.Event()
        self.reads.set()
        self.to_server.put_nowait({"type": "websocket.connect"})

    async def send(self, event: Any) -> None:
        if event["type"] == "websocket.send":
            await self.reads.wait()
        await self.from_server.put(event)

    def say(self, message: ServiceMessage) -> None:
        self.to_server.put_nowait({"type": "websocket.receive", "bytes": wire.encode(message)})

    async def hear(self) -> ServiceMessage:
        event = await self.from_server.get()
        assert event["type"] == "websocket.send"
        return wire.decode(SERVICE, event["bytes"])

    def websocket(self) -> WebSocket:
        return WebSocket(SCOPE, self.to_server.get, self.send)


HELLO = messages.Hello((0x0100,))


@pytest.mark.requirement("DS-7")
@pytest.mark.parametrize(
    "outbox",
    [lambda: Outbox(max_messages=3), lambda: Outbox(max_bytes=400)],
    ids=["messages", "bytes"],
)
def test_who_does_not_read_is_disconnected(service: DeliveryService, outbox: Any) -> None:
    async def run() -> None:
        shell = WebSocketShell(service, lambda: 0, new_outbox=outbox)
        slow, other = Wire(), Wire()
        slow_task = asyncio.create_task(shell.connection(slow.websocket()))
        other_task = asyncio.create_task(shell.connection(other.websocket()))
        for wire_ in (slow, other):
            assert (await wire_.from_server.get())["type"] == "websocket.accept"
        slow.reads.clear()
        for _ in range(20):
            slow.say(HELLO)
        await slow_task
        assert await slow.from_server.get() == {
            "type": "websocket.close",
            "code": 1008,
            "reason": "TOO_MANY_WAITING_MESSAGES",
        }
        for _ in range(20):
            other.say(HELLO)
            assert isinstance(await other.hear(), messages.Welcome)
        other.to_server.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await other_task

    asyncio.run(run())


def test_messages_go_out_in_their_order(service: DeliveryService) -> None:
    async def run() -> None:
        shell = WebSocketShell(service, lambda: 0)
        device = Wire()
        task = asyncio.create_task(shell.connection(device.websocket()))
        await device.from_server.get()
        device.reads.clear()
        for version in (0x0100, 0x0900, 0x0100):
            device.say(messages.Hello((version,)))
        device.reads.set()
        heard = [await device.hear() for _ in range(3)]
        assert [message.name for message in heard] == ["welcome", "refused", "welcome"]
        device.to_server.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await task

    asyncio.run(run())


@pytest.mark.requirement("SIG-3")
def test_an_oversized_message_is_refused_whatever_server_runs_this(
    service: DeliveryService,
) -> None:
    async def run() -> None:
        shell = WebSocketShell(service, lambda: 0)
        device = Wire()
        task = asyncio.create_task(shell.connection(device.websocket()))
        await device.from_server.get()
        oversized = bytes(SERVICE.max_size + 1)
        device.to_server.put_nowait({"type": "websocket.receive", "bytes": oversized})
        await task
        assert await device.from_server.get() == {
            "type": "websocket.close",
            "code": 1009,
            "reason": "TOO_LARGE",
        }

    asyncio.run(run())


def test_a_fault_of_ours_ends_the_connection_and_is_seen(service: DeliveryService) -> None:
    """An observer that fails is such a fault: the server that runs this reports it."""

    def faulty(_connection_id: int, _message: ServiceMessage) -> None:
        raise ZeroDivisionError

    async def run() -> None:
        shell = WebSocketShell(service, lambda: 0, observer=faulty)
        device = Wire()
        device.say(HELLO)
        with pytest.raises(ExceptionGroup) as failed:
            await shell.connection(device.websocket())
        assert failed.group_contains(ZeroDivisionError)

    asyncio.run(run())
