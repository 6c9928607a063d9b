"""One peer-to-peer connection of a one-to-one call, in which nothing travels that is not protected.

    peer = MediaPeer(opener, clock)
    peer.add_stream(protector, incoming)        all streams of the call, in the order of their kinds, on both sides
    text = await peer.offer()                   then the peer's answer:   await peer.accept(answer)
    text = await peer.answer(offer)             on the other side
    await peer.connected()
    peer.send(Kind.CAMERA, track)               None: nothing. At any time, also before the connection

Descriptions are text that the call carries inside MLS application messages; all candidates are in them. Every stream
is in the first description, in both directions, whether anything is sent on it or not (CODEC-7): voice becomes video, a
screen is shown, somebody is muted or on hold, and no description is exchanged for it.

A stream gets its encrypting encoder and its opening jitter buffer in the step that makes it, and has no track before,
so no frame can pass without them. Without a send key nothing is sent, with one from the next frame on: keys are not
this module's business, except that ``release`` has to be called when new ones open what waited for them.

aiortc cannot move a connection to another path (it has no ICE restart): a ``successor`` takes the place of a lost one,
with the same streams, keys and running counters (FKEY-4), tracks and statistics.

What holds for every connection is in ``connection``. Codecs are Opus, and VP8 or H.264.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from aiortc import MediaStreamTrack, RTCRtpTransceiver, RTCSessionDescription

from e2ee.aiortc_seams import decode_into
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener
from e2ee.media.protector import FrameProtector
from e2ee.rtc.clock import Clock
from e2ee.rtc.connection import Connected, MediaConnection
from e2ee.rtc.description import checked_description
from e2ee.rtc.errors import WrongState
from e2ee.rtc.incoming import ReceivedFrames, ReceiveStatistics
from e2ee.rtc.observer import FrameObserver, Observers
from e2ee.rtc.outgoing import SendStatistics
from e2ee.rtc.route import Route, RTCIceServer
from e2ee.rtc.stream import MediaStream, prefer

__all__ = ["MediaPeer", "MediaStreamTrack", "PeerStatistics", "RTCIceServer"]


@dataclass(frozen=True)
class PeerStatistics:
    """What passed so far, by kind of stream: over this connection and those before it."""

    sent: Mapping[Kind, SendStatistics]
    received: Mapping[Kind, ReceiveStatistics]


class MediaPeer(Connected):
    """One connection. Every method belongs to the event loop that it was made in.

    ``ice_servers``, ``host_addresses`` and ``relay_only`` are explained at ``Route``.
    """

    def __init__(
        self,
        opener: FrameOpener,
        clock: Clock,
        *,
        ice_servers: Sequence[RTCIceServer] = (),
        host_addresses: Sequence[str] | None = None,
        relay_only: bool = False,
        observers: Sequence[FrameObserver] = (),
    ) -> None:
        self._opener = opener
        self._clock = clock
        self._route = Route(tuple(ice_servers), host_addresses, relay_only)
        self._observer = Observers(observers)
        self._received = ReceivedFrames(opener, clock, self._observer)
        self._streams: dict[Kind, MediaStream] = {}
        self._transceivers: dict[Kind, RTCRtpTransceiver] = {}
        self._connection = MediaConnection(self._route, clock)
        self._connection.webrtc.on("track", self._track_came)

    # -------------------------------------------------------------------------------------- making it

    def add_stream(
        self,
        protector: FrameProtector,
        incoming: IncomingStream,
        track: MediaStreamTrack | None = None,
        codecs: Sequence[Codec] = (),
    ) -> None:
        """A stream in both directions, on which ``track`` is sent at first. Raises WrongState.

        ``codecs`` are those that it may be sent with, the preferred one first; without them it is the protector's. The
        descriptions choose one of them, for both directions (CODEC-17).
        Both sides add the same kinds of streams in ascending order, before ``offer`` or ``answer`` (CODEC-7).
        ``protector`` and ``incoming`` have one kind and one codec.
        """
        if any(kind >= protector.kind for kind in self._streams):
            raise WrongState(f"{protector.kind.name} a second time, or after a higher kind")
        self._connection.expect("stable", described=False)
        stream = MediaStream(protector, incoming, self._clock, self._observer, codecs)
        stream.sent.send(track)
        self._attach(stream)

    def successor(
        self, *, ice_servers: Sequence[RTCIceServer] | None = None, relay_only: bool | None = None
    ) -> MediaPeer:
        """A new connection in the place of this one, with its streams; to this one is left to be closed.

        TURN credentials may have ended meanwhile: ``ice_servers`` replace those of this connection.
        """
        route = self._route
        peer = MediaPeer(
            self._opener,
            self._clock,
            ice_servers=route.ice_servers if ice_servers is None else ice_servers,
            host_addresses=route.host_addresses,
            relay_only=route.relay_only if relay_only is None else relay_only,
            observers=(self._observer,),
        )
        streams, self._streams = self._streams, {}
        for stream in streams.values():
            peer._attach(stream)
        return peer

    async def offer(self) -> str:
        """The description to send to the peer, whose answer ``accept`` takes. Raises WrongState."""
        self._expect("stable", described=False)
        return await self._connection.offer()

    async def answer(self, offer: str) -> str:
        """The description to answer the peer's offer with. Raises WrongState, DescriptionError."""
        self._expect("stable", described=False)
        checked, codecs = self._checked(offer, "offer")
        with self._choosing(codecs):
            return await self._connection.answer(checked)

    async def accept(self, answer: str) -> None:
        """Take the peer's answer. Raises WrongState, DescriptionError."""
        self._expect("have-local-offer", described=True)
        checked, codecs = self._checked(answer, "answer")
        with self._choosing(codecs):
            await self._connection.apply(checked)

    # ---------------------------------------------------------------------------------------- using it

    def send(self, kind: Kind, track: MediaStreamTrack | None) -> None:
        """Send ``track`` from now on, in place of what was sent; with None, nothing. Raises WrongState.

        After it returned no frame of what was sent before leaves this device. A muted microphone sends nothing, no
        silence either (CODEC-8). What is replaced is not stopped: it is the application's.
        """
        self._stream(kind).sent.send(track)

    @property
    def sending(self) -> frozenset[Kind]:
        """The kinds of which something is sent, if there is a key."""
        return frozenset(kind for kind, stream in self._streams.items() if stream.sent.sends)

    def hold(self) -> None:
        """Send nothing, and decode nothing of what comes, until ``resume``."""
        for stream in self._streams.values():
            stream.hold(on_hold=True)

    def resume(self) -> None:
        """Send again what was sent before ``hold``, or was to be sent since, and decode what comes."""
        for stream in self._streams.values():
            stream.hold(on_hold=False)

    def withhold(self, *kinds: Kind) -> None:
        """Decode nothing of these kinds, or of any if none is named, until they are to be shown."""
        for kind in kinds or self._streams:
            self._stream(kind).received.withhold(withheld=True)

    def show(self, *kinds: Kind) -> None:
        """Decode these kinds again, or all if none is named, except on hold."""
        for kind in kinds or self._streams:
            self._stream(kind).received.withhold(withheld=False)

    def track(self, kind: Kind) -> MediaStreamTrack | None:
        """What is received of this kind, decoded; the same for a connection and its successors. None without a stream.

        It ends when the last of these connections is closed.
        """
        stream = self._streams.get(kind)
        return stream.received.track if stream else None

    def release(self) -> None:
        """After the opener's keys changed: what waited for a key goes to its decoder."""
        self._received.release()

    def request_key_frame(self, kind: Kind) -> None:
        """Ask the peer for a key frame, with the next packet that comes and until one has come."""
        self._stream(kind).received.frames.key_frames.want()

    def statistics(self) -> PeerStatistics:
        """What passed so far."""
        streams = self._streams.items()
        return PeerStatistics(
            sent={kind: stream.sent.frames.statistics for kind, stream in streams},
            received={kind: stream.received.frames.statistics for kind, stream in streams},
        )

    async def close(self) -> None:
        """End the connection, and with it what is sent and received, unless it has a successor."""
        for stream in self._streams.values():
            stream.end()
        await self._connection.close()

    # ----------------------------------------------------------------------------------------- inside

    def _attach(self, stream: MediaStream) -> None:
        self._transceivers[stream.kind] = self._connection.attach(
            lambda connection: stream.attach(connection, self._received)
        )
        self._streams[stream.kind] = stream

    def _stream(self, kind: Kind) -> MediaStream:
        try:
            return self._streams[kind]
        except KeyError:
            raise WrongState(f"no stream of kind {kind.name} here") from None

    def _expect(self, signaling_state: str, *, described: bool) -> None:
        if not self._streams:
            raise WrongState("a connection without streams")
        self._connection.expect(signaling_state, described=described)

    def _checked(self, text: str, step: str) -> tuple[RTCSessionDescription, list[Codec]]:
        choices = [stream.codecs for stream in self._streams.values()]
        return checked_description(text, step, choices, loopback=self._route.loopback)

    @contextmanager
    def _choosing(self, codecs: Sequence[Codec]) -> Iterator[None]:
        """The streams have these codecs when the description that says so was taken, and keep their choice if it was not."""
        streams = list(self._streams.values())
        places = [self._transceivers[stream.kind] for stream in streams]
        for place, codec in zip(places, codecs, strict=True):
            prefer(place, (codec,))
        try:
            yield
        except BaseException:
            for place, stream in zip(places, streams, strict=True):
                prefer(place, stream.codecs)
            raise
        for stream, codec in zip(streams, codecs, strict=True):
            stream.choose(codec)

    def _track_came(self, track: MediaStreamTrack) -> None:
        for kind, transceiver in self._transceivers.items():
            if transceiver.receiver.track is track and kind in self._streams:
                decode_into(transceiver.receiver, self._streams[kind].received.track)
