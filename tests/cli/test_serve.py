"""The server as its operator runs it: a process that says where it listens, is found again after a restart, and stops as told."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
import json
import logging
import os
import re
import signal
import socket
import ssl
import stat
import sys
import urllib.request
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from e2ee.cli.commands import application
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.identity.account import AccountKey
from e2ee.identity.login import register_signature
from e2ee.server.units import UnitInside, unit_beside
from e2ee.signalling import messages
from e2ee.system_clock import system_clock
from tests.server.certificates import certificate
from tests.server.conftest import SERVER_NAME, Device
from tests.server.conversation import HELLO, ask, log_in

ENTRY = [sys.executable, "-c", "from e2ee.cli.main import main; main()"]
NAME = "127.0.0.1"


async def start(*arguments: str, **environment: str) -> Process:
    return await asyncio.create_subprocess_exec(
        *ENTRY, *arguments, stdout=PIPE, stderr=PIPE, env={**os.environ, **environment}
    )


async def end(process: Process) -> tuple[int, str, str]:
    """Exit status, and what it said."""
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def ran(*arguments: str, **environment: str) -> tuple[int, str, str]:
    async def run() -> tuple[int, str, str]:
        return await end(await start(*arguments, **environment))

    return asyncio.run(run())


@dataclass
class Server:
    """One that runs. ``said`` is its first object."""

    process: Process
    said: dict[str, Any]

    @property
    def url(self) -> str:
        url = self.said["url"]
        assert isinstance(url, str)
        return url

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        self.process.send_signal(number)
        return await end(self.process)


@contextlib.asynccontextmanager
async def server(store: Path, *options: str, **environment: str) -> AsyncIterator[Server]:
    process = await start(
        *("serve", "--json", "--port", "0", "--store", str(store)), *options, **environment
    )
    try:
        assert process.stdout is not None
        line = await process.stdout.readline()
        if not line:
            pytest.fail(f"it did not start: {await end(process)}")
        yield Server(process, json.loads(line))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def registered(websocket: ClientConnection, account: AccountKey, token: str = "") -> str:
    """Ask for an attestation; ``attested``, or why it was refused."""
    signature = register_signature(account, NAME)
    request = messages.Register(account.account_id, account.public, signature, token)
    answer = await ask(websocket, request)
    return answer.reason if isinstance(answer, messages.Refused) else answer.name


def account(name: str) -> AccountKey:
    return AccountKey.create(name, SystemEntropy())


# Running, and running again


def test_it_is_the_same_service_after_a_restart(tmp_path: Path) -> None:
    store = tmp_path / "state" / "service.sqlite3"
    alice = account("alice")

    async def run() -> list[dict[str, Any]]:
        said = []
        for attempt in (alice, account("alice")):
            async with server(store) as running, connect(running.url) as websocket:
                said.append(running.said)
                await ask(websocket, HELLO)
                answers = [await registered(websocket, alice), await registered(websocket, attempt)]
                assert answers[0] == "attested"
                status, _, _ = await running.stop()
                assert status == 0
        assert answers == ["attested", "ACCOUNT_TAKEN"]
        return said

    first, second = asyncio.run(run())
    assert first["directory_keys"] == second["directory_keys"]
    assert (first["event"], first["server_name"]) == ("listening", NAME)
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.parent.stat().st_mode) == 0o700


def test_one_process_serves_a_store(tmp_path: Path) -> None:
    """Two would not know who is logged in at the other."""
    store = tmp_path / "service.sqlite3"

    async def run() -> None:
        async with server(store) as first:
            second = await end(await start("serve", "--port", "0", "--store", str(store)))
            assert second == (1, "", f"e2ee serve: another process serves {store}\n")
            invited = await end(await start("invite", "--store", str(store)))
            assert invited[0] == 0
            assert (await first.stop(signal.SIGKILL))[0] == -signal.SIGKILL
        async with server(store) as next_one:
            assert (await next_one.stop())[0] == 0

    asyncio.run(run())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_as_told_and_says_so_to_devices(tmp_path: Path, number: signal.Signals) -> None:
    async def run() -> tuple[int, str, str]:
        async with (
            server(tmp_path / "store", "--json-logs") as running,
            connect(running.url) as websocket,
        ):
            await ask(websocket, HELLO)
            stopped = await running.stop(number)
            with pytest.raises(ConnectionClosed) as closed:
                await websocket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012
            return stopped

    status, out, err = asyncio.run(run())
    assert (status, out) == (0, "")
    events = [json.loads(line) for line in err.splitlines()]
    assert [event["event"] for event in events] == [
        *("started", "stopping", "connection closed", "stopped"),
    ]
    assert events[1]["signal"] == number.name
    assert events[2]["reason"] == "SERVER_STOPS"


def test_what_it_prints_can_be_pasted(tmp_path: Path) -> None:
    async def run() -> str:
        process = await start("serve", "--port", "0", "--store", str(tmp_path / "store"))
        assert process.stdout is not None
        lines = [(await process.stdout.readline()).decode() for _ in range(3)]
        process.terminate()
        await end(process)
        return "".join(lines)

    assert re.fullmatch(
        r"127\.0\.0\.1 listens: (ws://127\.0\.0\.1:\d+/v1)\n"
        r"a device gets an account by:\n"
        r"  e2ee register NAME --server \1 --directory-key 1:[0-9a-f]{64} --directory-key 2:[0-9a-f]{64}\n",
        asyncio.run(run()),
    )


# TLS


def test_it_serves_tls_and_reads_a_renewed_certificate(tmp_path: Path) -> None:
    files = certificate(tmp_path)
    options = ("--tls-cert", str(files.certificate), "--tls-key", str(files.key), "--json-logs")

    async def serial(port: int) -> object:
        context = ssl.create_default_context(cafile=files.certificate)
        async with connect(f"wss://127.0.0.1:{port}/v1", ssl=context) as websocket:
            assert isinstance(await ask(websocket, HELLO), messages.Welcome)
            return websocket.transport.get_extra_info("peercert")["serialNumber"]

    async def run() -> None:
        async with server(tmp_path / "store", *options) as running:
            assert running.url.startswith("wss://127.0.0.1:")
            port = int(running.url.split(":")[2].split("/")[0])
            before = await serial(port)
            certificate(tmp_path)
            running.process.send_signal(signal.SIGHUP)
            assert running.process.stderr is not None
            async for line in running.process.stderr:
                if json.loads(line)["event"] == "certificate reloaded":
                    break
            assert await serial(port) != before
            assert (await running.stop())[0] == 0

    asyncio.run(run())


# Who gets an account


@pytest.mark.requirement("DS-7")
def test_an_address_gets_so_many_new_accounts(tmp_path: Path) -> None:
    async def run() -> None:
        async with (
            server(tmp_path / "store", "--new-accounts", "1") as running,
            connect(running.url) as websocket,
        ):
            await ask(websocket, HELLO)
            assert await registered(websocket, account("alice")) == "attested"
            assert await registered(websocket, account("bob")) == "RATE_LIMITED"
            await running.stop()

    asyncio.run(run())


def test_an_address_has_so_many_connections(tmp_path: Path) -> None:
    async def run() -> None:
        async with (
            server(tmp_path / "store", "--per-address", "1") as running,
            connect(running.url) as first,
            connect(running.url) as second,
        ):
            await ask(first, HELLO)
            with pytest.raises(ConnectionClosed, match="TOO_MANY_OF_THIS_ADDRESS"):
                await second.recv()

    asyncio.run(run())


def test_by_invitation_each_token_lets_one_in(tmp_path: Path) -> None:
    store = tmp_path / "store"

    async def invite(*options: str) -> str:
        status, out, err = await end(await start("invite", "--store", str(store), *options))
        assert (status, err) == (0, "")
        return out.strip()

    async def run() -> None:
        async with server(store, "--registration", "invitation") as running:
            async with connect(running.url) as websocket:
                await ask(websocket, HELLO)
                alice, bob = account("alice"), account("bob")
                assert await registered(websocket, alice) == "INVITATION_NEEDED"
                token = await invite()
                assert await registered(websocket, alice, token) == "attested"
                assert await registered(websocket, bob, token) == "BAD_INVITATION"
                hers = await invite("--for", "alice")
                assert await registered(websocket, bob, hers) == "BAD_INVITATION"
            async with connect(running.url) as websocket:  # she lost her key
                await ask(websocket, HELLO)
                hers = await invite("--for", "alice")
                assert await registered(websocket, account("alice"), hers) == "attested"
            await running.stop()

    asyncio.run(run())


def test_an_application_s_users_come_with_its_tokens(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    jwks = tmp_path / "jwks.json"
    jwk = jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    jwks.write_text(json.dumps({"keys": [jwk]}))
    claims = {"iss": "people.example", "aud": "calls", "sub": "alice", "exp": 32_500_000_000}
    options = ("--jwt-keys", str(jwks), "--jwt-issuer", "people.example", "--jwt-audience", "calls")

    async def run() -> None:
        async with (
            server(tmp_path / "store", *options) as running,
            connect(running.url) as websocket,
        ):
            await ask(websocket, HELLO)
            token = jwt.encode(claims, key, "EdDSA")
            assert await registered(websocket, account("bob"), token) == "NOT_THIS_USER"
            assert await registered(websocket, account("alice")) == "NOT_AUTHENTICATED"
            assert await registered(websocket, account("alice"), token) == "attested"

    asyncio.run(run())


# Relays and figures


def test_devices_get_relays_and_operators_figures(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("shared with the relay\n")
    options = (
        *("--name", SERVER_NAME, "--turn-url", "turn:turn.example", "--metrics-port", "0"),
        *("--turn-secret-file", str(secret)),
    )

    async def run() -> None:
        async with server(tmp_path / "store", *options) as running:
            port = running.url.split(":")[2].split("/")[0]
            async with connect(f"ws://127.0.0.1:{port}/v1") as websocket:
                await log_in(websocket, Device("alice", system_clock()()))
                relays = await ask(websocket, messages.AskRelays())
                assert isinstance(relays, messages.Relays)
                assert relays.urls == ("turn:turn.example",)
                tag = hmac.digest(b"shared with the relay", relays.username.encode(), "sha1")
                assert relays.credential == base64.b64encode(tag).decode()
                figures = await fetched(running.said["metrics_url"])
        assert 'e2ee_requests_total{request="ask_relays"} 1.0' in figures
        assert "e2ee_devices_logged_in 1.0" in figures
        assert "alice" not in figures

    asyncio.run(run())


async def fetched(url: str) -> str:
    with await asyncio.to_thread(urllib.request.urlopen, url) as answer:
        content: bytes = answer.read()
    return content.decode()


def test_the_next_directory_key_takes_over(tmp_path: Path) -> None:
    store = tmp_path / "store"

    async def keys() -> dict[str, str]:
        async with server(store) as running:
            said: dict[str, str] = running.said["directory_keys"]
            return said

    before = asyncio.run(keys())
    status, out, _ = ran("rotate-directory-key", "--json", "--store", str(store))
    assert status == 0
    after = asyncio.run(keys())
    assert json.loads(out)["directory_keys"] == after
    assert (list(before), list(after)) == (["1", "2"], ["2", "3"])
    assert before["2"] == after["2"]


# Media of group calls


def test_the_forwarding_unit_is_inside_unless_there_shall_be_none(tmp_path: Path) -> None:
    async def run() -> list[tuple[str | None, bool]]:
        said = []
        for options in ((), ("--no-sfu",)):
            metrics = ("--metrics-port", "0")
            async with server(tmp_path / "store", *metrics, *options) as running:
                figures = await fetched(running.said["metrics_url"])
                shown = "e2ee_forwarding_packets_sent_total 0.0" in figures
                said.append((running.said["forwarding"], shown))
                assert (await running.stop())[0] == 0
        return said

    assert asyncio.run(run()) == [("inside", True), (None, False)]


@pytest.mark.parametrize(
    ("host", "proxied", "loopback"),
    [
        ("127.0.0.1", False, True),
        ("localhost", False, True),
        ("127.0.0.1", True, False),
        ("0.0.0.0", False, False),  # noqa: S104
    ],
)
def test_media_come_to_where_devices_connect(host: str, *, proxied: bool, loopback: bool) -> None:
    assert unit_beside(host, [], behind_proxy=proxied) == UnitInside(loopback=loopback)
    given = unit_beside(host, ["127.0.0.1"], behind_proxy=proxied)
    assert given.host_addresses() == ["127.0.0.1"]


def test_who_listens_on_loopback_has_media_there_and_elsewhere() -> None:
    """Devices look for media on loopback only if they are told to, and on another address only if there is a network."""
    addresses = UnitInside(loopback=True).host_addresses()
    assert addresses is not None
    assert addresses[0] == "127.0.0.1"
    assert UnitInside().host_addresses() is None


def test_without_aiortc_group_calls_have_no_media_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("e2ee.cli.serve.find_spec", lambda _: None)
    readable = tmp_path / "store"
    readable.touch(0o640)  # so that it ends at once
    status, out, err = refused(readable)
    assert (status, out) == (1, "")
    assert "group calls have no media without e2ee-calling[rtc]" in err


# What does not run


def refused(store: Path, *options: str) -> tuple[int, str, str]:
    """What the command says, without a process of its own."""
    arguments = ["serve", "--store", str(store), "--port", "0", *options]
    ended = CliRunner().invoke(application(arguments), arguments)
    return ended.exit_code, ended.stdout, ended.stderr


@pytest.fixture(autouse=True)
def loggers_as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("e2ee.server")
    before = root.handlers[:], root.level, ours.level
    yield
    root.handlers[:], root.level, ours.level = before[0], before[1], before[2]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--host", "0.0.0.0"], "--name says what devices connect to"),  # noqa: S104
        (["--host", "0.0.0.0", "--name", "calls.example"], "--insecure-without-tls"),  # noqa: S104
        (["--tls-cert", "c.pem"], "go together"),
        (["--tls-cert", "c.pem", "--tls-key", "k.pem"], "no TLS certificate"),
        (["--jwt-keys", "absent.json"], "absent.json"),
        (["--registration", "users"], "needs --jwt-keys"),
        (["--turn-url", "turn:turn.example"], "16 bytes"),
        (["--sfu", "wss://sfu.example/control"], "16 bytes"),
        (["--sfu", "wss://sfu.example/control", "--sfu-secret-file", "absent"], "absent"),
        (["--sfu", "wss://sfu.example/control", "--no-sfu"], "exclude each other"),
        (["--sfu-secret-file", "secret"], "--sfu says where"),
        (["--media-address", "127.0.0.1", "--no-sfu"], "inside of this process"),
        (["--media-address", "198.51.100.1"], "not an address of this machine"),
        (["--media-address", "sfu.example"], "no IP address"),
        (["--media-address", "127.0.0.1=sfu.example"], "no IP address"),
        (["--registration", "whoever"], "Invalid value"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_options_end_with_2_and_a_sentence(
    tmp_path: Path, options: list[str], says: str
) -> None:
    status, out, err = refused(tmp_path / "store", *options)
    assert (status, out) == (2, "")
    assert says in err


def test_what_fails_ends_with_1_and_a_sentence(tmp_path: Path) -> None:
    store = tmp_path / "store"
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = refused(store, "--port", str(other.getsockname()[1]))
    renamed = refused(store, "--name", "b.example")
    store.chmod(0o640)
    readable = refused(store)
    foreign_file = tmp_path / "foreign"
    foreign_file.write_text("no store" * 200)
    foreign_file.chmod(0o600)
    foreign = refused(foreign_file)
    for status, out, err in (taken, readable, renamed, foreign):
        assert (status, out) == (1, "")
        assert err.startswith("e2ee serve: ")
        assert err.count("\n") == 1
    assert "in use" in taken[2]
    assert "the store is of 127.0.0.1" in renamed[2]
    assert "must be 0600" in readable[2]


def test_an_invitation_needs_a_service(tmp_path: Path) -> None:
    status, _, err = ran("invite", "--store", str(tmp_path / "none"))
    assert status == 2
    assert "start the service first" in err
    assert not (tmp_path / "none").exists()
