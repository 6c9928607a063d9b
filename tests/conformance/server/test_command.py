"""``e2ee conformance server`` as its user meets it: options in, a report and an exit status out."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import pytest
from websockets.asyncio.server import ServerConnection, serve

from e2ee.conformance.server.command import main
from e2ee.conformance.server.tokens import Tokens
from tests.conformance.server.served import Served

ONE = "login/a-device-that-proves-itself"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    served.end()


@contextmanager
def somebody(answer: str | bytes | None) -> Iterator[str]:
    """A server that answers whatever it is told with this, or with nothing; gives its URL."""
    ready, stop, found = threading.Event(), asyncio.Event(), list[str]()

    async def talk(connection: ServerConnection) -> None:
        async for _ in connection:
            if answer is not None:
                await connection.send(answer)

    async def run() -> None:
        async with serve(talk, "127.0.0.1", 0) as server:
            found.append(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
            loops.append(asyncio.get_running_loop())
            ready.set()
            await stop.wait()

    loops = list[asyncio.AbstractEventLoop]()
    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert ready.wait(30)
    try:
        yield found[0]
    finally:
        loops[0].call_soon_threadsafe(stop.set)
        thread.join()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "the URL of the service is missing"),
        (["https://calls.example"], "is no ws:// or wss:// URL"),
        (["ws://127.0.0.1:9", "--only", "nothing"], "no check is called so"),
        (["ws://127.0.0.1:9", "--html", "/nowhere/at/all"], "there is no folder"),
        (["ws://127.0.0.1:9", "--tokens", "/nowhere"], "No such file"),
        (["ws://127.0.0.1:9", "--token-command", "make-one"], "needs {account}"),
        (["ws://127.0.0.1:9", "--expect", "/nowhere"], "No such file"),
    ],
)
def test_what_cannot_be_run_is_said(
    arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert why in capsys.readouterr().err


@pytest.mark.parametrize("answer", ["welcome", b"", b"\x91\xa9logged_in", None])
def test_whoever_does_not_greet_is_not_tested(
    answer: str | bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """A text frame, no message, another message, and silence."""
    with somebody(answer) as url:
        assert main([url, "--timeout", "0.5"]) == 3
    assert capsys.readouterr().err


def test_nor_is_who_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ws://127.0.0.1:9/v1"]) == 3
    assert "cannot be reached" in capsys.readouterr().err


def test_reports_are_those_of_the_runner(
    served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = served.start()
    paths = {name: tmp_path / name for name in ("html", "junit", "json-report", "badge")}
    options = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
    assert main([url, "--only", ONE, "--name", "Example 2.1", *options]) == 0
    assert "Example 2.1" in capsys.readouterr().out
    assert b"Example 2.1" in paths["html"].read_bytes()
    suites = ElementTree.parse(paths["junit"]).getroot()  # noqa: S314 - ours
    assert [case.get("name") for case in suites.iter("testcase")] == [ONE.partition("/")[2]]
    report = json.loads(paths["json-report"].read_text())
    assert report["counts"] == {"PASS": 1}
    assert paths["badge"].read_text().startswith("<svg")


def test_a_failure_that_is_expected_is_none(
    served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And one that does not come is told, as everywhere (CONF-18)."""
    url, expected = served.start(), tmp_path / "expected.toml"
    expected.write_text(f'"{ONE}" = "not built yet"')
    arguments = [url, "--only", ONE, "--expect", str(expected)]
    assert main(arguments) == 1
    assert "UNEXPECTED_PASS" in capsys.readouterr().out
    assert main([*arguments, "--lenient", "--only", "login/every-*"]) == 0


@pytest.mark.requirement("CONF-22")
def test_accounts_come_from_where_one_says(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("# for anybody\nfirst\n\nalice of calls second\n")
    tokens = Tokens.of(file, None)
    (invented, first), named = (asyncio.run(tokens.account()) for _ in range(2))
    assert first == "first"
    assert invented.startswith("conformance-")
    assert invented != asyncio.run(Tokens().account())[0]
    assert named == ("alice of calls", "second")
    made = asyncio.run(Tokens.of(None, "echo token-of-{account}").account())
    assert made == (made[0], f"token-of-{made[0]}")
