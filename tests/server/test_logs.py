"""The log says what happened and why, and nothing of whom or what: whatever the level, whoever's line it is."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.delivery.service import DeliveryService
from e2ee.server.app import create_app
from e2ee.server.control.app import CONTROL_PATH, create_control_app
from e2ee.server.control.connecting import UnitElsewhere
from e2ee.server.control.controlled import ControlledUnits
from e2ee.server.control.remote import RemoteUnit
from e2ee.server.errors import ForwardingError
from e2ee.server.logs import JsonLines, PlainLines, ServerLog, configure
from e2ee.server.serve import serve
from e2ee.sfu.unit import OnLost, OnOffer, Participant
from e2ee.signalling import messages, wire
from e2ee.signalling.messages import ServiceMessage
from tests.server.conftest import NOW, Device
from tests.server.conversation import HELLO, ask, connected, log_in
from tests.server.scripted_unit import ScriptedUnit

CALL_ID = b"a call's own id!"


@pytest.fixture(autouse=True)
def loggers_as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("e2ee.server")
    before = root.handlers[:], root.level, ours.level
    yield
    root.handlers[:], root.level, ours.level = before[0], before[1], before[2]


def everything(formatter: logging.Formatter) -> io.StringIO:
    """What a handler of all loggers writes from the lowest level on."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.DEBUG, force=True)
    logging.getLogger("e2ee.server").setLevel(logging.DEBUG)
    return written


async def a_device_asks_for_much(
    service: DeliveryService, device: Device, seen: list[ServiceMessage]
) -> None:
    app = create_app(
        service, log=ServerLog(), now=lambda: NOW, observer=lambda _, said: seen.append(said)
    )
    async with connected(app) as websocket:
        await log_in(websocket, device)
        refused = await ask(websocket, messages.Claim("somebody who is sought", 1))
        assert isinstance(refused, messages.Refused)
        await websocket.send(b"no message, but words")
        assert isinstance(await ask(websocket, HELLO), messages.Refused)


@pytest.mark.parametrize("formatter", [JsonLines(), PlainLines()], ids=["json", "plain"])
def test_no_name_no_byte_of_a_message_and_no_address(
    service: DeliveryService, alice: Device, formatter: logging.Formatter
) -> None:
    written, seen = everything(formatter), list[ServiceMessage]()
    asyncio.run(a_device_asks_for_much(service, alice, seen))
    log = written.getvalue()
    assert "connection closed" in log
    assert [word for word in ("alice", "sought", "words", "127.0.0.1") if word in log] == []
    assert len(seen) == 11
    for message in seen:
        if isinstance(message, messages.Refused):  # request and reason are what the log is for
            continue
        for part in pieces(wire.encode(message)):
            assert part.hex() not in log
            assert repr(part)[2:-1] not in log
            assert base64.b64encode(part).decode() not in log


def pieces(encoded: bytes, length: int = 12) -> list[bytes]:
    """The bytes in pieces, each long enough to be nowhere by chance; the message's name is not one."""
    return [encoded[i : i + length] for i in range(16, len(encoded) - length, length)]


@pytest.mark.parametrize("formatter", [JsonLines(), PlainLines()], ids=["json", "plain"])
def test_no_description_no_secret_and_no_address_of_who_has_media(
    formatter: logging.Formatter,
) -> None:
    """Of a service and a unit that is elsewhere, from the lowest level on, faults included."""
    written = everything(formatter)
    secret, words = Secret(b"known to two, and to no log"), "c=IN IP4 203.0.113.9"
    log = ServerLog()

    async def run() -> None:
        made: list[ScriptedUnit] = []

        def make(on_offer: OnOffer, on_lost: OnLost) -> ScriptedUnit:
            made.append(ScriptedUnit(on_offer, on_lost))
            return made[-1]

        entropy = SeededEntropy(b"tests/server/test_logs")
        units = ControlledUnits(make, secret, entropy, watcher=log, log=log)
        async with serve(create_control_app(units, log)) as port:
            where = UnitElsewhere(f"ws://127.0.0.1:{port}{CONTROL_PATH}", secret)
            remote = RemoteUnit(where, lambda *_: None, lambda *_: None, entropy, watcher=log)
            while "forwarding unit connected" not in written.getvalue():  # noqa: ASYNC110
                await asyncio.sleep(0)
            alice = Participant(b"a signature key that is nobody's", 7)
            assert words in await remote.publish(CALL_ID, alice, words)
            made[0].raises = ValueError(words)
            with pytest.raises(ForwardingError):
                await remote.publish(CALL_ID, alice, words)
            log.unit_failed(RuntimeError(words))
            log.unit_lost("ConnectionRefusedError")
            await remote.close()

    asyncio.run(run())
    text = written.getvalue()
    assert "service connected" in text
    assert "ValueError" in text
    for secret_part in (
        *("203.0.113.9", "127.0.0.1", "nobody's", secret.decode(), secret.hex()),
        *(CALL_ID.hex(), CALL_ID.decode(), base64.b64encode(secret).decode()),
    ):
        assert secret_part not in text


def test_each_event_is_an_object_with_its_figures(service: DeliveryService, alice: Device) -> None:
    written = everything(JsonLines())
    asyncio.run(a_device_asks_for_much(service, alice, []))
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert all({"time", "level", "event"} <= line.keys() for line in lines)
    ours = [line for line in lines if "logger" not in line]
    assert [line["event"] for line in ours] == [
        "connection opened",
        *("refused", "refused"),
        "connection closed",
    ]
    assert [(r["request"], r["reason"]) for r in ours[1:3]] == [
        ("claim", "UNKNOWN_ACCOUNT"),
        ("", "TRAILING_BYTES"),
    ]
    closed: dict[str, Any] = ours[3]
    assert closed["seconds"] >= 0
    assert {name: closed[name] for name in ("connection", "reason", "requests", "refused")} == {
        "connection": 1,
        "reason": "LEFT",
        "requests": 5,
        "refused": {"UNKNOWN_ACCOUNT": 1, "TRAILING_BYTES": 1},
    }


def raise_what_quotes(secret: str) -> None:
    raise ValueError(secret)


def test_a_fault_is_its_type_and_its_place() -> None:
    written = everything(JsonLines())
    try:
        raise_what_quotes("alice's words")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("failed for %s", "alice")
    try:
        raise ExceptionGroup("alice", [KeyError("alice")])
    except ExceptionGroup:
        logging.getLogger("asyncio").exception("in a group\nof alice's")
    first, second = map(json.loads, written.getvalue().splitlines())
    assert first["event"] == "failed for %s"
    assert first["faults"][0].startswith("ValueError ")
    assert "raise_what_quotes" in first["faults"][0]
    assert (second["event"], second["faults"]) == ("in a group", ["KeyError"])
    assert "alice" not in written.getvalue()


@pytest.mark.parametrize(
    ("level", "as_json", "expected"),
    [
        ("info", False, " info stopping signal=SIGTERM connections=0\n"),
        ("info", True, '"event": "stopping", "signal": "SIGTERM", "connections": 0}\n'),
        ("warning", False, ""),
    ],
)
def test_it_goes_to_standard_error(
    capsys: pytest.CaptureFixture[str], level: str, as_json: bool, expected: str
) -> None:
    configure(level, as_json=as_json)
    ServerLog().stopping("SIGTERM")
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.endswith(expected)
    assert bool(said.err) is bool(expected)
