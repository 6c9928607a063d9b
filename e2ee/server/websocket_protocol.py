"""uvicorn's WebSocket, for whoever may be at the other end.

What a message costs is bounded by the delivery service (DS-7), which sees messages only. Here are bounded the frames that are
none, which cost the event loop as much and could be sent without an end: pings, and fragments. And a connection that was
ended is gone soon, whether or not the other side takes what it was sent last: who takes nothing would keep it for ever.
"""

from __future__ import annotations

import time

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from e2ee.delivery.errors import DeliveryError
from e2ee.delivery.rates import Rate, Rates

__all__ = ["BoundedWebSocket"]

FRAMES = Rate(2_000, 20 * 1000)
"""Frames that bring no message, of a connection: as many as it may bring messages."""

LINGER = 10.0
"""Seconds in which the other side may take what it was sent last."""


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """See the module. A connection with too many frames ends without a word."""

    _frames: Rates[None] | None = None

    def handle_ping(self) -> None:
        super().handle_ping()
        self._spend()

    def handle_pong(self, event: Frame) -> None:
        super().handle_pong(event)
        self._spend()

    def handle_cont(self, event: Frame) -> None:
        super().handle_cont(event)
        if not event.fin:
            self._spend()

    def send_receive_event_to_app(self) -> None:
        super().send_receive_event_to_app()
        if self.close_sent:  # no application sees it any more
            self._spend()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()

    async def run_asgi(self) -> None:
        await super().run_asgi()
        self.loop.call_later(LINGER, self.transport.abort)

    def _spend(self) -> None:
        if self._frames is None:
            self._frames = Rates("frames", FRAMES)
        try:
            self._frames.spend(None, int(time.monotonic() * 1000))
        except DeliveryError:
            self.frames.clear()
            self.transport.abort()
