"""One WebSocket's frames: what comes in within a length, what waits goes out, and why it is ended."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.websockets import WebSocket, WebSocketDisconnect

from e2ee.server.errors import CloseReason
from e2ee.server.outbox import Outbox
from e2ee.signalling.errors import WireReason

__all__ = ["Close", "read", "watch", "why_disconnected", "write"]

# Close codes of RFC 6455 Section 7.4.1
UNSUPPORTED_DATA = 1003
POLICY_VIOLATION = 1008
MESSAGE_TOO_BIG = 1009
INTERNAL_ERROR = 1011
SERVICE_RESTART = 1012

_CLOSING = 5.0
"""Seconds in which a connection that is closed has to take notice."""


class Close(Exception):
    """Ends a connection with a code and a reason for the other side."""

    def __init__(self, reason: str, code: int = POLICY_VIOLATION) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    async def tell(self, websocket: WebSocket) -> None:
        """End it. Whoever does not read may not read this either, or be gone."""
        with contextlib.suppress(WebSocketDisconnect, TimeoutError):
            async with asyncio.timeout(_CLOSING):
                await websocket.close(self.code, self.reason)


async def read(websocket: WebSocket, max_size: int) -> bytes:
    """The next frame. Raises Close if it is none of bytes or too long, WebSocketDisconnect."""
    event = await websocket.receive()
    if event["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(event["code"])
    data: bytes | None = event.get("bytes")
    if data is None:
        # SIG-5: "MUST close the connection for a text frame (status 1003)"
        raise Close("binary frames only", UNSUPPORTED_DATA)
    if len(data) > max_size:
        # SIG-3: "a longer one MUST be refused before it is decoded"
        raise Close(WireReason.TOO_LARGE, MESSAGE_TOO_BIG)
    return data


async def write(websocket: WebSocket, outbox: Outbox) -> None:
    """Send what waits, for as long as there is somebody to send it to."""
    while True:
        await websocket.send_bytes(await outbox.get())


async def watch(outbox: Outbox) -> None:
    """Raises Close when the outbox has closed."""
    reason = await outbox.closed()
    failed = reason is CloseReason.STORE_FAILED
    raise Close(reason, INTERNAL_ERROR if failed else POLICY_VIOLATION)


def why_disconnected(group: ExceptionGroup[WebSocketDisconnect]) -> CloseReason:
    """Who ended it without a reason of ours."""
    codes = {each.code for each in group.exceptions if isinstance(each, WebSocketDisconnect)}
    return CloseReason.SERVER_STOPS if SERVICE_RESTART in codes else CloseReason.LEFT
