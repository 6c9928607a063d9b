"""The real server over real WebSockets on this machine, and mounted in another application."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.delivery.admission import users_of_the_application
from e2ee.delivery.rates import Rate
from e2ee.delivery.service import DeliveryService
from e2ee.delivery.service_identity import ServiceIdentity
from e2ee.delivery.store import MemoryStore, MemoryTransaction
from e2ee.server.app import PATH, create_app, create_operations_app
from e2ee.server.errors import CloseReason
from e2ee.server.limits import ConnectionLimits
from e2ee.server.metrics import Metrics
from e2ee.server.serve import serve
from e2ee.signalling import messages
from e2ee.signalling.messages import SERVICE, FromService, ServiceMessage
from tests.server.conftest import NOW, SERVER_NAME, Device
from tests.server.conversation import HELLO, ask, hear, log_in

Story = Callable[[ClientConnection], Awaitable[None]]


def over_websocket(app: ASGIApp, *stories: Story, path: str = PATH) -> None:
    """Serve ``app``, and let each story have a connection of its own, one after the other."""

    async def run() -> None:
        async with serve(app) as port:
            for story in stories:
                async with connect(f"ws://127.0.0.1:{port}{path}") as websocket:
                    await story(websocket)

    asyncio.run(run())


def closing(message: bytes | str) -> Callable[[ClientConnection, list[int]], Awaitable[None]]:
    async def story(websocket: ClientConnection, codes: list[int]) -> None:
        await websocket.send(message)
        with pytest.raises(ConnectionClosedError) as closed:
            await websocket.recv()
        assert closed.value.rcvd is not None
        codes.append(closed.value.rcvd.code)

    return story


def close_code(app: ASGIApp, message: bytes | str) -> int:
    """With what the connection is closed when this is sent."""
    codes: list[int] = []
    story = closing(message)
    over_websocket(app, lambda websocket: story(websocket, codes))
    return codes[0]


def test_a_device_logs_in_publishes_and_is_superseded(
    service: DeliveryService, alice: Device
) -> None:
    observed: list[tuple[int, ServiceMessage]] = []
    app = create_app(service, now=lambda: NOW, observer=lambda *seen: observed.append(seen))

    async def run() -> None:
        async with serve(app) as port:
            url = f"ws://127.0.0.1:{port}{PATH}"
            async with connect(url) as first, connect(url) as second:
                await log_in(first, alice)
                assert await ask(first, messages.Publish(())) == messages.Published(0)
                assert await ask(first, messages.Find("alice")) == messages.Devices("alice", ())
                await log_in(second, alice)
                notice = await hear(first)
                assert isinstance(notice, messages.Refused)
                assert notice.reason == "SUPERSEDED"

    asyncio.run(run())
    from_service = [message for _, message in observed if isinstance(message, FromService)]
    names = [message.name for message in from_service]
    assert names == [
        *("welcome", "attested", "logged_in", "published", "devices"),
        *("welcome", "attested", "logged_in", "refused"),
    ]
    assert {connection for connection, _ in observed} == {1, 2}


def test_a_device_that_is_gone_leaves_nothing(service: DeliveryService, alice: Device) -> None:
    app = create_app(service, now=lambda: NOW)

    async def comes(websocket: ClientConnection) -> None:
        await log_in(websocket, alice)
        assert await ask(websocket, messages.Publish(())) == messages.Published(0)

    over_websocket(app, comes, comes)


@pytest.mark.requirement("SIG-2", "SIG-5")
def test_what_does_not_decode_is_refused_and_the_connection_stays(service: DeliveryService) -> None:
    async def story(websocket: ClientConnection) -> None:
        for data, reason in (
            (b"", "TRUNCATED"),
            (b"\xc1", "NOT_MESSAGEPACK"),
            (b"\x91\xa5howdy", "UNKNOWN_MESSAGE"),
            (b"\x92\xa6hangup\xa4done", "UNKNOWN_MESSAGE"),
            (b"\x92\xa5hello\x91\xcd\x00\x01", "NOT_CANONICAL"),
        ):
            await websocket.send(data)
            refused = await hear(websocket)
            assert isinstance(refused, messages.Refused)
            assert (refused.request, refused.call_id, refused.reason) == ("", None, reason)
        assert isinstance(await ask(websocket, HELLO), messages.Welcome)

    over_websocket(create_app(service), story)


@pytest.mark.requirement("SIG-3", "SIG-5")
def test_an_oversized_message_ends_the_connection(service: DeliveryService) -> None:
    assert close_code(create_app(service), bytes(SERVICE.max_size + 1)) == 1009


@pytest.mark.requirement("SIG-5")
def test_a_text_frame_ends_the_connection(service: DeliveryService) -> None:
    assert close_code(create_app(service), "hello") == 1003


# Mounted in another application


async def says_hello(websocket: ClientConnection) -> None:
    assert isinstance(await ask(websocket, HELLO), messages.Welcome)


def in_starlette(calls: ASGIApp) -> ASGIApp:
    return Starlette(routes=[Mount("/calls", calls)])


def in_fastapi(calls: ASGIApp) -> ASGIApp:
    application = FastAPI()
    application.mount("/calls", calls)
    return application


def in_plain_asgi(calls: ASGIApp) -> ASGIApp:
    """As ``e2ee.server.app`` has it for Django's asgi.py."""

    async def rest(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError(f"{scope['type']} was not for calls")

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan" and scope["path"].startswith("/calls/"):
            root = scope.get("root_path", "") + "/calls"
            await calls({**scope, "root_path": root}, receive, send)
        else:
            await rest(scope, receive, send)

    return application


@pytest.mark.parametrize("mount", [in_starlette, in_fastapi, in_plain_asgi])
def test_it_can_be_mounted(service: DeliveryService, mount: Callable[[ASGIApp], ASGIApp]) -> None:
    app = mount(create_app(service))
    over_websocket(app, says_hello, path=f"/calls{PATH}")
    assert over_http(app, "/calls/health").startswith("HTTP/1.1 200")


# An application's own users


def test_an_application_s_users_are_the_accounts(alice: Device) -> None:
    asked = []

    async def whose(token: str) -> str | None:
        asked.append(token)
        return {"hers": "alice", "his": "bob"}.get(token)

    entropy = SeededEntropy(b"tests/server")
    service = DeliveryService(
        ServiceIdentity.create(SERVER_NAME, entropy),
        MemoryStore(),
        entropy,
        admission=users_of_the_application,
    )

    async def story(websocket: ClientConnection) -> None:
        await ask(websocket, HELLO)
        for token, outcome in (
            ("", "NOT_AUTHENTICATED"),
            ("nobody's", "NOT_AUTHENTICATED"),
            ("his", "NOT_THIS_USER"),
            ("hers", "attested"),
        ):
            answer = await ask(websocket, replace(alice.register(), token=token))
            assert outcome == getattr(answer, "reason", answer.name)

    over_websocket(create_app(service, authenticate=whose, now=lambda: NOW), story)
    assert asked == ["nobody's", "his", "hers"]


# What operators ask


async def get(port: int, path: str) -> str:
    """The whole answer to a GET."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.decode()


def over_http(app: ASGIApp, path: str) -> str:
    async def run() -> str:
        async with serve(app) as port:
            return await get(port, path)

    return asyncio.run(run())


class OutOfOrder(MemoryStore):
    @contextlib.contextmanager
    def transaction(self) -> Iterator[MemoryTransaction]:
        raise OSError("the disk is gone")
        yield


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready"])
def test_it_tells_that_it_lives(service: DeliveryService, path: str) -> None:
    answer = over_http(create_app(service), path)
    assert answer.startswith("HTTP/1.1 200")
    assert answer.endswith("ok")


def test_it_is_not_ready_without_its_store_and_does_not_say_why() -> None:
    entropy = SeededEntropy(b"tests/server")
    identity = ServiceIdentity.create(SERVER_NAME, entropy)
    app = create_app(DeliveryService(identity, OutOfOrder(), entropy))
    for path in ("/health", "/health/ready"):
        answer = over_http(app, path)
        assert answer.startswith("HTTP/1.1 503")
        assert "disk" not in answer
    assert over_http(app, "/health/live").startswith("HTTP/1.1 200")


def test_figures_are_not_on_the_port_where_devices_connect(service: DeliveryService) -> None:
    metrics = Metrics()
    assert over_http(create_app(service, metrics=metrics), "/metrics").startswith("HTTP/1.1 404")
    answer = over_http(create_operations_app(service, metrics), "/metrics")
    assert answer.startswith("HTTP/1.1 200")
    assert "e2ee_connections 0.0" in answer


# Who is let in, and for how long


async def why_closed(websocket: ClientConnection) -> tuple[int, str]:
    """With what code and reason the server closes."""
    with pytest.raises(ConnectionClosed) as closed:
        await websocket.recv()
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (ConnectionLimits(connections=2), CloseReason.TOO_MANY_CONNECTIONS),
        (ConnectionLimits(per_address=2), CloseReason.TOO_MANY_OF_THIS_ADDRESS),
    ],
)
def test_so_many_are_let_in_and_no_more(
    service: DeliveryService, limits: ConnectionLimits, reason: CloseReason
) -> None:
    async def run() -> None:
        async with serve(create_app(service, limits=limits)) as port:
            url = f"ws://127.0.0.1:{port}{PATH}"
            async with connect(url) as first:
                await says_hello(first)
                async with connect(url) as second:
                    await says_hello(second)
                    async with connect(url) as third:
                        assert await why_closed(third) == (1013, reason)
                    await says_hello(first)
                async with connect(url) as third:  # the second left
                    await says_hello(third)

    asyncio.run(run())


@pytest.mark.requirement("DS-7")
@pytest.mark.parametrize(
    ("limits", "outcome"),
    [(None, "RATE_LIMITED"), (ConnectionLimits(per_address=None), "attested")],
    ids=["by address", "behind a proxy"],
)
def test_new_accounts_of_one_address(limits: ConnectionLimits | None, outcome: str) -> None:
    entropy, outcomes = SeededEntropy(b"tests/server"), []
    identity = ServiceIdentity.create(SERVER_NAME, entropy)
    service = DeliveryService(identity, MemoryStore(), entropy, registrations=Rate(1, 3_600_000))

    def registers(account_id: str) -> Story:
        async def story(websocket: ClientConnection) -> None:
            await ask(websocket, HELLO)
            answer = await ask(websocket, Device(account_id).register())
            outcomes.append(getattr(answer, "reason", answer.name))

        return story

    app = create_app(service, limits=limits, now=lambda: NOW)
    over_websocket(app, registers("alice"), registers("bob"))
    assert outcomes == ["attested", outcome]


def test_who_does_not_log_in_is_let_go(service: DeliveryService) -> None:
    async def story(websocket: ClientConnection) -> None:
        async with asyncio.timeout(10):
            assert await why_closed(websocket) == (1008, CloseReason.NO_LOGIN_IN_TIME)

    over_websocket(create_app(service, limits=ConnectionLimits(login_within=0.01)), story)


# Running it


def test_a_port_that_is_taken_is_an_error(service: DeliveryService) -> None:
    async def run() -> None:
        async with serve(create_app(service)) as port:
            with pytest.raises(OSError):  # noqa: PT011 - the system's words differ
                async with serve(create_app(service), port=port):
                    pass

    asyncio.run(run())
