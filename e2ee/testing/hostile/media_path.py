"""Attacks on media that pass real encoders, real RTP and SRTP, and real decoders (aiortc, on 127.0.0.1).

The keys are a real call's, on simulated time. Between protection and packets sits the adversary, as a forwarding server
would that ends SRTP: what the other side's opener gets went through packetising, loss recovery and reassembly.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from itertools import cycle
from typing import cast

import av.logging

from e2ee.call.call import Call
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener
from e2ee.media.protector import FrameProtector
from e2ee.rtc.meters import PictureMeter
from e2ee.rtc.observer import FrameObserver
from e2ee.rtc.peer import MediaPeer
from e2ee.rtc.sources import TestPicture, Tone
from e2ee.sframe.header import decode_header
from e2ee.system_clock import system_clock
from e2ee.testing.hostile.attack import Adversary, attack
from e2ee.testing.hostile.defences import replaced
from e2ee.testing.hostile.lenient_media import passes_through
from e2ee.testing.hostile.media_line import talk
from e2ee.testing.hostile.patience import PATIENCE, until
from e2ee.testing.hostile.trial import Trial

STREAMS = {Kind.MICROPHONE: Codec.OPUS, Kind.CAMERA: Codec.VP8}

ENOUGH = 60
"""How many frames of each stream are tampered with."""

TAG = 16


@dataclass
class Tampering:
    """What is done to every second frame of a stream, each kind of it in turn."""

    clear_length: tuple[int, ...]
    earlier: list[bytes] = field(default_factory=list)

    def flip(self, protected: bytes, _encoded: bytes) -> bytes:
        """A bit of the last byte."""
        return protected[:-1] + bytes([protected[-1] ^ 1])

    def replay(self, protected: bytes, _encoded: bytes) -> bytes:
        """An earlier frame in the place of this one."""
        return self.earlier[-1] if self.earlier else protected[:-1]

    def strip_header(self, protected: bytes, _encoded: bytes) -> bytes:
        """The SFrame header is gone."""
        start = self.clear_length[protected[0]]
        _, _, end = decode_header(protected, start)
        return protected[:start] + protected[end:]

    def strip_tag(self, protected: bytes, _encoded: bytes) -> bytes:
        """The tag is gone."""
        return protected[:-TAG]

    def plaintext(self, _protected: bytes, encoded: bytes) -> bytes:
        """The frame as the encoder made it."""
        return encoded

    def junk(self, protected: bytes, _encoded: bytes) -> bytes:
        """The clear bytes, and behind them zeros."""
        start = self.clear_length[protected[0]]
        return protected[:start] + bytes(len(protected) - start)


KINDS: tuple[Callable[[Tampering, bytes, bytes], bytes], ...] = (
    Tampering.flip,
    Tampering.replay,
    Tampering.strip_header,
    Tampering.strip_tag,
    Tampering.plaintext,
    Tampering.junk,
)


class HostilePath:
    """Stands in a stream's way in the place of its protector."""

    def __init__(self, protector: FrameProtector, clear_length: tuple[int, ...]) -> None:
        self.kind, self.codec, self.instance = protector.kind, protector.codec, protector.instance
        self._protector = protector
        self._tampering = Tampering(clear_length)
        self._turns = cycle((None, kind) for kind in KINDS)
        self._pending: Callable[[Tampering, bytes, bytes], bytes] | None = None
        self.tampered = 0
        self.honest: list[bytes] = []
        """What the encoder made of frames that were let pass."""
        self.resting = False

    @property
    def ready(self) -> bool:
        """As the protector says."""
        return self._protector.ready

    def takes_key_frame(self) -> bool:
        """As the protector says."""
        return self._protector.takes_key_frame()

    def protect(self, frame: bytes) -> bytes:
        """Every second frame is let pass; of the others comes what the adversary makes of them."""
        protected = self._protector.protect(frame)
        change, self._pending = self._pending, None
        if change is None or self.resting:
            _, self._pending = next(self._turns)
            self.honest.append(frame)
            self._tampering.earlier.append(protected)
            return protected
        self.tampered += 1
        return change(self._tampering, protected, frame)


