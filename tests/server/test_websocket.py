"""The shell on a WebSocket in memory: who does not read is let go, and costs nobody else anything."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from starlette.websockets import WebSocket

import e2ee.server.websocket as shell_module
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.delivery.admission import Applicant
from e2ee.delivery.limits import CONNECTION_BYTES, CONNECTION_EXCESS, CONNECTION_MESSAGES
from e2ee.delivery.rates import Rate
from e2ee.delivery.service import DeliveryService
from e2ee.delivery.store import MemoryStore, Transaction
from e2ee.server.outbox import Outbox
from e2ee.server.websocket import WebSocketShell
from e2ee.signalling import messages, wire
from e2ee.signalling.messages import SERVICE, ServiceMessage

if TYPE_CHECKING:
    from tests.server.conftest import Device

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


@pytest.mark.requirement("DS-7")
def test_who_goes_on_sending_too_much_is_closed(
    service: DeliveryService, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert CONNECTION_EXCESS.amount == 1_000
    for limit in ("CONNECTION_MESSAGES", "CONNECTION_EXCESS"):
        monkeypatch.setattr(shell_module, limit, Rate(2, 1_000))

    async def run() -> None:
        shell = WebSocketShell(service, lambda: 0)
        device = Wire()
        task = asyncio.create_task(shell.connection(device.websocket()))
        await device.from_server.get()
        for _ in range(5):
            device.say(HELLO)
        await task
        said = [device.from_server.get_nowait() for _ in range(device.from_server.qsize())]
        assert said[-1] == {"type": "websocket.close", "code": 1008, "reason": "RATE_LIMITED"}

    asyncio.run(run())


@pytest.mark.requirement("DS-7")
@pytest.mark.parametrize("limit", ["CONNECTION_MESSAGES", "CONNECTION_BYTES"])
def test_who_sends_too_much_is_refused_and_stays(
    service: DeliveryService, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    assert (CONNECTION_MESSAGES.amount, CONNECTION_BYTES.amount) == (2_000, 32 << 20)
    size = len(wire.encode(HELLO)) if limit == "CONNECTION_BYTES" else 1
    monkeypatch.setattr(shell_module, limit, Rate(2 * size, 1_000))

    async def run() -> None:
        now = [0]
        shell = WebSocketShell(service, lambda: now[0])
        device, other = Wire(), Wire()
        tasks = [asyncio.create_task(shell.connection(w.websocket())) for w in (device, other)]
        for each in (device, other):
            await each.from_server.get()
        for _ in range(3):
            device.say(HELLO)
        heard = [await device.hear() for _ in range(3)]
        assert [type(message) for message in heard[:2]] == [messages.Welcome] * 2
        assert isinstance(heard[2], messages.Refused)
        assert (heard[2].request, heard[2].reason) == ("hello", "RATE_LIMITED")
        device.to_server.put_nowait({"type": "websocket.receive", "bytes": b"junk"})
        junk = await device.hear()
        assert isinstance(junk, messages.Refused)
        assert (junk.request, junk.reason) == ("", "RATE_LIMITED")
        other.say(HELLO)
        assert isinstance(await other.hear(), messages.Welcome)
        now[0] += 500
        device.say(HELLO)
        assert isinstance(await device.hear(), messages.Welcome)
        for each in (device, other):
            each.to_server.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.gather(*tasks)

    asyncio.run(run())


@pytest.mark.requirement("DS-9")
def test_a_store_that_fails_ends_all_connections(service: DeliveryService) -> None:
    """Sessions may be ahead of the store, so everybody comes back and finds what was kept."""

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        shell = WebSocketShell(service, lambda: 0)
        wires = [Wire(), Wire()]
        tasks = [asyncio.create_task(shell.connection(each.websocket())) for each in wires]
        for each in wires:
            await each.from_server.get()
        works = service._store.transaction

        def fails() -> Any:
            service._store.transaction = works  # type: ignore[method-assign]
            raise OSError("no space left on device")

        service._store.transaction = fails  # type: ignore[method-assign]
        wires[0].say(HELLO)
        await asyncio.gather(*tasks)
        for each in wires:
            assert await each.from_server.get() == {
                "type": "websocket.close",
                "code": 1011,
                "reason": "STORE_FAILED",
            }

    asyncio.run(run())


@pytest.mark.requirement("DS-8")
def test_a_token_names_the_applications_user(service: DeliveryService, alice: Device) -> None:
    seen: list[tuple[str, str | None]] = []

    def admission(_tx: Transaction, applicant: Applicant, _now: int) -> bool:
        seen.append((applicant.token, applicant.user))
        return True

    async def authenticate(token: str) -> str | None:
        return {"alice's token": "alice"}.get(token)

    async def run() -> None:
        admitting = DeliveryService(
            service._service.identity, MemoryStore(), SeededEntropy(b""), admission=admission
        )
        shell = WebSocketShell(admitting, lambda: 0, authenticate=authenticate)
        device = Wire()
        task = asyncio.create_task(shell.connection(device.websocket()))
        await device.from_server.get()
        device.say(HELLO)
        await device.hear()
        device.say(replace(alice.register(), token="alice's token"))  # noqa: S106 - a test's
        assert isinstance(await device.hear(), messages.Attested)
        device.to_server.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await task

    asyncio.run(run())
    assert seen == [("alice's token", "alice")]
