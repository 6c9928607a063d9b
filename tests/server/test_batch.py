"""Group commit: what is ready at once shares a transaction, and no answer goes out before that has ended."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence

import pytest

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.delivery.errors import DeliveryReason, ServiceUsageError
from e2ee.delivery.service import (
    DeliveryService,
    ForwardEnd,
    ForwardRequest,
    Outgoing,
    ServiceIdentity,
)
from e2ee.delivery.store import MemoryStore, MemoryTransaction
from e2ee.errors import Reason
from e2ee.server import batch
from e2ee.server.batch import Batches
from e2ee.signalling import messages
from e2ee.signalling.messages import FromService

HELLO = messages.Hello((0x0100,))


class Full(Exception):
    """A disk that takes no more."""


class WatchedStore(MemoryStore):
    """Notes when transactions begin and end; none begins if it is ``locked``, and they fail at their end if it is ``full``."""

    def __init__(self, notes: list[str]) -> None:
        super().__init__()
        self.notes = notes
        self.full = self.locked = False

    @contextlib.contextmanager
    def transaction(self) -> Iterator[MemoryTransaction]:
        if self.locked:
            raise Full
        self.notes.append("begin")
        with super().transaction() as tx:
            yield tx
            if self.full:
                raise Full
        self.notes.append("end")


class Scene:
    """A service whose store is watched, and connections 1 to 600."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        entropy = SeededEntropy(b"tests/server/test_batch")
        self.store = WatchedStore(self.notes)
        identity = ServiceIdentity.create("calls.example", entropy)
        self.service = DeliveryService(identity, self.store, entropy)
        self.closed = self.unsendable = False
        self.batches = Batches(self.service, lambda: 0, self)
        for connection_id in range(1, 601):
            self.service.connected(connection_id)

    def release(self, outgoing: Outgoing) -> None:
        if self.unsendable:
            raise Full
        self.notes += [f"{message.name} to {to}" for to, message in outgoing]

    def close(self, connection_id: int, reason: Reason) -> None:
        self.notes.append(f"{connection_id} closed: {reason}")

    def forward(self, forwarding: Sequence[ForwardRequest | ForwardEnd]) -> None:
        self.notes += [f"{type(each).__name__} to the unit" for each in forwarding]

    def missed(self, _call_id: bytes, signature_key: bytes, message: FromService) -> None:
        self.notes.append(f"{message.name} missed by {signature_key[0]}")

    def store_failed(self) -> None:
        self.closed = True


def run(story: Callable[[Scene], Awaitable[None]]) -> Scene:
    async def told() -> Scene:
        scene = Scene()
        await story(scene)
        return scene

    return asyncio.run(told())


@pytest.mark.requirement("DS-9")
def test_answers_are_released_when_the_transaction_has_ended() -> None:
    async def story(scene: Scene) -> None:
        await asyncio.gather(*(scene.batches.handle(n, HELLO) for n in (1, 2, 3)))
        await scene.batches.handle(1, messages.AskRelays())

    assert run(story).notes == [
        *("begin", "end", "welcome to 1", "welcome to 2", "welcome to 3"),
        *("begin", "end", "refused to 1"),
    ]


def test_a_transaction_holds_256_requests() -> None:
    async def story(scene: Scene) -> None:
        await asyncio.gather(*(scene.batches.handle(n, HELLO) for n in range(1, 601)))

    notes = run(story).notes
    assert notes.count("begin") == 3
    assert notes[2 : 2 + batch.MOST] == [f"welcome to {n}" for n in range(1, 257)]
    assert [note for note in notes if "to" in note] == [f"welcome to {n}" for n in range(1, 601)]


def test_a_request_whose_connection_is_gone_is_not_handled() -> None:
    async def story(scene: Scene) -> None:
        going = asyncio.create_task(scene.batches.handle(1, HELLO))
        staying = asyncio.create_task(scene.batches.handle(2, HELLO))
        await asyncio.sleep(0)
        going.cancel()
        scene.batches.disconnected(1)
        await staying

    assert run(story).notes == ["begin", "end", "begin", "end", "welcome to 2"]


def test_a_fault_of_one_request_is_no_other_connections() -> None:
    async def story(scene: Scene) -> None:
        unknown = scene.batches.handle(999, HELLO)
        results = await asyncio.gather(
            scene.batches.handle(1, HELLO), unknown, return_exceptions=True
        )
        assert results[0] is None
        assert "NOT_CONNECTED" in str(results[1])

    scene = run(story)
    assert scene.notes == ["begin", "end", "welcome to 1"]
    assert not scene.closed


@pytest.mark.requirement("DS-9")
def test_a_store_that_fails_takes_all_connections_with_it_and_nothing_is_answered() -> None:
    async def story(scene: Scene) -> None:
        loop = asyncio.get_running_loop()
        told: asyncio.Future[object] = loop.create_future()
        loop.set_exception_handler(lambda _, context: told.set_result(context["exception"]))
        scene.store.full = True
        waiting = asyncio.create_task(scene.batches.handle(1, HELLO))
        assert isinstance(await told, Full)  # whoever runs the loop is told
        waiting.cancel()

    scene = run(story)
    assert scene.notes == ["begin"]
    assert scene.closed


