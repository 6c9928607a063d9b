"""What a server process has beside what it serves: a port for its operator, and SIGHUP for a renewed certificate."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import ssl
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

from e2ee.server.errors import ServerConfigurationError
from e2ee.server.logs import ServerLog
from e2ee.server.serve import serve
from e2ee.server.tls import TlsFiles

if TYPE_CHECKING:
    from starlette.types import ASGIApp

__all__ = ["reloading", "served_locally"]


@contextlib.asynccontextmanager
async def served_locally(app: ASGIApp, port: int | None) -> AsyncIterator[str | None]:
    """Serve ``app`` on 127.0.0.1, if there is a port for it; gives where the metrics are."""
    if port is None:
        yield None
    else:
        async with serve(app, port=port) as bound:
            yield f"http://127.0.0.1:{bound}/metrics"


@contextlib.contextmanager
def reloading(
    files: TlsFiles | None, context: ssl.SSLContext | None, log: ServerLog
) -> Iterator[None]:
    """SIGHUP has new connections use the certificate that is in the files then."""
    if files is None or context is None or not hasattr(signal, "SIGHUP"):
        yield
        return
    loop = asyncio.get_running_loop()

    def reload() -> None:
        try:
            files.load_into(context)
        except ServerConfigurationError as error:
            log.certificate_kept(error.reason)
        else:
            log.certificate_reloaded()

    loop.add_signal_handler(signal.SIGHUP, reload)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
