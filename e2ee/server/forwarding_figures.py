"""Figures of forwarding units for Prometheus: how many streams go to how many, and what passed; never whose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from e2ee.sfu.statistics import MemberStatistics, SinkStatistics, Totals, UnitStatistics

__all__ = ["ForwardingFigures", "TotalsOnly"]

_TOTALS: tuple[tuple[str, str, Callable[[Totals], int]], ...] = (
    ("packets_received", "RTP packets that members published.", lambda of: of.packets_received),
    ("bytes_received", "Bytes of their payloads.", lambda of: of.bytes_received),
    ("packets_sent", "RTP packets that were forwarded.", lambda of: of.packets_sent),
    ("bytes_sent", "Bytes of their payloads.", lambda of: of.bytes_sent),
    ("nacks", "Packets that members asked for again.", lambda of: of.nacks),
    ("resent", "Packets that were sent again.", lambda of: of.resent),
    ("key_frame_requests", "Requests for a key frame passed on.", lambda of: of.key_frame_requests),
)

Units = Callable[[], Sequence[UnitStatistics]]


class TotalsOnly(Collector):
    """What passed, and nothing of single members: all that is known of a unit that is elsewhere."""

    def __init__(self, units: Units) -> None:
        self._units = units

    def collect(self) -> Iterable[Metric]:
        units = self._units()
        totals = sum((unit.totals for unit in units), Totals())
        for name, meaning, of in _TOTALS:
            yield CounterMetricFamily(f"e2ee_forwarding_{name}", meaning, value=of(totals))
        held_back = sum(unit.held_back for unit in units)
        yield _gauge("held_back", "Streams that a member's path does not carry now.", held_back)

    def describe(self) -> Iterable[Metric]:
        """No names before the first look."""
        return []


class ForwardingFigures(TotalsOnly):
    """The same, with how much there is now."""

    def collect(self) -> Iterable[Metric]:
        yield from super().collect()
        units = self._units()
        members = [each for unit in units for each in _members(unit)]
        yield _gauge("calls", "Calls with media.", sum(len(unit.calls) for unit in units))
        yield _gauge("members", "Devices that publish or get media.", len(members))
        sources = Counter(source.kind for member in members for source in member.sources)
        yield _by_kind("sources", "Streams that are published.", sources)
        sinks = Counter(sink.kind for sink in _sinks(members) if sink.wanted)
        yield _by_kind("sinks", "Streams that go to somebody who wants them.", sinks)


def _members(unit: UnitStatistics) -> Iterator[MemberStatistics]:
    return (member for call in unit.calls.values() for member in call.values())


def _sinks(members: Iterable[MemberStatistics]) -> Iterator[SinkStatistics]:
    return (sink for member in members for sink in member.sinks)


def _gauge(name: str, meaning: str, value: int) -> Metric:
    return GaugeMetricFamily(f"e2ee_forwarding_{name}", meaning, value=value)


def _by_kind(name: str, meaning: str, counted: Counter[str]) -> Metric:
    family = GaugeMetricFamily(f"e2ee_forwarding_{name}", meaning, labels=["kind"])
    for kind in ("audio", "video"):
        family.add_metric([kind], counted[kind])
    return family
