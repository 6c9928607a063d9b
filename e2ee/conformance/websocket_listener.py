"""Adapters that come by WebSocket, because nobody can start them: pages in browsers, applications on phones.

The runner listens on loopback unless told otherwise, and takes only who knows the path, which holds 128 random bits, and
only pages of origins that were named. What it sends is public; it takes nothing but answers to what it asked.

This module imports nothing of the package and nothing but the standard library.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import queue
import socket
import threading
import time
from collections.abc import Collection

from e2ee.conformance.adapter_protocol import MAXIMUM_LINE
from e2ee.conformance.channel import Gone, NotStarted, Silent
from e2ee.conformance.shown import shown
from e2ee.conformance.websocket import (
    CLOSE,
    MAXIMUM_HEAD,
    NORMAL,
    TEXT,
    Closed,
    Frames,
    Refused,
    Request,
    accepted,
    encode,
    read_request,
    refusal,
)

__all__ = ["Listener", "WebSocketAdapter"]

FOR_THE_HANDSHAKE = 10.0
"""Seconds."""

WAITING = 64
"""Connections that may be in their handshake, or wait for their turn."""


class WebSocketAdapter:
    """An open connection. ``frames`` may hold what came right behind the handshake."""

    def __init__(self, connection: socket.socket, frames: Frames) -> None:
        self._connection = connection
        self._frames = frames
        self._lost: str | None = None

    def send(self, line: str) -> None:
        """See Channel."""
        self._send(encode(TEXT, line.encode()), FOR_THE_HANDSHAKE)

    def receive(self, seconds: float) -> bytes:
        """See Channel."""
        until = time.monotonic() + seconds
        while True:
            try:
                message, reply = self._frames.next()
            except Closed as closed:
                self._send(closed.reply, 1.0)
                self.kill()
                raise Gone(shown(str(closed))) from closed
            if message is not None:
                return message
            if not reply:
                self._frames.feed(self._more(until))
            elif time.monotonic() >= until:  # who sends nothing but pings has not answered
                raise Silent
            else:
                self._send(reply, 1.0)
                if self._lost:
                    raise Gone(self._lost)

    def close(self) -> str | None:
        """See Channel."""
        self._send(encode(CLOSE, NORMAL.to_bytes(2)), 1.0)
        self.kill()
        return None

    def kill(self) -> None:
        """See Channel."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
        self._connection.close()

    def last_words(self) -> list[str]:
        """See Channel: a WebSocket has nothing beside its messages."""
        return []

    def _send(self, data: bytes, seconds: float) -> None:
        try:
            self._connection.settimeout(seconds)
            self._connection.sendall(data)
        except OSError as error:
            self._lost = self._lost or f"the connection broke: {error}"

    def _more(self, until: float) -> bytes:
        if (left := until - time.monotonic()) <= 0:
            raise Silent
        try:
            self._connection.settimeout(left)
            data = self._connection.recv(65_536)
        except TimeoutError:
            raise Silent from None
        except OSError as error:
            raise Gone(self._lost or f"the connection broke: {error}") from error
        if not data:
            raise Gone(self._lost or "the connection ended without a close frame")
        return data


class Listener:
    """Waits for adapters at ``url``. ``origins``: those of pages that may come. Raises OSError if it cannot listen."""

    def __init__(self, host: str, port: int, origins: Collection[str]) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=WAITING)
        self._path = f"/{os.urandom(16).hex()}"
        self._origins = origins
        self._refused: Refused | None = None
        self._come = queue.Queue[WebSocketAdapter](maxsize=WAITING)
        self._rooms = threading.BoundedSemaphore(WAITING)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """What the adapter opens."""
        host, port = self._socket.getsockname()[:2]
        return f"ws://{f'[{host}]' if ':' in host else host}:{port}{self._path}"

    def next(self, seconds: float) -> WebSocketAdapter:
        """The next adapter that has come. Raises NotStarted if none comes in time."""
        try:
            return self._come.get(timeout=seconds)
        except queue.Empty:
            why = f"; the last one was refused: {self._refused}" if self._refused else ""
            raise NotStarted(f"no adapter opened {self.url} within {seconds:g} s{why}") from None

    def close(self) -> None:
        """Take nobody any more, and send away who waits."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread in accept
        self._socket.close()
        with contextlib.suppress(queue.Empty):
            while True:
                self._come.get_nowait().kill()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            if not self._rooms.acquire(blocking=False):
                connection.close()
                continue
            threading.Thread(target=self._open, args=[connection], daemon=True).start()

    def _open(self, connection: socket.socket) -> None:
        try:
            head, rest = _head(connection)
            request = read_request(head)
            self._check(request)
            connection.sendall(accepted(request))
            frames = Frames(MAXIMUM_LINE)
            frames.feed(rest)
            self._come.put_nowait(WebSocketAdapter(connection, frames))
        except Refused as refused:
            self._refused = refused
            with contextlib.suppress(OSError):
                connection.sendall(refusal(refused))
            connection.close()
        except (OSError, queue.Full):
            connection.close()
        finally:
            self._rooms.release()

    def _check(self, request: Request) -> None:
        if _digest(request.path) != _digest(self._path):  # so that time tells nothing of the path
            raise Refused("404 Not Found", "not the path that the runner printed")
        if request.origin is not None and request.origin not in self._origins:
            raise Refused("403 Forbidden", f"--origin does not name {shown(request.origin)}")


def _digest(path: str) -> bytes:
    return hashlib.sha256(path.encode()).digest()


def _head(connection: socket.socket) -> tuple[bytes, bytes]:
    """A request up to its empty line, and what came behind it. Raises Refused and OSError."""
    until, data = time.monotonic() + FOR_THE_HANDSHAKE, b""
    while b"\r\n\r\n" not in data:
        connection.settimeout(max(0.001, until - time.monotonic()))
        some = connection.recv(4096)
        if not some:
            raise Refused("400 Bad Request", "the request ended before its empty line")
        data += some
        if len(data) > MAXIMUM_HEAD:
            raise Refused("431 Request Header Fields Too Large", f"more than {MAXIMUM_HEAD} bytes")
    head, _, rest = data.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", rest
