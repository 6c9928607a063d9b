"""The forwarding unit as its operator runs it: a process that services find, that carries media, and that stops as told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from e2ee.cli.commands import application
from e2ee.crypto.secret import Secret
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.server.control.connecting import UnitElsewhere
from e2ee.server.control.remote import RemoteUnit
from e2ee.sfu.errors import SfuError
from e2ee.sfu.unit import Participant
from tests.cli.test_serve import Server, end, fetched, loggers_as_before, server, start
from tests.server.certificates import certificate
from tests.sfu.conftest import CALL, Meeting, until

assert loggers_as_before  # a fixture, of this file as well

SECRET = "shared by unit and service"
ALICE = Participant(bytes([1]) * 32, 0)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    return file


@contextlib.asynccontextmanager
async def unit(*options: str, **environment: str) -> AsyncIterator[Server]:
    process = await start("sfu", "--json", "--listen", "127.0.0.1:0", *options, **environment)
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


@contextlib.asynccontextmanager
async def connected(url: str, meeting: Meeting) -> AsyncIterator[RemoteUnit]:
    """A service's connection to the unit there, whose members are the meeting's."""
    connected = asyncio.Event()

    class Watcher:
        def unit_connected(self) -> None:
            connected.set()

        def unit_lost(self, reason: str) -> None:
            """It stops before its service does, in some tests."""

        def unit_failed(self, fault: Exception) -> None:
            raise fault

    where = UnitElsewhere(url, Secret(SECRET.encode()))
    callbacks = meeting._offered, meeting._was_lost
    remote = RemoteUnit(where, *callbacks, SystemEntropy(), watcher=Watcher())
    try:
        await connected.wait()
        yield remote
    finally:
        await remote.close()


async def end_of(running: Server) -> list[dict[str, object]]:
    status, out, err = await running.stop()
    assert (status, out) == (0, "")
    return [json.loads(line) for line in err.splitlines()]


@pytest.mark.requirement("SFU-1")
def test_media_pass_through_a_process_that_has_no_key(secret: Path) -> None:
    async def run() -> None:
        options = ("--secret-file", str(secret), "--metrics-port", "0", "--json-logs")
        async with asyncio.timeout(60), unit(*options) as running:
            meeting = Meeting()
            async with connected(running.url, meeting) as remote:
                meeting.unit = remote  # type: ignore[assignment]
                alice = await meeting.join(0, 1, name=bytes([1]) * 32)
                bob = await meeting.join(1, 2, name=bytes([2]) * 32)
                await until(lambda: alice.seen(1) > 5 and bob.seen(0) > 5)
                figures = await fetched(running.said["metrics_url"])
                await meeting.close()
            assert "e2ee_forwarding_members 2.0" in figures
            assert 'e2ee_forwarding_sinks{kind="video"} 2.0' in figures
            sent = figures.split("\ne2ee_forwarding_packets_sent_total ")[1].split("\n")[0]
            assert float(sent) > 10
            log = await end_of(running)
        assert {str(line["event"]) for line in log} == {
            *("started", "service connected", "service left", "stopping", "stopped"),
        }

    asyncio.run(run())


def test_a_service_s_media_go_through_it_over_tls(tmp_path: Path, secret: Path) -> None:
    """And end with it."""
    files = certificate(tmp_path / "tls")
    tls = ("--tls-cert", str(files.certificate), "--tls-key", str(files.key))

    async def run() -> None:
        async with (
            asyncio.timeout(60),
            unit(*tls, E2EE_SFU_SECRET=SECRET) as running,
            server(
                *(tmp_path / "store", "--json-logs", "--metrics-port", "0"),
                *("--sfu", running.url, "--sfu-secret-file", str(secret)),
                SSL_CERT_FILE=str(files.certificate),
            ) as service,
        ):
            assert running.url.startswith("wss://127.0.0.1:")
            assert service.said["forwarding"] == running.url
            assert service.process.stderr is not None
            events = (json.loads(line) async for line in service.process.stderr)
            assert (await anext(events))["event"] == "started"
            assert (await anext(events))["event"] == "forwarding unit connected"
            figures = await fetched(service.said["metrics_url"])
            assert "e2ee_forwarding_unit_connected 1.0" in figures
            await running.stop()
            lost = await anext(events)
            assert (lost["event"], lost["level"]) == ("forwarding unit lost", "warning")
            assert (await service.stop())[0] == 0

    asyncio.run(run())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_as_told(secret: Path, number: signal.Signals) -> None:
    async def run() -> tuple[int, str, str]:
        async with unit("--secret-file", str(secret), "--json-logs") as running:
            meeting = Meeting()
            async with connected(running.url, meeting) as remote:
                with pytest.raises(SfuError):
                    await remote.publish(CALL, ALICE, "words")
                running.process.send_signal(number)
                return await end(running.process)

    status, out, err = asyncio.run(run())
    assert (status, out) == (0, "")
    events = [json.loads(line) for line in err.splitlines()]
    assert [event["event"] for event in events] == [
        *("started", "service connected", "stopping", "service left", "stopped"),
    ]
    assert (events[2]["signal"], events[3]["reason"]) == (number.name, "SERVER_STOPS")


def test_what_it_prints_can_be_pasted(secret: Path) -> None:
    async def run() -> str:
        process = await start("sfu", "--listen", "127.0.0.1:0", "--secret-file", str(secret))
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        process.terminate()
        await end(process)
        return line

    said, _, url = asyncio.run(run()).strip().rpartition(" ")
    assert said == "the forwarding unit listens:"
    assert UnitElsewhere(url, Secret(SECRET.encode()))


# What does not run


def refused(*options: str) -> tuple[int, str, str]:
    """What the command says, without a process of its own."""
    arguments = ["sfu", *options]
    ended = CliRunner().invoke(application(arguments), arguments)
    return ended.exit_code, ended.stdout, ended.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "16 bytes"),
        (["--secret-file", "absent"], "absent"),
        (["--listen", "127.0.0.1"], "no ADDRESS:PORT"),
        (["--listen", ":8444"], "no ADDRESS:PORT"),
        (["--listen", "::1:8444"], "no ADDRESS:PORT"),
        (["--listen", "127.0.0.1:65536"], "no ADDRESS:PORT"),
        (["--listen", "0.0.0.0:0"], "--insecure-without-tls"),
        (["--tls-cert", "c.pem"], "go together"),
        (["--media-address", "198.51.100.1"], "not an address of this machine"),
    ],
    ids=lambda value: " ".join(value) or "nothing" if isinstance(value, list) else "",
)
def test_wrong_options_end_with_2_and_a_sentence(
    monkeypatch: pytest.MonkeyPatch, options: list[str], says: str
) -> None:
    if options:
        monkeypatch.setenv("E2EE_SFU_SECRET", SECRET)
    status, out, err = refused(*options)
    assert (status, out) == (2, "")
    assert says in err


def test_what_fails_ends_with_1_and_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("E2EE_SFU_SECRET", SECRET)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        status, out, err = refused("--listen", f"127.0.0.1:{port}")
    assert (status, out) == (1, "")
    assert err.startswith("e2ee sfu: ")
    assert err.count("\n") == 1
