"""Services that keep their clients busy: who closes at once, says nothing, or names another place."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from e2ee.client import connection as connection_module
from e2ee.client.certification import NewDevice
from e2ee.client.connection import Connection, backoff
from e2ee.client.errors import ClientReason, ServiceLost
from e2ee.client.key_store import Service
from e2ee.client.profile import Profile
from e2ee.client.transport import Transport, websocket
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.identity.attestation import DirectoryKeys

ENTROPY = SystemEntropy()


class Mute:
    """A service that takes everything and answers nothing."""

    async def send(self, message: bytes) -> None:
        pass

    async def receive(self) -> bytes:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")


@contextlib.asynccontextmanager
async def mute(_: str) -> AsyncIterator[Transport]:
    yield Mute()


def test_pauses_grow_up_to_half_a_minute_and_a_night_is_not_too_long() -> None:
    for attempt, longest in enumerate([0.5, 1, 2, 4, 8, 16, 30]):
        assert longest / 2 <= backoff(attempt, ENTROPY) <= longest
    assert 15 <= backoff(5_000, ENTROPY) <= 30


def test_a_service_that_says_nothing_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "_ANSWERS_WITHIN", 0.0)
    profile = Profile.in_memory()
    profile.create("alice", Service("ws://calls.example", "calls.example", DirectoryKeys({})))
    with pytest.raises(ServiceLost, match="does not answer"):
        asyncio.run(Connection(profile, mute, lambda: 0, ENTROPY).log_in(NewDevice()))


def test_what_ends_at_once_was_an_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that lets everybody in and drops them is not asked twice a second by everybody."""
    now, attempts = [1_000_000], []

    def pause(attempt: int, _: object) -> float:
        attempts.append(attempt)
        return 0.0

    async def logged_in(self: Connection, _: NewDevice) -> None:
        self._logged_in_at = now[0]

    monkeypatch.setattr(connection_module, "backoff", pause)
    monkeypatch.setattr(Connection, "log_in", logged_in)
    connection = Connection(Profile.in_memory(), mute, lambda: now[0], ENTROPY)
    for held in (10_000, 10, 9_999, 10_000, 0):
        now[0] += held
        asyncio.run(connection.log_in_again())
    assert attempts == [0, 1, 2, 0, 1]


def test_a_redirection_leads_nowhere() -> None:
    asked: list[bytes] = []

    async def redirects(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")[0])
        writer.write(
            b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n"
            b"Connection: close\r\n\r\n"
        )
        writer.close()

    async def run() -> None:
        async with await asyncio.start_server(redirects, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(ServiceLost):
                async with websocket(f"ws://127.0.0.1:{port}/v1"):
                    pass

    asyncio.run(run())
    assert asked == [b"GET /v1 HTTP/1.1"]


@pytest.mark.parametrize(
    "url", ["ws://a..b/v1", "ws://[::1/v1", "ws://127.0.0.1:99999/v1", "http://calls.example"]
)
def test_what_is_no_place_is_not_there(url: str) -> None:
    async def run() -> None:
        async with websocket(url):
            pass

    with pytest.raises(ServiceLost) as lost:
        asyncio.run(run())
    assert lost.value.reason is ClientReason.CONNECTION_LOST
