"""One call over a path that loses packets: two contenders, one set of figures."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcconfiguration import RTCBundlePolicy
from av.video.frame import VideoFrame

from e2ee.aiortc_seams import gather_only
from e2ee.crypto.secret import Secret
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.frame_keys import FrameKeys
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener
from e2ee.rtc.measure import read_number
from e2ee.rtc.meters import luma_of
from e2ee.rtc.peer import MediaPeer
from e2ee.rtc.sources import TestPicture, Tone
from e2ee.sframe.cipher_suite import cipher_suite

LOOPBACK = ("127.0.0.1",)
STREAMS = {Kind.MICROPHONE: Codec.OPUS, Kind.CAMERA: Codec.VP8, Kind.SCREEN_VIDEO: Codec.VP8}
SOUND, PICTURES = 96, 97
"""Payload types, as aiortc numbers them."""


@dataclass(frozen=True)
class Figures:
    """Frames of 20 ms of sound; pictures; seconds between two of either that were played or shown, at most."""

    contender: str
    loss: float
    sound_sent: int
    sound_arrived: int
    sound_played: int
    sound_concealed: int
    longest_silence: float
    pictures_sent: int
    pictures_shown: int
    longest_freeze: float
    encryption_share: float | None
    """Of the CPU time of both devices together."""


class Contender(Protocol):
    """Two devices, of which the first one sends."""

    @property
    def concealed(self) -> int: ...

    async def connect(self, path: Path) -> None: ...

    def received(self, kind: Kind) -> MediaStreamTrack: ...

    def encryption(self) -> float | None:
        """Seconds of CPU time so far."""

    async def close(self) -> None: ...


async def run_call(contender: str, loss: float, seconds: float) -> Figures:
    """A call of this length."""
    tone, picture = _Counted(Tone(1000.0)), _Counted(TestPicture())
    call = CONTENDERS[contender](tone, picture)
    path = Path(loss)
    await call.connect(path)
    sound, pictures = Watch(call.received(Kind.MICROPHONE)), Watch(call.received(Kind.CAMERA))
    began = time.process_time()
    await asyncio.sleep(seconds)
    cpu = time.process_time() - began
    tone.stop()
    picture.stop()
    await asyncio.sleep(1)  # what is still on its way
    encryption = call.encryption()
    figures = Figures(
        contender=contender,
        loss=loss,
        sound_sent=path.sent[SOUND],
        sound_arrived=path.arrived[SOUND],
        sound_played=sound.frames - call.concealed,
        sound_concealed=call.concealed,
        longest_silence=sound.longest_gap,
        pictures_sent=picture.frames,
        pictures_shown=len(pictures.numbers),
        longest_freeze=pictures.longest_gap,
        encryption_share=None if encryption is None else encryption / cpu,
    )
    await call.close()
    path.close()
    return figures


class _Counted(MediaStreamTrack):
    """A track, and how many frames were had of it."""

    def __init__(self, track: MediaStreamTrack) -> None:
        super().__init__()
        self.kind = track.kind
        self._track = track
        self.frames = 0

    async def recv(self) -> Any:
        if self.readyState != "live":
            raise MediaStreamError
        frame = await self._track.recv()
        self.frames += 1
        return frame


class Watch:
    """Reads a track, and notes the longest time between two of its frames."""

    def __init__(self, track: MediaStreamTrack) -> None:
        self.frames = 0
        self.longest_gap = 0.0
        self.numbers: set[int] = set()
        self._task = asyncio.create_task(self._watch(track))

    async def _watch(self, track: MediaStreamTrack) -> None:
        last = None
        try:
            while True:
                frame = await track.recv()
                now = time.monotonic()
                if last is not None:
                    self.longest_gap = max(self.longest_gap, now - last)
                last = now
                self.frames += 1
                if isinstance(frame, VideoFrame):
                    number = read_number(luma_of(frame))
                    self.numbers |= set() if number is None else {number}
        except MediaStreamError:
            pass


class Path:
    """Two sockets, each of which stands for one device in front of the other, and drops RTP and RTCP at random."""

    def __init__(self, loss: float) -> None:
        self._random = random.Random(2)  # noqa: S311 - the same losses in each run
        self._loss = loss
        self._ends: list[tuple[asyncio.DatagramTransport, int]] = []
        self.sent = {SOUND: 0, PICTURES: 0}
        self.arrived = {SOUND: 0, PICTURES: 0}

    async def lead(self, description: str) -> str:
        """The description of one device, with this path's end in place of its candidate."""
        [candidate] = {line for line in description.splitlines() if line.startswith("a=candidate:")}
        port, end = int(candidate.split()[5]), len(self._ends)
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _End(lambda data: self._carry(data, end)), local_addr=("127.0.0.1", 0)
        )
        self._ends.append((transport, port))
        return description.replace(
            f" {port} typ", f" {transport.get_extra_info('sockname')[1]} typ"
        )

    def _carry(self, data: bytes, end: int) -> None:
        media, payload_type = 128 <= data[0] <= 191, data[1] & 0x7F
        counted = media and payload_type in self.sent
        if counted:
            self.sent[payload_type] += 1
        if media and self._random.random() < self._loss:
            return
        if counted:
            self.arrived[payload_type] += 1
        self._ends[1 - end][0].sendto(data, ("127.0.0.1", self._ends[end][1]))

    def close(self) -> None:
        for transport, _ in self._ends:
            transport.close()


