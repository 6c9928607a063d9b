"""Connections, which device has proved itself on which (DS-1, IDENT-14), and what each was sent of its mailbox (DS-9).

A device is its leaf signature key, and it has one connection: a newer login takes its place. All of this is in memory and ends
with the connection.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from e2ee.delivery.errors import DeliveryError, DeliveryReason, ServiceUsageError
from e2ee.delivery.limits import (
    IN_FLIGHT_BYTES,
    IN_FLIGHT_MESSAGES,
    LINK_KEPT,
    MAX_LINK_WAITS,
)
from e2ee.identity.device_certificate import VerifiedCertificate

__all__ = ["ConnectionId", "InFlight", "Sessions"]

ConnectionId = int
"""Names a connection, given by who holds the connections; not used twice."""


@dataclass(slots=True)
class InFlight:
    """What a connection was sent of a mailbox and has not acknowledged, so that nobody is sent more than it takes.

    ``sent_up_to`` is the last number sent; if ``behind`` there is more in the mailbox. Sizes are in bytes.
    """

    sent_up_to: int = 0
    behind: bool = True
    size: int = 0
    messages: deque[tuple[int, int]] = field(default_factory=deque)

    def has_room(self, size: int) -> bool:
        """Whether one more of this size may be sent."""
        fits = self.size + size <= IN_FLIGHT_BYTES
        return not self.messages or (len(self.messages) < IN_FLIGHT_MESSAGES and fits)

    def sent(self, number: int, size: int) -> None:
        """One more was sent."""
        self.messages.append((number, size))
        self.size += size
        self.sent_up_to = number

    def acknowledged(self, number: int) -> None:
        """All up to this number were taken."""
        while self.messages and self.messages[0][0] <= number:
            self.size -= self.messages.popleft()[1]
        self.sent_up_to = max(self.sent_up_to, number)

    @property
    def wants_more(self) -> bool:
        """Whether to look into the mailbox: seldom, so that many are found at once."""
        few = len(self.messages) <= IN_FLIGHT_MESSAGES // 2 and self.size <= IN_FLIGHT_BYTES // 2
        return self.behind and few


@dataclass(slots=True)
class _Connection:
    origin: str
    greeted: bool = False
    server_nonce: bytes | None = None
    device: VerifiedCertificate | None = None
    in_flight: InFlight = field(default_factory=InFlight)
    link_waits: dict[bytes, int] = field(default_factory=dict)


class Sessions:
    """All connections of a service."""

    def __init__(self) -> None:
        self._connections: dict[ConnectionId, _Connection] = {}
        self._of_device: dict[bytes, ConnectionId] = {}
        self._awaiting: dict[bytes, ConnectionId] = {}

    def connected(self, connection_id: ConnectionId, origin: str = "") -> None:
        """A connection was opened from somewhere; "" if that does not count."""
        self._connections[connection_id] = _Connection(origin)

    def origin(self, connection_id: ConnectionId) -> str:
        """Where this connection comes from."""
        return self._connection(connection_id).origin

    def disconnected(self, connection_id: ConnectionId) -> VerifiedCertificate | None:
        """A connection was closed, and its device has none until it logs in anew. Gives the device, if any."""
        device = self.log_out(connection_id)
        connection = self._connections.pop(connection_id, None)
        for link_id in connection.link_waits if connection else ():
            self._stop_awaiting(link_id, connection_id)
        return device

    # Logging in

    def challenge(self, connection_id: ConnectionId, server_nonce: bytes) -> None:
        """Greet, with a nonce in the place of an earlier one."""
        connection = self._connection(connection_id)
        connection.greeted = True
        connection.server_nonce = server_nonce

    def require_greeted(self, connection_id: ConnectionId) -> None:
        """Raises DeliveryError before ``hello`` (DS-29)."""
        if not self._connection(connection_id).greeted:
            raise DeliveryError(DeliveryReason.NOT_GREETED, "hello comes first")

    def take_challenge(self, connection_id: ConnectionId) -> bytes:
        """The nonce to be answered; gone with the first answer, right or wrong. Raises DeliveryError."""
        connection = self._connection(connection_id)
        # IDENT-14: "MUST use each nonce once"
        nonce, connection.server_nonce = connection.server_nonce, None
        if nonce is None:
            raise DeliveryError(DeliveryReason.NO_CHALLENGE, "say hello for a new challenge")
        return nonce

    def log_in(self, connection_id: ConnectionId, device: VerifiedCertificate) -> None:
        """``device`` has proved itself here. It is nowhere else, and nobody else is here."""
        self.log_out(connection_id)
        connection = self._connection(connection_id)
        connection.device, connection.in_flight = device, InFlight()
        self._of_device[device.signature_key] = connection_id

    def log_out(self, connection_id: ConnectionId) -> VerifiedCertificate | None:
        """Nobody is logged in here any more. Gives who was."""
        connection = self._connections.get(connection_id)
        if connection is None or connection.device is None:
            return None
        device, connection.device = connection.device, None
        del self._of_device[device.signature_key]
        return device

    def renew(self, device: VerifiedCertificate) -> None:
        """A device has a new certificate; it stays where it is logged in."""
        connection_id = self._of_device.get(device.signature_key)
        if connection_id is not None:
            self._connections[connection_id].device = device

    def device(self, connection_id: ConnectionId) -> VerifiedCertificate:
        """Whose connection this is. Raises DeliveryError before a login (DS-1)."""
        device = self._connection(connection_id).device
        if device is None:
            raise DeliveryError(DeliveryReason.NOT_LOGGED_IN)
        return device

    def connection_of(self, signature_key: bytes) -> ConnectionId | None:
        """Where this device is logged in."""
        return self._of_device.get(signature_key)

    def count(self) -> int:
        """How many devices are logged in."""
        return len(self._of_device)

    def in_flight(self, connection_id: ConnectionId) -> InFlight:
        """What this connection was sent of its device's mailbox."""
        return self._connection(connection_id).in_flight

    # Waiting for a link

    def await_link(self, connection_id: ConnectionId, link_id: bytes, now: int) -> None:
        """This connection waits, in the place of another one. Raises DeliveryError (TOO_MANY_LINKS)."""
        waits = self._connection(connection_id).link_waits
        for expired in [each for each, until in waits.items() if until <= now]:
            self._stop_awaiting(expired, connection_id)
        # DS-7: "4 link ids awaited by a connection"
        if link_id not in waits and len(waits) >= MAX_LINK_WAITS:
            raise DeliveryError(DeliveryReason.TOO_MANY_LINKS, f"at most {MAX_LINK_WAITS} awaited")
        waits[link_id] = now + LINK_KEPT
        self._awaiting[link_id] = connection_id

    def take_awaiting(self, link_id: bytes, now: int) -> ConnectionId | None:
        """The connection that waits for this, and waits for it no more."""
        connection_id = self._awaiting.get(link_id)
        if connection_id is None:
            return None
        until = self._connections[connection_id].link_waits[link_id]
        self._stop_awaiting(link_id, connection_id)
        return connection_id if until > now else None

    def _stop_awaiting(self, link_id: bytes, connection_id: ConnectionId) -> None:
        if self._awaiting.get(link_id) == connection_id:
            del self._awaiting[link_id]
        if connection_id in self._connections:
            self._connections[connection_id].link_waits.pop(link_id, None)

    def _connection(self, connection_id: ConnectionId) -> _Connection:
        try:
            return self._connections[connection_id]
        except KeyError:
            raise ServiceUsageError(
                DeliveryReason.NOT_CONNECTED, f"connection {connection_id}"
            ) from None
