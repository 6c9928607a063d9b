"""The media of one call: its connection, those that replace it when it is lost, and what is sent over them.

    describe(offer)      the connection, made when the call wants a description; gives that
    accept(answer)       the other side's, at the caller
    replace()            a successor of a lost connection (CALL-28); gives its description, for the other side
    follow(offer)        the same at the other side; gives the answer
    send, hold, resume, withhold, show, track, statistics

Keys do not pass here: a stream gets its protector and its opener, and keeps them over all connections.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from e2ee.call.call import Call as CallCore
from e2ee.client.media import STREAMS, Media, Network, check_track
from e2ee.client.media_route import MediaRoute
from e2ee.media.encoded_frame import Kind
from e2ee.media.incoming_stream import IncomingStream
from e2ee.rtc.peer import MediaPeer, MediaStreamTrack, PeerStatistics, RTCIceServer
from e2ee.system_clock import Clock

__all__ = ["MediaConnection"]

_NOTHING = PeerStatistics(sent={}, received={})


class MediaConnection:
    """See the module. Every method belongs to one event loop."""

    def __init__(
        self,
        core: CallCore,
        media: Media,
        network: Network,
        relays: Sequence[RTCIceServer],
        clock: Clock,
    ) -> None:
        self._core = core
        self._media = media
        self._observers = media.observers
        self._route = MediaRoute(network, relays)
        self._clock = clock
        self._tracks: dict[Kind, MediaStreamTrack | None] = dict(media.tracks)
        self._on_hold = False
        self._peer: MediaPeer | None = None

    @property
    def peer(self) -> MediaPeer | None:
        """The connection now; None before the first and after the end."""
        return self._peer

    @property
    def on_hold(self) -> bool:
        """Whether nothing is sent nor shown."""
        return self._on_hold

    @property
    def sends(self) -> Mapping[Kind, bool]:
        """Of each kind, whether something is sent; on hold, what will be."""
        return {kind: track is not None for kind, track in self._tracks.items()}

    def sent(self, kind: Kind) -> MediaStreamTrack | None:
        """What is sent of a kind; on hold, what will be."""
        return self._tracks[kind]

    def adopt(self, core: CallCore) -> None:
        """The call that goes on in the place of another, before there is a connection: who was muted stays so."""
        self._core = core

    # The connection

    async def describe(self, offer: str | None) -> str:
        """This side's description: an answer to ``offer``, or an offer. Raises E2EEError."""
        self._peer = peer = self._new_peer()
        return await (peer.offer() if offer is None else peer.answer(offer))

    async def accept(self, answer: str) -> None:
        """The other side's answer to the newest offer. Raises E2EEError."""
        if self._peer is not None:
            await self._peer.accept(answer)

    async def replace(self) -> str:
        """An offer for a connection in the place of this one. Raises E2EEError."""
        return await (await self._succeed()).offer()

    async def follow(self, offer: str) -> str:
        """The answer to the other side's offer of another connection. Raises E2EEError."""
        return await (await self._succeed()).answer(offer)

    async def connected(self) -> None:
        """Wait until media can flow over the newest connection. Raises ConnectionFailed if they never will."""
        if self._peer is not None:
            await self._peer.connected()

    async def close(self) -> None:
        """End it."""
        if self._peer is not None:
            await self._peer.close()

    async def _succeed(self) -> MediaPeer:
        lost = self._peer
        if lost is None:
            self._peer = self._new_peer()
            return self._peer
        self._peer = peer = lost.successor(ice_servers=self._route.ice_servers)
        await lost.close()
        return peer

    def use_relays(self, relays: Sequence[RTCIceServer]) -> None:
        """The relays of the connections that are made from now on."""
        self._route.use_relays(relays)

    def _new_peer(self) -> MediaPeer:
        options = self._route.options()
        peer = MediaPeer(self._core.opener, self._clock, observers=self._observers, **options)
        (other,) = self._core.others()
        for kind in STREAMS:
            codecs = self._media.codecs(kind)
            incoming = IncomingStream(codecs[0], kind, other.leaf_index)  # FRAME-6
            protector = self._core.open_stream(codecs[0], kind)
            peer.add_stream(protector, incoming, self._tracks[kind], codecs)
        if self._on_hold:
            peer.hold()
        return peer

    # What is sent and shown

    def send(self, kind: Kind, track: MediaStreamTrack | None) -> None:
        """Send ``track`` of this kind from now on; None: nothing. Raises WrongState for a track of another kind."""
        check_track(kind, track)
        self._tracks[kind] = track
        if self._peer is not None:
            self._peer.send(kind, track)

    def hold(self) -> None:
        """Send nothing and show nothing, until ``resume`` (CALL-26)."""
        self._on_hold = True
        if self._peer is not None:
            self._peer.hold()

    def resume(self) -> None:
        """Go on after ``hold``."""
        self._on_hold = False
        if self._peer is not None:
            self._peer.resume()

    def withhold(self, *, withheld: bool) -> None:
        """Show nothing of what comes while it comes too late (CALL-24)."""
        if self._peer is not None:
            (self._peer.withhold if withheld else self._peer.show)()

    def release(self) -> None:
        """Keys have changed: what waited for one goes on (FRAME-14)."""
        if self._peer is not None:
            self._peer.release()

    def track(self, kind: Kind) -> MediaStreamTrack | None:
        """What is received of a kind, decoded; None before there is a connection."""
        return self._peer.track(kind) if self._peer else None

    def statistics(self) -> PeerStatistics:
        """What passed so far, over all connections."""
        return self._peer.statistics() if self._peer else _NOTHING
