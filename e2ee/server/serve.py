"""Running the application alone, with uvicorn, on a port of this machine.

A stop goes in this order: the port closes; every connection is told with close code 1012 (service restart) that it may
come back; what is under way ends, for ``closing`` seconds at most; then the application's lifespan ends. What a device
was told to be stored is stored before it is told, so a stop has nothing to save (DS-9).
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from e2ee.server.websocket_protocol import BoundedWebSocket
from e2ee.signalling.messages import SERVICE

try:
    import resource
except ImportError:  # not on Windows, which has no such limit
    resource = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from starlette.types import ASGIApp

__all__ = ["allow_many_files", "serve", "told_to_stop"]

MAX_HTTP = 10.0
"""Seconds that a connection may be plain HTTP: who sends a request byte by byte holds nothing for longer."""


class _Server(uvicorn.Server):
    """A server inside of a program: that program's signals are its own affair."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Http(H11Protocol):
    """HTTP for health and upgrades only."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.loop.call_later(MAX_HTTP, self._end)

    def _end(self) -> None:
        if self in self.connections:  # not upgraded, not gone
            self.transport.abort()  # who takes nothing would keep what is closed


@contextlib.asynccontextmanager
async def serve(
    app: ASGIApp,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    tls: ssl.SSLContext | None = None,
    closing: int = 1,
) -> AsyncIterator[int]:
    """Serve ``app`` while the context lasts; gives the port, which the system chooses if ``port`` is 0.

    Raises OSError if the port is taken. The socket listens when the context begins.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listening:
        # asyncio does so only where the socket names its protocol. Connections inherit it: no message waits for the
        # acknowledgement of the one before, which a receiver may delay by 40 ms.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = _Server(_config(app, tls, closing))
        running = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            bound: int = listening.getsockname()[1]
            yield bound
        finally:
            server.should_exit = True
            await running


def _config(app: ASGIApp, tls: ssl.SSLContext | None, closing: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_Http,
        ws=BoundedWebSocket,
        ws_max_size=SERVICE.max_size,
        ws_per_message_deflate=False,  # ciphertext does not shrink, and nothing inflates beyond the limit
        ssl_context_factory=None if tls is None else lambda _config, _default: tls,
        proxy_headers=False,  # an address that a header names is anybody's invention
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="warning",
        timeout_graceful_shutdown=closing,
    )


def allow_many_files() -> None:
    """Raise this process's soft limit of open files to its hard one: a connection is a file, and many begin with 1,024."""
    if resource is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with contextlib.suppress(ValueError, OSError):  # a hard limit that is none, on some systems
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def told_to_stop() -> asyncio.Future[signal.Signals]:
    """The first SIGTERM or SIGINT from now on. The next one ends the process at once: from then on they do what they do by
    default."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[signal.Signals] = loop.create_future()

    def hear(number: int, _frame: FrameType | None) -> None:
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_DFL)
        loop.call_soon_threadsafe(told.set_result, signal.Signals(number))

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, hear)
    return told
