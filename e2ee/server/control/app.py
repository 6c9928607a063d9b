"""The ASGI application of a forwarding unit that is a process of its own: ``/control`` is for services, ``/health`` for who
watches it."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from e2ee.server.control.controlled import ControlledUnits
from e2ee.server.entrance import Entrance
from e2ee.server.limits import ConnectionLimits
from e2ee.server.logs import ServerLog
from e2ee.server.operations import health_routes

__all__ = ["CONTROL_PATH", "create_control_app"]

CONTROL_PATH = "/control"
"""Where services connect."""

_STRANGERS = ConnectionLimits(connections=64, per_address=32)
"""Services are few. Who is none is gone when it has not proved to be one."""


def create_control_app(
    units: ControlledUnits, log: ServerLog, limits: ConnectionLimits = _STRANGERS
) -> Starlette:
    """The application around ``units``, for one event loop."""

    async def serve(websocket: WebSocket, _origin: str) -> None:
        await units.connection(websocket)

    entrance = Entrance(serve, limits, log.turned_away)
    health = health_routes(lambda: None)
    return Starlette(routes=[WebSocketRoute(CONTROL_PATH, entrance.connection), *health])
