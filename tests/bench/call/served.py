"""The server under load, as a process of its own: ``python -m tests.bench.call.served KIND [PROFILE]``.

    sqlite     what ``e2ee serve`` runs, on a store in a file, flushed at each commit
    memory     the same on a store in memory
    relay      the floor: Starlette and uvicorn alone pass on what one connection of a pair brings to the other, and answer
               as a service would. No store, no checks, and nobody logs in

The three have the same WebSocket settings. The first line of standard output says where it listens. It ends when told to;
with PROFILE, a file, the functions that took its time are in there then, for pstats.
"""

from __future__ import annotations

import asyncio
import contextlib
import cProfile
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.delivery.service import DeliveryService, ServiceIdentity
from e2ee.delivery.store import MemoryStore
from e2ee.delivery.transaction import Store
from e2ee.server.app import PATH, create_app
from e2ee.server.limits import ConnectionLimits
from e2ee.server.logs import ServerLog
from e2ee.server.metrics import Metrics, TimedStore
from e2ee.server.serve import allow_many_files, serve, told_to_stop
from e2ee.server.stores.sqlite import SqliteStore
from e2ee.signalling import messages, wire

if TYPE_CHECKING:
    from starlette.types import ASGIApp

__all__ = ["PAIR", "SERVER_NAME"]

SERVER_NAME = "calls.example"
PAIR = "pair"
"""The query parameter that two connections at the relay have in common."""

_STORED = wire.encode(messages.Stored(messages.Send.name, bytes(16)))


@contextlib.contextmanager
def _sqlite() -> Iterator[ASGIApp]:
    with (
        tempfile.TemporaryDirectory() as directory,
        contextlib.closing(SqliteStore(Path(directory) / "service.db")) as store,
    ):
        yield _service_on(store)


@contextlib.contextmanager
def _memory() -> Iterator[ASGIApp]:
    yield _service_on(MemoryStore())


@contextlib.contextmanager
def _relay() -> Iterator[ASGIApp]:
    yield Starlette(routes=[WebSocketRoute(PATH, _Relay().connection)])


_KINDS = {"sqlite": _sqlite, "memory": _memory, "relay": _relay}


def _service_on(store: Store) -> ASGIApp:
    """As ``e2ee.server.standalone`` puts it together, except that all connections may come from one address."""
    entropy, metrics = SystemEntropy(), Metrics()
    timed = TimedStore(store, metrics)
    service = DeliveryService(ServiceIdentity.of(timed, SERVER_NAME, entropy), timed, entropy)
    limits = ConnectionLimits(per_address=None)
    return create_app(service, limits=limits, metrics=metrics, log=ServerLog())


class _Relay:
    def __init__(self) -> None:
        self._pairs: defaultdict[str, list[WebSocket]] = defaultdict(list)

    async def connection(self, websocket: WebSocket) -> None:
        await websocket.accept()
        pair = self._pairs[websocket.query_params[PAIR]]
        pair.append(websocket)
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                data = await websocket.receive_bytes()
                for other in pair:
                    if other is not websocket:
                        await other.send_bytes(data)
                await websocket.send_bytes(_STORED)
        pair.remove(websocket)


async def _serve(serving: AbstractContextManager[ASGIApp]) -> None:
    allow_many_files()
    with serving as app:
        async with serve(app) as port:
            sys.stdout.write(json.dumps({"url": f"ws://127.0.0.1:{port}{PATH}"}) + "\n")
            sys.stdout.flush()
            await told_to_stop()


def main() -> None:
    kind, *profile = sys.argv[1:]
    with cProfile.Profile(time.process_time) if profile else contextlib.nullcontext() as measured:
        asyncio.run(_serve(_KINDS[kind]()))
    if measured is not None:
        measured.dump_stats(profile[0])


if __name__ == "__main__":
    main()
