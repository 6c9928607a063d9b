"""WebSocket (RFC 6455) from a server's side, as bytes: the opening handshake and frames. No socket is touched here.

Nothing optional is offered: no extension, no subprotocol, text messages only. What the RFC forbids a client fails the
connection with the close code of Section 7.4.1.

This module imports nothing of the package and nothing but the standard library.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = [
    "Closed",
    "Frames",
    "Refused",
    "Request",
    "accepted",
    "encode",
    "read_request",
    "refusal",
]

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455, Section 1.3."""

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
CONTROL = 0x8
"""The bit of an opcode that makes it one of control."""

NORMAL, PROTOCOL_ERROR, UNSUPPORTED_DATA, BAD_DATA, TOO_BIG = 1000, 1002, 1003, 1007, 1009
"""Section 7.4.1."""

SAYABLE = frozenset([*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)])
"""Close codes that an endpoint may send: Sections 7.4.1 and 7.4.2, and the registry that they begin."""

MAXIMUM_HEAD = 16_384
"""Bytes of a request, up to and with its empty line."""


class Refused(Exception):
    """A request that is not answered with 101. ``status`` is that of HTTP; the text says why."""

    def __init__(self, status: str, why: str) -> None:
        super().__init__(why)
        self.status = status


class Closed(Exception):
    """The connection is over: the client closed it, or must be failed. ``reply`` is the last frame to send."""

    def __init__(self, why: str, code: int | None) -> None:
        super().__init__(why)
        self.reply = encode(CLOSE, b"" if code is None else code.to_bytes(2))


@dataclass(frozen=True, slots=True)
class Request:
    """An opening handshake that may be accepted, if path and origin are right."""

    path: str
    origin: str | None
    key: str


def read_request(head: bytes) -> Request:
    """Section 4.2.1. ``head`` ends with the empty line. Raises Refused."""
    try:
        first, *lines = head.decode("ascii").removesuffix("\r\n\r\n").split("\r\n")
        method, path, version = first.split(" ")
        headers = _headers(lines)
    except ValueError as error:
        raise Refused("400 Bad Request", "no request of HTTP/1.1") from error
    if (method, version) != ("GET", "HTTP/1.1") or "host" not in headers:
        raise Refused("400 Bad Request", "no GET request of HTTP/1.1 with a Host")
    if not _lists(headers, "upgrade", "websocket") or not _lists(headers, "connection", "upgrade"):
        raise Refused("426 Upgrade Required", "no opening handshake of a WebSocket")
    if headers.get("sec-websocket-version") != "13":
        raise Refused("426 Upgrade Required", "not version 13 of the WebSocket protocol")
    key = headers.get("sec-websocket-key", "")
    if not _is_a_key(key):
        raise Refused("400 Bad Request", "Sec-WebSocket-Key is not 16 bytes in base64")
    return Request(path, headers.get("origin"), key)


def accepted(request: Request) -> bytes:
    """The response that opens the connection: Section 4.2.2."""
    digest = hashlib.sha1(request.key.encode() + GUID, usedforsecurity=False).digest()
    accept = base64.b64encode(digest).decode()
    return _response(
        "101 Switching Protocols",
        {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept},
    )


