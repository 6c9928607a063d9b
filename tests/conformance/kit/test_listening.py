"""Adapters that come by WebSocket: real connections, by another implementation of RFC 6455."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from e2ee.conformance.__main__ import main
from e2ee.conformance.channel import Gone, NotStarted, Silent
from e2ee.conformance.websocket import Frames
from e2ee.conformance.websocket_listener import Listener, WebSocketAdapter
from tests.conformance.kit.conftest import Ran

HELLO = {
    "type": "hello",
    "protocol": 1,
    "name": "a page",
    "version": "1",
    "groups": ["frames/opening"],
    "features": [],
}


def answer(message: dict[str, Any]) -> dict[str, Any]:
    """What an honest adapter says."""
    if message["type"] == "hello":
        return HELLO
    given, fixed = message["input"], {"type": "answer", "number": message["number"]}
    if given["tag"] != "good":
        return {**fixed, "result": "invalid", "reason": "NOT_AUTHENTIC"}
    return {
        **fixed,
        "result": "valid",
        "output": {"frame": bytes.fromhex(given["frame"])[::-1].hex()},
    }


def serve(connection: ClientConnection, messages: int | None = None) -> None:
    """Answer so many messages, or until the runner has no more."""
    with contextlib.suppress(ConnectionClosed):
        while messages is None or messages > 0:
            connection.send(json.dumps(answer(json.loads(connection.recv()))))
            messages = None if messages is None else messages - 1


class Running:
    """A run that listens; it has printed its URL."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.status: int | None = None


Listen = Callable[..., contextlib.AbstractContextManager[Running]]


@pytest.fixture
def listen(vectors: Path, tmp_path: Path) -> Listen:
    @contextmanager
    def listen(*options: str) -> Iterator[Running]:
        pipe = tmp_path / "url"
        os.mkfifo(pipe)
        running = Running("")
        fixed = ["--vectors", str(vectors), "--only", "frames/*", "--listen", "127.0.0.1:0"]

        def run() -> None:
            running.status = main([*fixed, "--url-file", str(pipe), *options])

        thread = threading.Thread(target=run)
        thread.start()
        running.url = pipe.read_text().strip()
        try:
            yield running
        finally:
            thread.join()

    return listen


def ran(running: Running, capfd: pytest.CaptureFixture[str]) -> Ran:
    assert running.status is not None
    return Ran(running.status, *capfd.readouterr())


@pytest.mark.requirement("CONF-4")
def test_an_adapter_that_opens_a_websocket_is_served(
    listen: Listen, capfd: pytest.CaptureFixture[str]
) -> None:
    with listen() as running, connect(running.url) as page:
        serve(page)
        assert page.close_code == 1000
    done = ran(running, capfd)
    assert done.status == 0
    assert f"open {running.url}\n" in done.err
    assert "a page 1\n" in done.out


@pytest.mark.requirement("CONF-16")
def test_one_that_closes_in_a_case_has_crashed_and_may_come_again(
    listen: Listen, capfd: pytest.CaptureFixture[str]
) -> None:
    with listen("--json") as running:
        with connect(running.url) as page:
            serve(page, messages=1)
            page.recv()
        with connect(running.url) as page:
            serve(page)
    done = ran(running, capfd)
    assert done.verdicts == {"opened": "CRASH", "bad-tag": "PASS", "of-h264": "UNSUPPORTED"}
    assert "the adapter closed the connection (1000 )" in done.out


@pytest.mark.requirement("CONF-4")
def test_who_does_not_know_the_path_is_refused(listen: Listen) -> None:
    with listen() as running:
        for path in ("/", "/token", running.url.rpartition("/")[2][:-1]):
            with pytest.raises(InvalidStatus) as refused:
                connect(f"{running.url.rpartition('/')[0]}/{path}")
            assert refused.value.response.status_code == 404
        with connect(running.url) as page:
            serve(page)
    assert running.status == 0


@pytest.mark.requirement("CONF-4")
def test_a_page_of_another_origin_is_refused(listen: Listen) -> None:
    with listen("--origin", "https://example.org") as running:
        for origin in ("https://example.com", "null", "https://example.org.evil.net"):
            with pytest.raises(InvalidStatus) as refused:
                connect(running.url, origin=Origin(origin))
            assert refused.value.response.status_code == 403
        with connect(running.url, origin=Origin("https://example.org")) as page:
            serve(page)
    assert running.status == 0


def test_a_page_that_waits_in_vain_is_told_of() -> None:
    listener = Listener("127.0.0.1", 0, [])
    try:
        with pytest.raises(InvalidStatus):
            connect(listener.url, origin=Origin("null"))
        with pytest.raises(NotStarted, match="was refused: --origin does not name null"):
            listener.next(0)
    finally:
        listener.close()


def test_who_sends_what_rfc_6455_forbids_has_crashed(
    listen: Listen, capfd: pytest.CaptureFixture[str]
) -> None:
    with listen("--only", "opened") as running:
        with connect(running.url) as page:
            serve(page, messages=1)
            page.recv()
            page.socket.sendall(b"\x81\x02{}")  # without a mask
            with pytest.raises(ConnectionClosed):
                page.recv()
            assert page.close_code == 1002
        with connect(running.url) as page:
            serve(page)
    assert "CRASH" in ran(running, capfd).out


def test_a_connection_that_breaks_is_a_crash(
    listen: Listen, capfd: pytest.CaptureFixture[str]
) -> None:
    with listen("--json") as running:
        with connect(running.url) as page:
            serve(page, messages=1)
            page.recv()
            page.socket.shutdown(socket.SHUT_RDWR)
        with connect(running.url) as page:
            serve(page)
    done = ran(running, capfd)
    assert done.verdicts["opened"] == "CRASH"


@pytest.mark.requirement("CONF-16")
def test_who_sends_nothing_but_pings_and_takes_no_pong_is_not_waited_for() -> None:
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    frames = Frames(1024)
    frames.feed(b"\x89\x80mask" * 20_000)
    with ours, theirs, pytest.raises((Silent, Gone)):
        WebSocketAdapter(ours, frames).receive(60.0)
    assert len([*iter(lambda: frames.next()[1], b"")]) > 10_000  # it was not all answered


@pytest.mark.requirement("CONF-16")
def test_pings_are_no_answer() -> None:
    ours, theirs = socket.socketpair()
    frames = Frames(1024)
    frames.feed(b"\x89\x80mask" * 2)
    with ours, theirs, pytest.raises(Silent):
        WebSocketAdapter(ours, frames).receive(0.0)
    assert frames.next()[1]  # and are not waited for, either


def test_nobody_comes(listen: Listen, capfd: pytest.CaptureFixture[str]) -> None:
    with listen("--start-timeout", "0.2") as running:
        pass
    done = ran(running, capfd)
    assert done.status == 3
    assert "within 0.2 s" in done.err


LAUNCHED = """
import json, os, sys
sys.path[:0] = sys.argv[1:]
from websockets.sync.client import connect
from tests.conformance.kit.test_listening import serve
with connect(os.environ["E2EE_CONFORMANCE_URL"]) as page:
    serve(page)
"""


@pytest.mark.requirement("CONF-4")
def test_a_command_may_be_started_that_opens_the_websocket(
    vectors: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    options = ["--vectors", str(vectors), "--only", "frames/*", "--json", "--listen", "127.0.0.1:0"]
    status = main([*options, "--", sys.executable, "-c", LAUNCHED, *sys.path])
    done = Ran(status, *capfd.readouterr())
    assert (done.status, done.verdicts["opened"]) == (0, "PASS")
