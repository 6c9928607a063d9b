"""Figures for Prometheus: how much happens, how long it takes and why it is refused; never of whom.

Labels are names of messages and reason codes, which are finite lists of the protocol's own. Accounts, devices, calls and
addresses are in none: a series for each would be a record of who called when, kept elsewhere and for long.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from e2ee.delivery.service import ConnectionId, Figures
from e2ee.delivery.transaction import Store, Transaction
from e2ee.errors import E2EEError
from e2ee.signalling.messages import FromDevice, Open, Refused, ServiceMessage, Stored, Voided

__all__ = ["CONTENT_TYPE", "Metrics", "TimedStore"]

CONTENT_TYPE = CONTENT_TYPE_LATEST

_SECONDS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)


_HELD: tuple[tuple[str, str, Callable[[Figures], int]], ...] = (
    ("devices_logged_in", "Devices that are logged in.", lambda held: held.devices),
    ("calls_open", "Calls that are not over.", lambda held: held.totals.calls),
    ("mailbox_messages", "Messages that are not acknowledged.", lambda held: held.totals.mail),
    ("mailbox_bytes", "Bytes of these.", lambda held: held.totals.mail_size),
)
"""Name and meaning of what the service is asked for."""


class Metrics:
    """A ``Watcher``, and a ``UnitWatcher``, that counts, with a registry of its own."""

    def __init__(self, look_every: float = 0.5) -> None:
        """``look_every``: seconds between two looks at the event loop."""
        self._look_every = look_every
        self._registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self._registry)
        self._unit: Gauge | None = None
        self._connections = self._gauge("connections", "Connections that are open.")
        self._closed = self._counter("connections_closed", "Connections ended, by why.", "reason")
        self._turned_away = self._counter(
            "connections_turned_away", "Connections not let in, by why.", "reason"
        )
        self._requests = self._counter("requests", "Messages from devices, by name.", "request")
        self._refusals = self._counter(
            "refusals",
            "Requests refused, by name (empty: no message) and why.",
            "request",
            "reason",
        )
        self._deliveries = self._counter("deliveries", "Messages to devices, by name.", "message")
        self._group_calls = self._counter("group_calls_opened", "Group calls that were opened.")
        self._voided = self._counter(
            "commits_voided", "Commits taken out of the log of a group call, with what followed."
        )
        self._last_voided: tuple[bytes, int] | None = None
        self._unit_faults = self._counter("forwarding_faults", "Faults of the forwarding unit.")
        self._transactions = self._histogram(
            "store_transaction_seconds", "Time of a transaction of the store."
        )
        self._lag = self._histogram(
            "event_loop_lag_seconds",
            "By how much the event loop is late.",
        )

    def holds(self, figures: Callable[[], Figures]) -> None:
        """Have ``figures`` asked whenever the metrics are."""
        self._registry.register(_Held(figures))

    def forwards(self, units: Collector) -> None:
        """Have the figures of forwarding units asked whenever the metrics are."""
        self._registry.register(units)

    def render(self) -> bytes:
        """All of it, in Prometheus' text format (``CONTENT_TYPE``)."""
        return generate_latest(self._registry)

    def opened(self, _connection_id: ConnectionId) -> None:
        self._connections.inc()

    def handled(self, _connection_id: ConnectionId, message: ServiceMessage) -> None:
        if isinstance(message, FromDevice):
            self._requests.labels(message.name).inc()
        elif isinstance(message, Refused):
            self._refusals.labels(message.request, message.reason).inc()
        else:
            self._deliveries.labels(message.name).inc()
            self._count_of_group(message)

    def _count_of_group(self, message: ServiceMessage) -> None:
        if isinstance(message, Stored) and message.request == Open.name:
            self._group_calls.inc()
        elif isinstance(message, Voided) and self._last_voided != (
            voided := (message.call_id, message.epoch)
        ):  # all members are told, one after the other
            self._last_voided = voided
            self._voided.inc()

    def closed(self, _connection_id: ConnectionId, reason: str) -> None:
        self._connections.dec()
        self._closed.labels(reason).inc()

    def turned_away(self, reason: str) -> None:
        self._turned_away.labels(reason).inc()

    def unit_failed(self, _fault: Exception) -> None:
        self._unit_faults.inc()

    def unit_connected(self) -> None:
        self._unit_is(connected=True)

    def unit_lost(self, _reason: str) -> None:
        self._unit_is(connected=False)

    def _unit_is(self, *, connected: bool) -> None:
        if self._unit is None:  # a unit inside has no connection to be shown
            text = "Whether there is a connection to the forwarding unit."
            self._unit = self._gauge("forwarding_unit_connected", text)
        self._unit.set(connected)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Times what the store does while the context lasts."""
        with self._transactions.time():
            yield

    @contextlib.asynccontextmanager
    async def watching_the_loop(self) -> AsyncIterator[None]:
        """Looks at the running event loop while the context lasts."""
        looking = asyncio.create_task(self._look())
        try:
            yield
        finally:
            looking.cancel()

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + self._look_every
            await asyncio.sleep(self._look_every)
            self._lag.observe(max(0.0, loop.time() - due))

    def _gauge(self, name: str, meaning: str) -> Gauge:
        return Gauge(name, meaning, namespace="e2ee", registry=self._registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(name, meaning, labels, namespace="e2ee", registry=self._registry)

    def _histogram(self, name: str, meaning: str) -> Histogram:
        return Histogram(name, meaning, namespace="e2ee", registry=self._registry, buckets=_SECONDS)


class TimedStore:
    """A store whose transactions are timed, each with its flush to the disk."""

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with self._metrics.transaction(), self._store.transaction() as tx:
            yield tx


class _Held(Collector):
    def __init__(self, figures: Callable[[], Figures]) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        try:
            figures = self._figures()
        except E2EEError:  # a store that does not answer is no reason to show nothing
            return []
        return [GaugeMetricFamily(f"e2ee_{n}", text, value=of(figures)) for n, text, of in _HELD]

    def describe(self) -> Iterable[Metric]:
        return [GaugeMetricFamily(f"e2ee_{name}", text) for name, text, _ in _HELD]
