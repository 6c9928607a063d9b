"""One stream that a member publishes: what came of it, what is missing, and to whom it goes.

    publisher -> Source.take -> Sink.forward of everybody who gets it
    publisher <- reports, requests for lost packets and for key frames

It asks for lost packets itself, so that one loss between the publisher and the unit is one request, and passes requests
for key frames on, at most every 300 ms. It knows the kind of a stream and its codec, and nothing about its sender.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from aiortc.rtp import (
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRtpfbPacket,
    RtcpSenderInfo,
    clamp_packets_lost,
)

from e2ee.sfu.limits import KEY_FRAME_INTERVAL, MAX_PACKET, REPORT_INTERVAL, TAKEN_EACH_SECOND
from e2ee.sfu.rtp import BEGINS_KEY_FRAME, MARKER, Packet, payload_of
from e2ee.sfu.sequence import ReceivedSequence
from e2ee.sfu.statistics import SourceStatistics

__all__ = ["Format", "PacketSink", "Source"]


@dataclass(frozen=True, slots=True)
class Format:
    """How a stream travels on one connection. ``rtx_*`` are of its retransmissions (RFC 4588), None without any.

    ``asks`` is whether lost packets are asked for (``a=rtcp-fb:... nack``), ``send_time_id`` the header extension's id.
    """

    codec: str
    clock_rate: int
    ssrc: int
    payload_type: int
    rtx_ssrc: int | None
    rtx_payload_type: int | None
    asks: bool
    send_time_id: int | None


class PacketSink(Protocol):
    """Where packets of a source go."""

    def forward(self, packet: Packet, now: int, time: int) -> None:
        """Take a packet that came at ``now`` (ms); ``time`` is the same moment for ``abs-send-time``."""

    def fill(self, index: int, time: int) -> None:
        """The packet with this index will never come."""

    def report(self, info: RtcpSenderInfo) -> None:
        """Take what the publisher reports about the stream's clock (RFC 3550 Section 6.4.1)."""


