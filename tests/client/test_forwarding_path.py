"""A connection to the forwarding unit is begun, attended to, and begun anew when it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from aiortc import InvalidStateError

from e2ee.client import forwarding_path
from e2ee.client.forwarding_path import ForwardingPath
from e2ee.rtc.errors import ConnectionFailed


class Connection:
    """One that is connected, and interrupted, when its test says so."""

    def __init__(self) -> None:
        self.is_connected, self.is_interrupted = asyncio.Event(), asyncio.Event()

    async def connected(self) -> None:
        await self.is_connected.wait()

    async def interrupted(self) -> None:
        await self.is_interrupted.wait()


class Unit:
    """The other side: takes what was begun."""

    def __init__(self) -> None:
        self.begun: asyncio.Queue[Connection] = asyncio.Queue()
        self.changes: asyncio.Queue[bool] = asyncio.Queue()
        self.path = ForwardingPath(self._begin, self._changed)
        self.fails = 0

    async def _begin(self) -> None:
        if self.fails:
            self.fails -= 1
            raise ConnectionFailed("no relay")
        self.begun.put_nowait(Connection())

    def _changed(self) -> None:
        self.changes.put_nowait(self.path.is_up)

    async def connect(self) -> Connection:
        """The next connection comes about."""
        connection = await self.begun.get()
        self.path.described(connection)
        connection.is_connected.set()
        assert await self.changes.get()
        return connection


def tell(story: Callable[[Unit], Coroutine[Any, Any, None]]) -> None:
    async def told() -> None:
        unit = Unit()
        async with asyncio.timeout(30):
            await story(unit)
            unit.path.end()
        assert not unit.path.is_wanted
        assert not unit.path.is_up

    asyncio.run(told())


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarding_path, "_FIRST_PAUSE", 0.0)


@pytest.mark.requirement("SFU-8")
def test_a_connection_that_is_interrupted_is_begun_anew() -> None:
    async def story(unit: Unit) -> None:
        unit.path.start()
        assert not unit.path.is_troubled
        connection = await unit.connect()
        assert unit.path.is_up
        connection.is_interrupted.set()
        assert not await unit.changes.get()
        assert unit.path.is_troubled
        await unit.connect()
        assert not unit.path.is_troubled

    tell(story)


@pytest.mark.requirement("SFU-8")
def test_one_that_the_unit_has_lost_is_begun_anew() -> None:
    async def story(unit: Unit) -> None:
        unit.path.start()
        await unit.connect()
        unit.path.lost()
        assert not await unit.changes.get()
        await unit.connect()

    tell(story)


@pytest.mark.requirement("SFU-8")
def test_one_that_breaks_after_it_came_about_is_begun_anew_and_it_is_logged_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story(unit: Unit) -> None:
        unit.path.start()
        await unit.connect()
        unit.path.broken(ConnectionFailed("no such m-section"))
        assert not await unit.changes.get()
        assert "no such m-section" in caplog.text
        await unit.connect()

    tell(story)


def test_one_that_breaks_before_it_comes_about_has_failed() -> None:
    async def story(unit: Unit) -> None:
        unit.path.start()
        await unit.begun.get()
        unit.path.broken(ConnectionFailed("no such m-section"))
        assert not await unit.changes.get()
        assert "no such m-section" in unit.path.failure
        await unit.connect()

    tell(story)


def test_what_fails_is_said_and_tried_again() -> None:
    async def story(unit: Unit) -> None:
        unit.fails = 2
        unit.path.start()
        assert not await unit.changes.get()
        assert unit.path.is_troubled
        assert "no relay" in unit.path.failure
        assert not await unit.changes.get()
        await unit.connect()
        assert not unit.path.failure

    tell(story)


def test_what_fails_without_a_word_is_a_failure_too() -> None:
    async def story(unit: Unit) -> None:
        unit.path.start()
        await unit.begun.get()
        unit.path.refused(InvalidStateError())
        assert not await unit.changes.get()
        assert unit.path.is_troubled
        assert unit.path.failure == "InvalidStateError"
        await unit.connect()

    tell(story)


def test_what_the_service_refuses_is_tried_again() -> None:
    async def story(unit: Unit) -> None:
        unit.path.start()
        await unit.begun.get()
        unit.path.refused(ConnectionFailed("no forwarding here"))
        assert not await unit.changes.get()
        assert "no forwarding here" in unit.path.failure
        await unit.connect()

    tell(story)


def test_one_that_never_comes_about_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(unit: Unit) -> None:
        unit.path.start()
        unit.path.described(await unit.begun.get())
        assert not await unit.changes.get()
        assert "no path to the forwarding unit" in unit.path.failure
        await unit.connect()

    monkeypatch.setattr(forwarding_path, "CONNECTING", 0.01)
    tell(story)


def test_it_can_be_ended_and_begun_again() -> None:
    async def story(unit: Unit) -> None:
        unit.path.start()
        await unit.connect()
        unit.path.end()
        assert not unit.path.is_troubled
        unit.path.start()
        await unit.connect()

    tell(story)