class _Shown(FrameObserver):
    """What reached a decoder."""

    def __init__(self) -> None:
        self.frames: dict[Kind, list[bytes]] = {kind: [] for kind in STREAMS}

    def opened(self, kind: Kind, frame: OpenedFrame, timestamp: int, arrived: int) -> None:  # noqa: ARG002
        self.frames[kind].append(frame.data)


@dataclass
class Ends:
    """Two connected devices, with the adversary in front of what the first one sends."""

    sender: MediaPeer
    receiver: MediaPeer
    paths: Mapping[Kind, HostilePath]
    shown: _Shown
    pictures: PictureMeter


@contextlib.asynccontextmanager
async def _connected(alice: Call, bob: Call) -> AsyncIterator[Ends]:
    shown, clock = _Shown(), system_clock()
    began = clock()
    now = lambda: 1_800_000_000_000 + clock() - began  # noqa: E731 - the call's time, which goes on
    peers = [
        MediaPeer(alice.opener, now, host_addresses=("127.0.0.1",)),
        MediaPeer(bob.opener, now, host_addresses=("127.0.0.1",), observers=(shown,)),
    ]
    paths = dict[Kind, HostilePath]()
    for kind, codec in STREAMS.items():
        for peer, call in zip(peers, (alice, bob), strict=True):
            (other,) = call.others()
            stream = IncomingStream(codec, kind, other.leaf_index)
            protector = call.open_stream(codec, kind)
            if call is alice:
                paths[kind] = HostilePath(protector, stream.clear_length)
                protector = cast(FrameProtector, paths[kind])
            peer.add_stream(protector, stream)
    pictures = PictureMeter()
    sender, receiver = peers
    watching = None
    try:
        async with asyncio.timeout(PATIENCE):
            await sender.accept(await receiver.answer(await sender.offer()))
            await asyncio.gather(sender.connected(), receiver.connected())
        sender.send(Kind.MICROPHONE, Tone(440.0))
        sender.send(Kind.CAMERA, TestPicture())
        camera = receiver.track(Kind.CAMERA)
        watching = asyncio.create_task(pictures.watch(camera)) if camera else None
        yield Ends(sender, receiver, paths, shown, pictures)
    finally:
        await asyncio.gather(*(peer.close() for peer in peers))
        if watching is not None:
            await watching


@attack(
    by=Adversary.NETWORK,
    counters=("FRAME-11", "FRAME-12", "FRAME-9", "FRAME-15", "FKEY-17"),
    without=replaced(FrameOpener, open=passes_through),
    on_sockets=True,
)
def tamper_with_media_on_its_way(trial: Trial) -> None:
    """Changes every second frame of a call with sound and picture, through real encoders, RTP and decoders.

    A bit, its header, its tag, an earlier frame in its place, the encoder's plaintext, zeros: what reaches the decoders is
    what was let pass, each frame once, and when the adversary rests, the picture comes back.
    """
    av.logging.set_level(av.logging.PANIC)
    asyncio.run(_tamper(trial))


async def _tamper(trial: Trial) -> None:
    scene = talk(trial)
    async with _connected(scene.alice, scene.bob) as ends:
        paths = ends.paths.values()
        await until(lambda: all(path.tampered >= ENOUGH for path in paths))
        for path in paths:
            path.resting = True
        seen = ends.pictures.frames
        await until(lambda: ends.pictures.frames >= seen + 10)
        trial.claim("the picture comes back", ends.pictures.frames >= seen + 10)
        received = ends.receiver.statistics().received
        for kind, path in ends.paths.items():
            honest, shown = set(path.honest), ends.shown.frames[kind]
            foreign = sum(frame not in honest for frame in shown)
            trial.note(f"{kind.name}: {path.tampered} tampered with, {len(shown)} decoded")
            for reason, count in received[kind].rejected.items():
                for _ in range(count):
                    trial.tried(kind.name, held=True, outcome=reason)
            trial.claim(f"no {kind.name} frame is decoded that was not let pass", foreign == 0)
            if kind is Kind.CAMERA:  # two frames of a tone may be the same
                trial.claim("none twice", len(shown) == len(set(shown)))
