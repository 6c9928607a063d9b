"""RFC 6455, as bytes: what a client may send, and what fails the connection with which code."""

from __future__ import annotations

import base64
import os

import pytest

from e2ee.conformance.websocket import (
    CLOSE,
    PING,
    PONG,
    TEXT,
    Closed,
    Frames,
    Refused,
    accepted,
    encode,
    read_request,
    refusal,
)

HANDSHAKE = (
    "GET /token HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
"""The key is the example of Section 1.3."""


def masked(
    opcode: int, payload: bytes, *, final: bool = True, mask: bytes = b"\x37\xfa\x21\x3d"
) -> bytes:
    frame = encode(opcode, payload)
    at = len(frame) - len(payload)
    hidden = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
    first = frame[0] if final else frame[0] & 0x7F
    return bytes([first, frame[1] | 0x80]) + frame[2:at] + mask + hidden


def taken(data: bytes, limit: int = 1000) -> tuple[bytes | None, bytes]:
    frames = Frames(limit)
    frames.feed(data)
    return frames.next()


def test_the_example_of_the_rfc_is_accepted_with_its_digest() -> None:
    request = read_request(HANDSHAKE.encode())
    assert (request.path, request.origin) == ("/token", None)
    assert b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in accepted(request)


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        ("GET", "POST", "400"),
        ("HTTP/1.1", "HTTP/1.0", "400"),
        ("Host: 127.0.0.1:8000\r\n", "", "400"),
        ("Upgrade: websocket", "Upgrade: h2c", "426"),
        ("keep-alive, Upgrade", "keep-alive", "426"),
        ("Version: 13", "Version: 8", "426"),
        ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ==", "400"),
        ("dGhlIHNhbXBsZSBub25jZQ==", "no base64 at all", "400"),
        ("Host:", "Host :", "400"),
        ("Host: 127.0.0.1:8000", "no header", "400"),
        ("/token", "/tok en", "400"),
        ("/token", "/tökén", "400"),
    ],
)
def test_what_is_no_opening_handshake_is_refused(old: str, new: str, status: str) -> None:
    with pytest.raises(Refused) as refused:
        read_request(HANDSHAKE.replace(old, new, 1).encode())
    answer = refusal(refused.value).decode()
    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert ("Sec-WebSocket-Version: 13" in answer) == (status == "426")


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 70_000])
def test_messages_of_every_length_come_whole_and_unmasked(size: int) -> None:
    text = (b"0123456789" * (size // 10 + 1))[:size]
    assert taken(masked(TEXT, text), 100_000) == (text, b"")


def test_a_message_comes_in_any_pieces() -> None:
    frames, data = Frames(1000), masked(TEXT, "grün".encode())
    for byte in data[:-1]:
        frames.feed(bytes([byte]))
        assert frames.next() == (None, b"")
    frames.feed(data[-1:])
    assert frames.next() == ("grün".encode(), b"")


def test_a_message_in_frames_may_have_a_ping_between_them() -> None:
    frames = Frames(1000)
    frames.feed(masked(TEXT, b"one ", final=False) + masked(PING, b"?") + masked(0, b"two"))
    assert frames.next() == (None, encode(PONG, b"?"))
    assert frames.next() == (b"one two", b"")


def test_a_pong_that_nobody_asked_for_is_ignored() -> None:
    assert taken(masked(PONG, b"!") + masked(TEXT, b"text")) == (b"text", b"")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (encode(TEXT, b"no mask"), 1002),
        (bytes([0xC1]) + masked(TEXT, b"a reserved bit")[1:], 1002),
        (masked(3, b"a reserved opcode"), 1002),
        (masked(0xB, b"another"), 1002),
        (masked(PING, bytes(126)), 1002),
        (masked(PING, b"", final=False), 1002),
        (masked(0, b"continues nothing"), 1002),
        (masked(TEXT, b"a", final=False) + masked(TEXT, b"b"), 1002),
        (bytes([0x81, 0xFE, 0, 5]) + bytes(9), 1002),
        (bytes([0x81, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]) + bytes(4), 1002),
        (masked(2, b"binary"), 1003),
        (masked(TEXT, b"\xff"), 1007),
        (masked(TEXT, b"\xed\xa0\x80"), 1007),  # half of a surrogate pair
        (bytes([0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0]) + bytes(4), 1009),
        (masked(TEXT, bytes(1001)), 1009),
        (masked(TEXT, bytes(600), final=False) + masked(0, bytes(600)), 1009),
        (masked(CLOSE, b"\x03\xe8bye"), 1000),
        (masked(CLOSE, b"\x0b\xb8"), 3000),
        (masked(CLOSE, b"\x03"), 1002),
        (masked(CLOSE, b"\x03\xed"), 1002),  # 1005 is never sent
        (masked(CLOSE, b"\x03\xe8\xff"), 1007),
    ],
)
def test_what_ends_the_connection_is_answered_with_its_code(data: bytes, code: int) -> None:
    with pytest.raises(Closed) as closed:
        taken(data)
    assert closed.value.reply == encode(CLOSE, code.to_bytes(2))


def test_a_close_without_a_code_is_answered_without_one() -> None:
    with pytest.raises(Closed) as closed:
        taken(masked(CLOSE, b""))
    assert closed.value.reply == encode(CLOSE, b"")


def test_any_mask_will_do() -> None:
    key = base64.b64encode(os.urandom(16))
    assert taken(masked(TEXT, key, mask=bytes(4))) == taken(
        masked(TEXT, key, mask=b"\xff\x00\xa5\x5a")
    )