class _End(asyncio.DatagramProtocol):
    def __init__(self, received: Callable[[bytes], None]) -> None:
        self._received = received

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002
        self._received(data)


class Plain:
    """aiortc as it comes."""

    concealed = 0

    def __init__(self, tone: MediaStreamTrack, picture: MediaStreamTrack) -> None:
        configuration = RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        self._sender, self._receiver = (RTCPeerConnection(configuration) for _ in range(2))
        self._tracks = [tone, picture]

    async def connect(self, path: Path) -> None:
        offering = [self._sender.addTransceiver(track, "sendonly") for track in self._tracks]
        offer = await self._describe(self._sender, offering[0], "createOffer")
        remote = RTCSessionDescription(await path.lead(offer.sdp), "offer")
        await self._receiver.setRemoteDescription(remote)
        answering = self._receiver.getTransceivers()[0]
        answer = await self._describe(self._receiver, answering, "createAnswer")
        remote = RTCSessionDescription(await path.lead(answer.sdp), "answer")
        await self._sender.setRemoteDescription(remote)
        while self._receiver.connectionState != "connected":  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    async def _describe(
        self, connection: RTCPeerConnection, transceiver: RTCRtpTransceiver, create: str
    ) -> RTCSessionDescription:
        gather_only(transceiver, LOOPBACK)
        await connection.setLocalDescription(await getattr(connection, create)())
        return connection.localDescription

    def received(self, kind: Kind) -> MediaStreamTrack:
        medium = "audio" if kind is Kind.MICROPHONE else "video"
        return next(r.track for r in self._receiver.getReceivers() if r.track.kind == medium)

    def encryption(self) -> float | None:
        return None

    async def close(self) -> None:
        await asyncio.gather(self._sender.close(), self._receiver.close())


class Encrypted:
    """Two peers of ours, who are in one epoch."""

    def __init__(self, tone: MediaStreamTrack, picture: MediaStreamTrack) -> None:
        self._sender, self._receiver = (self._peer(leaf) for leaf in range(2))
        self._sender.send(Kind.MICROPHONE, tone)
        self._sender.send(Kind.CAMERA, picture)

    def _peer(self, leaf: int) -> MediaPeer:
        keys, both = FrameKeys(), frozenset({0, 1})
        keys.install(FrameEpoch(2, cipher_suite(4), Secret(bytes(16)), leaf, both, both), _clock())
        keys.acknowledged(1 - leaf, 2, _clock())
        peer = MediaPeer(FrameOpener(keys.receive), _clock, host_addresses=LOOPBACK)
        for kind, codec in STREAMS.items():
            incoming = IncomingStream(codec, kind, 1 - leaf)
            peer.add_stream(keys.send.open_stream(codec, kind), incoming)
        return peer

    async def connect(self, path: Path) -> None:
        answer = await self._receiver.answer(await path.lead(await self._sender.offer()))
        await self._sender.accept(await path.lead(answer))
        await asyncio.gather(self._sender.connected(), self._receiver.connected())

    def received(self, kind: Kind) -> MediaStreamTrack:
        track = self._receiver.track(kind)
        assert track is not None
        return track

    @property
    def concealed(self) -> int:
        return self._receiver.statistics().received[Kind.MICROPHONE].concealed

    def encryption(self) -> float | None:
        sent, received = self._sender.statistics().sent, self._receiver.statistics().received
        return sum(s.protecting for s in sent.values()) + sum(r.opening for r in received.values())

    async def close(self) -> None:
        await asyncio.gather(self._sender.close(), self._receiver.close())


CONTENDERS: dict[str, Callable[[MediaStreamTrack, MediaStreamTrack], Contender]] = {
    "aiortc": Plain,
    "e2ee": Encrypted,
}


def _clock() -> int:
    return time.monotonic_ns() // 1_000_000
