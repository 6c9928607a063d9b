"""What one member gets: its connection, and an m-section for each stream of the others.

M-sections are added as streams come, and never go: that of a stream which has ended becomes inactive, and is used again for
another one of the same kind of media, whose codec it then has (SFU-4): whatever a member publishes in turn takes no more of them than it
had at once. At most one offer is out; what changes meanwhile is in the next one, and no more than four come in a second.

    changed -> offer -> (the member) -> answer -> packets

Packets of a stream come to its m-section when the offer that names it was answered, and end at once with the stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from aiortc import RTCRtpTransceiver
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    unpack_remb_fci,
)
from aiortc.sdp import MediaDescription

from e2ee.session_description import parsed
from e2ee.sfu.bandwidth import Bandwidth
from e2ee.sfu.connection import Connection
from e2ee.sfu.description import CODECS, answer_of, format_of
from e2ee.sfu.errors import SfuError, SfuReason
from e2ee.sfu.limits import DEFAULT_WANTED, MAX_SUBSCRIBED, MAX_WANTED, OFFERS_EACH_SECOND
from e2ee.sfu.publisher import moment
from e2ee.sfu.sink import Sink
from e2ee.sfu.source import OWN_SSRC, Format, Source
from e2ee.sfu.statistics import Totals
from e2ee.sfu.unit import Offer
from e2ee.system_clock import Clock

__all__ = ["Subscriber"]

_log = logging.getLogger(__name__)

_SECOND = 1_000  # milliseconds
_FIR_ENTRY = 8  # RFC 5104 Section 4.3.1.1: SSRC, number, reserved


class _Section:
    """An m-section. ``sink`` is made with the first answer in which it is used."""

    def __init__(self, kind: str, codec: str, transceiver: RTCRtpTransceiver) -> None:
        self.kind = kind
        self.codec = codec
        self.transceiver = transceiver
        self.source: Source | None = None
        self.sink: Sink | None = None

    @property
    def mid(self) -> str:
        return self.transceiver.mid or ""


class _Outstanding:
    """An offer that waits for its answer: what it says, and of which source each of its m-sections is."""

    def __init__(
        self, number: int, media: list[MediaDescription], sources: list[Source | None], now: int
    ) -> None:
        self.number = number
        self.media = media
        self.sources = sources
        self.since = now


class Subscriber:
    """See the module. ``number`` gives the numbers of offers; ``lost`` is called when the connection is lost."""

    def __init__(
        self,
        clock: Clock,
        host_addresses: Sequence[str] | None,
        number: Callable[[], int],
        offered: Callable[[Offer], None],
        lost: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._number = number
        self._offered = offered
        self._lost = lost
        self._connection = Connection(host_addresses, self._rtp, self._rtcp, lost, self._connected)
        self._sections: list[_Section] = []
        self._waiting: dict[Source, None] = {}  # in the order in which they began
        self._by_ssrc: dict[int, Sink] = {}
        self._bandwidth = Bandwidth()
        self._wanted: list[str] | None = None
        self._outstanding: _Outstanding | None = None
        self._is_dirty = False
        self._offering: asyncio.Task[None] | None = None
        self._offered_at = deque([-_SECOND] * OFFERS_EACH_SECOND, maxlen=OFFERS_EACH_SECOND)
        self._closing = asyncio.Event()
        self._made_at = clock()
        self.refused = 0

    @property
    def connection(self) -> Connection:
        """To this member."""
        return self._connection

    @property
    def sinks(self) -> Mapping[str, Sink]:
        """What is given to the member now, by mid."""
        return {
            section.mid: section.sink
            for section in self._sections
            if section.sink is not None and section.sink.source is not None
        }

    def waiting_since(self, now: int) -> int:
        """Since when the member has been waited for; ``now`` if it is not."""
        if self._outstanding is not None:
            return self._outstanding.since
        return now if self._connection.is_connected else self._made_at

    # ---------------------------------------------------------------------------------------- streams

    def add(self, source: Source) -> None:
        """A stream of somebody else's began."""
        self._waiting[source] = None
        self.change()

    def remove(self, source: Source) -> None:
        """It has ended: nothing of it is sent any more."""
        self._waiting.pop(source, None)
        for section in self._of(source):
            section.source = None
            if section.sink is not None:
                section.sink.take_away()
            self.change()

    def replace(self, source: Source, by: Source) -> None:
        """The same stream over another connection of its sender's: it goes on here, and nobody is asked, unless its codec
        is another one now."""
        if by.form.codec != source.form.codec:
            self.remove(source)
            self.add(by)
            return
        if source in self._waiting:
            self._waiting = {by if each is source else each: None for each in self._waiting}
        for section in self._of(source):
            section.source = by
            if section.sink is not None and section.sink.source is source:
                section.sink.give(by, self._clock())
        outstanding = self._outstanding
        if outstanding is not None:
            outstanding.sources = [by if each is source else each for each in outstanding.sources]

    def _of(self, source: Source) -> list[_Section]:
        return [section for section in self._sections if section.source is source]

    # ----------------------------------------------------------------------------------------- offers

    def change(self) -> None:
        """Offer what there is now, as soon as no other offer is out."""
        self._is_dirty = True
        if self._outstanding is None and self._offering is None and not self._closing.is_set():
            self._offering = asyncio.ensure_future(self._offer())

    async def _offer(self) -> None:
        try:
            while self._is_dirty and self._outstanding is None:
                await self._wait_its_turn()
                if self._closing.is_set():
                    return
                self._is_dirty = False
                await self._offer_once()
        except Exception as error:  # noqa: BLE001 - aiortc's, for a connection that ended meanwhile
            if not self._closing.is_set():
                _log.info("no offer: %s", type(error).__name__)
                self._lost()
        finally:
            self._offering = None

    async def _wait_its_turn(self) -> None:
        """SFU-4: "at most 4 MUST be made in a second": somebody may come and go, or publish anew, without end."""
        with contextlib.suppress(TimeoutError):
            wait = self._offered_at[0] + _SECOND - self._clock()
            async with asyncio.timeout(max(0, wait) / _SECOND):
                await self._closing.wait()

    async def _offer_once(self) -> None:
        self._assign()
        for section in self._sections:
            section.transceiver.direction = "sendonly" if section.source else "inactive"
        sources = [section.source for section in self._sections]
        text = await self._connection.offer()
        number = self._number()
        self._outstanding = _Outstanding(number, parsed(text).media, sources, self._clock())
        used = [
            (section.mid, source.leaf, source.mid)
            for section, source in zip(self._sections, sources, strict=True)
            if source is not None
        ]
        mids, leaves, source_mids = zip(*used, strict=True) if used else ((), (), ())
        self._offered(Offer(number, text, mids, leaves, source_mids))
        self._offered_at.append(self._clock())

    def _assign(self) -> None:
        """Give m-sections to sources that have none."""
        for source in list(self._waiting):
            section = self._free_section(source.kind, source.form.codec)
            if section is not None:
                section.source = source
                del self._waiting[source]
        if not self._sections:  # nobody sends anything: the path is there when somebody does
            self._add_section("audio", CODECS["audio"][0])

    def _free_section(self, kind: str, codec: str) -> _Section | None:
        free = [each for each in self._sections if each.kind == kind and each.source is None]
        if not free:
            return self._add_section(kind, codec) if len(self._sections) < MAX_SUBSCRIBED else None
        section = next((each for each in free if each.codec == codec), free[0])
        if section.codec != codec:
            section.codec = codec
            self._connection.choose(section.transceiver, (codec,))
        if self._wanted and section.mid in self._wanted:
            self._wanted.remove(section.mid)  # SFU-6: it was another stream that was wanted
        return section

    def _add_section(self, kind: str, codec: str) -> _Section:
        section = _Section(kind, codec, self._connection.add(kind, "sendonly", (codec,)))
        self._sections.append(section)
        return section

    async def answer(self, number: int, text: str) -> None:
        """The member's answer. Raises SfuError."""
        outstanding = self._outstanding
        if outstanding is None or outstanding.number != number:  # SFU-4
            raise SfuError(SfuReason.STALE_ANSWER, f"offer {number}")
        answer, media = answer_of(text, outstanding.media)
        forms = [format_of(*pair) for pair in zip(outstanding.media, media, strict=True)]
        await self._connection.accept(answer)
        if self._outstanding is not outstanding:
            raise SfuError(SfuReason.CLOSED)
        self._outstanding = None
        rows = zip(self._sections, outstanding.sources, media, forms, strict=False)
        for section, source, agreed, form in rows:
            if section.sink is None:
                section.sink = self._sink(section, form)
            if agreed.direction == "recvonly":
                self._give(section, section.sink, source, form)
        self._choose()
        if self._is_dirty:
            self.change()

    def _give(self, section: _Section, sink: Sink, source: Source | None, form: Format) -> None:
        """Let packets come there, unless they do, or the stream has ended since it was offered."""
        if source is not None and section.source is source and sink.source is not source:
            sink.form = form
            sink.give(source, self._clock())

    def _sink(self, section: _Section, form: Format) -> Sink:
        sink = Sink(section.mid, section.kind, form, self._connection)
        self._by_ssrc[form.ssrc] = sink
        return sink

    def _connected(self) -> None:
        for sink in self.sinks.values():
            sink.ask(self._clock())

    # ------------------------------------------------------------------------------------ what is wanted

    def want(self, mids: Sequence[str]) -> None:
        """SFU-6: of the videos only these, in order of importance."""
        self._wanted = list(dict.fromkeys(mids))[:MAX_WANTED]
        self._choose()

    def _choose(self) -> None:
        now = self._clock()
        wanted = self._videos()
        for section in self._sections:
            if section.kind == "video" and section.sink is not None:
                section.sink.choose(now, wanted=section.sink in wanted)

    def _videos(self) -> list[Sink]:
        """The videos that are wanted, the most important first."""
        sinks = {mid: sink for mid, sink in self.sinks.items() if sink.kind == "video"}
        wanted = list(sinks)[:DEFAULT_WANTED] if self._wanted is None else self._wanted  # SFU-6
        return [sinks[mid] for mid in wanted if mid in sinks]

    # ---------------------------------------------------------------------------------------- feedback

    def _rtp(self, data: bytes) -> None:  # noqa: ARG002
        self.refused += 1  # SFU-9: it "MUST NOT send anything"

    def _rtcp(self, data: bytes) -> None:
        try:
            packets = RtcpPacket.parse(data)
        except ValueError:
            self.refused += 1
            return
        now = self._clock()
        for packet in packets:
            if isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK:
                if (sink := self._by_ssrc.get(packet.media_ssrc)) is not None:
                    sink.resend(packet.lost, now, moment())
            elif isinstance(packet, RtcpPsfbPacket):
                self._payload_feedback(packet, now)

    def _payload_feedback(self, packet: RtcpPsfbPacket, now: int) -> None:
        if packet.fmt == RTCP_PSFB_APP:
            self._take_estimate(packet.fci, now)
            return
        if packet.fmt == RTCP_PSFB_PLI:
            ssrcs = [packet.media_ssrc]
        elif packet.fmt == RTCP_PSFB_FIR:
            entries = range(0, len(packet.fci) - _FIR_ENTRY + 1, _FIR_ENTRY)
            ssrcs = [int.from_bytes(packet.fci[at : at + 4], "big") for at in entries]
        else:
            return
        for ssrc in ssrcs:
            if (sink := self._by_ssrc.get(ssrc)) is not None:
                sink.key_frame_requested(now)

    def _take_estimate(self, fci: bytes, now: int) -> None:
        try:
            bitrate, ssrcs = unpack_remb_fci(fci)
        except Exception:  # noqa: BLE001 - ValueError, or struct's for one that is cut off
            self.refused += 1
            return
        self._bandwidth.take(bitrate, [ssrc for ssrc in ssrcs if ssrc in self._by_ssrc], now)

    def tick(self, now: int) -> None:
        """Once a second: what the path carries; and the member hears that the unit is there also while nothing is sent."""
        self._bandwidth.check(self._videos(), now)
        self._connection.send_rtcp(bytes(RtcpRrPacket(OWN_SSRC)))

    def estimate(self, now: int) -> int | None:
        """What the path carries by the member's account, in bits a second."""
        return self._bandwidth.estimate(now)

    @property
    def totals(self) -> Totals:
        """What passed so far."""
        return sum((sink.totals for sink in self._by_ssrc.values()), Totals())

    async def close(self) -> None:
        """End the connection."""
        self._closing.set()
        self._outstanding = None
        for section in self._sections:
            if section.sink is not None:
                section.sink.take_away()
        if self._offering is not None:  # or it would open sockets that nobody closes any more
            await self._offering
        await self._connection.close()
