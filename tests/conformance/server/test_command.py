"""``e2ee conformance server`` as its user meets it: options in, a report and an exit status out."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from e2ee.conformance.server.command import main
from e2ee.conformance.server.tokens import Tokens
from e2ee.signalling import messages, wire
from e2ee.signalling.messages import SERVICE
from tests.conformance.server.served import Served

ONE = "login/a-device-that-proves-itself"

Answer = str | bytes | list[bytes] | None


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    served.end()


@contextmanager
def somebody(answer: Answer | Callable[[str | bytes], Answer], **options: Any) -> Iterator[str]:
    """A server that answers whatever it is told with this, or with what is made of it, or with nothing; gives its URL."""
    ready, stop, found = threading.Event(), asyncio.Event(), list[str]()

    async def talk(connection: ServerConnection) -> None:
        async for data in connection:
            said = answer(data) if callable(answer) else answer
            for each in said if isinstance(said, list) else [said]:
                if each is not None:
                    await connection.send(each)

    async def run() -> None:
        async with serve(talk, "127.0.0.1", 0, **options) as server:
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


HOSTILE = "\x1b[2Jevil\n</h1><script>\u202e"


def hostile(data: str | bytes) -> bytes | None:
    """It greets by a name that moves a terminal's cursor, and refuses in words that do."""
    if isinstance(data, str):
        return None
    request = wire.decode(SERVICE, data)
    if isinstance(request, messages.Hello):
        return wire.encode(messages.Welcome(0x0100, HOSTILE, bytes(32), bytes(32)))
    return wire.encode(messages.Refused(request.name, None, HOSTILE, 5_000 * HOSTILE))


def test_no_word_of_a_service_gets_into_a_report_as_it_came(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor does the password in the service's URL: reports are published."""
    paths = {name: tmp_path / name for name in ("html", "junit", "json-report", "badge")}
    options = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
    only = [word for group in ("login", "wire") for word in ("--only", f"{group}/*")]
    with somebody(hostile) as url:
        named = url.replace("127.0.0.1", "user:secret@127.0.0.1")
        assert main([named, *only, *options, "--timeout", "0.5"]) == 1
    written = [path.read_text(encoding="utf-8") for path in paths.values()]
    for text in (capsys.readouterr().out, *written):
        assert r"\x1b[2Jevil" in text.replace(r"\\", "\\")
        assert not {"\x1b", "\u202e"} & set(text)
        assert "<script>" not in text or text is not written[0]
        assert "secret" not in text
        assert len(text) < 300_000
    for name in ("junit", "badge"):
        ElementTree.parse(paths[name])  # noqa: S314 - ours


def flooding(data: str | bytes) -> list[bytes]:
    """Behind its greeting come messages without end."""
    if data != wire.encode(messages.Hello((0x0100,))):
        return []
    welcome = messages.Welcome(0x0100, "calls.example", bytes(32), bytes(32))
    sent = messages.Sent(bytes(16), bytes(1_000_000), 1)
    return [wire.encode(welcome), *[wire.encode(sent)] * 80]


def test_no_service_fills_the_memory(capsys: pytest.CaptureFixture[str]) -> None:
    with somebody(flooding) as url:
        assert main([url, "--only", ONE, "--timeout", "60"]) == 1
    assert "it sent 64 MiB and more that nobody asked for" in capsys.readouterr().out


def test_who_is_not_there_is_named_without_a_password(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ws://user:secret@127.0.0.1:9/v1"]) == 3
    assert "ws://127.0.0.1:9/v1 cannot be reached" in capsys.readouterr().err


def test_a_service_that_lets_no_more_accounts_in_does_not_fail(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    """DS-7 has it refuse an address's 21st account of an hour, DS-8 whoever has no token."""
    url = served.asks_for_tokens().start()
    assert main([url, "--only", ONE]) == 1  # nothing passes
    said = capsys.readouterr().out
    assert "it lets this run make no account, see --tokens: INVITATION_NEEDED" in said
    assert "FAIL" not in said


def test_nobody_follows_a_service_elsewhere(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else it would be asked for what another one, which only the tester can reach, is like."""
    url = served.start()

    def elsewhere(connection: ServerConnection, _: Request) -> Response:
        response = connection.respond(HTTPStatus.FOUND, "")
        response.headers["Location"] = url
        return response

    with somebody(None, process_request=elsewhere) as redirecting:
        assert main([redirecting, "--only", ONE]) == 3
    assert "HTTP 302" in capsys.readouterr().err
