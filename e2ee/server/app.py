"""The ASGI application: ``/v1`` is the WebSocket of the chapter Signalling, ``/health`` is for who watches the server, and
``/meet/…`` what a browser finds at a group call's link.

It is run alone by ``serve`` and the command ``e2ee serve``, or mounted in an application that is there already. In
Starlette and FastAPI that is a line, ``app.mount("/calls", create_app(service))``, and devices connect to
``wss://…/calls/v1``. Anything that routes plain ASGI mounts it as well, by the scope's ``root_path``; Django's
``asgi.py`` (which has no lifespan) would be

    django, calls = get_asgi_application(), create_app(service)

    async def application(scope, receive, send):
        if scope["type"] != "lifespan" and scope["path"].startswith("/calls/"):
            await calls(scope | {"root_path": scope.get("root_path", "") + "/calls"}, receive, send)
        else:
            await django(scope, receive, send)

One process serves one store: the service orders what devices ask by doing one thing at a time.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from e2ee.delivery.service import DeliveryService
from e2ee.server.authentication import Authenticate
from e2ee.server.entrance import Entrance
from e2ee.server.forwarding import ForwardingRouter
from e2ee.server.limits import ConnectionLimits
from e2ee.server.link_page import link_route
from e2ee.server.logs import ServerLog
from e2ee.server.metrics import Metrics
from e2ee.server.operations import health_routes, operations_app
from e2ee.server.watching import Watchers
from e2ee.server.websocket import Observer, WebSocketShell
from e2ee.system_clock import Clock, system_clock

__all__ = ["PATH", "create_app", "create_operations_app"]

PATH = "/v1"
"""Where devices connect."""


def create_app(
    service: DeliveryService,
    *,
    authenticate: Authenticate | None = None,
    limits: ConnectionLimits | None = None,
    metrics: Metrics | None = None,
    log: ServerLog | None = None,
    now: Clock | None = None,
    observer: Observer | None = None,
    forwarding: ForwardingRouter | None = None,
) -> Starlette:
    """The application around ``service``, for one event loop.

    ``authenticate`` finds the user to whom the ``token`` of a ``register`` belongs; whom the service then registers is for its
    admission to say. ``metrics`` counts and ``log`` writes what happens, if given; ``create_operations_app`` shows the
    figures. ``observer`` is told of every message that the service handles; nothing else sees one. ``forwarding`` is the way
    to the forwarding unit of group calls, if there is one: who gives it makes the service with ``forwarding=True``, and ends
    it afterwards.
    """
    limits = limits or ConnectionLimits()
    watcher = Watchers([each for each in (metrics, log) if each is not None])
    shell = WebSocketShell(
        service,
        now or system_clock(),
        observer,
        watcher=watcher,
        authenticate=authenticate,
        login_within=limits.login_within,
        forwarding=forwarding,
    )
    entrance = Entrance(shell.connection, limits, watcher.turned_away)
    health = health_routes(service.require_store)
    return Starlette(routes=[WebSocketRoute(PATH, entrance.connection), link_route(), *health])


def create_operations_app(
    service: DeliveryService, metrics: Metrics, now: Clock | None = None
) -> Starlette:
    """``/health`` and ``/metrics``, for a port that only operators reach. ``metrics`` are of this one service."""
    clock = now or system_clock()
    metrics.holds(lambda: service.figures(clock()))
    return operations_app(service.require_store, metrics)
