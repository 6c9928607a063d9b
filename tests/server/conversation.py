"""A device's side of a conversation with a served application, over a real WebSocket."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from starlette.types import ASGIApp
from websockets.asyncio.client import ClientConnection, connect

from e2ee.server.app import PATH
from e2ee.server.serve import serve
from e2ee.signalling import messages, wire
from e2ee.signalling.messages import SERVICE, ServiceMessage
from tests.server.conftest import Device

HELLO = messages.Hello((0x0100,))


async def ask(websocket: ClientConnection, message: ServiceMessage) -> ServiceMessage:
    """Send, and wait for what comes next."""
    await websocket.send(wire.encode(message))
    return await hear(websocket)


async def hear(websocket: ClientConnection) -> ServiceMessage:
    """The next message."""
    return wire.decode(SERVICE, await websocket.recv(decode=False))


async def log_in(websocket: ClientConnection, device: Device) -> None:
    """Register and log in."""
    welcome = await ask(websocket, HELLO)
    assert isinstance(welcome, messages.Welcome)
    assert isinstance(await ask(websocket, device.register()), messages.Attested)
    assert await ask(websocket, device.login(welcome)) == messages.LoggedIn()


@contextlib.asynccontextmanager
async def connected(app: ASGIApp) -> AsyncIterator[ClientConnection]:
    """Serve ``app`` and connect to it."""
    async with serve(app) as port, connect(f"ws://127.0.0.1:{port}{PATH}") as websocket:
        yield websocket