class Source:
    """See the module. ``send_rtcp`` leads to the publisher; ``began`` is called when the first packet came."""

    def __init__(
        self,
        mid: str,
        kind: str,
        leaf: int,
        form: Format,
        send_rtcp: Callable[[bytes], object],
        began: Callable[[Source], None],
    ) -> None:
        self.mid = mid
        self.kind = kind
        self.leaf = leaf
        self.form = form
        self.sinks: list[PacketSink] = []
        self.begins_key_frame = BEGINS_KEY_FRAME.get(form.codec)
        self.sequence = ReceivedSequence()
        self.has_begun = False
        self.bitrate = 0
        """Of the last time between two calls of ``measure``, in bits a second."""
        self._send_rtcp = send_rtcp
        self._began = began
        self._packets = self._bytes = self._nacks = self._key_frame_requests = 0
        self._may_ask_at = 0
        self._taken_until = self._taken = self._taken_bytes = 0
        self._measured_bytes = self._measured_at = 0
        self._jitter = 0.0
        self._transit: float | None = None
        self._reported = (0, 0)
        self._last_report: tuple[int, int] | None = None

    # ---------------------------------------------------------------------------------------- packets

    def take(
        self, second: int, sequence_number: int, timestamp: int, data: bytes, now: int, time: int
    ) -> bool:
        """An RTP packet of the stream, whose header's second byte and numbers were read already.

        False if it is not the stream's: of another codec, cut off, too long to be forwarded, or more than a stream has.
        """
        if second & 0x7F != self.form.payload_type or not self._may_take(len(data), now):
            return False
        body = payload_of(data)
        if body is None:
            return False
        self._forward(sequence_number, second & MARKER, timestamp, *body, now, time)
        return True

    def take_retransmission(
        self, second: int, timestamp: int, data: bytes, now: int, time: int
    ) -> bool:
        """One of its packets, sent again in RTX: behind its original sequence number (RFC 4588 Section 4)."""
        if second & 0x7F != self.form.rtx_payload_type or not self._may_take(len(data), now):
            return False
        body = payload_of(data)
        if body is None:
            return True  # padding only: a probe for bandwidth
        flags, payload = body
        if len(payload) > 2:
            number = int.from_bytes(payload[:2], "big")
            self._forward(number, second & MARKER, timestamp, flags, payload[2:], now, time)
        return True

    def _may_take(self, size: int, now: int) -> bool:
        """SFU-9: "so much in a second, and no more": each packet is one for everybody."""
        if now >= self._taken_until:
            self._taken_until, self._taken, self._taken_bytes = now + 1_000, 0, 0
        self._taken += 1
        self._taken_bytes += size
        packets, octets = TAKEN_EACH_SECOND[self.kind]
        return size <= MAX_PACKET and self._taken <= packets and self._taken_bytes <= octets

    def _forward(
        self,
        sequence_number: int,
        marker: int,
        timestamp: int,
        flags: int,
        payload: bytes,
        now: int,
        time: int,
    ) -> None:
        index = self.sequence.take(sequence_number)
        if index is None:
            return
        packet = Packet(index, flags, marker, timestamp, payload)  # SFU-1: the payload as it is
        for sink in self.sinks:
            sink.forward(packet, now, time)
        self._packets += 1
        self._bytes += len(payload)
        self._note_jitter(timestamp, now)
        if self.form.asks and self.sequence.missing:
            self._ask(now, time)
        if not self.has_begun:
            self.has_begun = True
            self._began(self)

    # ---------------------------------------------------------------------------- back to the publisher

    def request_key_frame(self, now: int) -> None:
        """SFU-5: "at most every 300 ms a stream"."""
        if self.begins_key_frame is None or now < self._may_ask_at:
            return
        self._may_ask_at = now + KEY_FRAME_INTERVAL
        self._key_frame_requests += 1
        self._send_rtcp(
            bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=OWN_SSRC, media_ssrc=self.form.ssrc))
        )

    def _ask(self, now: int, time: int) -> None:
        numbers = self.sequence.to_ask_for(now)
        while self.sequence.given_up:
            index = self.sequence.given_up.pop()
            for sink in self.sinks:
                sink.fill(index, time)
        if numbers:
            self._nacks += len(numbers)
            lost = sorted(numbers)  # aiortc packs no others: where they begin anew they fall
            packet = RtcpRtpfbPacket(
                fmt=RTCP_RTPFB_NACK, ssrc=OWN_SSRC, media_ssrc=self.form.ssrc, lost=lost
            )
            self._send_rtcp(bytes(packet))

    def take_report(self, info: RtcpSenderInfo, now: int) -> None:
        """The publisher's sender report: its sinks get it with their own numbers, unless the last one is young."""
        if self._last_report is not None and now - self._last_report[1] < REPORT_INTERVAL:
            return
        self._last_report = (info.ntp_timestamp >> 16 & 0xFFFFFFFF, now)
        for sink in self.sinks:
            sink.report(info)

    def reception(self, now: int) -> RtcpReceiverInfo | None:
        """What to report to the publisher (RFC 3550 Section 6.4.2, Appendix A.3); None before the first packet."""
        sequence = self.sequence
        if sequence.highest < 0:
            return None
        expected, received = sequence.expected, sequence.received
        of_interval = expected - self._reported[0]
        lost = of_interval - (received - self._reported[1])
        self._reported = (expected, received)
        sent_at, came_at = self._last_report or (0, now)
        return RtcpReceiverInfo(
            ssrc=self.form.ssrc,
            fraction_lost=max(0, min(255, (lost << 8) // of_interval)) if of_interval else 0,
            packets_lost=clamp_packets_lost(expected - received),
            highest_sequence=sequence.highest_sent,
            jitter=int(self._jitter),
            lsr=sent_at,
            dlsr=min((now - came_at) * 65_536 // 1_000, 0xFFFFFFFF),
        )

    def _note_jitter(self, timestamp: int, now: int) -> None:
        """RFC 3550 Appendix A.8."""
        transit = now * self.form.clock_rate / 1_000 - timestamp
        if self._transit is not None:
            change = abs(transit - self._transit)
            if change < self.form.clock_rate:  # else the timestamps began anew
                self._jitter += (change - self._jitter) / 16
        self._transit = transit

    # -------------------------------------------------------------------------------------- what passed

    def measure(self, now: int) -> None:
        """Say anew what the bit rate is."""
        passed = now - self._measured_at
        if passed > 0:
            self.bitrate = (self._bytes - self._measured_bytes) * 8_000 // passed
            self._measured_bytes, self._measured_at = self._bytes, now

    @property
    def statistics(self) -> SourceStatistics:
        """What came so far."""
        return SourceStatistics(
            mid=self.mid,
            kind=self.kind,
            packets=self._packets,
            bytes=self._bytes,
            missing=self.sequence.missing,
            nacks=self._nacks,
            key_frame_requests=self._key_frame_requests,
            bitrate=self.bitrate,
        )


OWN_SSRC = 1
"""Under which the unit reports: it sends no media on a publisher's connection (as libwebrtc's receivers do)."""
