"""Connections, and which device has proved itself on which (DS-1, IDENT-14).

A device is its leaf signature key, and it has one connection: a newer login takes its place.
"""

from __future__ import annotations

from dataclasses import dataclass

from e2ee.delivery.errors import DeliveryError, DeliveryReason, ServiceUsageError
from e2ee.identity.device_certificate import VerifiedCertificate

__all__ = ["ConnectionId", "Sessions"]

ConnectionId = int
"""Names a connection, given by who holds the connections; not used twice."""


@dataclass(slots=True)
class _Connection:
    greeted: bool = False
    server_nonce: bytes | None = None
    device: VerifiedCertificate | None = None


class Sessions:
    """All connections of a service."""

    def __init__(self) -> None:
        self._connections: dict[ConnectionId, _Connection] = {}
        self._of_device: dict[bytes, ConnectionId] = {}

    def connected(self, connection_id: ConnectionId) -> None:
        """A connection was opened."""
        self._connections[connection_id] = _Connection()

    def disconnected(self, connection_id: ConnectionId) -> None:
        """A connection was closed, and its device has none until it logs in anew."""
        self._log_out(connection_id)
        self._connections.pop(connection_id, None)

    def challenge(self, connection_id: ConnectionId, server_nonce: bytes) -> None:
        """Greet, with a nonce in the place of an earlier one."""
        connection = self._connection(connection_id)
        connection.greeted = True
        connection.server_nonce = server_nonce

    def require_greeted(self, connection_id: ConnectionId) -> None:
        """Raises DeliveryError before ``hello``."""
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

    def log_in(
        self, connection_id: ConnectionId, device: VerifiedCertificate
    ) -> ConnectionId | None:
        """``device`` has proved itself here. Gives the connection whose place this one takes, if any."""
        self._log_out(connection_id)
        superseded = self._of_device.get(device.signature_key)
        if superseded is not None:
            self._log_out(superseded)
        self._connection(connection_id).device = device
        self._of_device[device.signature_key] = connection_id
        return superseded

    def device(self, connection_id: ConnectionId) -> VerifiedCertificate:
        """Whose connection this is. Raises DeliveryError before a login (DS-1)."""
        device = self._connection(connection_id).device
        if device is None:
            raise DeliveryError(DeliveryReason.NOT_LOGGED_IN)
        return device

    def connection_of(self, signature_key: bytes) -> ConnectionId | None:
        """Where this device is logged in."""
        return self._of_device.get(signature_key)

    def _log_out(self, connection_id: ConnectionId) -> None:
        connection = self._connections.get(connection_id)
        if connection is not None and connection.device is not None:
            del self._of_device[connection.device.signature_key]
            connection.device = None

    def _connection(self, connection_id: ConnectionId) -> _Connection:
        try:
            return self._connections[connection_id]
        except KeyError:
            raise ServiceUsageError(
                DeliveryReason.NOT_CONNECTED, f"connection {connection_id}"
            ) from None
