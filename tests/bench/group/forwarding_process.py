"""A forwarding unit in a process for itself, and the signalling with it, over a pipe."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import time
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from types import TracebackType
from typing import Any

from e2ee.sfu.aiortc_unit import AiortcForwardingUnit
from e2ee.sfu.unit import Offer, Participant
from e2ee.system_clock import system_clock

__all__ = ["CALL", "LOOPBACK", "UnitProcess", "UnitUsage"]

CALL = b"a call that is bench"
LOOPBACK = ("127.0.0.1",)


@dataclass(frozen=True)
class UnitUsage:
    """Since the process began: CPU in seconds, packets of media in and out, and those that found no room."""

    at: float
    cpu: float
    packets_in: int
    packets_out: int
    dropped: int


class UnitProcess(AbstractContextManager["UnitProcess"]):
    """The unit, as its members' side has it. Requests are answered in their order."""

    def __init__(self, offered: Callable[[bytes, Offer], None]) -> None:
        self._offered = offered
        self._answers: asyncio.Queue[Any] = asyncio.Queue()
        self._pipe, end = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(target=_serve, args=(end,))
        self._process.start()
        end.close()
        asyncio.get_running_loop().add_reader(self._pipe.fileno(), self._read)

    def _read(self) -> None:
        kind, value = self._pipe.recv()
        if kind == "offer":
            self._offered(*value)
        else:
            self._answers.put_nowait(value)

    async def _ask(self, *request: object) -> Any:
        self._pipe.send(request)
        return await self._answers.get()

    async def publish(self, member: Participant, description: str) -> str:
        answer: str = await self._ask("publish", CALL, member, description)
        return answer

    async def subscribe(self, member: Participant) -> None:
        await self._ask("subscribe", CALL, member)

    async def answer(self, member: Participant, number: int, description: str) -> None:
        await self._ask("answer", CALL, member.id, number, description)

    async def usage(self) -> UnitUsage:
        usage: UnitUsage = await self._ask("usage")
        return usage

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._pipe.fileno())
        self._pipe.send(("end",))
        with contextlib.suppress(EOFError, ConnectionError):
            while True:  # it may have to say a lot about those who go, and would wait for somebody to take it
                self._pipe.recv()
        self._process.join()


def _serve(pipe: Pipe) -> None:
    asyncio.run(_run(pipe))


async def _run(pipe: Pipe) -> None:
    ended = asyncio.Event()
    unit = AiortcForwardingUnit(
        lambda _, member_id, offer: pipe.send(("offer", (member_id, offer))),
        lambda *_: None,
        system_clock(),
        host_addresses=LOOPBACK,
    )
    requests: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()

    def read() -> None:
        request = pipe.recv()
        if request == ("end",):
            ended.set()
        else:
            requests.put_nowait(request)

    async def answer() -> None:
        while True:
            name, *arguments = await requests.get()
            step: Callable[..., Coroutine[Any, Any, Any]] = (
                _usage_of(unit) if name == "usage" else getattr(unit, name)
            )
            pipe.send(("answer", await step(*arguments)))

    asyncio.get_running_loop().add_reader(pipe.fileno(), read)
    answering = asyncio.create_task(answer())
    await ended.wait()
    answering.cancel()
    await unit.close()


def _usage_of(unit: AiortcForwardingUnit) -> Callable[[], Coroutine[Any, Any, UnitUsage]]:
    async def usage() -> UnitUsage:
        statistics = unit.statistics()
        totals = statistics.totals
        dropped = sum(member.dropped for member in statistics.calls.get(CALL, {}).values())
        return UnitUsage(
            time.monotonic(),
            time.process_time(),
            totals.packets_received,
            totals.packets_sent,
            dropped,
        )

    return usage
