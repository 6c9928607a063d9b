"""How messages reach a delivery service: an interface of three verbs, and a WebSocket that has them.

A platform that already has a connection to its users carries calls over it by giving these three verbs to ``Session``.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from e2ee.client.errors import ClientReason, ServiceLost
from e2ee.signalling.messages import SERVICE

__all__ = ["Transport", "websocket"]

_connections = logging.getLogger(f"{__name__}.connections")
_connections.setLevel(logging.INFO)
"""websockets would log each frame at DEBUG: tokens of registration, and relays' credentials, are in some."""


class Transport(Protocol):
    """Whole messages, in order, in both directions. Raises ServiceLost when it has ended."""

    async def send(self, message: bytes) -> None:
        """Hand ``message`` over; waits while the other side is slow."""

    async def receive(self) -> bytes:
        """The next message."""


class _WebSocket:
    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, message: bytes) -> None:
        try:
            await self._connection.send(message)
        except WebSocketException as error:
            raise _lost(error) from None

    async def receive(self) -> bytes:
        try:
            message = await self._connection.recv(decode=False)
        except WebSocketException as error:
            raise _lost(error) from None
        return bytes(message)


class _Connect(connect):
    """To the service that the profile names, and to no place that this one names."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


@contextlib.asynccontextmanager
async def websocket(url: str) -> AsyncIterator[Transport]:
    """A WebSocket to a delivery service, as long as the context lasts. Raises ServiceLost if there is none."""
    try:
        connection = await _Connect(
            url, max_size=SERVICE.max_size, compression=None, proxy=None, logger=_connections
        )
    except (
        OSError,
        WebSocketException,
        ValueError,
    ) as error:  # the last: no URL, or no host's name
        raise _lost(error) from None
    try:
        yield _WebSocket(connection)
    finally:
        await connection.close()


def _lost(error: Exception) -> ServiceLost:
    return ServiceLost(ClientReason.CONNECTION_LOST, str(error) or type(error).__name__)
