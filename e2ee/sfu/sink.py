"""One m-section of a member that gets media: what it is given at the moment, with numbers that never jump.

Its SSRC is one for the life of the connection (SFU-10). Whatever comes and goes behind it (a source that pauses, another member's
in the place of one that left, the same stream over a new connection), its receiver sees one stream: sequence numbers go on
by one, timestamps go on with the time that passed. So its jitter buffer and its requests for lost packets work as ever.

Video begins, also after a pause, with a key frame (SFU-6). Packets of before that are not of this stream any more: a late one is
dropped.
"""

from __future__ import annotations

from typing import Protocol

from aiortc.rtp import RtcpSenderInfo, RtcpSrPacket

from e2ee.sfu.limits import HISTORY, RESENT_EACH_SECOND
from e2ee.sfu.rtp import HEADER, PADDING, Packet, send_time
from e2ee.sfu.source import Format, Source
from e2ee.sfu.statistics import SinkStatistics, Totals

__all__ = ["Path", "Sink"]

_VERSION = 0x80
_EXTENSION = 0x10
_NUMBER = 0xFFFF
_TIME = 0xFFFFFFFF


class Path(Protocol):
    """The way to the member."""

    @property
    def is_connected(self) -> bool: ...
    def send(self, packet: bytes) -> bool: ...
    def send_rtcp(self, packet: bytes) -> bool: ...


