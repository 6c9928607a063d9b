"""One WebSocket to the service under test: any bytes out, and what comes in is looked at before anybody uses it.

A service sends messages of its own between its answers. So who asks sends a second request behind the first
(``ask_relays``, which every service answers, if only by refusing it): requests of a connection are answered in their order
(DS-25), and what came until then is all that there is.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any, TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from e2ee.conformance.server.arguments import without_password
from e2ee.conformance.server.faults import Fault, Lost, Silent
from e2ee.errors import RemoteProtocolError
from e2ee.signalling import messages, wire
from e2ee.signalling.messages import SERVICE, FromService, ServiceMessage

__all__ = ["Line", "open_line"]

M = TypeVar("M", bound=FromService)

MARK = messages.AskRelays()

MOST_MESSAGES, MOST_BYTES = 4_096, 64 << 20
"""That wait for somebody to take them. (A service has 1,000 messages and 16 MiB waiting for a connection at most, DS-7.)"""


class Line:
    """See the module. ``patience`` is in seconds. ``numbers`` are those of the mailbox's messages, as they came."""

    def __init__(self, socket: ClientConnection, patience: float) -> None:
        self._socket, self._patience = socket, patience
        self._arrived: list[FromService] = []
        self._size = 0
        self.numbers: list[int] = []

    async def tell(self, message: ServiceMessage | bytes | str) -> None:
        """Send, and wait for nothing."""
        data = wire.encode(message) if isinstance(message, ServiceMessage) else message
        try:
            await self._socket.send(data)
        except ConnectionClosed as closed:
            raise _lost(closed) from None

    async def send(self, message: ServiceMessage | bytes) -> list[FromService]:
        """Send; gives all that has come since the last time, the answer among it."""
        await self.tell(message)
        return await self.take()

    async def take(self) -> list[FromService]:
        """All that has come since the last time."""
        await self.settled()
        taken, self._arrived, self._size = self._arrived, [], 0
        return taken

    async def settled(self) -> list[FromService]:
        """The same, and it stays."""
        await self.tell(MARK)
        await self._until(_is_mark, "answer to ask_relays")
        return [*self._arrived]

    async def hear(self, kind: type[M]) -> M:
        """Wait for a message of this kind. What came before it stays."""
        heard: Any = await self.first(lambda message: isinstance(message, kind), kind.name)
        return heard  # type: ignore[no-any-return]

    async def first(self, wanted: Callable[[FromService], bool], what: str) -> FromService:
        """Wait for the first message that is wanted. What came before it stays."""
        for each in self._arrived:
            if wanted(each):
                self._arrived.remove(each)
                return each
        return await self._until(wanted, what)

    async def closed(self) -> int:
        """Wait for the end of the connection; its status (RFC 6455 Section 7.4)."""
        with contextlib.suppress(Lost):
            await self._until(lambda _: False, "end of the connection")
        return self._socket.close_code or 1006

    async def close(self) -> None:
        """End the connection."""
        await self._socket.close()

    async def _until(self, wanted: Callable[[FromService], bool], what: str) -> FromService:
        """The first message that is wanted; the others wait for who takes them."""
        try:
            async with asyncio.timeout(self._patience):
                while not wanted(message := await self._next()):
                    self._arrived.append(message)
                return message
        except TimeoutError:
            raise Silent(f"no {what} came within {self._patience:g} s") from None

    async def _next(self) -> FromService:
        try:
            data = await self._socket.recv()
        except ConnectionClosed as closed:
            raise _lost(closed) from None
        self._size += len(data)
        if self._size > MOST_BYTES:
            raise Fault(f"it sent {MOST_BYTES >> 20} MiB and more that nobody asked for")
        message = _message(data)
        if (number := getattr(message, "number", 0)) and not isinstance(
            message, messages.MediaOffer
        ):
            self.numbers.append(number)
            return replace(message, number=0)  # type: ignore[type-var]
        return message


class _Connect(connect):
    """To the service that was named, and to no place that this one names; clients go nowhere else, either."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


@contextlib.asynccontextmanager
async def open_line(url: str, patience: float) -> AsyncIterator[Line]:
    """A connection as long as the context lasts. Raises Lost."""
    try:
        async with asyncio.timeout(patience):
            socket = await _Connect(
                url,
                max_size=SERVICE.max_size,
                max_queue=MOST_MESSAGES,
                compression=None,
                proxy=None,
            )
    except TimeoutError:
        raise Silent(
            f"{without_password(url)} did not open a WebSocket within {patience:g} s"
        ) from None
    except (OSError, WebSocketException, ValueError) as error:
        raise Lost(
            f"{without_password(url)} cannot be reached: {error or type(error).__name__}"
        ) from None
    try:
        yield Line(socket, patience)
    finally:
        await socket.close()


def _message(data: str | bytes) -> FromService:
    if isinstance(data, str):
        raise Fault("it sent a text frame; a message is a binary frame")
    try:
        message = wire.decode(SERVICE, data)
    except RemoteProtocolError as error:
        raise Fault(f"it sent what is no message (SIG-1, SIG-2): {error}") from None
    if not isinstance(message, FromService):
        raise Fault(f"it sent {message.name}, which only a device sends (SIG-6)")
    return message


def _is_mark(message: FromService) -> bool:
    if isinstance(message, messages.Refused):
        return message.request == MARK.name
    return isinstance(message, messages.Relays)


def _lost(closed: ConnectionClosed) -> Lost:
    received = closed.rcvd
    why = f"status {received.code}, {received.reason or 'no reason'}" if received else "no status"
    return Lost(f"it closed the connection ({why})")
