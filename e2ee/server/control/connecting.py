"""The way from a service to a forwarding unit that is elsewhere: where that is, and one connection to it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from e2ee.crypto.entropy import Entropy
from e2ee.crypto.secret import Secret, equal
from e2ee.server.control.messages import CONTROL, ControlMessage, ToUnit
from e2ee.server.control.proof import NONCE, PROOF, require_strong, service_proof, unit_proof
from e2ee.server.errors import CloseReason, ConfigurationReason, ServerConfigurationError
from e2ee.server.tls import is_loopback
from e2ee.signalling import wire
from e2ee.signalling.errors import WireError, WireReason

__all__ = ["ControlConnection", "UnitElsewhere", "UnitLost", "control_connection"]

_PROVED_WITHIN = 10.0
"""Seconds until a connection is of use."""

_SAID = frozenset({*CloseReason, *WireReason})
"""Why a unit ends a connection, in its words."""

_frames = logging.getLogger(f"{__name__}.frames")
_frames.setLevel(logging.INFO)
"""websockets would log each frame at DEBUG."""


@dataclass(frozen=True, slots=True)
class UnitElsewhere:
    """Where a unit is, and the secret shared with it.

    Raises ServerConfigurationError for a URL of another scheme, a short secret, and a way there that others may listen on, if
    that is not wanted (``insecure``).
    """

    url: str
    secret: Secret = field(repr=False)
    insecure: bool = False

    def __post_init__(self) -> None:
        scheme, host = _scheme_and_host(self.url)
        if scheme not in ("ws", "wss") or not host:
            _refuse(f"{self.url!r} is no forwarding unit: it begins with wss:// or ws://")
        if scheme == "ws" and not is_loopback(host) and not self.insecure:
            _refuse(
                f"on the way to {self.url} members' addresses can be read: give a wss:// URL,"
                " or --insecure-without-tls if there shall be no TLS"
            )
        require_strong(self.secret)


class UnitLost(Exception):
    """There is no connection any more, or there never was; the text says why, and names nobody."""


class ControlConnection:
    """Both sides have proved themselves. Raises UnitLost when it has ended."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, message: ToUnit) -> None:
        """Raises MessageError for a message that is beyond its bounds."""
        encoded = wire.encode(message)
        with _lost():
            await self._connection.send(encoded)

    async def receive(self) -> ControlMessage:
        """The next message."""
        with _lost():
            data = await self._connection.recv(decode=False)
        try:
            return wire.decode(CONTROL, data)
        except WireError as error:
            raise UnitLost(error.reason) from None


class _Connect(connect):
    """To the unit that the operator names, and to no place that this one names."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


@contextlib.asynccontextmanager
async def control_connection(
    where: UnitElsewhere, entropy: Entropy
) -> AsyncIterator[ControlConnection]:
    """A connection, as long as the context lasts. Raises UnitLost if there is none to be had."""
    with _lost():
        connection = await _Connect(
            where.url, max_size=CONTROL.max_size, compression=None, proxy=None, logger=_frames
        )
    try:
        with _lost():
            async with asyncio.timeout(_PROVED_WITHIN):
                await _prove(connection, where.secret, entropy)
        yield ControlConnection(connection)
    finally:
        await connection.close()


async def _prove(connection: ClientConnection, secret: Secret, entropy: Entropy) -> None:
    """See ``e2ee.server.control``. Raises UnitLost."""
    theirs, ours = await connection.recv(decode=False), entropy.random(NONCE)
    if len(theirs) != NONCE:
        raise UnitLost("it does not begin as a forwarding unit does")
    await connection.send(ours + service_proof(secret, theirs, ours))
    proof = await connection.recv(decode=False)
    if len(proof) != PROOF or not equal(proof, unit_proof(secret, theirs, ours)):
        raise UnitLost("it does not have the secret")


@contextlib.contextmanager
def _lost() -> Iterator[None]:
    try:
        yield
    except (OSError, TimeoutError, WebSocketException) as error:
        raise UnitLost(_why(error)) from None


def _why(error: Exception) -> str:
    closed = getattr(error, "rcvd", None)
    # other texts are of whoever is there, who may not have proved anything, and this one is logged
    said = closed.reason if closed is not None else ""
    return said if said in _SAID else type(error).__name__


def _scheme_and_host(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or ""
    except ValueError:
        return "", ""


def _refuse(detail: str) -> NoReturn:
    raise ServerConfigurationError(ConfigurationReason.BAD_FORWARDING_UNIT, detail)
