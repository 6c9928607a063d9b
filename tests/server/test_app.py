"""The real server over real WebSockets on this machine, and mounted in another application."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError

from e2ee.delivery.service import DeliveryService
from e2ee.server.app import PATH, create_app
from e2ee.server.serve import serve
from e2ee.signalling import messages, wire
from e2ee.signalling.messages import SERVICE, FromService, ServiceMessage

if TYPE_CHECKING:
    from tests.server.conftest import Device

NOW = 1_800_000_000_000

Story = Callable[[ClientConnection], Awaitable[None]]


async def ask(websocket: ClientConnection, message: ServiceMessage) -> ServiceMessage:
    """Send, and wait for what comes next."""
    await websocket.send(wire.encode(message))
    return await hear(websocket)


async def hear(websocket: ClientConnection) -> ServiceMessage:
    received = await websocket.recv()
    assert isinstance(received, bytes)
    return wire.decode(SERVICE, received)


def over_websocket(app: ASGIApp, *stories: Story, path: str = PATH) -> None:
    """Serve ``app``, and let each story have a connection of its own, one after the other."""

    async def run() -> None:
        async with serve(app) as port:
            for story in stories:
                async with connect(f"ws://127.0.0.1:{port}{path}") as websocket:
                    await story(websocket)

    asyncio.run(run())


def closing(message: bytes | str) -> Callable[[ClientConnection, list[int]], Awaitable[None]]:
    async def story(websocket: ClientConnection, codes: list[int]) -> None:
        await websocket.send(message)
        with pytest.raises(ConnectionClosedError) as closed:
            await websocket.recv()
        assert closed.value.rcvd is not None
        codes.append(closed.value.rcvd.code)

    return story


def close_code(app: ASGIApp, message: bytes | str) -> int:
    """With what the connection is closed when this is sent."""
    codes: list[int] = []
    story = closing(message)
    over_websocket(app, lambda websocket: story(websocket, codes))
    return codes[0]


def test_a_device_logs_in_publishes_and_is_superseded(
    service: DeliveryService, alice: Device
) -> None:
    observed: list[tuple[int, ServiceMessage]] = []
    app = create_app(service, now=lambda: NOW, observer=lambda *seen: observed.append(seen))

    async def log_in(websocket: ClientConnection) -> None:
        welcome = await ask(websocket, messages.Hello((0x0100,)))
        assert isinstance(welcome, messages.Welcome)
        assert await ask(websocket, alice.login(welcome)) == messages.LoggedIn()

    async def run() -> None:
        async with serve(app) as port:
            url = f"ws://127.0.0.1:{port}{PATH}"
            async with connect(url) as first, connect(url) as second:
                await ask(first, messages.Hello((0x0100,)))
                assert isinstance(await ask(first, alice.register()), messages.Attested)
                await log_in(first)
                assert await ask(first, messages.Publish(())) == messages.Published(0)
                assert await ask(first, messages.Find("alice")) == messages.Devices("alice", ())
                await log_in(second)
                notice = await hear(first)
                assert isinstance(notice, messages.Refused)
                assert notice.reason == "SUPERSEDED"

    asyncio.run(run())
    from_service = [message for _, message in observed if isinstance(message, FromService)]
    names = [message.name for message in from_service]
    assert names == [
        *("welcome", "attested", "welcome", "logged_in", "published", "devices"),
        *("welcome", "logged_in", "refused"),
    ]
    assert {connection for connection, _ in observed} == {1, 2}


def test_a_device_that_is_gone_leaves_nothing(service: DeliveryService, alice: Device) -> None:
    app = create_app(service, now=lambda: NOW)

    async def log_in(websocket: ClientConnection) -> None:
        welcome = await ask(websocket, messages.Hello((0x0100,)))
        assert isinstance(welcome, messages.Welcome)
        await ask(websocket, alice.register())
        assert await ask(websocket, alice.login(welcome)) == messages.LoggedIn()

    async def log_in_undisturbed(websocket: ClientConnection) -> None:
        await log_in(websocket)
        assert await ask(websocket, messages.Publish(())) == messages.Published(0)

    over_websocket(app, log_in, log_in_undisturbed)


@pytest.mark.requirement("SIG-2")
def test_what_does_not_decode_is_refused_and_the_connection_stays(service: DeliveryService) -> None:
    async def story(websocket: ClientConnection) -> None:
        for data, reason in (
            (b"", "TRUNCATED"),
            (b"\xc1", "NOT_MESSAGEPACK"),
            (b"\x91\xa5howdy", "UNKNOWN_MESSAGE"),
            (b"\x92\xa6hangup\xa4done", "UNKNOWN_MESSAGE"),
            (b"\x92\xa5hello\x91\xcd\x00\x01", "NOT_CANONICAL"),
        ):
            await websocket.send(data)
            refused = await hear(websocket)
            assert isinstance(refused, messages.Refused)
            assert (refused.request, refused.call_id, refused.reason) == ("", None, reason)
        assert isinstance(await ask(websocket, messages.Hello((0x0100,))), messages.Welcome)

    over_websocket(create_app(service), story)


@pytest.mark.requirement("SIG-3")
def test_an_oversized_message_ends_the_connection(service: DeliveryService) -> None:
    assert close_code(create_app(service), bytes(SERVICE.max_size + 1)) == 1009


def test_a_text_frame_ends_the_connection(service: DeliveryService) -> None:
    assert close_code(create_app(service), "hello") == 1003


def test_it_can_be_mounted(service: DeliveryService) -> None:
    async def story(websocket: ClientConnection) -> None:
        assert isinstance(await ask(websocket, messages.Hello((0x0100,))), messages.Welcome)

    mounted = Starlette(routes=[Mount("/calls", create_app(service))])
    over_websocket(mounted, story, path=f"/calls{PATH}")


def test_it_tells_that_it_lives(service: DeliveryService) -> None:
    async def run() -> bytes:
        async with serve(create_app(service)) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
            return answer

    answer = asyncio.run(run())
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"ok")


def test_a_port_that_is_taken_is_an_error(service: DeliveryService) -> None:
    async def run() -> None:
        async with serve(create_app(service)) as port:
            with pytest.raises(OSError):  # noqa: PT011 - the system's words differ
                async with serve(create_app(service), port=port):
                    pass

    asyncio.run(run())
