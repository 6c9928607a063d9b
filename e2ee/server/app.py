"""The ASGI application: ``/v1`` is the WebSocket of the chapter Signalling, ``/health`` says that the process lives.

It can be mounted in another application, and is run alone by ``serve``. TLS, rate limits of addresses and who may
register an account are the surrounding platform's.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute

from e2ee.delivery.service import DeliveryService
from e2ee.server.websocket import Observer, WebSocketShell
from e2ee.system_clock import Clock, system_clock

__all__ = ["PATH", "create_app"]

PATH = "/v1"
"""Where devices connect."""


def create_app(
    service: DeliveryService, *, now: Clock | None = None, observer: Observer | None = None
) -> Starlette:
    """The application around ``service``, for one event loop.

    ``observer`` is told of every message that the service handles; nothing else sees or logs them.
    """
    shell = WebSocketShell(service, now or system_clock(), observer)
    return Starlette(
        routes=[
            WebSocketRoute(PATH, shell.connection),
            Route("/health", _health, methods=["GET"]),
        ]
    )


async def _health(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")
