"""Who is told what happens to connections, and to the forwarding unit: ``Watcher`` is what metrics and the log both are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from e2ee.delivery.service import ConnectionId
from e2ee.signalling.messages import ServiceMessage

__all__ = ["UnitWatcher", "UnitWatchers", "Watcher", "Watchers", "nobody_watches"]


class Watcher(Protocol):
    """Told in the order in which it happens, between two awaits; what it raises ends the connection."""

    def opened(self, connection_id: ConnectionId, /) -> None:
        """A device connected."""

    def handled(self, connection_id: ConnectionId, message: ServiceMessage, /) -> None:
        """A message came from this connection, or goes to it."""

    def closed(self, connection_id: ConnectionId, reason: str, /) -> None:
        """The connection ended; ``reason`` is a ``CloseReason``, or the service's reason for having closed it."""

    def turned_away(self, reason: str, /) -> None:
        """A connection was not let in."""


class UnitWatcher(Protocol):
    """Told of the forwarding unit, and of nobody whose media it has."""

    def unit_failed(self, fault: Exception, /) -> None:
        """It raised something that no member can have asked for."""

    def unit_connected(self) -> None:
        """It is a process of its own, and there is a connection to it."""

    def unit_lost(self, reason: str, /) -> None:
        """That connection has ended, or could not be made."""


class UnitWatchers:
    """Several as one."""

    def __init__(self, watchers: Sequence[UnitWatcher] = ()) -> None:
        self._watchers = tuple(watchers)

    def unit_failed(self, fault: Exception) -> None:
        for watcher in self._watchers:
            watcher.unit_failed(fault)

    def unit_connected(self) -> None:
        for watcher in self._watchers:
            watcher.unit_connected()

    def unit_lost(self, reason: str) -> None:
        for watcher in self._watchers:
            watcher.unit_lost(reason)


nobody_watches: UnitWatcher = UnitWatchers()


class Watchers:
    """Several as one."""

    def __init__(self, watchers: Sequence[Watcher] = ()) -> None:
        self._watchers = tuple(watchers)

    def opened(self, connection_id: ConnectionId) -> None:
        for watcher in self._watchers:
            watcher.opened(connection_id)

    def handled(self, connection_id: ConnectionId, message: ServiceMessage) -> None:
        for watcher in self._watchers:
            watcher.handled(connection_id, message)

    def closed(self, connection_id: ConnectionId, reason: str) -> None:
        for watcher in self._watchers:
            watcher.closed(connection_id, reason)

    def turned_away(self, reason: str) -> None:
        for watcher in self._watchers:
            watcher.turned_away(reason)