def refusal(refused: Refused) -> bytes:
    """The response to a request that is not accepted."""
    body = f"{refused}\n".encode()
    headers = {
        "Connection": "close",
        "Content-Length": str(len(body)),
        "Content-Type": "text/plain",
    }
    if refused.status.startswith("426"):
        headers |= {"Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    return _response(refused.status, headers) + body


def encode(opcode: int, payload: bytes) -> bytes:
    """One unmasked frame, which is final."""
    match len(payload):
        case size if size < 126:
            length = bytes([size])
        case size if size < 2**16:
            length = b"\x7e" + size.to_bytes(2)
        case size:
            length = b"\x7f" + size.to_bytes(8)
    return bytes([0x80 | opcode]) + length + payload


class Frames:
    """What a client sent, as messages. ``limit``: bytes of a message, over all its frames."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._data = bytearray()
        self._parts: list[bytes] | None = None

    def feed(self, data: bytes) -> None:
        """Take what came."""
        self._data += data

    def next(self) -> tuple[bytes | None, bytes]:
        """(a text message or None, frames to send at once); ``(None, b"")`` if more must come. Raises Closed."""
        while (frame := self._frame()) is not None:
            final, opcode, payload = frame
            if opcode & CONTROL:
                if reply := self._control(opcode, payload):
                    return None, reply
            elif (message := self._data_frame(final, opcode, payload)) is not None:
                return message, b""
        return None, b""

    def _control(self, opcode: int, payload: bytes) -> bytes:
        if opcode == CLOSE:
            raise Closed(*_close(payload))
        return encode(PONG, payload) if opcode == PING else b""

    def _data_frame(self, final: bool, opcode: int, payload: bytes) -> bytes | None:
        if opcode == BINARY:
            raise Closed("sent a binary message", UNSUPPORTED_DATA)
        if (opcode == CONTINUATION) != (self._parts is not None):
            raise Closed("broke the order of a message's frames", PROTOCOL_ERROR)
        self._parts = [*(self._parts or ()), payload]
        if sum(map(len, self._parts)) > self._limit:
            raise Closed(f"sent a message of more than {self._limit} bytes", TOO_BIG)
        if not final:
            return None
        message, self._parts = b"".join(self._parts), None
        if not _is_utf_8(message):
            raise Closed("sent a text that is not UTF-8", BAD_DATA)
        return message

    def _frame(self) -> tuple[bool, int, bytes] | None:
        """The next frame (Section 5.2), unmasked; None if it has not come whole."""
        data = self._data
        if len(data) < 2:
            return None
        final, opcode = bool(data[0] & 0x80), data[0] & 0x0F
        if data[0] & 0x70 or opcode not in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG):
            raise Closed("used a reserved bit or opcode", PROTOCOL_ERROR)
        if not data[1] & 0x80:
            raise Closed("sent a frame without a mask", PROTOCOL_ERROR)
        if opcode & CONTROL and (not final or data[1] & 0x7F > 125):
            raise Closed("sent a control frame that is long or in parts", PROTOCOL_ERROR)
        if (sized := self._size(data[1] & 0x7F)) is None:
            return None
        at, size = sized
        if len(data) < at + 4 + size:
            return None
        mask, payload = data[at : at + 4], data[at + 4 : at + 4 + size]
        del data[: at + 4 + size]
        return final, opcode, _unmasked(payload, mask)

    def _size(self, short: int) -> tuple[int, int] | None:
        """(where the mask begins, bytes of payload); None if the length has not come whole."""
        width = {126: 2, 127: 8}.get(short, 0)
        if len(self._data) < 2 + width:
            return None
        size = int.from_bytes(self._data[2 : 2 + width]) if width else short
        if width and size < (126 if width == 2 else 2**16):
            raise Closed("sent a length that is not the shortest", PROTOCOL_ERROR)
        if size > self._limit:
            raise Closed(f"sent a message of more than {self._limit} bytes", TOO_BIG)
        return 2 + width, size


def _unmasked(payload: bytearray, mask: bytearray) -> bytes:
    """Section 5.3, all bytes at once."""
    size = len(payload)
    keys = (bytes(mask) * (size // 4 + 1))[:size]
    return (int.from_bytes(payload) ^ int.from_bytes(keys)).to_bytes(size)


def _close(payload: bytes) -> tuple[str, int | None]:
    """Why a close frame ends the connection, and the code to answer with: Section 5.5.1."""
    if not payload:
        return "closed the connection", None
    code = int.from_bytes(payload[:2])
    if len(payload) < 2 or code not in SAYABLE:
        return "sent a close frame with a code that nobody may send", PROTOCOL_ERROR
    if not _is_utf_8(payload[2:]):
        return "sent a close frame whose text is not UTF-8", BAD_DATA
    return f"closed the connection ({code} {payload[2:].decode()})", code


def _headers(lines: list[str]) -> dict[str, str]:
    """By name in lower case; a name that comes twice, joined. Raises ValueError."""
    headers = dict[str, str]()
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise ValueError(line)
        name, value = name.lower(), value.strip(" \t")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _lists(headers: Mapping[str, str], name: str, token: str) -> bool:
    return token in (each.strip().lower() for each in headers.get(name, "").split(","))


def _is_a_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _response(status: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
