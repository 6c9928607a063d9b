"""The connection over which a member of a group call receives: from the forwarding unit, which says what it likes.

    peer = SubscribingPeer(opener, clock, announced)
    text = await peer.answer(description, mids, leaves, source_mids)     the unit's offer, and each that follows it
    await peer.connected()
    peer.track(leaf, Kind.CAMERA)               decoded
    peer.announcements_changed()                after a member announced other streams (GROUP-18)

The unit says under which mid, and whose, a stream was published; what that member announced under this mid, inside the group,
says what the stream is. Until both are there an m-section is deaf. Then a frame is opened that was sent by this leaf, as this
kind and instance, and no other (FRAME-5, FRAME-6): a unit that lies about an m-section makes it silent.

An m-section is used again for another stream, which gets a jitter buffer and a decoder of its own: nothing of the one before
it comes out as another's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from threading import Thread
from typing import NamedTuple, Protocol

from aiortc import RTCPeerConnection, RTCRtpTransceiver
from aiortc.rtp import RtpPacket
from aiortc.sdp import MediaDescription

from e2ee.aiortc_seams import decode_anew, follow_codecs, install_packet_sink
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.errors import BadStream
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener
from e2ee.rtc.clock import Clock
from e2ee.rtc.connection import Connected, MediaConnection
from e2ee.rtc.description import CODECS_OF, MEDIA, checked_unit_offer
from e2ee.rtc.errors import DescriptionError, RtcReason, WrongState
from e2ee.rtc.incoming import OpeningJitterBuffer, ReceivedFrames, ReceiveStatistics
from e2ee.rtc.observer import FrameObserver, Observers
from e2ee.rtc.route import Route, RTCIceServer
from e2ee.rtc.stream import ReceivedStream, new_transceiver
from e2ee.rtc.tracks import ReceivedTrack
from e2ee.session_description import compact

__all__ = ["Announced", "Announcement", "OnStream", "StreamName", "SubscribingPeer"]


class Announcement(Protocol):
    """What a member says about one of its streams (``e2ee.call.group.streams.AnnouncedStream``)."""

    @property
    def kind(self) -> Kind: ...
    @property
    def instance(self) -> int: ...
    @property
    def codec(self) -> Codec: ...


Announced = Callable[[int, str], Announcement | None]
"""(leaf, mid) -> what that member says that it publishes under this mid, in MLS; None if nothing."""


class StreamName(NamedTuple):
    """A stream of a call, as its KIDs name it."""

    leaf: int
    kind: Kind
    instance: int = 0


class OnStream(Protocol):
    """Told of a stream that has begun, or ended."""

    def __call__(self, name: StreamName, *, began: bool) -> None: ...


class _Deaf:
    """In the place of a jitter buffer where it is not known whose packets come: none goes on."""

    def add(self, packet: RtpPacket) -> tuple[bool, None]:  # noqa: ARG002
        return False, None


class _Section:
    """An m-section: which stream comes there, if any."""

    def __init__(self, mid: str, transceiver: RTCRtpTransceiver) -> None:
        self.mid = mid
        self.transceiver = transceiver
        self.claim: tuple[int, str] | None = None
        """Whose the unit says it is, and under which mid that member published it."""
        self.name: StreamName | None = None
        self._buffer: OpeningJitterBuffer | None = None

    @property
    def kind(self) -> str:
        return self.transceiver.kind

    def open(
        self, name: StreamName, stream: ReceivedStream, received: ReceivedFrames, *, decode: bool
    ) -> Thread | None:
        """Let this stream come here; gives the thread of the decoder that was here before, which ends."""
        self.shut()
        receiver = self.transceiver.receiver
        former = decode_anew(receiver, stream.track) if decode else None
        self._buffer = stream.attach(receiver, received)
        self.name = name
        return former

    def shut(self) -> None:
        """Let nothing come here."""
        if self._buffer is not None:
            self._buffer.detach()
        install_packet_sink(self.transceiver.receiver, _Deaf())
        self._buffer = self.name = None


class SubscribingPeer(Connected):
    """One connection. Every method belongs to the event loop that it was made in.

    ``decode`` False: frames are opened, and nothing more. ``ice_servers``, ``host_addresses`` and ``relay_only`` are
    explained at ``Route``.
    """

    def __init__(
        self,
        opener: FrameOpener,
        clock: Clock,
        announced: Announced,
        *,
        decode: bool = True,
        on_stream: OnStream | None = None,
        ice_servers: Sequence[RTCIceServer] = (),
        host_addresses: Sequence[str] | None = None,
        relay_only: bool = False,
        observers: Sequence[FrameObserver] = (),
    ) -> None:
        self._opener = opener
        self._clock = clock
        self._announced = announced
        self._decode = decode
        self._on_stream = on_stream
        self._route = Route(tuple(ice_servers), host_addresses, relay_only)
        self._observer = Observers(observers)
        self._received = ReceivedFrames(opener, clock, self._observer)
        self._sections: dict[str, _Section] = {}
        self._streams: dict[StreamName, ReceivedStream] = {}
        self._ended: dict[StreamName, ReceiveStatistics] = {}
        self._withheld: set[int] = set()
        self._on_hold = False
        self._threads: list[Thread] = []
        self._is_answering = False
        self._connection = MediaConnection(self._route, clock)

    # -------------------------------------------------------------------------------------- making it

    def successor(
        self, *, ice_servers: Sequence[RTCIceServer] | None = None, relay_only: bool | None = None
    ) -> SubscribingPeer:
        """A new connection in the place of this one, with its streams; to this one is left to be closed.

        What the first offer to the new one does not have ends then. ``ice_servers`` replace those of this connection.
        """
        route = self._route
        peer = SubscribingPeer(
            self._opener,
            self._clock,
            self._announced,
            decode=self._decode,
            on_stream=self._on_stream,
            ice_servers=route.ice_servers if ice_servers is None else ice_servers,
            host_addresses=route.host_addresses,
            relay_only=route.relay_only if relay_only is None else relay_only,
            observers=(self._observer,),
        )
        for section in self._sections.values():
            section.shut()
        peer._streams, self._streams = self._streams, {}
        peer._ended, peer._withheld, peer._on_hold = self._ended, self._withheld, self._on_hold
        return peer

    async def answer(
        self,
        description: str,
        mids: Sequence[str],
        leaves: Sequence[int],
        source_mids: Sequence[str],
    ) -> str:
        """Take an offer of the unit's; gives the answer. Raises WrongState, DescriptionError.

        Elements of the three lists belong together: an m-section in use, whose the unit says it is, and under which mid
        that member published it.
        """
        if self._is_answering:
            raise WrongState("an offer while another one is being answered")
        self._connection.expect("stable", described=bool(self._sections))
        known = [(section.kind, mid) for mid, section in self._sections.items()]
        offer, media = checked_unit_offer(description, known, loopback=self._route.loopback)
        claims = _claims(media, mids, leaves, source_mids)
        self._is_answering = True
        try:
            self._make_room(media[len(known) :])
            answer = await self._connection.answer(offer)
        finally:
            self._is_answering = False
        self._note_sections(media)
        for mid, section in self._sections.items():
            section.claim = claims.get(mid)
        self._settle()
        return compact(answer)

    def _make_room(self, added: Sequence[MediaDescription]) -> None:
        """aiortc takes transceivers without an m-section for the new ones: each is deaf before a packet can come."""
        free = [each.kind for each in self._connection.webrtc.getTransceivers() if not each.mid]
        for section in added:
            if section.kind in free:  # of an offer that failed
                free.remove(section.kind)
            else:
                self._connection.attach(partial(_deaf_transceiver, kind=section.kind))

    def _note_sections(self, media: Sequence[MediaDescription]) -> None:
        transceivers = {each.mid: each for each in self._connection.webrtc.getTransceivers()}
        for section in media:
            mid = section.rtp.muxId
            if mid not in self._sections:
                self._sections[mid] = _Section(mid, transceivers[mid])

    # ---------------------------------------------------------------------------------------- streams

    def announcements_changed(self) -> None:
        """Ask again what is announced: streams begin and end by it."""
        before = set(self._streams)
        self._settle()
        for name in self._streams.keys() - before:  # packets came already, and went
            self._streams[name].frames.key_frames.want()

    def _settle(self) -> None:
        """GROUP-18: let each m-section have the stream that both the unit and its sender say it has."""
        agreed = {name: (section, codec) for section, codec, name in self._agreed()}
        places = {name: section for name, (section, _) in agreed.items()}
        for section in self._sections.values():
            if section.name is not None and places.get(section.name) is not section:
                section.shut()
        for name in self._streams.keys() - agreed.keys():
            self._end(name)
        for name, (section, codec) in agreed.items():
            if section.name != name or self._streams[name].codec is not codec:
                self._begin(name, codec, section)

    def _agreed(self) -> Iterator[tuple[_Section, Codec, StreamName]]:
        """What is announced of what the unit claims. Of two m-sections for one stream it is the first."""
        seen = set()
        for section in self._sections.values():
            said = self._announced(*section.claim) if section.claim else None
            if section.claim is None or said is None or MEDIA.get(said.codec) != section.kind:
                continue
            name = StreamName(section.claim[0], said.kind, said.instance)
            if name not in seen:
                seen.add(name)
                yield section, said.codec, name

    def _begin(self, name: StreamName, codec: Codec, section: _Section) -> None:
        is_new = name not in self._streams
        try:
            stream = self._stream(name, codec)
        except BadStream:  # a codec that this kind is never sent with
            return
        former = section.open(name, stream, self._received, decode=self._decode)
        if former is not None:
            self._threads = [*filter(Thread.is_alive, self._threads), former]
        if is_new and self._on_stream is not None:
            self._on_stream(name, began=True)

    def _stream(self, name: StreamName, codec: Codec) -> ReceivedStream:
        """The stream of this name, a new one if there is none; its sender may have announced it in another codec. Raises BadStream."""
        stream = self._streams.get(name)
        if stream is None:
            incoming = IncomingStream(codec, name.kind, name.leaf, name.instance)
            stream = self._streams[name] = ReceivedStream(incoming, self._clock)
            stream.hold(on_hold=self._on_hold)
            self._show(name, stream)
        stream.choose(codec)
        return stream

    def _end(self, name: StreamName) -> None:
        stream = self._streams.pop(name)
        self._ended[name] = stream.frames.statistics
        stream.end()
        if self._on_stream is not None:
            self._on_stream(name, began=False)

    def _show(self, name: StreamName, stream: ReceivedStream) -> None:
        stream.withhold(withheld=not self._decode or name.leaf in self._withheld)

    # ---------------------------------------------------------------------------------------- using it

    @property
    def streams(self) -> Mapping[StreamName, ReceivedTrack]:
        """What is received now, by whose it is: the unit offers it, and that member announced it."""
        return {name: stream.track for name, stream in self._streams.items()}

    def track(self, leaf: int, kind: Kind, instance: int = 0) -> ReceivedTrack | None:
        """What is received of this stream, decoded; the same for a connection and its successors. None without such a stream.

        It ends with the stream.
        """
        stream = self._streams.get(StreamName(leaf, kind, instance))
        return stream.track if stream else None

    def mid_of(self, leaf: int, kind: Kind, instance: int = 0) -> str | None:
        """The m-section that brings this stream: what to want (SFU-6)."""
        name = StreamName(leaf, kind, instance)
        return next((mid for mid, each in self._sections.items() if each.name == name), None)

    def release(self) -> None:
        """After the opener's keys changed: what waited for a key goes to its decoder."""
        self._received.release()

    def withhold(self, leaf: int) -> None:
        """Decode nothing of this member until it is to be shown."""
        self._withheld.add(leaf)
        self._show_again(leaf)

    def show(self, leaf: int) -> None:
        """Decode this member's streams again."""
        self._withheld.discard(leaf)
        self._show_again(leaf)

    def _show_again(self, leaf: int) -> None:
        for name, stream in self._streams.items():
            if name.leaf == leaf:
                self._show(name, stream)

    def hold(self) -> None:
        """Decode nothing until ``resume``."""
        self._hold(on_hold=True)

    def resume(self) -> None:
        """Decode again."""
        self._hold(on_hold=False)

    def _hold(self, *, on_hold: bool) -> None:
        self._on_hold = on_hold
        for stream in self._streams.values():
            stream.hold(on_hold=on_hold)

    def statistics(self) -> Mapping[StreamName, ReceiveStatistics]:
        """What was received so far of each stream that there is, and of those that have ended."""
        now = {name: stream.frames.statistics for name, stream in self._streams.items()}
        return self._ended | now

    async def close(self) -> None:
        """End the connection, and with it what is received, unless it has a successor."""
        for name in list(self._streams):
            self._end(name)
        for section in self._sections.values():
            section.shut()
        await self._connection.close()
        for thread in self._threads:  # they have ended, or are about to
            await asyncio.to_thread(thread.join)


def _deaf_transceiver(connection: RTCPeerConnection, kind: str) -> RTCRtpTransceiver:
    transceiver = new_transceiver(connection, CODECS_OF[kind], "recvonly")
    install_packet_sink(transceiver.receiver, _Deaf())
    follow_codecs(transceiver.receiver)
    return transceiver


def _claims(
    media: Sequence[MediaDescription],
    mids: Sequence[str],
    leaves: Sequence[int],
    source_mids: Sequence[str],
) -> dict[str, tuple[int, str]]:
    """What the unit says of the m-sections in use. Raises DescriptionError."""
    sending = {section.rtp.muxId for section in media if section.direction == "sendonly"}
    if not len(mids) == len(leaves) == len(source_mids) or len(set(mids)) != len(mids):
        raise DescriptionError(RtcReason.UNEXPECTED_MEDIA, "lists that do not belong together")
    if not set(mids) <= sending:
        raise DescriptionError(RtcReason.UNEXPECTED_MEDIA, "streams without an m-section")
    return dict(zip(mids, zip(leaves, source_mids, strict=True), strict=True))
