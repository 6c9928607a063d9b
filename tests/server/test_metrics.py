"""Figures for Prometheus: what happened is counted, by names that the protocol has, and nobody is named."""

from __future__ import annotations

import asyncio

from prometheus_client.parser import text_string_to_metric_families as parse

from e2ee.delivery.service import DeliveryService, Figures
from e2ee.delivery.store import MemoryStore
from e2ee.delivery.transaction import Totals as StoreTotals
from e2ee.server.app import create_app
from e2ee.server.forwarding_figures import ForwardingFigures, TotalsOnly
from e2ee.server.metrics import Metrics, TimedStore
from e2ee.server.stores.errors import StoreError, StoreReason
from e2ee.sfu.statistics import (
    MemberStatistics,
    SinkStatistics,
    SourceStatistics,
    Totals,
    UnitStatistics,
)
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
    metrics, held = Metrics(), [Figures(2, StoreTotals(1, 30, 4_000))]
    metrics.holds(lambda: held[0])
    assert samples(metrics)["mailbox_bytes",] == 4_000
    held[0] = Figures(3, StoreTotals(1, 0, 0))
    after = samples(metrics)
    assert (after["devices_logged_in",], after["calls_open",]) == (3, 1)
    assert (after["mailbox_messages",], after["mailbox_bytes",]) == (0, 0)


def test_group_calls_and_commits_that_are_void_are_counted_once() -> None:
    metrics = Metrics()
    metrics.handled(1, messages.Stored("open", bytes(16)))
    metrics.handled(1, messages.Stored("send", bytes(16)))
    for connection in range(20):
        metrics.handled(connection, messages.Voided(bytes(16), 3, number=connection))
    metrics.handled(1, messages.Voided(bytes(16), 4))
    metrics.handled(1, messages.Voided(bytes([1]) * 16, 4))
    counted = samples(metrics)
    assert counted["group_calls_opened_total",] == 1
    assert counted["commits_voided_total",] == 3
    assert counted["deliveries_total", "voided"] == 22


def sink(kind: str, *, wanted: bool) -> SinkStatistics:
    return SinkStatistics(
        "0",
        kind,
        1,
        "a",
        wanted,
        held_back=False,
        **dict.fromkeys(
            ("packets", "bytes", "not_sent", "nacks", "resent", "key_frame_requests"), 0
        ),
    )


def test_of_media_it_is_counted_how_much_and_not_whose() -> None:
    source = SourceStatistics("a", "audio", *[0] * 6)
    sinks = sink("audio", wanted=True), sink("video", wanted=True), sink("video", wanted=False)
    alice = MemberStatistics(0, (source,), sinks, 0, 0, None)
    bob = MemberStatistics(1, (), sinks[:1], 0, 0, None)
    totals = Totals(*range(1, 8))
    units = [
        UnitStatistics({bytes(16): {bytes(32): alice, bytes([1]) * 32: bob}}, totals, 2),
        UnitStatistics({}, totals, 1),
    ]
    metrics = Metrics()
    metrics.forwards(ForwardingFigures(lambda: units))
    counted = {k: v for k, v in samples(metrics).items() if k[0].startswith("forwarding_")}
    assert (
        counted.items()
        >= {
            ("forwarding_packets_received_total",): 2,
            ("forwarding_bytes_received_total",): 4,
            ("forwarding_packets_sent_total",): 6,
            ("forwarding_bytes_sent_total",): 8,
            ("forwarding_nacks_total",): 10,
            ("forwarding_resent_total",): 12,
            ("forwarding_key_frame_requests_total",): 14,
            ("forwarding_held_back",): 3,
            ("forwarding_calls",): 1,
            ("forwarding_members",): 2,
            ("forwarding_sources", "audio"): 1,
            ("forwarding_sources", "video"): 0,
            ("forwarding_sinks", "audio"): 2,
            ("forwarding_sinks", "video"): 1,
        }.items()
    )


def test_of_a_unit_elsewhere_it_is_shown_whether_it_is_there_and_what_passed() -> None:
    metrics = Metrics()
    metrics.forwards(TotalsOnly(lambda: [UnitStatistics({}, Totals(1), 2)]))
    shown = samples(metrics)
    assert shown["forwarding_packets_received_total",] == 1
    assert not {("forwarding_members",), ("forwarding_unit_connected",)} & shown.keys()
    for happens, there in ((metrics.unit_connected, 1), (lambda: metrics.unit_lost("why"), 0)):
        happens()
        assert samples(metrics)["forwarding_unit_connected",] == there
    metrics.unit_failed(ValueError("an address"))
    assert samples(metrics)["forwarding_faults_total",] == 1
    assert b"address" not in metrics.render()


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