class Sink:
    """See the module."""

    def __init__(self, mid: str, kind: str, form: Format, path: Path) -> None:
        self.mid = mid
        self.kind = kind
        self.form = form
        self.source: Source | None = None
        self.wanted = kind == "audio"
        self.held_back = False
        self._path = path
        self._flows = False
        self._first = 0
        """Index of the first packet since it flows."""
        self._highest = -1
        self._shift = 0  # from the source's index to the sequence number sent
        self._time_shift = 0
        self._number = 0  # the newest sequence number sent
        self._time = 0  # the newest timestamp sent, and when that was
        self._time_at: int | None = None
        self._new_source = True
        self._sent: list[tuple[int, int, Packet] | None] = [None] * HISTORY
        self._rtx_number = 0
        self._resent_until = self._resent_now = 0
        self._packets = self._bytes = self._not_sent = 0
        self._nacks = self._resent = self._key_frame_requests = 0

    @property
    def ssrc(self) -> int:
        """Under which its packets come to the member."""
        return self.form.ssrc

    @property
    def bitrate(self) -> int:
        """What there is to send, in bits a second."""
        return self.source.bitrate if self.source is not None else 0

    # ------------------------------------------------------------------------------------ what it is given

    def give(self, source: Source, now: int) -> None:
        """From now on the member gets this source's packets here."""
        self.take_away()
        self.source = source
        self._new_source = True
        source.sinks.append(self)
        self.ask(now)

    def ask(self, now: int) -> None:
        """Ask the publisher for a key frame to begin with, if the member can get it."""
        if (
            self.source is not None
            and self.wanted
            and not self.held_back
            and self._path.is_connected
        ):
            self.source.request_key_frame(now)

    def take_away(self) -> None:
        """Nothing is given here any more, nor given again of what was."""
        source, self.source = self.source, None
        if source is not None:
            source.sinks.remove(self)
        self._flows = False
        self._sent = [None] * HISTORY

    def choose(
        self, now: int, *, wanted: bool | None = None, held_back: bool | None = None
    ) -> None:
        """Whether the member wants it, and whether its path does not carry it."""
        before = self.wanted and not self.held_back
        self.wanted = self.wanted if wanted is None else wanted
        self.held_back = self.held_back if held_back is None else held_back
        after = self.wanted and not self.held_back
        if before and not after:
            self._flows = False
        elif after and not before:
            self.ask(now)

    # -------------------------------------------------------------------------------------------- packets

    def forward(self, packet: Packet, now: int, time: int) -> None:
        """See ``PacketSink``."""
        if not self._flows and not self._begin(packet, now):
            self._not_sent += 1
            return
        index = packet.index
        if index < self._first:
            self._not_sent += 1
            return
        number = index + self._shift & _NUMBER
        timestamp = packet.timestamp + self._time_shift & _TIME
        if index > self._highest:
            self._highest, self._number = index, number
            self._time, self._time_at = timestamp, now
        self._sent[number & HISTORY - 1] = number, timestamp, packet
        form = self.form
        self._put(packet, form.payload_type, number, timestamp, form.ssrc, b"", time)

    def fill(self, index: int, time: int) -> None:
        """See ``PacketSink``: padding takes its place, or the receiver would wait for it until its buffer is full."""
        if self._flows and index >= self._first:
            number = index + self._shift & _NUMBER
            before = self._sent[number - 1 & HISTORY - 1]
            timestamp = before[1] if before else self._time
            padding = Packet(index, PADDING, 0, timestamp, b"\x01")
            form = self.form
            self._put(padding, form.payload_type, number, timestamp, form.ssrc, b"", time)

    def _begin(self, packet: Packet, now: int) -> bool:
        """Whether the stream goes on with this packet."""
        source = self.source
        if source is None or self.held_back or not self.wanted or not self._path.is_connected:
            return False
        begins_key_frame = source.begins_key_frame
        if begins_key_frame is not None and not (
            begins_key_frame(packet.payload) and packet.index == source.sequence.highest
        ):  # after one that comes late, the rest of its frame is gone already
            source.request_key_frame(now)
            return False
        self._flows = True
        self._first = packet.index
        self._highest = packet.index - 1
        self._shift = self._number + 1 - packet.index  # SFU-10: "sequence numbers go on by one"
        if self._new_source:
            self._new_source = False
            self._time_shift = self._time_now(now, packet.timestamp) - packet.timestamp
        return True

    def _time_now(self, now: int, first: int) -> int:
        """The timestamp that this stream has now; the very first one may be the source's."""
        if self._time_at is None:
            return first
        return self._time + max(1, (now - self._time_at) * self.form.clock_rate // 1_000)

    def _put(
        self,
        packet: Packet,
        payload_type: int,
        number: int,
        timestamp: int,
        ssrc: int,
        prefix: bytes,
        time: int,
    ) -> None:
        extension_id = self.form.send_time_id
        extension = send_time(extension_id, time) if extension_id else b""
        first = _VERSION | packet.flags | (_EXTENSION if extension else 0)
        header = HEADER.pack(first, packet.marker | payload_type, number, timestamp, ssrc)
        if self._path.send(header + extension + prefix + packet.payload):
            self._packets += 1
            self._bytes += len(packet.payload)

    # ----------------------------------------------------------------------------------------- its feedback

    def resend(self, numbers: list[int], now: int, time: int) -> None:
        """The member lacks these packets (SFU-5: "from the last 512 packets of a stream that it sent")."""
        self._nacks += len(numbers)
        for number in numbers:
            sent = self._sent[number & HISTORY - 1]
            if sent is not None and sent[0] == number & _NUMBER and self._may_resend(now):
                self._resent += 1
                self._send_again(*sent, time)

    def _send_again(self, number: int, timestamp: int, packet: Packet, time: int) -> None:
        form = self.form
        if form.rtx_ssrc is None or form.rtx_payload_type is None:
            self._put(packet, form.payload_type, number, timestamp, form.ssrc, b"", time)
            return
        self._rtx_number = self._rtx_number + 1 & _NUMBER
        original = number.to_bytes(2, "big")  # RFC 4588 Section 4
        self._put(
            packet,
            form.rtx_payload_type,
            self._rtx_number,
            timestamp,
            form.rtx_ssrc,
            original,
            time,
        )

    def _may_resend(self, now: int) -> bool:
        """A member that asks without end gets no more than a bad path would need."""
        if now >= self._resent_until:
            self._resent_until, self._resent_now = now + 1_000, 0
        self._resent_now += 1
        return self._resent_now <= RESENT_EACH_SECOND

    def key_frame_requested(self, now: int) -> None:
        """The member cannot decode until a key frame comes."""
        self._key_frame_requests += 1
        if self.source is not None:
            self.source.request_key_frame(now)

    def report(self, info: RtcpSenderInfo) -> None:
        """See ``PacketSink``: the publisher's clock, and this stream's numbers."""
        if not self._flows:
            return
        own = RtcpSenderInfo(
            ntp_timestamp=info.ntp_timestamp,
            rtp_timestamp=info.rtp_timestamp + self._time_shift & _TIME,
            packet_count=self._packets & _TIME,
            octet_count=self._bytes & _TIME,
        )
        self._path.send_rtcp(bytes(RtcpSrPacket(ssrc=self.form.ssrc, sender_info=own)))

    @property
    def totals(self) -> Totals:
        """What went here so far, of all sources."""
        return Totals(
            packets_sent=self._packets,
            bytes_sent=self._bytes,
            nacks=self._nacks,
            resent=self._resent,
        )

    @property
    def statistics(self) -> SinkStatistics | None:
        """What went here so far; None while nothing is given here."""
        source = self.source
        if source is None:
            return None
        return SinkStatistics(
            mid=self.mid,
            kind=self.kind,
            leaf=source.leaf,
            source_mid=source.mid,
            wanted=self.wanted,
            held_back=self.held_back,
            packets=self._packets,
            bytes=self._bytes,
            not_sent=self._not_sent,
            nacks=self._nacks,
            resent=self._resent,
            key_frame_requests=self._key_frame_requests,
        )
