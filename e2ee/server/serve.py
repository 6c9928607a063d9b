"""Running the application alone, with uvicorn, on a port of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.types import ASGIApp

from e2ee.signalling.messages import SERVICE

__all__ = ["serve"]


class _Server(uvicorn.Server):
    """A server inside of a program: that program's signals are its own affair."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serve(app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
    """Serve ``app`` while the context lasts; gives the port, which the system chooses if ``port`` is 0.

    Raises OSError if the port is taken. The socket listens when the context begins.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listening:
        server = _Server(_config(app))
        running = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            bound: int = listening.getsockname()[1]
            yield bound
        finally:
            server.should_exit = True
            await running


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        ws="websockets-sansio",
        ws_max_size=SERVICE.max_size,
        ws_per_message_deflate=False,  # ciphertext does not shrink, and nothing inflates beyond the limit
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )
