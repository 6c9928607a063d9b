"""Stopping: everybody is told, what is under way ends, and who insists is obeyed at once."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from e2ee.delivery.service import DeliveryService
from e2ee.server import serve as serving
from e2ee.server.app import PATH, create_app
from e2ee.server.serve import allow_many_files, serve, told_to_stop


def test_connections_are_told_that_they_may_come_back(service: DeliveryService) -> None:
    async def run() -> None:
        async with serve(create_app(service)) as port:
            url = f"ws://127.0.0.1:{port}{PATH}"
            first, second = await connect(url), await connect(url)
        for websocket in (first, second):
            with pytest.raises(ConnectionClosed) as closed:
                await websocket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012
        with pytest.raises(ConnectionRefusedError):
            await connect(url)

    asyncio.run(run())


def test_who_sends_no_request_is_let_go(
    service: DeliveryService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "MAX_HTTP", 0.01)

    async def run() -> None:
        async with serve(create_app(service)) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /health HTTP/1.1\r\nHost: loc")
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()

    asyncio.run(run())


def test_no_message_waits_for_the_acknowledgement_of_the_one_before(
    service: DeliveryService, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_delay: list[int] = []

    class Seen(serving._Http):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            accepted = transport.get_extra_info("socket")
            without_delay.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    monkeypatch.setattr(serving, "_Http", Seen)

    async def run() -> None:
        async with serve(create_app(service)) as port, connect(f"ws://127.0.0.1:{port}{PATH}"):
            pass

    asyncio.run(run())
    assert all(without_delay)
    assert without_delay


def test_as_many_connections_as_the_system_allows() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, hard), hard))
    try:
        allow_many_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_is_heard_and_the_second_is_the_last(number: signal.Signals) -> None:
    async def run() -> signal.Signals:
        told = told_to_stop()
        os.kill(os.getpid(), number)  # at once: it listens
        return await told

    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        assert asyncio.run(run()) is number
        assert {signal.getsignal(each) for each in before} == {signal.SIG_DFL}
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
