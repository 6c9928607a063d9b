"""The connection over which a member of a group call sends: to the forwarding unit, which has no keys.

    peer = PublishingPeer(clock)
    peer.add_stream(protector)                  all streams that this member may send (CODEC-9)
    text = await peer.offer()                   then the unit's answer:   await peer.accept(answer)
    peer.mids                                   what to announce (GROUP-18)
    await peer.connected()
    peer.send(Kind.CAMERA, track)               None: nothing. At any time, also before the connection

What ``MediaPeer`` says of the streams that it sends holds here: no frame passes that is not protected, and none when there
is nothing to send. DTLS ends at the unit; its description says how packets travel, and nothing else is believed of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiortc import MediaStreamTrack, RTCPeerConnection, RTCRtpTransceiver

from e2ee.media.encoded_frame import Kind
from e2ee.media.protector import FrameProtector
from e2ee.rtc.clock import Clock
from e2ee.rtc.connection import Connected, MediaConnection
from e2ee.rtc.description import checked_unit_answer
from e2ee.rtc.errors import WrongState
from e2ee.rtc.observer import FrameObserver, Observers
from e2ee.rtc.outgoing import SendStatistics
from e2ee.rtc.route import Route, RTCIceServer
from e2ee.rtc.stream import SentStream, new_transceiver
from e2ee.session_description import compact

__all__ = ["PublishingPeer", "PublishingStatistics"]

_Name = tuple[Kind, int]
"""A stream of this device: its kind, and its number among those of that kind."""


@dataclass(frozen=True)
class PublishingStatistics:
    """What was sent so far, by kind and instance: over this connection and those before it."""

    sent: Mapping[_Name, SendStatistics]


class PublishingPeer(Connected):
    """One connection. Every method belongs to the event loop that it was made in.

    ``ice_servers``, ``host_addresses`` and ``relay_only`` are explained at ``Route``.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        ice_servers: Sequence[RTCIceServer] = (),
        host_addresses: Sequence[str] | None = None,
        relay_only: bool = False,
        observers: Sequence[FrameObserver] = (),
    ) -> None:
        self._clock = clock
        self._route = Route(tuple(ice_servers), host_addresses, relay_only)
        self._observer = Observers(observers)
        self._streams: dict[_Name, SentStream] = {}
        self._transceivers: dict[_Name, RTCRtpTransceiver] = {}
        self._connection = MediaConnection(self._route, clock)

    # -------------------------------------------------------------------------------------- making it

    def add_stream(self, protector: FrameProtector, track: MediaStreamTrack | None = None) -> None:
        """A stream, on which ``track`` is sent at first. Before ``offer``. Raises WrongState."""
        name = (protector.kind, protector.instance)
        if name in self._streams:
            raise WrongState(f"{protector.kind.name} {protector.instance} a second time")
        self._connection.expect("stable", described=False)
        stream = SentStream(protector, self._clock, self._observer)
        stream.send(track)
        self._attach(name, stream)

    def successor(
        self, *, ice_servers: Sequence[RTCIceServer] | None = None, relay_only: bool | None = None
    ) -> PublishingPeer:
        """A new connection in the place of this one, with its streams, under the same mids; to this one is left to be closed.

        TURN credentials may have ended meanwhile: ``ice_servers`` replace those of this connection.
        """
        route = self._route
        peer = PublishingPeer(
            self._clock,
            ice_servers=route.ice_servers if ice_servers is None else ice_servers,
            host_addresses=route.host_addresses,
            relay_only=route.relay_only if relay_only is None else relay_only,
            observers=(self._observer,),
        )
        streams, self._streams = self._streams, {}
        for name, stream in streams.items():
            peer._attach(name, stream)
        return peer

    async def offer(self) -> str:
        """The description to send to the unit, whose answer ``accept`` takes. Raises WrongState."""
        self._expect("stable", described=False)
        return compact(await self._connection.offer())

    async def accept(self, answer: str) -> None:
        """Take the unit's answer. Raises WrongState, DescriptionError."""
        self._expect("have-local-offer", described=True)
        codecs = [stream.codec for stream in self._streams.values()]
        checked = checked_unit_answer(answer, codecs, loopback=self._route.loopback)
        await self._connection.apply(checked)

    @property
    def mids(self) -> Mapping[_Name, str]:
        """Under which mid each stream is published, by kind and instance; empty before ``offer``."""
        return {
            name: transceiver.mid
            for name, transceiver in self._transceivers.items()
            if transceiver.mid is not None
        }

    # ---------------------------------------------------------------------------------------- using it

    def send(self, kind: Kind, track: MediaStreamTrack | None, instance: int = 0) -> None:
        """Send ``track`` from now on, in place of what was sent; with None, nothing (CODEC-8). Raises WrongState.

        After it returned no frame of what was sent before leaves this device. What is replaced is not stopped: it is the
        application's.
        """
        try:
            stream = self._streams[kind, instance]
        except KeyError:
            raise WrongState(f"no stream of kind {kind.name} {instance} here") from None
        stream.send(track)

    @property
    def sending(self) -> frozenset[_Name]:
        """The streams on which something is sent, if there is a key."""
        return frozenset(name for name, stream in self._streams.items() if stream.sends)

    def hold(self) -> None:
        """Send nothing until ``resume``."""
        for stream in self._streams.values():
            stream.hold(on_hold=True)

    def resume(self) -> None:
        """Send again what was sent before ``hold``, or was to be sent since."""
        for stream in self._streams.values():
            stream.hold(on_hold=False)

    def statistics(self) -> PublishingStatistics:
        """What was sent so far."""
        return PublishingStatistics(
            {name: stream.frames.statistics for name, stream in self._streams.items()}
        )

    async def close(self) -> None:
        """End the connection, and with it what is sent, unless it has a successor."""
        for stream in self._streams.values():
            stream.end()
        await self._connection.close()

    # ----------------------------------------------------------------------------------------- inside

    def _attach(self, name: _Name, stream: SentStream) -> None:
        def make(connection: RTCPeerConnection) -> RTCRtpTransceiver:
            transceiver = new_transceiver(connection, (stream.codec,), "sendonly")
            stream.attach(transceiver.sender)
            return transceiver

        self._transceivers[name] = self._connection.attach(make)
        self._streams[name] = stream

    def _expect(self, signaling_state: str, *, described: bool) -> None:
        if not self._streams:
            raise WrongState("a connection without streams")
        self._connection.expect(signaling_state, described=described)
