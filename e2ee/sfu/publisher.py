"""What one member publishes: its connection, and the sources behind its SSRCs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from aiortc.rate import RemoteBitrateEstimator
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpSrPacket,
    pack_remb_fci,
)

from e2ee.session_description import parsed
from e2ee.sfu.connection import Connection
from e2ee.sfu.description import format_of, publishing_offer
from e2ee.sfu.rtp import HEADER, abs_send_time
from e2ee.sfu.source import OWN_SSRC, Source
from e2ee.sfu.statistics import Totals
from e2ee.system_clock import Clock

__all__ = ["Publisher", "moment"]

_REPORTS_OF_A_PACKET = 31  # RFC 3550 Section 6.4.2: five bits count them


def moment() -> int:
    """This moment for ``abs-send-time``: seconds with 18 fractional bits, modulo 64 s."""
    return (time.time_ns() << 18) // 1_000_000_000 & 0xFFFFFF


class Publisher:
    """See the module. ``began`` is called when a source has its first packet, ``lost`` when the connection is lost."""

    def __init__(
        self,
        leaf: int,
        clock: Clock,
        host_addresses: Sequence[str] | None,
        began: Callable[[Source], None],
        lost: Callable[[], None],
    ) -> None:
        self._leaf = leaf
        self._clock = clock
        self._began = began
        self._sources: dict[str, Source] = {}
        self._by_ssrc: dict[int, Source] = {}
        self._by_rtx_ssrc: dict[int, Source] = {}
        self._estimator = RemoteBitrateEstimator()
        self._connection = Connection(host_addresses, self._rtp, self._rtcp, lost)
        self._made_at = clock()
        self.refused = 0

    @property
    def sources(self) -> Mapping[str, Source]:
        """By mid."""
        return self._sources

    @property
    def connection(self) -> Connection:
        """To this member."""
        return self._connection

    def waiting_since(self, now: int) -> int:
        """Since when the member has been waited for; ``now`` if it is not."""
        return now if self._connection.is_connected else self._made_at

    async def answer(self, text: str) -> str:
        """Make the connection that the member offers; gives the answer. Raises SfuError."""
        offer, media = publishing_offer(text)
        for section in media:
            self._connection.add(section.kind, "recvonly")
        answer = await self._connection.answer(offer)
        for section, agreed in zip(media, parsed(answer).media, strict=True):
            form = format_of(section, agreed)
            source = Source(
                section.rtp.muxId,
                section.kind,
                self._leaf,
                form,
                self._connection.send_rtcp,
                self._began,
            )
            self._sources[source.mid] = self._by_ssrc[form.ssrc] = source
            if form.rtx_ssrc is not None:
                self._by_rtx_ssrc[form.rtx_ssrc] = source
        return answer

    def _rtp(self, data: bytes) -> None:
        if len(data) < HEADER.size:
            self.refused += 1
            return
        _, second, number, timestamp, ssrc = HEADER.unpack_from(data)
        now, at = self._clock(), moment()
        if (source := self._by_ssrc.get(ssrc)) is not None:
            taken = source.take(second, number, timestamp, data, now, at)
            sent_at = source.form.send_time_id
            if sent_at is not None:
                self._estimate(ssrc, abs_send_time(data, sent_at), len(data), now)
        elif (source := self._by_rtx_ssrc.get(ssrc)) is not None:
            taken = source.take_retransmission(second, timestamp, data, now, at)
        else:
            taken = False
        self.refused += not taken

    def _estimate(self, ssrc: int, sent_at: int | None, size: int, now: int) -> None:
        """Tell the publisher what its path carries, if that has changed."""
        if sent_at is None:
            return
        estimate = self._estimator.add(now, sent_at, size, ssrc)
        if estimate is not None:
            packet = RtcpPsfbPacket(
                fmt=RTCP_PSFB_APP, ssrc=OWN_SSRC, media_ssrc=0, fci=pack_remb_fci(*estimate)
            )
            self._connection.send_rtcp(bytes(packet))

    def _rtcp(self, data: bytes) -> None:
        try:
            packets = RtcpPacket.parse(data)
        except ValueError:
            self.refused += 1
            return
        for packet in packets:
            if isinstance(packet, RtcpSrPacket) and packet.ssrc in self._by_ssrc:
                self._by_ssrc[packet.ssrc].take_report(packet.sender_info, self._clock())

    def tick(self, now: int) -> None:
        """Once a second: measure, and report. The member hears that the unit is there also while it sends nothing."""
        reports = []
        for source in self._sources.values():
            source.measure(now)
            if (report := source.reception(now)) is not None:
                reports.append(report)
        self._connection.send_rtcp(bytes(RtcpRrPacket(OWN_SSRC, reports[:_REPORTS_OF_A_PACKET])))

    @property
    def totals(self) -> Totals:
        """What passed so far."""
        sources = [source.statistics for source in self._sources.values()]
        return Totals(
            packets_received=sum(source.packets for source in sources),
            bytes_received=sum(source.bytes for source in sources),
            key_frame_requests=sum(source.key_frame_requests for source in sources),
        )

    async def close(self) -> None:
        """End the connection."""
        await self._connection.close()
