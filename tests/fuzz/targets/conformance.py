"""The conformance kit: what an adapter says to the runner, over its pipe or a WebSocket."""

from __future__ import annotations

import json
from collections.abc import Iterator

from e2ee.conformance import adapter_protocol, websocket
from e2ee.conformance.adapter.loop import answers
from e2ee.conformance.adapter_protocol import NotTheProtocol, case_line, hello_line
from tests.fuzz.target import Faulty, target


def _answers() -> Iterator[bytes]:
    hello = {"type": "hello", "protocol": 1, "name": "n", "version": "1", "groups": ["a/b"]}
    yield json.dumps(hello | {"features": []}).encode()
    for answer in (
        {"result": "valid", "output": {"a": "00"}, "intermediate": {"b": [1, 2.5]}},
        {"result": "invalid", "reason": "REPLAYED", "released": "00", "then": [{}]},
        {"result": "unsupported", "reason": "why"},
    ):
        yield json.dumps({"type": "answer", "number": 17} | answer).encode()
    yield b'{"type": "answer", "number": 17, "result": "valid", "output": ' + b"[" * 100


@target("adapter-answers", seeds=_answers)
def adapter_answers(data: bytes) -> bool:
    """A line that the runner reads: of the adapter's hello, and of its answer to case 17."""
    read = 0
    for reading in (
        lambda: adapter_protocol.read_hello(data),
        lambda: adapter_protocol.read_answer(data, 17),
    ):
        try:
            reading()
        except NotTheProtocol as error:
            if len(str(error)) > 2_000:
                raise Faulty("an error as long as what was said") from error
        else:
            read += 1
    return read > 0


def _lines() -> Iterator[bytes]:
    yield hello_line("1.0").encode()
    yield case_line(1, "no-such/group", {"a": 1}).encode()
    yield b"[]"


@target("runner-lines", seeds=_lines)
def runner_lines(data: bytes) -> bool:
    """A line that our own adapter reads; what it is asked to do is not looked at here."""
    if b'"case"' in data and b"no-such" not in data:
        return False
    try:
        (answer,) = answers([data])
    except (ValueError, RecursionError):  # documented; a line ends the process as a crash
        return False
    return isinstance(json.loads(answer), dict)


def _masked(opcode: int, payload: bytes) -> bytes:
    frame = bytearray(websocket.encode(opcode, payload))
    at = len(frame) - len(payload)
    frame[1] |= 0x80
    return bytes(frame[:at]) + b"\0\0\0\0" + payload


def _frames() -> Iterator[bytes]:
    yield _masked(websocket.TEXT, b'{"type": "hello"}') + _masked(websocket.PING, b"p")
    yield _masked(websocket.TEXT, b"x" * 200) + _masked(websocket.CLOSE, b"\x03\xe8bye")
    yield b"\x01" + _masked(websocket.TEXT, b"a")[1:] + _masked(websocket.CONTINUATION, b"b")


@target("websocket-frames", seeds=_frames)
def websocket_frames(data: bytes) -> bool:
    """What a browser sends after the handshake, as it comes and in two pieces: the same messages."""
    whole = _messages([data])
    if whole != _messages([data[: len(data) // 2], data[len(data) // 2 :]]):
        raise Faulty("other messages if they come in pieces")
    return bool(whole)


def _messages(pieces: list[bytes]) -> list[bytes]:
    frames, found = websocket.Frames(1 << 16), list[bytes]()
    for piece in pieces:
        frames.feed(piece)
        try:
            while (step := frames.next()) != (None, b""):
                if step[0] is not None:
                    found.append(step[0])
        except websocket.Closed as closed:
            return [*found, closed.reply]
    return found


_REQUEST = (
    b"GET /socket HTTP/1.1\r\nHost: 127.0.0.1:1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


@target("websocket-request", seeds=lambda: [_REQUEST, b"GET / HTTP/1.1\r\n\r\n"], longest=1 << 14)
def websocket_request(data: bytes) -> bool:
    """The opening handshake of a browser."""
    try:
        request = websocket.read_request(data)
    except websocket.Refused as refused:
        answer = websocket.refusal(refused)
        if not answer.startswith(b"HTTP/1.1 4"):
            raise Faulty("a refusal that is none") from refused
        return False
    if not websocket.accepted(request).startswith(b"HTTP/1.1 101 "):
        raise Faulty("an answer that opens nothing")
    return True