@pytest.mark.requirement("DS-9")
@pytest.mark.parametrize("failing", ["locked", "full"])
def test_a_connection_that_goes_while_the_store_fails_is_gone(failing: str) -> None:
    """Else the device's next login would end a session that nobody has, and with that fault all connections."""

    async def story(scene: Scene) -> None:
        setattr(scene.store, failing, True)
        with pytest.raises(Full):
            scene.batches.disconnected(1)
        setattr(scene.store, failing, False)
        with pytest.raises(ServiceUsageError, match="NOT_CONNECTED"):
            await scene.batches.handle(1, HELLO)

    assert run(story).closed


def test_a_message_that_cannot_be_sent_leaves_nobody_waiting() -> None:
    """A fault of ours, which is told; others' answers of the same batch may be lost with it, so all connections end."""

    async def story(scene: Scene) -> None:
        loop = asyncio.get_running_loop()
        told: asyncio.Future[object] = loop.create_future()
        loop.set_exception_handler(lambda _, context: told.set_result(context["exception"]))
        scene.unsendable = True
        waiting = [asyncio.create_task(scene.batches.handle(n, HELLO)) for n in (1, 2)]
        assert isinstance(await told, Full)
        for each in waiting:
            each.cancel()

    assert run(story).closed


# What the service does by itself

END = ForwardEnd(bytes(16), bytes(32))


def once(*what: object) -> Callable[[], list[object]]:
    """Gives these the first time."""
    waiting = list(what)

    def take() -> list[object]:
        taken, waiting[:] = list(waiting), []
        return taken

    return take


def test_what_is_for_the_unit_and_who_is_to_go_come_after_the_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story(scene: Scene) -> None:
        monkeypatch.setattr(scene.service, "take_forwarding", once(END))
        closing = once((7, DeliveryReason.COMMIT_VOIDED))
        monkeypatch.setattr(scene.service, "take_closing", closing)
        await scene.batches.handle(1, HELLO)
        await scene.batches.handle(2, HELLO)

    assert run(story).notes == [
        *("begin", "end", "welcome to 1", "7 closed: COMMIT_VOIDED", "ForwardEnd to the unit"),
        *("begin", "end", "welcome to 2"),
    ]


@pytest.mark.parametrize("failing", ["full", "unsendable"])
def test_what_is_for_the_unit_is_undone_with_the_rest_and_not_lost_with_answers(
    monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """Who was removed in the log must not go on being forwarded because an answer could not be sent."""

    async def story(scene: Scene) -> None:
        monkeypatch.setattr(scene.service, "take_forwarding", once(END))
        setattr(scene, failing, True)
        scene.store.full = failing == "full"
        with pytest.raises(Full):
            scene.batches.disconnected(1)
        assert scene.notes.count("ForwardEnd to the unit") == (failing == "unsendable")
        scene.store.full = scene.unsendable = False
        await scene.batches.handle(2, HELLO)

    scene = run(story)
    assert scene.closed
    assert scene.notes.count("ForwardEnd to the unit") == (failing == "unsendable")


def test_what_the_unit_says_takes_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = messages.MediaLost(bytes(16))

    async def story(scene: Scene) -> None:
        sessions = scene.service._service.sessions
        monkeypatch.setattr(sessions, "connection_of", {bytes(32): 7}.get)
        waiting = [asyncio.create_task(scene.batches.handle(1, HELLO))]
        await asyncio.sleep(0)
        scene.batches.forwarded(bytes(16), bytes(32), lost)
        scene.batches.forwarded(bytes(16), bytes([1]) * 32, lost)  # who is not there
        await scene.batches.handle(2, HELLO)
        await asyncio.gather(*waiting)

    assert run(story).notes == [
        *("begin", "media_lost missed by 1", "end"),
        *("welcome to 1", "media_lost to 7", "welcome to 2"),
    ]


class Timers:
    """The event loop's, without time passing: each as its delay and what it does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.set: list[tuple[float, Callable[[], None]]] = []
        self.cancelled = 0
        monkeypatch.setattr(asyncio.get_running_loop(), "call_later", self)

    def __call__(self, delay: float, callback: Callable[[], None]) -> Timers:
        self.set.append((delay, callback))
        return self

    def cancel(self) -> None:
        self.cancelled += 1


def test_the_service_is_called_when_something_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(scene: Scene) -> None:
        timers, due = Timers(monkeypatch), [10_000, 10_000, 4_000, None, 5_000, None]
        monkeypatch.setattr(scene.service, "get_timer", lambda: due.pop(0))
        for connection in range(1, 6):
            await scene.batches.handle(connection, HELLO)
        assert [delay for delay, _ in timers.set] == [10.0, 4.0, 5.0]
        assert timers.cancelled == 2
        scene.notes.clear()
        timers.set[-1][1]()
        assert scene.notes == ["begin", "end"]
        assert not due

    run(story)


def test_a_time_that_is_over_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(scene: Scene) -> None:
        timers = Timers(monkeypatch)
        monkeypatch.setattr(scene.service, "get_timer", lambda: -5)
        await scene.batches.handle(1, HELLO)
        assert [delay for delay, _ in timers.set] == [0.0]

    run(story)
