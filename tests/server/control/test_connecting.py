"""A service connects to what it takes for its forwarding unit, and is told why not."""

from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websockets

from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.server.control.connecting import UnitElsewhere, UnitLost, control_connection
from e2ee.server.errors import CloseReason

SECRET = Secret(b"shared by unit and service")


@pytest.mark.parametrize(
    ("reason", "heard"),
    [
        (CloseReason.NOT_PROVED, "NOT_PROVED"),
        ("", "ConnectionClosedError"),
        ("gone\n2026-01-01T00:00:00.000Z info started", "ConnectionClosedError"),
    ],
)
def test_who_has_proved_nothing_writes_nothing_into_the_log(reason: str, heard: str) -> None:
    assert asyncio.run(why_lost(reason)) == heard


async def why_lost(reason: str) -> str:
    """Why there is no connection to a server that closes every one with ``reason``."""

    async def close(connection: ServerConnection) -> None:
        await connection.close(1008, reason)

    async with serve_websockets(close, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        where = UnitElsewhere(f"ws://127.0.0.1:{port}/control", SECRET)
        with pytest.raises(UnitLost) as lost:
            async with control_connection(where, SeededEntropy(b"tests/server/control")):
                pass
    return str(lost.value)
