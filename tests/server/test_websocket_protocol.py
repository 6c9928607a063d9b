"""Connections whose other end sends what is no message, or takes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from e2ee.delivery.service import DeliveryService
from e2ee.server import websocket_protocol
from e2ee.server.app import PATH, create_app
from e2ee.server.serve import serve

PING = Frame(Opcode.PING, b"")
FRAGMENT = Frame(Opcode.CONT, b"", fin=False)


@pytest.mark.parametrize(
    ("first", "frame"),
    [(b"", PING), (Frame(Opcode.BINARY, b"", fin=False).serialize(mask=True), FRAGMENT)],
    ids=["pings", "fragments"],
)
def test_frames_that_are_no_messages_have_an_end(
    service: DeliveryService, first: bytes, frame: Frame
) -> None:
    """They cost no message of DS-7, and would keep the event loop from everybody else."""

    async def run() -> None:
        async with serve(create_app(service)) as port, connect(_url(port)) as websocket:
            frames = 2 * websocket_protocol.FRAMES.amount
            websocket.transport.write(first + frame.serialize(mask=True) * frames)
            with pytest.raises(ConnectionClosed):
                await websocket.recv()

    asyncio.run(run())


def test_messages_after_the_end_have_an_end() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": 1008})

    async def run() -> None:
        async with serve(app) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HANDSHAKE)
            await reader.readuntil(b"\r\n\r\n")
            message = Frame(Opcode.BINARY, b"").serialize(mask=True)
            writer.write(message * 2 * websocket_protocol.FRAMES.amount)
            with contextlib.suppress(ConnectionError):
                await reader.read()
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    started = time.monotonic()
    asyncio.run(run())
    assert time.monotonic() - started < websocket_protocol.LINGER / 2


def test_a_ping_now_and_then_is_answered(service: DeliveryService) -> None:
    async def run() -> None:
        async with serve(create_app(service)) as port, connect(_url(port)) as websocket:
            for _ in range(3):
                await (await websocket.ping())

    asyncio.run(run())


def test_who_takes_nothing_is_let_go_when_the_connection_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else it stays for ever, and counts nowhere."""
    monkeypatch.setattr(websocket_protocol, "LINGER", 0.0)
    ended = asyncio.Event()
    more_than_fits = 32 << 20

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.send", "bytes": bytes(more_than_fits)})
            ended.set()

    async def run() -> None:
        async with serve(app) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(HANDSHAKE)
            await ended.wait()
            for _ in range(10):
                await asyncio.sleep(0)
            writer.transport.resume_reading()  # type: ignore[attr-defined]
            taken = 0
            while piece := await reader.read(1 << 20):
                taken += len(piece)
            assert taken < more_than_fits
            writer.close()

    asyncio.run(run())


HANDSHAKE = (
    b"GET /v1 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def _url(port: int) -> str:
    return f"ws://127.0.0.1:{port}{PATH}"
