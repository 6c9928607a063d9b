"""A service and a forwarding unit that is a process of its own, over a real WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import astuple, fields

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websockets
from websockets.exceptions import ConnectionClosed

from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.server.control.app import CONTROL_PATH, create_control_app
from e2ee.server.control.connecting import UnitElsewhere
from e2ee.server.control.controlled import ControlledUnits
from e2ee.server.control.messages import Done, Passed, Publish, Want
from e2ee.server.control.proof import service_proof, unit_proof
from e2ee.server.control.remote import RemoteUnit
from e2ee.server.errors import ForwardingError, ForwardingReason, ServerConfigurationError
from e2ee.server.limits import ConnectionLimits, ControlLimits
from e2ee.server.logs import ServerLog
from e2ee.server.serve import serve
from e2ee.sfu.errors import SfuError, SfuReason
from e2ee.sfu.statistics import Totals
from e2ee.sfu.unit import Offer, Participant
from e2ee.signalling import wire
from tests.server.scripted_unit import ScriptedUnit

SECRET = Secret(b"shared by unit and service")
CALL = bytes(16)
ALICE, BOB = Participant(bytes([1]) * 32, 3), Participant(bytes([2]) * 32, 4)


class Scene:
    """The units of one process, and what a service hears of them."""

    def __init__(self, limits: ControlLimits, strangers: ConnectionLimits) -> None:
        self.made: list[ScriptedUnit] = []
        self.heard: list[str] = []
        self.pauses = 0
        self.offers: list[Offer] = []
        self.changed = asyncio.Condition()
        self.entropy = SeededEntropy(b"tests/server/control")
        self.units = ControlledUnits(
            self.make, SECRET, self.entropy.fork(b"unit"), limits=limits, watcher=self
        )
        self.app = create_control_app(self.units, ServerLog(), strangers)
        self.url = ""

    def make(self, *callbacks: Callable[..., None]) -> ScriptedUnit:
        self.made.append(ScriptedUnit(*callbacks))
        return self.made[-1]

    @property
    def unit(self) -> ScriptedUnit:
        return self.made[-1]

    @contextlib.asynccontextmanager
    async def served(self, port: int = 0) -> AsyncIterator[int]:
        async with serve(self.app, port=port) as bound:
            self.url = f"ws://127.0.0.1:{bound}{CONTROL_PATH}"
            yield bound

    @contextlib.asynccontextmanager
    async def remote(self, secret: Secret = SECRET) -> AsyncIterator[RemoteUnit]:
        async def pause(_seconds: float) -> None:
            self.pauses += 1
            await asyncio.sleep(0)

        where = UnitElsewhere(self.url, secret)
        entropy = self.entropy.fork(b"service")
        unit = RemoteUnit(where, self.offered, self.lost, entropy, watcher=self, pause=pause)
        try:
            yield unit
        finally:
            await unit.close()

    async def until(self, what: str) -> None:
        async with self.changed:
            await self.changed.wait_for(lambda: what in self.heard)

    def note(self, what: str) -> None:
        async def tell() -> None:
            async with self.changed:
                self.changed.notify_all()

        self.heard.append(what)
        self.telling = asyncio.ensure_future(tell())

    def offered(self, call_id: bytes, member_id: bytes, offer: Offer) -> None:
        assert call_id == CALL
        self.offers.append(offer)
        self.note(f"offer to {member_id[0]}")

    def lost(self, call_id: bytes, member_id: bytes) -> None:
        assert call_id == CALL
        self.note(f"lost {member_id[0]}")

    def unit_failed(self, fault: Exception) -> None:
        self.note(f"failed: {type(fault).__name__}")

    def unit_connected(self) -> None:
        self.note("connected")

    def unit_lost(self, reason: str) -> None:
        self.note(f"away: {reason}")


def run(
    story: Callable[[Scene], Awaitable[None]],
    limits: ControlLimits | None = None,
    strangers: ConnectionLimits | None = None,
) -> Scene:
    async def told() -> Scene:
        async with asyncio.timeout(30):
            scene = Scene(limits or ControlLimits(), strangers or ConnectionLimits())
            await story(scene)
            return scene

    return asyncio.run(told())


# A service with its unit


def test_whatever_is_asked_of_it_the_unit_does_and_answers() -> None:
    async def story(scene: Scene) -> None:
        async with scene.served(), scene.remote() as remote:
            await scene.until("connected")
            assert await remote.publish(CALL, ALICE, "hers") == "answer to hers"
            await remote.subscribe(CALL, ALICE)
            await scene.until("offer to 1")
            await remote.answer(CALL, ALICE.id, 1, "to the offer")
            await remote.want(CALL, ALICE.id, ["b", "a"])
            await remote.close_publisher(CALL, ALICE.id)
            await remote.close_member(CALL, ALICE.id)
        assert scene.offers == [Offer(1, "offer", ("0",), (5,), ("a",))]

    assert run(story).unit.asked == [
        "publish 1 at 3: hers",
        "subscribe 1 at 3",
        "answer 1 1: to the offer",
        "want 1: b a",
        "close publisher 1",
        "close 1",
        "closed",
    ]


def test_what_it_refuses_and_what_fails_there_is_told_apart() -> None:
    async def story(scene: Scene) -> None:
        async with scene.served(), scene.remote() as remote:
            await scene.until("connected")
            scene.unit.raises = SfuError(SfuReason.STALE_ANSWER, "2 is the newest")
            with pytest.raises(SfuError, match="STALE_ANSWER: 2 is the newest"):
                await remote.answer(CALL, ALICE.id, 1, "hers")
            scene.unit.raises = ZeroDivisionError("an address")
            with pytest.raises(ForwardingError) as failed:
                await remote.publish(CALL, ALICE, "hers")
            assert failed.value.reason is ForwardingReason.UNIT_FAILED
            assert "address" not in str(failed.value)
            scene.unit.answer_with = "a" * 70_000
            with pytest.raises(ForwardingError, match="UNIT_FAILED"):
                await remote.publish(CALL, ALICE, "hers")
            with pytest.raises(SfuError, match="MALFORMED_DESCRIPTION"):
                await remote.publish(CALL, ALICE, "a" * 70_000)
            scene.unit.answer_with = "{}"
            assert await remote.publish(CALL, BOB, "his") == "his"

    assert "failed: ZeroDivisionError" in run(story).heard


def test_who_lost_its_media_there_is_told() -> None:
    async def story(scene: Scene) -> None:
        async with scene.served(), scene.remote() as remote:
            await scene.until("connected")
            await remote.subscribe(CALL, ALICE)
            scene.unit.on_lost(CALL, ALICE.id)
            await scene.until("lost 1")
            await remote.subscribe(CALL, BOB)
            scene.unit.on_offer(CALL, BOB.id, Offer(2, "a" * 70_000, (), (), ()))
            await scene.until("lost 2")
            await scene.unit.until("close 2")

    run(story)


def test_a_request_that_is_given_up_is_ended_there_when_the_member_leaves() -> None:
    async def story(scene: Scene) -> None:
        async with scene.served(), scene.remote() as remote:
            await scene.until("connected")
            scene.unit.ready.clear()
            publishing = asyncio.ensure_future(remote.publish(CALL, ALICE, "hers"))
            await scene.unit.until("publish 1 at 3: hers")
            publishing.cancel()
            leaving = asyncio.ensure_future(remote.close_member(CALL, ALICE.id))
            await scene.unit.until("close 1")
            scene.unit.ready.set()
            await leaving

    run(story)


def test_a_unit_that_goes_takes_all_media_with_it_and_is_found_again() -> None:
    async def story(scene: Scene) -> None:
        async with contextlib.AsyncExitStack() as lasting:
            async with scene.served() as port:
                remote = await lasting.enter_async_context(scene.remote())
                await scene.until("connected")
                await remote.subscribe(CALL, ALICE)
                await remote.publish(CALL, BOB, "his")
                scene.unit.ready.clear()
                waiting = asyncio.ensure_future(remote.want(CALL, BOB.id, []))
                await scene.unit.until("want 2: ")
            with pytest.raises(ForwardingError, match="UNIT_AWAY"):
                await waiting
            await scene.until("lost 1")
            await scene.until("lost 2")
            assert scene.made[0].closed
            with pytest.raises(ForwardingError, match="UNIT_AWAY"):
                await remote.publish(CALL, ALICE, "hers")
            await remote.close_publisher(CALL, BOB.id)  # closed already
            await remote.close_member(CALL, ALICE.id)
            scene.heard.clear()
            async with scene.served(port):
                await scene.until("connected")
                assert await remote.publish(CALL, ALICE, "hers") == "answer to hers"
                assert len(scene.made) == 2

    run(story)


def test_it_is_said_once_that_there_is_no_unit() -> None:
    async def story(scene: Scene) -> None:
        async with scene.served():
            pass
        async with scene.remote():
            while scene.pauses < 3:  # noqa: ASYNC110
                await asyncio.sleep(0)

    heard = run(story).heard
    assert heard == ["away: ConnectionRefusedError"]


def test_a_service_that_goes_ends_its_own_unit_and_no_other_s() -> None:
    async def story(scene: Scene) -> None:
        async with scene.served(), scene.remote() as one:
            await scene.until("connected")
            scene.heard.clear()
            async with scene.remote() as other:
                await scene.until("connected")
                await other.publish(CALL, ALICE, "hers")
            await scene.made[1].until("closed")
            assert not scene.made[0].closed
            await one.publish(CALL, ALICE, "hers")
        with pytest.raises(SfuError, match="CLOSED"):
            await one.publish(CALL, ALICE, "hers")

    run(story)


def test_what_passed_is_told_now_and_then() -> None:
    async def story(scene: Scene) -> None:
        async with scene.served(), scene.remote() as remote:
            await scene.until("connected")
            while not remote.statistics().held_back:  # noqa: ASYNC110
                await asyncio.sleep(0)
            assert remote.statistics() == scene.unit.passed

    run(story, ControlLimits(passed_every=0.0))


def test_all_figures_of_a_unit_are_told() -> None:
    assert [name for name, _ in Passed.checks] == [
        *(field.name for field in fields(Totals)),
        "held_back",
    ]
    assert len(astuple(Totals())) == 7


# Who is no service, and who is no unit


async def closed(connection: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as ended:
        await connection.recv()
    assert ended.value.rcvd is not None
    return ended.value.rcvd.code, ended.value.rcvd.reason


def hello(nonce: bytes, secret: Secret = SECRET) -> bytes:
    return bytes(32) + service_proof(secret, nonce, bytes(32))


PUBLISH = wire.encode(Publish(1, CALL, ALICE.id, 3, "hers"))


@pytest.mark.parametrize(
    ("said", "code", "reason"),
    [
        (lambda nonce: hello(nonce, Secret(b"another secret, as long")), 1008, "NOT_PROVED"),
        (lambda _: hello(bytes(32)), 1008, "NOT_PROVED"),  # what was said to another one
        (lambda nonce: bytes(32) + unit_proof(SECRET, nonce, bytes(32)), 1008, "NOT_PROVED"),
        (lambda nonce: hello(nonce)[:-1], 1008, "NOT_PROVED"),
        (lambda nonce: hello(nonce) + b"x", 1009, "TOO_LARGE"),
        (lambda _: b"", 1008, "NOT_PROVED"),
        (lambda _: "words", 1003, "binary frames only"),
        (lambda _: PUBLISH, 1009, "TOO_LARGE"),
    ],
    ids=["secret", "nonce", "mirrored", "short", "long", "empty", "text", "request"],
)
def test_who_does_not_have_the_secret_is_nobody(
    said: Callable[[bytes], bytes | str], code: int, reason: str
) -> None:
    async def story(scene: Scene) -> None:
        async with scene.served(), connect(scene.url) as stranger:
            nonce = await stranger.recv(decode=False)
            await stranger.send(said(nonce))
            assert await closed(stranger) == (code, reason)

    assert run(story).made == []


def test_who_says_nothing_is_let_go() -> None:
    async def story(scene: Scene) -> None:
        async with scene.served(), connect(scene.url) as stranger:
            await stranger.recv()
            assert await closed(stranger) == (1008, "NOT_PROVED")

    run(story, ControlLimits(proved_within=0.0))


def test_nonces_are_used_once() -> None:
    async def story(scene: Scene) -> None:
        async with scene.served(), connect(scene.url) as one, connect(scene.url) as other:
            assert await one.recv(decode=False) != await other.recv(decode=False)

    run(story)


async def proved(connection: ClientConnection) -> None:
    nonce = await connection.recv(decode=False)
    await connection.send(hello(nonce))
    assert await connection.recv(decode=False) == unit_proof(SECRET, nonce, bytes(32))


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"\xc1", "NOT_MESSAGEPACK"),
        (wire.encode(Done(1)), "UNEXPECTED_MESSAGE"),
        (PUBLISH + b"\xc0", "TRAILING_BYTES"),
    ],
)
def test_what_a_service_does_not_say_ends_the_connection(said: bytes, reason: str) -> None:
    async def story(scene: Scene) -> None:
        async with scene.served(), connect(scene.url) as service:
            await proved(service)
            await service.send(said)
            assert await closed(service) == (1008, reason)
            await scene.unit.until("closed")

    run(story)


def test_services_and_requests_are_bounded() -> None:
    async def story(scene: Scene) -> None:
        async with scene.served(), connect(scene.url) as one, connect(scene.url) as other:
            await proved(one)
            await one.send(PUBLISH)
            await one.recv()
            await proved(other)
            assert await closed(other) == (1008, "TOO_MANY_CONNECTIONS")
            scene.unit.ready.clear()
            for number in range(3):
                await one.send(wire.encode(Want(number, CALL, ALICE.id, ())))
            assert await closed(one) == (1008, "TOO_MANY_REQUESTS")

    run(story, ControlLimits(services=1, waiting_of_member=1))


def test_strangers_are_few() -> None:
    async def story(scene: Scene) -> None:
        async with scene.served(), connect(scene.url) as one, connect(scene.url) as other:
            await one.recv()
            assert await closed(other) == (1013, "TOO_MANY_OF_THIS_ADDRESS")

    run(story, strangers=ConnectionLimits(per_address=1))


@pytest.mark.parametrize("begins", [b"", bytes(31), bytes(33)])
def test_a_service_says_nothing_to_who_does_not_begin_as_a_unit(begins: bytes) -> None:
    heard, said = of_another_server(begins)
    assert heard == "away: it does not begin as a forwarding unit does"
    assert said == []


def test_a_service_says_nothing_more_to_a_unit_without_the_secret() -> None:
    heard, said = of_another_server(bytes(32), bytes(32))
    assert heard == "away: it does not have the secret"
    assert said == [64]


def of_another_server(*says: bytes) -> tuple[str, list[int]]:
    """What becomes of a service whose URL leads to a server that says these, one after the other.

    Gives what the service hears first, and how long each answer is that it gives on its first connection.
    """
    said: list[list[int]] = []

    async def story(scene: Scene) -> None:
        async def handle(connection: ServerConnection) -> None:
            answers: list[int] = []
            said.append(answers)
            with contextlib.suppress(ConnectionClosed):
                for each in says:
                    await connection.send(each)
                    answers.append(len(await connection.recv()))

        async with serve_websockets(handle, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            scene.url = f"ws://127.0.0.1:{port}{CONTROL_PATH}"
            async with scene.remote():
                while not scene.heard:  # noqa: ASYNC110
                    await asyncio.sleep(0)

    return run(story).heard[0], said[0]


# Where a unit may be


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://sfu.example/control", "begins with wss://"),
        ("wss://", "begins with wss://"),
        ("ws://[", "begins with wss://"),
        ("ws://sfu.example/control", "--insecure-without-tls"),
    ],
)
def test_a_unit_is_not_just_anywhere(url: str, says: str) -> None:
    with pytest.raises(ServerConfigurationError, match=says):
        UnitElsewhere(url, SECRET)


def test_a_secret_is_long_and_is_not_printed() -> None:
    with pytest.raises(ServerConfigurationError, match="16 bytes"):
        UnitElsewhere("wss://sfu.example/control", Secret(b"short"))
    where = UnitElsewhere("ws://sfu.example/control", SECRET, insecure=True)
    assert "shared" not in repr(where)
