"""Lets connections in, or says why not."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable

from starlette.websockets import WebSocket, WebSocketDisconnect

from e2ee.server.limits import ConnectionLimits, Door

__all__ = ["Entrance", "Serve"]

TRY_AGAIN_LATER = 1013  # of the registry of RFC 6455 Section 11.7

Serve = Callable[[WebSocket, str], Awaitable[None]]
"""Serves one connection until its end; the text is as what it is counted, if it is."""


class Entrance:
    """An endpoint before another one."""

    def __init__(
        self, serve: Serve, limits: ConnectionLimits, turned_away: Callable[[str], None]
    ) -> None:
        self._serve = serve
        self._limits = limits
        self._door = Door(limits)
        self._turned_away = turned_away

    async def connection(self, websocket: WebSocket) -> None:
        """Serve it, if it may come in."""
        origin = self._limits.origin(websocket.client.host if websocket.client else None)
        with self._door.enter(origin) as refused:
            if refused is None:
                await self._serve(websocket, origin)
                return
        self._turned_away(refused)
        # Accepted first: only a WebSocket that is open can be told why it is closed.
        with contextlib.suppress(WebSocketDisconnect):
            await websocket.accept()
            await websocket.close(TRY_AGAIN_LATER, refused)
