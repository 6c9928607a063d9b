"""Figures for Prometheus: what happened is counted, by names that the protocol has, and nobody is named."""

from __future__ import annotations

import asyncio

from prometheus_client.parser import text_string_to_metric_families as parse

from e2ee.delivery.service import DeliveryService, Figures
from e2ee.delivery.store import MemoryStore
from e2ee.delivery.transaction import Totals
from e2ee.server.app import create_app
from e2ee.server.metrics import Metrics, TimedStore
from e2ee.server.stores.errors import StoreError, StoreReason
from e2ee.signalling import messages
from tests.server.conftest import NOW, Device
from tests.server.conversation import HELLO, ask, connected, log_in

Samples = dict[tuple[str, ...], float]


def samples(metrics: Metrics) -> Samples:
    """(name, values of its labels by their names' order...) -> value."""
    return {
        (
            sample.name.removeprefix("e2ee_"),
            *(sample.labels[label] for label in sorted(sample.labels)),
        ): sample.value
        for family in parse(metrics.render().decode())
        for sample in family.samples
    }


def test_a_conversation_is_counted(service: DeliveryService, alice: Device) -> None:
    metrics = Metrics()
    during: list[Samples] = []

    async def run() -> None:
        async with connected(create_app(service, metrics=metrics, now=lambda: NOW)) as websocket:
            await log_in(websocket, alice)
            await ask(websocket, messages.Claim("bob", 1))
            await websocket.send(b"no message")
            await ask(websocket, HELLO)
            during.append(samples(metrics))

    asyncio.run(run())
    counted = during[0] | {("left", *k): v for k, v in samples(metrics).items()}
    expected = {
        ("connections",): 1,
        ("requests_total", "hello"): 2,
        ("requests_total", "register"): 1,
        ("requests_total", "login"): 1,
        ("requests_total", "claim"): 1,
        ("deliveries_total", "attested"): 1,
        ("deliveries_total", "logged_in"): 1,
        ("refusals_total", "UNKNOWN_ACCOUNT", "claim"): 1,
        ("refusals_total", "TRAILING_BYTES", ""): 1,
        ("left", "connections"): 0,
        ("left", "connections_closed_total", "LEFT"): 1,
    }
    assert {name: counted[name] for name in expected} == expected
    assert b"alice" not in metrics.render()
    assert b"bob" not in metrics.render()


def test_who_is_turned_away_is_counted() -> None:
    metrics = Metrics()
    metrics.turned_away("TOO_MANY_CONNECTIONS")
    assert samples(metrics)["connections_turned_away_total", "TOO_MANY_CONNECTIONS"] == 1


def test_what_the_service_holds_is_asked_when_it_is_wanted() -> None:
    metrics, held = Metrics(), [Figures(2, Totals(1, 30, 4_000))]
    metrics.holds(lambda: held[0])
    assert samples(metrics)["mailbox_bytes",] == 4_000
    held[0] = Figures(3, Totals(1, 0, 0))
    after = samples(metrics)
    assert (after["devices_logged_in",], after["calls_open",]) == (3, 1)
    assert (after["mailbox_messages",], after["mailbox_bytes",]) == (0, 0)


def test_a_store_that_does_not_answer_is_no_reason_to_show_nothing() -> None:
    def figures() -> Figures:
        raise StoreError(StoreReason.FAILED)

    metrics = Metrics()
    metrics.holds(figures)
    metrics.opened(1)
    assert samples(metrics)["connections",] == 1


def test_transactions_are_timed() -> None:
    metrics = Metrics()
    store = TimedStore(MemoryStore(), metrics)
    for _ in range(3):
        with store.transaction() as tx:
            tx.identity()
    assert samples(metrics)["store_transaction_seconds_count",] == 3


def test_the_event_loop_s_lag_is_measured() -> None:
    metrics = Metrics(look_every=0.001)

    async def run() -> None:
        async with metrics.watching_the_loop():
            while not samples(metrics)["event_loop_lag_seconds_count",]:  # noqa: ASYNC110
                await asyncio.sleep(0)

    asyncio.run(run())


def test_metrics_of_two_servers_are_apart() -> None:
    one, other = Metrics(), Metrics()
    one.opened(1)
    assert samples(one)["connections",] == 1
    assert samples(other)["connections",] == 0
