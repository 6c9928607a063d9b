"""What operators ask: ``/health`` and ``/metrics``.

    /health/live     200 as long as the process answers at all
    /health/ready    200 if the store answers, else 503; ``/health`` is the same
    /metrics         Prometheus' text format

They tell how many talk at what time, which is nobody's business who could match it with when somebody was seen at a
telephone: so ``e2ee serve`` has them on a port of their own that is bound to loopback, and the public port has the
health without figures only.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from e2ee.server.metrics import CONTENT_TYPE, Metrics

__all__ = ["Ready", "health_routes", "operations_app"]

Ready = Callable[[], None]
"""Asks the store for something; raises whatever it raises if it does not answer."""


def health_routes(ready: Ready) -> list[Route]:
    """``/health`` and its two halves."""

    async def live(_request: Request) -> Response:
        return PlainTextResponse("ok")

    async def is_ready(_request: Request) -> Response:
        try:
            ready()
        except Exception:  # noqa: BLE001 - whatever keeps the store from answering
            return PlainTextResponse("the store does not answer", 503)
        return PlainTextResponse("ok")

    return [
        Route("/health", is_ready, methods=["GET"]),
        Route("/health/live", live, methods=["GET"]),
        Route("/health/ready", is_ready, methods=["GET"]),
    ]


def operations_app(ready: Ready, metrics: Metrics) -> Starlette:
    """All of them, for a port that only operators reach. While it runs (its lifespan), it looks at how late the event loop is."""

    async def render(_request: Request) -> Response:
        return Response(metrics.render(), media_type=CONTENT_TYPE)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with metrics.watching_the_loop():
            yield

    routes = [*health_routes(ready), Route("/metrics", render, methods=["GET"])]
    return Starlette(routes=routes, lifespan=lifespan)
