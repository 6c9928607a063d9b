"""One peer-to-peer connection of a one-to-one call, in which nothing travels that is not protected.

    peer = MediaPeer(opener, clock)
    peer.add_stream(protector, incoming, track)     each stream, before anything else
    text = await peer.offer()                       then the peer's answer:   await peer.accept(answer)
    text = await peer.answer(offer)                 on the other side
    await peer.connected()

Descriptions are text that the call carries inside MLS application messages; all candidates are in them. A stream
gets its encrypting encoder and its opening jitter buffer in the step that makes it, so no frame can pass before them.
Without a send key nothing is sent, with one from the next frame on: keys are not this module's business, except that
``release`` has to be called when new ones open what waited for them.

Rules that hold for every connection: VP8 and Opus only; no STUN or TURN server but the given ones (aiortc has a
default); 127.0.0.1 only if it is named; no audio level extension; datagrams that would end the transport are dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.rtcconfiguration import RTCBundlePolicy
from aiortc.rtcrtpparameters import RTCRtpCodecCapability

from e2ee.aiortc_seams import (
    accept_only_possible_datagrams,
    bound_track_queue,
    demultiplex,
    gather_only,
    install_encoder,
)
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener
from e2ee.media.protector import FrameProtector
from e2ee.rtc.description import MEDIA, checked_description, without_audio_level
from e2ee.rtc.errors import ConnectionFailed, DescriptionError, RtcReason, WrongState
from e2ee.rtc.observer import FrameObserver, Observers
from e2ee.rtc.transform import (
    Clock,
    OpeningJitterBuffer,
    OutgoingFrames,
    ReceivedFrames,
    ReceiveStatistics,
    SendStatistics,
    encrypting_encoder,
)

__all__ = ["MediaPeer", "MediaStreamTrack", "PeerStatistics", "RTCIceServer"]

_FRAMES_FOR_THE_READER = 64
"""Decoded frames that wait for whoever reads a track: 2 s of pictures, 1 s of sound."""

_LOOPBACK = ("127.", "::1")


@dataclass(frozen=True)
class PeerStatistics:
    """What passed so far, by kind of stream."""

    sent: Mapping[Kind, SendStatistics]
    received: Mapping[Kind, ReceiveStatistics]


@dataclass(frozen=True)
class _Stream:
    codec: Codec
    transceiver: RTCRtpTransceiver
    outgoing: OutgoingFrames
    incoming: OpeningJitterBuffer


class MediaPeer:
    """One connection. Every method belongs to the event loop that it was made in.

    ``ice_servers`` are asked for candidates, nobody else. ``host_addresses`` are the only local addresses that are
    used; without them all are, except loopback.
    """

    def __init__(
        self,
        opener: FrameOpener,
        clock: Clock,
        *,
        ice_servers: Sequence[RTCIceServer] = (),
        host_addresses: Sequence[str] | None = None,
        observers: Sequence[FrameObserver] = (),
    ) -> None:
        self._observer = Observers(observers)
        self._received = ReceivedFrames(opener, clock, self._observer)
        self._host_addresses = host_addresses
        self._streams: dict[Kind, _Stream] = {}
        self._settled = asyncio.Event()
        self._ended = asyncio.Event()
        self._connection = RTCPeerConnection(
            RTCConfiguration(iceServers=list(ice_servers), bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        self._connection.on("connectionstatechange", self._state_changed)
        self._connection.on("track", self._track_came)

    # -------------------------------------------------------------------------------------- making it

    def add_stream(
        self, protector: FrameProtector, incoming: IncomingStream, track: MediaStreamTrack | None
    ) -> None:
        """A stream in both directions, or with no ``track`` only towards here. Raises WrongState.

        Both sides add the same kinds of streams, before ``offer`` or ``answer``. ``protector`` and ``incoming``
        have one kind and one codec.
        """
        kind, codec = protector.kind, protector.codec
        if (incoming.kind, incoming.codec) != (kind, codec) or kind in self._streams:
            raise WrongState(f"{kind.name} with {incoming.kind.name}, or a second time")
        if self._connection.signalingState != "stable" or self._connection.localDescription:
            raise WrongState("streams are added before descriptions are exchanged")
        transceiver = self._connection.addTransceiver(
            track or MEDIA[codec], "sendrecv" if track else "recvonly"
        )
        outgoing = OutgoingFrames(protector, self._observer)
        install_encoder(transceiver.sender, encrypting_encoder(codec, outgoing), codec)
        buffer = self._received.attach(transceiver.receiver, incoming)
        transceiver.setCodecPreferences(_capabilities(codec))
        if not self._streams:  # its transport is everybody's (BUNDLE)
            self._prepare_transport(transceiver)
        self._streams[kind] = _Stream(codec, transceiver, outgoing, buffer)

    async def offer(self) -> str:
        """The description to send to the peer, whose answer ``accept`` takes. Raises WrongState."""
        self._expect("stable", described=False)
        return await self._describe(await self._connection.createOffer())

    async def answer(self, offer: str) -> str:
        """The description to answer the peer's offer with. Raises WrongState, DescriptionError."""
        self._expect("stable", described=False)
        await self._apply(offer, "offer")
        try:
            return await self._describe(await self._connection.createAnswer())
        except Exception as error:  # an offer that was applied and cannot be answered
            raise DescriptionError(RtcReason.MALFORMED_DESCRIPTION, str(error)) from error

    async def accept(self, answer: str) -> None:
        """Take the peer's answer. Raises WrongState, DescriptionError."""
        self._expect("have-local-offer", described=True)
        await self._apply(answer, "answer")

    # ---------------------------------------------------------------------------------------- using it

    async def connected(self) -> None:
        """Wait until media can flow. Raises ConnectionFailed if it never will."""
        await self._settled.wait()
        if self._connection.connectionState != "connected":
            raise ConnectionFailed(self._connection.connectionState)

    async def ended(self) -> None:
        """Wait until the connection is lost or closed, from either side."""
        await self._ended.wait()

    def track(self, kind: Kind) -> MediaStreamTrack | None:
        """What is received of this kind, decoded. None before descriptions were exchanged, or if nothing can come."""
        stream = self._streams.get(kind)
        return stream.transceiver.receiver.track if stream else None

    def release(self) -> None:
        """After the opener's keys changed: what waited for a key goes to its decoder."""
        self._received.release()

    def request_key_frame(self, kind: Kind) -> None:
        """Ask the peer for a key frame, with the next packet that comes and until one has come."""
        self._streams[kind].incoming.key_frames.want()

    def statistics(self) -> PeerStatistics:
        """What passed so far."""
        streams = self._streams.items()
        return PeerStatistics(
            sent={kind: stream.outgoing.statistics for kind, stream in streams},
            received={kind: stream.incoming.statistics for kind, stream in streams},
        )

    async def close(self) -> None:
        """End the connection. Tracks that were sent are stopped."""
        await self._connection.close()
        self._settled.set()
        self._ended.set()

    # ----------------------------------------------------------------------------------------- inside

    def _expect(self, signaling_state: str, *, described: bool) -> None:
        connection = self._connection
        if not self._streams:
            raise WrongState("a connection without streams")
        if (
            connection.signalingState != signaling_state
            or bool(connection.localDescription) != described
        ):
            raise WrongState(f"in state {connection.signalingState}")

    def _prepare_transport(self, transceiver: RTCRtpTransceiver) -> None:
        accept_only_possible_datagrams(transceiver)
        if self._host_addresses is not None:
            gather_only(transceiver, self._host_addresses)

    async def _describe(self, description: RTCSessionDescription) -> str:
        text = without_audio_level(description.sdp)
        await self._connection.setLocalDescription(RTCSessionDescription(text, description.type))
        demultiplex(self._first_transceiver())
        return self._connection.localDescription.sdp

    async def _apply(self, text: str, step: str) -> None:
        codecs = [stream.codec for stream in self._streams.values()]
        loopback = any(a.startswith(_LOOPBACK) for a in self._host_addresses or ())
        description = checked_description(text, step, codecs, loopback=loopback)
        try:
            await self._connection.setRemoteDescription(description)
        except Exception as error:
            raise DescriptionError(RtcReason.MALFORMED_DESCRIPTION, str(error)) from error

    def _first_transceiver(self) -> RTCRtpTransceiver:
        return next(iter(self._streams.values())).transceiver

    def _track_came(self, track: MediaStreamTrack) -> None:
        for stream in self._streams.values():
            if stream.transceiver.receiver.track is track:
                bound_track_queue(stream.transceiver.receiver, _FRAMES_FOR_THE_READER)

    def _state_changed(self) -> None:
        state = self._connection.connectionState
        if state in {"connected", "failed", "closed"}:
            self._settled.set()
        if state in {"failed", "closed"}:
            self._ended.set()


def _capabilities(codec: Codec) -> list[RTCRtpCodecCapability]:
    """The codec, and retransmission of it (RTX): nothing else is negotiated (CODEC-5)."""
    names = {codec.lower(), "rtx"}
    offered = RTCRtpSender.getCapabilities(MEDIA[codec]).codecs
    return [each for each in offered if each.mimeType.split("/")[1].lower() in names]
